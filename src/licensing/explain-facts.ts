/** What an explanation is made from, and how it names what it finds there. */

import type { GroupId, MappingId, UserId } from '../kernel/ids.ts';
import { type Contract, nextChange, type Terms, termsAt } from './contract.ts';
import { named, type Person } from './desire.ts';
import type { Decision, SeatView } from './effect.ts';
import { isValid, type Mapping, type Rules } from './mapping.ts';
import { hasPlace, type Share } from './sub-pool.ts';

export interface ExplainFacts {
  name: string;
  person: Person;
  /** The groups the person is in, mapped or not. */
  groups: readonly { id: GroupId; displayName: string }[];
  /** What is noted of the pin. */
  pin: PinNote | null;
  rules: Rules;
  terms: Terms;
  /** Seats that are used or kept, and paid people the gateway did not make. */
  used: number;
  decision: Decision | null;
  seat: SeatView;
  /** Since when the breaker holds back what a directory says of the person; null: it does not. */
  stagedSince: Date | null;
  /** Whose share of the seats the claim is served from; null: there are no sub-pools. */
  share: ShareNote | null;
  /** Where no contract gives seats: when what is signed ahead does; null: nothing is. */
  grantsFrom: Date | null;
  /** When the seat is taken because it lies idle, if the person is not seen before; null: nobody asked about it. */
  takenAt: Date | null;
  /** Place among those who wait, from 1, under every policy; null: the person does not wait. */
  place: number | null;
  /** Those who are served before this person, in order; of a long queue its head. */
  ahead: readonly { id: UserId; userName: string }[];
  now: Date;
}

/** A share, and as which of those who wait for it the person does. */
export interface ShareNote extends Share {
  name: string | null;
  place: number | null;
  /** The other ones, where the person waits. */
  others: readonly OtherShare[];
}

export interface OtherShare extends Share {
  name: string | null;
  /** Claims that wait for it, and how many of them are served before this person's where all may have a seat. */
  waiting: number;
  ahead: number;
  /** Seats that can be taken from its people for this claim, as far as they are borrowed. */
  takeable: number;
}

export interface PinNote {
  role: string;
  workspaces: string[] | null;
  reason: string;
  until: string | null;
  reserved: boolean;
  /** Who set it. */
  by: string;
}

/** A mapping that the person's groups lead to. */
export interface Rule {
  mapping: MappingId;
  group: string;
  role: string;
  /** Where it wins, or would. */
  workspace: string;
  priority: number;
}

/** When what is signed ahead gives seats; null: that is now, or never. */
export function grantsFrom(contract: Contract | undefined, now: Date): Date | null {
  if (termsAt(contract, now).grants) return null;
  let at = nextChange(contract, now);
  while (at !== undefined && !termsAt(contract, at).grants) at = nextChange(contract, at);
  return at ?? null;
}

/** Of the mappings that name the person and don't count now the first that will; else the last that did. */
export function mappingNotNow({ person, groups, rules, now }: ExplainFacts): Mapping | undefined {
  const traits = { ...person, groups: new Set(groups.map(({ id }) => id)) };
  const others = named(rules, traits).filter((mapping) => !isValid(mapping, now));
  const begins = ({ validFrom }: Mapping) =>
    validFrom !== null && now < validFrom ? validFrom.getTime() : 0;
  const ended = ({ validUntil }: Mapping) => validUntil?.getTime() ?? 0;
  const [first] = others.filter((mapping) => begins(mapping) > 0).sort((a, b) => begins(a) - begins(b));
  return first ?? others.sort((a, b) => ended(b) - ended(a))[0];
}

/** How a mapping is told by what it names. */
export function namedBy({ groupId, roleValue, claimValue }: Mapping, groups: ExplainFacts['groups']): string {
  return groups.find(({ id }) => id === groupId)?.displayName ?? roleValue ?? claimValue ?? '';
}

/** The time that a reason names; undefined: it is another. */
export function timeOf({ reason }: Pick<SeatView, 'reason'>, code: string): string | undefined {
  return reason?.startsWith(code) ? reason.slice(code.length) : undefined;
}

/** The sub-pool has all the seats that it may have, though some are free. */
export function isFull(facts: ExplainFacts): boolean {
  return facts.share !== null && !hasPlace(facts.share) && isAnyFree(facts);
}

export function isAnyFree({ terms, used }: ExplainFacts): boolean {
  return terms.grants && (terms.capacity === null || used < terms.capacity + terms.allowance);
}

/** Names that one sentence holds; of more it tells how many. */
export const namesMax = 5;

export function listOf(names: readonly string[]): string {
  const shown =
    names.length > namesMax
      ? [...names.slice(0, namesMax - 1), `${names.length - namesMax + 1} more`]
      : [...names];
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
