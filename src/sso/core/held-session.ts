/**
 * The session that a browser has when it begins a login: what the identity provider posts comes without that cookie, so that the
 * login's own carries it. The login's row holds the hash of the whole, and so nobody can name another session there.
 */

import { parseId, type TenantId } from '../../kernel/ids.ts';

export interface HeldSession {
  tenantId: TenantId;
  /** Of the session's row. */
  hash: string;
}

/** @param secret Without a dot. */
export function withHeld(secret: string, held: HeldSession | undefined): string {
  return held === undefined ? secret : `${secret}.${held.tenantId}.${held.hash}`;
}

/** @param cookie Of a login that its row knows. */
export function heldIn(cookie: string): HeldSession | undefined {
  const [, tenant = '', hash = ''] = cookie.split('.');
  const tenantId = parseId<TenantId>(tenant);
  return tenantId && { tenantId, hash };
}
