/** The test clock. */

import { type Command, text } from './command.ts';

function instantOf(written: string): string {
  return /^\d{4}-\d{2}-\d{2}$/.test(written) ? `${written}T00:00:00Z` : written;
}

export const clockCommands: readonly Command[] = [
  {
    noun: 'clock',
    verb: 'set',
    summary: 'move the clock of a gateway that runs with TEST_CLOCK; it goes on from there',
    flags: [
      { name: 'now', value: 'time', description: 'ISO 8601, or a day: its beginning, UTC', required: true },
    ],
    call: (input) => ({ method: 'PUT', path: '/clock', body: { now: instantOf(text(input, 'now')) } }),
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
