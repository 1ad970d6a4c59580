/** People who signed in for the first time and wait for an administrator's word, and the word. */

import Type, { type Static } from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { parseId } from '../kernel/ids.ts';
import { approveAccess, refuseAccess, unknownAccessRequest } from '../sso/access-request-flow.ts';
import { type AccessRequest, selectAccessRequests } from '../sso/access-request-store.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { afterId, readLimit, toPage } from './paging.ts';
import {
  closed,
  Id,
  listOf,
  nullable,
  pageQuery,
  problems,
  TenantAndId,
  TenantPath,
  Time,
} from './schemas.ts';

const Answer = Type.Object({
  id: Id,
  connection: Id,
  state: Type.Enum(['pending', 'refused']),
  subject: Type.String({ description: 'What the identity provider knows the person by.' }),
  userName: nullable(Type.String()),
  email: nullable(Type.String()),
  displayName: nullable(Type.String()),
  groups: Type.Array(Type.String(), { description: 'Values of the groups claim.' }),
  revision: Type.String({ description: 'Of the claims: another one once a login says another thing.' }),
  requestedAt: Time,
  lastLoginAt: Time,
  refusedAt: nullable(Time),
  reason: nullable(Type.String()),
});
const Approved = Type.Object({
  user: Id,
  userName: Type.String(),
  roles: Type.Array(Type.Object({ role: Type.String(), workspace: Type.String() })),
  seat: Type.String({ description: 'As of a user.' }),
});
const Seen = Type.Object(
  { revision: Type.String({ maxLength: 100, description: 'Of the request, as you saw it.' }) },
  closed,
);
const Refused = Type.Object(
  { reason: Type.Optional(nullable(Type.String({ maxLength: 2000 }))) },
  { ...closed, description: 'The reason is for administrators.' },
);
const tags = ['access requests'];
const path = '/tenants/:t/access-requests';

export function accessRequestRoutes(scope: AdminScope, { database, clock, nudgeSync }: Services): void {
  scope.get(
    path,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List people who wait to be let in, the oldest first',
        params: TenantPath,
        querystring: pageQuery({
          state: Type.Optional(Type.Enum(['pending', 'refused'], { default: 'pending' })),
        }),
        response: { 200: listOf(Answer), ...problems },
      },
    },
    async (request, reply) => {
      const { state, ...query } = request.query;
      const page = { after: afterId(query), limit: readLimit(query), refused: state === 'refused' };
      const rows = await inTenant(database, adminTenantOf(request).id, (tx) =>
        selectAccessRequests(tx, page),
      );
      return reply.send(toPage(query, rows, ({ id }) => id, show));
    },
  );

  scope.post(
    `${path}/:id/approve`,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary:
          'Let somebody in, also who was refused: the person is made, and what they may do is decided, at once',
        description: '409 where the person signed in with other claims since you looked.',
        params: TenantAndId,
        body: Seen,
        response: { 200: Approved, ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      const id = idOf(request.params.id);
      const { user, decision, seat } = await approveAccess(database, door, id, request.body.revision);
      nudgeSync();
      const roles = (decision?.effective ?? []).map(({ role, workspace }) => ({ role, workspace }));
      return reply.send({
        user: user.id,
        userName: String(user.attributes.userName),
        roles,
        seat: seat.state,
      });
    },
  );

  scope.post(
    `${path}/:id/refuse`,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Refuse somebody, who is told so at each login',
        params: TenantAndId,
        body: Refused,
        response: { 200: Answer, ...problems },
      },
    },
    async (request, reply) => {
      const { params, body } = request;
      const door = adminDoorOf(request, clock.now());
      return reply.send(show(await refuseAccess(database, door, idOf(params.id), body.reason ?? null)));
    },
  );
}

function idOf(text: string): string {
  const id = parseId<string>(text);
  if (id === undefined) throw unknownAccessRequest(text);
  return id;
}

function show({ identity, groups, refused, ...request }: AccessRequest): Static<typeof Answer> {
  return {
    id: request.id,
    connection: request.connectionId,
    state: refused === null ? 'pending' : 'refused',
    subject: identity.subject,
    userName: identity.userName ?? null,
    email: identity.email ?? null,
    displayName: identity.displayName ?? null,
    groups: [...groups],
    revision: request.revision,
    requestedAt: request.requestedAt.toISOString(),
    lastLoginAt: request.lastLoginAt.toISOString(),
    refusedAt: refused?.at.toISOString() ?? null,
    reason: refused?.reason ?? null,
  };
}
