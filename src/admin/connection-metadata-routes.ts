/** What an admin does about a connection beside changing it: confirms what its metadata says now, or ends all its sessions. */

import Type from 'typebox';
import type { Services } from '../http/services.ts';
import { endSessions } from '../sso/connection-flow.ts';
import { confirmMetadata } from '../sso/metadata-flow.ts';
import { adminDoorOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { ConnectionAnswer, showConnection } from './connection-form.ts';
import { connectionIdOf } from './connection-path-hook.ts';
import { closed, problems, TenantAndId, Time } from './schemas.ts';

const config = { auth: 'tenant-write' } as const;
const tags = ['connections'];
const base = '/tenants/:t/connections/:id';

export function connectionMetadataRoutes(scope: AdminScope, { database, clock, publicUrl }: Services): void {
  scope.post(
    `${base}/metadata/confirm`,
    {
      config,
      schema: {
        tags,
        summary: 'Confirm what fetched metadata says now',
        description:
          'Another entityID or address, or other certificates over plain http, wait for this, and what was in use stays. Another entityID ends the connection’s sessions, and the groups that were claimed are forgotten.',
        params: TenantAndId,
        body: Type.Object({ seenAt: { ...Time, description: 'Of `metadata.pendingChange`.' } }, closed),
        response: { 200: ConnectionAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      const id = connectionIdOf(request.params.id);
      const changed = await confirmMetadata(database, door, id, request.body.seenAt);
      return reply.send(showConnection(changed, publicUrl));
    },
  );

  scope.delete(
    `${base}/sessions`,
    {
      config,
      schema: {
        tags,
        summary: 'End all sessions of a connection',
        description:
          'After a certificate of the identity provider was removed because somebody else had its key.',
        params: TenantAndId,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      await endSessions(database, adminDoorOf(request, clock.now()), connectionIdOf(request.params.id));
      return reply.code(204).send(null);
    },
  );
}
