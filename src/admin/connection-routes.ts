/** Connections through which people of a tenant sign in. */

import Type, { type Static } from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { checkIssuer } from '../outbound/outbound-client.ts';
import type { Connection, ConnectionDraft, MetadataSource } from '../sso/connection.ts';
import {
  createConnection,
  removeConnection,
  reviseConnection,
  unknownConnection,
} from '../sso/connection-flow.ts';
import { selectConnection, selectConnections } from '../sso/connection-store.ts';
import type { IdentityProvider } from '../sso/core/metadata.ts';
import { fetchMetadata } from '../sso/metadata-client.ts';
import { fetchedSource } from '../sso/metadata-refresh.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import {
  ConnectionAnswer,
  ConnectionBody,
  ConnectionChange,
  readConnection,
  showConnection,
} from './connection-form.ts';
import { connectionIdOf } from './connection-path-hook.ts';
import { afterId, readLimit, toPage } from './paging.ts';
import { listOf, PageQuery, problems, TenantAndId, TenantPath } from './schemas.ts';

const tags = ['connections'];
const base = '/tenants/:t/connections';

export function connectionRoutes(scope: AdminScope, services: Services): void {
  const { database, clock, secrets, publicUrl } = services;
  scope.post(
    base,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Add a connection to sign in with',
        description: 'Give the identity provider the metadata at `entityId`. See docs/single-sign-on.md.',
        params: TenantPath,
        body: ConnectionBody,
        response: { 201: ConnectionAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const found = await fetchFor(services, request.body.metadataUrl);
      const draft = readDraft(request.body, services, { fetched: found?.provider });
      const door = adminDoorOf(request, clock.now());
      const { clientSecret } = request.body;
      const made = await createConnection(database, secrets, door, draft, {
        ...(found === undefined ? {} : { metadata: found.source }),
        ...(clientSecret === undefined ? {} : { clientSecret: secrets.seal(clientSecret) }),
      });
      return reply.code(201).send(showConnection(made, publicUrl));
    },
  );

  scope.put(
    `${base}/:id`,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Change a connection',
        description: 'Another identity provider, or `enabled: false`, ends its sessions at once.',
        params: TenantAndId,
        body: ConnectionChange,
        response: { 200: ConnectionAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const { params, body } = request;
      const door = adminDoorOf(request, clock.now());
      const found = await fetchFor(services, body.metadataUrl);
      const source = body.metadataXml === undefined ? found?.source : null;
      const { clientSecret } = body;
      const revise = (before: Connection) => readDraft(body, services, { before, fetched: found?.provider });
      const changed = await reviseConnection(database, door, connectionIdOf(params.id), revise, {
        ...(source === undefined ? {} : { metadata: source }),
        ...(clientSecret === undefined ? {} : { clientSecret: secrets.seal(clientSecret) }),
      });
      return reply.send(showConnection(changed, publicUrl));
    },
  );

  scope.delete(
    `${base}/:id`,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Remove a connection, its links and its sessions',
        params: TenantAndId,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      await removeConnection(database, adminDoorOf(request, clock.now()), connectionIdOf(request.params.id));
      return reply.code(204).send(null);
    },
  );

  connectionReadRoutes(scope, services);
}

/** @throws Fault `invalid` */
function readDraft(
  body: Static<typeof ConnectionChange>,
  options: Services,
  { before, fetched }: { before?: Connection; fetched: IdentityProvider | undefined },
): ConnectionDraft {
  const draft = readConnection(body, before, fetched);
  if (draft.revocationIssuer !== null) checkIssuer(draft.revocationIssuer, 'revocationIssuer', options);
  if (draft.protocol === 'oidc') checkIssuer(draft.settings.issuer, 'issuer', options);
  return draft;
}

function connectionReadRoutes(scope: AdminScope, { database, publicUrl }: Services): void {
  scope.get(
    base,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List connections',
        params: TenantPath,
        querystring: PageQuery,
        response: { 200: listOf(ConnectionAnswer), ...problems },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const after = afterId(query);
      const rows = await inTenant(database, adminTenantOf(request).id, (tx) =>
        selectConnections(tx, after, readLimit(query)),
      );
      return reply.send(
        toPage(
          query,
          rows,
          ({ id }) => id,
          (row) => showConnection(row, publicUrl),
        ),
      );
    },
  );

  scope.get(
    `${base}/:id`,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read a connection',
        params: TenantAndId,
        response: { 200: ConnectionAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const id = connectionIdOf(request.params.id);
      const found = await inTenant(database, adminTenantOf(request).id, (tx) => selectConnection(tx, id));
      if (found === undefined) throw unknownConnection(id);
      return reply.send(showConnection(found, publicUrl));
    },
  );
}

async function fetchFor(
  { blueAgent, allowPrivateNetworks, clock, realClock }: Services,
  url: string | undefined,
): Promise<{ provider: IdentityProvider; source: MetadataSource } | undefined> {
  if (url === undefined) return undefined;
  const published = await fetchMetadata(
    url,
    { dispatcher: blueAgent, allowPrivateNetworks },
    realClock.now(),
  );
  return { provider: published.provider, source: fetchedSource(url, published, clock.now(), Math.random()) };
}
