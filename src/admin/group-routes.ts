/** Groups as the identity providers push them, and what maps them. */

import Type from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { selectGroupList } from './group-list-store.ts';
import { afterId, readLimit, toPage } from './paging.ts';
import { Id, listOf, nullable, pageQuery, problems, TenantPath } from './schemas.ts';

const Group = Type.Object({
  id: Id,
  displayName: Type.String(),
  externalId: nullable(Type.String()),
  directory: nullable(Type.String()),
  memberCount: Type.Integer(),
  mappings: Type.Array(Id),
});
const Query = pageQuery({
  search: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'What the name begins with, whatever its case.',
    }),
  ),
  mapped: Type.Optional(Type.Boolean()),
});

export function groupRoutes(scope: AdminScope, { database }: Services): void {
  scope.get(
    '/tenants/:t/groups',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags: ['groups'],
        summary: 'List groups',
        params: TenantPath,
        querystring: Query,
        response: { 200: listOf(Group), ...problems },
      },
    },
    async (request, reply) => {
      const { search, mapped, ...query } = request.query;
      const selection = { after: afterId(query), most: readLimit(query), search, mapped };
      const rows = await inTenant(database, adminTenantOf(request).id, (tx) =>
        selectGroupList(tx, selection),
      );
      return reply.send(
        toPage(
          query,
          rows,
          ({ id }) => id,
          (group) => group,
        ),
      );
    },
  );
}
