/** Random tenants and random sequences of what may happen to them: people come, move and go, rules and contracts change, time passes. */

import fc from 'fast-check';
import type { GroupId, UserId } from '../../src/kernel/ids.ts';
import type { OveragePolicy } from '../../src/licensing/contract.ts';
import { isSeated } from '../../src/licensing/effect.ts';
import type { SeatOrder, Settlement } from '../../src/licensing/mapping.ts';
import { affectedByTerms, dueBy, namedBy } from '../../src/provisioning/due.ts';
import { contract, groupId, mapping, rules, userId } from './support.ts';
import { decide, type Member, settleDue, type World } from './world.ts';

export const startOfWorlds = new Date('2026-03-10T12:00:00Z');
export const groupCount = 5;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export type Happening =
  | { kind: 'groups'; who: number; groups: number[]; byDirectory: boolean }
  | { kind: 'active'; who: number; active: boolean }
  | { kind: 'address'; who: number; address: number }
  | { kind: 'exclude'; who: number; isExcluded: boolean }
  | { kind: 'pin'; who: number; role: string; hours: number | null; reserved: boolean }
  | { kind: 'unpin'; who: number }
  | { kind: 'roles'; who: number; has: boolean }
  | { kind: 'mapping'; at: number; role: string; subPool: string | null }
  | { kind: 'subPool'; name: string; seats: number; borrowLimit: number | null }
  | { kind: 'noSubPool'; name: string }
  | { kind: 'contract'; seats: number | null; policy: OveragePolicy; fallback: 'view_only' | 'none' }
  | { kind: 'unmanaged'; count: number }
  | { kind: 'time'; hours: number }
  | { kind: 'settle' };

const who = fc.nat({ max: 7 });
const groups = fc.subarray(Array.from({ length: groupCount }, (_, n) => n));
const role = fc.constantFrom('team_member', 'project_administrator', 'custom:Reviewer', 'view_only');
const policy = fc.constantFrom<OveragePolicy>('queue', 'fallback', 'grace', 'allow', 'block');
const seats = fc.option(fc.nat({ max: 5 }), { freq: 9 });
const fallback = fc.constantFrom<'view_only' | 'none'>('view_only', 'none');
const subPoolName = fc.constantFrom<string>('a', 'b');
const share = {
  seats: fc.nat({ max: 3 }),
  borrowLimit: fc.option(fc.nat({ max: 2 }), { freq: 2 }),
};
const kind = <K extends Happening['kind']>(name: K) => fc.constant(name);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: kind('groups'), who, groups, byDirectory: fc.boolean() }),
  },
  // Out of every group at once, as in the first half of a move.
  {
    weight: 3,
    arbitrary: fc.record({
      kind: kind('groups'),
      who,
      groups: fc.constant<number[]>([]),
      byDirectory: fc.constant(true),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: kind('active'), who, active: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('address'), who, address: fc.nat({ max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('exclude'), who, isExcluded: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('pin'),
      ...{ who, role },
      hours: fc.option(fc.constantFrom(1, 30)),
      reserved: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('unpin'), who }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('roles'), who, has: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: kind('mapping'),
      ...{ at: fc.nat({ max: 5 }), role, subPool: fc.option(subPoolName) },
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: kind('subPool'), name: subPoolName, ...share }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('noSubPool'), name: subPoolName }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('contract'), seats, policy, fallback }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('unmanaged'), count: fc.nat({ max: 2 }) }) },
  { weight: 5, arbitrary: fc.record({ kind: kind('time'), hours: fc.constantFrom(0, 0.5, 1, 24, 60) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('settle') }) },
);

const mappingShape = fc.record({
  role,
  workspaces: fc.constantFrom(['w1'], ['w2'], ['w1', 'w2'], ['*']),
  fallbackRole: fc.option(fc.constantFrom<'client' | 'none'>('client', 'none')),
  /** Where it is there. */
  subPool: fc.option(subPoolName, { freq: 3 }),
  /** Days from the start. */
  from: fc.option(fc.integer({ min: -1, max: 2 }), { freq: 3 }),
  days: fc.option(fc.integer({ min: 1, max: 3 }), { freq: 3 }),
});

const shape = fc.record({
  ties: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 2, maxLength: 8 }),
  addresses: fc.array(fc.nat({ max: 9 }), { minLength: 8, maxLength: 8 }),
  mappings: fc.array(mappingShape, { minLength: 2, maxLength: groupCount + 1 }),
  subPools: fc.uniqueArray(fc.record({ name: subPoolName, ...share }), {
    selector: ({ name }) => name,
    maxLength: 2,
  }),
  noticeHours: fc.constantFrom(0, 24),
  ...{ seats, policy, fallback },
  kind: fc.constantFrom<'evaluation' | 'annual'>('annual', 'annual', 'annual', 'evaluation'),
  startsIn: fc.constantFrom(-9, -9, -9, 1),
  days: fc.constantFrom(3, 20, 400),
  graceDays: fc.nat({ max: 2 }),
  holdMinutes: fc.constantFrom(0, 60, 60),
  defaultRole: fc.constantFrom('none', 'none', 'none', 'view_only', 'team_member'),
});

/** @param settlement of the tenant; `order` likewise. */
export function worlds(settlement: readonly Settlement[], order: readonly SeatOrder[]): fc.Arbitrary<World> {
  return fc.tuple(shape, fc.constantFrom(...settlement), fc.constantFrom(...order)).map(worldOf);
}

export function happenings(most: number): fc.Arbitrary<Happening[]> {
  return fc.array(happening, { minLength: 1, maxLength: most });
}

/** What a tenant is at its start. */
export type Shape = typeof shape extends fc.Arbitrary<infer S> ? S : never;

export function worldOf([built, settlement, order]: [Shape, Settlement, SeatOrder]): World {
  const { seats: paidSeats, policy: chosen, kind: contractKind, graceDays, startsIn, days } = built;
  const day = (inDays: number) => inDaysFromStart(inDays).toISOString().slice(0, 10);
  const signed = contract({
    ...{ kind: contractKind, paidSeats, policy: chosen, fallbackRole: built.fallback },
    ...{ startsOn: day(startsIn), endsOn: day(startsIn + days), allowancePercent: 50 },
    ...{ graceDays, evaluationGraceDays: graceDays, decreaseGraceDays: graceDays },
  });
  const mappings = built.mappings.map(({ from, days: lasts, ...rest }, at) =>
    mapping(`g${at}`, at + 1, {
      ...rest,
      subPool: built.subPools.some(({ name }) => name === rest.subPool) ? rest.subPool : null,
      ...(at < groupCount ? {} : { groupId: null, roleValue: 'lead' }),
      validFrom: from === null ? null : inDaysFromStart(from),
      validUntil: lasts === null ? null : inDaysFromStart((from ?? 0) + lasts),
    }),
  );
  const { defaultRole, holdMinutes, noticeHours } = built;
  const chosenRules = { defaultRole, holdMinutes, noticeHours, settlement, order };
  const empty: World = {
    now: startOfWorlds,
    contract: signed,
    rules: rules(mappings, [], chosenRules),
    usage: { held: 0, overage: 0, onHold: 0, unmanagedPaid: 0 },
    subPools: built.subPools.map((one) => ({ ...one, used: 0 })),
    ...{
      batch: null,
      settledAt: startOfWorlds,
      frozen: false,
      limit: 0,
      capacity: 0,
      excessSince: null,
      turns: [],
    },
    members: built.ties.map((tie, at) => memberOf(at, tie, built.addresses[at] ?? at)),
  };
  // As the write of the contract does, and of the default role.
  return { ...decide(empty, { everyone: true }, { isSettled: true }), turns: [] };
}

function inDaysFromStart(days: number): Date {
  return new Date(startOfWorlds.getTime() + days * dayMs);
}

export function memberOf(at: number, tie: string, address: number): Member {
  return {
    ...{ id: userId(`p${at}`), tie, active: true, address: addressOf(address), isExcluded: false },
    ...{
      groups: new Set<GroupId>(),
      roleValues: [],
      claimValues: [],
      defaultRole: null,
      pin: null,
      verdict: null,
      reclaimedAt: null,
      decision: null,
    },
  };
}

function addressOf(n: number): string {
  return `a${n}@example.com`;
}

/** What happens, a second after what happened before, and then what is due. */
export function happen(world: World, event: Happening): World {
  const now = new Date(world.now.getTime() + 1000);
  return settleDue(change({ ...world, now }, event));
}

function change(world: World, event: Happening): World {
  switch (event.kind) {
    case 'mapping':
      return remap(world, event);
    case 'contract': {
      const { seats: paidSeats, policy: chosen, fallback: fallbackRole } = event;
      if (world.contract === undefined) return world;
      const next = { ...world.contract, paidSeats, policy: chosen, fallbackRole };
      const affected = { ...affectedByTerms(world, next, world.now), ...dueBy(world, world.now) };
      return decide({ ...world, contract: next, settledAt: world.now }, affected, { isSettled: true });
    }
    case 'subPool':
      return writeShare(world, event);
    case 'noSubPool':
      return removeShare(world, event.name);
    case 'unmanaged':
      return decide({ ...world, usage: { ...world.usage, unmanagedPaid: event.count } }, {});
    case 'time':
      return { ...world, now: new Date(world.now.getTime() + event.hours * hourMs) };
    case 'settle':
      return world.batch === null ? world : decide(world, {}, { isSettling: true });
    default:
      return changePerson(world, event);
  }
}

/** The mapping is named as an administrator names it, not by its place: a better one may come before it. */
function remap(world: World, { at, role: to, subPool }: Happening & { kind: 'mapping' }): World {
  const old = world.rules.mappings.find(({ id }) => id === `g${at}`);
  if (old === undefined) return world;
  const isThere = world.subPools.some(({ name }) => name === subPool);
  const changed = { ...old, role: to, subPool: isThere ? subPool : null };
  const mappings = world.rules.mappings.map((one) => (one === old ? changed : one));
  return decide({ ...world, rules: { ...world.rules, mappings } }, namedBy([old, changed]));
}

function writeShare(world: World, { name, ...draft }: Happening & { kind: 'subPool' }): World {
  const { seats, borrowLimit } = draft;
  const before = world.subPools.find((one) => one.name === name);
  const others = world.subPools.filter((one) => one !== before);
  const written = { name, seats, borrowLimit, used: before?.used ?? 0 };
  return decide({ ...world, subPools: [...others, written] }, {});
}

/** Not while a mapping names it, or somebody has a place in it. */
function removeShare(world: World, name: string): World {
  const { subPools, members } = world;
  const isNamed = world.rules.mappings.some((one) => one.subPool === name);
  if (isNamed || members.some(({ decision }) => decision?.subPool === name)) return world;
  return decide({ ...world, subPools: subPools.filter((one) => one.name !== name) }, {});
}

type OfPerson = Extract<Happening, { who: number }>;

function changePerson(world: World, event: OfPerson): World {
  const member = world.members[event.who % world.members.length];
  if (member === undefined) return world;
  const next = { ...member, ...personChange(world, member, event) };
  const addresses = [member.address, next.address].filter((address) => address !== null);
  const changed = withMember(world, next);
  const moves = event.kind === 'groups' && event.byDirectory && world.rules.holdMinutes > 0;
  const keepUntil = moves ? new Date(world.now.getTime() + world.rules.holdMinutes * 60_000) : null;
  const reserving = event.kind === 'pin' && event.reserved ? member.id : null;
  const decided = decide(changed, { userIds: [member.id], addresses }, { keepUntil, reserving });
  // A reserved pin is refused where it gets no seat.
  const isRefused = reserving !== null && isWithoutSeat(decided, member.id);
  return isRefused ? world : decided;
}

function isWithoutSeat({ members }: World, id: UserId): boolean {
  const decision = members.find((one) => one.id === id)?.decision;
  return decision?.claim != null && !isSeated(decision.seat);
}

function personChange({ now }: World, { active, pin }: Member, event: OfPerson): Partial<Member> {
  switch (event.kind) {
    case 'groups':
      return { groups: new Set(event.groups.map((n) => groupId(`g${n}`))) };
    case 'active':
      return { active: event.active, pin: !event.active && pin?.reserved === true ? null : pin };
    case 'address':
      return { address: addressOf(event.address) };
    case 'exclude':
      return { isExcluded: event.isExcluded };
    case 'pin': {
      if (!active) return {};
      const until = event.hours === null ? null : new Date(now.getTime() + event.hours * hourMs);
      return { pin: { role: event.role, workspaces: null, until, reserved: event.reserved } };
    }
    case 'unpin':
      return { pin: null };
    case 'roles':
      return { roleValues: event.has ? ['lead'] : [] };
  }
}

export function withMember(world: World, next: Member): World {
  return { ...world, members: world.members.map((one) => (one.id === next.id ? next : one)) };
}
