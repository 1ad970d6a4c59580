/** What an admin sees of Blue: what would be sent now, how the connection is, and which workspaces there are. */

import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { unreachable } from '../kernel/assert.ts';
import { Fault } from '../kernel/fault.ts';
import type { TenantId, UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import type { Action } from './action.ts';
import { afterAction } from './apply-actions.ts';
import type { Answer, BlueFailure } from './blue-failure.ts';
import type { Connection, ConnectionState, Organization } from './connection.ts';
import { clientOf } from './connection-client.ts';
import { notConnected } from './connection-flow.ts';
import { selectConnection } from './connection-store.ts';
import { type BlueServices, type Facts, loadFacts, settingsOf } from './pass-flow.ts';
import { compare } from './people.ts';
import { countPending, selectOurs } from './people-store.ts';
import { passNow } from './sync-flow.ts';
import { troubleOf } from './trouble.ts';

export interface PlannedStep {
  userId: string;
  /** Null for a deleted user. */
  userName: string | null;
  address: string | null;
  action: Action['kind'];
  workspaces: { id: string; name: string | null }[];
  /** Blue's level, or `custom:<name>`; null where nothing is given. */
  role: string | null;
}

/**
 * Compares everybody with Blue as it was last read; what takes away comes first. At most 5,000 steps.
 *
 * @throws Fault `not_found`; `unavailable` while Blue could not be read.
 */
export async function planBlue(
  services: BlueServices,
  tenantId: TenantId,
): Promise<{ items: PlannedStep[] }> {
  const { database, realClock } = services;
  const connection = await readConnection(services, tenantId);
  const { organization } = connection;
  if (organization === null || connection.readAt === null) {
    throw new Fault('unavailable', connection.cause ?? 'Blue’s lists have not been read yet.');
  }
  const items: PlannedStep[] = [];
  for (let last: UserId | null = null; items.length < limits.bluePlanStepsMax; ) {
    const after: UserId | null = last;
    const [ids, facts] = await inTenant(database, tenantId, async (tx) => {
      const page = await selectOurs(tx, after, limits.bluePeopleComparedPerPage);
      return [page, await loadFacts(tx, organization, page, realClock.now())] as const;
    });
    items.push(...stepsOf(connection, organization, facts, realClock.now()));
    last = ids.at(-1) ?? null;
    if (last === null) break;
  }
  return { items: items.slice(0, limits.bluePlanStepsMax) };
}

/** With Blue's lists, which are read first where they are not known. */
async function readConnection(services: BlueServices, tenantId: TenantId): Promise<Connection> {
  const known = await connectionOf(services.database, tenantId);
  if (known.readAt !== null && known.organization !== null) return known;
  await passNow(services, tenantId);
  return await connectionOf(services.database, tenantId);
}

/** What takes away, and what then gives: found by pretending that the former was done. */
function stepsOf(connection: Connection, organization: Organization, facts: Facts, now: Date): PlannedStep[] {
  const { ours, known } = facts;
  const settings = settingsOf(connection, facts);
  const down = compare(ours, known, settings, now).actions.filter(({ phase }) => phase === 'down');
  const then = down.reduce((state, action) => afterAction(state, action, now), known);
  const up = compare(ours, then, settings, now).actions.filter(({ phase }) => phase === 'up');
  const names = new Map(organization.workspaces.map(({ id, name }) => [id, name]));
  const people = new Map(ours.map((person) => [person.userId, person]));
  return [...down, ...up].map((action) => {
    const person = people.get(action.userId);
    return {
      userId: action.userId,
      userName: person?.userName ?? null,
      address: person?.address ?? null,
      action: action.kind,
      workspaces: workspacesOf(action).map((id) => ({ id, name: names.get(id) ?? null })),
      role: roleOf(action),
    };
  });
}

function workspacesOf(action: Action): readonly string[] {
  if ('workspaces' in action) return action.workspaces;
  return 'workspace' in action ? [action.workspace] : [];
}

function roleOf(action: Action): string | null {
  if ('customRole' in action && action.customRole !== null) return `custom:${action.customRole.name}`;
  return 'level' in action ? action.level : null;
}

export interface BlueStatus {
  state: ConnectionState;
  /** What a person should know or do. */
  cause?: string;
  /** People who are not yet known to have in Blue what was decided. */
  pending: number;
  lastContactAt: Date | null;
}

/** @throws Fault `not_found`. */
export async function blueStatus(database: Database, tenantId: TenantId): Promise<BlueStatus> {
  const [connection, pending] = await inTenant(database, tenantId, (tx) =>
    Promise.all([selectConnection(tx), countPending(tx)]),
  );
  if (connection === undefined) throw notConnected();
  const { state, cause, lastContactAt } = connection;
  return { state, ...(cause === null ? {} : { cause }), pending, lastContactAt };
}

export interface WorkspaceView {
  id: string;
  name: string;
  /** Names. */
  customRoles: string[];
}

/** Asks Blue. @throws Fault `not_found`, `unavailable`. */
export async function listWorkspaces(
  services: BlueServices,
  tenantId: TenantId,
): Promise<{ items: WorkspaceView[] }> {
  const client = clientOf(services, await connectionOf(services.database, tenantId));
  const now = services.realClock.now();
  const workspaces = unwrapped(await client.listWorkspaces(), now);
  const ids = workspaces.map(({ id }) => id);
  const roles = Map.groupBy(unwrapped(await client.listCustomRoles(ids), now), (role) => role.workspace);
  const items = workspaces.map(({ id, name }) => ({
    ...{ id, name },
    customRoles: (roles.get(id) ?? []).map((role) => role.name),
  }));
  return { items };
}

async function connectionOf(database: Database, tenantId: TenantId): Promise<Connection> {
  const connection = await inTenant(database, tenantId, selectConnection);
  if (connection === undefined) throw notConnected();
  return connection;
}

function unwrapped<T>(answer: Answer<T>, now: Date): T {
  if (answer.ok) return answer.value;
  throw faultOf(answer.failure, now);
}

/** In the words of the status. */
function faultOf(failure: BlueFailure, now: Date): Fault {
  const { cause, state, nextTryAt } = troubleOf(failure, 0, now, 1);
  switch (state) {
    case 'stopped':
      return new Fault('unavailable', cause);
    case 'waiting': {
      const retryAfterSeconds = Math.ceil(((nextTryAt ?? now).getTime() - now.getTime()) / 1000);
      return new Fault('unavailable', cause, { retryAfterSeconds });
    }
    default:
      return unreachable(state);
  }
}
