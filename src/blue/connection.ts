/** A tenant's connection to Blue as it is kept, and what is known of the organization behind it; data only. */

import type { Catalogue } from '../licensing/catalogue.ts';
import type { Deactivation } from './desired-state.ts';

export type Mode = 'observe' | 'apply';
export type DriftPolicy = 'report' | 'repair';
/** What the worker last met: `waiting` tries again by itself, `stopped` needs a person. */
export type ConnectionState = 'ok' | 'waiting' | 'stopped';

/** What an admin sets, without the secret. */
export interface ConnectionSettings {
  organizationId: string;
  tokenId: string;
  /** Null: the gateway's default. */
  apiUrl: string | null;
  mode: Mode;
  deactivation: Deactivation;
  defaultWorkspaces: string[];
  drift: DriftPolicy;
  /** Null: no waves. */
  invitationsPerHour: number | null;
}

export interface Connection extends ConnectionSettings {
  /** Sealed. */
  tokenSecret: Buffer;
  state: ConnectionState;
  cause: string | null;
  /** Since Blue last did as it was told. */
  failures: number;
  lastContactAt: Date | null;
  nextTryAt: Date | null;
  /** Every workspace that is, or ever was, the gateway's to give roles in. */
  managedWorkspaces: string[];
  /** Whom the tenant's settings leave alone: names and addresses, folded. */
  exclusions: string[];
  /** Null until Blue's lists were read once. */
  organization: Organization | null;
  /** Null: the lists must be read before anything is sent. */
  readAt: Date | null;
  /** How often reading was asked for: only a reading that began after the last time is good enough. */
  readsAsked: number;
  /** A change was begun and its end is not known. */
  sending: boolean;
  /** Invitation mails since then, for `invitationsPerHour`. */
  invitations: { since: Date; sent: number } | null;
  /** Paid people that Blue may hold: the contract's, or all who were given a seat or are paid there already. Null: any number. */
  paidCeiling: number | null;
  /** By which the tenant is decided for. */
  catalogue: Catalogue;
}

/** What of Blue is not one person's. */
export interface Organization {
  organizationId: string;
  /** Of the organization and its workspaces; not there until Blue's lists are read again after they came to be kept. */
  slug?: string | null;
  ownerUserId: string | null;
  selfUserId: string;
  addressesHidden: boolean;
  workspaces: { id: string; name: string; slug?: string | null }[];
  customRoles: { id: string; name: string; workspace: string }[];
}
