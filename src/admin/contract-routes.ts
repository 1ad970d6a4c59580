/** The contract, and the seats it gives. */

import Type, { type Static } from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { fallbackRoles } from '../licensing/catalogue.ts';
import type { ContractDraft, Contract as ContractInForce, ContractLine } from '../licensing/contract.ts';
import { termsAt } from '../licensing/contract.ts';
import { putContract } from '../provisioning/contract-flow.ts';
import { type StoredLine, selectLines } from '../provisioning/contract-line-store.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { type SeatCounts, selectContract, selectContractInForce, selectSeats } from './contract-store.ts';
import { checkDay, Day } from './day.ts';
import { readInstant } from './instant.ts';
import { closed, Name, nullable, problems, TenantPath, Time } from './schemas.ts';

const Text = Type.Optional(nullable(Type.String({ maxLength: 2000 })));
const Contract = Type.Object(
  {
    kind: Type.Enum(['evaluation', 'annual', 'multi_year']),
    tier: Name,
    paidSeats: nullable(Type.Integer({ minimum: 0, maximum: 10_000_000, description: 'null: unlimited.' })),
    startsOn: Day,
    endsOn: Day,
    paymentSchedule: Type.Enum(['annual', 'quarterly', 'custom']),
    overage: Type.Object(
      {
        policy: Type.Enum(['queue', 'fallback', 'block'], {
          description: 'What happens to a person for whom no seat is free.',
        }),
      },
      closed,
    ),
    fallbackRole: Type.Enum([...fallbackRoles], {
      description: 'Instead of a paid role without a seat.',
    }),
    terms: Text,
    documentReference: Text,
    accountManager: Text,
    billingPortalUrl: Text,
    evaluationGraceDays: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 365,
        default: 14,
        description: 'After an evaluation holders keep their roles for so many days.',
      }),
    ),
  },
  closed,
);
const InForce = Type.Object({
  at: Time,
  phase: Type.Enum(['none', 'upcoming', 'running', 'grace', 'frozen', 'ended']),
  tier: nullable(Type.String()),
  capacity: nullable(
    Type.Integer({ description: 'Base line, amendments and what stands on top. null: unlimited.' }),
  ),
  endsOn: nullable(Type.String()),
});
const ContractAnswer = Type.Interface([Contract], { inForce: InForce });
const When = Type.Object(
  {
    at: Type.Optional(Type.String({ maxLength: 40, description: 'ISO 8601: what is in force then; now.' })),
    recordedAt: Type.Optional(
      Type.String({ maxLength: 40, description: 'ISO 8601: as the books stood then; as they stand now.' }),
    ),
  },
  closed,
);
const Seats = Type.Object({
  capacity: nullable(Type.Integer({ description: 'null: unlimited.' })),
  held: Type.Integer(),
  overage: Type.Integer(),
  onHold: Type.Integer(),
  queued: Type.Integer({ description: 'People who wait for a seat.' }),
  available: nullable(Type.Integer()),
  unmanagedPaid: Type.Integer({ description: 'People with a paid role whom Blue has without the gateway.' }),
  contract: nullable(ContractAnswer),
});
const tags = ['contract'];

export function contractRoutes(scope: AdminScope, { database, clock, nudgeSync }: Services): void {
  scope.put(
    '/tenants/:t/contract',
    {
      config: { auth: 'operator' },
      schema: {
        tags,
        summary: 'Write the contract',
        description: 'More seats are granted at once, in the order of the queue; fewer take nobody’s away.',
        params: TenantPath,
        body: Contract,
        response: { 200: ContractAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const now = clock.now();
      const draft = readContract(request.body);
      await putContract(database, adminDoorOf(request, now), draft);
      nudgeSync();
      const contract = await inTenant(database, adminTenantOf(request).id, selectContractInForce);
      return reply.send({ ...show(draft), inForce: showInForce(contract, now) });
    },
  );

  scope.get(
    '/tenants/:t/contract',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read the contract',
        params: TenantPath,
        querystring: When,
        response: { 200: ContractAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const { at, recordedAt: known } = request.query;
      const now = clock.now();
      const [then, books] = [readInstant('at', at) ?? now, readInstant('recordedAt', known) ?? now];
      const lines = await inTenant(database, adminTenantOf(request).id, (tx) => selectLines(tx, books));
      const base = lines.find(({ document }) => document !== null)?.document;
      if (base == null) throw new Fault('not_found', 'There is no contract yet.');
      return reply.send({
        ...show(base),
        inForce: showInForce({ ...base, lines: lines.filter(isNoBase) }, then),
      });
    },
  );

  scope.get(
    '/tenants/:t/seats',
    {
      config: { auth: 'tenant-read' },
      schema: { tags, summary: 'Count the seats', params: TenantPath, response: { 200: Seats, ...problems } },
    },
    async (request, reply) => {
      const [contract, draft, counts] = await inTenant(database, adminTenantOf(request).id, (tx) =>
        Promise.all([selectContractInForce(tx), selectContract(tx), selectSeats(tx)]),
      );
      return reply.send(showSeats(contract, draft, counts, clock.now()));
    },
  );
}

function readContract(body: Static<typeof Contract>): ContractDraft {
  const { overage, terms, documentReference, accountManager, billingPortalUrl, ...rest } = body;
  const { evaluationGraceDays = 14 } = body;
  for (const field of ['startsOn', 'endsOn'] as const) checkDay(field, body[field]);
  if (body.endsOn < body.startsOn) {
    throw new Fault('invalid', '"endsOn" must not be before "startsOn".', { field: 'endsOn' });
  }
  return {
    ...rest,
    policy: overage.policy,
    terms: terms ?? null,
    documentReference: documentReference ?? null,
    accountManager: accountManager ?? null,
    billingPortalUrl: billingPortalUrl ?? null,
    evaluationGraceDays,
  };
}

function show({ policy, ...rest }: ContractDraft): Static<typeof Contract> {
  return { ...rest, overage: { policy } };
}

function showInForce(contract: ContractInForce | undefined, at: Date): Static<typeof InForce> {
  const { phase, tier, capacity, endsOn } = termsAt(contract, at);
  return { at: at.toISOString(), phase, tier, capacity, endsOn };
}

function isNoBase(line: StoredLine): line is StoredLine & ContractLine {
  return line.kind !== 'base';
}

function showSeats(
  contract: ContractInForce | undefined,
  draft: ContractDraft | undefined,
  { held, waiting, unmanagedPaid }: SeatCounts,
  now: Date,
): Static<typeof Seats> {
  const { capacity } = termsAt(contract, now);
  return {
    capacity,
    held,
    overage: 0,
    onHold: 0,
    queued: waiting,
    available: capacity === null ? null : Math.max(0, capacity - held - unmanagedPaid),
    unmanagedPaid,
    contract: draft === undefined ? null : { ...show(draft), inForce: showInForce(contract, now) },
  };
}
