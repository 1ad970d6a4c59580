/** The test clock. */

import { type Command, text } from './command.ts';

export const clockCommands: readonly Command[] = [
  {
    noun: 'clock',
    verb: 'set',
    summary: 'move the clock of a gateway that runs with TEST_CLOCK; it goes on from there',
    flags: [{ name: 'now', value: 'time', description: 'ISO 8601, as 2027-01-01T00:00:00Z', required: true }],
    call: (input) => ({ method: 'PUT', path: '/clock', body: { now: text(input, 'now') } }),
  },
  {
    noun: 'clock',
    verb: 'show',
    summary: 'show the clock',
    flags: [],
    call: () => ({ method: 'GET', path: '/clock' }),
  },
  {
    noun: 'clock',
    verb: 'reset',
    summary: 'go back to real time',
    flags: [],
    call: () => ({ method: 'PUT', path: '/clock', body: { now: null } }),
  },
];
