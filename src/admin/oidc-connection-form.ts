/** What an admin writes of a connection's identity provider where that speaks OpenID Connect, and reads of it. */

import Type, { type Static } from 'typebox';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import {
  clientAuthMethods,
  idTokenAlgorithms,
  type OidcConnection,
  type OidcSettings,
  oidcAddressesOf,
} from '../sso/connection.ts';
import { ConnectionKeyAnswer, showKey } from './connection-key-form.ts';
import { nullable } from './schemas.ts';

const Text = Type.String({ minLength: 1, maxLength: 2000 });
const Scope = Type.String({ pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]{1,200}$' });
const hostedDomain = { minLength: 1, maxLength: 253 };

export const oidcFields = {
  issuer: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 2000,
      description:
        'As its discovery document names it: `https://login.microsoftonline.com/<tenant id>/v2.0`.',
    }),
  ),
  clientId: Type.Optional(Text),
  clientSecret: Type.Optional(
    Type.String({ minLength: 1, maxLength: 2000, description: 'Never shown; stays when left out.' }),
  ),
  clientAuthMethod: Type.Optional(
    Type.Enum([...clientAuthMethods], {
      default: 'client_secret_basic',
      description: 'With `private_key_jwt` the identity provider takes the keys at `jwksUrl`.',
    }),
  ),
  idTokenSignedResponseAlg: Type.Optional(Type.Enum([...idTokenAlgorithms], { default: 'RS256' })),
  scopes: Type.Optional(
    Type.Array(Scope, {
      maxItems: limits.oidcScopesMax,
      uniqueItems: true,
      default: ['openid', 'profile', 'email'],
    }),
  ),
  hostedDomain: Type.Optional(
    nullable(
      Type.String({ ...hostedDomain, description: 'Google: the Workspace that people must be of (`hd`).' }),
    ),
  ),
  singleLogout: Type.Optional(
    Type.Boolean({ default: false, description: 'Whoever signs out here is signed out there, too.' }),
  ),
};
const OidcBody = Type.Object(oidcFields);

export const oidcAnswer = {
  issuer: Type.String(),
  clientId: Type.String(),
  clientAuthMethod: Type.Enum([...clientAuthMethods]),
  idTokenSignedResponseAlg: Type.Enum([...idTokenAlgorithms]),
  scopes: Type.Array(Type.String()),
  hostedDomain: nullable(Type.String()),
  singleLogout: Type.Boolean(),
  callbackUrl: Type.String({ description: 'The redirect URI.' }),
  loginUrl: Type.String(),
  backchannelLogoutUrl: Type.String(),
  loggedOutUrl: Type.String({ description: 'The post-logout redirect URI.' }),
  jwksUrl: Type.String(),
  keys: Type.Array(ConnectionKeyAnswer),
};

/** @param before What stays of it is left out; undefined: the connection is made. @throws Fault `invalid` */
export function readOidc(body: Static<typeof OidcBody>, before?: OidcSettings): OidcSettings {
  const {
    issuer = before?.issuer,
    clientId = before?.clientId,
    clientAuthMethod = before?.clientAuthMethod ?? 'client_secret_basic',
    idTokenSignedResponseAlg = before?.idTokenSignedResponseAlg ?? 'RS256',
    scopes = before?.scopes ?? ['openid', 'profile', 'email'],
    hostedDomain: domain = before?.hostedDomain ?? null,
    singleLogout = before?.singleLogout ?? false,
  } = body;
  if (issuer === undefined) throw new Fault('invalid', 'issuer is missing.', { field: 'issuer' });
  if (clientId === undefined) throw new Fault('invalid', 'clientId is missing.', { field: 'clientId' });
  if (!scopes.includes('openid')) {
    throw new Fault('invalid', 'scopes must hold openid: without it there is no ID token.', {
      field: 'scopes',
    });
  }
  checkEntra(issuer);
  return {
    ...{ issuer, clientId, clientAuthMethod, idTokenSignedResponseAlg, scopes, singleLogout },
    hostedDomain: domain,
  };
}

/** Whoever signs in at these may be of any organisation. @throws Fault `invalid` */
function checkEntra(issuer: string): void {
  if (/^https:\/\/login\.microsoftonline\.(com|us)\/(common|organizations|consumers)\b/i.test(issuer)) {
    const text =
      'issuer must be that of one Entra tenant: https://login.microsoftonline.com/<tenant id>/v2.0.';
    throw new Fault('invalid', text, { field: 'issuer' });
  }
}

export function showOidc({ id, settings, keys }: OidcConnection, publicUrl: string) {
  return {
    ...settings,
    scopes: [...settings.scopes],
    ...oidcAddressesOf(publicUrl, id),
    keys: keys.map(showKey),
  };
}
