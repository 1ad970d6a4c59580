/** People who were removed, whom no login makes anew, until somebody says so. */

import Type from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { parseId, type UserId } from '../kernel/ids.ts';
import { readmit, unknownRemovedUser } from '../sso/tombstone-flow.ts';
import { selectTombstones } from '../sso/tombstone-store.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { afterId, readLimit, toPage } from './paging.ts';
import { Id, listOf, PageQuery, problems, TenantAndId, TenantPath, Time } from './schemas.ts';

const RemovedUser = Type.Object({ id: Id, userName: Type.String(), removedAt: Time });
const tags = ['connections'];
const base = '/tenants/:t/removed-users';

export function removedUserRoutes(scope: AdminScope, { database, clock }: Services): void {
  scope.get(
    base,
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List people who were deleted, whom no login makes anew',
        params: TenantPath,
        querystring: PageQuery,
        response: { 200: listOf(RemovedUser), ...problems },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const after = afterId(query);
      const rows = await inTenant(database, adminTenantOf(request).id, (tx) =>
        selectTombstones(tx, after, readLimit(query)),
      );
      const show = ({ userId, userName, removedAt }: (typeof rows)[number]) => ({
        ...{ id: userId, userName, removedAt: removedAt.toISOString() },
      });
      return reply.send(toPage(query, rows, ({ userId }) => userId, show));
    },
  );

  scope.delete(
    `${base}/:id`,
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Let a login make the person anew',
        params: TenantAndId,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      const id = parseId<UserId>(request.params.id);
      if (id === undefined) throw unknownRemovedUser(request.params.id);
      await readmit(database, adminDoorOf(request, clock.now()), id);
      return reply.code(204).send(null);
    },
  );
}
