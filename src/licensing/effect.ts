/** Step C of a decision: the roles a person has in Blue, given what is asked for and whether there is a seat. */

import { unreachable } from '../kernel/assert.ts';
import { type Billing, type FallbackRole, roleOf } from './catalogue.ts';
import type { OveragePolicy, Terms } from './contract.ts';
import type { Desire, Refusal, RequestedRole } from './desire.ts';

export type Seat = 'none' | 'held' | 'waiting';

export interface EffectiveRole {
  role: string;
  billing: Billing;
  workspace: string;
  /** `MAPPING:<id>` or `FALLBACK:<mapping id or "contract">`. */
  via: string;
}

/** What was decided for a person, and stored. */
export interface Decision {
  requested: RequestedRole[];
  effective: EffectiveRole[];
  /** Present while a seat is wanted. */
  claim: { priority: number; claimedAt: Date } | null;
  seat: Seat;
  /** Since when the seat is in this state. */
  since: Date;
  refusal: Refusal | null;
}

/**
 * Without a seat only the paid roles fall back; free ones stay. A frozen evaluation keeps its seats and their order, so that
 * a contract restores what was.
 */
export function effect(
  { requested, refusal }: Desire,
  seat: Seat,
  terms: Pick<Terms, 'fallbackRole' | 'phase'>,
): EffectiveRole[] {
  if (refusal !== null) return [];
  return requested.flatMap((asked) => {
    const { billing } = roleOf(asked.role);
    if (billing === 'free' || (seat === 'held' && terms.phase !== 'frozen')) {
      return [{ role: asked.role, billing, workspace: asked.workspace, via: `MAPPING:${asked.mapping}` }];
    }
    const role = fallbackOf(asked, terms);
    const origin = asked.fallbackRole === null ? 'contract' : asked.mapping;
    return role === 'none'
      ? []
      : [{ role, billing: 'free', workspace: asked.workspace, via: `FALLBACK:${origin}` }];
  });
}

function fallbackOf(asked: RequestedRole, terms: Pick<Terms, 'fallbackRole'>): FallbackRole {
  return asked.fallbackRole ?? terms.fallbackRole;
}

/** The seat as people and identity providers are told of it. */
export interface SeatView {
  state: 'none' | 'held' | 'queued' | 'blocked';
  /** 1..n while queued. */
  position: number | null;
  since: Date | null;
  /** A reason code: SEAT_HELD, GRACE_UNTIL, EVALUATION_ENDED, SEAT_QUEUED, SEAT_BLOCKED, FALLBACK:<role>, DUPLICATE_EMAIL. */
  reason: string | null;
}

/** @param position Place among the waiting claims, computed when read. */
export function seatView(
  decision: Decision | null,
  position: number | null,
  terms: Pick<Terms, 'policy' | 'phase' | 'graceUntil'>,
): SeatView {
  if (decision === null) return { state: 'none', position: null, since: null, reason: null };
  const { seat, since } = decision;
  switch (seat) {
    case 'none':
      return { state: 'none', position: null, since: null, reason: decision.refusal };
    case 'held':
      return { state: 'held', position: null, since, reason: heldReason(terms) };
    case 'waiting':
      return waitingView(decision, position, terms.policy);
    default:
      return unreachable(seat);
  }
}

function heldReason({ phase, graceUntil }: Pick<Terms, 'phase' | 'graceUntil'>): string {
  if (phase === 'frozen') return 'EVALUATION_ENDED';
  return graceUntil === null ? 'SEAT_HELD' : `GRACE_UNTIL:${graceUntil.toISOString()}`;
}

/** Under `fallback` the order and the promotion are the same, but nobody is told of a queue. */
function waitingView(decision: Decision, position: number | null, policy: OveragePolicy): SeatView {
  switch (policy) {
    case 'queue':
      return { state: 'queued', position, since: decision.since, reason: 'SEAT_QUEUED' };
    case 'block':
      return { state: 'blocked', position: null, since: decision.since, reason: 'SEAT_BLOCKED' };
    case 'fallback': {
      const role = decision.effective.find(({ via }) => via.startsWith('FALLBACK:'))?.role ?? 'none';
      return { state: 'none', position: null, since: decision.since, reason: `FALLBACK:${role}` };
    }
    default:
      return unreachable(policy);
  }
}
