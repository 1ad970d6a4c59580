/** What is read as an instant: only what means the same to everybody, wherever the gateway runs. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { readDate, readInstant } from '../../src/admin/instant.ts';

const zone = process.env.TZ;
beforeAll(() => {
  process.env.TZ = 'Asia/Tokyo';
});
afterAll(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

it.each([
  ['2027-06-30', '2027-06-30T00:00:00.000Z'],
  ['2028-02-29', '2028-02-29T00:00:00.000Z'],
  ['2027-06-30T10:00', '2027-06-30T10:00:00.000Z'],
  ['2027-06-30T10:00:05', '2027-06-30T10:00:05.000Z'],
  ['2027-06-30t10:00:05.1234567z', '2027-06-30T10:00:05.123Z'],
  ['2027-06-30T01:00:00+02:00', '2027-06-29T23:00:00.000Z'],
  ['2027-06-30T01:00:00 02:00', '2027-06-29T23:00:00.000Z'],
])('takes %s', (text, iso) => {
  expect(readInstant('until', text)?.toISOString()).toBe(iso);
});

it.each([
  '01.02.2027',
  '1/2/2027',
  '2027',
  '2027-06',
  '2027-6-3',
  '2027-02-31',
  '2027-13-01',
  '2027-06-30 10:00',
  '2027-06-30T25:00Z',
  'June 2027',
  'soon 5',
  '46569',
  '+012027-01-01T00:00:00Z',
  '0000-01-01',
  '0001-01-01T00:00+02:00',
  '',
])('refuses %j', (text) => {
  expect(() => readDate('until', text)).toThrow(
    '"until" must be a time in ISO 8601, as 2027-06-30T00:00:00Z, or a day, as 2027-06-30.',
  );
});
