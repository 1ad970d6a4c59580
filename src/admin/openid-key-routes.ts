/** The keys with which /oidc signs. */

import Type, { type Static } from 'typebox';
import type { Services } from '../http/services.ts';
import { limits } from '../kernel/limits.ts';
import { listKeys, rotateKey, type ShownKey } from '../sso/op/key-flow.ts';
import { adminActorOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { closed, problems, Time } from './schemas.ts';

const Key = Type.Object({
  kid: Type.String(),
  state: Type.Enum(['next', 'signing', 'retiring', 'retired'], {
    description: '`next` is published and signs later; `retiring` signs no more and is still published.',
  }),
  signsFrom: Time,
});
const Keys = Type.Object({ items: Type.Array(Key) });
const Rotation = Type.Object(
  {
    afterMinutes: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: limits.openIdKeyMinutesMax,
        default: limits.openIdKeyMinutesDefault,
        description: 'How long the new key is published before it signs, so that clients know it by then.',
      }),
    ),
  },
  closed,
);
const tags = ['OpenID keys'];
const path = '/openid-keys';

export function openIdKeyRoutes(scope: AdminScope, { database, secrets, realClock }: Services): void {
  scope.get(
    path,
    {
      config: { auth: 'operator' },
      schema: { tags, summary: 'List the keys that sign ID tokens', response: { 200: Keys, ...problems } },
    },
    async (_request, reply) => reply.send(show(await listKeys(database, secrets, realClock.now()))),
  );

  scope.post(
    path,
    {
      config: { auth: 'operator' },
      schema: {
        tags,
        summary: 'Rotate the keys that sign ID tokens',
        description: 'The new key is published at once and signs later; the old one stays published.',
        body: Rotation,
        response: { 201: Keys, ...problems },
      },
    },
    async (request, reply) => {
      const { afterMinutes = limits.openIdKeyMinutesDefault } = request.body;
      const now = realClock.now();
      const signsFrom = new Date(now.getTime() + afterMinutes * 60_000);
      const keys = await rotateKey(database, secrets, now, signsFrom);
      // It belongs to no tenant's trail.
      request.log.info({ signsFrom, by: adminActorOf(request) }, 'the keys of /oidc are rotated');
      return reply.code(201).send(show(keys));
    },
  );
}

function show(keys: readonly ShownKey[]): Static<typeof Keys> {
  return {
    items: keys.map(({ kid, state, signsFrom }) => ({ kid, state, signsFrom: signsFrom.toISOString() })),
  };
}
