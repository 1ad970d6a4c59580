/**
 * Many are decided for in batches by SQL, and few by the pure functions: the same worlds, decided for in both ways, end in the
 * same rows of decisions, trail and marks. And a comparison by numbers finds whoever the pure functions find. FUZZ_RUNS sets
 * the number of worlds.
 */

import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { rehearse } from '../../src/db/rehearsal.ts';
import { inTenant, type TenantTransaction } from '../../src/db/tenant-transaction.ts';
import { roomIn } from '../../src/licensing/admit.ts';
import { termsAt } from '../../src/licensing/contract.ts';
import { admitHead } from '../../src/provisioning/admit-sql.ts';
import type { Affected } from '../../src/provisioning/affected.ts';
import { type Part, selectDiffering } from '../../src/provisioning/compare-sql.ts';
import { foresee } from '../../src/provisioning/decide-flow.ts';
import { groundsAt, isAnyDiffering } from '../../src/provisioning/evaluate-flow.ts';
import { lockPool, readPool } from '../../src/provisioning/pool-store.ts';
import { evaluateRest } from '../../src/provisioning/rest-flow.ts';
import { effectiveId, nameRoles } from '../../src/provisioning/role-set.ts';
import { keepRoleSets } from '../../src/provisioning/role-set-sql.ts';
import { settleDue } from '../../src/provisioning/settle-flow.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { history } from './histories.ts';
import { make } from './make-edit.ts';
import { readState } from './state.ts';

const runs = Number(process.env.FUZZ_RUNS ?? 12);
const hour = 3_600_000;
let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 2 });
});

afterAll(() => test.close());

/** Many who ask for few seats, by several mappings each; then a few edits of any kind. */
const dense = fc.record({
  roles: fc.array(fc.option(fc.nat({ max: 2 })), { minLength: 12, maxLength: 12 }),
  groups: fc.array(fc.nat({ max: 4095 }), { minLength: 4, maxLength: 4 }),
  mappings: fc.array(
    fc.record({
      by: fc.nat({ max: 7 }),
      role: fc.constantFrom('team_member', 'custom:Reviewer', 'project_administrator', 'view_only'),
      workspaces: fc.constantFrom(['w1'], ['w2'], ['w2', 'w1'], ['*']),
      fallbackRole: fc.option(fc.constantFrom('client' as const, 'none' as const)),
    }),
    { minLength: 4, maxLength: 8 },
  ),
  seats: fc.integer({ min: 1, max: 6 }),
  edits: history.map((edits) => edits.slice(-5)),
});
type Dense = typeof dense extends fc.Arbitrary<infer T> ? T : never;

/** As connections give to whom they made. */
const defaults = [null, null, 'view_only', 'team_member', 'none'];

async function worldOf({ roles, groups, mappings, seats, edits }: Dense): Promise<TestWorld> {
  const world = await newWorld(test.database);
  await world.contract({ paidSeats: seats });
  const people = [];
  for (const [at, role] of roles.entries()) {
    const emails = [{ value: `address${at % 10}@example.com` }];
    people.push(
      await world.user(
        `person${at}`,
        { emails, ...(role === null ? {} : { roles: [{ value: `role${role}` }] }) },
        { claimValues: [`claim${at % 3}`], defaultRole: defaults[at % defaults.length] ?? null },
      ),
    );
  }
  const ids = [];
  for (const [at, bits] of groups.entries()) {
    ids.push(
      await world.group(
        `group${at}`,
        people.filter((_, n) => (bits >> n) % 2 === 1),
      ),
    );
  }
  for (const [at, { by, ...rest }] of mappings.entries()) {
    const id = ids[by];
    const value = by < 6 ? { roleValue: `role${by - 4}` } : { claim: `claim${by - 6}` };
    const group = id === undefined ? value : { id };
    await world.map({ ...rest, group, priority: 10 + at });
  }
  for (const [step, edit] of edits.entries()) {
    world.pass(1000);
    await make(world, await readState(world), edit, step);
  }
  return world;
}

/** Runs it on the world as it is, and takes everything back. */
function tried<T>({ tenantId }: TestWorld, work: (database: Database) => Promise<T>): Promise<T> {
  return rehearse(test.database, { tenantId, msMax: 30_000 }, work);
}

interface Damage {
  /** Of seven people these have lost their decisions. */
  lost: number;
  /** Of five these have decisions that say something else. */
  torn: number;
  keepUntil: Date | null;
}

const own = sql`tenant_id = current_setting('app.tenant_id')::uuid`;

/** With a trail and marks of its own. */
async function wreck(tx: TenantTransaction, { lost, torn }: Damage): Promise<number> {
  await lockPool(tx);
  const plain = sql`${own} and seat in ('none', 'waiting', 'held')`;
  await tx.run(sql`delete from decisions where ${plain} and abs(hashtext(user_id::text)) % 7 < ${lost}`);
  const nothing = effectiveId([]);
  tx.send(keepRoleSets(tx, nameRoles([]).sets));
  await tx.run(sql`
    update decisions set basis = null, requested_id = ${nothing}, effective_id = ${nothing}
    where ${plain} and abs(hashtext(user_id::text)) % 5 < ${torn}`);
  await tx.run(sql`
    update seat_pools set evaluating = true,
      used = (select count(*) from decisions where ${own} and seat in ('held', 'overage', 'hold')) where ${own}`);
  await forgetMarks(tx);
  return await lastEntry(tx);
}

async function forgetMarks(tx: TenantTransaction): Promise<void> {
  await tx.run(sql`delete from blue_sync where ${own}`);
  await tx.run(sql`delete from blue_sync_batches where ${own}`);
}

async function lastEntry(tx: TenantTransaction): Promise<number> {
  const [row] = await tx.run(
    sql<{ seq: number }>`select coalesce(max(seq), 0) as seq from audit_trail where ${own}`,
  );
  return row?.seq ?? 0;
}

interface Entry {
  subject: string;
  before: unknown;
  after: unknown;
}

/** Of each person's entries: what was before the first, and after the last. In batches whoever gets a seat need not wait for it. */
function joined(trail: readonly Entry[]): Entry[] {
  return [...Map.groupBy(trail, ({ subject }) => subject).values()].map((entries) => ({
    ...(entries.at(-1) as Entry),
    before: entries[0]?.before,
  }));
}

async function written(tx: TenantTransaction, since: number) {
  const [decisions, trail, marks] = await Promise.all([
    tx.run(sql`select * from decisions where ${own} order by user_id`),
    tx.run(sql<Entry>`
      select subject, before, after, action, actor, at from audit_trail where ${own} and seq > ${since} order by subject, seq`),
    tx.run(sql`
      select user_id, min(marked_at) as marked_at from (
        select user_id, marked_at from blue_sync where ${own}
        union all select unnest(user_ids), marked_at from blue_sync_batches where ${own}
      ) m group by user_id order by user_id`),
  ]);
  return { decisions, trail: joined(trail), marks };
}

function decidedAnew(world: TestWorld, damage: Damage, how: 'in batches' | 'one by one') {
  return tried(world, async (database) => {
    const since = await inTenant(database, world.tenantId, async (tx) => {
      const last = await wreck(tx, damage);
      await tx.run(
        how === 'in batches'
          ? sql`insert into evaluation_requests (tenant_id, affected, keep_until)
              values (${tx.tenantId}, '{"everyone": true}', ${damage.keepUntil})`
          : sql`insert into evaluation_marks
              select ${tx.tenantId}, id, ${damage.keepUntil}::timestamptz from users where ${own}`,
      );
      return last;
    });
    await evaluateRest(database, world.door);
    return await inTenant(database, world.tenantId, async (tx) => ({
      ...(await written(tx, since)),
      pool: await tx.run(
        sql`select used, overage, on_hold, ceiling, evaluating, due_at from seat_pools where ${own}`,
      ),
      left: await tx.run(sql`select from evaluation_decided where ${own}
        union all select from evaluation_requests where ${own}`),
    }));
  });
}

it(
  'decides in batches as the pure functions do',
  async () => {
    const changed = { decisions: 0 };
    await fc.assert(
      fc.asyncProperty(
        dense,
        fc.nat({ max: 7 }),
        fc.nat({ max: 5 }),
        fc.boolean(),
        async (chosen, lost, torn, keeps) => {
          const world = await worldOf(chosen);
          const damage = { lost, torn, keepUntil: keeps ? new Date(world.now.getTime() + hour) : null };
          const batches = await decidedAnew(world, damage, 'in batches');
          expect(batches).toEqual(await decidedAnew(world, damage, 'one by one'));
          expect(batches.left).toEqual([]);
          changed.decisions += batches.trail.length;
        },
      ),
      { numRuns: runs, endOnFailure: process.env.FUZZ_SHRINK === undefined },
    );
    expect(changed.decisions).toBeGreaterThan(runs);
  },
  runs * 3000 + 60_000,
);

/** What decisions rest on is changed, and nobody decides. */
const behindTheBack = {
  members: sql`delete from memberships where ${own} and abs(hashtext(user_id::text || group_id::text)) % 3 = 0`,
  mapping: sql`update mappings set role = 'comment_only' where ${own} and priority = 11`,
  workspaces: sql`update mappings set workspaces = '{w9}' where ${own} and priority = 12`,
  validity: sql`update mappings set valid_until = '2026-03-01' where ${own} and priority = 10`,
  fallback: sql`update contracts set fallback_role = 'none' where ${own}`,
  defaultRole: sql`insert into tenant_settings (tenant_id, default_role) values (current_setting('app.tenant_id')::uuid, 'client')
    on conflict (tenant_id) do update set default_role = 'client'`,
  excluded: sql`insert into tenant_settings (tenant_id, exclusions)
    values (current_setting('app.tenant_id')::uuid, '{person1,address2@example.com}')
    on conflict (tenant_id) do update set exclusions = '{person1,address2@example.com}'`,
  inactive: sql`update users set active = false where ${own} and user_name_key in ('person0', 'person3')`,
  address: sql`update users set address = 'address1@example.com' where ${own} and user_name_key in ('person4', 'person5')`,
  ownDefault: sql`update users set default_role = 'client' where ${own} and user_name_key in ('person6', 'person7')`,
  ownNone: sql`update users set default_role = 'none' where ${own}`,
  claimValues: sql`update users set claim_values = '{claim1}' where ${own} and user_name_key in ('person6', 'person7')`,
  roleValues: sql`update users set role_values = '{role1}' where ${own} and user_name_key in ('person6', 'person7')`,
  pins: sql`insert into pins (tenant_id, user_id, role, reason, reserved, actor, created_at)
    select tenant_id, id, 'view_only', 'test', false, '{}', now() from users where ${own} and user_name_key = 'person8'
    on conflict do nothing`,
  nothing: sql`select`,
};
const turns = Object.keys(behindTheBack) as (keyof typeof behindTheBack)[];

function differing(world: TestWorld, affected: Affected, part: Part): Promise<Buffer> {
  return inTenant(test.database, world.tenantId, async (tx) => {
    const grounds = groundsAt(await readPool(tx), world.now);
    return Buffer.concat(await selectDiffering(tx, affected, grounds, part));
  });
}

it(
  'finds by numbers whom the pure functions would decide otherwise for, and nobody where nothing changed',
  async () => {
    let found = 0;
    let inBoth = 0;
    await fc.assert(
      fc.asyncProperty(dense, fc.constantFrom(...turns), async (chosen, turn) => {
        const world = await worldOf(chosen);
        const everyone = { everyone: true };
        await inTenant(test.database, world.tenantId, (tx) => tx.run(behindTheBack[turn]));
        const [changes, isDiffering] = await Promise.all([
          inTenant(test.database, world.tenantId, async (tx) => {
            const pool = { ...(await readPool(tx)), evaluating: true };
            return (await foresee(tx, world.door, { pool, affected: everyone })).plan.changes.length;
          }),
          isAnyDiffering(test.database, world.door, everyone),
        ]);
        found += changes > 0 ? 1 : 0;
        if (changes > 0) expect(isDiffering).toBe(true);
        const { users, groups } = await readState(world);
        const middle = users[Math.floor(users.length / 2)]?.id;
        for (const affected of [everyone, { groupIds: groups.map(({ id }) => id) }]) {
          const whole = await differing(world, affected, {});
          const halves = [
            await differing(world, affected, { to: middle }),
            await differing(world, affected, { from: middle }),
          ];
          expect(Buffer.concat(halves), 'two halves are the whole').toEqual(whole);
          inBoth += halves.every((half) => half.length > 0) ? 1 : 0;
        }
        await world.settle();
        // Without days of grace a seat above the capacity ends at the instant at which it is given.
        await settleDue(test.database, world.now, 1000);
        expect(await isAnyDiffering(test.database, world.door, everyone)).toBe(false);
      }),
      { numRuns: runs, endOnFailure: process.env.FUZZ_SHRINK === undefined },
    );
    expect(found).toBeGreaterThan(0);
    expect(inBoth).toBeGreaterThan(0);
  },
  runs * 3000 + 60_000,
);

it(
  'serves the head of the queue as the pure functions do',
  async () => {
    let admitted = 0;
    await fc.assert(
      fc.asyncProperty(dense, fc.integer({ min: 1, max: 4 }), async (chosen, more) => {
        const world = await worldOf(chosen);
        const served = (how: 'by SQL' | 'by plan') =>
          tried(world, async (database) => {
            const { since, room } = await inTenant(database, world.tenantId, async (tx) => {
              await lockPool(tx);
              await tx.run(sql`update contracts set paid_seats = paid_seats + ${more} where ${own}`);
              await tx.run(
                sql`update seat_pools set ceiling = ceiling + ${more}, evaluating = true where ${own}`,
              );
              await forgetMarks(tx);
              const { contract, usage, batch, rules, subPools } = await lockPool(tx);
              const terms = termsAt(contract, world.now);
              const isCommon = terms.grants && terms.allowance === 0 && usage.overage === 0 && batch === null;
              const isPlain =
                isCommon &&
                rules.settlement === 'immediate' &&
                rules.order === 'sticky' &&
                subPools.length === 0;
              return { since: await lastEntry(tx), room: isPlain ? roomIn(terms, usage).held : 0 };
            });
            if (room === 0) return null;
            if (how === 'by plan') await evaluateRest(database, world.door);
            return await inTenant(database, world.tenantId, async (tx) => {
              if (how === 'by SQL') admitted += await admitHead(tx, world.door, Math.min(room, 500), {});
              return await written(tx, since);
            });
          });
        expect(await served('by SQL')).toEqual(await served('by plan'));
      }),
      { numRuns: runs, endOnFailure: process.env.FUZZ_SHRINK === undefined },
    );
    expect(admitted).toBeGreaterThan(0);
  },
  runs * 3000 + 60_000,
);
