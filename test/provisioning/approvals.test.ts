/** Seats that somebody gives: each claim, or only those for whom none is free; and what a word holds for. */

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { selectSeats } from '../../src/admin/contract-store.ts';
import { appendAudit } from '../../src/audit/audit-store.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { GroupId, UserId } from '../../src/kernel/ids.ts';
import type { Approval } from '../../src/licensing/mapping.ts';
import { giveVerdict } from '../../src/provisioning/approval-flow.ts';
import { decide } from '../../src/provisioning/decide-flow.ts';
import { replaceMapping } from '../../src/provisioning/mapping-flow.ts';
import { lockPool } from '../../src/provisioning/pool-store.ts';
import { putSettings } from '../../src/provisioning/settings-flow.ts';
import { settleDue } from '../../src/provisioning/settle-flow.ts';
import { selectUserView } from '../../src/provisioning/user-view-store.ts';
import { defaultSettings } from '../../src/tenants/settings.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { checkLedger } from './ledger.ts';
import { readState } from './state.ts';

let test: TestDatabase;
let world: TestWorld;
let staff: GroupId;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 4 });
});
afterAll(() => test.close());
beforeEach(async () => {
  world = await newWorld(test.database);
  await world.contract({ paidSeats: 2 });
  staff = await world.group('Staff');
});

const map = (approval: Approval | null) => world.map({ group: { id: staff }, priority: 5, approval });

async function join(name: string): Promise<UserId> {
  world.pass(1000);
  const id = await world.user(`${name}@example.com`);
  await world.editGroup(staff, { add: [id] });
  return id;
}

async function told(id: UserId) {
  const view = await inTenant(test.database, world.tenantId, (tx) => selectUserView(tx, id, world.now));
  const roles = view?.decision?.effective.map(({ role }) => role).join();
  return [view?.seat.state, view?.seat.position, view?.seat.reason, roles];
}
const say = (id: UserId, isGranted: boolean) =>
  giveVerdict(test.database, world.door, id, { isGranted, reason: null });

const pending = ['queued', null, 'AWAITS_APPROVAL', 'view_only'];
const held = ['held', null, 'SEAT_HELD', 'team_member'];

it('manual: nobody has a seat before somebody says so, also while seats are free', async () => {
  await map('manual');
  const [ann, bob] = [await join('ann'), await join('bob')];
  expect([await told(ann), await told(bob)]).toEqual([pending, pending]);
  const { waiting, awaitingApproval } = await inTenant(test.database, world.tenantId, selectSeats);
  expect([waiting, awaitingApproval], 'who waits for a word has no place in the queue').toEqual([0, 2]);
  await say(bob, true);
  expect([await told(ann), await told(bob)]).toEqual([pending, held]);
  await say(ann, false);
  expect(await told(ann)).toEqual(['none', null, 'APPROVAL_REFUSED', 'view_only']);
  await say(ann, true);
  expect(await told(ann)).toEqual(held);
  await expect(say(ann, true)).rejects.toMatchObject({ code: 'conflict' });
  expect(await world.settle()).toBe(0);
});

it('a refused claim has the fallback role that the contract names now', async () => {
  await map('manual');
  const ann = await join('ann');
  await say(ann, false);
  await world.contract({ paidSeats: 2, fallbackRole: 'comment_only' });
  expect(await told(ann)).toEqual(['none', null, 'APPROVAL_REFUSED', 'comment_only']);
  expect(await world.settle()).toBe(0);
});

it('when_full: a free seat is given at once, and nobody is promoted unasked', async () => {
  await map('when_full');
  const [ann, bob, cid] = [await join('ann'), await join('bob'), await join('cid')];
  expect([await told(ann), await told(bob), await told(cid)]).toEqual([held, held, pending]);
  await world.revise(ann, { active: false });
  expect(await told(cid), 'a seat is free, and somebody must say so').toEqual(pending);
  await say(cid, true);
  expect(await told(cid)).toEqual(held);
});

it('when_full: in a batch it is known at its end for whom a seat is free, in the usual order', async () => {
  await putSettings(test.database, world.door, { ...defaultSettings, settlement: 'cycle' });
  await map('when_full');
  const chiefs = await world.group('Chiefs');
  await world.map({ group: { id: chiefs }, priority: 1, approval: 'when_full' });
  const [ann, bob, cid] = [await join('ann'), await join('bob'), await join('cid')];
  const chief = await world.user('chief@example.com');
  await world.editGroup(chiefs, { add: [chief] });
  const staffs = [ann, bob, cid];
  expect(
    [await told(chief), ...(await Promise.all(staffs.map(told)))].map(([, position]) => position),
  ).toEqual([1, ...[2, 3, 4].map(() => expect.any(Number))]);
  world.pass(4 * 60_000);
  await settleDue(test.database, world.now, 100);
  await settleDue(test.database, world.now, 100);
  expect(await told(chief)).toEqual(held);
  const reasons = (await Promise.all(staffs.map(told))).map(([, , reason]) => reason);
  expect(reasons.toSorted()).toEqual(['AWAITS_APPROVAL', 'AWAITS_APPROVAL', 'SEAT_HELD']);
  expect(await world.settle()).toBe(0);
});

it('when_full: whoever claims while a batch that has ended is served opens no other one', async () => {
  await putSettings(test.database, world.door, { ...defaultSettings, settlement: 'cycle' });
  await map('when_full');
  const early = [await join('ann'), await join('bob'), await join('cid'), await join('dan')];
  world.peoplePerDecision = 2;
  world.pass(4 * 60_000);
  // The process ends before it has served anybody.
  await inTenant(test.database, world.tenantId, async (tx) => {
    const cut = { ...tx, afterCommit: () => {} };
    const { audit } = await decide(cut, world.door, await lockPool(tx), {}, { isSettling: true });
    appendAudit(tx, world.door, audit);
  });
  expect((await readState(world)).pool).toMatchObject({ evaluating: true });
  const late = await join('eve');
  await settleDue(test.database, world.now, 100, world.door);
  const states = (await Promise.all(early.map(told))).map(([state]) => state);
  expect(states.toSorted()).toEqual(['held', 'held', 'queued', 'queued']);
  expect(await told(late), 'behind them').toEqual(pending);
  expect((await readState(world)).pool).toMatchObject({ evaluating: false, batch_opened_at: null });
  await join('fay');
  expect((await readState(world)).pool.batch_opened_at, 'the next is open').toEqual(world.now);
});

it('when_full: of a large edit too, and its trail goes on where it left off', async () => {
  world.peoplePerDecision = 2;
  const people = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => world.user(`${name}@example.com`));
  const ids = await Promise.all(people);
  await world.contract({ paidSeats: 4 });
  await world.editGroup(staff, { add: ids });
  await map('when_full');
  const states = await Promise.all(ids.map(told));
  expect(states.filter(([state, position]) => state === 'queued' && position === null)).toHaveLength(3);
  expect(states.filter(([state]) => state === 'held')).toHaveLength(4);
  await checkLedger(world, await readState(world));
  expect(await world.settle()).toBe(0);
});

it('when_full: no seat is taken from others for a claim, nor notice given, before somebody says so', async () => {
  await putSettings(test.database, world.door, { ...defaultSettings, order: 'strict' });
  await map(null);
  const people = [await join('ann'), await join('bob')];
  const chiefs = await world.group('Chiefs');
  await world.map({ group: { id: chiefs }, priority: 1, mayPreempt: true, approval: 'when_full' });
  const chief = await world.user('chief@example.com');
  await world.editGroup(chiefs, { add: [chief] });
  expect(await told(chief)).toEqual(pending);
  expect(await Promise.all(people.map(told))).toEqual([held, held]);
  expect(await world.settle()).toBe(0);
  await say(chief, true);
  const reasons = (await Promise.all(people.map(told))).map(([, , reason]) => String(reason).split(':')[0]);
  expect(reasons.toSorted()).toEqual(['PREEMPTED_AT', 'SEAT_HELD']);
});

it('an approved claim has the rank of the time it was made', async () => {
  await map('manual');
  const people = [await join('a'), await join('b'), await join('c'), await join('d')];
  for (const id of people.toReversed()) await say(id, true);
  const [a, b, c, d] = people as [UserId, UserId, UserId, UserId];
  expect([await told(d), await told(c)], 'the first that were approved').toEqual([held, held]);
  expect([(await told(a))[1], (await told(b))[1]]).toEqual([1, 2]);
});

it('a word holds for the rule that was asked about, and for as long as it is', async () => {
  const { id, groupId, ...mapping } = await map('manual');
  const ann = await join('ann');
  await say(ann, true);
  await world.editGroup(staff, { remove: [ann] });
  await world.editGroup(staff, { add: [ann] });
  expect(await told(ann), 'asked again by the same rule').toEqual(held);
  const other = await world.group('Other');
  await world.map({ group: { id: other }, priority: 1, role: 'project_administrator', approval: 'manual' });
  await world.editGroup(other, { add: [ann] });
  expect(await told(ann), 'who has a seat keeps it').toEqual([
    'held',
    null,
    'SEAT_HELD',
    'project_administrator',
  ]);
  await replaceMapping(test.database, world.door, id, {
    ...world.mapping({ group: { id: staff }, priority: mapping.priority }),
    approval: 'automatic',
  });
  expect((await told(await join('bob')))[0]).toBe('held');
});

it('asks by role where the mapping says nothing', async () => {
  const approvals = { team_member: 'manual' } as const;
  await putSettings(test.database, world.door, { ...defaultSettings, approvals });
  await map(null);
  const ann = await join('ann');
  expect(await told(ann)).toEqual(pending);
  await putSettings(test.database, world.door, defaultSettings);
  expect(await told(ann)).toEqual(held);
});
