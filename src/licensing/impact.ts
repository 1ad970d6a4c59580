/** What a change of decisions means to people: who gets something, who loses something, who begins to wait. Pure. */

import type { UserId } from '../kernel/ids.ts';
import type { OveragePolicy } from './contract.ts';
import { type Decision, type EffectiveRole, isSeated, type SeatView, waitingStates } from './effect.ts';

/** What a person has, as it is told. */
export interface Told {
  roles: readonly EffectiveRole[];
  seat: SeatView['state'];
}

export interface PersonImpact {
  id: UserId;
  before: Told;
  after: Told;
}

/** How many people, and a page of them. */
export interface Impact {
  /** People who get a seat they had not; and, their seat as it was, who have a role in more workspaces and in none less. */
  gained: number;
  /** People who lose the seat they had; and, their seat as it was, who have a role in fewer workspaces and in none more. */
  lost: number;
  /** Everybody else for whom something is different. */
  changed: number;
  /** Of all of these, people who begin to wait for a seat. */
  queued: number;
  /** How many more people would want a seat. */
  needed: number;
  /** In the order of their ids. */
  people: PersonImpact[];
}

/** Of people who are told the same: of several everything but times is one. */
export interface Turn {
  people: readonly UserId[];
  before: Decision | null;
  after: Decision | null;
}

/** Of the people in the order of their ids. */
export interface PeoplePage {
  after: string;
  limit: number;
}

/** @param policies Of the contract before and after: they name the state of those who wait. */
export function impactOf(
  turns: readonly Turn[],
  policies: { before: OveragePolicy; after: OveragePolicy },
  page: PeoplePage,
): Impact {
  const impact: Impact = { gained: 0, lost: 0, changed: 0, queued: 0, needed: 0, people: [] };
  const first = new FirstPeople(page);
  for (const { people, before, after } of turns) {
    impact.needed += people.length * (Number(wantsSeat(after)) - Number(wantsSeat(before)));
    const told = { before: toldOf(before, policies.before), after: toldOf(after, policies.after) };
    if (areSame(told.before, told.after)) continue;
    impact[kindOf(before, after)] += people.length;
    if (after?.seat === 'waiting' && before?.seat !== 'waiting') impact.queued += people.length;
    for (const id of people) first.offer(id, told);
  }
  return { ...impact, people: first.people };
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

export function toldOf(decision: Decision | null, policy: OveragePolicy): Told {
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
