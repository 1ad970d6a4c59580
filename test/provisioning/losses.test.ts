/** How a loss that comes later is told. */

import { expect, it } from 'vitest';
import { laterText } from '../../src/provisioning/losses.ts';

it.each([
  [0, ''],
  [2, '2 of them at a date to come'],
  [3, 'all at a date to come'],
])('of three seats, %i later', (lostLater, text) =>
  expect(laterText({ seatsLost: 3, lostLater })).toBe(text),
);
