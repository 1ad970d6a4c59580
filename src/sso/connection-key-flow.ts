/** Rolls a connection's keys over: a next one is told to the identity provider, becomes the current one, and the old one is removed. */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import type { ConnectionId } from '../kernel/ids.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import { lockedConnection } from './connection-flow.ts';
import { type ConnectionKey, currentKey, type KeyUse } from './connection-key.ts';
import { deleteKey, insertKey, makeCurrent } from './connection-key-store.ts';
import { newKey } from './new-key-flow.ts';

/** @throws Fault `not_found`; `conflict` where there is a next one already. */
export async function addNextKey(
  database: Database,
  secrets: SecretBox,
  door: Door,
  connectionId: ConnectionId,
  use: KeyUse,
): Promise<ConnectionKey> {
  const made = await newKey(use, 'next', door.now);
  return await inTenant(database, door.tenantId, async (tx) => {
    const { keys } = await lockedConnection(tx, connectionId);
    const key: ConnectionKey = {
      ...made.key,
      state: currentKey(keys, use) === undefined ? 'current' : 'next',
    };
    const waiting = keys.find((known) => known.use === use && known.state === 'next');
    if (waiting !== undefined) {
      throw new Fault('conflict', `Key ${waiting.id} is next already: activate it, or remove it first.`);
    }
    insertKey(tx, connectionId, key, secrets.seal(made.privateKey));
    appendAudit(tx, door, [{ action: 'connection.key_added', subject: connectionId, after: { ...key } }]);
    return key;
  });
}

/** The key is used from now on; the one that was stays as the previous one, to go back to. @throws Fault `not_found` */
export async function activateKey(
  database: Database,
  door: Door,
  connectionId: ConnectionId,
  id: string,
): Promise<ConnectionKey> {
  return await inTenant(database, door.tenantId, async (tx) => {
    const { keys } = await lockedConnection(tx, connectionId);
    const key = keyOf(keys, id);
    if (key.state === 'current') return key;
    const isLeft = (other: ConnectionKey) =>
      other.use === key.use && other.state === 'previous' && other.id !== id;
    for (const { id: left } of keys.filter(isLeft)) deleteKey(tx, left);
    makeCurrent(tx, connectionId, key);
    const before = { key: currentKey(keys, key.use)?.id };
    appendAudit(tx, door, [
      { action: 'connection.key_activated', subject: connectionId, before, after: { key: id } },
    ]);
    return { ...key, state: 'current' };
  });
}

/** @throws Fault `not_found`; `conflict` for the current one. */
export async function removeKey(
  database: Database,
  door: Door,
  connectionId: ConnectionId,
  id: string,
): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const { state } = keyOf((await lockedConnection(tx, connectionId)).keys, id);
    if (state === 'current') {
      throw new Fault('conflict', `Key ${id} is in use: add the next one and activate that first.`);
    }
    deleteKey(tx, id);
    appendAudit(tx, door, [
      { action: 'connection.key_removed', subject: connectionId, before: { key: id, state } },
    ]);
  });
}

function keyOf(keys: readonly ConnectionKey[], id: string): ConnectionKey {
  const key = keys.find((known) => known.id === id);
  if (key === undefined) throw new Fault('not_found', `The connection has no key ${id}.`);
  return key;
}
