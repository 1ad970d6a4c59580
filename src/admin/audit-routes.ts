/** The audit trail, newest first. */

import Type from 'typebox';
import { selectAudit } from '../audit/audit-store.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { readInstant } from './instant.ts';
import { afterNumber, readLimit, toPage } from './paging.ts';
import { listOf, nullable, pageQuery, problems, TenantPath, Time } from './schemas.ts';

const Entry = Type.Object({
  at: Time,
  actor: Type.Unknown({ description: 'A directory, an operator, a key or a rule of the gateway.' }),
  action: Type.String(),
  subject: nullable(Type.String()),
  before: Type.Unknown(),
  after: Type.Unknown(),
  requestId: nullable(Type.String()),
});
const Query = pageQuery({
  actor: Type.Optional(Type.String({ maxLength: 200, description: 'Id of who did it.' })),
  from: Type.Optional(Type.String({ maxLength: 40, description: 'ISO 8601: from this instant on.' })),
  to: Type.Optional(Type.String({ maxLength: 40, description: 'ISO 8601: before this instant.' })),
  subject: Type.Optional(Type.String({ maxLength: 200, description: 'Id of what it was done to.' })),
  action: Type.Optional(Type.String({ maxLength: 200 })),
});

export function auditRoutes(scope: AdminScope, { database }: Services): void {
  scope.get(
    '/tenants/:t/audit',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags: ['audit'],
        summary: 'List who did what, newest first',
        params: TenantPath,
        querystring: Query,
        response: { 200: listOf(Entry), ...problems },
      },
    },
    async (request, reply) => {
      const { actor, subject, action, from, to, ...query } = request.query;
      const before = afterNumber(query, Number.MAX_SAFE_INTEGER);
      const filter = {
        ...{ actor, subject, action, before, limit: readLimit(query) },
        from: readInstant('from', from),
        to: readInstant('to', to),
      };
      const rows = await inTenant(database, adminTenantOf(request).id, (tx) => selectAudit(tx, filter));
      return reply.send(
        toPage(
          query,
          rows,
          ({ seq }) => String(seq),
          ({ at, actor, action: done, subject: whom, before: was, after, request_id: requestId }) => ({
            at: at.toISOString(),
            actor,
            action: done,
            subject: whom,
            before: was,
            after,
            requestId,
          }),
        ),
      );
    },
  );
}
