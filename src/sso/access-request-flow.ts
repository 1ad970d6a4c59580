/**
 * Where a connection asks for it, whoever signs in for the first time waits for an administrator's word. Who is approved is made
 * and linked at once, so that the seat is decided before they come back.
 */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { brokenConstraint, inTenant } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { type ConnectionId, newId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { markMaker } from '../provisioning/made-people-store.ts';
import { createUser } from '../provisioning/user-flow.ts';
import type { UserView } from '../provisioning/user-view.ts';
import {
  type AccessRequest,
  deleteAccessRequest,
  type Newcomer,
  refuseAccessRequest,
  selectAccessRequest,
  selectStanding,
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
    const { known, waiting } = await selectStanding(tx, connectionId, identity.subject);
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

/**
 * Also of somebody who was refused before.
 *
 * @throws Fault `not_found`; `conflict` where somebody is there already whom the claims lead to.
 */
export async function approveAccess(database: Database, door: Door, id: string): Promise<UserView> {
  const { request, connection } = await readFresh(database, door, id);
  const { connectionId, identity, groups } = request;
  const making = { claimValues: groups, defaultRole: defaultRoleOf(connection.jit) };
  const draft = { attributes: newUser(identity), externalId: null };
  try {
    return await createUser(database, door, null, draft, {
      making,
      also: async (tx, userId) => {
        const [isHeld, isThere] = await Promise.all([
          holdConnection(tx, connection),
          deleteAccessRequest(tx, id),
        ]);
        if (!isThere) throw unknownAccessRequest(id);
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

/** The request, as long as it is still about somebody who is not there and may come. */
async function readFresh(
  database: Database,
  { tenantId }: Door,
  id: string,
): Promise<{ request: AccessRequest; connection: StandingConnection }> {
  const { request, connection, matches } = await inTenant(database, tenantId, async (tx) => {
    const found = await selectAccessRequest(tx, id);
    const its = found && (await selectConnection(tx, found.connectionId));
    if (found === undefined || its === undefined) throw unknownAccessRequest(id);
    return { request: found, connection: its, matches: await selectMatches(tx, its, found.identity) };
  });
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
