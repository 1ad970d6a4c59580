/** A connection: one identity provider through which people of a tenant sign in, and what is asked of it. */

import type { ConnectionId, DirectoryId } from '../kernel/ids.ts';
import type { ConnectionKey } from './connection-key.ts';
import { ssoEndpointOf } from './core/binding.ts';
import type { AttributeNames } from './core/identity.ts';
import type { IdentityProvider } from './core/metadata.ts';

export interface SamlSettings extends IdentityProvider {
  wantAssertionsSigned: boolean;
  wantResponseSigned: boolean;
  /** AuthnRequests by HTTP-Redirect; those by HTTP-POST always are. */
  signRequests: boolean;
  /** Messages go by HTTP-POST where the identity provider takes them by HTTP-Redirect, too. */
  preferPost: boolean;
  /** Asked for in the AuthnRequest; null: whatever the identity provider is set up to send. */
  nameIdFormat: string | null;
  /** Each login there must be made anew. */
  forceAuthn: boolean;
  /** AuthnContextClassRefs, of which one must be met; empty: any. */
  authnContexts: readonly string[];
  /** Signatures by RSA-SHA1 count, which can be forged with effort. */
  allowSha1: boolean;
  /** Assertions encrypted with AES-CBC are read, which nothing protects from being changed but the signature within. */
  allowCbc: boolean;
  /** What the identity provider sends unasked lets people begin, by one click. */
  allowIdpInitiated: boolean;
}

/** How the gateway shows the identity provider that it is the client. */
export const clientAuthMethods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const;
/** Of ID tokens. */
export const idTokenAlgorithms = ['RS256', 'PS256', 'ES256'] as const;

export interface OidcSettings {
  /** As its discovery document and its tokens name it, word for word. */
  issuer: string;
  clientId: string;
  clientAuthMethod: (typeof clientAuthMethods)[number];
  idTokenSignedResponseAlg: (typeof idTokenAlgorithms)[number];
  /** `openid` among them. */
  scopes: readonly string[];
  /** Google: the Workspace that people must be of (`hd`); null: any. */
  hostedDomain: string | null;
  /** Whoever signs out here is sent there, too. */
  singleLogout: boolean;
}

/** What logins make of people whom the gateway does not know as the identity provider does. */
export interface JustInTime {
  /** false: a login makes nobody and claims no groups, whatever else is set. */
  enabled: boolean;
  /** Makes people at their first login. */
  create: boolean;
  /** Who would be made waits for an administrator's word. */
  approval: boolean;
  attributes: AttributeNames;
  /** The identity provider's attribute that holds the groups; null: none does. */
  groupsClaim: string | null;
  /** Of the people it makes where no mapping names them; null: the tenant's. */
  defaultRole: string | null;
}

/** What connections of every protocol have. */
interface CommonDraft {
  name: string;
  enabled: boolean;
  /** The directory whose externalId a claim names. */
  directoryId: DirectoryId | null;
  jit: JustInTime;
  /** Whose people sign in through it, in their order; those count that are verified. */
  domains: readonly string[];
  /** Whose signed requests end sessions that the connection made (Global Token Revocation); null: nobody's. */
  revocationIssuer: string | null;
}

export interface SamlDraft extends CommonDraft {
  protocol: 'saml';
  settings: SamlSettings;
}

export interface OidcDraft extends CommonDraft {
  protocol: 'oidc';
  settings: OidcSettings;
}

export type ConnectionDraft = SamlDraft | OidcDraft;

interface Made {
  id: ConnectionId;
  keys: readonly ConnectionKey[];
  /** Where its metadata is fetched from; null: it was given. */
  metadata: MetadataSource | null;
  createdAt: Date;
}

export interface MetadataSource {
  url: string;
  /** When it was last read without a problem. */
  fetchedAt: Date;
  nextFetchAt: Date;
  failingSince: Date | null;
  error: string | null;
  pending: PendingChange | null;
}

/** What fetched metadata says now and nobody has confirmed. */
export interface PendingChange extends IdentityProvider {
  /** When it was first seen, which names it. */
  seenAt: string;
}

export type SamlConnection = SamlDraft & Made;
export type OidcConnection = OidcDraft & Made;
export type Connection = ConnectionDraft & Made;
/** As it stands in the database. */
export type StandingConnection = Connection & {
  /** Another one after each change of its row. */
  revision: string;
};

export function signsRequests(settings: SamlSettings): boolean {
  return settings.signRequests || ssoEndpointOf(settings).binding === 'post';
}

/** What the identity provider calls itself. */
export function providerOf(connection: ConnectionDraft): string {
  return connection.protocol === 'saml' ? connection.settings.entityId : connection.settings.issuer;
}

/** Where a login by any protocol begins. */
export function loginUrlOf(publicUrl: string, { id, protocol }: Pick<Connection, 'id' | 'protocol'>): string {
  return `${publicUrl}/sso/${protocol}/${id}/login`;
}

export interface OidcAddresses {
  /** The redirect_uri. */
  callbackUrl: string;
  loginUrl: string;
  backchannelLogoutUrl: string;
  /** Where the browser comes back to after a logout there. */
  loggedOutUrl: string;
  /** The keys of private_key_jwt. */
  jwksUrl: string;
}

export function oidcAddressesOf(publicUrl: string, id: ConnectionId): OidcAddresses {
  const base = `${publicUrl}/sso/oidc/${id}`;
  return {
    ...{ callbackUrl: `${base}/callback`, loginUrl: `${base}/login`, jwksUrl: `${base}/jwks` },
    ...{ backchannelLogoutUrl: `${base}/backchannel-logout`, loggedOutUrl: `${publicUrl}/sso/logged-out` },
  };
}

/** Which attribute says in which groups somebody is; null: none is asked. */
export function groupsClaimOf({ enabled, groupsClaim }: JustInTime): string | null {
  return enabled ? groupsClaim : null;
}

/** What the people it makes are given where no mapping names them; null: as everybody is. */
export function defaultRoleOf({ enabled, defaultRole }: JustInTime): string | null {
  return enabled ? defaultRole : null;
}

export interface Addresses {
  /** Also where our metadata is. */
  entityId: string;
  acsUrl: string;
  loginUrl: string;
  /** Of single logout. */
  logoutUrl: string;
}

export function addressesOf(publicUrl: string, id: ConnectionId): Addresses {
  const base = `${publicUrl}/sso/saml/${id}`;
  return {
    entityId: `${base}/metadata`,
    acsUrl: `${base}/acs`,
    loginUrl: `${base}/login`,
    logoutUrl: `${base}/slo`,
  };
}

/** Where an identity provider ends people's sessions. */
export function revocationUrlOf(publicUrl: string, id: ConnectionId): string {
  return `${publicUrl}/oauth/global-token-revocation/${id}`;
}
