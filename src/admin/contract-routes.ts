/** The contract, and the seats it gives. */

import Type, { type Static } from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { fallbackRoles } from '../licensing/catalogue.ts';
import type { ContractDraft } from '../licensing/contract.ts';
import { termsAt } from '../licensing/contract.ts';
import { putContract } from '../provisioning/contract-flow.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { type SeatCounts, selectContract, selectSeats } from './contract-store.ts';
import { closed, Name, nullable, problems, TenantPath } from './schemas.ts';

const day = '^(?!0000)\\d{4}-\\d{2}-\\d{2}$';
const Text = Type.Optional(nullable(Type.String({ maxLength: 2000 })));
const Contract = Type.Object(
  {
    kind: Type.Enum(['evaluation', 'annual', 'multi_year']),
    tier: Name,
    paidSeats: nullable(Type.Integer({ minimum: 0, maximum: 10_000_000, description: 'null: unlimited.' })),
    startsOn: Type.String({ pattern: day, description: 'The first day, YYYY-MM-DD, UTC.' }),
    endsOn: Type.String({ pattern: day, description: 'The last day, YYYY-MM-DD, UTC.' }),
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
  contract: nullable(Contract),
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
        response: { 200: Contract, ...problems },
      },
    },
    async (request, reply) => {
      const draft = readContract(request.body);
      await putContract(database, adminDoorOf(request, clock.now()), draft);
      nudgeSync();
      return reply.send(show(draft));
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
        response: { 200: Contract, ...problems },
      },
    },
    async (request, reply) => {
      const contract = await inTenant(database, adminTenantOf(request).id, selectContract);
      if (contract === undefined) throw new Fault('not_found', 'There is no contract yet.');
      return reply.send(show(contract));
    },
  );

  scope.get(
    '/tenants/:t/seats',
    {
      config: { auth: 'tenant-read' },
      schema: { tags, summary: 'Count the seats', params: TenantPath, response: { 200: Seats, ...problems } },
    },
    async (request, reply) => {
      const [contract, counts] = await inTenant(database, adminTenantOf(request).id, (tx) =>
        Promise.all([selectContract(tx), selectSeats(tx)]),
      );
      return reply.send(showSeats(contract, counts, clock.now()));
    },
  );
}

function readContract(body: Static<typeof Contract>): ContractDraft {
  const { overage, terms, documentReference, accountManager, billingPortalUrl, ...rest } = body;
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
  };
}

/** `2026-02-30` has the right form and is no day. */
function checkDay(field: string, text: string): void {
  const at = new Date(`${text}T00:00:00Z`);
  if (!Number.isNaN(at.getTime()) && at.toISOString().startsWith(text)) return;
  throw new Fault('invalid', `"${field}" must be a day of the calendar, not ${text}.`, { field });
}

function show({ policy, ...rest }: ContractDraft): Static<typeof Contract> {
  return { ...rest, overage: { policy } };
}

function showSeats(
  contract: ContractDraft | undefined,
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
    contract: contract === undefined ? null : show(contract),
  };
}
