/** Logouts between an OpenID provider and us: it tells us (Back-Channel Logout 1.0), and browsers are sent to it (RP-Initiated Logout 1.0). */

import { errors, type JWTPayload, jwtVerify } from 'jose';
import { atOnce, inTenant } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import type { IssuerKeys } from '../oauth/issuer-keys-client.ts';
import { revocationNow } from '../sessions/revocation-store.ts';
import { awaitLogins, deleteUpstreamSessions, type EndedSession } from '../sessions/session-store.ts';
import { type OidcConnection, oidcAddressesOf } from './connection.ts';
import { selectConnection, selectProof } from './connection-store.ts';
import { readLogoutToken } from './core/logout-token.ts';
import { Refusal } from './core/refusal.ts';
import { useAssertion } from './login-store.ts';
import { type OidcSignOn, partiesOf } from './oidc-login-flow.ts';
import type { ConnectionPlace, SignOn } from './sign-in-flow.ts';

/**
 * Ends the sessions that a logout token names, whose sid or sub the identity provider gave at the login.
 *
 * @returns false: the token is none, is not for us, or was taken before.
 * @throws IssuerUnavailable when the identity provider's keys can't be had.
 */
export async function acceptLogoutToken(
  {
    database,
    clock,
    realClock,
    keys,
  }: Pick<SignOn, 'database' | 'clock' | 'realClock'> & { keys: IssuerKeys },
  { tenantId, connectionId }: ConnectionPlace,
  token: string,
): Promise<boolean> {
  const connection = await inTenant(database, tenantId, (tx) => selectConnection(tx, connectionId));
  if (connection?.protocol !== 'oidc') return false;
  const now = realClock.now();
  const claims = await verifiedClaims(keys, tenantId, connection, token, now);
  const logout = claims && readLogoutToken(claims, now);
  if (logout === undefined) return false;
  const until = new Date(now.getTime() + 2 * limits.loginMinutesMax * 60_000);
  const revocation = revocationNow({ clock, realClock });
  return await inTenant(database, tenantId, async (tx) => {
    awaitLogins(tx, connectionId);
    if (!(await useAssertion(tx, connectionId, `logout ${logout.jti}`, until))) return false;
    deleteUpstreamSessions(tx, connectionId, logout, revocation);
    return true;
  });
}

/** undefined: not signed by the identity provider, for us, in time. */
async function verifiedClaims(
  keys: IssuerKeys,
  asker: TenantId,
  { settings }: OidcConnection,
  token: string,
  currentDate: Date,
): Promise<JWTPayload | undefined> {
  const { issuer, clientId: audience, idTokenSignedResponseAlg } = settings;
  try {
    const { payload } = await jwtVerify(token, keys.keyFinder(issuer, asker), {
      ...{ issuer, audience, currentDate, algorithms: [idTokenSignedResponseAlg] },
      clockTolerance: limits.clockSkewSecondsMax,
      requiredClaims: ['exp'],
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

/** Where a browser goes on to sign out at the identity provider; undefined: nowhere, or it does not answer. */
export async function upstreamLogoutUrl(
  signOn: OidcSignOn,
  tenantId: TenantId,
  { connectionId, upstream }: EndedSession,
): Promise<string | undefined> {
  const { database, secrets, publicUrl, oidcProviders } = signOn;
  if (typeof upstream?.idToken !== 'string') return undefined;
  const [connection, sealed] = await atOnce(database, tenantId, (tx) =>
    Promise.all([selectConnection(tx, connectionId), selectProof(tx, connectionId)]),
  );
  if (connection?.protocol !== 'oidc' || sealed === undefined) return undefined;
  const parties = partiesOf(publicUrl, tenantId, connection, secrets.open(sealed));
  const idToken = secrets.open(Buffer.from(upstream.idToken, 'base64'));
  const { loggedOutUrl: returnTo } = oidcAddressesOf(publicUrl, connectionId);
  try {
    return await oidcProviders.endSessionUrl(parties, { idToken, returnTo });
  } catch (error) {
    // The session here is over; that the other one may not be is what the page says anyway.
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
