/**
 * Where a connection asks for it, whoever signs in for the first time waits for an administrator's word. Who is approved is made
 * and linked at once, so that the seat is decided before they come back.
 */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { brokenConstraint, inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { type ConnectionId, newId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { markMaker } from '../provisioning/made-people-store.ts';
import { lockPoolRow } from '../provisioning/pool-store.ts';
import { createUser } from '../provisioning/user-flow.ts';
import type { UserView } from '../provisioning/user-view.ts';
import {
  type AccessRequest,
  type Newcomer,
  refuseAccessRequest,
  selectAccessRequest,
  selectStanding,
  takeAccessRequest,
  upsertAccessRequest,
} from './access-request-store.ts';
import { defaultRoleOf, type StandingConnection } from './connection.ts';
import { holdConnection, selectConnection } from './connection-store.ts';
import { converge } from './core/convergence.ts';
import { newUser } from './core/identity.ts';
import { Refusal } from './core/refusal.ts';
import { refuseForeign } from './foreign-domain-flow.ts';
import { insertLink, selectMatches } from './login-store.ts';
import { selectUserOfSubject } from './revocation-store.ts';

/** Writes down who signed in, and answers why that is all that comes of it. @throws Refusal where nobody could be made of the claims, or they are there by now. */
export async function keepAccessRequest(
  database: Database,
  door: Door,
  connectionId: ConnectionId,
  { identity, groups }: Newcomer,
): Promise<Refusal> {
  newUser(identity);
  await refuseForeign(database, door.tenantId, identity);
  return await inTenant(database, door.tenantId, async (tx) => {
    const { known, waiting } = await standingOf(tx, connectionId, identity.subject);
    if (known?.isRefused) {
      return new Refusal('not_provisioned', `An administrator refused the access request ${known.id}.`);
    }
    if (known === null && waiting >= limits.accessRequestsPerTenantMax) {
      const most = `${limits.accessRequestsPerTenantMax} access requests wait`;
      return new Refusal('not_provisioned', `${most}: this one is not kept until some are decided on.`);
    }
    const { id, isNew } = await upsertAccessRequest(tx, {
      ...{ id: newId<string>(door.now.getTime()), connectionId, identity, groups },
      ...{ requestedAt: door.now, lastLoginAt: door.now },
    });
    // Whoever approved them since the look for users has taken the request away, and it would be there again.
    if ((await selectUserOfSubject(tx, connectionId, [identity.subject])) !== undefined) {
      throw new Refusal('clash', 'The subject was linked at the same moment: sign in again.');
    }
    if (isNew) {
      appendAudit(tx, door, [{ action: 'access.requested', subject: id, after: { connectionId, identity } }]);
    }
    return new Refusal('pending', `The access request ${id} waits for an administrator.`);
  });
}

/** Of somebody new under the lock of the tenant's pool, so that of several who come at once none is one too many. */
async function standingOf(
  tx: TenantTransaction,
  connectionId: ConnectionId,
  subject: string,
): ReturnType<typeof selectStanding> {
  const seen = await selectStanding(tx, connectionId, subject);
  if (seen.known !== null) return seen;
  const [, standing] = await Promise.all([lockPoolRow(tx), selectStanding(tx, connectionId, subject)]);
  return standing;
}

/**
 * Also of somebody who was refused before.
 *
 * @param revision Of the request as the admin saw it, so that nobody is let in by claims that nobody has seen.
 * @throws Fault `not_found`; `conflict` where it is another by now, or somebody is there already whom the claims lead to.
 */
export async function approveAccess(
  database: Database,
  door: Door,
  id: string,
  revision: string,
): Promise<UserView> {
  const { request, connection } = await readFresh(database, door, id, revision);
  const { connectionId, identity, groups } = request;
  const making = { claimValues: groups, defaultRole: defaultRoleOf(connection.jit) };
  const draft = { attributes: newUser(identity), externalId: null };
  try {
    return await createUser(database, door, null, draft, {
      making,
      also: async (tx, userId) => {
        const [isHeld, taken] = await Promise.all([
          holdConnection(tx, connection),
          takeAccessRequest(tx, id),
        ]);
        if (taken === undefined) throw unknownAccessRequest(id);
        refuseOther(taken, revision);
        if (!isHeld) throw new Fault('conflict', 'The connection was changed meanwhile: approve it again.');
        insertLink(tx, { connectionId, subject: identity.subject, userId, at: door.now });
        markMaker(tx, { connectionId, userId }, making);
        appendAudit(tx, door, [{ action: 'access.approved', subject: id, after: { userId } }]);
      },
    });
  } catch (error) {
    if (brokenConstraint(error) !== 'sso_links_subject') throw error;
    throw new Fault('conflict', 'The person was let in meanwhile.');
  }
}

/** Of a login since the admin looked. @throws Fault `conflict` */
function refuseOther({ revision }: AccessRequest, seen: string): void {
  if (revision === seen) return;
  throw new Fault('conflict', 'The person signed in again with other claims: look at the request once more.');
}

/** The request, as long as it is as it was seen, and still about somebody who is not there and may come. */
async function readFresh(
  database: Database,
  { tenantId }: Door,
  id: string,
  revision: string,
): Promise<{ request: AccessRequest; connection: StandingConnection }> {
  const { request, connection, matches } = await inTenant(database, tenantId, async (tx) => {
    const found = await selectAccessRequest(tx, id);
    const its = found && (await selectConnection(tx, found.connectionId));
    if (found === undefined || its === undefined) throw unknownAccessRequest(id);
    return { request: found, connection: its, matches: await selectMatches(tx, its, found.identity) };
  });
  refuseOther(request, revision);
  if (!connection.enabled) {
    throw new Fault('conflict', 'The connection is switched off: switch it on before you approve.');
  }
  try {
    await refuseForeign(database, tenantId, request.identity);
    const who = converge(request.identity, matches, { create: true });
    if (who.kind === 'create') return { request, connection };
    throw new Fault('conflict', `The person is the user ${who.userId}, who need not be approved.`);
  } catch (error) {
    if (error instanceof Refusal) throw new Fault('conflict', error.message);
    throw error;
  }
}

/** Remembered: the person is told at each login. @throws Fault `not_found`; `conflict` where it was refused before. */
export async function refuseAccess(
  database: Database,
  door: Door,
  id: string,
  reason: string | null,
): Promise<AccessRequest> {
  return await inTenant(database, door.tenantId, async (tx) => {
    const refused = { at: door.now, by: door.actor, reason };
    const isWritten = await refuseAccessRequest(tx, id, refused);
    const request = await selectAccessRequest(tx, id);
    if (request === undefined) throw unknownAccessRequest(id);
    if (!isWritten) throw new Fault('conflict', 'The request was refused before.');
    appendAudit(tx, door, [{ action: 'access.refused', subject: id, after: { reason } }]);
    return request;
  });
}

export function unknownAccessRequest(id: string): Fault {
  return new Fault('not_found', `There is no access request ${id}.`);
}
