/**
 * What an edit would decide, for whoever asks before it is made. Nothing is written or locked, and all are looked at, however many
 * they are: one by one, or by an edit of mappings or roles as crowds.
 *
 * By crowds `plan` is asked for one person of each while no seat is given: that is what becomes of whoever has a seat or wants
 * none, and of whoever waits in vain. It is asked again for each whose case is not the common one or who may get a seat, and for
 * as many of the queue as these may leave a seat to. Those of the queue before them are served whatever becomes of the others.
 */

import type { Door } from '../audit/door.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { GroupId, UserId } from '../kernel/ids.ts';
import { roomIn, type Usage } from '../licensing/admit.ts';
import { type Terms, termsAt } from '../licensing/contract.ts';
import { type Decision, isSeated, type OpenBatch } from '../licensing/effect.ts';
import type { Turn } from '../licensing/impact.ts';
import type { Rules } from '../licensing/mapping.ts';
import type { Affected } from './affected.ts';
import { type Crowd, crowdOf, decisionOf, isQuiet, type StoredCrowd, untoldKeys } from './crowd.ts';
import { selectCrowds, selectFirst, selectHead, selectTraits } from './crowd-sql.ts';
import { everybody, foresee } from './decide-flow.ts';
import { factsOf } from './facts-flow.ts';
import { loadCrowd } from './person-store.ts';
import { type Plan, plan } from './plan.ts';
import type { Pool } from './pool.ts';
import type { Prospect } from './prospect.ts';
import type { PersonFacts } from './standing.ts';
import { loadQueueBehind } from './standing-store.ts';

export interface Outlook {
  /** Everybody who is looked at because of the edit itself. */
  crowds: readonly Crowd[];
  /** What differs from what is stored. */
  turns: readonly Turn[];
  usage: Usage;
  terms: Terms;
  batch: OpenBatch | null;
}

type Moment = Pick<Door, 'now'>;

export async function outlookOf(tx: TenantTransaction, door: Moment, prospect: Prospect): Promise<Outlook> {
  const { pool, rulesBefore } = prospect;
  if (rulesBefore !== undefined && isQuiet(pool, door.now))
    return await byCrowds(tx, door, prospect, rulesBefore);
  const { persons, plan: planned } = await foresee(tx, door, prospect);
  return { ...planned, crowds: persons.map(alone), turns: turnsOf(planned) };
}

function alone(person: PersonFacts): Crowd {
  return { person, people: [person.id] };
}

function turnsOf({ changes }: Plan): Turn[] {
  return changes.map(({ userId, before, after }) => ({ people: [userId], before, after }));
}

async function byCrowds(
  tx: TenantTransaction,
  { now }: Moment,
  { pool, affected, ofHolders = false }: Prospect,
  rulesBefore: Rules,
): Promise<Outlook> {
  const groupIds = [...pool.rules.mappings, ...rulesBefore.mappings].flatMap(({ groupId }) => groupId ?? []);
  const view: View = { rulesBefore, mappedGroups: [...new Set(groupIds)], ofHolders, now };
  const { crowds, others } = await loadCrowds(tx, pool, affected, view);
  const fates = fatesOf(pool, crowds, now);
  const terms = termsAt(pool.contract, now);
  const usage = { ...pool.usage, held: pool.usage.held - releasedBy(fates) };
  // Whoever has no seat is nothing to one who asks about holders.
  const isGiving = terms.grants && !ofHolders;
  const room = isGiving ? roomIn(terms, usage).held : 0;
  const contenders = isGiving ? await contendersAmong(tx, fates, room + others.length, now) : [];
  const singles = [...others, ...contenders];
  const served = Math.min(everybody, Math.max(0, room - singles.length));
  const behind = isGiving ? Math.min(everybody, room - served + singles.length) : 0;
  const except = [
    ...others,
    ...fates.flatMap(({ person, people }) => (isWaiting(person.decision) ? people : [])),
  ];
  const [head, queue, persons] = await Promise.all([
    selectHead(tx, served, except),
    loadQueueBehind(tx, behind, { skipped: served, except }),
    loadSingles(tx, singles, view),
  ]);
  const left = { ...pool, usage: { ...usage, held: usage.held + countOf(head) } };
  const planned = plan(factsOf(left, { persons, queue, overage: [], evaluating: ofHolders }), now);
  const remaining = without(fates, new Set(contenders));
  return {
    crowds: [...remaining, ...persons.map(alone)],
    turns: [
      ...remaining.flatMap(turnOf),
      ...head.map((one) => servedTurn(one, terms, now)),
      ...turnsOf(planned),
    ],
    usage: planned.usage,
    terms,
    batch: planned.batch,
  };
}

/** By what people are read. */
interface View {
  rulesBefore: Rules;
  /** Also of the mappings that go. */
  mappedGroups: readonly GroupId[];
  ofHolders: boolean;
  now: Date;
}

/** `others`: who is looked at one by one. */
async function loadCrowds(
  tx: TenantTransaction,
  { rules, contract }: Pool,
  affected: Affected,
  { rulesBefore, mappedGroups, ofHolders, now }: View,
): Promise<{ crowds: Crowd[]; others: UserId[] }> {
  const untold = untoldKeys(rulesBefore.mappings, rules.mappings, now);
  const { crowds: stored, others } = await selectCrowds(tx, affected, { untold, ofHolders });
  const firsts = stored.map(({ people }) => people[0]);
  const traits = await selectTraits(tx, firsts, mappedGroups);
  const grounds = { before: rulesBefore, terms: termsAt(contract, now), now };
  const crowds: Crowd[] = [];
  const strangers: StoredCrowd[] = [];
  for (const one of stored) {
    const known = traits.get(one.people[0]);
    const crowd = known && crowdOf(one, known, grounds);
    if (crowd === undefined) strangers.push(one);
    else crowds.push(crowd);
  }
  return { crowds, others: [...others, ...strangers.flatMap(({ people }) => people)] };
}

async function loadSingles(
  tx: TenantTransaction,
  userIds: readonly UserId[],
  { mappedGroups, ofHolders }: View,
): Promise<PersonFacts[]> {
  return userIds.length === 0 ? [] : await loadCrowd(tx, { userIds }, { mappedGroups, ofHolders });
}

interface Fate extends Crowd {
  /** While no seat is given. */
  after: Decision | null;
}

function fatesOf(pool: Pool, crowds: readonly Crowd[], now: Date): Fate[] {
  const persons = crowds.map(({ person }) => person);
  const { changes } = plan(factsOf(pool, { persons, queue: [], overage: [], evaluating: true }), now);
  const changed = new Map(changes.map(({ userId, after }) => [userId, after]));
  return crowds.map((crowd) => {
    const after = changed.get(crowd.person.id);
    return { ...crowd, after: after === undefined ? crowd.person.decision : after };
  });
}

function releasedBy(fates: readonly Fate[]): number {
  const released = fates.filter(
    ({ person: { decision }, after }) =>
      isSeated(decision?.seat ?? 'none') && !isSeated(after?.seat ?? 'none'),
  );
  return countOf(released);
}

function countOf(crowds: readonly Pick<Crowd, 'people'>[]): number {
  return crowds.reduce((sum, { people }) => sum + people.length, 0);
}

/**
 * Whoever may get a seat of so many: who wants one and has none, the first in the order of their claims; and everybody whose claim
 * waits for somebody's word.
 */
async function contendersAmong(
  tx: TenantTransaction,
  fates: readonly Fate[],
  seats: number,
  now: Date,
): Promise<UserId[]> {
  const waiting = fates.filter(({ after }) => isWaiting(after));
  const [asked, claiming] = [
    waiting.filter(({ after }) => after?.approval !== null),
    waiting.filter(({ after }) => after?.approval === null),
  ];
  const claims = claiming.map(({ people, after }) => ({ people, priority: after?.claim?.priority ?? 0 }));
  const first =
    countOf(claiming) <= seats
      ? claiming.flatMap(({ people }) => people)
      : await selectFirst(tx, claims, seats, now);
  return [...asked.flatMap(({ people }) => people), ...first];
}

function isWaiting(decision: Decision | null): boolean {
  return decision?.seat === 'waiting';
}

function without(fates: readonly Fate[], gone: ReadonlySet<UserId>): Fate[] {
  if (gone.size === 0) return [...fates];
  return fates.flatMap((fate) => {
    const people = fate.people.filter((id) => !gone.has(id));
    return people.length === 0 ? [] : [{ ...fate, people }];
  });
}

function turnOf({ person: { decision: before }, people, after }: Fate): Turn[] {
  return after === before ? [] : [{ people, before, after }];
}

function servedTurn(stored: StoredCrowd, terms: Terms, now: Date): Turn {
  const before = decisionOf(stored, terms, now);
  return { people: stored.people, before, after: decisionOf({ ...stored, seat: 'held' }, terms, now) };
}
