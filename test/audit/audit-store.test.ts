/** What is read of the trail page by page is what `audit_trail` tells as a whole, whether an event has a row of its own or shares one. */

import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuditQuery, type AuditRow, selectAudit } from '../../src/audit/audit-store.ts';
import type { Door } from '../../src/audit/door.ts';
import { inTenant, type TenantTransaction } from '../../src/db/tenant-transaction.ts';
import { createMapping, removeMapping } from '../../src/provisioning/mapping-flow.ts';
import { telling } from '../../src/provisioning/told-sql.ts';
import { newScene, type Scene } from '../provisioning/scene.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';

let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 4 });
});
afterAll(() => test.close());

const everything: AuditQuery = {
  ...{ actor: undefined, subject: undefined, action: undefined, from: undefined, to: undefined },
  ...{ before: Number.MAX_SAFE_INTEGER, limit: 100 },
};

function inWorld<T>(
  { database, tenantId }: TestWorld,
  work: (tx: TenantTransaction) => Promise<T>,
): Promise<T> {
  return inTenant(database, tenantId, work);
}

/** All pages of so many. */
async function paged(world: TestWorld, query: Partial<AuditQuery>, limit: number): Promise<AuditRow[]> {
  const rows: AuditRow[] = [];
  for (;;) {
    const before = rows.at(-1)?.seq ?? everything.before;
    const page = await inWorld(world, (tx) => selectAudit(tx, { ...everything, ...query, before, limit }));
    rows.push(...page);
    if (page.length < limit) return rows;
  }
}

function whole(world: TestWorld): Promise<AuditRow[]> {
  return inWorld(world, (tx) =>
    tx.run(sql<AuditRow>`
      select seq, at, actor, action, subject, before, after, request_id from audit_trail where tenant_id = ${tx.tenantId} order by seq desc`),
  );
}

/** How many share a row, of each row. */
async function shared(world: TestWorld): Promise<number[]> {
  const rows = await inWorld(world, (tx) =>
    tx.run(sql<{ people: number }>`
      select cardinality(subjects) as people from audit_batches where tenant_id = ${tx.tenantId} order by first_seq`),
  );
  return rows.map(({ people }) => people);
}

describe('of edits in batches', () => {
  const names = ['Ada', 'Bo', 'Cy', 'Di', 'Ed', 'Fay', 'Gus'];
  const other = { kind: 'operator', id: 'other', name: 'other' } as const;
  let scene: Scene;
  let trail: AuditRow[];

  beforeAll(async () => {
    scene = await newScene(test.database, names, { paidSeats: 4 });
    const { world, staff } = scene;
    world.peoplePerDecision = 3;
    world.pass(1000);
    const { id } = await world.map({ group: { id: staff }, priority: 20, workspaces: ['w2'] });
    world.pass(1000);
    await world.revise(scene.id('Bo'), { title: 'Boss' });
    await scene.setActive('Cy', false);
    world.pass(1000);
    const door: Door = { ...world.door, actor: other, requestId: 'request' };
    const draft = world.mapping({ group: { id: staff }, priority: 30, workspaces: ['w3'] });
    await createMapping(world.database, door, draft);
    await removeMapping(world.database, world.door, id);
    // As versions before 0042 wrote it: what the newest batch tells of one person.
    await inWorld(world, async (tx) =>
      tx.send(sql`
        insert into audit_events (tenant_id, at, actor, action, subject, decision_before, decision_after)
        select tenant_id, at, actor, 'decision.changed', subjects[1], (changes[1]).before, (changes[1]).after
        from audit_batches where tenant_id = ${tx.tenantId} order by first_seq desc limit 1`),
    );
    trail = await whole(world);
  });

  it('has events of both kinds', async () => {
    const people = await shared(scene.world);
    expect(Math.max(...people)).toBeGreaterThan(1);
    expect(people.reduce((sum, some) => sum + some)).toBeLessThan(trail.length);
  });

  it('tells of both alike', () => {
    const [alone] = trail;
    const together = trail.slice(1).find(({ subject }) => subject === alone?.subject);
    expect(together?.after).toMatchObject({ requested: expect.any(Array), isUnasked: false });
    expect(alone).toEqual({ ...together, seq: alone?.seq });
  });

  it.each([1, 2, 3, 100])('in pages of %i', async (limit) => {
    expect(await paged(scene.world, {}, limit)).toEqual(trail);
  });

  it.each(names)('of %s alone', async (name) => {
    const subject = scene.id(name);
    const own = trail.filter((row) => row.subject === subject);
    expect(own.length).toBeGreaterThan(2);
    for (const limit of [1, 100]) expect(await paged(scene.world, { subject }, limit)).toEqual(own);
  });

  it('by what was done, by whom, and when', async () => {
    const at = trail[Math.floor(trail.length / 2)]?.at as Date;
    const cases: [Partial<AuditQuery>, (row: AuditRow) => boolean][] = [
      [{ action: 'decision.changed' }, ({ action }) => action === 'decision.changed'],
      [{ action: 'mapping.created' }, ({ action }) => action === 'mapping.created'],
      [{ actor: 'other' }, ({ actor }) => actor.id === 'other'],
      [{ from: at }, (row) => row.at >= at],
      [{ to: at }, (row) => row.at < at],
    ];
    for (const [query, isMeant] of cases) {
      const meant = trail.filter(isMeant);
      expect(meant.length, JSON.stringify(query)).toBeGreaterThan(0);
      expect(await paged(scene.world, query, 3), JSON.stringify(query)).toEqual(meant);
    }
    for (const subject of [randomUUID(), 'nobody', scene.id('Ada').toUpperCase()])
      expect(await paged(scene.world, { subject }, 3)).toEqual([]);
  });
});

describe('of more people than a row has numbers for', () => {
  const people = 2500;
  let world: TestWorld;
  let ids: string[];

  beforeAll(async () => {
    world = await newWorld(test.database);
    ids = Array.from({ length: people }, () => randomUUID());
    const changes = sql`
      select id as subject, place - 1 as place, null::told_decision as before, null::told_decision as after
      from unnest(${ids}::uuid[]) with ordinality as p (id, place)`;
    await inWorld(world, async (tx) => tx.send(telling(tx, world.door, changes, null)));
  });

  it('there are several', async () => {
    expect(await shared(world)).toEqual([1000, 1000, 500]);
  });

  it('each person has an event, in their order', async () => {
    const told = await paged(world, { action: 'decision.changed' }, 999);
    expect(told.map(({ subject }) => subject).reverse()).toEqual(ids);
    const last = await paged(world, { subject: ids.at(-1) }, 100);
    expect(last).toEqual(told.slice(0, 1));
  });

  it('nothing else has one of their numbers', async () => {
    await world.contract();
    const numbers = (await whole(world)).map(({ seq }) => seq);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers.length).toBeGreaterThan(people + 1);
  });

  it('a page takes no more of them apart than it needs', async () => {
    const explained = await inWorld(world, async (tx) => {
      const plan = { rows: [] as string[] };
      const explaining: TenantTransaction = {
        ...tx,
        run: async (query) => {
          const lines = await tx.run(
            sql<{ 'QUERY PLAN': string }>`explain (analyze, costs off) ${query as never}`,
          );
          plan.rows = lines.map((line) => line['QUERY PLAN']);
          return [];
        },
      };
      await selectAudit(explaining, { ...everything, limit: 10 });
      return plan.rows;
    });
    const taken = explained.find((line) => /Function Scan on c/.test(line));
    expect(taken).toMatch(/loops=[12]\)/);
  });
});
