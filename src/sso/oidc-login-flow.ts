/** What comes back of a login by OpenID Connect: the code is exchanged, and the ID token checked (OpenID Connect Core §3.1). */

import { atOnce } from '../db/tenant-transaction.ts';
import { assert } from '../kernel/assert.ts';
import { digest } from '../kernel/digest.ts';
import type { TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { isKey, toStorable } from '../kernel/storable.ts';
import { hashToken } from '../kernel/token.ts';
import { groupsClaimOf, type OidcConnection, oidcAddressesOf } from './connection.ts';
import { currentKey } from './connection-key.ts';
import { selectConnection, selectProof } from './connection-store.ts';
import { checkStepUp } from './core/asked.ts';
import { oidcGroups } from './core/claimed-groups.ts';
import { type Claims, checkClaims, maxAgeAt, oidcIdentityOf } from './core/oidc-identity.ts';
import { Refusal } from './core/refusal.ts';
import { claimTexts } from './core/test-report.ts';
import { takeLoginRequest } from './login-store.ts';
import type { OidcProviders, Parties } from './oidc-client.ts';
import { type AnswerContext, type LoginOutcome, settleLogin } from './settle-login-flow.ts';
import {
  type ConnectionPlace,
  detailLengthMax,
  type SignOn,
  type Trace,
  type Vouched,
} from './sign-in-flow.ts';

export interface OidcSignOn extends SignOn {
  oidcProviders: OidcProviders;
}

export interface Callback {
  /** The query, as the browser brought it. */
  query: string;
  /** undefined: not there, or there more than once. */
  state: string | undefined;
  /** The cookie of the browser that began. */
  browser: string | undefined;
}

/** Refusals are outcomes. @throws Fault `unavailable` and the like. */
export async function acceptCallback(
  signOn: OidcSignOn,
  place: ConnectionPlace,
  callback: Callback,
  context: Omit<AnswerContext, 'responseHash'>,
): Promise<LoginOutcome> {
  const responseHash = digest(callback.query);
  return await settleLogin(signOn, place, { ...context, responseHash }, (trace) =>
    readCallback(signOn, place, callback, trace),
  );
}

async function readCallback(
  signOn: OidcSignOn,
  { tenantId, connectionId }: ConnectionPlace,
  { query, state, browser }: Callback,
  trace: Trace,
): Promise<Vouched> {
  const { database, clock, realClock, secrets, publicUrl, oidcProviders } = signOn;
  if (query.length > limits.oidcAnswerLengthMax) throw new Refusal('form', 'The answer is too long.');
  if (state === undefined) {
    throw new Refusal('unsolicited', 'Nobody asked here: begin at the login address of the connection.');
  }
  const key = { stateHash: hashToken(state), connectionId, browserHash: hashToken(browser ?? '') };
  const [connection, asked, sealed] = await atOnce(database, tenantId, (tx) =>
    Promise.all([
      selectConnection(tx, connectionId),
      takeLoginRequest(tx, key, clock.now()),
      selectProof(tx, connectionId),
    ]),
  );
  const isOpen = connection?.enabled === true || asked?.testId != null;
  if (connection?.protocol !== 'oidc' || !isOpen || sealed === undefined) {
    throw new Refusal('disabled', 'The connection is switched off.');
  }
  if (asked?.codeVerifier == null) {
    throw new Refusal('request', 'This browser has no such request here that waits for an answer.');
  }
  trace.testId = asked.testId;
  trace.steps.push('request');
  const { requestId: nonce, codeVerifier, stepUp, returnTo, askedAt } = asked;
  const parties = partiesOf(publicUrl, tenantId, connection, secrets.open(sealed));
  const { claims, idToken } = await oidcProviders.exchange(parties, query, {
    state,
    nonce,
    codeVerifier,
    maxAge: maxAgeAt(stepUp, { askedAt, now: realClock.now() }),
  });
  trace.steps.push('signature');
  trace.claims = claimTexts(claims);
  trace.attributes = Object.keys(claims).map((name) => toStorable(name.slice(0, detailLengthMax)));
  const { settings, jit } = connection;
  const now = realClock.now();
  checkClaims(claims, { ...settings, now });
  const how = howOf(claims, now);
  // The library has checked the age.
  checkStepUp({ ...stepUp, forceAuthn: false, maxAgeSeconds: null }, how, { askedAt, now });
  trace.steps.push('policy');
  return {
    connection,
    identity: oidcIdentityOf(claims, jit.attributes, settings.issuer),
    groups: oidcGroups(claims, groupsClaimOf(jit)),
    once: { id: digest(idToken), until: new Date(now.getTime() + limits.loginMinutesMax * 60_000) },
    sessionUntil: null,
    ...how,
    upstream: {
      sub: String(claims.sub),
      ...(settings.singleLogout ? { idToken: secrets.seal(idToken).toString('base64') } : {}),
    },
    upstreamSid: isKey(claims.sid) ? claims.sid : null,
    askedAt,
    returnTo,
  };
}

function howOf({ auth_time: at, acr }: Claims, now: Date): Pick<Vouched, 'authenticatedAt' | 'acr'> {
  return {
    authenticatedAt: typeof at === 'number' && at * 1000 < now.getTime() ? new Date(at * 1000) : now,
    acr: typeof acr === 'string' ? toStorable(acr.slice(0, 500)) : null,
  };
}

/** @param secret What proves the client. */
export function partiesOf(
  publicUrl: string,
  tenantId: TenantId,
  { id, settings, keys }: OidcConnection,
  secret: string,
): Parties {
  const { callbackUrl: redirectUri } = oidcAddressesOf(publicUrl, id);
  if (settings.clientAuthMethod !== 'private_key_jwt') {
    return { tenantId, settings, redirectUri, proof: { kind: 'secret', secret } };
  }
  const key = currentKey(keys, 'signing');
  assert(key !== undefined, 'a connection has a key');
  return { tenantId, settings, redirectUri, proof: { kind: 'key', pkcs8: secret, kid: key.id } };
}
