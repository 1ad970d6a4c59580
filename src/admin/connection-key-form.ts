/** What an admin reads of the gateway's own keys. */

import Type, { type Static } from 'typebox';
import { type ConnectionKey, keyStates, keyUses } from '../sso/connection-key.ts';
import { Id, Time } from './schemas.ts';

export const ConnectionKeyAnswer = Type.Object({
  id: Id,
  use: Type.Enum(keyUses),
  state: Type.Enum(keyStates, {
    description:
      'current: used. next: in our metadata already, so that it can be used once that was read again. previous: used before.',
  }),
  createdAt: Time,
  expiresAt: Time,
  certificate: Type.String({ description: 'PEM.' }),
});

export function showKey({ createdAt, expiresAt, ...key }: ConnectionKey): Static<typeof ConnectionKeyAnswer> {
  return { ...key, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() };
}
