/** Edits that wait for a second person. */

import { type Command, type Input, pageFlags, part, tenantFlag, tenantPath, text } from './command.ts';
import { printable } from './output.ts';

/** Of an edit that was answered with a request. */
export function waitsText(answer: unknown, input: Input): string {
  const { id } = answer as { id: string };
  const approve = printable(`edit-request approve --tenant ${text(input, 'tenant')} ${id}`);
  return `Nothing was done yet: it is done when somebody else approves it, with a key of their own: \`${approve}\`.`;
}

export const editRequestCommands: readonly Command[] = [
  {
    noun: 'edit-request',
    verb: 'list',
    summary: 'list edits that wait, or waited, for a second person',
    flags: [tenantFlag, ...pageFlags],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/edit-requests', 'limit', 'cursor') }),
    columns: ['createdAt', 'state', 'because', 'by.name', 'method', 'path', 'id'],
  },
  {
    noun: 'edit-request',
    verb: 'show',
    summary: 'show an edit that waits, or waited',
    argument: 'request-id',
    flags: [tenantFlag],
    call: (input) => ({
      method: 'GET',
      path: tenantPath(input, `/edit-requests/${part(input, 'request-id')}`),
    }),
  },
  ...(['approve', 'refuse'] as const).map(
    (verb): Command => ({
      noun: 'edit-request',
      verb,
      summary: verb === 'approve' ? 'approve an edit of somebody else: it is made now' : 'refuse an edit',
      argument: 'request-id',
      flags: [tenantFlag],
      call: (input) => ({
        method: 'POST',
        path: tenantPath(input, `/edit-requests/${part(input, 'request-id')}/${verb}`),
      }),
    }),
  ),
];
