/** Alerts, and what is to come of the seats. */

import { type Command, pageFlags, part, tenantFlag, tenantPath } from './command.ts';

export const alertCommands: readonly Command[] = [
  {
    noun: 'seats',
    verb: 'cliff',
    summary: 'show who would lose a seat when there are fewer',
    flags: [
      tenantFlag,
      { name: 'at', value: 'time', description: 'ISO 8601; when left out, the next known reduction' },
      { name: 'paid-seats', value: 'n', description: 'as if the next term had so many' },
    ],
    call: (input) => ({
      method: 'GET',
      path: tenantPath({ ...input, paidSeats: input['paid-seats'] }, '/seats/cliff', 'at', 'paidSeats'),
    }),
    readable: async (answer) =>
      (answer as { at: string | null }).at === null
        ? 'No line of the contract that is known gives fewer seats: nobody would lose one.'
        : answer,
  },
  {
    noun: 'seats',
    verb: 'forecast',
    summary: 'say when the seats will be full',
    flags: [tenantFlag],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/seats/forecast') }),
  },
  {
    noun: 'seats',
    verb: 'clear-block-guard',
    summary: 'let policy block stand again after the guard has lifted it',
    flags: [tenantFlag],
    call: (input) => ({ method: 'DELETE', path: tenantPath(input, '/seats/block-guard') }),
  },
  {
    noun: 'alerts',
    verb: 'list',
    summary: 'list alerts, newest first',
    flags: [
      tenantFlag,
      { name: 'state', value: 'open|all', description: 'open when left out' },
      ...pageFlags,
    ],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/alerts', 'state', 'limit', 'cursor') }),
    columns: ['raisedAt', 'state', 'message', 'id'],
  },
  {
    noun: 'alerts',
    verb: 'acknowledge',
    summary: 'note that somebody has taken notice',
    argument: 'alert-id',
    flags: [tenantFlag],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, `/alerts/${part(input, 'alert-id')}/acknowledge`),
    }),
  },
];
