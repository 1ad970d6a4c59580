/** Tenants, and those who may call on their behalf. */

import type { Actor, Administrator } from '../audit/audit-event.ts';
import type { ClientId, DirectoryId, TenantId } from '../kernel/ids.ts';
import type { Lineage } from './lineage.ts';

export interface Tenant {
  id: TenantId;
  slug: string;
  name: string;
  createdAt: Date;
}

/** A tenant's name in paths: no id looks like this, and nothing else is looked for. */
export const slugPattern = '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$';

export type KeyRole = 'owner' | 'admin' | 'auditor';
export type DirectoryKind = 'entra' | 'okta' | 'generic' | 'strict';

/** Whoever holds a key of the admin API. */
export type Caller =
  | { kind: 'operator'; id: string; name: string; lineage: Lineage }
  | { kind: 'key'; id: string; name: string; role: KeyRole; tenantId: TenantId; lineage: Lineage };

/** An identity provider's provisioning service, known by a directory token or an access token. */
export interface DirectoryCaller {
  tenantId: TenantId;
  directoryId: DirectoryId;
  directoryName: string;
  directoryKind: DirectoryKind;
  tokenId: string;
  /** Whether unknown members of groups wait for their people. */
  parking: boolean;
  /** 0: no extension schema was ever registered. */
  schemaRevision: number;
  /** The OAuth client whose access token it is; null: a token that an admin issued. */
  clientId: ClientId | null;
  /** What it may do, words of tenants/scope.ts between spaces. */
  scope: string;
}

/** Who an audit entry names for a caller. */
export function actorOf({ directoryId, directoryName, tokenId, clientId }: DirectoryCaller): Actor {
  // An access token is gone within the hour: the client that it belongs to says more.
  const client = clientId === null ? {} : { client: clientId };
  return { kind: 'directory', id: directoryId, name: directoryName, token: tokenId, ...client };
}

export function administratorOf(caller: Caller): Administrator {
  const { id, name } = caller;
  return caller.kind === 'operator'
    ? { kind: 'operator', id, name }
    : { kind: 'key', id, name, role: caller.role };
}
