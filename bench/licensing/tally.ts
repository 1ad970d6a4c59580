/** What stands in a tenant after an operation, counted by SQL of the bench's own: it must agree with itself and the contract. */

import type { TenantId } from '../../src/kernel/ids.ts';
import type { EditedMapping } from './operations.ts';
import type { Inspector } from './world.ts';

export interface Tally {
  decisions: number;
  /** As the pool counts. */
  used: number;
  held: number;
  waiting: number;
}

export async function tallyOf(inspector: Inspector, tenantId: TenantId): Promise<Tally> {
  const [row] = await inspector.rows<Record<keyof Tally, string>>(
    `select count(d.user_id) as decisions, p.used, count(*) filter (where d.seat = 'held') as held,
       count(*) filter (where d.seat = 'waiting') as waiting
     from seat_pools p left join decisions d on d.tenant_id = p.tenant_id
     where p.tenant_id = $1 group by p.used`,
    tenantId,
  );
  const number = (text: string | undefined) => Number(text ?? Number.NaN);
  return {
    decisions: number(row?.decisions),
    used: number(row?.used),
    held: number(row?.held),
    waiting: number(row?.waiting),
  };
}

/** What of it is not as it must be; of a number that is wrong, both are told. */
export function differences(found: object, expected: Record<string, number>): string[] {
  const values = new Map(Object.entries(found));
  return Object.entries(expected)
    .filter(([name, value]) => values.get(name) !== value)
    .map(([name, value]) => `${name} ${values.get(name)} instead of ${value}`);
}

/** Members of the mapping's group, and how many of them ask for its role. */
export async function askingFor(
  inspector: Inspector,
  tenantId: TenantId,
  { groupId, workspace }: EditedMapping,
  role: string,
): Promise<{ members: number; asking: number }> {
  const [row] = await inspector.rows<{ members: string; asking: string }>(
    `select count(*) as members, count(*) filter (where s.roles @> $3::jsonb) as asking
     from memberships m left join decisions d on d.tenant_id = m.tenant_id and d.user_id = m.user_id
     left join role_sets s on s.tenant_id = d.tenant_id and s.id = d.requested_id
     where m.tenant_id = $1 and m.group_id = $2`,
    tenantId,
    groupId,
    JSON.stringify([{ role, workspace }]),
  );
  return { members: Number(row?.members), asking: Number(row?.asking) };
}

/** Entries of the audit trail: what changed nothing adds none. */
export function auditLength(inspector: Inspector, tenantId: TenantId): Promise<number> {
  return inspector.number('select count(*) as n from audit_trail where tenant_id = $1', tenantId);
}
