/**
 * A change of the role catalogue through the flows: tenants are turned to it one by one, what was foreseen comes true, seats
 * go to the queue, and holders of a role that becomes paid claim theirs.
 */

import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { UserId } from '../../src/kernel/ids.ts';
import { firstCatalogue, type RoleEntry, type RoleKey } from '../../src/licensing/catalogue.ts';
import { adoptCatalogue } from '../../src/provisioning/catalogue-adoption-flow.ts';
import { previewCatalogue, putCatalogue } from '../../src/provisioning/catalogue-flow.ts';
import { selectCatalogueVersions, selectNewestCatalogue } from '../../src/provisioning/catalogue-store.ts';
import { removeMapping } from '../../src/provisioning/mapping-flow.ts';
import { findTenant } from '../../src/tenants/credential-store.ts';
import type { Tenant } from '../../src/tenants/tenant.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld, testActor } from '../support/tenants.ts';
import { compareQueue } from './model.ts';
import { readState, seatsOf } from './state.ts';

let test: TestDatabase;
let world: TestWorld;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 4 });
});
afterAll(() => test.close());
beforeEach(async () => {
  world = await newWorld(test.database);
});
/** One catalogue for all: each test begins with what the first version says. */
afterEach(async () => {
  await put(firstCatalogue.roles);
  await adopt();
});

type Change = Partial<Record<RoleKey, Partial<RoleEntry>>>;
const rolesWith = (change: Change) => firstCatalogue.roles.map((role) => ({ ...role, ...change[role.key] }));
const put = (roles: readonly RoleEntry[]) =>
  putCatalogue(test.database, testActor, world.now, { roles, reason: 'test' });
const adopt = () => adoptCatalogue(test.database, world.now, 100);

async function tenantOf({ database, tenantId }: TestWorld): Promise<Tenant> {
  const tenant = await findTenant(database, tenantId);
  if (tenant === undefined) throw new Error('no tenant');
  return tenant;
}

async function preview(change: Change) {
  const [one] = await previewCatalogue(test.database, world.now, rolesWith(change), [await tenantOf(world)]);
  if (one === undefined) throw new Error('no preview');
  return one;
}

/** People who ask for the role by a group of their own, one a second. */
async function people(role: string, priority: number, names: readonly string[]): Promise<UserId[]> {
  const group = await world.group(`${role} ${priority}`);
  await world.map({ group: { id: group }, priority, role });
  const ids: UserId[] = [];
  for (const name of names) {
    world.pass(1000);
    const id = await world.user(`${name}@example.com`);
    await world.editGroup(group, { add: [id] });
    ids.push(id);
  }
  world.pass(1000);
  return ids;
}

async function names(...seats: Parameters<typeof seatsOf>[1][]): Promise<string[]> {
  const state = await readState(world);
  const byId = new Map(state.users.map((user) => [user.id, user.user_name_key.split('@')[0] ?? '']));
  return seatsOf(state, ...seats)
    .sort(compareQueue(state))
    .map((row) => byId.get(row.user_id) ?? '');
}

const foreseen = async (change: Change) => {
  const { users, seats, ...counts } = await preview(change);
  await put(rolesWith(change));
  world.pass(1000);
  const before = (await readState(world)).pool.used;
  expect(await adopt()).toBeGreaterThan(0);
  const state = await readState(world);
  expect(seats).toEqual({ before, after: state.pool.used });
  const stored = new Map(state.decisions.map((row) => [row.user_id, row]));
  for (const { id, after } of users) {
    const row = stored.get(id as UserId);
    expect(row?.seat === 'waiting' ? 'queued' : row?.seat).toBe(after.seat);
    expect(row?.effective.map(({ role, workspace }) => ({ role, workspace }))).toEqual(after.roles);
  }
  return { ...counts, users: users.map(({ userName }) => userName.split('@')[0]) };
};

describe('the first version', () => {
  it('is what the code has as a constant', async () => {
    const [first] = await selectCatalogueVersions(test.database, 2, 1);
    expect(first?.roles).toEqual(firstCatalogue.roles);
  });
});

describe('a role that becomes free', () => {
  it('gives its seats to the queue, exactly as foreseen (I15, I21)', async () => {
    await world.contract({ paidSeats: 2 });
    await people('custom:Reviewer', 1, ['ann', 'bob']);
    await people('team_member', 2, ['cid', 'dan', 'eve']);
    expect(await names('held')).toEqual(['ann', 'bob']);
    expect(await foreseen({ 'custom:*': { billing: 'free' } })).toEqual({
      ...{ tenant: await tenantOf(world), people: 2, toPaid: 0, toFree: 2 },
      ...{ gained: 2, lost: 2, queued: 0, users: ['ann', 'bob', 'cid', 'dan'] },
    });
    expect([await names('held'), await names('waiting')]).toEqual([['cid', 'dan'], ['eve']]);
    expect(await world.settle(), 'I6').toBe(0);
  });
});

describe('a role that becomes paid', () => {
  it('makes its holders claim, in the usual order; who has a seat keeps it (I12)', async () => {
    await world.contract({ paidSeats: 3 });
    await people('client', 1, ['ann', 'bob', 'cid']);
    await people('team_member', 2, ['dan', 'eve']);
    expect(await foreseen({ client: { billing: 'paid' } })).toMatchObject({
      ...{ people: 3, toPaid: 3, toFree: 0, gained: 1, lost: 0, queued: 2 },
    });
    expect(await names('held')).toHaveLength(3);
    expect(await names('held')).toEqual(expect.arrayContaining(['dan', 'eve']));
    const state = await readState(world);
    const waiting = seatsOf(state, 'waiting').map((row) => row.effective.map(({ role }) => role));
    expect(waiting, 'they fall back as the contract says').toEqual([['view_only'], ['view_only']]);
    expect(await world.settle(), 'I6').toBe(0);
  });

  it('is decided in batches for many, with the same result', async () => {
    await world.contract({ paidSeats: 100 });
    const group = await world.group('Guests');
    await world.map({ group: { id: group }, priority: 1, role: 'client' });
    const ids: UserId[] = [];
    for (let n = 0; n < 620; n += 1) ids.push(await world.user(`p${n}@example.com`));
    await world.editGroup(group, { add: ids });
    const { people: touched, queued, seats, users } = await preview({ client: { billing: 'paid' } });
    expect([touched, queued, seats.after, users.length]).toEqual([620, 520, 100, 200]);
    await put(rolesWith({ client: { billing: 'paid' } }));
    await adopt();
    const state = await readState(world);
    expect([state.pool.used, seatsOf(state, 'waiting').length]).toEqual([100, 520]);
    const seatOf = new Map(state.decisions.map((row) => [row.user_id, row.seat]));
    for (const { id, after } of users)
      expect(seatOf.get(id as UserId)).toBe(after.seat === 'queued' ? 'waiting' : after.seat);
  }, 60_000);
});

describe('until a tenant is turned', () => {
  it('its decisions stand by the version before, also those that are made meanwhile', async () => {
    await world.contract({ paidSeats: 1 });
    await people('client', 1, ['ann']);
    await put(rolesWith({ client: { billing: 'paid' } }));
    await people('team_member', 2, ['bob']);
    expect(await names('held')).toEqual(['bob']);
    const [late] = await people('client', 3, ['cid']);
    const billing = async () =>
      (await readState(world)).decisions.find((row) => row.user_id === late)?.requested[0];
    expect(await billing()).toMatchObject({ billing: 'free' });
    await adopt();
    expect(await billing()).toMatchObject({ billing: 'paid' });
    expect(await names('held')).toEqual(['bob']);
    expect(await adopt(), 'once').toBe(0);
  });

  it('a new tenant begins with the newest', async () => {
    await put(rolesWith({ client: { billing: 'paid' } }));
    await adopt();
    world = await newWorld(test.database);
    expect(await adopt()).toBe(0);
    await world.contract({ paidSeats: 1 });
    await people('client', 1, ['ann']);
    expect(await names('held')).toEqual(['ann']);
  });

  it('one for which it fails keeps no other waiting', async () => {
    const broken = await newWorld(test.database);
    const group = await broken.group('Guests', [await broken.user('ann@example.com')]);
    await broken.map({ group: { id: group }, priority: 1, role: 'client' });
    const setRole = (role: string) =>
      inTenant(test.database, broken.tenantId, async (tx) => {
        tx.send(sql`update mappings set role = ${role} where tenant_id = ${broken.tenantId}`);
      });
    await setRole('no such role');
    await world.contract({ paidSeats: 1 });
    await people('client', 1, ['bob']);
    await put(rolesWith({ client: { billing: 'paid' } }));
    await expect(adopt()).rejects.toThrow(AggregateError);
    expect(await names('held')).toEqual(['bob']);
    await setRole('client');
    expect(await adopt()).toBe(1);
  });
});

describe('versions', () => {
  it('are not recorded when nothing differs, and count up for several operators at a time', async () => {
    const { version } = await selectNewestCatalogue(test.database);
    expect((await put(firstCatalogue.roles.toReversed())).version).toBe(version);
    const labels = Array.from({ length: 6 }, (_, n) => `Guest ${n}`);
    const made = await Promise.all(labels.map((label) => put(rolesWith({ client: { label } }))));
    expect(made.map((one) => one.version).sort((a, b) => a - b)).toEqual(
      labels.map((_, n) => version + 1 + n),
    );
    expect(await preview({ client: { label: 'x' } })).toMatchObject({ people: 0, users: [] });
  });
});

describe('a fallback role', () => {
  const commentPaid = () => put(rolesWith({ comment_only: { billing: 'paid' } }));

  it('stays free while it is used, and who uses it is told', async () => {
    const { slug } = await tenantOf(world);
    await world.contract({ fallbackRole: 'comment_only' });
    const contract = `comment_only by the contract of ${slug}`;
    await expect(commentPaid()).rejects.toMatchObject({
      code: 'invalid',
      field: 'roles.4.billing',
      message: expect.stringContaining(contract),
    });
    await world.contract({ fallbackRole: 'view_only' });
    const mapped = await world.map({
      ...{ group: { displayName: 'x' }, priority: 1, fallbackRole: 'comment_only' },
    });
    await expect(commentPaid()).rejects.toThrow(`mapping ${mapped.id} of ${slug}`);
    await expect(preview({ comment_only: { billing: 'paid' } })).rejects.toThrow(`mapping ${mapped.id}`);
    await removeMapping(world.database, world.door, mapped.id);
    expect((await commentPaid()).find('comment_only')?.billing).toBe('paid');
  });

  it('is none that is paid, also before the tenant is turned', async () => {
    await commentPaid();
    const field = { code: 'invalid', field: 'fallbackRole' };
    await expect(world.contract({ fallbackRole: 'comment_only' })).rejects.toMatchObject(field);
    const draft = { group: { displayName: 'x' }, priority: 1, fallbackRole: 'comment_only' } as const;
    await expect(world.map(draft)).rejects.toMatchObject(field);
  });

  it('is either used or paid, whoever comes first', async () => {
    for (let round = 0; round < 8; round += 1) {
      const other = await newWorld(test.database);
      const [used, paid] = await Promise.allSettled([
        other.contract({ fallbackRole: 'comment_only' }),
        commentPaid(),
      ]);
      expect([used.status, paid.status].sort()).toEqual(['fulfilled', 'rejected']);
      if (used.status === 'fulfilled') await other.contract({ fallbackRole: 'view_only' });
      await put(firstCatalogue.roles);
    }
  });
});
