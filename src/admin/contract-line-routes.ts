/** What changes a contract from a day on: amendments, add-ons and ramps; and what the books said at any instant. */

import Type, { type Static } from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { addLine, withdrawLine } from '../provisioning/contract-flow.ts';
import { type StoredLine, selectLines } from '../provisioning/contract-line-store.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { Amendment, Line, lineIdOf, readAmendment, readLine } from './contract-line-form.ts';
import { Day } from './day.ts';
import { readInstant } from './instant.ts';
import { closed, Id, nullable, problems, TenantAndId, TenantPath, Time } from './schemas.ts';

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
      config: {
        auth: 'operator',
        edit: ({ body }) => ({ op: 'amendment', line: readAmendment(body as Static<typeof Amendment>) }),
      },
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
      config: {
        auth: 'operator',
        edit: ({ body }) => ({ op: 'amendment', line: readLine(body as Static<typeof Line>) }),
      },
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
      config: {
        auth: 'operator',
        edit: ({ params }) => ({ op: 'withdrawal', lineId: lineIdOf((params as { id: string }).id) }),
      },
      schema: {
        tags,
        summary: 'Withdraw a line; the books keep it',
        params: TenantAndId,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      await withdrawLine(database, adminDoorOf(request, clock.now()), lineIdOf(request.params.id));
      nudgeSync();
      return reply.code(204).send(null);
    },
  );
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
