/**
 * The one place that knows node-saml: it writes AuthnRequests, signs messages, and says which bytes a signature holds for. Everything else that it
 * could check is checked by saml-gate.ts before and by saml-policy.ts after.
 */

import { SAML, ValidateInResponseTo } from '@node-saml/node-saml';
// No part of what it offers, but the one that looks at a signature and hands out what was signed, and the one that signs.
import { getVerifiedXml, parseDomFromString, signXml } from '@node-saml/node-saml/lib/xml.js';
import { unreachable } from '../kernel/assert.ts';
import { limits } from '../kernel/limits.ts';
import { toPem } from '../kernel/self-signed-certificate.ts';
import type { Addresses, SamlSettings } from './connection.ts';
import type { StepUp } from './core/asked.ts';
import { ssoEndpointOf, type Transfer } from './core/binding.ts';
import { Refusal, type RefusalReason } from './core/refusal.ts';

export interface Parties {
  settings: SamlSettings;
  addresses: Addresses;
}

export interface Verified {
  /** The assertion, or the message, as it was signed, canonical. */
  xml: string;
  /** As the library reads it there; '' for none. null: it read no assertion. */
  nameId: string | null;
}

/** What is signed, and must be by whom. */
export type ToVerify =
  | { kind: 'response'; parties: Parties; xml: string }
  /** Signed as a whole. */
  | { kind: 'message'; certificates: readonly string[]; xml: string };

export interface AuthnRequest {
  id: string;
  relayState: string;
  /** PEM: the request is signed with it, in the query or, by HTTP-POST, within (Bindings §3.4.4.1, §3.5.4). */
  privateKey: string | undefined;
  /** A parameter beside the request, which identity providers that don't know it leave alone. */
  loginHint: string | null;
  stepUp: StepUp;
}

/** An AuthnRequest (Core §3.4.1) by the binding that the connection uses. */
export async function authnRequest(parties: Parties, request: AuthnRequest): Promise<Transfer> {
  const { id, relayState, privateKey, loginHint, stepUp } = request;
  const { binding, url } = ssoEndpointOf(parties.settings);
  const { forceAuthn, acrValues } = stepUp;
  const saml = new SAML({
    ...optionsOf(parties),
    ...(privateKey === undefined ? {} : { privateKey }),
    // Core §3.3.2.2.1: by default one of them must be met exactly.
    ...(acrValues.length === 0 ? {} : { disableRequestedAuthnContext: false, authnContext: [...acrValues] }),
    forceAuthn,
    generateUniqueId: () => id,
    // Bindings §3.5.4: a form holds the message as it is.
    skipRequestCompression: binding === 'post',
  });
  const options = { additionalParams: loginHint === null ? {} : { login_hint: loginHint } };
  switch (binding) {
    case 'redirect':
      return { binding, url: await saml.getAuthorizeUrlAsync(relayState, undefined, options) };
    case 'post': {
      const message = await saml.getAuthorizeMessageAsync(relayState, undefined, options);
      const fields = Object.entries(message).map(([name, value]) => [name, String(value)]);
      return { binding, url, fields: Object.fromEntries(fields) };
    }
    default:
      return unreachable(binding);
  }
}

/** What it costs is up to who wrote the XML: see saml-verifier-client.ts. @throws Refusal */
export async function verified(signed: ToVerify): Promise<Verified> {
  switch (signed.kind) {
    case 'response':
      return await verifiedAssertion(signed.parties, signed.xml);
    case 'message':
      return { xml: await verifiedMessage(signed.certificates, signed.xml), nameId: null };
    default:
      return unreachable(signed);
  }
}

async function verifiedAssertion(parties: Parties, responseXml: string): Promise<Verified> {
  try {
    const SAMLResponse = Buffer.from(responseXml, 'utf8').toString('base64');
    const certificates = likelyFirst(parties.settings.certificates, responseXml);
    const saml = new SAML({ ...optionsOf(parties), idpCert: certificates });
    const { profile } = await saml.validatePostResponseAsync({ SAMLResponse });
    const xml = profile?.getAssertionXml?.();
    if (xml === undefined) throw new Error('no assertion is signed');
    return { xml, nameId: profile?.nameID ?? '' };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Refusal(reasonOf(message), message.slice(0, 500));
  }
}

/** What was signed of a message whose root has a signature (Core §5.4), canonical and without it. @param certificates Base64 of DER. */
async function verifiedMessage(certificates: readonly string[], xml: string): Promise<string> {
  const pems = likelyFirst(certificates, xml).map(toPem);
  const signed = await parseDomFromString(xml)
    .then(({ documentElement }) => getVerifiedXml(xml, documentElement, pems))
    .catch((error: unknown) => {
      throw new Refusal('signature', String(error).slice(0, 500));
    });
  if (signed === null) throw new Refusal('signature', 'The signature of the message does not hold.');
  return signed;
}

/** The message with a signature of its own behind the Issuer: RSA-SHA256, enveloped, exclusive canonicalisation. @param privateKey PEM. */
export function signedMessage(xml: string, privateKey: string): string {
  const location = { reference: '/*/*[local-name(.)="Issuer"]', action: 'after' } as const;
  return signXml(xml, '/*', location, {
    privateKey,
    signatureAlgorithm: 'sha256',
    digestAlgorithm: 'sha256',
  });
}

/** Each certificate that is tried costs as much as the document is long: the one that the signature names, if it is ours, comes first. */
function likelyFirst(certificates: readonly string[], responseXml: string): string[] {
  const named = /X509Certificate\s*>([^<]*)</.exec(responseXml)?.[1]?.replaceAll(/\s/g, '');
  return [...certificates].sort((a, b) => Number(b === named) - Number(a === named));
}

function reasonOf(message: string): RefusalReason {
  if (/expired|not yet valid/.test(message)) return 'time';
  return /audience/i.test(message) ? 'audience' : 'signature';
}

function optionsOf({ settings, addresses }: Parties) {
  return {
    entryPoint: ssoEndpointOf(settings).url,
    issuer: addresses.entityId,
    audience: addresses.entityId,
    callbackUrl: addresses.acsUrl,
    idpCert: settings.certificates,
    wantAssertionsSigned: settings.wantAssertionsSigned,
    wantAuthnResponseSigned: settings.wantResponseSigned,
    identifierFormat: settings.nameIdFormat,
    acceptedClockSkewMs: limits.clockSkewSecondsMax * 1000,
    signatureAlgorithm: 'sha256',
    digestAlgorithm: 'sha256',
    disableRequestedAuthnContext: true,
    // The request is ours to remember, and the signed value is what is compared.
    validateInResponseTo: ValidateInResponseTo.never,
  } as const;
}
