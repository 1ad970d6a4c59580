/** Makes a key of the gateway's own. Its private half leaves the box only to sign. */

import { newId } from '../kernel/ids.ts';
import { selfSigned } from '../kernel/self-signed-certificate.ts';
import type { ConnectionKey, KeyState, KeyUse } from './connection-key.ts';

export interface NewKey {
  key: ConnectionKey;
  privateKey: string;
}

export async function newKey(use: KeyUse, state: KeyState, now: Date): Promise<NewKey> {
  const { certificate, privateKey, expiresAt } = await selfSigned('Blue Gateway', now);
  const id = newId<string>(now.getTime());
  return { key: { id, use, state, certificate, createdAt: now, expiresAt }, privateKey };
}
