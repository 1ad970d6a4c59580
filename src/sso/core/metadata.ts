/** SAML metadata (SAML 2.0 Metadata §2.4): reads an identity provider's, writes ours. */

import { Fault } from '../../kernel/fault.ts';
import { limits } from '../../kernel/limits.ts';
import { fromPem } from '../../kernel/self-signed-certificate.ts';
import { all, is } from './saml-gate.ts';
import {
  metadataNs,
  persistentFormat,
  postBinding,
  protocolNs,
  redirectBinding,
  signatureNs,
} from './urns.ts';
import { escapeXml, readXml, type XmlElement, XmlProblem } from './xml.ts';

export interface IdentityProvider {
  entityId: string;
  /** Of the redirect binding. */
  ssoUrl: string;
  /** The signing certificates, base64 of DER. */
  certificates: string[];
}

/** @throws Fault `invalid` naming `metadataXml`. */
export function readMetadata(text: string): IdentityProvider {
  const root = readRoot(text);
  if (!is(root, metadataNs, 'EntityDescriptor')) throw wrong('its root must be one EntityDescriptor');
  const [idp, ...others] = all(root, metadataNs, 'IDPSSODescriptor');
  if (idp === undefined || others.length > 0) throw wrong('it must have one IDPSSODescriptor');
  const protocols = idp.attributes.get('protocolSupportEnumeration')?.split(/\s+/) ?? [];
  if (!protocols.includes(protocolNs)) throw wrong('the identity provider does not speak SAML 2.0');
  const entityId = root.attributes.get('entityID') ?? '';
  if (entityId === '' || entityId.length > 1024) throw wrong('it has no entityID');
  return { entityId, ssoUrl: ssoUrlOf(idp), certificates: certificatesOf(idp) };
}

function readRoot(text: string): XmlElement {
  try {
    const { samlElementsMax: elementsMax, samlDepthMax: depthMax } = limits;
    return readXml(text.trim().replace(/^\uFEFF/, ''), { elementsMax, depthMax });
  } catch (error) {
    if (error instanceof XmlProblem) throw wrong(`it has ${error.message}`);
    throw error;
  }
}

function ssoUrlOf(idp: XmlElement): string {
  const services = all(idp, metadataNs, 'SingleSignOnService');
  const service = services.find(({ attributes }) => attributes.get('Binding') === redirectBinding);
  const location = service?.attributes.get('Location');
  if (location === undefined) throw wrong('it has no SingleSignOnService with the HTTP-Redirect binding');
  if (!URL.canParse(location) || !/^https?:$/.test(new URL(location).protocol)) {
    throw wrong('the location of its SingleSignOnService is no web address');
  }
  return location;
}

function certificatesOf(idp: XmlElement): string[] {
  const keys = all(idp, metadataNs, 'KeyDescriptor').filter(
    ({ attributes }) => attributes.get('use') !== 'encryption',
  );
  const certificates = keys
    .flatMap((key) => all(key, signatureNs, 'KeyInfo'))
    .flatMap((info) => all(info, signatureNs, 'X509Data'))
    .flatMap((data) => all(data, signatureNs, 'X509Certificate'))
    .map((certificate) => certificate.text.replaceAll(/\s/g, ''));
  const distinct = [...new Set(certificates)];
  if (distinct.length === 0) throw wrong('it has no signing certificate');
  if (distinct.length > limits.samlCertificatesMax) {
    throw wrong(`it has more than ${limits.samlCertificatesMax} signing certificates`);
  }
  return distinct;
}

function wrong(what: string): Fault {
  return new Fault('invalid', `The metadata can't be used: ${what}.`, { field: 'metadataXml' });
}

export interface ServiceProvider {
  entityId: string;
  acsUrl: string;
  keys: readonly { use: 'signing' | 'encryption'; certificate: string }[];
  signsRequests: boolean;
  wantAssertionsSigned: boolean;
  nameIdFormat: string | null;
}

export function writeMetadata(sp: ServiceProvider): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<EntityDescriptor xmlns="${metadataNs}" entityID="${escapeXml(sp.entityId)}">
  <SPSSODescriptor protocolSupportEnumeration="${protocolNs}" AuthnRequestsSigned="${sp.signsRequests}" WantAssertionsSigned="${sp.wantAssertionsSigned}">
${sp.keys.map(writeKey).join('')}    <NameIDFormat>${escapeXml(sp.nameIdFormat ?? persistentFormat)}</NameIDFormat>
    <AssertionConsumerService Binding="${postBinding}" Location="${escapeXml(sp.acsUrl)}" index="0" isDefault="true"/>
  </SPSSODescriptor>
</EntityDescriptor>
`;
}

/** @param key Its certificate as PEM. */
function writeKey({ use, certificate }: ServiceProvider['keys'][number]): string {
  return `    <KeyDescriptor use="${use}">
      <KeyInfo xmlns="${signatureNs}"><X509Data><X509Certificate>${fromPem(certificate)}</X509Certificate></X509Data></KeyInfo>
    </KeyDescriptor>
`;
}
