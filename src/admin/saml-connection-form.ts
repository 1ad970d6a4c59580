/** What an admin writes of a connection's identity provider where that speaks SAML, and reads of it. */

import Type, { type Static } from 'typebox';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { addressesOf, type SamlConnection, type SamlSettings } from '../sso/connection.ts';
import { readMetadata } from '../sso/core/metadata.ts';
import { ConnectionKeyAnswer, showKey } from './connection-key-form.ts';
import { nullable } from './schemas.ts';

export const samlFields = {
  metadataXml: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: limits.samlBytesMax,
      description: 'The identity provider’s metadata: one EntityDescriptor.',
    }),
  ),
  wantAssertionsSigned: Type.Optional(Type.Boolean({ default: true })),
  wantResponseSigned: Type.Optional(Type.Boolean({ default: false })),
  signRequests: Type.Optional(Type.Boolean({ default: false })),
  nameIdFormat: Type.Optional(
    nullable(
      Type.String({ minLength: 1, maxLength: 200, description: 'Asked for; null: whatever is sent.' }),
    ),
  ),
};
const SamlBody = Type.Object(samlFields);

export const samlAnswer = {
  entityId: Type.String({ description: 'Ours; the metadata is there, too.' }),
  acsUrl: Type.String(),
  loginUrl: Type.String(),
  identityProvider: Type.Object({
    entityId: Type.String(),
    ssoUrl: Type.String(),
    certificates: Type.Array(Type.String({ description: 'Base64 of DER.' })),
  }),
  keys: Type.Array(ConnectionKeyAnswer),
  wantAssertionsSigned: Type.Boolean(),
  wantResponseSigned: Type.Boolean(),
  signRequests: Type.Boolean(),
  nameIdFormat: nullable(Type.String()),
};

/** @param before What stays of it is left out; undefined: the connection is made. @throws Fault `invalid` */
export function readSaml(body: Static<typeof SamlBody>, before?: SamlSettings): SamlSettings {
  const {
    wantAssertionsSigned = before?.wantAssertionsSigned ?? true,
    wantResponseSigned = before?.wantResponseSigned ?? false,
    signRequests = before?.signRequests ?? false,
    nameIdFormat = before?.nameIdFormat ?? null,
  } = body;
  if (!wantAssertionsSigned && !wantResponseSigned) {
    const text = 'Something must be signed: leave wantAssertionsSigned or wantResponseSigned on.';
    throw new Fault('invalid', text, { field: 'wantAssertionsSigned' });
  }
  const provider = body.metadataXml === undefined ? before : readMetadata(body.metadataXml);
  if (provider === undefined) throw new Fault('invalid', 'metadataXml is missing.', { field: 'metadataXml' });
  const { entityId, ssoUrl, certificates } = provider;
  return {
    ...{ entityId, ssoUrl, certificates, wantAssertionsSigned, wantResponseSigned, signRequests },
    nameIdFormat,
  };
}

export function showSaml({ id, settings, keys }: SamlConnection, publicUrl: string) {
  const { entityId, ssoUrl, certificates, ...asked } = settings;
  return {
    ...addressesOf(publicUrl, id),
    ...asked,
    identityProvider: { entityId, ssoUrl, certificates },
    keys: keys.map(showKey),
  };
}
