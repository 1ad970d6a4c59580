/** What a change of decisions means to people: who gets something, who loses something, who begins to wait. Pure. */

import type { UserId } from '../kernel/ids.ts';
import type { OveragePolicy } from './contract.ts';
import {
  type Decision,
  type EffectiveRole,
  isEnding,
  isSeated,
  type SeatView,
  type Telling,
  waitingStates,
} from './effect.ts';

/** What a person has, as it is told. */
export interface Told {
  roles: readonly EffectiveRole[];
  seat: SeatView['state'];
}

/** What brings the seat of somebody who wants one and has none: the end of the open batch, a seat that is free, or somebody's word. */
export type WaitsFor = 'batch' | 'seat' | 'approval';

export interface ToldWaiting extends Told {
  /** null: for nothing. It is told under every policy. */
  waitsFor: WaitsFor | null;
}

export interface PersonImpact {
  id: UserId;
  before: ToldWaiting;
  after: ToldWaiting;
}

/** How many people, and a page of them. */
export interface Impact {
  /** People who get a seat they had not; and, their seat as it was, who have a role in more workspaces and in none less. */
  gained: number;
  /** People who lose the seat they had; and, their seat as it was, who have a role in fewer workspaces and in none more. */
  lost: number;
  /** Everybody else for whom something is different. */
  changed: number;
  /** Of all of these, people who begin to wait for a seat; and whoever waited for the end of the batch, and waits on after it. */
  queued: number;
  /** In the order of their ids. */
  people: PersonImpact[];
}

/** Of people who are told the same: of several everything but times is one. */
export interface Turn {
  people: readonly UserId[];
  before: Decision | null;
  after: Decision | null;
}

/** People who wait, as they are stored. */
export interface Waiting {
  people: readonly UserId[];
  decision: Shown;
}

/** What of a decision a person is told. */
type Shown = Pick<Decision, 'effective' | 'seat' | 'approval' | 'isUnasked'>;

/** Before and after: the policy names the state of those who wait, and an open batch is what they wait for. */
export interface Tellings {
  before: Pick<Telling, 'policy' | 'batch'>;
  after: Pick<Telling, 'policy' | 'batch'>;
}

/** What becomes of people for whom something is different. */
export interface Outcome {
  people: readonly UserId[];
  before: ToldWaiting;
  after: ToldWaiting;
  /** null: they wait on, for something else. */
  kind: 'gained' | 'lost' | 'changed' | null;
  isQueued: boolean;
}

/** Of the people in the order of their ids. */
export interface PeoplePage {
  after: string;
  limit: number;
}

export function outcomesOf(turns: readonly Turn[], tellings: Tellings): Outcome[] {
  return turns.flatMap(({ people, before, after }) => {
    const told = toldBy(before, after, tellings);
    if (areSame(told.before, told.after)) return [];
    const isQueued = after?.seat === 'waiting' && before?.seat !== 'waiting';
    return [{ people, ...told, kind: kindOf(before, after), isQueued }];
  });
}

/** Of those who wait whoever has no other outcome waits on, also after the end of the batch. */
export function waitingOn(
  waiting: readonly Waiting[],
  others: readonly Outcome[],
  tellings: Tellings,
): Outcome[] {
  const known = new Set(others.flatMap(({ people }) => people));
  return waiting.flatMap(({ people, decision }) => {
    const left = people.filter((id) => !known.has(id));
    const told = toldBy(decision, decision, tellings);
    return left.length === 0 ? [] : [{ people: left, ...told, kind: null, isQueued: true }];
  });
}

export function impactOf(outcomes: readonly Outcome[], page: PeoplePage): Impact {
  const impact: Impact = { gained: 0, lost: 0, changed: 0, queued: 0, people: [] };
  const first = new FirstPeople(page);
  for (const { people, before, after, kind, isQueued } of outcomes) {
    if (kind !== null) impact[kind] += people.length;
    if (isQueued) impact.queued += people.length;
    for (const id of people) first.offer(id, { before, after });
  }
  return { ...impact, people: first.people };
}

/** How many more people would want a seat. */
export function neededBy(turns: readonly Turn[]): number {
  return turns.reduce(
    (sum, { people, before, after }) =>
      sum + people.length * (Number(wantsSeat(after)) - Number(wantsSeat(before))),
    0,
  );
}

/** The first of them in the order of their ids: of tens of thousands a page is looked for, and not all of them are sorted. */
class FirstPeople {
  readonly #page: PeoplePage;
  #known: PersonImpact[] = [];
  /** Whoever comes behind is not among the first; null: not known yet. */
  #last: string | null = null;

  constructor(page: PeoplePage) {
    this.#page = page;
  }

  offer(id: UserId, told: Omit<PersonImpact, 'id'>): void {
    const { after, limit } = this.#page;
    if (id <= after || (this.#last !== null && id > this.#last)) return;
    this.#known.push({ id, ...told });
    if (this.#known.length < 2 * limit + 100) return;
    this.#known = this.people;
    this.#last = this.#known.at(-1)?.id ?? null;
  }

  get people(): PersonImpact[] {
    return this.#known.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, this.#page.limit);
  }
}

function wantsSeat(decision: Decision | null): boolean {
  return decision?.claim != null;
}

function toldBy(before: Shown | null, after: Shown | null, tellings: Tellings) {
  return { before: toldWaiting(before, tellings.before), after: toldWaiting(after, tellings.after) };
}

function toldWaiting(decision: Shown | null, { policy, batch }: Tellings['before']): ToldWaiting {
  return { ...toldOf(decision, policy), waitsFor: decision === null ? null : waitsForOf(decision, batch) };
}

/** Once a batch has ended, somebody is asked for whoever is `unasked` and got no seat. */
function waitsForOf({ seat, approval, isUnasked }: Shown, batch: Telling['batch']): WaitsFor | null {
  if (seat !== 'waiting') return null;
  if (approval === 'pending') return 'approval';
  if (batch !== null && !isEnding(batch)) return 'batch';
  return isUnasked ? 'approval' : 'seat';
}

export function toldOf(decision: Pick<Decision, 'effective' | 'seat'> | null, policy: OveragePolicy): Told {
  if (decision === null) return { roles: [], seat: 'none' };
  const { effective: roles, seat } = decision;
  return { roles, seat: seat === 'waiting' ? waitingStates[policy] : seat };
}

/** By which mapping a role came is no difference to the person. */
export function areSame(a: Told, b: Told): boolean {
  if (a.seat !== b.seat || a.roles.length !== b.roles.length) return false;
  const roles = new Map(a.roles.map(({ workspace, role }) => [workspace, role]));
  return b.roles.every(({ workspace, role }) => roles.get(workspace) === role);
}

function kindOf(before: Decision | null, after: Decision | null): 'gained' | 'lost' | 'changed' {
  const [had, has] = [before, after].map((one) => one !== null && isSeated(one.seat));
  if (had !== has) return has ? 'gained' : 'lost';
  const [was, is] = [workspacesOf(before), workspacesOf(after)];
  if (was.size < is.size && was.isSubsetOf(is)) return 'gained';
  return is.size < was.size && is.isSubsetOf(was) ? 'lost' : 'changed';
}

function workspacesOf(decision: Decision | null): Set<string> {
  return new Set((decision?.effective ?? []).map(({ workspace }) => workspace));
}
