/** What a tenant has chosen. */

import Type from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { limits } from '../kernel/limits.ts';
import { defaultSettings } from '../tenants/settings.ts';
import { putSettings } from '../tenants/settings-flow.ts';
import { selectSettings } from '../tenants/settings-store.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { closed, problems, TenantPath } from './schemas.ts';

const fields = {
  parking: Type.Boolean({
    default: defaultSettings.parking,
    description: 'Unknown members of groups wait for their people instead of being refused.',
  }),
  requestRetentionDays: Type.Integer({
    minimum: 1,
    maximum: limits.requestRetentionDaysMax,
    default: defaultSettings.requestRetentionDays,
    description: 'How long calls of identity providers stay recorded.',
  }),
};
const Answer = Type.Object(fields);
const Draft = Type.Partial(Type.Object(fields, closed), closed);
const tags = ['settings'];

export function settingsRoutes(scope: AdminScope, { database, clock }: Services): void {
  scope.put(
    '/tenants/:t/settings',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Write the settings',
        description:
          'Replaces them whole: what is left out has its default. Where parking ends, who is parked is forgotten.',
        params: TenantPath,
        body: Draft,
        response: { 200: Answer, ...problems },
      },
    },
    async (request, reply) => {
      const settings = {
        parking: request.body.parking ?? defaultSettings.parking,
        requestRetentionDays: request.body.requestRetentionDays ?? defaultSettings.requestRetentionDays,
      };
      return reply.send(await putSettings(database, adminDoorOf(request, clock.now()), settings));
    },
  );

  scope.get(
    '/tenants/:t/settings',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read the settings',
        params: TenantPath,
        response: { 200: Answer, ...problems },
      },
    },
    async (request, reply) => reply.send(await inTenant(database, adminTenantOf(request).id, selectSettings)),
  );
}
