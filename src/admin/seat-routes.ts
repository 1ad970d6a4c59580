/** The seats of a contract: how many there are and are used, and the batch of claims that waits to be settled. */

import Type, { type Static } from 'typebox';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import type { TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { excessEnd } from '../licensing/cliff.ts';
import type { ContractDraft, Contract as ContractInForce } from '../licensing/contract.ts';
import { ofTerm, termsAt } from '../licensing/contract.ts';
import { excessOf, noExcess } from '../licensing/excess.ts';
import { settleBatch } from '../provisioning/settle-flow.ts';
import { type Verification, verifySeats } from '../provisioning/verify-flow.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { ContractAnswer, showContract, showInForce, showNext } from './contract-form.ts';
import { type SeatCounts, selectContract, selectContractInForce, selectSeats } from './contract-store.ts';
import { Id, nullable, problems, SubPoolName, TenantPath, Time } from './schemas.ts';

const Seats = Type.Object({
  capacity: nullable(Type.Integer({ description: 'null: unlimited.' })),
  held: Type.Integer(),
  overage: Type.Integer(),
  onHold: Type.Integer(),
  queued: Type.Integer({ description: 'People who wait for a seat, in the order of the queue.' }),
  awaitingApproval: Type.Integer({ description: 'People whose claim waits for somebody’s word.' }),
  available: nullable(Type.Integer()),
  unmanagedPaid: Type.Integer({ description: 'People with a paid role whom Blue has without the gateway.' }),
  batch: nullable(
    Type.Object(
      { openedAt: Time, settlesAt: nullable(Time) },
      {
        description: 'Claims that wait for the end of a batch; settlesAt null: until it is settled by hand.',
      },
    ),
  ),
  excess: nullable(
    Type.Object(
      {
        seats: Type.Integer({ description: 'They go then.' }),
        overage: Type.Integer({ description: 'Held seats that count as above the capacity from then on.' }),
        until: Time,
      },
      { description: 'Seats above a capacity that fell, and until when all of them are kept.' },
    ),
  ),
  staged: nullable(
    Type.Object(
      { people: Type.Integer(), since: Time },
      {
        description:
          'People whose decisions the breaker stopped, and since when; null: nobody waits for that.',
      },
    ),
  ),
  blockLiftedAt: nullable(
    Type.String({ format: 'date-time', description: 'Since when policy block stands as queue.' }),
  ),
  contract: nullable(ContractAnswer),
});
const Settled = Type.Object({
  ...Seats.properties,
  settled: Type.Boolean({ description: 'false: no batch was open, and nothing was done.' }),
});
const Used = Type.Object({ held: Type.Integer(), overage: Type.Integer(), onHold: Type.Integer() });
const Verified = Type.Object({
  ok: Type.Boolean(),
  people: Type.Integer({ description: 'Who were compared.' }),
  differing: Type.Array(Id, { description: 'Of them, the first whose stored decision is another.' }),
  counted: Used,
  found: Used,
  subPools: Type.Array(Type.Object({ name: SubPoolName, counted: Type.Integer(), found: Type.Integer() }), {
    description: 'Sub-pools whose count is another than that of the decisions.',
  }),
});
const tags = ['seats'];

export function seatRoutes(scope: AdminScope, { database, clock, nudgeSync }: Services): void {
  const counted = (tenantId: TenantId) =>
    inTenant(database, tenantId, async (tx: TenantTransaction) => {
      const now = clock.now();
      const [contract, draft, counts] = await Promise.all([
        selectContractInForce(tx),
        selectContract(tx, now),
        selectSeats(tx),
      ]);
      return showSeats(contract, draft, counts, now);
    });

  scope.get(
    '/tenants/:t/seats',
    {
      config: { auth: 'tenant-read' },
      schema: { tags, summary: 'Count the seats', params: TenantPath, response: { 200: Seats, ...problems } },
    },
    async (request, reply) => reply.send(await counted(adminTenantOf(request).id)),
  );

  scope.get(
    '/tenants/:t/seats/verify',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Compare what is stored with what deciding again gives',
        description:
          'Nothing is written. A write that happens meanwhile may show, and is gone the next time.',
        params: TenantPath,
        response: { 200: Verified, ...problems },
      },
    },
    async (request, reply) => {
      const verified = await verifySeats(
        database,
        adminTenantOf(request).id,
        clock.now(),
        limits.listLimitMax,
      );
      return reply.send({ ok: isSound(verified), ...verified });
    },
  );

  scope.post(
    '/tenants/:t/seats/settle',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Give the free seats to those who wait in the open batch',
        description: 'Settings: settlement cycle or staged. Where no batch is open nothing happens.',
        params: TenantPath,
        response: { 200: Settled, ...problems },
      },
    },
    async (request, reply) => {
      const settled = await settleBatch(database, adminDoorOf(request, clock.now()));
      nudgeSync();
      return reply.send({ ...(await counted(adminTenantOf(request).id)), settled });
    },
  );
}

function isSound({ differing, counted, found, subPools }: Verification): boolean {
  const isCounted = JSON.stringify(counted) === JSON.stringify(found);
  return differing.length === 0 && isCounted && subPools.length === 0;
}

function showSeats(
  contract: ContractInForce | undefined,
  draft: ContractDraft | undefined,
  counts: SeatCounts,
  now: Date,
): Static<typeof Seats> {
  const { held, overage, onHold, waiting, unmanagedPaid, batchOpenedAt, settlesAt, excessSince } = counts;
  const terms = termsAt(contract, now);
  const { capacity } = terms;
  const excess = excessSince === null ? noExcess : excessOf(terms, counts);
  return {
    capacity,
    held,
    overage,
    onHold,
    queued: waiting,
    awaitingApproval: counts.awaitingApproval,
    available: capacity === null ? null : Math.max(0, capacity - held - onHold - unmanagedPaid),
    unmanagedPaid,
    batch:
      batchOpenedAt === null
        ? null
        : { openedAt: batchOpenedAt.toISOString(), settlesAt: settlesAt?.toISOString() ?? null },
    excess:
      excessSince === null || excess.lost + excess.lowered === 0
        ? null
        : {
            seats: excess.lost,
            overage: excess.lowered,
            until: excessEnd(contract, excessSince, now).toISOString(),
          },
    staged: counts.staged,
    blockLiftedAt: ofTerm(contract, counts.blockLiftedAt, now)?.toISOString() ?? null,
    contract:
      draft === undefined
        ? null
        : { ...showContract(draft), inForce: showInForce(contract, now), next: showNext(contract, now) },
  };
}
