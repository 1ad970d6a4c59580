/** The gateway's own keys of a connection roll over: add the next one, activate it, remove the old one. */

import Type from 'typebox';
import type { Services } from '../http/services.ts';
import { keyUses } from '../sso/connection-key.ts';
import { activateKey, addNextKey, removeKey } from '../sso/connection-key-flow.ts';
import { adminDoorOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { ConnectionKeyAnswer, showKey } from './connection-key-form.ts';
import { connectionIdOf } from './connection-path-hook.ts';
import { closed, problems, TenantAndId } from './schemas.ts';

const config = { auth: 'tenant-write' } as const;
const tags = ['connections'];
const base = '/tenants/:t/connections/:id/keys';
const KeyPath = Type.Object({ ...TenantAndId.properties, key: Type.String() });

export function connectionKeyRoutes(scope: AdminScope, { database, clock, secrets }: Services): void {
  scope.post(
    base,
    {
      config,
      schema: {
        tags,
        summary: 'Add the next key, and tell it in our metadata',
        description:
          'Activate it once the identity provider has read the metadata again. The first one for encryption is used, and told, at once.',
        params: TenantAndId,
        body: Type.Object({ use: Type.Enum(keyUses) }, closed),
        response: { 201: ConnectionKeyAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      const key = await addNextKey(
        database,
        secrets,
        door,
        connectionIdOf(request.params.id),
        request.body.use,
      );
      return reply.code(201).send(showKey(key));
    },
  );

  scope.post(
    `${base}/:key/activate`,
    {
      config,
      schema: {
        tags,
        summary: 'Use a key from now on: the next one, or the previous one again',
        params: KeyPath,
        response: { 200: ConnectionKeyAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const { id, key } = request.params;
      const door = adminDoorOf(request, clock.now());
      return reply.send(showKey(await activateKey(database, door, connectionIdOf(id), key)));
    },
  );

  scope.delete(
    `${base}/:key`,
    {
      config,
      schema: {
        tags,
        summary: 'Remove a key that is not the current one',
        params: KeyPath,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      const { id, key } = request.params;
      await removeKey(database, adminDoorOf(request, clock.now()), connectionIdOf(id), key);
      return reply.code(204).send(null);
    },
  );
}
