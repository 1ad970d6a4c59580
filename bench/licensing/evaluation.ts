/** Deciding for everybody: when all of it must be written, and when nothing changed; and for how long it holds the pool. */

import type { Database } from '../../src/db/database.ts';
import { type Figures, rounded, secondsOf } from '../figure.ts';
import { startLockProber } from './lock-prober.ts';
import { evaluateEveryone } from './operations.ts';
import { auditLength, differences, tallyOf } from './tally.ts';
import type { World } from './world.ts';

export async function measureEvaluation(
  figures: Figures,
  {
    database,
    url,
    world,
    ending,
  }: { database: Database; url: string; world: World; ending: AsyncDisposableStack },
): Promise<void> {
  const prober = await startLockProber({ url, tenantId: world.large.tenantId }, ending);
  await measureAll(figures, database, world);
  // As autovacuum does within a minute.
  await world.inspector.rows('analyze');
  await measureNothing(figures, database, world);
  const lock = { id: 'evaluation.lock', name: 'longest wait for the pool lock meanwhile' };
  await figures.measure({ ...lock, unit: 'ms', aim: { atMost: 50 } }, async () => {
    const { longestMs, medianMs, probes } = await prober.stop();
    return { value: longestMs, details: { probes, 'median ms': rounded(medianMs) } };
  });
}

function measureAll(figures: Figures, database: Database, { inspector, large, size }: World): Promise<void> {
  const all = { id: 'evaluation.all', name: `full evaluation of ${size.users} people, everything written` };
  return figures.measure({ ...all, unit: 's', aim: { atMost: 15 } }, async () => {
    const value = await secondsOf(() => evaluateEveryone(database, large));
    const tally = await tallyOf(inspector, large.tenantId);
    const { used, held, waiting } = tally;
    const wrong = differences(tally, { decisions: size.users, used: held, held: large.seats });
    if (waiting === 0) wrong.push('nobody waits');
    return { value, details: { used, held, waiting }, wrong };
  });
}

function measureNothing(figures: Figures, database: Database, { inspector, large }: World): Promise<void> {
  const nothing = { id: 'evaluation.nothing', name: 'full evaluation when nothing changed' };
  return figures.measure({ ...nothing, unit: 's', aim: { atMost: 1 } }, async () => {
    const before = await auditLength(inspector, large.tenantId);
    const value = await secondsOf(() => evaluateEveryone(database, large));
    const written = (await auditLength(inspector, large.tenantId)) - before;
    return { value, wrong: differences({ written }, { written: 0 }) };
  });
}
