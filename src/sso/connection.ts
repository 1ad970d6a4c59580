/** A connection: one identity provider through which people of a tenant sign in, and what is asked of it. */

import type { ConnectionId, DirectoryId } from '../kernel/ids.ts';
import type { ConnectionKey } from './connection-key.ts';
import type { AttributeNames } from './core/identity.ts';
import type { IdentityProvider } from './core/metadata.ts';

export interface SamlSettings extends IdentityProvider {
  wantAssertionsSigned: boolean;
  wantResponseSigned: boolean;
  signRequests: boolean;
  /** Asked for in the AuthnRequest; null: whatever the identity provider is set up to send. */
  nameIdFormat: string | null;
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
  /** Whose signed requests end sessions that the connection made (Global Token Revocation); null: nobody's. */
  revocationIssuer: string | null;
}

export interface SamlDraft extends CommonDraft {
  protocol: 'saml';
  settings: SamlSettings;
}

export type ConnectionDraft = SamlDraft;

interface Made {
  id: ConnectionId;
  keys: readonly ConnectionKey[];
  createdAt: Date;
}

export type SamlConnection = SamlDraft & Made;
export type Connection = ConnectionDraft & Made;

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
}

export function addressesOf(publicUrl: string, id: ConnectionId): Addresses {
  const base = `${publicUrl}/sso/saml/${id}`;
  return { entityId: `${base}/metadata`, acsUrl: `${base}/acs`, loginUrl: `${base}/login` };
}

/** Where an identity provider ends people's sessions. */
export function revocationUrlOf(publicUrl: string, id: ConnectionId): string {
  return `${publicUrl}/oauth/global-token-revocation/${id}`;
}
