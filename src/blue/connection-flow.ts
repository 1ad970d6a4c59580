/** Writes a tenant's connection to Blue, and reads it back without its secret. */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import { decide } from '../provisioning/decide-flow.ts';
import { requireWorkspaces } from '../provisioning/places-flow.ts';
import { lockPool } from '../provisioning/pool-store.ts';
import { byDefaultWorkspaces } from '../provisioning/prospect.ts';
import type { Connection, ConnectionSettings } from './connection.ts';
import { selectConnection, upsertConnection } from './connection-store.ts';
import { forgetBlueUsers, markOurs } from './people-store.ts';

/** What may be left out has a default; a secret that is left out stays as it is. */
export type ConnectionDraft = Pick<ConnectionSettings, 'organizationId' | 'tokenId'> &
  Partial<ConnectionSettings> & { tokenSecret?: string };

/**
 * Replaces the settings. Other default workspaces change what `*` asks for, so that everybody is decided for again; and
 * everybody is compared with Blue again. A worker that has the tenant loses it, so that nothing more is sent under the
 * old settings.
 *
 * @throws Fault `invalid` naming `defaultWorkspaces` as `requireWorkspaces`; `tokenSecret` when there is none yet, or when apiUrl
 *   leads to another origin: a secret that is never shown must not be had by sending it somewhere else.
 */
export async function putBlueConnection(
  database: Database,
  secrets: SecretBox,
  door: Door,
  { tokenSecret, ...draft }: ConnectionDraft,
): Promise<ConnectionSettings> {
  const settings = withDefaults(draft);
  await inTenant(database, door.tenantId, async (tx) => {
    const [pool, before] = await Promise.all([lockPool(tx), selectConnection(tx)]);
    // The lists of another organization say nothing of this one.
    if (before !== undefined && isSameBlue(before, settings)) {
      const standing = new Set(before.defaultWorkspaces);
      const added = settings.defaultWorkspaces.filter((id) => !standing.has(id));
      await requireWorkspaces(tx, added, 'defaultWorkspaces');
    }
    const sealed = tokenSecret === undefined ? keptSecret(before, settings) : secrets.seal(tokenSecret);
    upsertConnection(tx, settings, sealed);
    if (before !== undefined && !isSameBlue(before, settings)) forgetBlueUsers(tx);
    const prospect = byDefaultWorkspaces(pool, settings.defaultWorkspaces);
    const { audit } = await decide(tx, door, prospect.pool, prospect.affected);
    markOurs(tx, door.now);
    const event = {
      action: 'blue.written',
      subject: null,
      before: before === undefined ? null : shown(before),
      after: { ...settings, tokenSecret: tokenSecret === undefined ? 'kept' : 'replaced' },
    };
    appendAudit(tx, door, [event, ...audit]);
  });
  return settings;
}

function withDefaults(draft: Omit<ConnectionDraft, 'tokenSecret'>): ConnectionSettings {
  return {
    organizationId: draft.organizationId,
    tokenId: draft.tokenId,
    apiUrl: draft.apiUrl ?? null,
    mode: draft.mode ?? 'observe',
    deactivation: draft.deactivation ?? 'leave_workspaces',
    defaultWorkspaces: [...new Set(draft.defaultWorkspaces ?? [])],
    drift: draft.drift ?? 'report',
    invitationsPerHour: draft.invitationsPerHour ?? null,
  };
}

function keptSecret(before: Connection | undefined, settings: ConnectionSettings): Buffer {
  const fail = (why: string) => new Fault('invalid', `tokenSecret ${why}.`, { field: 'tokenSecret' });
  if (before === undefined) throw fail('is missing');
  if (originOf(before) !== originOf(settings)) throw fail('must be given again for another apiUrl');
  return before.tokenSecret;
}

function originOf({ apiUrl }: ConnectionSettings): string | null {
  return apiUrl === null ? null : new URL(apiUrl).origin;
}

function isSameBlue(before: Connection, after: ConnectionSettings): boolean {
  return before.organizationId === after.organizationId && before.apiUrl === after.apiUrl;
}

/** @throws Fault `not_found` when the tenant is not connected. */
export async function readBlueConnection(
  database: Database,
  tenantId: TenantId,
): Promise<ConnectionSettings> {
  const connection = await inTenant(database, tenantId, selectConnection);
  if (connection === undefined) throw notConnected();
  return shown(connection);
}

/** Without the secret and what the worker knows. */
function shown(connection: Connection): ConnectionSettings {
  const { organizationId, tokenId, apiUrl, mode, deactivation, defaultWorkspaces } = connection;
  const { drift, invitationsPerHour } = connection;
  return {
    ...{ organizationId, tokenId, apiUrl, mode, deactivation, defaultWorkspaces },
    ...{ drift, invitationsPerHour },
  };
}

export function notConnected(): Fault {
  return new Fault('not_found', 'The tenant is not connected to Blue yet: write its connection first.');
}
