/**
 * Edits of more people than are decided for at a time: batches of two or three people must decide as one decision for all would,
 * and writers who come between two batches must find everything as it has to be. FUZZ_RUNS sets the number of histories.
 */

import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Fault } from '../../src/kernel/fault.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { checkAgain, checkQueue, checkState, settledWhereDue } from './checks.ts';
import { anyEdit, type Edit } from './edits.ts';
import { history, historyIn } from './histories.ts';
import { checkLedger } from './ledger.ts';
import { make } from './make-edit.ts';
import { readState, type State } from './state.ts';

const runs = Math.ceil(Number(process.env.FUZZ_RUNS ?? 30) * 0.14);
let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 8 });
});

afterAll(() => test.close());

/** By userName, without ids: what was asked for, the seat, and the roles. */
function outcomeOf(state: State): Record<string, string> {
  const names = new Map(state.users.map(({ id, user_name: name }) => [id, name]));
  return Object.fromEntries(
    state.decisions.map((row) => {
      const roles = row.effective.map(({ role, workspace }) => `${workspace} ${role}`);
      const { seat, priority, refusal, approval, claimed_at: claimedAt, overage_since: above } = row;
      const outcome = [seat, priority, refusal, approval, row.unasked, claimedAt, above, roles];
      return [names.get(row.user_id), JSON.stringify(outcome)];
    }),
  );
}

/** Not `breaker`, which counts many people more coarsely, nor `idle`, whose looks find both tenants at the time of one. */
const alike = [historyIn('strict'), historyIn('shares'), historyIn('approvals')];

it(
  'I10: in batches of three people the same is decided as at once',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(history, ...alike), async (steps) => {
        const [whole, parted] = [await newWorld(test.database), await newWorld(test.database)];
        parted.peoplePerDecision = 3;
        for (const world of [whole, parted]) await world.salt('salt');
        for (const [step, edit] of steps.entries()) {
          const [one, other] = [await stepped(whole, edit, step), await stepped(parted, edit, step)];
          expect(outcomeOf(other), `I10 after ${edit.kind}`).toEqual(outcomeOf(one));
        }
      }),
      { numRuns: runs, endOnFailure: process.env.FUZZ_SHRINK === undefined },
    );
  },
  runs * 4000 + 60_000,
);

async function stepped(world: TestWorld, edit: Edit, step: number): Promise<State> {
  world.pass(1000);
  await make(world, await readState(world), edit, step);
  return await settledWhereDue(world);
}

const atOnce = fc.array(
  anyEdit.filter(({ kind }) => kind !== 'passTime'),
  { minLength: 3, maxLength: 3 },
);

it(
  'keeps every invariant when other doors write between the batches',
  async () => {
    let made = 0;
    const any = fc.tuple(history, fc.array(atOnce, { minLength: 3, maxLength: 6 }));
    await fc.assert(
      fc.asyncProperty(any, async ([steps, rounds]) => {
        const world = await newWorld(test.database);
        world.peoplePerDecision = 2;
        for (const [step, edit] of steps.slice(0, 16).entries()) await stepped(world, edit, step);
        for (const [round, edits] of rounds.entries()) {
          world.pass(1000);
          const before = await readState(world);
          world.isShared = true;
          const names = edits.map((_, at) => 1000 * (round + 1) + at);
          const all = edits.map((edit, at) => attempt(world, before, edit, names[at] ?? 0));
          made += (await Promise.all(all)).filter((isMade) => isMade).length;
          world.isShared = false;
          const after = await settledWhereDue(world);
          checkState(after);
          await checkQueue(world, after);
          await checkLedger(world, await checkAgain(world, after));
        }
      }),
      { numRuns: runs, endOnFailure: process.env.FUZZ_SHRINK === undefined },
    );
    expect(made).toBeGreaterThan(runs * 3);
  },
  runs * 4000 + 60_000,
);

/** What it names may be gone meanwhile, or not be what it was. */
async function attempt(world: TestWorld, before: State, edit: Edit, step: number): Promise<boolean> {
  try {
    return await make(world, before, edit, step);
  } catch (error) {
    if (error instanceof Fault && ['not_found', 'invalid'].includes(error.code)) return false;
    throw error;
  }
}
