/** The audit trail as a ledger of seats: replayed from empty it must give what stands, and what it counted on its way. */

import { sql } from 'kysely';
import { expect } from 'vitest';
import { sealTrail } from '../../src/audit/seal-flow.ts';
import { verifyTrail } from '../../src/audit/verify-flow.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { Decision, Seat } from '../../src/licensing/effect.ts';
import { toDecision } from '../../src/provisioning/decision-store.ts';
import { signer } from '../audit/support.ts';
import type { TestWorld } from '../support/tenants.ts';
import type { State } from './state.ts';

type Stored = Record<string, unknown> & { seat: Seat; kept: { until: string } | null };

interface Entry {
  seq: string;
  at: Date;
  action: string;
  subject: string;
  before: Stored | null;
  after: Stored | null;
  /** Without the usage: neither a seat was given nor one taken. */
  inputs: { usage?: Record<string, number> } | null;
}

/** I8 and I22, of everything the tenant has done. */
export async function checkLedger(world: TestWorld, state: State): Promise<void> {
  const replayed = replay(await readLedger(world));
  const standing = state.decisions.map((row) => [row.user_id, toDecision(row as never)]);
  expect(Object.fromEntries(replayed), 'I8 replaying the ledger from empty gives the snapshot').toEqual(
    JSON.parse(JSON.stringify(Object.fromEntries(standing))),
  );
  const { used, overage, on_hold: onHold } = state.pool;
  expect(countsOf(replayed), 'I22 grants less releases are the seats').toEqual({
    ...{ overage, onHold },
    held: used - overage - onHold,
  });
}

/** I22, as far as other tests on the server let it be sealed. */
export async function checkChain({ database, tenantId, now }: TestWorld): Promise<void> {
  await sealTrail(database, signer, { tenantId, now, most: 1000 });
  const whole = { tenantId, from: { number: 0, entries: 0 }, kept: undefined, isOver: () => false };
  const { broken, place, unsealed } = await verifyTrail(database, signer, whole);
  expect(broken, 'I22 chain verifies').toBeUndefined();
  const [told] = await inTenant(database, tenantId, (tx) =>
    tx.run(sql<{ count: number }>`select count(*) as count from audit_trail where tenant_id = ${tenantId}`),
  );
  expect(place.entries + unsealed, 'I22 each entry is sealed once, or waits for it').toBe(told?.count);
}

export function readLedger(world: TestWorld): Promise<Entry[]> {
  return inTenant(world.database, world.tenantId, (tx) =>
    tx.run(sql<Entry>`
      select seq, at, action, subject, before, after, inputs from audit_trail
      where tenant_id = ${world.tenantId} and action in ('decision.changed', 'hold.released') order by seq`),
  );
}

/** Each entry must begin where the one before it ended, and know what was used when it was decided. */
function replay(entries: readonly Entry[]): Map<string, Stored> {
  const standing = new Map<string, Stored>();
  let inputs = '';
  for (const { action, subject, before, after, ...entry } of entries) {
    const known = standing.get(subject) ?? null;
    if (action === 'hold.released') {
      if (known?.kept != null)
        standing.set(subject, { ...known, kept: { ...known.kept, until: entry.at.toISOString() } });
      continue;
    }
    expect(before, 'I8 each entry begins where the one before it ended').toEqual(known);
    const { held, overage, onHold } = entry.inputs?.usage ?? {};
    const print = JSON.stringify([entry.at, entry.inputs]);
    if (entry.inputs?.usage === undefined) {
      const seats = [before, after].map((one) => countsOf(new Map(one === null ? [] : [[subject, one]])));
      expect(seats[1], 'I22 who gives or takes a seat tells what was used').toEqual(seats[0]);
    } else if (print !== inputs) {
      expect({ held, overage, onHold }, 'I22 grants less releases are the seats at any instant').toEqual(
        countsOf(standing),
      );
    }
    inputs = print;
    if (after === null) standing.delete(subject);
    else standing.set(subject, after);
  }
  return standing;
}

function countsOf(standing: ReadonlyMap<string, Stored>) {
  const seats = [...standing.values()].map(({ seat }) => seat);
  const count = (kind: Decision['seat']) => seats.filter((seat) => seat === kind).length;
  return { held: count('held'), overage: count('overage'), onHold: count('hold') };
}
