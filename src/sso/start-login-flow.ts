/** Begins a login: the browser is sent to the identity provider with a request that only it can have answered, once. */

import { randomBytes } from 'node:crypto';
import { inTenant } from '../db/tenant-transaction.ts';
import { assert } from '../kernel/assert.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { hashToken, newToken } from '../kernel/token.ts';
import { addressesOf, type Connection, type ConnectionDraft, signsRequests } from './connection.ts';
import { unknownConnection } from './connection-flow.ts';
import { selectConnection, selectProof } from './connection-store.ts';
import type { Asked, StepUp } from './core/asked.ts';
import type { Transfer } from './core/binding.ts';
import { type HeldSession, withHeld } from './core/held-session.ts';
import { Refusal } from './core/refusal.ts';
import { insertLoginRequest } from './login-store.ts';
import type { OidcProviders } from './oidc-client.ts';
import { partiesOf } from './oidc-login-flow.ts';
import { authnRequest } from './saml-client.ts';
import type { ConnectionPlace, SignOn } from './sign-in-flow.ts';

export interface Start extends SignOn {
  oidcProviders: OidcProviders;
}

export interface Begun {
  /** To the identity provider. */
  transfer: Transfer;
  /** SAML's RelayState, OpenID's state. */
  state: string;
  /** The cookie of the browser that began. */
  browser: string;
}

interface Of {
  /** Of the path, if it has one. */
  protocol?: ConnectionDraft['protocol'];
  /** Told to the identity provider as who signs in; null: nobody is named. */
  loginHint?: string | null;
  /** The test that the login is: of a connection that is switched off, too. */
  testId?: string | null;
  /** What the browser signed in as before. */
  held?: HeldSession | undefined;
}

/**
 * @throws Fault `not_found` for a connection that is not there or is switched off; `unavailable` where the identity provider is
 *   needed and does not answer.
 */
export async function startLogin(
  start: Start,
  place: ConnectionPlace,
  asked: Asked,
  { protocol, loginHint = null, testId = null, held }: Of = {},
): Promise<Begun> {
  const { database, clock, realClock, secrets, publicUrl, oidcProviders } = start;
  const { connectionId } = place;
  const [state, browser] = [randomBytes(32).toString('base64url'), withHeld(newToken('login'), held)];
  // SAML's ID may not begin with a digit.
  const requestId = `_${randomBytes(20).toString('hex')}`;
  const codeVerifier = randomBytes(32).toString('base64url');
  const found = await inTenant(database, place.tenantId, async (tx) => {
    const connection = await selectConnection(tx, connectionId);
    const isOpen = connection?.enabled === true || testId !== null;
    if (connection === undefined || !isOpen || (protocol ?? connection.protocol) !== connection.protocol) {
      throw unknownConnection(connectionId);
    }
    const stepUp = stepUpOf(connection, asked.stepUp);
    insertLoginRequest(tx, {
      ...{ stateHash: hashToken(state), connectionId, requestId, browserHash: hashToken(browser) },
      ...{ returnTo: asked.returnTo, stepUp, askedAt: realClock.now(), testId },
      codeVerifier: connection.protocol === 'oidc' ? codeVerifier : null,
      expiresAt: new Date(clock.now().getTime() + limits.loginMinutesMax * 60_000),
    });
    const isProved = connection.protocol === 'oidc' || signsRequests(connection.settings);
    const proof = isProved ? selectProof(tx, connectionId) : undefined;
    tx.commit();
    return { connection, stepUp, sealed: await proof };
  });
  const { connection, stepUp } = found;
  const secret = found.sealed && secrets.open(found.sealed);
  if (connection.protocol === 'saml') {
    const parties = { settings: connection.settings, addresses: addressesOf(publicUrl, connectionId) };
    const request = { id: requestId, relayState: state, privateKey: secret, loginHint, stepUp };
    return { transfer: await authnRequest(parties, request), state, browser };
  }
  assert(secret !== undefined, 'a connection has what proves the client');
  const parties = partiesOf(publicUrl, place.tenantId, connection, secret);
  const request = { state, nonce: requestId, codeVerifier, stepUp, loginHint };
  const url = await oidcProviders.authorizationUrl(parties, request).catch((error: unknown) => {
    if (!(error instanceof Refusal)) throw error;
    const detail = { retryAfterSeconds: providerRetrySeconds, cause: error };
    throw new Fault('unavailable', 'The identity provider does not answer: try again shortly.', detail);
  });
  return { transfer: { binding: 'redirect', url }, state, browser };
}

const providerRetrySeconds = 5;

/** What the application asks for, and where it asks for nothing, what the connection does. */
function stepUpOf({ protocol, settings }: Connection, asked: StepUp): StepUp {
  if (protocol === 'oidc') return asked;
  // SAML has no word for how long ago it may have been: anew is never too long ago.
  const forceAuthn = asked.forceAuthn || asked.maxAgeSeconds !== null || settings.forceAuthn;
  const acrValues = asked.acrValues.length > 0 ? asked.acrValues : settings.authnContexts;
  return { ...asked, forceAuthn, acrValues };
}
