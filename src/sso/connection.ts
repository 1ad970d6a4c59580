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

/** What connections of every protocol have. */
interface CommonDraft {
  name: string;
  enabled: boolean;
  /** The directory whose externalId a claim names. */
  directoryId: DirectoryId | null;
  jit: { create: boolean; attributes: AttributeNames };
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
export type Connection = ConnectionDraft & Made;

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
