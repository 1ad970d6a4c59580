/** Step A of a decision: what a person's memberships ask for, before anybody looks at seats. */

import type { GroupId, MappingId, UserId } from '../kernel/ids.ts';
import type { Billing, FallbackRole } from './catalogue.ts';
import {
  type Approval,
  everyDefaultWorkspace,
  isValid,
  type Mapping,
  type Rules,
  workspacesOf,
} from './mapping.ts';
import { defaultPriority, type Pin, pinPriority } from './pin.ts';

export interface Person {
  id: UserId;
  active: boolean;
  /** Address in Blue, lower-cased; null when no attribute holds one. */
  address: string | null;
  /** An earlier active user has the same address: Blue can hold only one of them. */
  isDuplicate: boolean;
  /** On the tenant's list of people whom the gateway leaves alone. */
  isExcluded: boolean;
  /** The mapped groups the person is in. */
  groups: ReadonlySet<GroupId>;
  /** Values pushed in SCIM `roles`, folded. */
  roleValues: readonly string[];
  /** Values of the groups claim at the last sign-on that told them, folded. */
  claimValues: readonly string[];
  /** In place of the tenant's; null: the tenant's. */
  defaultRole: string | null;
  pin: Pin | null;
  /** What somebody said to the person's claim; null: nobody said anything. */
  verdict: Verdict | null;
  /** The seat was taken then because it lay idle, and the person was not seen since; null: it was not. */
  reclaimedAt: Date | null;
}

/** An administrator's word on a claim. */
export interface Verdict {
  /** The rule it was made by, as `RequestedRole.via`. */
  via: string;
  isGranted: boolean;
}

export interface RequestedRole {
  role: string;
  billing: Billing;
  workspace: string;
  /** `MAPPING:<id>`, `PIN` or `DEFAULT`. */
  via: string;
  fallbackRole: FallbackRole | null;
}

/** Why no seat is claimed though a paid role is asked for: `DUPLICATE_EMAIL` gives no role at all, the other the free ones. */
export type Refusal = 'DUPLICATE_EMAIL' | 'SEAT_RECLAIMED';

export interface Desire {
  /** At most one for a workspace, best priority first. */
  requested: RequestedRole[];
  /** Best priority among the paid ones; null: no seat is wanted. */
  priority: number | null;
  refusal: Refusal | null;
  /** By a pin that takes its seat when it is set. */
  isReserved: boolean;
  /** By a mapping whose claims may take the seat of one of lower priority (order `strict`). */
  mayPreempt: boolean;
  /** Of the mapping that gives the priority; null: the common rest. */
  subPool: string | null;
  /** Whether somebody must give the seat. */
  approval: Approval;
  /** Somebody refused the claim: paid roles fall back, and no seat is wanted. */
  isRejected: boolean;
  /** When it ends by itself; null: it does not. */
  until: Date | null;
}

export const nothing: Desire = {
  requested: [],
  priority: null,
  refusal: null,
  isReserved: false,
  mayPreempt: false,
  subPool: null,
  approval: 'automatic',
  isRejected: false,
  until: null,
};

/** An unexpired pin wins, then in each workspace the mapping of best priority, then the default role. */
export function desire(person: Person, rules: Rules, now: Date): Desire {
  if (!person.active || person.isExcluded) return nothing;
  const asked = askedFor(person, rules, now);
  const requested = asked.map(({ request }) => request);
  const pin = pinAt(person, now);
  const until = pin?.until ?? null;
  const isRefused = person.isDuplicate && requested.length > 0;
  if (isRefused) return { ...nothing, requested, refusal: 'DUPLICATE_EMAIL', until };
  const best = asked.find(({ request }) => request.billing === 'paid');
  // What is given by hand is meant for somebody who is not seen, too.
  if (best !== undefined && person.reclaimedAt !== null && pin === undefined)
    return { ...nothing, requested, refusal: 'SEAT_RECLAIMED' };
  if (best !== undefined && isRejectedBy(best, person))
    return { ...nothing, requested, isRejected: true, until };
  return {
    ...nothing,
    requested,
    priority: best?.priority ?? null,
    isReserved: pin?.reserved ?? false,
    mayPreempt: best?.mayPreempt ?? false,
    subPool: best?.subPool ?? null,
    approval: best === undefined ? 'automatic' : approvalOf(best, person, rules),
    until,
  };
}

function isRejectedBy({ request }: Asked, { verdict }: Person): boolean {
  return request.via !== 'PIN' && verdict?.via === request.via && !verdict.isGranted;
}

interface Asked {
  request: RequestedRole;
  priority: number;
  mayPreempt: boolean;
  approval: Approval | null;
  subPool: string | null;
}

/** Somebody's word is for the rule that was asked about: another rule is asked about anew. */
function approvalOf({ request, approval }: Asked, { verdict }: Person, rules: Rules): Approval {
  if (request.via === 'PIN' || (verdict?.via === request.via && verdict.isGranted)) return 'automatic';
  return approval ?? rules.approvals[request.role] ?? 'automatic';
}

function askedFor(person: Person, rules: Rules, now: Date): Asked[] {
  const mapped = winners(matching(person, rules, now), rules);
  const pin = pinAt(person, now);
  if (pin !== undefined) {
    const workspaces =
      pin.workspaces === null && mapped.length > 0
        ? mapped.map(({ request }) => request.workspace)
        : workspacesOf({ workspaces: pin.workspaces ?? [everyDefaultWorkspace] }, rules);
    return everywhere(rules, workspaces, pin.role, 'PIN', pinPriority);
  }
  const role = person.defaultRole ?? rules.defaultRole;
  if (mapped.length > 0 || role === 'none') return mapped;
  const workspaces = workspacesOf({ workspaces: [everyDefaultWorkspace] }, rules);
  return everywhere(rules, workspaces, role, 'DEFAULT', defaultPriority);
}

/** In each workspace the best of them. */
function winners(mappings: readonly Mapping[], rules: Rules): Asked[] {
  const taken = new Set<string>();
  return mappings.flatMap((mapping) => {
    const free = workspacesOf(mapping, rules).filter((workspace) => !taken.has(workspace));
    for (const workspace of free) taken.add(workspace);
    return everywhere(rules, free, mapping.role, viaMapping(mapping.id), mapping.priority, mapping);
  });
}

function everywhere(
  { catalogue }: Pick<Rules, 'catalogue'>,
  workspaces: readonly string[],
  role: string,
  via: string,
  priority: number,
  rule: Pick<Mapping, 'fallbackRole' | 'mayPreempt' | 'approval' | 'subPool'> = {
    fallbackRole: null,
    mayPreempt: false,
    approval: null,
    subPool: null,
  },
): Asked[] {
  const { fallbackRole, mayPreempt, approval, subPool } = rule;
  const { billing } = catalogue.roleOf(role);
  return workspaces.map((workspace) => ({
    request: { role, billing, workspace, via, fallbackRole },
    priority,
    mayPreempt,
    approval,
    subPool,
  }));
}

const mappingPrefix = 'MAPPING:';

function viaMapping(id: MappingId): string {
  return `${mappingPrefix}${id}`;
}

/** The mapping that a role came by; undefined: a pin, or the default role. */
export function mappingOf(via: string): MappingId | undefined {
  return via.startsWith(mappingPrefix) ? (via.slice(mappingPrefix.length) as MappingId) : undefined;
}

export function pinAt({ pin }: Pick<Person, 'pin'>, now: Date): Pin | undefined {
  return pin !== null && (pin.until === null || now < pin.until) ? pin : undefined;
}

/** What of a person mappings look at. */
export type Traits = Pick<Person, 'groups' | 'roleValues' | 'claimValues'>;

/** The mappings that hold now and name the person, best priority first. */
export function matching(person: Traits, rules: Pick<Rules, 'mappings'>, now: Date): Mapping[] {
  return named(rules, person).filter((mapping) => isValid(mapping, now));
}

/** The mappings that name the person, whether they hold now or not, best priority first. */
export function named({ mappings }: Pick<Rules, 'mappings'>, person: Traits): Mapping[] {
  const places = placesIn(mappings);
  const { groups, roleValues, claimValues } = person;
  const found: number[] = [];
  for (const id of groups) found.push(...(places.group.get(id) ?? nowhere));
  for (const value of roleValues) found.push(...(places.role.get(value) ?? nowhere));
  for (const value of claimValues) found.push(...(places.claim.get(value) ?? nowhere));
  found.sort((a, b) => a - b);
  const all: Mapping[] = [];
  for (const [at, place] of found.entries()) {
    const mapping = mappings[place];
    // A value may be there twice.
    if (mapping !== undefined && place !== found[at - 1]) all.push(mapping);
  }
  return all;
}

const nowhere: readonly number[] = [];

/** Where in the list the mappings of a group or value stand. */
type Places = Record<'group' | 'role' | 'claim', Map<string, number[]>>;

/** Large edits ask it of many people: it is looked up, not searched, and stands as long as the list does. */
const known = new WeakMap<Rules['mappings'], Places>();

function placesIn(mappings: Rules['mappings']): Places {
  const before = known.get(mappings);
  if (before !== undefined) return before;
  const places: Places = { group: new Map(), role: new Map(), claim: new Map() };
  for (const [place, { groupId, roleValue, claimValue }] of mappings.entries()) {
    if (roleValue !== null) add(places.role, roleValue, place);
    else if (claimValue !== null) add(places.claim, claimValue, place);
    else if (groupId !== null) add(places.group, groupId, place);
  }
  known.set(mappings, places);
  return places;
}

function add(places: Map<string, number[]>, key: string, place: number): void {
  const at = places.get(key);
  if (at === undefined) places.set(key, [place]);
  else at.push(place);
}

/** Whether any mapping asks for a paid role, be it one that does not win. */
export function hasPaidMatch(
  person: Traits,
  rules: Pick<Rules, 'mappings' | 'catalogue'>,
  now: Date,
): boolean {
  return matching(person, rules, now).some(({ role }) => rules.catalogue.roleOf(role).billing === 'paid');
}
