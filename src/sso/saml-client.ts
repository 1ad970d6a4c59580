/**
 * The one place that knows node-saml: it writes AuthnRequests, and says whose bytes a signature holds for. Everything else that it
 * could check is checked by saml-gate.ts before and by saml-policy.ts after.
 */

import { SAML, ValidateInResponseTo } from '@node-saml/node-saml';
import { limits } from '../kernel/limits.ts';
import type { Addresses, SamlSettings } from './connection.ts';
import { Refusal, type RefusalReason } from './core/refusal.ts';

interface Parties {
  settings: SamlSettings;
  addresses: Addresses;
}

/**
 * @param privateKey PEM: the request is signed with it.
 * @param loginHint A parameter beside the request, which Entra, Google and Okta read and others leave alone.
 */
export async function authorizeUrl(
  parties: Parties,
  request: { id: string; relayState: string; privateKey: string | undefined; loginHint: string | null },
): Promise<string> {
  const { id, relayState, privateKey, loginHint } = request;
  const signing = privateKey === undefined ? {} : { privateKey };
  const saml = new SAML({ ...optionsOf(parties), ...signing, generateUniqueId: () => id });
  const additionalParams = loginHint === null ? {} : { login_hint: loginHint };
  return await saml.getAuthorizeUrlAsync(relayState, undefined, { additionalParams });
}

/**
 * The assertion as it was signed, canonical, and the NameID as the library reads it there.
 *
 * @throws Refusal
 */
export async function verifiedAssertion(
  parties: Parties,
  responseXml: string,
): Promise<{ xml: string; nameId: string | undefined }> {
  try {
    const SAMLResponse = Buffer.from(responseXml, 'utf8').toString('base64');
    const { profile } = await new SAML(optionsOf(parties)).validatePostResponseAsync({ SAMLResponse });
    const xml = profile?.getAssertionXml?.();
    if (xml === undefined) throw new Error('no assertion is signed');
    return { xml, nameId: profile?.nameID };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Refusal(reasonOf(message), message.slice(0, 500));
  }
}

function reasonOf(message: string): RefusalReason {
  if (/expired|not yet valid/.test(message)) return 'time';
  return /audience/i.test(message) ? 'audience' : 'signature';
}

function optionsOf({ settings, addresses }: Parties) {
  return {
    entryPoint: settings.ssoUrl,
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
