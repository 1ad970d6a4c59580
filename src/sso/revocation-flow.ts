/** An identity provider ends what a person has open here (draft-parecki-oauth-global-token-revocation; Okta's Universal Logout). */

import { appendAudit } from '../audit/audit-store.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { checkSigned, NotTrusted } from '../oauth/assertion-client.ts';
import { failureRestSeconds, type IssuerKeys, IssuerUnavailable } from '../oauth/issuer-keys-client.ts';
import { revocationNow } from '../sessions/revocation-store.ts';
import { awaitLogins, deleteSessionsOfUserAt } from '../sessions/session-store.ts';
import { addressesOf, type Connection, providerOf, revocationUrlOf } from './connection.ts';
import { selectConnection } from './connection-store.ts';
import { type RevokedSubject, readRevokedSubject } from './core/revoked-subject.ts';
import { selectUserOfAddress, selectUserOfSubject } from './revocation-store.ts';
import type { ConnectionPlace } from './sign-in-flow.ts';

export interface RevocationServices {
  database: Database;
  clock: Clock;
  realClock: Clock;
  publicUrl: string;
  keys: IssuerKeys;
}

export interface RevocationRequest {
  /** The header of that name. */
  authorization: string | undefined;
  /** As JSON gave it. */
  body: unknown;
  requestId: string;
}

/**
 * Sessions that other connections of the tenant made stay: one identity provider has no say in another's.
 *
 * @throws Fault `unauthenticated` unless the connection's `revocationIssuer` signed it for this address; `invalid`; `not_found` for
 *   who is not here; `unavailable` when the issuer's keys can't be had.
 */
export async function revokeSessions(
  services: RevocationServices,
  place: ConnectionPlace,
  { authorization, body, requestId }: RevocationRequest,
): Promise<void> {
  const { database, clock } = services;
  const { tenantId, connectionId } = place;
  const connection = await inTenant(database, tenantId, (tx) => selectConnection(tx, connectionId));
  await checkAsker(services, place, connection?.revocationIssuer, authorization);
  if (connection === undefined) throw new Fault('unauthenticated', 'There is no such connection.');
  const subject = readRevokedSubject(body);
  const door = {
    ...{ tenantId, requestId, now: clock.now() },
    actor: { kind: 'connection', id: connectionId, name: connection.name },
  } as const;
  const revocation = revocationNow(services);
  await inTenant(database, tenantId, async (tx) => {
    awaitLogins(tx, connectionId);
    const userId = await findUser(tx, services, connection, subject);
    if (userId === undefined) throw new Fault('not_found', 'Nobody of that subject has signed in here.');
    deleteSessionsOfUserAt(tx, userId, connectionId, revocation);
    appendAudit(tx, door, [{ action: 'sessions.revoked', subject: userId, after: { connectionId } }]);
  });
}

async function checkAsker(
  { keys, realClock, publicUrl }: RevocationServices,
  place: ConnectionPlace,
  issuer: string | null | undefined,
  authorization: string | undefined,
): Promise<void> {
  const token = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined || token.length > limits.assertionLengthMax || !issuer) {
    throw new Fault(
      'unauthenticated',
      'Send a JWT that the connection’s revocationIssuer signed, as a bearer token.',
    );
  }
  const trust = { issuer, audience: revocationUrlOf(publicUrl, place.connectionId), asker: place.tenantId };
  try {
    await checkSigned(keys, trust, token, realClock.now());
  } catch (error) {
    if (error instanceof NotTrusted) throw new Fault('unauthenticated', `The token ${error.message}.`);
    if (!(error instanceof IssuerUnavailable)) throw error;
    const sentence = `The issuer can not be asked for its keys: ${error.message.replace(/\.$/, '')}. Try again.`;
    throw new Fault('unavailable', sentence, { retryAfterSeconds: failureRestSeconds, cause: error });
  }
}

async function findUser(
  tx: TenantTransaction,
  { publicUrl }: RevocationServices,
  connection: Connection,
  named: RevokedSubject,
): Promise<UserId | undefined> {
  const { id } = connection;
  if (named.format === 'email') return await selectUserOfAddress(tx, id, named.address);
  const { issuer, subject } = named;
  if (issuer !== providerOf(connection)) return undefined;
  // As a persistent NameID, and as an attribute.
  const { entityId } = addressesOf(publicUrl, id);
  const subjects = [
    [subject, issuer, entityId],
    [subject, issuer],
  ].map((one) => JSON.stringify(one));
  return await selectUserOfSubject(tx, id, subjects);
}
