/** Seats that lie idle. */

import { aPerson, type Command, pageFlags, part, tenantFlag, tenantPath } from './command.ts';

export const reclaimCommands: readonly Command[] = [
  {
    noun: 'reclaim',
    verb: 'list',
    summary: 'list people whose seats lay idle',
    flags: [
      tenantFlag,
      { name: 'state', value: 'state', description: 'noticed, taken, kept, undone, returned, withdrawn' },
      ...pageFlags,
    ],
    call: (input) => ({
      method: 'GET',
      path: tenantPath(input, '/reclaims', 'state', 'limit', 'cursor'),
    }),
    columns: ['userName', 'state', 'lastSeenAt', 'noticedAt', 'reminders', 'nextStepAt', 'takenAt', 'userId'],
  },
  {
    noun: 'reclaim',
    verb: 'show',
    summary: 'show whether the seat of a person lay idle',
    ...aPerson,
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: tenantPath(input, `/users/${part(input, 'user')}/reclaim`) }),
  },
  {
    noun: 'reclaim',
    verb: 'keep',
    summary: 'say that a person keeps the seat',
    ...aPerson,
    flags: [tenantFlag],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, `/users/${part(input, 'user')}/reclaim/keep`),
    }),
  },
  {
    noun: 'reclaim',
    verb: 'undo',
    summary: 'take the taking of a seat back',
    ...aPerson,
    flags: [tenantFlag],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, `/users/${part(input, 'user')}/reclaim/undo`),
    }),
  },
];
