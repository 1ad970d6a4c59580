/** Versions of the whole set of mappings, and the return to one. */

import Type from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import type { TenantId } from '../kernel/ids.ts';
import { rollBack, unknownVersion } from '../provisioning/mapping-version-flow.ts';
import { selectVersion, selectVersions } from '../provisioning/mapping-version-store.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import {
  showVersion,
  showWholeVersion,
  VersionAnswer,
  VersionItem,
  versionNumberOf,
} from './mapping-draft-form.ts';
import { afterNumber, readLimit, toPage } from './paging.ts';
import { listOf, PageQuery, problems, TenantPath } from './schemas.ts';

const tags = ['mappings'];
const Path = Type.Object({
  ...TenantPath.properties,
  n: Type.String({ description: 'Number of the version.' }),
});
/** Behind all. */
const lastNumber = 2_147_483_647;

export function mappingVersionRoutes(scope: AdminScope, { database, clock, nudgeSync }: Services): void {
  const read = async (tenantId: TenantId, number: number) => {
    const version = await inTenant(database, tenantId, (tx) => selectVersion(tx, number));
    if (version === undefined) throw unknownVersion(number);
    return showWholeVersion(version);
  };

  scope.get(
    '/tenants/:t/mapping-versions',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List the versions of the mappings, newest first',
        params: TenantPath,
        querystring: PageQuery,
        response: { 200: listOf(VersionItem), ...problems },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const before = Math.min(afterNumber(query, lastNumber), lastNumber);
      const rows = await inTenant(database, adminTenantOf(request).id, (tx) =>
        selectVersions(tx, before, readLimit(query)),
      );
      return reply.send(toPage(query, rows, ({ number }) => String(number), showVersion));
    },
  );

  scope.get(
    '/tenants/:t/mapping-versions/:n',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read a version of the mappings',
        params: Path,
        response: { 200: VersionAnswer, ...problems },
      },
    },
    async (request, reply) =>
      reply.send(await read(adminTenantOf(request).id, versionNumberOf(request.params.n))),
  );

  scope.post(
    '/tenants/:t/mapping-versions/:n/rollback',
    {
      config: {
        auth: 'tenant-write',
        edit: ({ params }) => ({ op: 'rollback', version: versionNumberOf((params as { n: string }).n) }),
      },
      schema: {
        tags,
        summary: 'Put the mappings of a version in force again, as a new version',
        params: Path,
        response: { 201: VersionAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      const number = await rollBack(database, door, versionNumberOf(request.params.n));
      nudgeSync();
      return reply.code(201).send(await read(door.tenantId, number));
    },
  );
}
