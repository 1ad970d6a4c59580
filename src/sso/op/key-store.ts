/** Keeps the provider's keys, sealed. A generation is made once, however many gateways want it. */

import { sql } from 'kysely';
import { type Database, db } from '../../db/database.ts';
import type { KeyTimes } from './key.ts';

export type KeyPurpose = 'signing' | 'cookies';

export interface StoredKey extends KeyTimes {
  purpose: KeyPurpose;
  sealed: Buffer;
}

/** In the order in which they sign. */
export async function selectKeys(database: Database): Promise<StoredKey[]> {
  return await database.run(
    db
      .selectFrom('openid_keys')
      .select(['purpose', 'generation', 'kid', 'sealed', 'signs_from as signsFrom'])
      .orderBy('signs_from')
      .orderBy('generation'),
  );
}

/** false: another has made it. */
export async function insertKey(database: Database, key: StoredKey): Promise<boolean> {
  const { purpose, generation, kid, sealed, signsFrom } = key;
  const rows = await database.run(sql`
    insert into openid_keys (purpose, generation, kid, sealed, signs_from)
    values (${purpose}, ${generation}, ${kid}, ${sealed}, ${signsFrom})
    on conflict do nothing returning generation`);
  return rows.length === 1;
}

export async function deleteKeys(database: Database, generations: readonly number[]): Promise<void> {
  if (generations.length === 0) return;
  await database.run(
    db.deleteFrom('openid_keys').where('purpose', '=', 'signing').where('generation', 'in', generations),
  );
}
