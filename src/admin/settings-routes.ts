/** What a tenant has chosen. */

import type { Static } from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { putSettings } from '../provisioning/settings-flow.ts';
import { selectSettings } from '../tenants/settings-store.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { problems, TenantPath } from './schemas.ts';
import { readSettings, SettingsAnswer, SettingsForm } from './settings-form.ts';

const tags = ['settings'];

export function settingsRoutes(scope: AdminScope, { database, clock, nudgeSync }: Services): void {
  scope.put(
    '/tenants/:t/settings',
    {
      config: {
        auth: 'tenant-write',
        edit: ({ body }) => ({ op: 'settings', settings: readSettings(body as Static<typeof SettingsForm>) }),
      },
      schema: {
        tags,
        summary: 'Write the settings',
        description:
          'Replaces them whole: what is left out has its default. Where parking ends, who is parked is forgotten.',
        params: TenantPath,
        body: SettingsForm,
        response: { 200: SettingsAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const settings = readSettings(request.body);
      const written = await putSettings(database, adminDoorOf(request, clock.now()), settings);
      nudgeSync();
      return reply.send(written);
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
        response: { 200: SettingsAnswer, ...problems },
      },
    },
    async (request, reply) => reply.send(await inTenant(database, adminTenantOf(request).id, selectSettings)),
  );
}
