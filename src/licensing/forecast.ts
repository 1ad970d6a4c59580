/**
 * When the seats will be full, if the days to come are like those of the last three months: days drawn from them at random,
 * many times over. Pure: the same seed gives the same forecast.
 */

import { type Contract, capacityChanges, termsAt } from './contract.ts';
import { endOf, startOf } from './contract-day.ts';

/** Days of history that are drawn from. */
export const historyDaysMax = 90;
/** Two weeks: each day of the week twice. With less a single busy day would be half of the future. */
export const historyDaysNeeded = 14;
const runs = 500;
const horizonDays = 3 * 366;
const dayMs = 86_400_000;

/** Seats in use at the end of a day, `YYYY-MM-DD`. */
export interface SeatDay {
  day: string;
  used: number;
}

export interface ForecastFacts {
  contract: Contract | undefined;
  /** In the order of their days; a day that is missing was like the one before. */
  days: readonly SeatDay[];
  /** Seats that are taken now, also by people whom Blue has by itself. */
  taken: number;
  now: Date;
  seed: string;
}

export interface Forecast {
  /** Days of history that there are. */
  history: number;
  /** The day by which the seats are full with a probability of one half, and of nine tenths; null: not within three years. */
  p50: string | null;
  p90: string | null;
  /** Probability that they are full on a day of the term; null: too little history, or no contract. */
  fullBeforeTermEnd: number | null;
}

export function forecast(facts: ForecastFacts): Forecast {
  const { contract, days, now } = facts;
  const changes = dailyChanges(days, dayOf(now));
  const history = changes.length;
  const { endsOn } = termsAt(contract, now);
  if (history < historyDaysNeeded || endsOn === null)
    return { history, p50: null, p90: null, fullBeforeTermEnd: null };
  const fullOn = simulate(changes, facts);
  const lastDay = (endOf(endsOn).getTime() - startOf(dayOf(now)).getTime()) / dayMs - 1;
  return {
    history,
    p50: quantile(fullOn, 0.5, now),
    p90: quantile(fullOn, 0.9, now),
    fullBeforeTermEnd: fullOn.filter((day) => day <= lastDay).length / runs,
  };
}

/** From each day to the next, up to yesterday: today is not over. */
function dailyChanges(days: readonly SeatDay[], today: string): number[] {
  const over = days.filter(({ day }) => day < today);
  const [first] = over;
  if (first === undefined) return [];
  const usedOn = new Map(over.map(({ day, used }) => [day, used]));
  const changes: number[] = [];
  let before = first.used;
  for (let day = nextDay(first.day); day < today; day = nextDay(day)) {
    const used = usedOn.get(day) ?? before;
    changes.push(used - before);
    before = used;
  }
  return changes.slice(-historyDaysMax);
}

/** For each run the first day on which the seats are full, counted from today; Infinity: none. In order. */
function simulate(changes: readonly number[], { contract, taken, now, seed }: ForecastFacts): number[] {
  const capacities = capacitiesFrom(contract, now);
  const random = randomFrom(seed);
  const runOnce = () => {
    let level = taken;
    for (let day = 0; day < horizonDays; day += 1) {
      if (level >= (capacities[day] ?? 0)) return day;
      level = Math.max(0, level + (changes[Math.floor(random() * changes.length)] ?? 0));
    }
    return Number.POSITIVE_INFINITY;
  };
  return Array.from({ length: runs }, runOnce).sort((a, b) => a - b);
}

/** Seats of each day from today on, as the lines known now give them; Infinity: unlimited. */
function capacitiesFrom(contract: Contract | undefined, now: Date): number[] {
  const today = startOf(dayOf(now)).getTime();
  const changes = capacityChanges(contract, now);
  let { capacity } = termsAt(contract, now);
  return Array.from({ length: horizonDays }, (_, day) => {
    while (changes[0] !== undefined && changes[0].at.getTime() <= today + day * dayMs) {
      capacity = changes.shift()?.capacity ?? null;
    }
    return capacity ?? Number.POSITIVE_INFINITY;
  });
}

function quantile(fullOn: readonly number[], share: number, now: Date): string | null {
  const day = fullOn[Math.ceil(share * fullOn.length) - 1] ?? Number.POSITIVE_INFINITY;
  return Number.isFinite(day) ? dayOf(new Date(now.getTime() + day * dayMs)) : null;
}

/** Numbers from 0 to 1 that look like chance and follow from the seed alone (FNV-1a, then mulberry32). */
export function randomFrom(seed: string): () => number {
  let state = 0x811c9dc5;
  for (let n = 0; n < seed.length; n += 1) state = Math.imul(state ^ seed.charCodeAt(n), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The day of an instant, UTC. */
export function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}

function nextDay(day: string): string {
  return dayOf(endOf(day));
}
