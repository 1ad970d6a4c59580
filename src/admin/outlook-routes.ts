/** What is to come of the seats: who would lose one when there are fewer, and when they will be full. Nothing is written. */

import Type, { type Static } from 'typebox';
import { readForecast } from '../alerts/forecast-flow.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { type Cliff, cliffAt, foremostCliff, renewalCliff, seatsLost } from '../licensing/cliff.ts';
import type { Contract } from '../licensing/contract.ts';
import { historyDaysNeeded } from '../licensing/forecast.ts';
import { sharesOf } from '../licensing/sub-pool.ts';
import { readPool } from '../provisioning/pool-store.ts';
import { adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { selectLosers } from './cliff-store.ts';
import { type SeatCounts, selectSeats } from './contract-store.ts';
import { readDate } from './instant.ts';
import { closed, Id, nullable, problems, TenantPath, Time } from './schemas.ts';

const CliffQuery = Type.Object(
  {
    at: Type.Optional(
      Type.String({ maxLength: 40, description: 'ISO 8601: this instant in place of the next reduction.' }),
    ),
    paidSeats: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 10_000_000,
        description: 'As if the next term had so many seats; `at` is then the end of the term.',
      }),
    ),
  },
  closed,
);
const CliffAnswer = Type.Object({
  at: nullable(
    Type.String({
      format: 'date-time',
      description: 'Of a reduction whose days of grace run: when it began. null: none is known.',
    }),
  ),
  capacity: nullable(Type.Integer({ description: 'Then; null: unlimited.' })),
  limit: nullable(Type.Integer({ description: 'With what the policy allows above the capacity.' })),
  seatsGoAt: nullable(
    Type.String({ format: 'date-time', description: 'When those above it lose their seats.' }),
  ),
  used: Type.Integer({ description: 'Seats in use now, and places kept.' }),
  total: Type.Integer({ description: 'How many would lose their seats.' }),
  users: Type.Array(
    Type.Object({
      id: Id,
      userName: Type.String(),
      displayName: nullable(Type.String()),
      seat: Type.Enum(['held', 'overage']),
      priority: Type.Integer({ description: '0: a pin.' }),
      claimedAt: Time,
    }),
    { description: `The first ${limits.cliffUsersMax}, in the order in which seats are taken.` },
  ),
});
const ForecastAnswer = Type.Object({
  history: Type.Integer({ description: 'Days of history that there are.' }),
  historyNeeded: Type.Integer({ description: 'With fewer there is no forecast.' }),
  p50: nullable(
    Type.String({
      description: 'Full by this day with a probability of one half; null: not in three years.',
    }),
  ),
  p90: nullable(Type.String({ description: 'The same with a probability of nine tenths.' })),
  fullBeforeTermEnd: nullable(
    Type.Number({ description: 'Probability, 0 to 1; null: too little history, or no contract.' }),
  ),
});
const tags = ['contract'];

export function outlookRoutes(scope: AdminScope, { database, clock }: Services): void {
  scope.get(
    '/tenants/:t/seats/cliff',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Show who would lose a seat when there are fewer',
        description:
          'By the reduction whose days of grace run, else at the next one that the contract’s lines hold; at an instant; or after a renewal.',
        params: TenantPath,
        querystring: CliffQuery,
        response: { 200: CliffAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const { at, paidSeats } = request.query;
      const now = clock.now();
      const asked = { at: laterThan(now, readDate('at', at)), paidSeats };
      const answer = await inTenant(database, adminTenantOf(request).id, (tx) => readCliff(tx, asked, now));
      return reply.send(answer);
    },
  );

  scope.get(
    '/tenants/:t/seats/forecast',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Say when the seats will be full',
        description: 'If the days to come are like those of the last three months.',
        params: TenantPath,
        response: { 200: ForecastAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const forecast = await readForecast(database, adminTenantOf(request).id, clock.now());
      return reply.send({ ...forecast, historyNeeded: historyDaysNeeded });
    },
  );
}

interface Asked {
  at: Date | undefined;
  paidSeats: number | undefined;
}

/** @throws Fault `invalid` for a time that has passed: who lost a seat then is written in the audit trail. */
function laterThan(now: Date, at: Date | undefined): Date | undefined {
  if (at !== undefined && at < now) {
    throw new Fault('invalid', '"at" must not lie in the past.', { field: 'at' });
  }
  return at;
}

function cliffOf(
  { at, paidSeats }: Asked,
  contract: Contract | undefined,
  counts: SeatCounts,
  now: Date,
): Cliff | undefined {
  if (paidSeats !== undefined) return renewalCliff(contract, paidSeats, now, at);
  if (at !== undefined) return cliffAt(contract, at);
  return foremostCliff(contract, { since: counts.excessSince, used: counts }, now);
}

async function readCliff(
  tx: TenantTransaction,
  asked: Asked,
  now: Date,
): Promise<Static<typeof CliffAnswer>> {
  const [{ contract, subPools }, counts] = await Promise.all([readPool(tx), selectSeats(tx)]);
  const cliff = cliffOf(asked, contract, counts, now);
  const total = cliff === undefined ? 0 : seatsLost(cliff, counts);
  const shares = sharesOf(subPools, cliff ?? { capacity: null }, counts);
  const losers = await selectLosers(tx, shares, Math.min(total, limits.cliffUsersMax));
  return {
    at: cliff?.at.toISOString() ?? null,
    capacity: cliff?.capacity ?? null,
    limit: cliff?.limit ?? null,
    seatsGoAt: cliff?.seatsGoAt.toISOString() ?? null,
    used: counts.held + counts.overage + counts.onHold,
    total,
    users: losers.map(({ claimedAt, ...rest }) => ({ ...rest, claimedAt: claimedAt.toISOString() })),
  };
}
