/** Looks whether the sets of roles are still what the trail names by them. */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { RequestedRole } from '../licensing/desire.ts';
import { isNameOf } from './role-set.ts';

export const setsAtOnce = 2000;

export interface CheckedSets {
  /** Id of the first whose id does not follow from its roles. */
  changed: string | undefined;
  /** Where to go on; undefined: these were the last. */
  next: string | undefined;
}

/** @param after Sets with a greater id, some of them. */
export async function readRoleSets(tx: TenantTransaction, after: string): Promise<CheckedSets> {
  const sets = await tx.run(sql<{ id: string; roles: RequestedRole[]; standing: string }>`
    select id, roles, md5(roles::text)::uuid as standing from role_sets
    where tenant_id = ${tx.tenantId} and id > ${after}::uuid order by id limit ${setsAtOnce}`);
  return {
    changed: sets.find(({ id, roles, standing }) => !isNameOf(id, roles, standing))?.id,
    next: sets.length === setsAtOnce ? sets.at(-1)?.id : undefined,
  };
}
