/** Who waits for a group: members that a directory named before their people arrived. */

import Type from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { parseId } from '../kernel/ids.ts';
import { isStorable } from '../kernel/storable.ts';
import { type ParkedMember, type ParkedPlace, selectParked } from '../provisioning/parking-store.ts';
import { adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { afterKey, readLimit, toPage } from './paging.ts';
import { Id, listOf, PageQuery, problems, TenantPath, Time } from './schemas.ts';

const Parked = Type.Object({
  group: Type.Object({ id: Id, displayName: Type.String() }),
  directory: Type.Object({ id: Id, name: Type.String() }),
  value: Type.String({ description: 'As the directory named the member: an externalId or a userName.' }),
  since: Time,
  ageSeconds: Type.Integer(),
});

export function parkingRoutes(scope: AdminScope, { database, clock }: Services): void {
  scope.get(
    '/tenants/:t/parked-members',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags: ['groups'],
        summary: 'List members that wait for their people, the longest first',
        params: TenantPath,
        querystring: PageQuery,
        response: { 200: listOf(Parked), ...problems },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const [now, after] = [clock.now(), placeOf(afterKey(query, ''))];
      const rows = await inTenant(database, adminTenantOf(request).id, (tx) =>
        selectParked(tx, after, readLimit(query)),
      );
      return reply.send(toPage(query, rows, keyOf, (row) => show(row, now)));
    },
  );
}

function keyOf({ since, groupId, value }: ParkedMember): string {
  return JSON.stringify([since.toISOString(), groupId, value]);
}

function placeOf(key: string): ParkedPlace | undefined {
  if (key === '') return undefined;
  try {
    const [since, groupId, value] = JSON.parse(key);
    const isInstant = typeof since === 'string' && /^\d{4}-/.test(since) && !Number.isNaN(Date.parse(since));
    const isId = typeof groupId === 'string' && parseId(groupId) !== undefined;
    if (isInstant && isId && typeof value === 'string' && isStorable(value))
      return { since: new Date(since), groupId, value };
  } catch {
    // Said below.
  }
  throw new Fault('invalid', '"cursor" is none of ours: leave it out to begin again.', { field: 'cursor' });
}

function show({ groupId, group, directoryId, directory, value, since }: ParkedMember, now: Date) {
  return {
    group: { id: groupId, displayName: group },
    directory: { id: directoryId, name: directory },
    value,
    since: since.toISOString(),
    ageSeconds: Math.max(0, Math.floor((now.getTime() - since.getTime()) / 1000)),
  };
}
