/** Everything that stands in a tenant's tables about people and seats, read in one round trip. */

import { sql } from 'kysely';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { GroupId, MappingId, UserId } from '../../src/kernel/ids.ts';
import type { TestWorld } from '../support/tenants.ts';

export interface UserRow {
  id: UserId;
  user_name: string;
  active: boolean;
  address: string | null;
  address_order: number;
}

export interface MappingRow {
  id: MappingId;
  priority: number;
  group_id: GroupId | null;
  group_display_name: string | null;
  role: string;
  workspaces: string[];
  fallback_role: string | null;
}

export interface DecisionRow {
  user_id: UserId;
  requested: { role: string; workspace: string; mapping: string; fallbackRole: string | null }[];
  effective: { role: string; billing: string; workspace: string; via: string }[];
  priority: number | null;
  claimed_at: Date | null;
  tie: string;
  seat: 'none' | 'held' | 'waiting';
  since: Date;
  refusal: string | null;
}

export interface ContractRow {
  paid_seats: number | null;
  starts_on: string;
  ends_on: string;
  overage_policy: 'queue' | 'fallback' | 'block';
  fallback_role: string;
}

export interface State {
  now: Date;
  users: UserRow[];
  groups: { id: GroupId; display_name: string; mapped: boolean }[];
  memberships: { group_id: GroupId; user_id: UserId }[];
  mappings: MappingRow[];
  contract: ContractRow | undefined;
  pool: { used: number; ceiling: number | null; unmanaged_paid: number; due_at: Date | null };
  decisions: DecisionRow[];
  /** Changes whenever any row that a decision writes is written again, even with the same values. */
  fingerprint: string;
}

export async function readState(world: TestWorld): Promise<State> {
  const { tenantId } = world;
  const own = sql`where tenant_id = ${tenantId}`;
  const read = await inTenant(world.database, tenantId, (tx) =>
    Promise.all([
      tx.run(
        sql<UserRow>`select id, user_name, active, address, address_order from users ${own} order by id`,
      ),
      tx.run(sql<State['groups'][number]>`select id, display_name, mapped from groups ${own} order by id`),
      tx.run(
        sql<State['memberships'][number]>`select group_id, user_id from memberships ${own} order by 1, 2`,
      ),
      tx.run(sql<MappingRow>`
        select id, priority, group_id, group_display_name, role, workspaces, fallback_role
        from mappings ${own} order by priority`),
      tx.run(sql<ContractRow>`select * from contracts ${own}`),
      tx.run(sql<State['pool']>`select used, ceiling, unmanaged_paid, due_at from seat_pools ${own}`),
      tx.run(sql<DecisionRow>`select * from decisions ${own} order by user_id`),
      tx.run(sql<{ print: string }>`
        select concat_ws(' ', (select count(*) from audit_events ${own}),
          (select string_agg(xmin::text, ',' order by user_id) from decisions ${own}),
          (select xmin::text from seat_pools ${own}),
          (select string_agg(xmin::text, ',' order by user_id) from blue_sync ${own})) as print`),
    ]),
  );
  const [users, groups, memberships, mappings, contracts, [pool], decisions, [fingerprint]] = read;
  if (pool === undefined || fingerprint === undefined) throw new Error('no such tenant');
  const [contract] = contracts;
  const rest = { users, groups, memberships, mappings, contract, pool, decisions };
  return { now: world.now, ...rest, fingerprint: fingerprint.print };
}

export function seatsOf({ decisions }: State, seat: DecisionRow['seat']): DecisionRow[] {
  return decisions.filter((decision) => decision.seat === seat);
}
