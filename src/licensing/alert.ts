/**
 * Which alerts are due, given what has been raised already in this period: each once, until what it warns of is over. Pure.
 */

import type { TenantId } from '../kernel/ids.ts';
import type { Usage } from './admit.ts';
import { foremostCliff, seatsLost } from './cliff.ts';
import { type ConnectionAlert, type ConnectionFacts, watchConnection } from './connection-alert.ts';
import { type Contract, isFollowed, lastDayAt, ofTerm, type Terms, termOf, termsAt } from './contract.ts';
import { endOf } from './contract-day.ts';
import { dayOf, type Forecast } from './forecast.ts';
import { type WaitingAlert, type WaitingFacts, watchWaiting } from './waiting-alert.ts';

export type Alert =
  | { kind: 'seats_used'; percent: number; taken: number; capacity: number }
  | { kind: 'seats_left'; left: number; capacity: number }
  | { kind: 'full_before_term_end'; probability: number; p50: string | null; endsOn: string }
  | { kind: 'contract_ended'; endsOn: string; phase: Terms['phase']; graceUntil: string | null }
  | { kind: 'evaluation_ends'; endsOn: string }
  | { kind: 'cliff'; on: string; capacity: number; people: number }
  | { kind: 'block_lifted'; at: string }
  | WaitingAlert
  | { kind: 'draft_failed'; id: string; name: string; failure: string }
  | ({ kind: 'decisions_differ' } & Comparison)
  | { kind: 'domain_missing'; domain: string; since: string }
  | { kind: 'domain_lapsed'; domain: string; since: string }
  | ConnectionAlert;

/** What comparing a tenant's decisions with what deciding again gives has found. */
export interface Comparison {
  /** People with another decision. */
  differing: number;
  /** Counts of seats that are off: of the tenant, and of each sub-pool. */
  miscounted: number;
}

export interface AlertFacts extends WaitingFacts {
  contract: Contract | undefined;
  usage: Usage;
  /** Since when there are seats above a capacity that fell; null: there are none. */
  excessSince: Date | null;
  /** null: none is made at this look. */
  forecast: Forecast | null;
  /** Since when policy `block` stands as `queue`; null: it does not. */
  blockLiftedAt: Date | null;
  /** Drafts of the mappings that could not be activated at their time. */
  failedDrafts: readonly { id: string; name: string; failure: string }[];
  /** The last one. */
  comparison: Comparison;
  /** Domains whose record is not there, though it was. */
  missingDomains: readonly { domain: string; since: string; isVerified: boolean }[];
  connections: readonly ConnectionFacts[];
}

export interface DueAlerts {
  alerts: Alert[];
  /** By which of the marks each was raised: while any of them stands it is not over. */
  causes: ReadonlyMap<Alert, readonly string[]>;
  raised: Raised;
  /** Those that stood before, and still do. */
  standing: string[];
}

/** What has been raised, and is not over. */
export interface Raised {
  /** The term that it was raised in: with another, all is armed again. */
  period: string;
  marks: readonly string[];
}

/** Something that is watched. One of a list that is met stands for those before it, which are less. */
interface Watch {
  mark: string;
  isMet: boolean;
  /** It is armed again. Between this and `isMet` nothing happens, so that a level that goes up and down is told once. */
  isOver: boolean;
  alert: Alert;
}

export function dueAlerts(facts: AlertFacts, before: Raised, now: Date): DueAlerts {
  const terms = termsAt(facts.contract, now);
  const period = periodOf(facts.contract, now);
  const known = new Set(before.period === period ? before.marks : []);
  const lists = watchesOf(facts, terms, now);
  const marks = new Set(
    lists.flat().flatMap(({ mark, isOver }) => (known.has(mark) && !isOver ? [mark] : [])),
  );
  const standing = [...marks];
  const causes = new Map<Alert, string[]>();
  for (const list of lists) {
    const met = list.filter(({ mark, isMet }) => isMet && !marks.has(mark));
    for (const { mark } of met) marks.add(mark);
    const worst = met.at(-1);
    if (worst !== undefined)
      causes.set(
        worst.alert,
        met.map(({ mark }) => mark),
      );
  }
  return { alerts: [...causes.keys()], causes, raised: { period, marks: [...marks].sort() }, standing };
}

/** What is signed ahead begins none yet. */
function periodOf(contract: Contract | undefined, now: Date): string {
  return contract === undefined ? '' : `${termOf(contract, now).startsOn}/${lastDayAt(contract, now)}`;
}

function watchesOf(facts: AlertFacts, terms: Terms, now: Date): Watch[][] {
  return [
    // Under this policy nobody is told that seats are scarce.
    ...(terms.policy === 'fallback' ? [] : watchSeats(facts, terms)),
    watchEnd(terms),
    watchEvaluation(facts, terms, now),
    watchCliff(facts, now),
    watchBlock(facts, now),
    ...watchWaiting(facts),
    ...facts.failedDrafts.map(watchDraft),
    watchComparison(facts),
    ...facts.missingDomains.map(watchDomain),
    ...facts.connections.flatMap((connection) => watchConnection(connection, now)),
  ];
}

const percents = [80, 90, 95, 100];
/** Of a pool in which a percent is less than a seat. */
const smallPool = 20;
const seatsLeft = [5, 2, 1];
/** Percentage points below a threshold at which it is armed again. */
const rearmPoints = 3;
/** A forecast moves by more than that from day to day. */
const forecastMet = 0.5;
const forecastOver = 0.25;

function watchSeats({ usage, forecast }: AlertFacts, terms: Terms): Watch[][] {
  const { capacity, endsOn, phase } = terms;
  if (capacity === null || capacity === 0 || phase !== 'running' || endsOn === null) return [];
  const taken = usage.held + usage.overage + usage.onHold + usage.unmanagedPaid;
  const percent = (taken * 100) / capacity;
  const left = Math.max(0, capacity - taken);
  const isOver = (threshold: number) => percent <= threshold - rearmPoints;
  return [
    percents.map((threshold) => ({
      mark: `used:${threshold}`,
      isMet: percent >= threshold,
      isOver: isOver(threshold),
      alert: { kind: 'seats_used', percent: threshold, taken, capacity },
    })),
    (capacity > smallPool ? [] : seatsLeft).map((threshold) => ({
      mark: `left:${threshold}`,
      // That none is left is told by 100 percent.
      isMet: left <= threshold && left > 0 && threshold < capacity,
      isOver: isOver(((capacity - threshold) * 100) / capacity),
      alert: { kind: 'seats_left', left, capacity },
    })),
    [watchForecast(forecast, percent, endsOn)],
  ];
}

function watchForecast(forecast: Forecast | null, percent: number, endsOn: string): Watch {
  const probability = forecast?.fullBeforeTermEnd ?? 0;
  return {
    mark: 'full',
    // That they are full already is told by 100 percent.
    isMet: probability >= forecastMet && percent < 100,
    isOver: forecast !== null && probability < forecastOver,
    alert: { kind: 'full_before_term_end', probability, p50: forecast?.p50 ?? null, endsOn },
  };
}

function watchEnd({ phase, endsOn, graceUntil }: Terms): Watch[] {
  const isMet = phase === 'ended' || phase === 'grace' || phase === 'frozen';
  if (!isMet || endsOn === null) return [];
  const alert = {
    kind: 'contract_ended',
    endsOn,
    phase,
    graceUntil: graceUntil?.toISOString() ?? null,
  } as const;
  return [{ mark: 'ended', isMet, isOver: false, alert }];
}

const dayMs = 86_400_000;
const evaluationDays = [14, 3];

function watchEvaluation({ contract }: AlertFacts, { phase, endsOn }: Terms, now: Date): Watch[] {
  const term = contract && termOf(contract, now);
  if (term?.kind !== 'evaluation' || phase !== 'running' || endsOn === null) return [];
  const isOver = contract !== undefined && isFollowed(contract, now);
  const daysLeft = (endOf(endsOn).getTime() - now.getTime()) / dayMs;
  return evaluationDays.map((days) => ({
    mark: `evaluation:${days}`,
    isMet: daysLeft <= days && !isOver,
    isOver,
    alert: { kind: 'evaluation_ends', endsOn },
  }));
}

const cliffDays = 120;

function watchCliff({ contract, usage, excessSince }: AlertFacts, now: Date): Watch[] {
  const cliff = foremostCliff(contract, { since: excessSince, used: usage }, now);
  if (cliff === undefined || cliff.capacity === null) return [];
  const on = dayOf(cliff.at);
  const people = seatsLost(cliff, usage);
  return [
    {
      mark: `cliff:${on}`,
      isMet: people > 0 && cliff.at.getTime() - now.getTime() <= cliffDays * dayMs,
      isOver: people === 0,
      alert: { kind: 'cliff', on, capacity: cliff.capacity, people },
    },
  ];
}

function watchBlock({ contract, blockLiftedAt }: AlertFacts, now: Date): Watch[] {
  const at = ofTerm(contract, blockLiftedAt, now);
  if (at === null) return [];
  const alert = { kind: 'block_lifted', at: at.toISOString() } as const;
  return [{ mark: `block_lifted:${alert.at}`, isMet: true, isOver: false, alert }];
}

/** Over when the draft is written anew, activated or deleted: then it is none of these. */
function watchDraft(draft: AlertFacts['failedDrafts'][number]): Watch[] {
  const mark = `draft_failed:${draft.id}`;
  return [{ mark, isMet: true, isOver: false, alert: { kind: 'draft_failed', ...draft } }];
}

function watchComparison({ comparison }: AlertFacts): Watch[] {
  const isMet = comparison.differing + comparison.miscounted > 0;
  return [{ mark: 'differ', isMet, isOver: !isMet, alert: { kind: 'decisions_differ', ...comparison } }];
}

/** Over when the record is there again or the domain is removed: then it is none of these. */
function watchDomain({ domain, since, isVerified }: AlertFacts['missingDomains'][number]): Watch[] {
  const mark = `domain:${domain}:${since}`;
  return [
    { mark, isMet: true, isOver: false, alert: { kind: 'domain_missing', domain, since } },
    {
      mark: `${mark}:lapsed`,
      isMet: !isVerified,
      isOver: isVerified,
      alert: { kind: 'domain_lapsed', domain, since },
    },
  ];
}

const nightMs = 4 * 3_600_000;

/** The first four hours of a day, UTC, in which each tenant has a moment of its own, so that they follow one another. */
export function nextComparison(tenantId: TenantId, now: Date): Date {
  const moment = Number.parseInt(tenantId.slice(-8), 16) % nightMs;
  return new Date(nextLook(now).getTime() + moment);
}

/** When time alone may next make something due: all dates are days, and forecasts are made daily. */
export function nextLook(now: Date): Date {
  return endOf(dayOf(now));
}
