/**
 * A login by SAML: the browser is sent to the identity provider with a request that only it can have answered, once; the answer
 * goes through the gate, the library and the policy.
 */

import type { Database } from '../db/database.ts';
import { atOnce, inTenant } from '../db/tenant-transaction.ts';
import { digest } from '../kernel/digest.ts';
import type { ConnectionId, TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { isKey } from '../kernel/storable.ts';
import { hashToken } from '../kernel/token.ts';
import { addressesOf, type Connection, groupsClaimOf } from './connection.ts';
import { selectDecryptionKeys } from './connection-key-store.ts';
import { selectConnection } from './connection-store.ts';
import { checkStepUp, returnPathOf } from './core/asked.ts';
import { samlGroups } from './core/claimed-groups.ts';
import { identityOf } from './core/identity.ts';
import { Refusal } from './core/refusal.ts';
import { readResponse, readStrictly } from './core/saml-gate.ts';
import { checkAssertion, type SignedAssertion } from './core/saml-policy.ts';
import { trimXml } from './core/xml.ts';
import { type RequestKey, takeLoginRequest } from './login-store.ts';
import { bringForward } from './metadata-store.ts';
import type { ToVerify } from './saml-client.ts';
import type { SamlVerifier } from './saml-verifier-client.ts';
import { type AnswerContext, type LoginOutcome, settleLogin } from './settle-login-flow.ts';
import {
  type ConnectionPlace,
  detailLengthMax,
  type SignOn,
  type Trace,
  type Vouched,
} from './sign-in-flow.ts';
import { signedAssertion } from './signed-assertion-flow.ts';

export interface SamlSignOn extends SignOn {
  verifier: SamlVerifier;
}

export interface Posted {
  /** undefined: not there, or there more than once. */
  samlResponse: string | undefined;
  relayState: string | undefined;
  /** The cookie of the browser that began. */
  browser: string | undefined;
}

/** Refusals are outcomes. @throws Fault `unavailable` and the like. */
export async function acceptResponse(
  signOn: SamlSignOn,
  place: ConnectionPlace,
  posted: Posted,
  context: Omit<AnswerContext, 'responseHash'>,
): Promise<LoginOutcome | Restart> {
  if (await mayRestart(signOn, place, posted)) {
    return { kind: 'restart', returnTo: returnPathOf(posted.relayState) };
  }
  const responseHash = digest(posted.samlResponse ?? '');
  return await settleLogin(signOn, place, { ...context, responseHash }, (trace) =>
    readAnswer(signOn, place, posted, trace),
  );
}

/** Sent unasked, to a connection that allows it: nobody is signed in by that, or anybody could be by anybody else's answer. */
export interface Restart {
  kind: 'restart';
  returnTo: string | null;
}

async function mayRestart(
  { database }: SamlSignOn,
  { tenantId, connectionId }: ConnectionPlace,
  { samlResponse, browser }: Posted,
): Promise<boolean> {
  if (browser !== undefined || samlResponse === undefined) return false;
  const connection = await atOnce(database, tenantId, (tx) => selectConnection(tx, connectionId));
  return (
    connection?.enabled === true && connection.protocol === 'saml' && connection.settings.allowIdpInitiated
  );
}

/** What was signed, by whom we asked, as the answer to what this browser asked. */
async function readAnswer(
  signOn: SamlSignOn,
  { tenantId, connectionId }: ConnectionPlace,
  posted: Posted,
  trace: Trace,
): Promise<Vouched> {
  const { database, clock, realClock, secrets, publicUrl, verifier } = signOn;
  const key = keyOf(connectionId, posted);
  const { xml, response } = await readGated(posted, async () => {
    if (key === null || posted.browser === undefined) return;
    const asked = await atOnce(database, tenantId, (tx) => takeLoginRequest(tx, key, clock.now()));
    trace.testId = asked?.testId ?? null;
  });
  trace.steps.push('gate');
  if (key === null) {
    throw new Refusal('unsolicited', 'Nobody asked here: begin at the login address of the connection.');
  }
  const [connection, asked] = await atOnce(database, tenantId, (tx) =>
    Promise.all([selectConnection(tx, connectionId), takeLoginRequest(tx, key, clock.now())]),
  );
  const isOpen = connection?.enabled === true || asked?.testId != null;
  if (connection?.protocol !== 'saml' || !isOpen) {
    throw new Refusal('disabled', 'The connection is switched off.');
  }
  if (asked === undefined) {
    throw new Refusal('request', 'This browser has no such request here that waits for an answer.');
  }
  trace.testId = asked.testId;
  trace.steps.push('request');
  const { settings } = connection;
  const addresses = addressesOf(publicUrl, connectionId);
  const privateKeys = async () => {
    const sealed = await inTenant(database, tenantId, (tx) => selectDecryptionKeys(tx, connectionId));
    return sealed.map((key) => secrets.open(key));
  };
  const verify = (signed: ToVerify) => verifier.verify(connectionId, signed);
  const signed = await signedAssertion(
    { xml, response },
    { settings, addresses },
    { verify, privateKeys },
  ).catch((error: unknown) => fetchAgain(error, { database, tenantId, connection, now: clock.now() }));
  trace.steps.push('signature');
  const assertion = checkAssertion(response, readStrictly(signed.xml), {
    entityId: settings.entityId,
    audience: addresses.entityId,
    acsUrl: addresses.acsUrl,
    requestId: asked.requestId,
    now: realClock.now(),
  });
  if (signed.nameId !== null && trimXml(signed.nameId) !== (assertion.nameId?.value ?? '')) {
    throw new Refusal('structure', 'Two readers find two NameIDs.');
  }
  trace.claims = claimsOf(assertion);
  const said = { authenticatedAt: assertion.authnInstant, acr: assertion.authnContext };
  checkStepUp(asked.stepUp, said, { askedAt: asked.askedAt, now: realClock.now() });
  trace.attributes = [...assertion.attributes.keys()].map((name) => name.slice(0, detailLengthMax));
  trace.steps.push('policy');
  const parties = { idp: settings.entityId, sp: addresses.entityId };
  const until = assertion.notOnOrAfter.getTime() + limits.clockSkewSecondsMax * 1000;
  return {
    connection,
    identity: identityOf(assertion, connection.jit.attributes, parties),
    groups: samlGroups(assertion.attributes, groupsClaimOf(connection.jit)),
    once: { id: assertion.id, until: new Date(until) },
    sessionUntil: assertion.sessionNotOnOrAfter,
    ...said,
    upstream: upstreamOf(assertion.nameId),
    upstreamSid: isKey(assertion.sessionIndex) ? assertion.sessionIndex : null,
    askedAt: asked.askedAt,
    returnTo: asked.returnTo,
  };
}

/** null: nobody asked. */
function keyOf(connectionId: ConnectionId, { relayState, browser }: Posted): RequestKey | null {
  if (relayState === undefined) return null;
  return { stateHash: hashToken(relayState), connectionId, browserHash: hashToken(browser ?? '') };
}

async function readGated(
  { samlResponse }: Posted,
  onRefused: () => Promise<void>,
): Promise<ReturnType<typeof readResponse>> {
  try {
    if (samlResponse === undefined) throw new Refusal('form', 'SAMLResponse must be there, once.');
    return readResponse(samlResponse);
  } catch (error) {
    await onRefused();
    throw error;
  }
}

/** For a test's report: the NameID is read as attributes are. */
function claimsOf({ nameId, attributes }: SignedAssertion): Trace['claims'] {
  const name = nameId === null ? [] : [nameId.value, ...(nameId.format === null ? [] : [nameId.format])];
  return new Map([['NameID', name], ...attributes]);
}

/** What a logout there must name: the NameID as it came. */
function upstreamOf(nameId: SignedAssertion['nameId']): Vouched['upstream'] {
  return nameId === null ? null : { sub: nameId.value, nameId: { ...nameId } };
}

/** Perhaps the certificates have rolled over: metadata is fetched soon, though seldom for this, and the person begins again. */
async function fetchAgain(
  error: unknown,
  {
    database,
    tenantId,
    connection,
    now,
  }: { database: Database; tenantId: TenantId; connection: Connection; now: Date },
): Promise<never> {
  if (error instanceof Refusal && error.reason === 'signature' && connection.metadata !== null) {
    const since = new Date(now.getTime() - limits.metadataMinutesMin * 60_000);
    await inTenant(database, tenantId, async (tx) => bringForward(tx, connection.id, now, since));
  }
  throw error;
}
