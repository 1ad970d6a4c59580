/** Edits that wait for a second person. */

import { type Command, type Input, pageFlags, part, tenantFlag, tenantPath, text } from './command.ts';
import { printable } from './output.ts';

/** Of an edit that was answered with a request. */
export function waitsText(answer: unknown, input: Input): string {
  const { id } = answer as { id: string };
  const approve = printable(`edit-request approve --tenant ${text(input, 'tenant')} ${id}`);
  return `Nothing was done yet: it is done when somebody else approves it, with a key of their own: \`${approve}\`.`;
}

const fileOf = (answer: unknown): string[] | undefined => {
  const { body } = answer as { body?: unknown };
  return typeof body === 'string' ? body.trimEnd().split(/\r?\n/) : undefined;
};

/** The file of an import is as long as it may be: only who asks for the edit is shown it. */
export function withoutFile(answer: unknown): unknown {
  const lines = fileOf(answer);
  return lines === undefined
    ? answer
    : { ...(answer as object), body: `a file of ${lines.length} lines: \`edit-request show\` has them` };
}

function withFile(answer: unknown): unknown {
  const lines = fileOf(answer);
  return lines === undefined
    ? answer
    : { ...(answer as object), body: lines.map((text, at) => ({ line: at + 1, text })) };
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
    readable: async (answer) => withFile(answer),
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
      readable: async (answer) => withoutFile(answer),
    }),
  ),
];
