/** Tenants, and those who may call on their behalf. */

import type { Actor } from '../audit/audit-event.ts';
import type { DirectoryId, TenantId } from '../kernel/ids.ts';

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
  | { kind: 'operator'; id: string; name: string }
  | { kind: 'key'; id: string; name: string; role: KeyRole; tenantId: TenantId };

/** An identity provider's provisioning service, known by a directory token. */
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
}

/** Who an audit entry names for a caller. */
export function actorOf(caller: Caller | DirectoryCaller): Actor {
  if ('directoryId' in caller) {
    return { kind: 'directory', id: caller.directoryId, name: caller.directoryName, token: caller.tokenId };
  }
  const { id, name } = caller;
  return caller.kind === 'operator'
    ? { kind: 'operator', id, name }
    : { kind: 'key', id, name, role: caller.role };
}
