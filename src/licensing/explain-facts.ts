/** What an explanation is made from, and how it names what it finds there. */

import type { GroupId, MappingId, UserId } from '../kernel/ids.ts';
import type { Terms } from './contract.ts';
import type { Person } from './desire.ts';
import type { Decision, SeatView } from './effect.ts';
import type { Rules } from './mapping.ts';
import type { Share } from './sub-pool.ts';

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
  share: (Share & { name: string | null }) | null;
  /** Place among those who wait, from 1, under every policy; null: the person does not wait. */
  place: number | null;
  /** Those who are served before this person, in order; of a long queue its head. */
  ahead: readonly { id: UserId; userName: string }[];
  now: Date;
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

/** The time that a reason names; undefined: it is another. */
export function timeOf({ reason }: Pick<SeatView, 'reason'>, code: string): string | undefined {
  return reason?.startsWith(code) ? reason.slice(code.length) : undefined;
}

/** The sub-pool has all the seats that it may have. */
export function isFull({ seat }: ExplainFacts): boolean {
  return seat.reason?.startsWith('SUBPOOL_FULL:') ?? false;
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
