/**
 * What holds after every write, whatever was written before: random histories through every flow, on the real
 * database, checked after each edit against the tables and against a second statement of the rules (`model.ts`).
 * Each check is named for the invariant it states. FUZZ_RUNS sets the number of histories.
 */

import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { checkAgain, checkQueue, checkState, checkStep, settledWhereDue } from './checks.ts';
import { Coverage } from './coverage.ts';
import type { Edit } from './edits.ts';
import { type climates, history, historyIn } from './histories.ts';
import { checkChain, checkLedger } from './ledger.ts';
import { make } from './make-edit.ts';
import { readState } from './state.ts';

const runs = Number(process.env.FUZZ_RUNS ?? 8);
let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 2 });
});

afterAll(() => test.close());

/** Every invariant after every edit. Answers how many edits were made. */
async function play(steps: readonly Edit[], coverage: Coverage, peoplePerDecision?: number): Promise<number> {
  let made = 0;
  const world = await newWorld(test.database);
  world.peoplePerDecision = peoplePerDecision;
  await world.salt('salt');
  let before = await readState(world);
  for (const [step, edit] of steps.entries()) {
    world.pass(1000);
    const isMade = await make(world, before, edit, step);
    made += isMade ? 1 : 0;
    // Nothing is decided by the passing of time alone: the next write must notice by itself.
    if (edit.kind === 'passTime') continue;
    const after = await settledWhereDue(world);
    checkStep(edit, before, after, isMade);
    checkState(after);
    await checkQueue(world, after);
    coverage.step(before, after);
    before = await checkAgain(world, after);
  }
  await checkLedger(world, before);
  await checkChain(world);
  await coverage.trail(world);
  await retire(world);
  return made;
}

/** Looks at what is due find every tenant of the database: this one is over. */
async function retire({ database, tenantId }: TestWorld): Promise<void> {
  await inTenant(database, tenantId, async (tx) =>
    tx.send(sql`update tenant_settings set reclaim_due_at = null where tenant_id = ${tx.tenantId}`),
  );
}

it.each([
  ['at once', undefined, runs],
  ['in batches of three people', 3, Math.ceil(runs * 0.4)],
])(
  'keeps every invariant after every edit of a random history, decided %s',
  async (how, peoplePerDecision, numRuns) => {
    let edits = 0;
    const coverage = new Coverage();
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        edits += await play(steps, coverage, peoplePerDecision);
      }),
      { numRuns, endOnFailure: process.env.FUZZ_SHRINK === undefined },
    );
    coverage.print(how);
    expect(edits).toBeGreaterThan(numRuns * 10);
  },
  runs * 2000 + 60_000,
);

/** What each climate is for: of the usual run, whose seed is fixed, all of it must have happened. */
const aims: [climate: keyof typeof climates, seed: number, usual: number, needed: string[]][] = [
  ['approvals', 1, 3, ['awaits a word', 'claim.approved', 'claim.refused']],
  ['idle', 3, 3, ['reclaim.noticed', 'reclaim.taken', 'reclaim.kept', 'reclaim.undone']],
  ['breaker', 4, 5, ['staged', 'breaker.tripped', 'breaker.released', 'put back']],
  ['claimed groups', 1, 3, ['user.claimed', 'seated by a claimed group', 'left a claimed group']],
  ['people of Blue’s own', 1, 3, ['user.adopted']],
  ['two people', 1, 3, ['edit.requested', 'edit.approved', 'edit.refused']],
  ['strict', 2, 3, ['pre-empted', 'noticed of a better claim']],
  ['shares', 11, 3, ['borrowed', 'taken back']],
  ['an evaluation that ends', 1, 3, ['over the capacity', 'frozen']],
];

it.each(aims)(
  'keeps every invariant where there is much of: %s',
  async (climate, seed, usual, needed) => {
    const coverage = new Coverage();
    const isUsual = process.env.FUZZ_RUNS === undefined;
    const numRuns = isUsual ? usual : Math.ceil(runs * 0.2);
    await fc.assert(
      fc.asyncProperty(
        historyIn(climate),
        fc.constantFrom(undefined, 3),
        async (steps, peoplePerDecision) => {
          await play(steps, coverage, peoplePerDecision);
        },
      ),
      { numRuns, endOnFailure: process.env.FUZZ_SHRINK === undefined, ...(isUsual ? { seed } : {}) },
    );
    coverage.print(climate);
    if (isUsual) expect(coverage.missing(needed)).toEqual([]);
  },
  runs * 2000 + 60_000,
);
