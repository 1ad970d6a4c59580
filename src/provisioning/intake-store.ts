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

/** Somebody who is to come, come back or come under another address. */
export interface Arrival {
  id: UserId;
  attributes: JsonObject;
}

export type ArrivalFacts = Pick<PersonFacts, 'id' | 'tie' | 'isDuplicate' | 'isExcluded' | 'isPaidInBlue'>;

/** What decisions would look at, if they came now, one after the other: whoever has the address before them keeps it. */
export async function foreseeArrivals(
  tx: TenantTransaction,
  arrivals: readonly Arrival[],
): Promise<Map<UserId, ArrivalFacts>> {
  if (arrivals.length === 0) return new Map();
  const rows = arrivals.map(({ id, attributes }, place) => {
    const { userNameKey, active, address } = columnsOf(attributes);
    return { place, id, name: userNameKey, active, address };
  });
  const found = await tx.run(sql<ArrivalFacts & { active: boolean; address: string | null }>`
    select n.id, n.active, n.address, md5(t.tie_salt || ' ' || n.name) as tie,
      n.active and exists (
        select from users o where o.tenant_id = n.tenant_id and o.address = n.address and o.active and o.id <> n.id
      ) as "isDuplicate",
      coalesce(n.name = any(s.exclusions) or n.address = any(s.exclusions), false) as "isExcluded",
      ${isPaidInBlue(sql`n`)} as "isPaidInBlue"
    from (
      select ${tx.tenantId}::uuid as tenant_id, r.* from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        as r (place integer, id uuid, name text, active boolean, address text)
    ) n
    join tenants t on t.tenant_id = n.tenant_id
    left join tenant_settings s on s.tenant_id = n.tenant_id
    order by n.place
  `);
  const taken = new Set<string>();
  return new Map(
    found.map(({ active, address, ...facts }) => {
      const isBehind = active && address !== null && taken.has(address);
      if (active && address !== null) taken.add(address);
      return [facts.id, { ...facts, isDuplicate: facts.isDuplicate || isBehind }];
    }),
  );
}
