/** People whom a file names: who of them is there already, and what would tell newcomers from each other. */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { columnsOf, type User } from '../directory/user.ts';
import { fold } from '../kernel/fold.ts';
import type { UserId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { Pin } from '../licensing/pin.ts';
import type { KnownPerson } from './intake.ts';
import type { PersonFacts } from './standing.ts';
import { isPaidInBlue } from './unmanaged-sql.ts';

/** With the columns that a write of the user needs. */
export type StoredPerson = KnownPerson & User;

interface Row {
  id: UserId;
  user_name_key: string;
  attributes: JsonObject;
  version: number;
  created_at: Date;
  last_modified: Date;
  pin: (Omit<Pin, 'until'> & { until: string | null }) | null;
}

/** By userName, folded. @param areLocked For a change of anything but their keys. */
export async function selectPeopleNamed(
  tx: TenantTransaction,
  userNames: readonly string[],
  areLocked: boolean,
): Promise<Map<string, StoredPerson>> {
  const keys = userNames.map(fold);
  const own = sql`u.tenant_id = ${tx.tenantId} and u.user_name_key = any(${keys}::text[])`;
  const reading = tx.run(sql<Omit<Row, 'pin'>>`
    select id, user_name_key, attributes, version, created_at, last_modified from users u where ${own} order by id
    ${areLocked ? sql`for no key update` : sql``}
  `);
  // Statements of their own: what had to wait for a lock would see the others as they were before.
  const [rows, sources, pins] = await Promise.all([
    reading,
    tx.run(sql<{ id: UserId }>`
      select u.id from users u where ${own} and exists (
        select from user_sources s where s.tenant_id = u.tenant_id and s.user_id = u.id)
    `),
    tx.run(sql<{ id: UserId; pin: NonNullable<Row['pin']> }>`
      select u.id, jsonb_build_object('role', p.role, 'workspaces', p.workspaces, 'until', p.until, 'reserved', p.reserved) as pin
      from users u join pins p on p.tenant_id = u.tenant_id and p.user_id = u.id where ${own}
    `),
  ]);
  const provisioned = new Set(sources.map(({ id }) => id));
  const pinOf = new Map(pins.map(({ id, pin }) => [id, pin]));
  return new Map(
    rows.map(({ id, user_name_key: key, ...row }) => {
      const pin = pinOf.get(id);
      const until = pin?.until == null ? null : new Date(pin.until);
      const person: StoredPerson = {
        id,
        attributes: row.attributes,
        externalId: null,
        version: row.version,
        createdAt: row.created_at,
        lastModified: row.last_modified,
        isOfDirectory: provisioned.has(id),
        pin: pin === undefined ? null : { ...pin, until },
      };
      return [key, person];
    }),
  );
}

/** Who of these waits for a seat. */
export async function selectWaiting(tx: TenantTransaction, userIds: readonly UserId[]): Promise<UserId[]> {
  const rows = await tx.run(sql<{ id: UserId }>`
    select user_id as id from decisions
    where tenant_id = ${tx.tenantId} and user_id = any(${userIds}::uuid[]) and seat = 'waiting'
  `);
  return rows.map(({ id }) => id);
}

/** Somebody who comes, goes, comes back, or comes under another address. */
export interface Arrival {
  id: UserId;
  attributes: JsonObject;
  /** Those that the person has, or had. */
  addresses: readonly string[];
}

export type ArrivalFacts = Pick<PersonFacts, 'tie' | 'isExcluded' | 'isPaidInBlue'>;

/** Of each arrival what decisions would look at. */
export async function selectArrivalFacts(
  tx: TenantTransaction,
  arrivals: readonly Arrival[],
): Promise<Map<UserId, ArrivalFacts>> {
  const rows = arrivals.map(({ id, attributes }) => {
    const { userNameKey: name, address } = columnsOf(attributes);
    return { id, name, address };
  });
  const found = await tx.run(sql<ArrivalFacts & { id: UserId }>`
    select n.id, md5(t.tie_salt || ' ' || n.name) as tie,
      coalesce(n.name = any(s.exclusions) or n.address = any(s.exclusions), false) as "isExcluded",
      ${isPaidInBlue(sql`n`)} and not exists (
        select from decisions d where d.tenant_id = n.tenant_id and d.user_id = n.id) as "isPaidInBlue"
    from (
      select ${tx.tenantId}::uuid as tenant_id, r.* from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        as r (id uuid, name text, address text)
    ) n
    join tenants t on t.tenant_id = n.tenant_id
    left join tenant_settings s on s.tenant_id = n.tenant_id
  `);
  return new Map(found.map(({ id, ...facts }) => [id, facts]));
}

/** Of everybody who would have one of their addresses, whether somebody came to it before: arrivals come last, in their order. */
export async function foreseeDuplicates(
  tx: TenantTransaction,
  arrivals: readonly Arrival[],
): Promise<Map<UserId, boolean>> {
  const addresses = [...new Set(arrivals.flatMap((one) => one.addresses))];
  const there = await tx.run(sql<{ id: UserId; address: string }>`
    select id, address from users where tenant_id = ${tx.tenantId} and active and address = any(${addresses}::text[])
    order by address_order
  `);
  const moved = new Set(arrivals.map(({ id }) => id));
  const coming = arrivals.flatMap(({ id, attributes }) => {
    const { active, address } = columnsOf(attributes);
    return active && address !== null ? [{ id, address }] : [];
  });
  const taken = new Set<string>();
  const isDuplicate = new Map(arrivals.map(({ id }) => [id, false]));
  for (const { id, address } of [...there.filter((one) => !moved.has(one.id)), ...coming]) {
    isDuplicate.set(id, taken.has(address));
    taken.add(address);
  }
  return isDuplicate;
}
