/** Searches: users, groups, or both at once (RFC 7644 §3.4.2, RFC 9865). */

import { sql } from 'kysely';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { selectGroups } from '../directory/group-view-store.ts';
import { limits } from '../kernel/limits.ts';
import { selectUserViews } from '../provisioning/user-view-store.ts';
import type { PagePlace } from './core/messages.ts';
import { project, wants } from './core/project.ts';
import type { SearchQuery } from './core/search-request.ts';
import { groupTarget, userTarget } from './filter-target-sql.ts';
import type { Asking, ResourceName, ScimContent } from './resource-flow.ts';
import { type Hit, type MixedSearch, readMixedSearch, selectHits } from './search-all-sql.ts';
import { pageOf, readSearch, runSearch } from './search-sql.ts';
import { renderUser } from './user-mapping.ts';

export interface SearchAnswer {
  place: PagePlace;
  resources: readonly ScimContent[];
}

/** @throws Fault `invalid` for what can't be read or would look at too much. */
export async function searchUsers(asking: Asking, query: SearchQuery): Promise<SearchAnswer> {
  const { database, caller, dialect, door } = asking;
  const { tenantId, directoryId } = caller;
  const search = readSearch(dialect.user, userTarget(tenantId), query);
  const withGroups = wants(search.projection, 'groups');
  const selection = { ...search, directoryId, withGroups, bytesMax: limits.pageBytesMax };
  const { views, keys, total, isCut } = await inTenant(database, tenantId, (tx) =>
    runSearch(tx, search, () => selectUserViews(tx, selection, door.now)),
  );
  const found = { resources: views, keys, total, isCut };
  const { shown, place } = pageOf(search, found, ({ user }) => ({ type: 'User', id: user.id }));
  const render = (view: (typeof views)[number]): ScimContent => ({
    kind: 'resource',
    resource: project(search.projection, renderUser(dialect.user, view, asking.baseUrl)),
  });
  return { place, resources: shown.map(render) };
}

/** As `searchUsers`. */
export async function searchGroups(asking: Asking, query: SearchQuery): Promise<SearchAnswer> {
  const { database, caller, dialect } = asking;
  const { tenantId, directoryId } = caller;
  const search = readSearch(dialect.group, groupTarget(tenantId), query);
  const selection = { ...search, directoryId, bytesMax: limits.pageBytesMax };
  const { groups, keys, total, isCut } = await inTenant(database, tenantId, (tx) =>
    runSearch(tx, search, () => selectGroups(tx, selection)),
  );
  const found = { resources: groups, keys, total, isCut };
  const { shown, place } = pageOf(search, found, ({ id }) => ({ type: 'Group', id }));
  const { projection } = search;
  return { place, resources: shown.map((group) => ({ kind: 'group', group, projection })) };
}

/** Every type of resource; a filter's attribute that one of them does not have is unassigned there (§3.4.2.1). */
export async function searchAll(asking: Asking, query: SearchQuery): Promise<SearchAnswer> {
  const { database, caller, dialect } = asking;
  const search = readMixedSearch(dialect, caller.tenantId, query);
  return await inTenant(database, caller.tenantId, async (tx) => {
    const hits = await runSearch(tx, search, () => selectHits(tx, search, caller.directoryId));
    const { shown, place } = pageOf(search, hits, (hit) => hit);
    const contents = await readHits(tx, asking, search, shown);
    return { place, resources: shown.flatMap(({ id }) => contents.get(id) ?? []) };
  });
}

async function readHits(
  tx: TenantTransaction,
  { caller, dialect, door, baseUrl }: Asking,
  { user, group }: MixedSearch,
  hits: readonly Hit[],
): Promise<ReadonlyMap<string, ScimContent>> {
  const idsOf = (type: ResourceName) => hits.filter((hit) => hit.type === type).map(({ id }) => id);
  const [userIds, groupIds] = [idsOf('User'), idsOf('Group')];
  const page = { directoryId: caller.directoryId, offset: 0, limit: hits.length, withTotal: false };
  const [{ views }, { groups }] = await Promise.all([
    selectUserViews(
      tx,
      { ...page, where: sql`u.id = any(${userIds}::uuid[])`, withGroups: wants(user.projection, 'groups') },
      door.now,
    ),
    selectGroups(tx, { ...page, where: sql`g.id = any(${groupIds}::uuid[])` }),
  ]);
  const rendered = views.map((view): [string, ScimContent] => {
    const resource = project(user.projection, renderUser(dialect.user, view, baseUrl));
    return [view.user.id, { kind: 'resource', resource }];
  });
  const { projection } = group;
  const found = groups.map((one): [string, ScimContent] => [
    one.id,
    { kind: 'group', group: one, projection },
  ]);
  return new Map([...rendered, ...found]);
}
