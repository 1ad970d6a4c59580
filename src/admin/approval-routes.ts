/** Claims that wait for an administrator's word, and the word. */

import { sql } from 'kysely';
import Type from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { giveVerdict } from '../provisioning/approval-flow.ts';
import type { UserView } from '../provisioning/user-view.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { toPage } from './paging.ts';
import { selectPeoplePage } from './people-page-store.ts';
import {
  closed,
  Id,
  listOf,
  nullable,
  PageQuery,
  problems,
  TenantAndId,
  TenantPath,
  Time,
} from './schemas.ts';
import { userIdOf } from './user-path.ts';

const Waiting = Type.Object({
  id: Id,
  userName: Type.String(),
  roles: Type.Array(Type.Object({ role: Type.String(), workspace: Type.String(), via: Type.String() })),
  since: nullable(Time),
});
const Verdict = Type.Object(
  {
    granted: Type.Boolean({ description: 'false: refused, and paid roles stay their fallback.' }),
    reason: Type.Optional(nullable(Type.String({ maxLength: 2000 }))),
  },
  closed,
);
const tags = ['seats'];

export function approvalRoutes(scope: AdminScope, { database, clock, nudgeSync }: Services): void {
  scope.get(
    '/tenants/:t/approvals',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List the people whose claims wait for an approval',
        params: TenantPath,
        querystring: PageQuery,
        response: { 200: listOf(Waiting), ...problems },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const isPending = sql`exists (select from decisions w
        where w.tenant_id = u.tenant_id and w.user_id = u.id and w.approval = 'pending')`;
      const views = await inTenant(database, adminTenantOf(request).id, (tx) =>
        selectPeoplePage(tx, query, isPending, clock.now()),
      );
      return reply.send(toPage(query, views, ({ user }) => user.id, show));
    },
  );

  scope.put(
    '/tenants/:t/users/:id/approval',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Approve or refuse the claim of a person',
        params: TenantAndId,
        body: Verdict,
        response: { 200: Verdict, ...problems },
      },
    },
    async (request, reply) => {
      const { granted, reason = null } = request.body;
      const door = adminDoorOf(request, clock.now());
      await giveVerdict(database, door, userIdOf(request.params.id), { isGranted: granted, reason });
      nudgeSync();
      return reply.send({ granted, reason });
    },
  );
}

function show({ user, seat, decision }: UserView) {
  const paid = (decision?.requested ?? []).filter(({ billing }) => billing === 'paid');
  return {
    id: user.id,
    userName: String(user.attributes.userName),
    roles: paid.map(({ role, workspace, via }) => ({ role, workspace, via })),
    since: seat.since?.toISOString() ?? null,
  };
}
