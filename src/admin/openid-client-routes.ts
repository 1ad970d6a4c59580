/** Applications that sign people in at /oidc (OpenID Connect). */

import Type, { type Static } from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { type OpenIdClientId, parseId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { checkOutboundUrl } from '../outbound/outbound-client.ts';
import {
  createOpenIdClient,
  removeOpenIdClient,
  reviseOpenIdClient,
  unknownOpenIdClient,
} from '../sso/op/client-flow.ts';
import {
  type OpenIdClient,
  type OpenIdClientDraft,
  selectOpenIdClient,
  selectOpenIdClients,
} from '../sso/op/client-store.ts';
import { issuerOf } from '../sso/op/issuer.ts';
import { returnUriProblem } from '../sso/op/return-uri.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
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

const Uri = Type.String({ maxLength: limits.openIdUriLengthMax });
const uris = (minItems: number) =>
  Type.Array(Uri, {
    minItems,
    maxItems: limits.openIdUrisPerClientMax,
    description: 'https, or http at a loopback address; compared character by character.',
  });
const body = {
  name: Name,
  redirectUris: uris(1),
  postLogoutRedirectUris: Type.Optional(uris(0)),
  backchannelLogoutUri: Type.Optional(
    nullable(Type.String({ ...Uri, description: 'Where the application is told that a session is over.' })),
  ),
};
const Body = Type.Object(body, closed);
const Change = Type.Partial(Body, { ...closed, description: 'What is not named stays as it is.' });
const client = {
  ...{ id: Id, clientId: Id, name: Type.String() },
  redirectUris: Type.Array(Type.String()),
  postLogoutRedirectUris: Type.Array(Type.String()),
  backchannelLogoutUri: nullable(Type.String()),
  issuer: Type.String(),
  createdAt: Time,
};
const Client = Type.Object(client);
const tags = ['OpenID clients'];
const base = '/tenants/:t/clients';

export function openIdClientRoutes(scope: AdminScope, services: Services): void {
  const { database, clock, publicUrl } = services;
  scope.post(
    base,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Add an application that signs people in here',
        description: 'Its people are those of this tenant. See docs/openid-provider.md.',
        params: TenantPath,
        body: Body,
        response: {
          201: Type.Object({ ...client, clientSecret: Type.String({ description: 'Shown this once.' }) }),
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const draft = readDraft(request.body, services, nothing);
      const made = await createOpenIdClient(database, adminDoorOf(request, clock.now()), draft);
      return reply.code(201).send({ ...show(made.client, publicUrl), clientSecret: made.secret });
    },
  );

  scope.put(
    `${base}/:id`,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Change an application',
        params: TenantAndId,
        body: Change,
        response: { 200: Client, ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      const changed = await reviseOpenIdClient(database, door, clientIdOf(request.params.id), (before) =>
        readDraft(request.body, services, before),
      );
      return reply.send(show(changed, publicUrl));
    },
  );

  scope.delete(
    `${base}/:id`,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Remove an application, its grants and its tokens',
        params: TenantAndId,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      await removeOpenIdClient(database, adminDoorOf(request, clock.now()), clientIdOf(request.params.id));
      return reply.code(204).send(null);
    },
  );

  openIdClientReadRoutes(scope, services);
}

function openIdClientReadRoutes(scope: AdminScope, { database, publicUrl }: Services): void {
  scope.get(
    base,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List applications',
        params: TenantPath,
        querystring: PageQuery,
        response: { 200: listOf(Client), ...problems },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const after = afterId(query);
      const rows = await inTenant(database, adminTenantOf(request).id, (tx) =>
        selectOpenIdClients(tx, after, readLimit(query)),
      );
      return reply.send(
        toPage(
          query,
          rows,
          ({ id }) => id,
          (row) => show(row, publicUrl),
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
        summary: 'Read an application',
        params: TenantAndId,
        response: { 200: Client, ...problems },
      },
    },
    async (request, reply) => {
      const id = clientIdOf(request.params.id);
      const found = await inTenant(database, adminTenantOf(request).id, (tx) => selectOpenIdClient(tx, id));
      if (found === undefined) throw unknownOpenIdClient(id);
      return reply.send(show(found, publicUrl));
    },
  );
}

const nothing: OpenIdClientDraft = {
  name: '',
  redirectUris: [],
  postLogoutRedirectUris: [],
  backchannelLogoutUri: null,
};

/** @throws Fault `invalid` naming the field. */
function readDraft(
  given: Static<typeof Change>,
  { allowPrivateNetworks }: Services,
  before: OpenIdClientDraft,
): OpenIdClientDraft {
  const draft = { ...before, ...given };
  for (const field of ['redirectUris', 'postLogoutRedirectUris'] as const) {
    for (const uri of draft[field]) {
      const problem = returnUriProblem(uri);
      if (problem !== undefined) throw new Fault('invalid', `${field} ${problem}.`, { field });
    }
  }
  if (draft.backchannelLogoutUri !== null) {
    checkOutboundUrl(draft.backchannelLogoutUri, 'backchannelLogoutUri', { allowPrivateNetworks });
  }
  return draft;
}

function show({ createdAt, ...of }: OpenIdClient, publicUrl: string): Static<typeof Client> {
  return { ...of, clientId: of.id, issuer: issuerOf(publicUrl), createdAt: createdAt.toISOString() };
}

function clientIdOf(text: string): OpenIdClientId {
  const id = parseId<OpenIdClientId>(text);
  if (id === undefined) throw unknownOpenIdClient(text);
  return id;
}
