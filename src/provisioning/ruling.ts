/** What follows for everybody whom the same set of mappings names: `desire` and `effect`, asked once for all of them. Pure. */

import { assert } from '../kernel/assert.ts';
import type { UserId } from '../kernel/ids.ts';
import type { Terms } from '../licensing/contract.ts';
import { desire, type Person, type RequestedRole } from '../licensing/desire.ts';
import { type EffectiveRole, effect } from '../licensing/effect.ts';
import type { Rules } from '../licensing/mapping.ts';
import { setBasis, type TermsPrints, termsBasisOf } from './basis.ts';
import { nameRoles, type RoleSet } from './role-set.ts';

/** A set of mappings by their places in `rules.mappings`, in order. */
export type MappingSet = readonly number[];

/** What people are told apart by whom the same is given: the mappings that name them, and the default role where none does. */
export interface Named {
  set: MappingSet;
  /** null: the tenant's. */
  defaultRole: string | null;
}

/** What everybody gets whom exactly this set of mappings names, and nothing else. */
export interface Ruling {
  set: MappingSet;
  requested: readonly RequestedRole[];
  /** With a seat, and without. */
  seated: readonly EffectiveRole[];
  unseated: readonly EffectiveRole[];
  priority: number | null;
  mayPreempt: boolean;
  subPool: string | null;
  /** Nobody is asked about the claim: then it is for all of them what it is for one. */
  isCommon: boolean;
  basis: string;
  seatedTerms: string;
  unseatedTerms: string;
}

/** With the ids of its sets of roles in their place. */
export interface StoredRuling extends Omit<Ruling, 'set' | 'requested' | 'seated' | 'unseated'> {
  /** Nothing is asked for. */
  isEmpty: boolean;
  requestedId: string;
  seatedId: string;
  unseatedId: string;
  /** What Blue sees of them. */
  seatedInBlue: string;
  unseatedInBlue: string;
}

/** With every set of roles that it names. */
export function storedRuling({ set: _, requested, seated, unseated, ...ruling }: Ruling): {
  ruling: StoredRuling;
  sets: RoleSet[];
} {
  const named = nameRoles(requested, seated, unseated);
  const [withSeat, without] = named.effective;
  assert(withSeat !== undefined && without !== undefined, 'each is named');
  const { requestedId, sets } = named;
  const ids = { requestedId, seatedId: withSeat.id, unseatedId: without.id };
  const inBlue = { seatedInBlue: withSeat.inBlue, unseatedInBlue: without.inBlue };
  return { ruling: { ...ruling, isEmpty: requested.length === 0, ...ids, ...inBlue }, sets };
}

export function rulingOf(
  { set, defaultRole }: Named,
  rules: Rules,
  { terms, prints, now }: { terms: Terms; prints: TermsPrints; now: Date },
): Ruling {
  const mappings = set.flatMap((place) => rules.mappings[place] ?? []);
  const wish = desire({ ...somebody(mappings), defaultRole }, { ...rules, mappings }, now);
  const claim =
    wish.priority === null ? null : { priority: wish.priority, claimedAt: now, mayPreempt: wish.mayPreempt };
  return {
    set,
    requested: wish.requested,
    seated: effect(wish, 'held', terms),
    unseated: effect(wish, 'waiting', terms),
    priority: wish.priority,
    mayPreempt: wish.mayPreempt,
    subPool: wish.subPool,
    isCommon: wish.approval === 'automatic',
    basis: String(setBasis(mappings, rules, defaultRole ?? rules.defaultRole)),
    seatedTerms: String(termsBasisOf({ claim, seat: 'held', refusal: null, approval: null }, prints)),
    unseatedTerms: String(termsBasisOf({ claim, seat: 'waiting', refusal: null, approval: null }, prints)),
  };
}

/** Whom these mappings name, and nothing else is to be said of. */
function somebody(mappings: Rules['mappings']): Person {
  return {
    id: '' as UserId,
    active: true,
    address: null,
    isDuplicate: false,
    isExcluded: false,
    groups: new Set(mappings.flatMap(({ groupId }) => groupId ?? [])),
    roleValues: mappings.flatMap(({ roleValue }) => roleValue ?? []),
    claimValues: mappings.flatMap(({ claimValue }) => claimValue ?? []),
    defaultRole: null,
    pin: null,
    verdict: null,
    reclaimedAt: null,
  };
}
