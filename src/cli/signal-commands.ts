/** Receivers of signals. */

import { type Command, given, pageFlags, part, tenantFlag, tenantPath, text } from './command.ts';

export const signalCommands: readonly Command[] = [
  {
    noun: 'signal-receiver',
    verb: 'create',
    summary: 'admit a receiver of signals; its token is shown once',
    flags: [
      tenantFlag,
      { name: 'name', value: 'text', description: 'what it is called', required: true },
      { name: 'audience', value: 'text', description: 'the aud of what it is told', required: true },
    ],
    call: (input) => ({
      method: 'POST',
      path: tenantPath(input, '/signal-receivers'),
      body: given({ name: text(input, 'name'), audience: text(input, 'audience') }),
    }),
  },
  {
    noun: 'signal-receiver',
    verb: 'list',
    summary: 'list the receivers of signals, and what waits for each',
    flags: [tenantFlag, ...pageFlags],
    call: (input) => ({ method: 'GET', path: tenantPath(input, '/signal-receivers', 'limit', 'cursor') }),
    columns: ['name', 'id', 'audience', 'createdAt'],
  },
  {
    noun: 'signal-receiver',
    verb: 'show',
    summary: 'show a receiver of signals',
    argument: 'receiver-id',
    flags: [tenantFlag],
    call: (input) => ({
      method: 'GET',
      path: tenantPath(input, `/signal-receivers/${part(input, 'receiver-id')}`),
    }),
  },
  {
    noun: 'signal-receiver',
    verb: 'delete',
    summary: 'dismiss a receiver, with its stream and what waits there',
    argument: 'receiver-id',
    flags: [tenantFlag],
    call: (input) => ({
      method: 'DELETE',
      path: tenantPath(input, `/signal-receivers/${part(input, 'receiver-id')}`),
    }),
  },
];
