/**
 * Fetches metadata again when it is due. What it brings is taken at once where only certificates changed, or where people are signed
 * out at an origin that is in use, and otherwise waits for an admin, while what was in use stays. One tenant's failure delays only itself.
 */

import { lookSooner } from '../alerts/alert-store.ts';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import type { ConnectionId } from '../kernel/ids.ts';
import { reviseSaid } from '../provisioning/claimed-groups-flow.ts';
import { lockPool } from '../provisioning/pool-store.ts';
import { endSessionsOfConnection } from '../sessions/session-flow.ts';
import type { Connection, MetadataSource, SamlConnection, SamlSettings } from './connection.ts';
import { checkCertificates, lockedConnection } from './connection-flow.ts';
import { updateConnection } from './connection-store.ts';
import { type IdentityProvider, identityProviderOf, type Published } from './core/metadata.ts';
import { fetchMetadata, type Outbound } from './metadata-client.ts';
import { failedSource, fetchedSource, isSame, isToConfirm } from './metadata-refresh.ts';
import { claimMetadata, type DueMetadata, findDueMetadata, writeSource } from './metadata-store.ts';

export interface Refresh {
  database: Database;
  outbound: Outbound;
  /** What is written down, and what the identity provider's times are compared with. */
  times: () => { now: Date; realNow: Date };
  /** Aborted when the process is to end: what is being fetched counts neither as fetched nor as failed. */
  stopping: AbortSignal;
}

/** A process that ended while it fetched is made up for after this. */
const leaseMs = 2 * 60_000;

/** Answers how many were due. @throws AggregateError of those that failed here; a failure there is written down instead. */
export async function refreshMetadata(refresh: Refresh, most: number): Promise<number> {
  const due = await findDueMetadata(refresh.database, refresh.times().now, most);
  const results = await Promise.allSettled(due.map((one) => refreshOne(refresh, one)));
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (failures.length > 0) throw new AggregateError(failures, 'metadata could not be refreshed');
  return due.length;
}

async function refreshOne({ database, outbound, times, stopping }: Refresh, due: DueMetadata): Promise<void> {
  const { tenantId, connectionId } = due;
  const { now, realNow } = times();
  const until = new Date(now.getTime() + leaseMs);
  const url = await inTenant(database, tenantId, (tx) => claimMetadata(tx, connectionId, now, until));
  if (url === undefined) return;
  const fetched = await fetchMetadata(url, outbound, realNow, stopping)
    .then((published) => {
      checkCertificates(published.provider, 'metadataUrl');
      return published;
    })
    .catch((error: unknown) => {
      if (error instanceof Fault && error.code === 'invalid') return error;
      throw error;
    });
  const door: Door = {
    tenantId,
    actor: { kind: 'system', rule: 'metadata' },
    now: times().now,
    requestId: null,
  };
  await settle(database, door, { connectionId, until, fetched });
}

interface Fetched {
  connectionId: ConnectionId;
  /** As it was claimed. */
  until: Date;
  fetched: Published | Fault;
}

async function settle(
  database: Database,
  door: Door,
  { connectionId, until, fetched }: Fetched,
): Promise<void> {
  const { now, tenantId } = door;
  await inTenant(database, tenantId, async (tx) => {
    const connection = await lockedConnection(tx, connectionId);
    const { metadata: before } = connection;
    // An admin has given it anew meanwhile, or another process has claimed it: what they fetched is newer.
    if (connection.protocol !== 'saml' || before?.nextFetchAt.getTime() !== until.getTime()) return;
    const { settings } = connection;
    const { url } = before;
    const tell = (action: string, was: unknown, after: unknown) => {
      appendAudit(tx, door, [{ action, subject: connectionId, before: was, after }]);
      lookSooner(tx, now);
    };
    if (fetched instanceof Fault) {
      writeSource(tx, connectionId, failedSource(before, fetched.message, now));
      if (before.error !== fetched.message)
        tell('connection.metadata_failed', undefined, { error: fetched.message });
      return;
    }
    const { provider } = fetched;
    const source = fetchedSource(url, fetched, now, Math.random());
    if (!isToConfirm(url, settings, provider)) {
      writeSource(tx, connectionId, source);
      if (before.pending !== null || before.error !== null) lookSooner(tx, now);
      if (isSame(settings, provider)) return;
      updateConnection(tx, connectionId, withProvider(connection, provider));
      tellTaken(tell, settings, provider);
      return;
    }
    const isKnown = before.pending !== null && isSame(before.pending, provider);
    const pending = isKnown ? before.pending : { ...provider, seenAt: now.toISOString() };
    writeSource(tx, connectionId, { ...source, pending });
    if (!isKnown) tell('connection.metadata_held', identityProviderOf(settings), provider);
  });
}

/** Of what was taken at once: certificates and addresses, each where it is another. */
function tellTaken(
  tell: (action: string, was: unknown, after: unknown) => void,
  settings: SamlSettings,
  provider: IdentityProvider,
): void {
  const [was, is] = [identityProviderOf(settings), identityProviderOf(provider)];
  if (!isSame({ ...was, certificates: is.certificates }, was)) {
    const { certificates } = was;
    tell('connection.certificates_changed', { certificates }, { certificates: is.certificates });
  }
  if (isSame({ ...is, certificates: was.certificates }, was)) return;
  const [{ certificates: _was, ...before }, { certificates: _is, ...after }] = [was, is];
  tell('connection.addresses_changed', before, after);
}

/**
 * Of another identity provider, what the one before said is forgotten, as in `reviseConnection`: the pool is locked first.
 *
 * @param seenAt Names the change, so that none is confirmed that the admin has not seen. @throws Fault `not_found`, `conflict`
 */
export async function confirmMetadata(
  database: Database,
  door: Door,
  connectionId: ConnectionId,
  seenAt: string,
): Promise<Connection> {
  return await inTenant(database, door.tenantId, async (tx) => {
    const [pool, connection] = await Promise.all([lockPool(tx), lockedConnection(tx, connectionId)]);
    const { metadata } = connection;
    if (connection.protocol !== 'saml' || metadata?.pending?.seenAt !== seenAt) {
      throw new Fault('conflict', `No change seen at ${seenAt} waits: read the connection again.`);
    }
    const { settings } = connection;
    const { seenAt: _seen, ...provider } = metadata.pending;
    const source: MetadataSource = { ...metadata, pending: null };
    writeSource(tx, connectionId, source);
    const changed = withProvider(connection, provider);
    updateConnection(tx, connectionId, changed);
    if (provider.entityId !== settings.entityId) {
      endSessionsOfConnection(tx, connectionId);
      await reviseSaid(tx, door, pool, { connectionId, areForgotten: true, defaultRole: undefined });
    }
    appendAudit(tx, door, [
      {
        action: 'connection.metadata_confirmed',
        subject: connectionId,
        before: identityProviderOf(settings),
        after: provider,
      },
    ]);
    lookSooner(tx, door.now);
    return { ...changed, metadata: source };
  });
}

function withProvider(connection: SamlConnection, provider: IdentityProvider): SamlConnection {
  return { ...connection, settings: { ...connection.settings, ...provider } };
}
