/** Tenants: made and listed by operators, read by their own keys too. */

import Type from 'typebox';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { parseId } from '../kernel/ids.ts';
import { listTenants } from '../tenants/credential-store.ts';
import { slugPattern, type Tenant } from '../tenants/tenant.ts';
import { createTenant } from '../tenants/tenant-flow.ts';
import { adminActorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { afterKey, readLimit, toPage } from './paging.ts';
import { closed, Id, listOf, Name, PageQuery, problems, TenantPath, Time } from './schemas.ts';

const TenantAnswer = Type.Object({ id: Id, slug: Type.String(), name: Type.String(), createdAt: Time });
const TenantDraft = Type.Object(
  {
    name: Name,
    slug: Type.String({
      pattern: slugPattern,
      description: 'Stands in paths instead of the id: lower-case letters, digits and hyphens.',
    }),
  },
  closed,
);
const tags = ['tenants'];

export function tenantRoutes(scope: AdminScope, { database, clock }: Services): void {
  scope.post(
    '/tenants',
    {
      config: { auth: 'operator' },
      schema: {
        tags,
        summary: 'Make a tenant',
        body: TenantDraft,
        response: { 201: TenantAnswer, ...problems },
      },
    },
    async (request, reply) => {
      if (parseId(request.body.slug) !== undefined) {
        throw new Fault('invalid', '"slug" must not look like an id.', { field: 'slug' });
      }
      const door = { actor: adminActorOf(request), now: clock.now(), requestId: request.id };
      return reply.code(201).send(show(await createTenant(database, door, request.body)));
    },
  );

  scope.get(
    '/tenants',
    {
      config: { auth: 'operator' },
      schema: {
        tags,
        summary: 'List tenants in the order of their slugs',
        querystring: PageQuery,
        response: { 200: listOf(TenantAnswer), ...problems },
      },
    },
    async ({ query }, reply) => {
      const tenants = await listTenants(database, afterKey(query, ''), readLimit(query));
      return reply.send(toPage(query, tenants, ({ slug }) => slug, show));
    },
  );

  scope.get(
    '/tenants/:t',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read a tenant',
        params: TenantPath,
        response: { 200: TenantAnswer, ...problems },
      },
    },
    async (request, reply) => reply.send(show(adminTenantOf(request))),
  );
}

function show({ id, slug, name, createdAt }: Tenant) {
  return { id, slug, name, createdAt: createdAt.toISOString() };
}
