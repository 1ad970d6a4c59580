/**
 * What holds after every write, whatever was written before: random histories through every flow, on the real
 * database, checked after each edit against the tables and against a second statement of the rules (`model.ts`).
 * Each check is named for the invariant it states. FUZZ_RUNS sets the number of histories.
 */

import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld } from '../support/tenants.ts';
import { checkAgain, checkQueue, checkState, checkStep, settledWhereDue } from './checks.ts';
import { history, make } from './edits.ts';
import { checkLedger } from './ledger.ts';
import { readState } from './state.ts';

const runs = Number(process.env.FUZZ_RUNS ?? 50);
let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 2 });
});

afterAll(() => test.close());

it.each([
  ['at once', undefined, runs],
  ['in batches of three people', 3, Math.ceil(runs * 0.4)],
])(
  'keeps every invariant after every edit of a random history, decided %s',
  async (_how, peoplePerDecision, numRuns) => {
    let edits = 0;
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const world = await newWorld(test.database);
        world.peoplePerDecision = peoplePerDecision;
        let before = await readState(world);
        for (const [step, edit] of steps.entries()) {
          world.pass(1000);
          const isMade = await make(world, before, edit, step);
          edits += isMade ? 1 : 0;
          // Nothing is decided by the passing of time alone: the next write must notice by itself.
          if (edit.kind === 'passTime') continue;
          const after = await settledWhereDue(world);
          checkStep(edit, before, after, isMade);
          checkState(after);
          await checkQueue(world, after);
          before = await checkAgain(world, after);
        }
        await checkLedger(world, before);
      }),
      { numRuns, endOnFailure: process.env.FUZZ_SHRINK === undefined },
    );
    expect(edits).toBeGreaterThan(numRuns * 10);
  },
  runs * 2000 + 60_000,
);
