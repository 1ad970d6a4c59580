/**
 * A tenant in memory: people, rules, a contract and what was decided, changed by the pure functions alone as the flows change
 * the tables. It keeps every plan it made, so that a test can look at each of them.
 */

import type { UserId } from '../../src/kernel/ids.ts';
import type { Claim, Usage } from '../../src/licensing/admit.ts';
import { type Contract, nextChange, termsAt } from '../../src/licensing/contract.ts';
import type { Person } from '../../src/licensing/desire.ts';
import { type Decision, isSeated, type OpenBatch, type Seat } from '../../src/licensing/effect.ts';
import { type Excess, excessOf, excessSinceOf, noExcess } from '../../src/licensing/excess.ts';
import { nextValidity, type Rules, type SeatOrder } from '../../src/licensing/mapping.ts';
import { excessUntil, limitOf } from '../../src/licensing/overage.ts';
import type { SubPool } from '../../src/licensing/sub-pool.ts';
import type { Affected } from '../../src/provisioning/affected.ts';
import { affectedByTerms, dueBy } from '../../src/provisioning/due.ts';
import { boundless, type Facts, type Plan, plan } from '../../src/provisioning/plan.ts';
import type { PersonFacts, Standing } from '../../src/provisioning/standing.ts';
import { borrowersOf } from './world-shares.ts';

export interface Member extends Omit<Person, 'isDuplicate'> {
  tie: string;
  decision: Decision | null;
}

export interface World {
  now: Date;
  contract: Contract | undefined;
  rules: Rules;
  usage: Usage;
  subPools: readonly SubPool[];
  batch: OpenBatch | null;
  /** Of two with one address the first has it. */
  members: readonly Member[];
  settledAt: Date;
  frozen: boolean;
  limit: number | null;
  capacity: number | null;
  excessSince: Date | null;
  /** Every plan so far, the newest last. */
  turns: readonly Turn[];
}

/** One plan, with what it was made from and what it left. */
export interface Turn {
  before: World;
  after: World;
  facts: Facts;
  planned: Plan;
}

export interface Circumstances {
  keepUntil?: Date | null;
  isSettling?: boolean;
  reserving?: UserId | null;
  isSettled?: boolean;
  excess?: Excess;
}

/** Decides for those affected, and writes what was decided. */
export function decide(world: World, affected: Affected, circumstances: Circumstances = {}): World {
  const facts = factsOf(world, affected, circumstances);
  const planned = plan(facts, world.now);
  const after = written(world, planned, circumstances.isSettled ?? false);
  return { ...after, turns: [...world.turns, { before: world, after, facts, planned }] };
}

export function factsOf(world: World, affected: Affected, circumstances: Circumstances = {}): Facts {
  const { keepUntil = null, isSettling = false, reserving = null, excess = noExcess } = circumstances;
  const persons = world.members.filter((one) => isAffected(one, affected));
  const others = world.members.filter((one) => !persons.includes(one));
  const goingFirst = others.filter(hasSeat).sort(compareExcess(borrowersOf(world)));
  const displaced = goingFirst.slice(0, excess.lost);
  const lowered = goingFirst.filter((one) => one.decision?.seat === 'held').slice(0, excess.lowered);
  const turned = new Set([...displaced, ...lowered]);
  const standing = (seat: Seat) =>
    others
      .filter((one) => one.decision?.seat === seat && !turned.has(one))
      .sort((a, b) => compareInOrder(world.rules.order)(claimOf(a), claimOf(b)))
      .flatMap(standingOf);
  return {
    ...world,
    evaluating: false,
    persons: persons.map((one) => personOf(world, one, keepUntil)),
    queue: standing('waiting'),
    overage: standing('overage'),
    displaced: displaced.flatMap(standingOf),
    lowered: lowered.flatMap(standingOf),
    ...boundless,
    preemptors: [],
    victims: world.subPools.length === 0 ? [] : [...standing('held'), ...standing('overage')],
    ...{ isSettling, isAsking: false, reserving },
  };
}

function isAffected(one: Member, affected: Affected): boolean {
  const { id, address, groups, roleValues, decision } = one;
  const { userIds = [], addresses = [], groupIds = [], seats = [], endedBy } = affected;
  return (
    affected.everyone === true ||
    userIds.includes(id) ||
    (address !== null && addresses.includes(address)) ||
    groupIds.some((group) => groups.has(group)) ||
    roleValues.some((value) => affected.roleValues?.includes(value) ?? false) ||
    (decision !== null && (seats as readonly Seat[]).includes(decision.seat)) ||
    (endedBy !== undefined && decision?.endsAt != null && decision.endsAt <= endedBy)
  );
}

export function personOf(world: World, one: Member, keepUntil: Date | null): PersonFacts {
  const earlier = world.members.slice(0, world.members.indexOf(one));
  const isSecond = earlier.some(({ active, address }) => active && address === one.address);
  return {
    ...one,
    isDuplicate: one.active && one.address !== null && isSecond,
    isPaidInBlue: false,
    keepUntil,
    seenAt: null,
  };
}

function standingOf({ id, tie, decision, pin }: Member): Standing[] {
  return decision === null ? [] : [{ id, tie, decision, until: pin?.until ?? null, seenAt: null }];
}

function hasSeat({ decision }: Member): boolean {
  return decision !== null && isSeated(decision.seat);
}

export function claimOf({ id: userId, tie, decision }: Member): Claim {
  return {
    ...{ userId, tie, isReserved: false, isPending: false, subPool: decision?.subPool ?? null },
    priority: decision?.claim?.priority ?? 0,
    claimedAt: decision?.claim?.claimedAt ?? new Date(0),
    isOverageSpent: false,
  };
}

/** The order in which claims are served, said once more: the priority, the time (`sticky`), the tie-break, the id. */
export function compareInOrder(order: SeatOrder) {
  return (a: Claim, b: Claim): number => {
    if (a.priority !== b.priority) return a.priority < b.priority ? -1 : 1;
    const [early, late] = [a.claimedAt.getTime(), b.claimedAt.getTime()];
    if (order === 'sticky' && early !== late) return early < late ? -1 : 1;
    if (a.tie !== b.tie) return a.tie < b.tie ? -1 : 1;
    return a.userId < b.userId ? -1 : 1;
  };
}

/** Borrowed first, then above the capacity, pins last, then the lowest priority, the latest claim, and the tie-break. */
function compareExcess(borrowers: ReadonlySet<UserId>) {
  return (one: Member, other: Member): number =>
    Number(borrowers.has(other.id)) - Number(borrowers.has(one.id)) || compareExcessSeat(one, other);
}

function compareExcessSeat(one: Member, other: Member): number {
  const [a, b] = [claimOf(one), claimOf(other)];
  return (
    Number(one.decision?.seat === 'held') - Number(other.decision?.seat === 'held') ||
    Number(a.priority === 0) - Number(b.priority === 0) ||
    b.priority - a.priority ||
    b.claimedAt.getTime() - a.claimedAt.getTime() ||
    (a.tie === b.tie ? Number(a.userId < b.userId) - 0.5 : Number(a.tie < b.tie) - 0.5)
  );
}

function written(world: World, { changes, usage, subPools, batch, terms }: Plan, isSettled: boolean): World {
  const decided = new Map(changes.map(({ userId, after }) => [userId, after]));
  const limit = limitOf(terms);
  return {
    ...world,
    ...{ usage, subPools, batch, limit, capacity: terms.capacity },
    members: world.members.map((one) => ({ ...one, decision: known(decided, one) })),
    settledAt: isSettled ? world.now : world.settledAt,
    frozen: isSettled ? terms.phase === 'frozen' : world.frozen,
    excessSince: excessSinceOf(world, terms, usage, world.now),
  };
}

function known(decided: ReadonlyMap<UserId, Decision | null>, { id, decision }: Member): Decision | null {
  return decided.has(id) ? (decided.get(id) ?? null) : decision;
}

/** What time alone brings about, as the gateway looks once a second. */
export function settleDue(world: World): World {
  let settled = world;
  for (let look = 0; isDue(settled); look += 1) {
    if (look > world.members.length + 5) throw new Error('what is due is never done');
    const { contract, now, batch } = settled;
    const affected = { ...affectedByTerms(settled, contract, now), ...dueBy(settled, now) };
    const isSettling = batch?.settlesAt != null && batch.settlesAt <= now;
    const excess = settled.settledAt < now ? noExcess : excessAt(settled);
    settled = decide(settled, affected, { isSettling, isSettled: true, excess });
  }
  return settled;
}

export function isDue(world: World): boolean {
  const { contract, rules, batch, settledAt, members, now } = world;
  const { lost, lowered } = excessOf(termsAt(contract, now), world.usage);
  const due = [
    nextChange(contract, settledAt),
    nextValidity(rules.mappings, settledAt),
    batch?.settlesAt,
    lost + lowered === 0 ? null : excessEnd(world),
    ...members.map(({ decision }) => decision?.endsAt),
  ];
  return due.some((at) => at != null && at <= now);
}

function excessEnd({ contract, excessSince, now }: World): Date | null {
  return excessSince === null ? null : excessUntil(termsAt(contract, now), excessSince);
}

function excessAt(world: World): Excess {
  const end = excessEnd(world);
  if (end === null || world.now < end) return noExcess;
  return excessOf(termsAt(world.contract, world.now), world.usage);
}

/** Everybody with this seat, in the order in which seats are given. */
export function ranked({ members, rules }: Pick<World, 'members' | 'rules'>, ...seats: Seat[]): Member[] {
  const compare = compareInOrder(rules.order);
  return members
    .filter(({ decision }) => decision !== null && seats.includes(decision.seat))
    .sort((a, b) => compare(claimOf(a), claimOf(b)));
}

export function snapshot({ members }: World): [UserId, Decision | null][] {
  return members.map(({ id, decision }) => [id, decision]);
}
