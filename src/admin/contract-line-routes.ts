/** What changes a contract from a day on: amendments, add-ons and ramps; and what the books said at any instant. */

import Type, { type Static } from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { parseId } from '../kernel/ids.ts';
import { addLine, type LineDraft, withdrawLine } from '../provisioning/contract-flow.ts';
import { type StoredLine, selectLines } from '../provisioning/contract-line-store.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { checkDay, Day } from './day.ts';
import { readInstant } from './instant.ts';
import { closed, Id, Name, nullable, problems, TenantAndId, TenantPath, Time } from './schemas.ts';

const seatsMax = 10_000_000;
const noted = {
  reason: Type.String({ minLength: 1, maxLength: 2000 }),
  documentReference: Type.Optional(nullable(Type.String({ maxLength: 2000 }))),
};
const Amendment = Type.Object(
  {
    effectiveOn: Day,
    paidSeats: Type.Optional(
      nullable(
        Type.Integer({
          minimum: 0,
          maximum: seatsMax,
          description: 'The new total from that day on; null: unlimited. Left out: as before.',
        }),
      ),
    ),
    tier: Type.Optional(Name),
    endsOn: Type.Optional(Day),
    ...noted,
  },
  closed,
);
const Line = Type.Object(
  {
    kind: Type.Enum(['add_on', 'ramp'], {
      description: 'An add-on may end before the contract; a ramp stays.',
    }),
    startsOn: Day,
    endsOn: Type.Optional(nullable(Day)),
    paidSeats: Type.Integer({ minimum: 1, maximum: seatsMax, description: 'On top of the total.' }),
    ...noted,
  },
  closed,
);
const LineAnswer = Type.Object({
  id: Id,
  kind: Type.Enum(['base', 'amendment', 'add_on', 'ramp']),
  effectiveOn: Day,
  endsOn: nullable(Day),
  paidSeats: Type.Optional(nullable(Type.Integer())),
  tier: nullable(Type.String()),
  contractEndsOn: nullable(Day),
  reason: nullable(Type.String()),
  documentReference: nullable(Type.String()),
  recordedAt: Time,
  supersededAt: nullable(Time),
});
const Lines = Type.Object({ items: Type.Array(LineAnswer), nextCursor: Type.Null() });
const Books = Type.Object(
  {
    recordedAt: Type.Optional(
      Type.String({ maxLength: 40, description: 'ISO 8601: as the books stood then; as they stand now.' }),
    ),
  },
  closed,
);
const tags = ['contract'];

export function contractLineRoutes(scope: AdminScope, services: Services): void {
  const { database, clock, nudgeSync } = services;
  scope.post(
    '/tenants/:t/contract/amendments',
    {
      config: { auth: 'operator' },
      schema: {
        tags,
        summary: 'Amend the contract from a day on',
        description: 'A day in the past counts from then on, and changes nothing that was reported.',
        params: TenantPath,
        body: Amendment,
        response: { 201: LineAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const draft = readAmendment(request.body);
      const line = await addLine(database, adminDoorOf(request, clock.now()), draft);
      nudgeSync();
      return reply.code(201).send(show(line));
    },
  );

  scope.post(
    '/tenants/:t/contract/lines',
    {
      config: { auth: 'operator' },
      schema: {
        tags,
        summary: 'Add seats on top of the total: an add-on for a time, or a step of a ramp',
        params: TenantPath,
        body: Line,
        response: { 201: LineAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const line = await addLine(database, adminDoorOf(request, clock.now()), readLine(request.body));
      nudgeSync();
      return reply.code(201).send(show(line));
    },
  );
  lineReadRoutes(scope, services);
}

function lineReadRoutes(scope: AdminScope, { database, clock, nudgeSync }: Services): void {
  for (const [path, isListed, summary] of [
    ['amendments', ({ kind }: StoredLine) => kind === 'amendment', 'List the amendments that hold'],
    ['lines', () => true, 'List every line that holds, the base line too'],
  ] as const) {
    scope.get(
      `/tenants/:t/contract/${path}`,
      {
        config: { auth: 'tenant-read' },
        schema: {
          tags,
          summary,
          params: TenantPath,
          querystring: Books,
          response: { 200: Lines, ...problems },
        },
      },
      async (request, reply) => {
        const books = readInstant('recordedAt', request.query.recordedAt) ?? clock.now();
        const lines = await inTenant(database, adminTenantOf(request).id, (tx) => selectLines(tx, books));
        return reply.send({ items: lines.filter(isListed).map(show), nextCursor: null });
      },
    );
  }

  scope.delete(
    '/tenants/:t/contract/lines/:id',
    {
      config: { auth: 'operator' },
      schema: {
        tags,
        summary: 'Withdraw a line; the books keep it',
        params: TenantAndId,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      const id = parseId<string>(request.params.id);
      if (id === undefined)
        throw new Fault('not_found', `There is no line ${request.params.id} in the contract.`);
      await withdrawLine(database, adminDoorOf(request, clock.now()), id);
      nudgeSync();
      return reply.code(204).send(null);
    },
  );
}

function readAmendment(body: Static<typeof Amendment>): LineDraft {
  const { effectiveOn, paidSeats, tier, endsOn, reason, documentReference = null } = body;
  checkDay('effectiveOn', effectiveOn);
  if (endsOn !== undefined) checkDay('endsOn', endsOn);
  if (paidSeats === undefined && tier === undefined && endsOn === undefined) {
    throw new Fault('invalid', 'An amendment changes "paidSeats", "tier" or "endsOn".', {
      field: 'paidSeats',
    });
  }
  return {
    kind: 'amendment',
    effectiveOn,
    endsOn: null,
    setsSeats: paidSeats !== undefined,
    paidSeats: paidSeats ?? null,
    tier: tier ?? null,
    contractEndsOn: endsOn ?? null,
    reason,
    documentReference,
  };
}

function readLine(body: Static<typeof Line>): LineDraft {
  const { kind, startsOn, endsOn = null, paidSeats, reason, documentReference = null } = body;
  checkDay('startsOn', startsOn);
  if (endsOn !== null) checkDay('endsOn', endsOn);
  if (kind === 'ramp' && endsOn !== null) {
    throw new Fault('invalid', '"endsOn" goes with an add-on: a step of a ramp stays.', { field: 'endsOn' });
  }
  const nothingElse = { tier: null, contractEndsOn: null, setsSeats: false };
  return { ...nothingElse, kind, effectiveOn: startsOn, endsOn, paidSeats, reason, documentReference };
}

function show(line: StoredLine): Static<typeof LineAnswer> {
  const { document: _, setsSeats, paidSeats, recordedAt: at, supersededAt, ...rest } = line;
  return {
    ...rest,
    ...(setsSeats || line.kind === 'add_on' || line.kind === 'ramp' ? { paidSeats } : {}),
    recordedAt: at.toISOString(),
    supersededAt: supersededAt?.toISOString() ?? null,
  };
}
