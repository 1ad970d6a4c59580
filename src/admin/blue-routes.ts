/** The connection to Blue: written, looked at, asked for another try. A secret goes in and never comes back. */

import Type, { type Static } from 'typebox';
import { type ConnectionDraft, putBlueConnection, readBlueConnection } from '../blue/connection-flow.ts';
import { type BlueStatus, blueStatus, listWorkspaces, planBlue } from '../blue/plan-flow.ts';
import { syncNow } from '../blue/sync-flow.ts';
import type { Services } from '../http/services.ts';
import { checkOutboundUrl } from '../outbound/outbound-client.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { DefaultWorkspaces, refuseNoDefaults } from './role-form.ts';
import { closed, Id, nullable, problems, TenantPath, Time } from './schemas.ts';

const Word = Type.String({ minLength: 1, maxLength: 500 });
const settings = {
  organizationId: Word,
  tokenId: Word,
  apiUrl: Type.Optional(nullable(Type.String({ maxLength: 2000 }))),
  mode: Type.Optional(
    Type.Enum(['observe', 'apply'], {
      default: 'observe',
      description: '`observe` decides and plans, and sends nothing but reads.',
    }),
  ),
  deactivation: Type.Optional(
    Type.Enum(['leave_workspaces', 'view_only', 'leave_organization'], { default: 'leave_workspaces' }),
  ),
  defaultWorkspaces: Type.Optional(DefaultWorkspaces),
  drift: Type.Optional(
    Type.Enum(['report', 'repair'], {
      default: 'report',
      description: 'What is done about changes that others made in Blue.',
    }),
  ),
  invitationsPerHour: Type.Optional(nullable(Type.Integer({ minimum: 1, maximum: 100_000 }))),
};
const Draft = Type.Object(
  {
    ...settings,
    tokenSecret: Type.Optional(
      Type.String({ minLength: 1, maxLength: 2000, description: 'Stays as it was when left out.' }),
    ),
  },
  closed,
);
const Connection = Type.Object(settings);
const Status = Type.Object({
  state: Type.Enum(['ok', 'waiting', 'stopped'], { description: '`stopped` until a person has acted.' }),
  cause: Type.Optional(Type.String()),
  pending: Type.Integer({ description: 'People whose roles in Blue may still differ.' }),
  lastContactAt: nullable(Time),
});
const Step = Type.Object({
  userId: Id,
  userName: nullable(Type.String()),
  address: nullable(Type.String()),
  action: Type.String(),
  workspaces: Type.Array(Type.Object({ id: Type.String(), name: nullable(Type.String()) })),
  role: nullable(Type.String()),
});
const Workspace = Type.Object({
  id: Type.String(),
  name: Type.String(),
  customRoles: Type.Array(Type.String()),
});
const tags = ['blue'];

export function blueRoutes(scope: AdminScope, services: Services): void {
  const { database, clock, secrets, nudgeSync } = services;
  scope.put(
    '/tenants/:t/blue',
    {
      config: {
        auth: 'tenant-write',
        edit: ({ body }) => {
          const { defaultWorkspaces } = readDraft(body as Static<typeof Draft>, services);
          return { op: 'defaultWorkspaces', workspaces: defaultWorkspaces ?? [] };
        },
      },
      schema: {
        tags,
        summary: 'Connect to Blue',
        params: TenantPath,
        body: Draft,
        response: { 200: Connection, ...problems },
      },
    },
    async (request, reply) => {
      const draft = readDraft(request.body, services);
      const written = await putBlueConnection(database, secrets, adminDoorOf(request, clock.now()), draft);
      nudgeSync();
      return reply.send(written);
    },
  );

  scope.get(
    '/tenants/:t/blue',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read the connection',
        params: TenantPath,
        response: { 200: Connection, ...problems },
      },
    },
    async (request, reply) => reply.send(await readBlueConnection(database, adminTenantOf(request).id)),
  );

  scope.get(
    '/tenants/:t/blue/status',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Say how it goes',
        params: TenantPath,
        response: { 200: Status, ...problems },
      },
    },
    async (request, reply) => reply.send(showStatus(await blueStatus(database, adminTenantOf(request).id))),
  );
}

export function blueWorkRoutes(scope: AdminScope, services: Services): void {
  const { database, clock } = services;
  scope.get(
    '/tenants/:t/blue/workspaces',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List Blue’s workspaces and their custom roles',
        params: TenantPath,
        response: { 200: Type.Object({ items: Type.Array(Workspace) }), ...problems },
      },
    },
    async (request, reply) => reply.send(await listWorkspaces(services, adminTenantOf(request).id)),
  );

  scope.get(
    '/tenants/:t/blue/plan',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Show what would be sent to Blue now',
        params: TenantPath,
        response: { 200: Type.Object({ items: Type.Array(Step) }), ...problems },
      },
    },
    async (request, reply) => reply.send(await planBlue(services, adminTenantOf(request).id)),
  );

  scope.post(
    '/tenants/:t/blue/sync',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Carry everything into Blue now',
        params: TenantPath,
        body: Type.Optional(
          Type.Object(
            { drift: Type.Optional(Type.Boolean({ description: 'Reads Blue’s lists again first.' })) },
            closed,
          ),
        ),
        response: { 200: Status, ...problems },
      },
    },
    async (request, reply) => {
      const { id } = adminTenantOf(request);
      const drift = request.body?.drift ?? false;
      await syncNow(services, adminDoorOf(request, clock.now()), { drift });
      return reply.send(showStatus(await blueStatus(database, id)));
    },
  );
}

/** Fields that are null or left out take their default. */
function readDraft(body: Static<typeof Draft>, { allowPrivateNetworks }: Services): ConnectionDraft {
  const { apiUrl, defaultWorkspaces = [] } = body;
  if (apiUrl != null) checkOutboundUrl(apiUrl, 'apiUrl', { allowPrivateNetworks });
  refuseNoDefaults(defaultWorkspaces, 'defaultWorkspaces');
  return body;
}

function showStatus({ lastContactAt, ...rest }: BlueStatus): Static<typeof Status> {
  return { ...rest, lastContactAt: lastContactAt?.toISOString() ?? null };
}
