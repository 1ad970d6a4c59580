/** What happened in random histories: a property of something that never happens holds of nothing. COVERAGE=1 prints the counts. */

import { sql } from 'kysely';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { TestWorld } from '../support/tenants.ts';
import { isTaken } from './checks.ts';
import { sharesOf, termsOf } from './model.ts';
import { type State, seatsOf } from './state.ts';

export class Coverage {
  private readonly counts = new Map<string, number>();

  /** Of one step. */
  step(before: State, after: State): void {
    const lost = lostBetween(before, after).filter((id) => isTaken(before, after, id));
    const hasShares = after.sub_pools.length > 0;
    this.add(hasShares ? 'taken back' : 'pre-empted', lost.length);
    this.add(
      'noticed of a better claim',
      after.decisions.some((row) => row.notice_until !== null),
    );
    this.add(
      'borrowed',
      sharesOf(after).some(({ used, seats }) => used > seats),
    );
    this.add('over the capacity', seatsOf(after, 'overage').length > 0);
    this.add('frozen', termsOf(after).frozen && seatsOf(after, 'held', 'overage').length > 0);
    this.add('staged', after.staged.size > 0 && before.staged.size === 0);
    this.add('put back', after.staged.size < before.staged.size);
    const seated = byClaimOf(after);
    this.add('seated by a claimed group', seated.size > 0);
    this.add(
      'left a claimed group',
      [...byClaimOf(before)].some((id) => !seated.has(id)),
    );
    this.add(
      'awaits a word',
      after.decisions.some(({ approval }) => approval === 'pending'),
    );
  }

  /** Of what stands in the trail at the end of a history. */
  async trail(world: TestWorld): Promise<void> {
    const rows = await inTenant(world.database, world.tenantId, (tx) =>
      tx.run(sql<{ action: string; count: number }>`
        select action, count(*)::integer as count from audit_trail where tenant_id = ${tx.tenantId}
          and (action like 'reclaim.%' or action like 'breaker.%' or action like 'claim.%' or action like 'edit.%' or action in ('user.claimed', 'user.adopted'))
        group by action`),
    );
    for (const { action, count } of rows) this.add(action, count);
  }

  private add(name: string, times: number | boolean): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + Number(times));
  }

  /** Those of the names that never happened. */
  missing(names: readonly string[]): string[] {
    return names.filter((name) => (this.counts.get(name) ?? 0) === 0);
  }

  print(title: string): void {
    if (process.env.COVERAGE === undefined) return;
    const lines = [...this.counts].sort().map(([name, count]) => `  ${count} ${name}`);
    console.info([title, ...lines].join('\n'));
  }
}

/** Who has a seat by a group that an identity provider claimed. */
function byClaimOf(state: State): Set<string> {
  const rules = new Set(
    state.mappings.filter((one) => one.claim_value !== null).map(({ id }) => `MAPPING:${id}`),
  );
  const seated = seatsOf(state, 'held', 'overage');
  return new Set(
    seated.filter((row) => row.requested.some(({ via }) => rules.has(via))).map((row) => row.user_id),
  );
}

function lostBetween(before: State, after: State): string[] {
  const seated = new Set(seatsOf(after, 'held', 'overage').map((row) => row.user_id));
  const waiting = new Set(seatsOf(after, 'waiting').map((row) => row.user_id));
  return seatsOf(before, 'held', 'overage')
    .map((row) => row.user_id)
    .filter((id) => !seated.has(id) && waiting.has(id));
}
