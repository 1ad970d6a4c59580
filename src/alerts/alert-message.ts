/** What an alert tells a person, in sentences. Pure. */

import { unreachable } from '../kernel/assert.ts';
import { limits } from '../kernel/limits.ts';
import type { Alert } from '../licensing/alert.ts';

/** Who waits and who might give a seat back, when all are taken. */
export interface Scarcity {
  queued: number;
  /** Who has asked for a seat the longest. */
  oldestWaiter: { id: string; userName: string; since: Date } | null;
  /** Those who hold a seat the longest. */
  holders: { id: string; userName: string; since: Date }[];
}

/** @param scarcity Where all seats are taken. */
export function messageOf(alert: Alert, scarcity: Scarcity | null): string {
  switch (alert.kind) {
    case 'seats_used':
      return `${alert.taken} of ${alert.capacity} seats are taken (${alert.percent} % or more).${scarceText(scarcity)}`;
    case 'seats_left':
      return `${countOf(alert.left, 'seat')} of ${alert.capacity} ${alert.left === 1 ? 'is' : 'are'} left.`;
    case 'full_before_term_end':
      return `If growth goes on as in the last months, the seats are full before the term ends on ${alert.endsOn} with a probability of ${Math.round(alert.probability * 100)} %${alert.p50 === null ? '' : `, as likely as not by ${alert.p50}`}.`;
    case 'contract_ended':
      return endText(alert);
    case 'evaluation_ends':
      return `The evaluation ends on ${alert.endsOn}. Sign the contract before, and everybody keeps what they have.`;
    case 'cliff':
      return `From ${alert.on} on there are ${countOf(alert.capacity, 'seat')}: ${countOf(alert.people, 'person', 'people')} would lose theirs. See who: seats cliff (GET /seats/cliff).`;
    case 'block_lifted':
      return `Policy block stands as queue since ${alert.at}: so many people were refused for want of a seat that an identity provider might have stopped provisioning, leavers too. Free seats or extend the contract, then clear the guard (DELETE /seats/block-guard) or write the contract again.`;
    case 'staged':
      return stagedText(alert);
    case 'approvals_wait':
      return `${countOf(alert.people, 'claim')} ${alert.people === 1 ? 'waits' : 'wait'} for an approval, the oldest since ${alert.since}. See whose: seats approvals (GET /approvals). Decide: users approve, users refuse (PUT /users/{id}/approval).`;
    case 'edit_waits':
      return `An edit by ${alert.by} waits for a second person since ${alert.since}: ${alert.call}. See it: edit-request show ${alert.id} (GET /edit-requests/${alert.id}). Decide: edit-request approve, edit-request refuse.`;
    case 'draft_failed':
      return `The draft "${alert.name}" of the mappings was not activated at its time: ${alert.failure}`;
    case 'decisions_differ':
      return `The nightly comparison found ${countOf(alert.differing, 'person', 'people')} with another decision than deciding again gives, and ${countOf(alert.miscounted, 'count')} of seats that ${alert.miscounted === 1 ? 'is' : 'are'} off. See which: GET /seats/verify. This is a mistake of the gateway: tell whoever runs it. Whatever is written for a person decides for them again.`;
    case 'domain_missing':
      return `The TXT record of the domain ${alert.domain} is gone since ${alert.since}. Put it back (GET /domains/${alert.domain} shows it): after ${limits.domainMissingDaysMax} days the domain is no longer verified.`;
    case 'domain_lapsed':
      return `The domain ${alert.domain} is no longer verified: its TXT record is gone since ${alert.since}. People there are not led to their connection, and nobody is linked by it any more; who is linked stays so. Put the record back and verify the domain again.`;
    case 'certificate_ends':
      return certificateText(alert);
    case 'metadata_failing':
      return `The metadata of connection "${alert.name}" could not be used since ${alert.since}; what was read before stays in use. ${alert.error}`;
    case 'metadata_changed':
      return `The metadata of connection "${alert.name}" says something else since ${alert.since}; what was in use stays. Ask the identity provider's administrator whether that is meant, then confirm it: POST /connections/${alert.connection}/metadata/confirm.`;
    default:
      return unreachable(alert);
  }
}

function stagedText({ people, since }: Extract<Alert, { kind: 'staged' }>): string {
  const waiting = `${countOf(people, 'person', 'people')} ${people === 1 ? 'waits' : 'wait'} since ${since}`;
  return `A directory would take so many seats away at once that it may be a mistake: ${waiting}, with the roles and seats of before. See who: seats staged (GET /seats/staged). Let it happen: seats release-staged (POST /seats/staged/release). If it is a mistake, put them back in the identity provider: whoever is put back is forgotten.`;
}

function certificateText({
  whose,
  name,
  at,
  hasEnded,
}: Extract<Alert, { kind: 'certificate_ends' }>): string {
  const end = hasEnded ? `ended at ${at}` : `ends at ${at}`;
  return whose === 'gateway'
    ? `The certificate of the key that the gateway signs with for connection "${name}" ${end}: add the next key and activate it.`
    : `The identity provider's signing certificate of connection "${name}" ${end}. People still get in with it, unless the identity provider stops: make a new one there, and give the connection the new metadata.`;
}

function endText({ endsOn, phase, graceUntil }: Extract<Alert, { kind: 'contract_ended' }>): string {
  if (phase === 'ended')
    return `The contract ended on ${endsOn}. Holders keep their seats, under policy grace those above the capacity until their time is over, and nobody gets a new one.`;
  const ended = `The evaluation ended on ${endsOn}.`;
  return graceUntil === null
    ? `${ended} Every paid role stands as its fallback until a contract is signed.`
    : `${ended} People keep their roles until ${graceUntil}.`;
}

function scarceText(scarcity: Scarcity | null): string {
  if (scarcity === null) return '';
  const { queued, oldestWaiter, holders } = scarcity;
  const waiting =
    oldestWaiter === null
      ? 'Nobody waits for one.'
      : `${countOf(queued, 'person', 'people')} ${queued === 1 ? 'waits' : 'wait'}, ${oldestWaiter.userName} the longest, since ${oldestWaiter.since.toISOString()}.`;
  const names = holders.map(({ userName }) => userName).join(', ');
  const longest =
    names === '' ? '' : ` Last sign-ins are not known; these hold a seat the longest: ${names}.`;
  return ` ${waiting}${longest}`;
}

function countOf(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
