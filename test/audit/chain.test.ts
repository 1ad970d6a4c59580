/** The chain of the trail on the real database: what is sealed, in which order, and that it verifies whatever is written meanwhile. */

import { sql } from 'kysely';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { appendAudit } from '../../src/audit/audit-store.ts';
import { findUnsealedTenants } from '../../src/audit/seal-store.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld, testActor } from '../support/tenants.ts';
import { openOwner, Trail, untilSealable } from './support.ts';

let test: TestDatabase;
let owner: pg.Client;
let world: TestWorld;
let trail: Trail;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 12 });
  owner = await openOwner(test.url);
});
afterAll(async () => {
  await owner.end();
  await test.close();
});
beforeEach(async () => {
  world = await newWorld(test.database);
  trail = new Trail(test.database, world.tenantId);
  await trail.seal();
});

interface SealRow {
  number: string;
  entries: number;
}

const seals = async (): Promise<SealRow[]> =>
  (
    await owner.query('select number, entries from audit_seals where tenant_id = $1 order by number', [
      trail.tenantId,
    ])
  ).rows;
const countEntries = async () =>
  Number(
    (await owner.query('select count(*) from audit_trail where tenant_id = $1', [trail.tenantId])).rows[0]
      .count,
  );
const isFound = async () =>
  (await findUnsealedTenants(test.database, '00000000-0000-0000-0000-000000000000', 1000)).includes(
    trail.tenantId,
  );

it('seals what was written, each entry once, and goes on from there', async () => {
  const before = await countEntries();
  await trail.write(3);
  await untilSealable(test.database);
  expect(await isFound()).toBe(true);
  expect(await trail.seal()).toBe(1);
  expect(await isFound()).toBe(false);
  expect(await trail.seal()).toBe(0);
  await trail.write(2, new Date('2026-03-11T12:00:00Z'));
  expect(await trail.verify()).toMatchObject({ broken: undefined, unsealed: 2 });
  expect(await trail.seal()).toBe(1);
  expect((await seals()).map(({ number, entries }) => [number, entries])).toEqual([
    ['1', before],
    ['2', 3],
    ['3', 2],
  ]);
  expect(await trail.verify()).toMatchObject({
    ...{ broken: undefined, unsealed: 0, isEnd: true, place: { number: 3, entries: before + 5 } },
    seal: { number: 3, newestAt: new Date('2026-03-11T12:00:00Z') },
  });
});

it('seals a thousand entries at most at a time, of one transaction too', async () => {
  await trail.write(2500);
  expect(await trail.seal(2)).toBe(2);
  expect(await trail.seal()).toBe(1);
  expect((await seals()).slice(1).map(({ entries }) => entries)).toEqual([1000, 1000, 500]);
  expect((await trail.verify()).broken).toBeUndefined();
});

it('seals a large edit, of which many people share a row', async () => {
  const group = await world.group('Eng');
  await world.fill(group, 2100);
  await world.contract({ paidSeats: 5000 });
  await world.map({ group: { id: group }, priority: 1 });
  const batches = await owner.query(
    'select sum(cardinality(subjects)) from audit_batches where tenant_id = $1',
    [trail.tenantId],
  );
  expect(Number(batches.rows[0].sum)).toBeGreaterThanOrEqual(1000);
  await trail.seal();
  const { broken, place } = await trail.verify();
  expect([broken, place.entries]).toEqual([undefined, await countEntries()]);

  // What a later version tells of decisions leaves those that are sealed as they were.
  await owner.query('alter type told_decision add attribute note text cascade');
  expect((await trail.verify()).broken).toBeUndefined();
  await owner.query('alter type told_decision drop attribute note cascade');
});

it('walks on behind seals that have more entries than are read at once', async () => {
  await owner.query(
    `insert into audit_batches (tenant_id, at, actor, first_subject, last_subject, subjects, changes)
     select $1, now(), '{}', gen_random_uuid(), gen_random_uuid(), s, c from generate_series(1, 45), lateral (
       select array_agg(gen_random_uuid()) as s, array_agg(row(null, null)::told_change) as c from generate_series(1, 1000)) people`,
    [trail.tenantId],
  );
  expect(await trail.seal()).toBe(3);
  expect((await seals()).slice(1).map(({ entries }) => entries)).toEqual([20_000, 20_000, 5000]);
  await trail.write();
  await trail.seal();
  const { broken, place, unsealed } = await trail.verify();
  expect([broken, place, unsealed]).toEqual([undefined, { number: 5, entries: await countEntries() }, 0]);
});

it('keeps the order of what is committed late though its numbers are early', async () => {
  const door = { tenantId: trail.tenantId, actor: testActor, now: new Date(), requestId: null };
  const [begun, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const late = inTenant(test.database, trail.tenantId, async (tx) => {
    appendAudit(tx, door, [{ action: 'late.written', subject: null }]);
    await tx.run(sql`select 1`);
    begun.resolve();
    await go.promise;
  });
  await begun.promise;
  await trail.write();
  const early = [await trail.sealNow(), await isFound(), (await trail.verify()).unsealed];
  go.resolve();
  await late;
  expect(early).toEqual([0, false, 1]);
  expect(await trail.seal()).toBe(1);
  expect((await seals()).at(-1)?.entries).toBe(2);
  expect(await trail.verify()).toMatchObject({ broken: undefined, unsealed: 0 });
});

it('puts each entry into one seal, whoever writes and seals at the same time', async () => {
  let isWriting = true;
  const made: number[] = [];
  const sealer = async () => {
    while (isWriting) made.push(await trail.sealNow(3));
  };
  const verifier = async () => {
    while (isWriting) expect((await trail.verify()).broken).toBeUndefined();
  };
  const beside = [sealer(), sealer(), verifier()];
  const writer = async (n: number) => {
    for (let times = 0; times < 150; times += 1) await trail.write(1 + ((n + times) % 7));
  };
  await Promise.all([1, 2, 3, 4, 5, 6].map(writer));
  isWriting = false;
  await Promise.all(beside);
  await trail.seal();
  const all = await seals();
  expect(all.length).toBeGreaterThan(5);
  expect(all.reduce((sum, { entries }) => sum + entries, 0)).toBe(await countEntries());
  expect(await trail.verify()).toMatchObject({ broken: undefined, unsealed: 0 });
});

it('verifies piece by piece', async () => {
  for (let times = 0; times < 3; times += 1) {
    await trail.write(1000);
    await trail.seal();
  }
  let from = { number: 0, entries: 0 };
  const ends: boolean[] = [];
  for (let isEnd = false; !isEnd; ends.push(isEnd)) {
    const { place, broken, ...rest } = await trail.verify({ from, isOver: () => true });
    expect(broken).toBeUndefined();
    from = place;
    isEnd = rest.isEnd;
  }
  expect(ends).toEqual([false, true]);
  expect(from).toEqual({ number: 4, entries: await countEntries() });
});

it('does not depend on how a session shows times', async () => {
  await trail.write(3);
  const rows = async (settings: string) => {
    await owner.query(settings);
    const all = `audit_rows($1, 0, 0, 9e15::bigint, 0, 0, 9e15::bigint, 1000)`;
    return (await owner.query(`select encode(hash, 'hex') as hash from ${all}`, [trail.tenantId])).rows;
  };
  const usual = await rows(`set timezone = 'UTC'; set datestyle = 'ISO'`);
  expect(usual.length).toBeGreaterThanOrEqual(4);
  expect(await rows(`set timezone = 'Asia/Tokyo'; set datestyle = 'German'`)).toEqual(usual);
  await owner.query('reset timezone; reset datestyle');
});
