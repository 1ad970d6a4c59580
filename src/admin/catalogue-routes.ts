/** The role catalogue: which roles are paid and what each is in Blue. Operators write it; whoever has a key reads it. */

import Type, { type Static } from 'typebox';
import { nameOf } from '../audit/audit-event.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { type Catalogue, roleKeys } from '../licensing/catalogue.ts';
import { type CataloguePreview, previewCatalogue, putCatalogue } from '../provisioning/catalogue-flow.ts';
import { gateCatalogue } from '../provisioning/catalogue-gate-flow.ts';
import {
  type CatalogueVersion,
  countCatalogueWork,
  selectCatalogueVersions,
  selectNewestCatalogue,
} from '../provisioning/catalogue-store.ts';
import { findTenant, listTenants } from '../tenants/credential-store.ts';
import { adminActorOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { Confirm } from './edit-gate-hook.ts';
import { afterKey, afterNumber, readLimit, toPage } from './paging.ts';
import { SeatTold } from './preview-form.ts';
import { closed, Id, listOf, PageQuery, pageQuery, problems, Reason, Time, words } from './schemas.ts';

const Role = Type.Object(
  {
    key: Type.Enum([...roleKeys], { description: 'custom:* stands for every custom role.' }),
    billing: Type.Enum(['paid', 'free']),
    level: Type.Enum(['ADMIN', 'MEMBER', 'CLIENT', 'COMMENT_ONLY', 'VIEW_ONLY'], {
      description: 'What Blue calls it; of custom:* always MEMBER.',
    }),
    label: words(200, { description: 'What people call it.' }),
  },
  closed,
);
const Roles = Type.Array(Role, { maxItems: 100, description: 'Every role exactly once.' });
const current = { version: Type.Integer(), recordedAt: Time, roles: Type.Array(Role) };
const Current = Type.Object(current);
const Version = Type.Object({
  ...current,
  by: Type.String({ description: 'Who wrote it.' }),
  reason: Type.String(),
});
const Watched = Type.Object({
  ...Version.properties,
  tenantsBehind: Type.Integer({ description: 'Tenants that are still to be decided for with it.' }),
});
const Draft = Type.Object({ roles: Roles, reason: Reason }, closed);
const Standing = Type.Object({
  roles: Type.Array(Type.Object({ role: Type.String(), workspace: Type.String() })),
  seat: SeatTold,
});
const Preview = Type.Object({
  tenant: Type.Object({ id: Id, slug: Type.String() }),
  seats: Type.Object({ before: Type.Integer(), after: Type.Integer() }, { description: 'Held.' }),
  people: Type.Integer({ description: 'Of whom a role that is asked for becomes paid or free.' }),
  toPaid: Type.Integer({ description: 'Who wants a seat then, and did not.' }),
  toFree: Type.Integer({ description: 'Who no longer wants one.' }),
  gained: Type.Integer(),
  lost: Type.Integer(),
  queued: Type.Integer(),
  users: Type.Optional(
    Type.Array(Type.Object({ id: Id, userName: Type.String(), before: Standing, after: Standing }), {
      description: `Of the tenant that was asked for: the first ${limits.previewedUsersMax} who then have something else.`,
    }),
  ),
});
const VersionPath = Type.Object({ n: Type.String({ description: 'Number of the version.' }) });
const tags = ['catalogue'];
const operator = { auth: 'operator' } as const;

export function catalogueRoutes(scope: AdminScope, { database }: Services): void {
  scope.get(
    '/catalogue',
    {
      config: { auth: 'tenant-read' },
      schema: { tags, summary: 'Read the role catalogue', response: { 200: Current, ...problems } },
    },
    async (_request, reply) => reply.send(showCurrent(await selectNewestCatalogue(database))),
  );

  scope.get(
    '/catalogue/versions',
    {
      config: operator,
      schema: {
        tags,
        summary: 'List versions of the role catalogue, newest first',
        querystring: PageQuery,
        response: { 200: listOf(Version), ...problems },
      },
    },
    async ({ query }, reply) => {
      const rows = await selectCatalogueVersions(
        database,
        readVersion(afterNumber(query, most)),
        readLimit(query),
      );
      return reply.send(toPage(query, rows, ({ version }) => String(version), showVersion));
    },
  );

  scope.get(
    '/catalogue/versions/:n',
    {
      config: operator,
      schema: {
        tags,
        summary: 'Read a version of the role catalogue',
        params: VersionPath,
        response: { 200: Watched, ...problems },
      },
    },
    async ({ params: { n } }, reply) => {
      const number = /^[1-9]\d{0,8}$/.test(n) ? Number(n) : 0;
      const [version] = await selectCatalogueVersions(database, number + 1, 1);
      if (version?.version !== number)
        throw new Fault('not_found', `There is no version ${n} of the catalogue.`);
      const tenantsBehind = await countCatalogueWork(database, number);
      return reply.send({ ...showVersion(version), tenantsBehind });
    },
  );
}

export function catalogueEditRoutes(scope: AdminScope, { database, clock }: Services): void {
  scope.put(
    '/catalogue',
    {
      config: operator,
      schema: {
        tags,
        summary: 'Write a version of the role catalogue',
        description:
          'Tenants are decided for with it one after the other, in the background. What says the same as the current ' +
          'version is not recorded again. A role that a contract or a mapping falls back to must stay free. ' +
          'Where it takes more of a tenant than its breaker lets pass, it must be confirmed.',
        querystring: Confirm,
        body: Draft,
        response: { 200: Watched, ...problems },
      },
    },
    async (request, reply) => {
      const { body, query } = request;
      const [actor, now] = [adminActorOf(request), clock.now()];
      if (query.confirm !== 'true')
        await gateCatalogue(database, { actor, now, requestId: request.id }, body.roles);
      const version = await putCatalogue(database, actor, now, body);
      const tenantsBehind = await countCatalogueWork(database, version.version);
      return reply.send({ ...showVersion(version), tenantsBehind });
    },
  );

  scope.post(
    '/catalogue/preview',
    {
      config: { ...operator, isRead: true },
      schema: {
        tags,
        summary: 'See what a role catalogue would do to each tenant',
        description: 'Nothing is written. Tenants by their slugs, page by page; or one of them, with names.',
        querystring: pageQuery({ tenant: Type.Optional(Type.String({ description: 'Id or slug.' })) }),
        body: Type.Object({ roles: Roles }, closed),
        response: { 200: listOf(Preview), ...problems },
      },
    },
    async ({ query, body: { roles } }, reply) => {
      if (query.tenant !== undefined) {
        const tenant = await findTenant(database, query.tenant);
        if (tenant === undefined) throw new Fault('not_found', `There is no tenant "${query.tenant}".`);
        const [one] = await previewCatalogue(database, clock.now(), roles, [tenant]);
        return reply.send({ items: one === undefined ? [] : [showPreview(one)], nextCursor: null });
      }
      const page = toPage(
        query,
        await listTenants(database, afterKey(query, ''), readLimit(query)),
        ({ slug }) => slug,
        (tenant) => tenant,
      );
      const previews = await previewCatalogue(database, clock.now(), roles, page.items);
      return reply.send({ ...page, items: previews.map(withoutNames) });
    },
  );
}

/** Behind all versions. */
const most = 2_147_483_647;

/** @throws Fault `invalid` for a number that no version can have. */
function readVersion(number: number): number {
  if (number >= 0 && number <= most) return number;
  throw new Fault('invalid', '"cursor" is none of ours: leave it out to begin again.', { field: 'cursor' });
}

function showCurrent({ version, recordedAt, roles }: CatalogueVersion): Static<typeof Current> {
  return { version, recordedAt: recordedAt.toISOString(), roles: rolesOf({ roles }) };
}

function showVersion(one: CatalogueVersion): Static<typeof Version> {
  const { actor, reason } = one;
  return { ...showCurrent(one), by: nameOf(actor), reason };
}

function rolesOf({ roles }: Pick<Catalogue, 'roles'>): Static<typeof Role>[] {
  return roles.map(({ key, billing, level, label }) => ({ key, billing, level, label }));
}

function showPreview({ tenant: { id, slug }, ...counts }: CataloguePreview): Static<typeof Preview> {
  return { tenant: { id, slug }, ...counts };
}

/** Names of one tenant are told to whoever asks for that tenant. */
function withoutNames(preview: CataloguePreview): Static<typeof Preview> {
  const { users: _, ...counts } = showPreview(preview);
  return counts;
}
