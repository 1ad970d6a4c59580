/** An identity provider as far as the bench needs one: it signs assertions, before anything is measured. */

import { SignedXml } from 'xml-crypto';
import { fromPem, type KeyAndCertificate, selfSigned } from '../../src/kernel/self-signed-certificate.ts';

const entityId = 'urn:bench:idp';
const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const [protocolNs, assertionNs] = ['protocol', 'assertion'].map(
  (name) => `urn:oasis:names:tc:SAML:2.0:${name}`,
);

export interface Asked {
  requestId: string;
  acsUrl: string;
  audience: string;
}

export class BenchIdentityProvider {
  readonly #keys: KeyAndCertificate;
  #count = 0;

  private constructor(keys: KeyAndCertificate) {
    this.#keys = keys;
  }

  static async make(): Promise<BenchIdentityProvider> {
    return new BenchIdentityProvider(await selfSigned('bench', new Date()));
  }

  get metadataXml(): string {
    return `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${entityId}"><IDPSSODescriptor protocolSupportEnumeration="${protocolNs}"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${fromPem(this.#keys.certificate)}</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="http://127.0.0.1:1/sso"/></IDPSSODescriptor></EntityDescriptor>`;
  }

  /** Base64, as a browser posts it. */
  answer(subject: string, { requestId, acsUrl, audience }: Asked): string {
    this.#count += 1;
    const id = this.#count;
    const [now, soon] = [new Date(), new Date(Date.now() + 5 * 60_000)].map((at) => at.toISOString());
    const values = Array.from({ length: 20 }, (_, n) => `<AttributeValue>group-${n}</AttributeValue>`).join(
      '',
    );
    const assertion = `<Assertion xmlns="${assertionNs}" ID="_a${id}" Version="2.0" IssueInstant="${now}"><Issuer>${entityId}</Issuer><Subject><NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">${subject}</NameID><SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><SubjectConfirmationData Recipient="${acsUrl}" NotOnOrAfter="${soon}" InResponseTo="${requestId}"/></SubjectConfirmation></Subject><Conditions NotBefore="${now}" NotOnOrAfter="${soon}"><AudienceRestriction><Audience>${audience}</Audience></AudienceRestriction></Conditions><AuthnStatement AuthnInstant="${now}"><AuthnContext><AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</AuthnContextClassRef></AuthnContext></AuthnStatement><AttributeStatement><Attribute Name="userName"><AttributeValue>${subject}@bench.example</AttributeValue></Attribute><Attribute Name="groups">${values}</Attribute></AttributeStatement></Assertion>`;
    const signed = this.#sign(assertion);
    const xml = `<p:Response xmlns:p="${protocolNs}" ID="_r${id}" Version="2.0" IssueInstant="${now}" Destination="${acsUrl}" InResponseTo="${requestId}"><Issuer xmlns="${assertionNs}">${entityId}</Issuer><p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status>${signed}</p:Response>`;
    return Buffer.from(xml).toString('base64');
  }

  #sign(assertion: string): string {
    const signer = new SignedXml({
      privateKey: this.#keys.privateKey,
      publicCert: this.#keys.certificate,
      signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
      canonicalizationAlgorithm: exclusive,
    });
    const xpath = `/*[local-name(.)='Assertion']`;
    const transforms = ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', exclusive];
    signer.addReference({ xpath, transforms, digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256' });
    signer.computeSignature(assertion, {
      location: { reference: `${xpath}/*[local-name(.)='Issuer']`, action: 'after' },
    });
    return signer.getSignedXml();
  }
}
