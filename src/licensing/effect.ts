/** Step C of a decision: the roles a person has in Blue, given what is asked for and whether there is a seat. */

import { unreachable } from '../kernel/assert.ts';
import type { Billing, FallbackRole } from './catalogue.ts';
import type { OveragePolicy, Terms } from './contract.ts';
import { type Desire, mappingOf, type Refusal, type RequestedRole } from './desire.ts';
import { overageUntil } from './overage.ts';

/**
 * `held`: within the capacity; `overage`: above it, by the policy; `hold`: none, but the place is kept; `waiting`: none, and
 * one is wanted.
 */
export type Seat = 'none' | 'held' | 'overage' | 'hold' | 'waiting';

export interface EffectiveRole {
  role: string;
  billing: Billing;
  workspace: string;
  /** `MAPPING:<id>`, `PIN`, `DEFAULT`, or `FALLBACK:<mapping id or "contract">`. */
  via: string;
}

/** What was decided for a person, and stored. */
export interface Decision {
  requested: RequestedRole[];
  effective: EffectiveRole[];
  /** Present while a seat is wanted. */
  claim: { priority: number; claimedAt: Date; mayPreempt: boolean } | null;
  seat: Seat;
  /** Since when the seat is in this state. */
  since: Date;
  refusal: Refusal | null;
  /** The claim of somebody who may come back, remembered for a while; with `hold` the place is kept too. */
  kept: { claimedAt: Date; until: Date } | null;
  /** When the claim first had a seat above the capacity: policy `grace` counts from then, also after it was left; null: it had none. */
  overageSince: Date | null;
  /** The claim waits for somebody's approval, without a place in the queue; or was refused, and is none. */
  approval: 'pending' | 'refused' | null;
  /** Somebody is asked where no seat is free, and while none may be given that is not known: until then it is in the queue. */
  isUnasked: boolean;
  /** Of the claim, or of the place that is kept; null: the common rest. */
  subPool: string | null;
  /** When the seat goes to a better claim that waits (order `strict`), or back to the sub-pool that lent it; null: no notice was given. */
  noticeUntil: Date | null;
  /** When something of it ends by itself: a pin, a kept place, a seat above the capacity, a notice. */
  endsAt: Date | null;
}

/** Whether paid roles stand as they are asked for. */
export function isSeated(seat: Seat): seat is 'held' | 'overage' {
  return seat === 'held' || seat === 'overage';
}

/**
 * Without a seat only the paid roles fall back; free ones stay. A frozen evaluation keeps its seats and their order, so that
 * a contract restores what was.
 */
export function effect(
  { requested, refusal }: Pick<Desire, 'requested' | 'refusal'>,
  seat: Seat,
  terms: Pick<Terms, 'fallbackRole' | 'phase'>,
): EffectiveRole[] {
  if (refusal === 'DUPLICATE_EMAIL') return [];
  return requested.flatMap(({ role, billing, workspace, via, fallbackRole }) => {
    if (billing === 'free' || (isSeated(seat) && terms.phase !== 'frozen'))
      return [{ role, billing, workspace, via }];
    const fallback: FallbackRole = fallbackRole ?? terms.fallbackRole;
    const origin = fallbackRole === null ? 'contract' : (mappingOf(via) ?? via);
    if (fallback === 'none') return [];
    return [{ role: fallback, billing: 'free' as const, workspace, via: `FALLBACK:${origin}` }];
  });
}

/** The seat as people and identity providers are told of it. */
export interface SeatView {
  state: 'none' | 'held' | 'overage' | 'hold' | 'queued' | 'blocked';
  /** 1..n while queued. */
  position: number | null;
  since: Date | null;
  /** A reason code: see docs/licensing.md "Reasons". */
  reason: string | null;
}

/** An open batch of claims, whose end gives the seats. */
export interface OpenBatch {
  openedAt: Date;
  /** null: an administrator settles it. */
  settlesAt: Date | null;
}

/** It has ended, and its queue is still to be served; others are open for some time. */
export function isEnding({ openedAt, settlesAt }: OpenBatch): boolean {
  return settlesAt !== null && settlesAt <= openedAt;
}

/** What a seat is told by. */
export type Telling = Pick<Terms, 'policy' | 'phase' | 'graceUntil' | 'graceDays' | 'grants'> & {
  batch: OpenBatch | null;
  /** `borrowed`: the seat is one that other shares lend; `full`: the sub-pool has all that it may, though seats are free. */
  share: 'borrowed' | 'full' | null;
  /** When somebody who is above a capacity that fell loses the seat; null: not above it. */
  excessUntil: Date | null;
  /** The breaker holds back what a directory says of the person. */
  isStaged: boolean;
};

/** @param position Place among the waiting claims, computed when read. */
export function seatView(decision: Decision | null, position: number | null, telling: Telling): SeatView {
  const decided = decidedView(decision, position, telling);
  return telling.isStaged ? { ...decided, reason: 'STAGED' } : decided;
}

function decidedView(decision: Decision | null, position: number | null, telling: Telling): SeatView {
  if (decision === null) return { state: 'none', position: null, since: null, reason: null };
  const { seat, since } = decision;
  switch (seat) {
    case 'none':
      return {
        state: 'none',
        position: null,
        since: null,
        reason: decision.refusal ?? rejectedReason(decision),
      };
    case 'held':
      return {
        state: 'held',
        position: null,
        since,
        reason:
          noticeReason(decision) ??
          seatedReason(telling.share === 'borrowed' ? 'BORROWED' : 'SEAT_HELD', telling),
      };
    case 'overage':
      return {
        state: 'overage',
        position: null,
        since,
        reason: noticeReason(decision) ?? overageReason(decision, telling),
      };
    case 'hold':
      return { state: 'hold', position: null, since, reason: 'SEAT_HOLD_MOVER' };
    case 'waiting':
      return decision.approval === 'pending'
        ? { state: 'queued', position: null, since, reason: 'AWAITS_APPROVAL' }
        : waitingView(decision, position, telling);
    default:
      return unreachable(seat);
  }
}

function seatedReason(usual: string, telling: Telling): string {
  const { phase, graceUntil, excessUntil } = telling;
  if (phase === 'frozen') return 'EVALUATION_ENDED';
  if (graceUntil !== null) return `GRACE_UNTIL:${graceUntil.toISOString()}`;
  return excessUntil === null ? usual : `SEAT_EXCESS_UNTIL:${excessUntil.toISOString()}`;
}

function rejectedReason({ approval }: Decision): string | null {
  return approval === 'refused' ? 'APPROVAL_REFUSED' : null;
}

function noticeReason({ noticeUntil }: Decision): string | undefined {
  return noticeUntil === null ? undefined : `PREEMPTED_AT:${noticeUntil.toISOString()}`;
}

function overageReason({ overageSince, since }: Decision, telling: Telling): string {
  const until = overageUntil(telling, overageSince ?? since);
  if (until === null) return seatedReason('SEAT_OVERAGE', telling);
  const { excessUntil } = telling;
  const isSooner = excessUntil !== null && until <= excessUntil;
  const own = isSooner ? { ...telling, excessUntil: null } : telling;
  return seatedReason(`SEAT_OVERAGE_UNTIL:${until.toISOString()}`, own);
}

/** What the state of those who wait is called under each policy: some tell nobody of a queue. */
export const waitingStates = {
  queue: 'queued',
  grace: 'queued',
  allow: 'queued',
  block: 'blocked',
  fallback: 'none',
} as const satisfies Record<OveragePolicy, SeatView['state']>;

/** Under `fallback` the order and the promotion are the same, but nobody is told of a queue. */
function waitingView(decision: Decision, position: number | null, telling: Telling): SeatView {
  const { since } = decision;
  const state = waitingStates[telling.policy];
  switch (state) {
    case 'queued':
      return {
        state,
        position,
        since,
        reason: batchReason(telling) ?? fullReason(decision, telling) ?? 'SEAT_QUEUED',
      };
    case 'blocked':
      return {
        state,
        position: null,
        since,
        reason: batchReason(telling) ?? fullReason(decision, telling) ?? 'SEAT_BLOCKED',
      };
    case 'none': {
      const role = decision.effective.find(({ via }) => via.startsWith('FALLBACK:'))?.role ?? 'none';
      return { state, position: null, since, reason: `FALLBACK:${role}` };
    }
    default:
      return unreachable(state);
  }
}

function fullReason({ subPool }: Decision, { share }: Telling): string | undefined {
  return share === 'full' ? `SUBPOOL_FULL:${subPool}` : undefined;
}

function batchReason({ batch, grants }: Telling): string | undefined {
  if (batch === null || !grants || isEnding(batch)) return undefined;
  return batch.settlesAt === null ? 'STAGED' : `SETTLES_AT:${batch.settlesAt.toISOString()}`;
}
