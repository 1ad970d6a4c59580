/** A tenant behind a real gateway, filled over its own HTTP interfaces, and a second connection that watches its seats. */

import { sql } from 'kysely';
import { openDatabase } from '../../src/db/database.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { settle } from '../../src/provisioning/settle-flow.ts';
import { type Answer, made, type TestGateway } from '../support/gateway.ts';
import { testActor } from '../support/tenants.ts';

const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';
const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group';

export interface Race {
  tenantId: TenantId;
  slug: string;
  /** Every answer's status, the setting up included. */
  statuses: number[];
  scim(method: string, path: string, body?: unknown): Promise<Answer>;
  user(userName: string, attributes?: object): Promise<string>;
  group(displayName: string, members?: readonly string[]): Promise<string>;
  addMember(groupId: string, userId: string): Promise<Answer>;
  removeMember(groupId: string, userId: string): Promise<Answer>;
  setActive(userId: string, active: boolean): Promise<Answer>;
  contract(paidSeats: number, policy?: string): Promise<void>;
  map(group: object, priority: number, role?: string): Promise<string>;
  unmap(mappingId: string): Promise<void>;
}

/** @param gateways Requests go to them in turn. */
export async function newRace(gateways: readonly TestGateway[]): Promise<Race> {
  const [first] = gateways;
  if (first === undefined) throw new Error('no gateway');
  const { tenantId, slug, directoryToken } = await first.createTenant();
  const token = await directoryToken('generic');
  // Places that are kept for movers, and the breaker, would make the counts depend on who moves when.
  await made(
    first.api('PUT', `/tenants/${slug}/settings`, { holdMinutes: 0, tombstoneHours: 0, breaker: null }),
  );
  const statuses: number[] = [];
  let turn = 0;
  const next = () => gateways[turn++ % gateways.length] ?? first;
  const scim: Race['scim'] = async (method, path, body) => {
    const answer = await next().scim(token, method, path, body);
    statuses.push(answer.status);
    return answer;
  };
  const api = (method: string, path: string, body?: unknown) =>
    made(next().api(method, `/tenants/${slug}${path}`, body));
  const patch = (path: string, operation: object) =>
    scim('PATCH', path, { schemas: [patchSchema], Operations: [operation] });
  return {
    tenantId: tenantId as TenantId,
    slug,
    statuses,
    scim,
    user: async (userName, attributes = {}) => {
      const body = { schemas: [userSchema], userName, active: true, ...attributes };
      return (await made(scim('POST', '/Users', body))).id;
    },
    group: async (displayName, members = []) => {
      const body = { schemas: [groupSchema], displayName, members: members.map((value) => ({ value })) };
      return (await made(scim('POST', '/Groups', body))).id;
    },
    addMember: (groupId, value) =>
      patch(`/Groups/${groupId}`, { op: 'add', path: 'members', value: [{ value }] }),
    removeMember: (groupId, value) =>
      patch(`/Groups/${groupId}`, { op: 'remove', path: `members[value eq "${value}"]` }),
    setActive: (userId, active) =>
      patch(`/Users/${userId}`, { op: 'replace', path: 'active', value: active }),
    contract: async (paidSeats, policy = 'queue') => {
      await api('PUT', '/contract', {
        kind: 'annual',
        tier: 'test',
        paidSeats,
        startsOn: '2020-01-01',
        endsOn: '2099-12-31',
        paymentSchedule: 'annual',
        overage: { policy },
        fallbackRole: 'view_only',
      });
    },
    map: async (group, priority, role = 'team_member') =>
      (await api('POST', '/mappings', { group, role, workspaces: ['w1'], priority })).id,
    unmap: (mappingId) => api('DELETE', `/mappings/${mappingId}`),
  };
}

/** All of them, a few at a time. */
export async function each<T, R>(
  all: readonly T[],
  atOnce: number,
  work: (one: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < all.length; at += atOnce) {
    results.push(...(await Promise.all(all.slice(at, at + atOnce).map(work))));
  }
  return results;
}

export function numbers(n: number): number[] {
  return Array.from({ length: n }, (_, at) => at);
}

export interface Seats {
  held: number;
  waiting: number;
  used: number;
  heldByInactive: number;
}

export interface Watcher {
  seats(race: Race): Promise<Seats>;
  /** Samples until `work` ends. */
  during(race: Race, work: Promise<unknown>): Promise<Seats[]>;
  /** Decides for everybody again; answers how many decisions that changed. */
  settle(race: Race): Promise<number>;
  members(race: Race, groupId: string): Promise<Set<string>>;
  close(): Promise<void>;
}

/** On a connection of its own. */
export function watch(databaseUrl: string): Watcher {
  const database = openDatabase({ url: databaseUrl, poolSize: 1 });
  const seats = async ({ tenantId }: Race): Promise<Seats> => {
    const [row] = await inTenant(database, tenantId, (tx) =>
      tx.run(sql<Seats>`
        select count(*) filter (where d.seat = 'held') as held,
          count(*) filter (where d.seat = 'waiting') as waiting,
          count(*) filter (where d.seat = 'held' and not u.active) as "heldByInactive",
          (select used from seat_pools where tenant_id = ${tenantId}) as used
        from decisions d join users u on u.tenant_id = d.tenant_id and u.id = d.user_id
        where d.tenant_id = ${tenantId}
      `),
    );
    if (row === undefined) throw new Error('no such tenant');
    return row;
  };
  return {
    seats,
    during: async (race, work) => {
      const samples: Seats[] = [];
      let isOver = false;
      const end = work.finally(() => {
        isOver = true;
      });
      const sample = async () => {
        while (!isOver) samples.push(await seats(race));
      };
      await Promise.all([end, sample()]);
      return samples;
    },
    settle: ({ tenantId }) =>
      settle(database, { tenantId, actor: testActor, now: new Date(), requestId: null }),
    members: async ({ tenantId }, groupId) => {
      const rows = await inTenant(database, tenantId, (tx) =>
        tx.run(sql<{ user_id: string }>`
          select user_id from memberships where tenant_id = ${tenantId} and group_id = ${groupId}`),
      );
      return new Set(rows.map((row) => row.user_id));
    },
    close: () => database.close(),
  };
}
