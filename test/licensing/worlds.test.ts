/**
 * The licensing rules as a whole, over random tenants in memory: whatever happens in whatever order, each plan and each state
 * keeps the invariants. Those about the order of a batch and about better priorities compare two runs of one tenant.
 */

import fc from 'fast-check';
import { it } from 'vitest';
import type { World } from './world.ts';
import { checkTurn, checkWorld } from './world-checks.ts';
import { type Happening, happen, happenings, worlds } from './world-events.ts';

const share = Number(process.env.FUZZ_RUNS ?? 1000) / 1000;
const runs = (usual: number) => ({ numRuns: Math.max(1, Math.round(usual * share)) });

/** Everything that happens, each plan looked at. */
function played(world: World, events: readonly Happening[]): World {
  return events.reduce((now, event) => {
    const next = happen(now, event);
    for (const turn of next.turns.slice(now.turns.length)) checkTurn(turn);
    checkWorld(next);
    return { ...next, turns: [] };
  }, world);
}

it('I1–I6, I10–I12, I14, I15, I17, I19, I20 hold after everything that happens (order sticky)', () => {
  const any = worlds(['immediate', 'immediate', 'cycle', 'staged'], ['sticky']);
  fc.assert(
    fc.property(any, happenings(14), (world, events) => {
      played(world, events);
    }),
    runs(5500),
  );
}, 120_000);

it('the same, and I13, hold under order strict: without pre-emption nobody loses a seat to anybody', () => {
  const any = worlds(['immediate', 'cycle', 'staged'], ['strict']);
  fc.assert(
    fc.property(any, happenings(12), (world, events) => {
      played(world, events);
    }),
    runs(1500),
  );
}, 120_000);
