/** Directories (one for each identity provider) and their tokens. */

import Type from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { parseId } from '../kernel/ids.ts';
import type { DirectoryKind } from '../tenants/tenant.ts';
import { createDirectory, issueToken, revokeToken } from '../tenants/tenant-flow.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { selectDirectories, selectDirectory, selectToken, selectTokens } from './credential-list-store.ts';
import { directoryIdOf, nobody, unknownDirectory } from './directory-path.ts';
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

const Kind = Type.Enum(['entra', 'okta', 'generic', 'strict']);
const DirectoryAnswer = Type.Object({ id: Id, name: Type.String(), kind: Kind, createdAt: Time });
const Token = Type.Object({
  id: Id,
  name: Type.String(),
  scope: Type.String({ description: '`scim` reads and writes, `scim.read` only reads.' }),
  createdAt: Time,
  expiresAt: nullable(Time),
  lastUsedAt: nullable(Time),
});
const tags = ['directories'];
const TokenPath = Type.Object({ t: Type.String(), id: Id, tokenId: Id });

export function directoryRoutes(scope: AdminScope, { database, clock }: Services): void {
  scope.post(
    '/tenants/:t/directories',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Add an identity provider',
        params: TenantPath,
        body: Type.Object({ name: Name, kind: Kind }, closed),
        response: { 201: DirectoryAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const { createdAt, ...made } = await createDirectory(
        database,
        adminDoorOf(request, clock.now()),
        request.body,
      );
      return reply.code(201).send(show({ ...made, created_at: createdAt }));
    },
  );

  scope.get(
    '/tenants/:t/directories',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List identity providers',
        params: TenantPath,
        querystring: PageQuery,
        response: { 200: listOf(DirectoryAnswer), ...problems },
      },
    },
    async (request, reply) =>
      reply.send(await tenantPage(database, request, request.query, selectDirectories, show)),
  );

  scope.get(
    '/tenants/:t/directories/:id',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read an identity provider',
        params: TenantAndId,
        response: { 200: DirectoryAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const id = directoryIdOf(request.params.id);
      const row = await inTenant(database, adminTenantOf(request).id, (tx) => selectDirectory(tx, id));
      if (row === undefined) throw unknownDirectory(id);
      return reply.send(show(row));
    },
  );
}

export function directoryTokenRoutes(scope: AdminScope, { database, clock }: Services): void {
  scope.post(
    '/tenants/:t/directories/:id/tokens',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Issue a token for an identity provider',
        description: 'Several live at a time, so that one can be rotated without a gap.',
        params: TenantAndId,
        body: Type.Object({ name: Name, expiresAt: Type.Optional(nullable(Time)) }, closed),
        response: {
          201: Type.Object({ id: Id, token: Type.String({ description: 'Shown this once.' }) }),
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const now = clock.now();
      const draft = { name: request.body.name, expiresAt: readExpiry(request.body.expiresAt, now) };
      const directoryId = directoryIdOf(request.params.id);
      const door = adminDoorOf(request, now);
      return reply.code(201).send(await issueToken(database, door, directoryId, draft));
    },
  );

  scope.get(
    '/tenants/:t/directories/:id/tokens',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List the tokens of an identity provider',
        params: TenantAndId,
        querystring: PageQuery,
        response: { 200: listOf(Token), ...problems },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const [directoryId, after] = [directoryIdOf(request.params.id), afterId(query)];
      const [directory, rows] = await inTenant(database, adminTenantOf(request).id, (tx) =>
        Promise.all([
          selectDirectory(tx, directoryId),
          selectTokens(tx, directoryId, after, readLimit(query)),
        ]),
      );
      if (directory === undefined) throw unknownDirectory(directoryId);
      return reply.send(toPage(query, rows, ({ id }) => id, showToken));
    },
  );

  scope.get(
    '/tenants/:t/directories/:id/tokens/:tokenId',
    {
      config: { auth: 'tenant-read' },
      schema: { tags, summary: 'Read a token', params: TokenPath, response: { 200: Token, ...problems } },
    },
    async (request, reply) => {
      const directoryId = directoryIdOf(request.params.id);
      const tokenId = parseId<string>(request.params.tokenId) ?? nobody;
      const row = await inTenant(database, adminTenantOf(request).id, (tx) =>
        selectToken(tx, directoryId, tokenId),
      );
      if (row === undefined)
        throw new Fault('not_found', `There is no token ${request.params.tokenId} here.`);
      return reply.send(showToken(row));
    },
  );

  scope.delete(
    '/tenants/:t/directories/:id/tokens/:tokenId',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Revoke a token at once',
        params: TokenPath,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      const directoryId = directoryIdOf(request.params.id);
      const tokenId = parseId<string>(request.params.tokenId) ?? nobody;
      await revokeToken(database, adminDoorOf(request, clock.now()), directoryId, tokenId);
      return reply.code(204).send(null);
    },
  );
}

function show(row: { id: string; name: string; kind: DirectoryKind; created_at: Date }) {
  return { id: row.id, name: row.name, kind: row.kind, createdAt: row.created_at.toISOString() };
}

function showToken(row: Awaited<ReturnType<typeof selectTokens>>[number]) {
  return {
    id: row.id,
    name: row.name,
    scope: row.scope,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
  };
}
