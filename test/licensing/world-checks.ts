/** What holds of every plan and of every state of a tenant in memory; each check is named for the invariant it states. */

import { expect } from 'vitest';
import { compareClaims, roomIn } from '../../src/licensing/admit.ts';
import { firstCatalogue } from '../../src/licensing/catalogue.ts';
import { termsAt } from '../../src/licensing/contract.ts';
import { desire, matching } from '../../src/licensing/desire.ts';
import { type Decision, effect, isSeated, seatView } from '../../src/licensing/effect.ts';
import { isOverageSpent, limitOf } from '../../src/licensing/overage.ts';
import { groupId, mapping } from './support.ts';
import {
  claimOf,
  compareInOrder,
  decide,
  isDue,
  type Member,
  personOf,
  ranked,
  snapshot,
  type Turn,
  type World,
} from './world.ts';
import { arrived, claimedBack, sharesOf } from './world-shares.ts';

/** Of one plan: who got a seat, who lost one, whose place was kept. */
export function checkTurn(turn: Turn): void {
  checkLimit(turn);
  checkReleases(turn);
  checkHolders(turn);
  checkOrder(turn);
  checkMoves(turn);
  checkRecompute(turn);
}

function usedOf({ usage: { held, overage, onHold } }: World): number {
  return held + overage + onHold;
}

function checkLimit({ before, after }: Turn): void {
  const terms = termsAt(after.contract, after.now);
  const limit = limitOf(terms);
  if (limit === null || terms.capacity === null) return;
  if (usedOf(after) > limit)
    expect(usedOf(after), 'I1 above the limit what is used only falls').toBeLessThanOrEqual(usedOf(before));
  if (after.usage.held > terms.capacity)
    expect(after.usage.held, 'I1 above the capacity no seat in it is given').toBeLessThanOrEqual(
      before.usage.held + before.usage.onHold,
    );
}

function checkReleases({ after }: Turn): void {
  const asking = after.members.filter(
    (one) => (!one.active || one.isExcluded) && one.decision !== null && one.decision.seat !== 'none',
  );
  expect(asking, 'I2 the inactive hold nothing').toEqual([]);
}

/** Those who lost a seat that they still ask for, and not by a rule that says so. */
function checkHolders({ before, after, facts }: Turn): void {
  const displaced = new Set(facts.displaced.map(({ id }) => id));
  const lost = before.members.filter((one, at) => {
    const now = after.members[at]?.decision ?? null;
    if (one.decision === null || !isSeated(one.decision.seat) || now === null || now.claim === null)
      return false;
    return !isSeated(now.seat) && !displaced.has(one.id) && !isSpent(now, after);
  });
  const taken = lost.filter((one) => isTold(one, after));
  const within = arrived(before, after).filter((one) => isWithinShare(one, after));
  expect(taken.length, 'I12 a share takes back as many seats as its claims get').toBeLessThanOrEqual(
    within.length,
  );
  expect(
    lost.filter((one) => !taken.includes(one)).map(({ id }) => id),
    'I12 no holder loses to an arrival (and I13: to nobody of lower priority)',
  ).toEqual([]);
}

/** That the seat goes back to the share that lent it, and the notice is over. */
function isTold({ decision }: Member, { rules, subPools, now }: World): boolean {
  const until = decision?.noticeUntil ?? null;
  return subPools.length > 0 && (rules.noticeHours === 0 || (until !== null && until <= now));
}

function isWithinShare({ decision }: Member, world: World): boolean {
  return sharesOf(world).some(({ name, used, seats }) => name === decision?.subPool && used <= seats);
}

function isSpent(decision: Decision | null, { contract, now }: World): boolean {
  return isOverageSpent(termsAt(contract, now), decision?.overageSince ?? null, now);
}

/** Seats that become free go to exactly the first of those who may have them. */
function checkOrder({ before, after }: Turn): void {
  const compare = compareInOrder(after.rules.order);
  const granted = after.members.filter(
    (one, at) =>
      !isReserved(one, after.now) &&
      one.decision !== null &&
      isSeated(one.decision.seat) &&
      isWaiter(before.members[at]),
  );
  for (const one of granted) {
    const isAbove = one.decision?.seat === 'overage';
    const overtaken = ranked(after, 'waiting').filter(
      (other) =>
        other.decision?.subPool === one.decision?.subPool &&
        !(isAbove && isSpent(other.decision, after)) &&
        compare(claimOf(other), claimOf(one)) < 0,
    );
    expect(
      overtaken.map(({ id }) => id),
      'I15 seats go to the head of the queue',
    ).toEqual([]);
  }
  if (after.batch !== null)
    expect(
      granted.map(({ id }) => id),
      'I7 in an open batch nobody gets a seat',
    ).toEqual([]);
}

function isReserved({ pin }: Member, now: Date): boolean {
  return pin?.reserved === true && (pin.until === null || now < pin.until);
}

function isWaiter(one: Member | undefined): boolean {
  return one?.decision == null || (!isSeated(one.decision.seat) && one.decision.seat !== 'hold');
}

function checkMoves({ before, after, facts }: Turn): void {
  const keepUntil = new Map(facts.persons.map((person) => [person.id, person.keepUntil]));
  for (const [at, one] of before.members.entries()) {
    const [was, is] = [one.decision, after.members[at]?.decision ?? null];
    if (was?.kept != null && is?.claim != null && after.now < was.kept.until) {
      if (was.seat === 'hold')
        expect(isSeated(is.seat), 'I17 who comes back in time has the seat').toBe(true);
      expect(is.claim.claimedAt, 'I17 who comes back in time has the rank').toEqual(was.kept.claimedAt);
    }
    const next = after.members[at];
    if (keepUntil.get(one.id) == null || was?.claim == null || next === undefined) continue;
    if (!isGoneFor(after, next)) continue;
    expect(is?.kept?.claimedAt, 'I17 the rank of who moves is kept').toEqual(was.claim.claimedAt);
    expect(is?.seat, 'I17 the place of who moves is kept').toBe(isSeated(was.seat) ? 'hold' : 'none');
  }
}

/** The last membership that asks for a paid role is gone, and nothing else speaks against a kept place. */
function isGoneFor(world: World, one: Member): boolean {
  const person = personOf(world, one, null);
  if (!person.active || person.isExcluded || person.isDuplicate) return false;
  const isPaid = matching(person, world.rules, world.now).some(
    ({ role }) => firstCatalogue.roleOf(role).billing === 'paid',
  );
  return !isPaid && desire(person, world.rules, world.now).priority === null;
}

/** Deciding for everybody gives what deciding for those affected gave. */
function checkRecompute({ before, facts, after }: Turn): void {
  const isSameBatch = facts.persons.length > 0 || before.rules.settlement === 'immediate';
  if (!isSameBatch || facts.displaced.length + facts.lowered.length > 0 || isDue(after)) return;
  const keeping = facts.persons[0]?.keepUntil ?? null;
  const { isSettling, reserving } = facts;
  const full = decide(before, { everyone: true }, { keepUntil: keeping, isSettling, reserving });
  expect(snapshot(full), 'I10 incremental is what a full recompute gives').toEqual(snapshot(after));
  expect([full.usage, full.subPools], 'I10 and it counts the same').toEqual([after.usage, after.subPools]);
}

/** Of a state in which nothing is due. */
export function checkWorld(world: World): void {
  checkCounts(world);
  checkIdle(world);
  checkShares(world);
  checkExplained(world);
  checkQueue(world);
  const again = decide(world, { everyone: true });
  expect(again.turns.at(-1)?.planned.changes, 'I6 deciding again changes nothing').toEqual([]);
  expect([again.usage, again.batch], 'I6 nor is anything counted anew').toEqual([world.usage, world.batch]);
  const noise = decide(withNoise(world), { everyone: true });
  expect(
    noise.turns.at(-1)?.planned.changes,
    'I11 unmapped groups, expired and awaiting mappings do not matter',
  ).toEqual([]);
}

function withNoise(world: World): World {
  const past = { validUntil: new Date(world.now.getTime()), validFrom: null };
  const noise = [
    mapping('g0-over', 0.5, { groupId: groupId('g0'), role: 'project_administrator', ...past }),
    mapping('awaiting', 0.25, { groupId: null, role: 'project_administrator' }),
  ];
  return {
    ...world,
    rules: { ...world.rules, mappings: [...noise, ...world.rules.mappings] },
    members: world.members.map((one) => ({ ...one, groups: new Set([...one.groups, groupId('unmapped')]) })),
  };
}

function checkCounts(world: World): void {
  const { members, usage, subPools } = world;
  const count = (seat: Decision['seat']) => members.filter(({ decision }) => decision?.seat === seat).length;
  expect(usage, 'I1 what is counted is what is there').toMatchObject({
    held: count('held'),
    overage: count('overage'),
    onHold: count('hold'),
  });
  const counted = sharesOf(world).filter(({ name }) => name !== null);
  expect(
    subPools.map(({ used }) => used),
    'I1 sub-pools count their seats',
  ).toEqual(counted.map(({ used }) => used));
  const seated = members.filter(({ decision }) => decision !== null && isSeated(decision.seat));
  const addresses = seated.map(({ id, address }) => address ?? id);
  expect(new Set(addresses).size, 'I3 one seat a person').toBe(addresses.length);
  for (const { decision } of members) {
    if (decision === null) continue;
    const hasPaid = (roles: readonly { role: string }[]) =>
      roles.some(({ role }) => firstCatalogue.roleOf(role).billing === 'paid');
    if (isSeated(decision.seat)) expect(hasPaid(decision.requested), 'I4 free roles use no seat').toBe(true);
    else expect(hasPaid(decision.effective), 'I4 no paid role without a seat').toBe(false);
  }
}

function checkIdle(world: World): void {
  const terms = termsAt(world.contract, world.now);
  if (!terms.grants || world.batch !== null) return;
  const room = roomIn(terms, world.usage);
  const full = new Set(sharesOf(world).flatMap(({ name, used, limit }) => (used < limit ? [] : [name])));
  const waiting = ranked(world, 'waiting').filter(({ decision }) => !full.has(decision?.subPool ?? null));
  expect(
    Math.min(room.held, waiting.length + world.usage.overage),
    'I14 no idle seat while somebody waits',
  ).toBe(0);
  const unspent = waiting.filter(({ decision }) => !isSpent(decision, world));
  expect(Math.min(room.overage, unspent.length), 'I14 nor one above the capacity').toBe(0);
}

/** What shares lent is going back to whoever claims it: as many holders have notice as seats are claimed back. */
function checkShares(world: World): void {
  const { members, batch, contract, now } = world;
  const isAnySpent = ranked(world, 'waiting').some(({ decision }) => isSpent(decision, world));
  if (!termsAt(contract, now).grants || batch !== null || isAnySpent) return;
  const told = members.filter(({ decision }) => decision?.noticeUntil != null);
  expect(told.length, 'I12 whoever loses a borrowed seat is told before').toBe(claimedBack(world));
}

/** What is stored follows from the facts and the seat alone, and tells one reason. */
function checkExplained(world: World): void {
  const terms = termsAt(world.contract, world.now);
  for (const member of world.members) {
    const { decision } = member;
    const wish = desire(personOf(world, member, null), world.rules, world.now);
    expect(decision?.requested ?? [], 'I19 what is asked for follows from the facts').toEqual(wish.requested);
    if (decision === null) continue;
    expect(decision.effective, 'I19 roles follow from the wish and the seat').toEqual(
      effect(wish, decision.seat, terms),
    );
    const workspaces = decision.effective.map(({ workspace }) => workspace);
    expect(new Set(workspaces).size, 'I19 one winner a workspace').toBe(workspaces.length);
    const { reason } = seatView(decision, 1, {
      ...terms,
      batch: world.batch,
      share: null,
      excessUntil: null,
      isStaged: false,
    });
    const isTold = decision.seat !== 'none' || decision.refusal !== null;
    expect(reason !== null, 'I19 one reason, where there is anything to tell').toBe(isTold);
  }
}

function checkQueue(world: World): void {
  const queue = ranked(world, 'waiting').map(claimOf);
  const compare = compareClaims(world.rules.order);
  const isTotal = queue.every((one, at) => queue.slice(at + 1).every((other) => compare(one, other) < 0));
  expect(isTotal, 'I20 positions are 1..n: no two claims share one').toBe(true);
}
