/** Makes the provider's keys at first need, rotates them, and reads them for whoever signs. */

import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Database } from '../../db/database.ts';
import { assert } from '../../kernel/assert.ts';
import { digest } from '../../kernel/digest.ts';
import { Fault } from '../../kernel/fault.ts';
import type { SecretBox } from '../../kernel/secret-box.ts';
import { type KeyState, type KeyTimes, type PrivateJwk, statesOf } from './key.ts';
import { deleteKeys, insertKey, type KeyPurpose, type StoredKey, selectKeys } from './key-store.ts';

export interface KeyRing {
  /** The one that signs first. */
  signing: readonly [PrivateJwk, ...PrivateJwk[]];
  cookies: readonly string[];
  /** Another one when anything of it is. */
  print: string;
}

export type ShownKey = KeyTimes & { state: KeyState };

/** @param known The ring that was read before: answered again where nothing has changed. */
export async function readKeyRing(
  database: Database,
  secrets: SecretBox,
  now: Date,
  known?: KeyRing,
): Promise<KeyRing> {
  const stored = await allKeys(database, secrets);
  const live = statesOf(ofPurpose(stored, 'signing'), now).filter(({ state }) => state !== 'retired');
  const first = live.find(({ state }) => state === 'signing');
  assert(first !== undefined, 'a key signs');
  const print = [first, ...live].map(({ kid }) => kid).join(' ');
  if (known?.print === print) return known;
  const open = ({ sealed }: StoredKey) => JSON.parse(secrets.open(sealed)) as PrivateJwk;
  const others = live.filter((key) => key !== first);
  return {
    signing: [open(first), ...others.map(open)],
    cookies: ofPurpose(stored, 'cookies').map(({ sealed }) => secrets.open(sealed)),
    print,
  };
}

export async function listKeys(database: Database, secrets: SecretBox, now: Date): Promise<ShownKey[]> {
  return statesOf(ofPurpose(await allKeys(database, secrets), 'signing'), now);
}

/** All gateways know the new one before it signs, if it signs no sooner than `limits.openIdKeysReadMs`. @throws Fault `conflict`. */
export async function rotateKey(
  database: Database,
  secrets: SecretBox,
  now: Date,
  signsFrom: Date,
): Promise<ShownKey[]> {
  const states = statesOf(ofPurpose(await allKeys(database, secrets), 'signing'), now);
  const newest = Math.max(...states.map(({ generation }) => generation));
  const made = await insertKey(database, await newKey(secrets, 'signing', newest + 1, signsFrom));
  if (!made) throw new Fault('conflict', 'Somebody else rotated the keys at the same moment.');
  const retired = states.filter(({ state }) => state === 'retired');
  await deleteKeys(
    database,
    retired.map(({ generation }) => generation),
  );
  return await listKeys(database, secrets, now);
}

async function allKeys(database: Database, secrets: SecretBox): Promise<StoredKey[]> {
  const stored = await selectKeys(database);
  const missing = (['signing', 'cookies'] as const).filter(
    (purpose) => ofPurpose(stored, purpose).length === 0,
  );
  if (missing.length === 0) return stored;
  // Before any clock: of two gateways one makes it, and it signs at the other as well.
  for (const purpose of missing) await insertKey(database, await newKey(secrets, purpose, 1, new Date(0)));
  return await selectKeys(database);
}

function ofPurpose(stored: readonly StoredKey[], purpose: KeyPurpose): StoredKey[] {
  return stored.filter((key) => key.purpose === purpose);
}

async function newKey(
  secrets: SecretBox,
  purpose: KeyPurpose,
  generation: number,
  signsFrom: Date,
): Promise<StoredKey> {
  if (purpose === 'cookies') {
    const secret = randomBytes(32).toString('base64url');
    return { purpose, generation, kid: digest(secret), sealed: secrets.seal(secret), signsFrom };
  }
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const jwk = privateKey.export({ format: 'jwk' });
  const kid = digest(String(jwk.n)).slice(0, 32);
  const sealed = secrets.seal(JSON.stringify({ ...jwk, kid, use: 'sig', alg: 'RS256' }));
  return { purpose, generation, kid, sealed, signsFrom };
}
