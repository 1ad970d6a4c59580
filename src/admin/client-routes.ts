/** Machines that get access tokens for a directory at the token endpoint, and their secrets. */

import Type, { type Static } from 'typebox';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { type ClientId, type DirectoryId, parseId } from '../kernel/ids.ts';
import type { Trust } from '../oauth/assertion-client.ts';
import {
  createClient,
  createSecret,
  removeClient,
  revokeSecret,
  unknownClientOf,
} from '../oauth/client-flow.ts';
import { selectClient, selectClients, selectSecrets } from '../oauth/client-store.ts';
import { checkIssuer } from '../outbound/outbound-client.ts';
import { scopes as everyScope } from '../tenants/scope.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { selectDirectory } from './credential-list-store.ts';
import { directoryIdOf, nobody, unknownDirectory } from './directory-path.ts';
import { readExpiry } from './expiry.ts';
import { afterId, readLimit, toPage } from './paging.ts';
import { closed, Id, listOf, Name, nullable, PageQuery, problems, TenantAndId, Time } from './schemas.ts';

const Text = Type.String({ minLength: 1, maxLength: 2000 });
const Scopes = Type.Array(Type.Enum([...everyScope]), {
  minItems: 1,
  uniqueItems: true,
  default: ['scim'],
  description: 'What it may ask for, and gets when it asks for nothing.',
});
const ClientBody = Type.Object(
  {
    name: Name,
    scopes: Type.Optional(Scopes),
    issuer: Type.Optional(
      Type.String({
        ...Text,
        description: 'Whose assertions it shows (RFC 7523): its `iss`. Else it has a secret.',
      }),
    ),
    audience: Type.Optional(Type.String({ ...Text, description: 'The `aud` of its assertions.' })),
    subject: Type.Optional(Type.String({ ...Text, description: 'The `sub` of its assertions.' })),
  },
  closed,
);
const Secret = Type.Object({
  id: Id,
  createdAt: Time,
  expiresAt: nullable(Time),
  lastUsedAt: nullable(Time),
});
const client = {
  id: Id,
  clientId: Id,
  name: Type.String(),
  scopes: Type.Array(Type.String()),
  issuer: nullable(Type.String()),
  audience: nullable(Type.String()),
  subject: nullable(Type.String()),
  createdAt: Time,
  secrets: Type.Array(Secret),
};
const Client = Type.Object(client);
const ShownOnce = Type.String({ description: 'Shown this once.' });
const path = { t: Type.String(), id: Id, clientId: Id };
const ClientPath = Type.Object(path);
const tags = ['clients'];
const base = '/tenants/:t/directories/:id/clients';

export function clientRoutes(scope: AdminScope, services: Services): void {
  const { database, clock } = services;
  scope.post(
    base,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Add a client of the token endpoint',
        description: 'With `issuer`, `audience` and `subject` it shows assertions, and has no secret.',
        params: TenantAndId,
        body: ClientBody,
        response: {
          201: Type.Object({ ...client, clientSecret: Type.Optional(ShownOnce) }),
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const directoryId = directoryIdOf(request.params.id);
      const draft = readClient(request.body, services);
      const made = await createClient(database, adminDoorOf(request, clock.now()), directoryId, draft);
      const shown = await readOne(request.params, adminTenantOf(request).id, made.id);
      const secret = made.secret === undefined ? {} : { clientSecret: made.secret.secret };
      return reply.code(201).send({ ...shown, ...secret });
    },
  );

  const readOne = async (params: { id: string }, tenantId: Parameters<typeof inTenant>[1], id: string) => {
    const directoryId = directoryIdOf(params.id);
    const found = await inTenant(database, tenantId, async (tx) => {
      const row = await selectClient(tx, directoryId, id);
      return row === undefined ? undefined : { row, secrets: await selectSecrets(tx, [id]) };
    });
    if (found === undefined) throw unknownClientOf(id);
    return show(found.row, found.secrets);
  };

  scope.get(
    `${base}/:clientId`,
    {
      config: { auth: 'tenant-read' },
      schema: { tags, summary: 'Read a client', params: ClientPath, response: { 200: Client, ...problems } },
    },
    async (request, reply) => {
      const { clientId } = request.params;
      const id = parseId<ClientId>(clientId);
      if (id === undefined) throw unknownClientOf(clientId);
      return reply.send(await readOne(request.params, adminTenantOf(request).id, id));
    },
  );

  clientListRoute(scope, services);
  clientRemovalRoute(scope, services);
}

function clientListRoute(scope: AdminScope, { database }: Services): void {
  scope.get(
    base,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List the clients of an identity provider',
        params: TenantAndId,
        querystring: PageQuery,
        response: { 200: listOf(Client), ...problems },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const directoryId = directoryIdOf(request.params.id);
      const after = afterId(query);
      const { rows, secrets } = await inTenant(database, adminTenantOf(request).id, (tx) =>
        readPage(tx, directoryId, after, readLimit(query)),
      );
      return reply.send(
        toPage(
          query,
          rows,
          ({ id }) => id,
          (row) => show(row, secrets),
        ),
      );
    },
  );
}

function clientRemovalRoute(scope: AdminScope, { database, clock }: Services): void {
  scope.delete(
    `${base}/:clientId`,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Remove a client, and end its access tokens at once',
        params: ClientPath,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      const { directoryId, clientId } = idsOf(request.params);
      await removeClient(database, adminDoorOf(request, clock.now()), directoryId, clientId);
      return reply.code(204).send(null);
    },
  );
}

export function clientSecretRoutes(scope: AdminScope, { database, clock }: Services): void {
  const config = { auth: 'tenant-write' } as const;
  scope.post(
    `${base}/:clientId/secrets`,
    {
      config,
      schema: {
        tags,
        summary: 'Add a secret to a client',
        description: 'Several live at a time, so that one can be rotated without a gap.',
        params: ClientPath,
        body: Type.Optional(Type.Object({ expiresAt: Type.Optional(nullable(Time)) }, closed)),
        response: {
          201: Type.Object({ id: Id, clientSecret: ShownOnce, createdAt: Time, expiresAt: nullable(Time) }),
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const now = clock.now();
      const expiresAt = readExpiry(request.body?.expiresAt, now);
      const door = adminDoorOf(request, now);
      const { id, secret } = await createSecret(database, door, idsOf(request.params), expiresAt);
      const times = { createdAt: now.toISOString(), expiresAt: expiresAt?.toISOString() ?? null };
      return reply.code(201).send({ id, clientSecret: secret, ...times });
    },
  );

  scope.delete(
    `${base}/:clientId/secrets/:secretId`,
    {
      config,
      schema: {
        tags,
        summary: 'Revoke a secret',
        description: 'No further token is had with it; those that were had live for their hour.',
        params: Type.Object({ ...path, secretId: Id }),
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      const secretId = parseId<string>(request.params.secretId) ?? nobody;
      await revokeSecret(database, door, idsOf(request.params), secretId);
      return reply.code(204).send(null);
    },
  );
}

function idsOf(params: { id: string; clientId: string }): { directoryId: DirectoryId; clientId: ClientId } {
  const directoryId = directoryIdOf(params.id);
  const clientId = parseId<ClientId>(params.clientId);
  if (clientId === undefined) throw unknownClientOf(params.clientId);
  return { directoryId, clientId };
}

function readClient(body: Static<typeof ClientBody>, { allowPrivateNetworks }: Services) {
  const { name, scopes = ['scim'], issuer, audience, subject } = body;
  const scope = everyScope.filter((word) => scopes.includes(word)).join(' ');
  return { name, scope, trust: readTrust({ issuer, audience, subject }, allowPrivateNetworks) };
}

type Given<T> = { [K in keyof T]: T[K] | undefined };

/** All three or none. */
function readTrust(given: Given<Trust>, allowPrivateNetworks: boolean): Trust | undefined {
  const { issuer, audience, subject } = given;
  if (issuer === undefined && audience === undefined && subject === undefined) return undefined;
  const need = (field: string) =>
    new Fault('invalid', `"${field}" is missing: assertions need issuer, audience and subject.`, { field });
  if (issuer === undefined) throw need('issuer');
  if (audience === undefined) throw need('audience');
  if (subject === undefined) throw need('subject');
  checkIssuer(issuer, 'issuer', { allowPrivateNetworks });
  return { issuer, audience, subject };
}

type Rows<T extends (...args: never[]) => Promise<unknown[]>> = Awaited<ReturnType<T>>;

async function readPage(tx: TenantTransaction, directoryId: DirectoryId, after: string, most: number) {
  const [directory, rows] = await Promise.all([
    selectDirectory(tx, directoryId),
    selectClients(tx, directoryId, after, most),
  ]);
  if (directory === undefined) throw unknownDirectory(directoryId);
  const ids = rows.map(({ id }) => id);
  return { rows, secrets: await selectSecrets(tx, ids) };
}

/** @param secrets Those of others are passed over. */
function show(row: Rows<typeof selectClients>[number], secrets: Rows<typeof selectSecrets>) {
  const { id, name, scope, issuer, audience, subject } = row;
  return {
    ...{ id, clientId: id, name, scopes: scope.split(' '), issuer, audience, subject },
    createdAt: row.created_at.toISOString(),
    secrets: secrets.filter((secret) => secret.client_id === id).map(showSecret),
  };
}

function showSecret(row: Rows<typeof selectSecrets>[number]) {
  return {
    id: row.id,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
  };
}
