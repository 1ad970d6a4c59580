/** Begins a login: the browser is sent to the identity provider with a request that only it can have answered, once. */

import { randomBytes } from 'node:crypto';
import { inTenant } from '../db/tenant-transaction.ts';
import { assert } from '../kernel/assert.ts';
import { limits } from '../kernel/limits.ts';
import { hashToken, newToken } from '../kernel/token.ts';
import { addressesOf, type ConnectionDraft } from './connection.ts';
import { unknownConnection } from './connection-flow.ts';
import { selectPrivateKey } from './connection-key-store.ts';
import { selectConnection } from './connection-store.ts';
import type { Asked } from './core/asked.ts';
import { insertLoginRequest } from './login-store.ts';
import type { OidcProviders } from './oidc-client.ts';
import { partiesOf, selectProof } from './oidc-login-flow.ts';
import { authorizeUrl } from './saml-client.ts';
import type { ConnectionPlace, SignOn } from './sign-in-flow.ts';

export interface Start extends SignOn {
  oidcProviders: OidcProviders;
}

export interface Begun {
  /** At the identity provider. */
  url: string;
  /** SAML's RelayState, OpenID's state. */
  state: string;
  /** The cookie of the browser that began. */
  browser: string;
}

/**
 * @param of The protocol of the path, if it has one; and who is told to the identity provider as who signs in, if anybody is named.
 * @throws Fault `not_found` for a connection that is not there or is switched off; `unavailable` where the identity provider is
 *   needed and does not answer.
 */
export async function startLogin(
  start: Start,
  place: ConnectionPlace,
  asked: Asked,
  { protocol, loginHint = null }: { protocol?: ConnectionDraft['protocol']; loginHint?: string | null } = {},
): Promise<Begun> {
  const { database, clock, secrets, publicUrl, oidcProviders } = start;
  const { connectionId } = place;
  const [state, browser] = [randomBytes(32).toString('base64url'), newToken('login')];
  // SAML's ID may not begin with a digit.
  const requestId = `_${randomBytes(20).toString('hex')}`;
  const codeVerifier = randomBytes(32).toString('base64url');
  const { connection, sealed } = await inTenant(database, place.tenantId, async (tx) => {
    const found = await selectConnection(tx, connectionId);
    if (found?.enabled !== true || (protocol ?? found.protocol) !== found.protocol) {
      throw unknownConnection(connectionId);
    }
    insertLoginRequest(tx, {
      ...{ stateHash: hashToken(state), connectionId, requestId, browserHash: hashToken(browser), ...asked },
      codeVerifier: found.protocol === 'oidc' ? codeVerifier : null,
      expiresAt: new Date(clock.now().getTime() + limits.loginMinutesMax * 60_000),
    });
    const signs = found.protocol === 'saml' && found.settings.signRequests;
    if (found.protocol === 'oidc') return { connection: found, sealed: await selectProof(tx, found) };
    return {
      connection: found,
      sealed: signs ? await selectPrivateKey(tx, connectionId, 'signing') : undefined,
    };
  });
  if (connection.protocol === 'saml') {
    const parties = { settings: connection.settings, addresses: addressesOf(publicUrl, connectionId) };
    const privateKey = sealed && secrets.open(sealed);
    return {
      url: await authorizeUrl(parties, { id: requestId, relayState: state, privateKey, loginHint }),
      state,
      browser,
    };
  }
  assert(sealed !== undefined, 'a connection has what proves the client');
  const parties = partiesOf(start, place.tenantId, connection, sealed);
  const { stepUp } = asked;
  const url = await oidcProviders.authorizationUrl(parties, {
    state,
    nonce: requestId,
    codeVerifier,
    stepUp,
    loginHint,
  });
  return { url, state, browser };
}
