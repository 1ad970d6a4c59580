/** People whose decisions the breaker stopped: who they are, and letting it happen. */

import { sql } from 'kysely';
import Type from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { letThrough } from '../provisioning/staged-flow.ts';
import type { UserView } from '../provisioning/user-view.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { toPage } from './paging.ts';
import { selectPeoplePage } from './people-page-store.ts';
import { Id, listOf, PageQuery, problems, TenantPath } from './schemas.ts';

const Staged = Type.Object({
  id: Id,
  userName: Type.String(),
  seat: Type.String({ description: 'What the person has until it happens.' }),
});
const tags = ['seats'];

export function stagedRoutes(scope: AdminScope, { database, clock, nudgeSync }: Services): void {
  scope.get(
    '/tenants/:t/seats/staged',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List the people whose decisions the breaker stopped',
        description: 'A directory took so many seats away at once that somebody is asked first.',
        params: TenantPath,
        querystring: PageQuery,
        response: { 200: listOf(Staged), ...problems },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const isStaged = sql`exists (
        select from evaluation_marks m where m.tenant_id = u.tenant_id and m.user_id = u.id and m.staged)`;
      const views = await inTenant(database, adminTenantOf(request).id, (tx) =>
        selectPeoplePage(tx, query, isStaged, clock.now()),
      );
      return reply.send(toPage(query, views, ({ user }) => user.id, show));
    },
  );

  scope.post(
    '/tenants/:t/seats/staged/release',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Let happen what the breaker stopped',
        params: TenantPath,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      await letThrough(database, adminDoorOf(request, clock.now()));
      nudgeSync();
      return reply.code(204).send(null);
    },
  );
}

function show({ user, seat }: UserView) {
  return { id: user.id, userName: String(user.attributes.userName), seat: seat.state };
}
