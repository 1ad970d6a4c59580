/** What a contract means at an instant: how many paid seats there are, and whether one may be granted. */

import type { FallbackRole } from './catalogue.ts';

/** What happens to a person who wants a paid role when no seat is free. */
export type OveragePolicy = 'queue' | 'fallback' | 'block';

export interface Contract {
  kind: 'evaluation' | 'annual' | 'multi_year';
  tier: string;
  /** null: unlimited. */
  paidSeats: number | null;
  /** First and last day, `YYYY-MM-DD`, UTC. */
  startsOn: string;
  endsOn: string;
  policy: OveragePolicy;
  fallbackRole: FallbackRole;
}

/** A contract with what is noted of it and no rule reads. */
export interface ContractDraft extends Contract {
  paymentSchedule: 'annual' | 'quarterly' | 'custom';
  terms: string | null;
  documentReference: string | null;
  accountManager: string | null;
  billingPortalUrl: string | null;
}

export interface Terms {
  /** Seats; null: unlimited. */
  capacity: number | null;
  /** false: holders stay, nobody gets a new seat. */
  grants: boolean;
  policy: OveragePolicy;
  fallbackRole: FallbackRole;
}

const withoutContract: Terms = { capacity: 0, grants: false, policy: 'queue', fallbackRole: 'view_only' };

/** After its last day a contract keeps its holders and grants nothing new. */
export function termsAt(contract: Contract | undefined, now: Date): Terms {
  if (contract === undefined || now < startOf(contract)) return withoutContract;
  const { paidSeats, policy, fallbackRole } = contract;
  return { capacity: paidSeats, grants: now < endOf(contract), policy, fallbackRole };
}

/** The next instant at which `termsAt` changes by itself, if there is one. */
export function nextChange(contract: Contract | undefined, now: Date): Date | undefined {
  if (contract === undefined) return undefined;
  return [startOf(contract), endOf(contract)].find((instant) => now < instant);
}

function startOf({ startsOn }: Contract): Date {
  return new Date(`${startsOn}T00:00:00Z`);
}

/** The first instant after the last day. */
function endOf({ endsOn }: Contract): Date {
  return new Date(Date.parse(`${endsOn}T00:00:00Z`) + 86_400_000);
}

/**
 * How many seats may be granted now.
 *
 * @param used Seats that are held, and paid people the gateway did not make.
 */
export function freeSeats({ capacity, grants }: Terms, used: number): number {
  if (!grants) return 0;
  return capacity === null ? Number.POSITIVE_INFINITY : Math.max(0, capacity - used);
}
