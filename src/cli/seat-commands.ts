/** Seats: how they are used, what waits to be settled or let happen, and what is decided for one person by hand. */

import {
  aPerson,
  type Command,
  confirmFlag,
  given,
  list,
  pageFlags,
  part,
  tenantFlag,
  tenantPath,
  text,
} from './command.ts';

export const seatCommands: readonly Command[] = [
  {
    noun: 'seats',
    verb: 'show',
    summary: 'count the seats',
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/seats') }),
  },
  {
    noun: 'seats',
    verb: 'verify',
    summary: 'compare what is stored with what deciding again gives',
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/seats/verify') }),
  },
  {
    noun: 'seats',
    verb: 'plan',
    summary: 'say who gets a seat when the open batch is settled and who waits on, also by department',
    flags: [tenantFlag, ...pageFlags],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, '/seats/preview', 'limit', 'cursor'),
      body: { op: 'settle' },
    }),
    readable: async (answer, input, get) =>
      ((await get(tenantPath(input, '/seats'))) as { batch: unknown }).batch === null
        ? 'No batch is open: nobody waits for the end of one.'
        : answer,
  },
  {
    noun: 'seats',
    verb: 'settle',
    summary: 'give the free seats to those who wait in the open batch',
    flags: [tenantFlag],
    call: (input) => ({ method: 'POST', path: tenantPath(input, '/seats/settle') }),
    readable: async (answer) =>
      (answer as { settled?: boolean }).settled === false ? 'No batch is open: nothing was done.' : answer,
  },
  {
    noun: 'seats',
    verb: 'staged',
    summary: 'list the people whose decisions the breaker stopped',
    flags: [tenantFlag, ...pageFlags],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/seats/staged', 'limit', 'cursor') }),
    columns: ['userName', 'seat', 'id'],
  },
  {
    noun: 'seats',
    verb: 'release-staged',
    summary: 'let happen what the breaker stopped',
    flags: [tenantFlag],
    call: (input) => ({ method: 'POST', path: tenantPath(input, '/seats/staged/release') }),
  },
  {
    noun: 'seats',
    verb: 'approvals',
    summary: 'list the people whose claims wait for an approval',
    flags: [tenantFlag, ...pageFlags],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/approvals', 'limit', 'cursor') }),
    columns: ['userName', 'roles', 'since', 'id'],
  },
  ...(['approve', 'refuse'] as const).map(
    (verb): Command => ({
      noun: 'users',
      verb,
      summary: `${verb} the seat that a person claims`,
      ...aPerson,
      flags: [tenantFlag, { name: 'reason', value: 'text', description: 'why' }],
      call: (input) => ({
        method: 'PUT',
        path: tenantPath(input, `/users/${part(input, 'user')}/approval`),
        body: given({ granted: verb === 'approve', reason: input.reason }),
      }),
    }),
  ),
  {
    noun: 'users',
    verb: 'pin',
    summary: 'give a person a role by hand',
    ...aPerson,
    flags: [
      tenantFlag,
      { name: 'role', value: 'role', description: 'in place of what mappings say', required: true },
      { name: 'reason', value: 'text', description: 'why', required: true },
      { name: 'workspaces', value: 'ids', description: 'between commas; where mappings lead when left out' },
      { name: 'until', value: 'time', description: 'ISO 8601: it ends by itself then' },
      { name: 'reserved', description: 'it takes its seat now, or is refused' },
      confirmFlag,
    ],
    call: (input) => ({
      method: 'PUT',
      path: tenantPath(input, `/users/${part(input, 'user')}/pin`, 'confirm'),
      body: given({
        role: text(input, 'role'),
        reason: text(input, 'reason'),
        workspaces: list(input, 'workspaces'),
        until: input.until,
        reserved: input.reserved,
      }),
    }),
  },
  {
    noun: 'users',
    verb: 'show-pin',
    summary: 'show the pin of a person',
    ...aPerson,
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: tenantPath(input, `/users/${part(input, 'user')}/pin`) }),
  },
  {
    noun: 'users',
    verb: 'unpin',
    summary: 'take the pin away',
    ...aPerson,
    flags: [tenantFlag],
    call: (input) => ({ method: 'DELETE', path: tenantPath(input, `/users/${part(input, 'user')}/pin`) }),
  },
  {
    noun: 'users',
    verb: 'release-hold',
    summary: 'give back the place that is kept for a person',
    ...aPerson,
    flags: [tenantFlag],
    call: (input) => ({ method: 'DELETE', path: tenantPath(input, `/users/${part(input, 'user')}/hold`) }),
  },
];
