/** What an admin writes of a connection's identity provider where that speaks SAML, and reads of it. */

import Type, { type Static } from 'typebox';
import { readCertificate } from '../kernel/certificate.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import {
  addressesOf,
  type MetadataSource,
  type SamlConnection,
  type SamlSettings,
} from '../sso/connection.ts';
import { type IdentityProvider, identityProviderOf, readMetadata } from '../sso/core/metadata.ts';
import { samlTemplates, settingsOfTemplate } from '../sso/core/saml-template.ts';
import { ConnectionKeyAnswer, showKey } from './connection-key-form.ts';
import { nullable, Time } from './schemas.ts';

export const samlFields = {
  metadataXml: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: limits.samlBytesMax,
      description: 'The identity provider’s metadata: one EntityDescriptor.',
    }),
  ),
  metadataUrl: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 2000,
      description: 'In place of metadataXml: fetched now and again when it is due. https.',
    }),
  ),
  template: Type.Optional(
    Type.Enum(samlTemplates, {
      description:
        'Of the identity provider: gives `jit.attributes` and `nameIdFormat` where they are left out.',
    }),
  ),
  wantAssertionsSigned: Type.Optional(Type.Boolean({ default: true })),
  wantResponseSigned: Type.Optional(Type.Boolean({ default: false })),
  signRequests: Type.Optional(Type.Boolean({ default: false })),
  preferPost: Type.Optional(
    Type.Boolean({
      default: false,
      description: 'Requests go by HTTP-POST where the metadata offers HTTP-Redirect, too.',
    }),
  ),
  allowSha1: Type.Optional(
    Type.Boolean({
      default: false,
      description: 'Takes signatures by RSA-SHA1: only for who has nothing else.',
    }),
  ),
  allowCbc: Type.Optional(
    Type.Boolean({ default: false, description: 'Takes assertions encrypted with AES-CBC, beside AES-GCM.' }),
  ),
  allowIdpInitiated: Type.Optional(
    Type.Boolean({
      default: false,
      description: 'What the identity provider sends unasked lets people begin, by one click.',
    }),
  ),
  forceAuthn: Type.Optional(
    Type.Boolean({ default: false, description: 'Each login there must be made anew.' }),
  ),
  authnContexts: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 300 }), {
      maxItems: 10,
      uniqueItems: true,
      default: [],
      description: 'AuthnContextClassRefs, of which one must be met; none: any.',
    }),
  ),
  nameIdFormat: Type.Optional(
    nullable(
      Type.String({ minLength: 1, maxLength: 200, description: 'Asked for; null: whatever is sent.' }),
    ),
  ),
};
const SamlBody = Type.Object(samlFields);

const location = (service: string, binding: string) =>
  nullable(Type.String({ description: `Of ${service}, by ${binding}; null: the metadata names none.` }));
const locations = {
  ssoUrl: location('SingleSignOnService', 'HTTP-Redirect'),
  ssoPostUrl: location('SingleSignOnService', 'HTTP-POST'),
  logoutUrl: location('SingleLogoutService', 'HTTP-Redirect'),
  logoutPostUrl: location('SingleLogoutService', 'HTTP-POST'),
};

export const samlAnswer = {
  entityId: Type.String({ description: 'Ours; the metadata is there, too.' }),
  acsUrl: Type.String(),
  loginUrl: Type.String(),
  logoutUrl: Type.String({ description: 'Ours, of single logout.' }),
  identityProvider: Type.Object({
    entityId: Type.String(),
    ...locations,
    certificates: Type.Array(
      Type.Object({
        sha256: Type.String({ description: 'Fingerprint.' }),
        notAfter: nullable(Time),
        certificate: Type.String({ description: 'Base64 of DER.' }),
      }),
    ),
  }),
  metadata: nullable(
    Type.Object({
      url: Type.String(),
      fetchedAt: Time,
      nextFetchAt: Time,
      failingSince: nullable(Time),
      error: nullable(Type.String({ description: 'Why it could not be used; what was in use stays.' })),
      pendingChange: nullable(
        Type.Object({
          seenAt: Time,
          entityId: Type.String(),
          ...locations,
          certificates: Type.Array(Type.String({ description: 'Fingerprint, SHA-256.' })),
        }),
      ),
    }),
  ),
  keys: Type.Array(ConnectionKeyAnswer),
  wantAssertionsSigned: Type.Boolean(),
  wantResponseSigned: Type.Boolean(),
  signRequests: Type.Boolean(),
  preferPost: Type.Boolean(),
  forceAuthn: Type.Boolean(),
  authnContexts: Type.Array(Type.String()),
  allowSha1: Type.Boolean(),
  allowCbc: Type.Boolean(),
  allowIdpInitiated: Type.Boolean(),
  nameIdFormat: nullable(Type.String()),
};

/**
 * @param before What stays of it is left out; undefined: the connection is made.
 * @param fetched What metadataUrl leads to. @throws Fault `invalid`
 */
export function readSaml(
  body: Static<typeof SamlBody>,
  before?: SamlSettings,
  fetched?: IdentityProvider,
): SamlSettings {
  const {
    wantAssertionsSigned = before?.wantAssertionsSigned ?? true,
    wantResponseSigned = before?.wantResponseSigned ?? false,
    signRequests = before?.signRequests ?? false,
    preferPost = before?.preferPost ?? false,
    forceAuthn = before?.forceAuthn ?? false,
    allowSha1 = before?.allowSha1 ?? false,
    allowCbc = before?.allowCbc ?? false,
    allowIdpInitiated = before?.allowIdpInitiated ?? false,
    authnContexts = before?.authnContexts ?? [],
    nameIdFormat = templateOf(body)?.nameIdFormat ?? before?.nameIdFormat ?? null,
  } = body;
  if (!wantAssertionsSigned && !wantResponseSigned) {
    const text = 'Something must be signed: leave wantAssertionsSigned or wantResponseSigned on.';
    throw new Fault('invalid', text, { field: 'wantAssertionsSigned' });
  }
  if (body.metadataXml !== undefined && fetched !== undefined) {
    throw new Fault('invalid', 'Give metadataUrl or metadataXml, not both.', { field: 'metadataUrl' });
  }
  const provider = body.metadataXml === undefined ? (fetched ?? before) : readMetadata(body.metadataXml);
  if (provider === undefined) {
    throw new Fault('invalid', 'metadataUrl or metadataXml is missing.', { field: 'metadataXml' });
  }
  return {
    ...identityProviderOf(provider),
    ...{ wantAssertionsSigned, wantResponseSigned, preferPost },
    ...{ signRequests, nameIdFormat, forceAuthn, authnContexts, allowSha1, allowCbc, allowIdpInitiated },
  };
}

export function templateOf({ template }: Pick<Static<typeof SamlBody>, 'template'>) {
  return template && settingsOfTemplate[template];
}

export function showSaml({ id, settings, keys, metadata }: SamlConnection, publicUrl: string) {
  const { entityId, ssoUrl, ssoPostUrl, logoutUrl, logoutPostUrl, certificates, authnContexts, ...asked } =
    settings;
  return {
    ...addressesOf(publicUrl, id),
    ...asked,
    authnContexts: [...authnContexts],
    identityProvider: {
      ...{ entityId, ssoUrl, ssoPostUrl, logoutUrl, logoutPostUrl },
      certificates: certificates.map(showCertificate),
    },
    metadata: metadata && showSource(metadata),
    keys: keys.map(showKey),
  };
}

function showCertificate(certificate: string) {
  const { sha256, notAfter } = readCertificate(certificate);
  return { sha256, notAfter: notAfter?.toISOString() ?? null, certificate };
}

function showSource({ pending, fetchedAt, nextFetchAt, failingSince, ...source }: MetadataSource) {
  return {
    ...source,
    fetchedAt: fetchedAt.toISOString(),
    nextFetchAt: nextFetchAt.toISOString(),
    failingSince: failingSince?.toISOString() ?? null,
    pendingChange: pending && {
      ...pending,
      certificates: pending.certificates.map((certificate) => readCertificate(certificate).sha256),
    },
  };
}
