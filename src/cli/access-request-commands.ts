/** People who signed in for the first time and wait for an administrator's word. */

import { type Command, given, type Input, pageFlags, part, tenantFlag, tenantPath } from './command.ts';

const one = (input: Input, verb: string) =>
  tenantPath(input, `/access-requests/${part(input, 'request-id')}/${verb}`);

export const accessRequestCommands: readonly Command[] = [
  {
    noun: 'access-request',
    verb: 'list',
    summary: 'list people who wait to be let in, the oldest first',
    flags: [tenantFlag, { name: 'state', value: 'pending|refused', description: 'pending' }, ...pageFlags],
    call: (input) => ({
      method: 'GET',
      path: tenantPath(input, '/access-requests', 'state', 'limit', 'cursor'),
    }),
    columns: [
      ...['requestedAt', 'userName', 'displayName', 'email', 'groups', 'state', 'reason'],
      ...['id', 'revision'],
    ],
  },
  {
    noun: 'access-request',
    verb: 'approve',
    summary: 'let somebody in: the person is made at once',
    argument: 'request-id',
    flags: [
      tenantFlag,
      {
        name: 'revision',
        value: 'text',
        description: 'of the request, as `access-request list` has it',
        required: true,
      },
    ],
    call: (input) => ({
      method: 'POST',
      path: one(input, 'approve'),
      body: { revision: input.revision },
    }),
  },
  {
    noun: 'access-request',
    verb: 'refuse',
    summary: 'refuse somebody, who is told so at each login',
    argument: 'request-id',
    flags: [tenantFlag, { name: 'reason', value: 'text', description: 'for administrators' }],
    call: (input) => ({ method: 'POST', path: one(input, 'refuse'), body: given({ reason: input.reason }) }),
  },
];
