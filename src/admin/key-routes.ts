/** Keys of the admin API: of operators, and of a tenant's own people. A key is answered once. */

import Type from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { parseId } from '../kernel/ids.ts';
import { createKey, createOperator, revokeKey, revokeOperator } from '../tenants/tenant-flow.ts';
import { adminActorOf, adminDoorOf, adminLineageOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { selectKey, selectKeys, selectOperator, selectOperators } from './credential-list-store.ts';
import { readExpiry } from './expiry.ts';
import { tenantPage } from './page-hook.ts';
import { afterId, readLimit, toPage } from './paging.ts';
import {
  closed,
  Id,
  listOf,
  Name,
  nullable,
  PageQuery,
  problems,
  TenantAndId,
  TenantPath,
  Time,
} from './schemas.ts';

const Secret = Type.Object({ id: Id, key: Type.String({ description: 'Shown this once.' }) });
const Operator = Type.Object({ id: Id, name: Type.String(), createdAt: Time });
const Role = Type.Enum(['owner', 'admin', 'auditor'], { description: 'An auditor only reads.' });
const Key = Type.Object({
  id: Id,
  name: Type.String(),
  role: Role,
  createdAt: Time,
  expiresAt: nullable(Time),
});
const OperatorPath = Type.Object({ id: Id });
const KeyDraft = Type.Object({ name: Name, role: Role, expiresAt: Type.Optional(nullable(Time)) }, closed);
const tags = ['keys'];

export function operatorRoutes(scope: AdminScope, { database, clock }: Services): void {
  const config = { auth: 'operator' } as const;
  scope.post(
    '/operators',
    {
      config,
      schema: {
        tags,
        summary: 'Make an operator',
        body: Type.Object({ name: Name }, closed),
        response: { 201: Secret, ...problems },
      },
    },
    async (request, reply) => {
      const made = await createOperator(database, clock.now(), request.body.name, adminLineageOf(request));
      // Operators belong to no tenant, and so to no tenant's trail.
      request.log.info({ operator: made.id, by: adminActorOf(request) }, 'operator made');
      return reply.code(201).send(made);
    },
  );

  scope.get(
    '/operators',
    {
      config,
      schema: {
        tags,
        summary: 'List operators',
        querystring: PageQuery,
        response: { 200: listOf(Operator), ...problems },
      },
    },
    async ({ query }, reply) => {
      const rows = await selectOperators(database, afterId(query), readLimit(query));
      return reply.send(toPage(query, rows, ({ id }) => id, showOperator));
    },
  );

  scope.get(
    '/operators/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Read an operator',
        params: OperatorPath,
        response: { 200: Operator, ...problems },
      },
    },
    async (request, reply) => {
      const id = operatorIdOf(request.params.id);
      const row = await selectOperator(database, id);
      if (row === undefined) throw unknownOperator(id);
      return reply.send(showOperator(row));
    },
  );

  scope.delete(
    '/operators/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Revoke an operator’s key at once',
        params: OperatorPath,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      const id = operatorIdOf(request.params.id);
      await revokeOperator(database, id);
      request.log.info({ operator: id, by: adminActorOf(request) }, 'operator revoked');
      return reply.code(204).send(null);
    },
  );
}

export function keyRoutes(scope: AdminScope, { database, clock }: Services): void {
  scope.post(
    '/tenants/:t/keys',
    {
      config: { auth: 'tenant-owner' },
      schema: {
        tags,
        summary: 'Make a key of a tenant',
        params: TenantPath,
        body: KeyDraft,
        response: { 201: Secret, ...problems },
      },
    },
    async (request, reply) => {
      const { name, role, expiresAt } = request.body;
      const now = clock.now();
      const draft = { name, role, expiresAt: readExpiry(expiresAt, now) };
      const door = adminDoorOf(request, now);
      return reply.code(201).send(await createKey(database, door, draft, adminLineageOf(request)));
    },
  );

  scope.get(
    '/tenants/:t/keys',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List the keys of a tenant',
        params: TenantPath,
        querystring: PageQuery,
        response: { 200: listOf(Key), ...problems },
      },
    },
    async (request, reply) =>
      reply.send(await tenantPage(database, request, request.query, selectKeys, showKey)),
  );

  scope.get(
    '/tenants/:t/keys/:id',
    {
      config: { auth: 'tenant-read' },
      schema: { tags, summary: 'Read a key', params: TenantAndId, response: { 200: Key, ...problems } },
    },
    async (request, reply) => {
      const id = keyIdOf(request.params.id);
      const row = await inTenant(database, adminTenantOf(request).id, (tx) => selectKey(tx, id));
      if (row === undefined) throw unknownKey(id);
      return reply.send(showKey(row));
    },
  );

  scope.delete(
    '/tenants/:t/keys/:id',
    {
      config: { auth: 'tenant-owner' },
      schema: {
        tags,
        summary: 'Revoke a key at once',
        params: TenantAndId,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      await revokeKey(database, adminDoorOf(request, clock.now()), keyIdOf(request.params.id));
      return reply.code(204).send(null);
    },
  );
}

function operatorIdOf(text: string): string {
  const id = parseId<string>(text);
  if (id === undefined) throw unknownOperator(text);
  return id;
}

function unknownOperator(id: string): Fault {
  return new Fault('not_found', `There is no operator ${id}.`);
}

function keyIdOf(text: string): string {
  const id = parseId<string>(text);
  if (id === undefined) throw unknownKey(text);
  return id;
}

function unknownKey(id: string): Fault {
  return new Fault('not_found', `There is no key ${id}.`);
}

function showOperator({ id, name, created_at }: { id: string; name: string; created_at: Date }) {
  return { id, name, createdAt: created_at.toISOString() };
}

function showKey(row: {
  id: string;
  name: string;
  role: 'owner' | 'admin' | 'auditor';
  created_at: Date;
  expires_at: Date | null;
}) {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
  };
}
