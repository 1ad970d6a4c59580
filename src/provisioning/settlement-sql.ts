/** Reads what an admin is told of an open batch before it is settled: who waits in it, and how departments come out of it. */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import type { EffectiveRole } from '../licensing/effect.ts';
import type { Waiting } from '../licensing/impact.ts';
import { enterpriseUserSchema } from '../scim/core/extension-schemas.ts';
import type { ByDepartment, PlanCounts } from './edit.ts';
import { rolesOf } from './role-set-sql.ts';
import { isQueued } from './standing-store.ts';

/** Everybody in the queue, in one row for all who have the same. */
export async function selectWaiting(tx: TenantTransaction): Promise<Waiting[]> {
  const rows = await tx.run(sql<{ people: UserId[]; effective: EffectiveRole[]; unasked: boolean }>`
    select d.people, ${rolesOf(sql`d.effective_id`)} as effective, d.unasked
    from (
      select d.tenant_id, d.effective_id, d.unasked, json_agg(d.user_id) as people from decisions d
      where d.tenant_id = ${tx.tenantId} and ${isQueued([])} group by 1, 2, 3
    ) d
  `);
  return rows.map(({ people, effective, unasked: isUnasked }) => ({
    people,
    decision: { effective, seat: 'waiting', approval: null, isUnasked },
  }));
}

/** Upper and lower case are the same, as for SCIM (RFC 7643 §2.2), and blanks are no department. */
export async function selectByDepartment(
  tx: TenantTransaction,
  { gained, queued }: { gained: readonly UserId[]; queued: readonly UserId[] },
): Promise<ByDepartment> {
  const { departmentsCountedMax: most, departmentLengthMax: length } = limits;
  const name = sql`nullif(btrim(left(u.attributes -> ${enterpriseUserSchema.id}::text ->> 'department', ${length})), '')`;
  const rows = await tx.run(sql<PlanCounts & { department: string | null; departments: number }>`
    with people as (
      select id, true as has_gained from unnest(${gained}::uuid[]) as p (id)
      union all select id, false from unnest(${queued}::uuid[]) as p (id)
    ), named as (
      select p.has_gained, ${name} as name from people p
      join users u on u.tenant_id = ${tx.tenantId} and u.id = p.id
    ), counted as (
      select min(name) as department, count(*) filter (where has_gained) as gained, count(*) filter (where not has_gained) as queued,
        row_number() over (order by count(*) desc, lower(name) collate "C") as place
      from named group by lower(name)
    )
    select min(department) as department, count(*)::int as departments, sum(gained)::int as gained, sum(queued)::int as queued
    from counted group by least(place, ${most + 1}) order by min(place)
  `);
  const { departments, ...rest } = rows[most] ?? { departments: 0, gained: 0, queued: 0 };
  return {
    departments: rows
      .slice(0, most)
      .map(({ department, ...counts }) => ({ department, ...countsOf(counts) })),
    others: { departments, ...countsOf(rest) },
  };
}

function countsOf({ gained, queued }: PlanCounts): PlanCounts {
  return { gained, queued };
}
