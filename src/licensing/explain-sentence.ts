/** An explanation in one sentence: what asks for the roles, and what became of it. */

import { mappingOf } from './desire.ts';
import { type Decision, isSeated, type Seat, type SeatView } from './effect.ts';
import {
  type ExplainFacts,
  isFull,
  listOf,
  mappingNotNow,
  namedBy,
  type Rule,
  timeOf,
} from './explain-facts.ts';

/** @param winner The mapping that decides. */
export function sentenceOf(facts: ExplainFacts, winner: Rule | undefined): string {
  const { name, person, decision, seat, terms, used } = facts;
  if (!person.active) return `${name} is inactive, and so has no role and no seat.`;
  if (person.isExcluded) return `${name} is on the list of people whom the gateway leaves alone.`;
  if (facts.stagedSince !== null) return heldBack(facts, facts.stagedSince);
  if (decision === null || decision.requested.length === 0) return nothingAsked(facts);
  const asks = askedBy(facts, winner);
  if (decision.approval === 'refused') return `${asks}, and an administrator refused the seat.`;
  if (decision.approval === 'pending') return `${asks}, and ${name} waits for an administrator's approval.`;
  if (decision.refusal === 'DUPLICATE_EMAIL')
    return `${asks}, but another active person has the same e-mail address.`;
  if (decision.refusal === 'SEAT_RECLAIMED') {
    const at = person.reclaimedAt?.toISOString() ?? 'an earlier time';
    return `${asks}, but the seat lay idle and was taken at ${at}: ${name} ${meanwhileOf(decision)} until seen again.`;
  }
  if (decision.seat === 'none') return `${asks}, a free role that needs no seat${placeKept(decision)}.`;
  if (decision.seat === 'hold')
    return `${asks}; ${name} was taken out of the last group that asked for a paid role, and the seat is kept until ${keptUntil(decision)}.`;
  if (isSeated(decision.seat)) return `${asks}, and ${name} ${heldUntil(facts)}.`;
  const role = meanwhileOf(decision);
  const place = seat.position === null ? 'waits' : `is number ${seat.position} in the queue`;
  const settles = settlesWhen(seat);
  if (settles !== undefined) return `${asks}: ${settles}, ${name} ${place} and ${role} meanwhile.`;
  const full = isFull(facts)
    ? `the sub-pool "${facts.share?.name}" has the ${facts.share?.limit} seats that it may have`
    : terms.grants
      ? `${used} of ${terms.capacity ?? 'unlimited'} seats are taken`
      : `no contract is in force that gives seats${facts.grantsFrom === null ? '' : ` before ${facts.grantsFrom.toISOString()}`}`;
  return `${asks}, but ${full}: ${name} ${place} and ${role} meanwhile.`;
}

function meanwhileOf({ effective }: Decision): string {
  const meanwhile = effective.find(({ via }) => via.startsWith('FALLBACK:'))?.role;
  return meanwhile === undefined ? 'has no role' : `has ${meanwhile}`;
}

/** What decided is no longer what the directory says, so that nobody is said to ask for it. */
function heldBack({ name, decision }: ExplainFacts, since: Date): string {
  const roles = [...new Set((decision?.effective ?? []).map(({ role }) => role))];
  const seat = decision === null ? [] : keptBy[decision.seat];
  const kept = [...seat, ...roles];
  const until = kept.length === 0 ? 'has no role' : `keeps ${listOf(kept)}`;
  return `A directory changed so much at once that it is held back since ${since.toISOString()}, until an administrator lets it happen: until then ${name} ${until}.`;
}

const keptBy: Record<Seat, string[]> = {
  none: [],
  held: ['the seat'],
  overage: ['the seat'],
  hold: ['the place that is kept'],
  waiting: ['the place in the queue'],
};

function nothingAsked(facts: ExplainFacts): string {
  const { name, groups, decision, now } = facts;
  const kept = decision?.kept ?? null;
  if (kept !== null) {
    const what = decision?.seat === 'hold' ? 'the seat is' : 'the place in the queue is';
    return `${name} was taken out of the last group that asked for a paid role: ${what} kept until ${keptUntil(decision)}.`;
  }
  const other = mappingNotNow(facts);
  if (other !== undefined) {
    const { validFrom, validUntil } = other;
    const isToCome = validFrom !== null && now < validFrom;
    const time = isToCome ? `begins at ${validFrom.toISOString()}` : `ended at ${validUntil?.toISOString()}`;
    return `${name} is in ${namedBy(other, groups)}, whose mapping to ${other.role} ${time}.`;
  }
  return groups.length === 0
    ? `${name} is in no group, so that nothing is asked for.`
    : `${name} is in ${listOf(groups.map(({ displayName }) => displayName))}, which no mapping names.`;
}

/** Of somebody who waited, and may come back to a paid role. */
function placeKept(decision: Decision): string {
  return decision.kept === null ? '' : `; the place in the queue is kept until ${keptUntil(decision)}`;
}

function keptUntil(decision: Decision | null): string {
  return decision?.kept?.until.toISOString() ?? 'it lapses';
}

function askedBy({ name, person, pin, decision }: ExplainFacts, winner: Rule | undefined): string {
  const [first] = decision?.requested ?? [];
  if (first?.via === 'PIN' && pin !== null) {
    const until = pin.until === null ? '' : ` until ${pin.until}`;
    return `${pin.by} pinned ${pin.role}${until} ("${pin.reason}")`;
  }
  if (winner !== undefined && mappingOf(first?.via ?? '') !== undefined)
    return `${winner.group} asks for ${winner.role} (priority ${winner.priority})`;
  if (person.defaultRole !== null)
    return `${name}'s connection gives ${first?.role ?? 'nothing'} to those whom it made and no mapping names`;
  return `Everybody whom no mapping names is given ${first?.role ?? 'nothing'}`;
}

function settlesWhen({ reason }: SeatView): string | undefined {
  if (reason === 'STAGED') return 'seats are given when an administrator settles the batch';
  const at = timeOf({ reason }, 'SETTLES_AT:');
  return at === undefined ? undefined : `seats are given at ${at}`;
}

function heldUntil(facts: ExplainFacts): string {
  const { name, terms, decision, seat, share, takenAt } = facts;
  if (terms.graceUntil !== null) return heldInGrace(facts, terms.graceUntil);
  if (terms.phase === 'frozen') {
    const meanwhile = decision?.effective.find(({ via }) => via.startsWith('FALLBACK:'))?.role;
    return `keeps a seat, but the evaluation is over: ${meanwhile ?? 'no role'} until ${facts.grantsFrom === null ? 'a contract is signed' : nextBegins(facts.grantsFrom)}`;
  }
  const preempted = timeOf(seat, 'PREEMPTED_AT:');
  if (preempted !== undefined)
    return `holds a seat that goes at ${preempted} to whoever claims it before ${name}`;
  if (takenAt !== null)
    return `holds a seat that lies idle: it is taken at ${takenAt.toISOString()}, unless ${name} is seen before`;
  const excess = timeOf(seat, 'SEAT_EXCESS_UNTIL:');
  if (excess !== undefined)
    return `holds a seat above the ${terms.capacity ?? 0} that there now are: it may go at ${excess}`;
  if (seat.reason === 'BORROWED') return `holds a seat ${borrowedFrom(share)}`;
  if (decision?.seat !== 'overage') return 'holds a seat';
  const until = seat.reason?.startsWith('SEAT_OVERAGE_UNTIL:') ? decision.endsAt : null;
  return `has a seat above the ${terms.capacity} of the contract${until === null ? '' : ` until ${until.toISOString()}`}`;
}

function heldInGrace(facts: ExplainFacts, until: Date): string {
  const next = facts.grantsFrom;
  if (next !== null && next <= until)
    return `holds a seat: the evaluation is over, and its grace lasts until ${nextBegins(next)}`;
  const again = next === null ? '' : `; the role comes back at ${nextBegins(next)}`;
  return `holds a seat until ${until.toISOString()}, when the grace of the evaluation is over${again}`;
}

function nextBegins(at: Date): string {
  return `${at.toISOString()}, when what is signed ahead begins`;
}

function borrowedFrom(share: ExplainFacts['share']): string {
  const whose = share?.name == null ? 'those who are in no sub-pool' : `the sub-pool "${share.name}"`;
  return `beyond the ${share?.seats ?? 0} of ${whose}, lent until others claim theirs`;
}
