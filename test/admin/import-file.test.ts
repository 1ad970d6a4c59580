/** Files that are meant to be a burden: read in parts, no further than they may go. */

import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { readPeopleFile } from '../../src/admin/import-form.ts';
import { recordsOf } from '../../src/imports/csv-client.ts';
import { limits } from '../../src/kernel/limits.ts';

const now = new Date('2026-03-10T12:00:00Z');
const read = (text: string) => readPeopleFile(recordsOf(text), now);

it('lets others have their turn while a file is read', async () => {
  const text = `userName,department\n${Array.from({ length: 9000 }, (_, at) => `u${at},${'x'.repeat(400)}`).join('\n')}`;
  let turns = 0;
  let isRead = false;
  const others = (async () => {
    for (; !isRead; turns += 1) await setImmediate();
  })();
  const { rows } = await read(text);
  isRead = true;
  await others;
  expect(rows.length).toBe(9000);
  expect(turns, 'of 3.6 MB').toBeGreaterThan(50);
});

it('reads no further than the rows that are taken', async () => {
  let taken = 0;
  async function* counted() {
    for await (const record of recordsOf(`userName\n${'a\n'.repeat(500_000)}`)) {
      taken += 1;
      yield record;
    }
  }
  await expect(readPeopleFile(counted(), now)).rejects.toMatchObject({ code: 'too_large' });
  expect(taken).toBe(limits.importRowsMax + 2);
});

it.each(['userName', 'userName\na'])('reads no millions of cells in one line: %j', async (start) => {
  const before = process.cpuUsage();
  await expect(read(`${start}${','.repeat(4_000_000)}`)).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('more than 1000 cells'),
  });
  const { user, system } = process.cpuUsage(before);
  expect(user + system, 'microseconds; all of them took more than a second').toBeLessThan(400_000);
});

it('ends a row with any line end, also where the header has another, and two parts meet in one', async () => {
  const { rows } = await read('\n\nuserName;title\r\na;\nb;"x\ny"\rc;\r\nd;');
  expect(rows.map(({ line, cells }) => [line, ...cells])).toEqual([
    [4, 'a', ''],
    [6, 'b', 'x\ny'],
    [7, 'c', ''],
    [8, 'd', ''],
  ]);
  const header = 'userName,title\r\n';
  const first = 'x'.repeat(64 * 1024 - header.length - 'a,\r'.length);
  const cut = await read(`${header}a,${first}\r\nb,\r\n`);
  expect(cut.rows.map(({ line, cells }) => [line, cells[0]])).toEqual([
    [2, 'a'],
    [3, 'b'],
  ]);
});

it('keeps letters whole that stand where two parts meet', async () => {
  const name = 'ä€𝄞'.repeat(50);
  const { rows } = await read(
    `userName,title\n${Array.from({ length: 1000 }, (_, at) => `u${at},${name}`).join('\n')}`,
  );
  expect(new Set(rows.map(({ cells }) => cells[1]))).toEqual(new Set([name]));
});

it.each(['|', 'x|'])('does not look for values in a cell of millions of %s', async (unit) => {
  const { rows } = await read(`userName,roles\na,${unit.repeat(1_000_000)}\nb,Staff`);
  expect(rows.map(({ intake }) => ('outcome' in intake ? intake.code : 'taken'))).toEqual([
    'unreadable',
    'taken',
  ]);
  expect(rows[0]?.cells[1]?.length).toBe(limits.importValueLengthMax);
});

it('tells little of what is no CSV', async () => {
  await expect(read(`userName\n${'s'.repeat(1_000_000)}"`)).rejects.toSatisfy(
    ({ code, message }) => code === 'invalid' && message.length < 300,
  );
});
