/**
 * The facts of everybody an edit would concern, for a look at what it would do. Of a large group most people are alike:
 * those come as one row with a list of ids, which spares the reading of thousands of equal rows.
 */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import type { Affected } from './affected.ts';
import { factsOf, type Instead, type PersonRow, personsSql } from './decision-store.ts';
import type { PersonFacts } from './standing.ts';

type Alike = Omit<PersonRow, 'id' | 'tie' | 'address'>;

/** Each column of a person but those that tell people apart: who forgets one is told by the type. */
const columns: Record<keyof Alike, true> = {
  ...{
    active: true,
    is_duplicate: true,
    is_excluded: true,
    groups: true,
    role_values: true,
    claim_values: true,
  },
  ...{ verdict: true, pin: true, reclaimed_at: true, requested: true, effective: true, priority: true },
  ...{ claimed_at: true, seat: true, since: true, refusal: true, kept_claimed_at: true, kept_until: true },
  ...{ overage_spent: true, may_preempt: true, notice_until: true, approval: true, due_at: true },
};

/** As `loadPersons`, in the order of their ids, with what is to stand in place of what is written. */
export async function loadCrowd(
  tx: TenantTransaction,
  affected: Affected,
  instead: Instead,
): Promise<PersonFacts[]> {
  const alike = sql.join(Object.keys(columns).map((name) => sql.ref(name)));
  const rows = await tx.run(sql<Alike & { people: [id: UserId, tie: string, address: string | null][] }>`
    select json_agg(json_build_array(id, tie, address)) as people, ${alike}
    from (${personsSql(tx, affected, instead)}) persons
    group by ${alike}
  `);
  return rows
    .flatMap(({ people, ...row }) => {
      const facts = { ...factsOf(row), keepUntil: null };
      return people.map(([id, tie, address]) => ({ ...facts, id, tie, address }));
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}
