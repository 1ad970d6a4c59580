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
  /** Where it takes AuthnRequests, by HTTP-Redirect and by HTTP-POST; null: not by that. One of them is there. */
  ssoUrl: string | null;
  ssoPostUrl: string | null;
  /** Of single logout, likewise; both may be null. */
  logoutUrl: string | null;
  logoutPostUrl: string | null;
  /** The signing certificates, base64 of DER. */
  certificates: string[];
}

/** Of settings that hold more. */
export function identityProviderOf(of: IdentityProvider): IdentityProvider {
  const { entityId, ssoUrl, ssoPostUrl, logoutUrl, logoutPostUrl, certificates } = of;
  return { entityId, ssoUrl, ssoPostUrl, logoutUrl, logoutPostUrl, certificates };
}

type Field = 'metadataXml' | 'metadataUrl';

/** @throws Fault `invalid` naming the field. */
export function readMetadata(text: string, field: Field = 'metadataXml'): IdentityProvider {
  return naming(field, () => readEntity(entityIn(readRoot(text))));
}

/** Metadata that is fetched again and again: how long it is good, and may be kept (Metadata §2.3.1). */
export interface Published {
  provider: IdentityProvider;
  validUntil: Date | null;
  cacheSeconds: number | null;
}

/** @throws Fault `invalid` naming `metadataUrl`, also where its time is over. */
export function readPublished(text: string, now: Date): Published {
  return naming('metadataUrl', () => {
    const root = readRoot(text);
    const entity = entityIn(root);
    const times = [root, entity]
      .flatMap(({ attributes }) => attributes.get('validUntil') ?? [])
      .map(readTime);
    const [validUntil = null] = times.sort((one, other) => one.getTime() - other.getTime());
    if (validUntil !== null && validUntil <= now)
      throw wrong(`it was valid until ${validUntil.toISOString()}`);
    const durations = [root, entity].flatMap(({ attributes }) => attributes.get('cacheDuration') ?? []);
    const cacheSeconds = durations.length === 0 ? null : Math.min(...durations.map(readDuration));
    return { provider: readEntity(entity), validUntil, cacheSeconds };
  });
}

class Unusable extends Error {}

function naming<T>(field: Field, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    throw new Fault('invalid', `The metadata can't be used: ${error.message}.`, { field });
  }
}

function readTime(text: string): Date {
  const time = new Date(text);
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)?$/.test(text) || Number.isNaN(time.getTime())) {
    throw wrong('its validUntil is no time');
  }
  return time;
}

/** An xs:duration in seconds; years and months roughly, as long as they can be. */
function readDuration(text: string): number {
  const found =
    /^P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})(?:\.\d+)?S)?)?$/.exec(
      text,
    );
  if (found === null) throw wrong('its cacheDuration is no duration');
  const [years, months, days, hours, minutes, seconds] = found.slice(1).map((part) => Number(part ?? 0));
  const allDays = (years ?? 0) * 366 + (months ?? 0) * 31 + (days ?? 0);
  return allDays * 86_400 + (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
}

/** The one identity provider, also of a federation's metadata that holds one. */
function entityIn(root: XmlElement): XmlElement {
  if (is(root, metadataNs, 'EntityDescriptor')) return root;
  if (!is(root, metadataNs, 'EntitiesDescriptor')) throw wrong('its root must be an EntityDescriptor');
  const [entity, ...others] = all(root, metadataNs, 'EntityDescriptor').filter(
    (one) => all(one, metadataNs, 'IDPSSODescriptor').length > 0,
  );
  if (entity === undefined || others.length > 0) {
    throw wrong('it must hold one identity provider: give the metadata of that one alone');
  }
  return entity;
}

function readEntity(entity: XmlElement): IdentityProvider {
  const [idp, ...others] = all(entity, metadataNs, 'IDPSSODescriptor');
  if (idp === undefined || others.length > 0) throw wrong('it must have one IDPSSODescriptor');
  const protocols = idp.attributes.get('protocolSupportEnumeration')?.split(/\s+/) ?? [];
  if (!protocols.includes(protocolNs)) throw wrong('the identity provider does not speak SAML 2.0');
  const entityId = entity.attributes.get('entityID') ?? '';
  if (entityId === '' || entityId.length > 1024) throw wrong('it has no entityID');
  const [ssoUrl, ssoPostUrl] = locationsOf(idp, 'SingleSignOnService');
  if (ssoUrl === null && ssoPostUrl === null) {
    throw wrong('it has no SingleSignOnService with the HTTP-Redirect or the HTTP-POST binding');
  }
  const [logoutUrl, logoutPostUrl] = locationsOf(idp, 'SingleLogoutService');
  return { entityId, ssoUrl, ssoPostUrl, logoutUrl, logoutPostUrl, certificates: certificatesOf(idp) };
}

function readRoot(text: string): XmlElement {
  try {
    const { samlElementsMax: elementsMax, samlDepthMax: depthMax } = limits;
    return readXml(text.trim().replace(/^\uFEFF/, ''), { elementsMax, depthMax, comments: 'left out' });
  } catch (error) {
    if (error instanceof XmlProblem) throw wrong(`it has ${error.message}`);
    throw error;
  }
}

function locationsOf(idp: XmlElement, name: string): [redirect: string | null, post: string | null] {
  return [locationOf(idp, name, redirectBinding), locationOf(idp, name, postBinding)];
}

function locationOf(idp: XmlElement, name: string, binding: string): string | null {
  const service = all(idp, metadataNs, name).find(({ attributes }) => attributes.get('Binding') === binding);
  const location = service?.attributes.get('Location');
  if (location === undefined) return null;
  if (!URL.canParse(location) || !/^https?:$/.test(new URL(location).protocol)) {
    throw wrong(`the location of its ${name} is no web address`);
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

function wrong(what: string): Unusable {
  return new Unusable(what);
}

export interface ServiceProvider {
  entityId: string;
  acsUrl: string;
  /** Ours, of single logout. */
  logoutUrl: string;
  keys: readonly { use: 'signing' | 'encryption'; certificate: string }[];
  signsRequests: boolean;
  wantAssertionsSigned: boolean;
  nameIdFormat: string | null;
}

export function writeMetadata(sp: ServiceProvider): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<EntityDescriptor xmlns="${metadataNs}" entityID="${escapeXml(sp.entityId)}">
  <SPSSODescriptor protocolSupportEnumeration="${protocolNs}" AuthnRequestsSigned="${sp.signsRequests}" WantAssertionsSigned="${sp.wantAssertionsSigned}">
${sp.keys.map(writeKey).join('')}    <SingleLogoutService Binding="${redirectBinding}" Location="${escapeXml(sp.logoutUrl)}"/>
    <SingleLogoutService Binding="${postBinding}" Location="${escapeXml(sp.logoutUrl)}"/>
    <NameIDFormat>${escapeXml(sp.nameIdFormat ?? persistentFormat)}</NameIDFormat>
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
