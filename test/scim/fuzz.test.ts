/** The short form of `npm run fuzz`: 2,500 random requests to a gateway of its own, each answer held to what must be. */

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run } from '../fuzz/run.ts';
import { startTarget } from '../fuzz/target.ts';
import { cloneDatabase } from '../support/database.ts';

const seed = Number(process.env.FUZZ_SEED ?? 1);
/** More than `npm run fuzz` allows: here other tests run beside it. */
const msMax = 5000;

it(`answers 2,500 random requests as it must (seed ${seed})`, { timeout: 120_000 }, async () => {
  const database = await cloneDatabase();
  try {
    const target = await startTarget(database.url);
    try {
      const folder = join(tmpdir(), `blue-gateway-fuzz-failures-${seed}`);
      const options = { seed, count: 2500, connections: 8, secondsMax: 90, msMax, folder, pauses: 1 };
      const { report } = await run(target, { ...options, say: () => {} });
      expect(report.failures.join('\n')).toBe('');
      const statuses = report.byStatus();
      // Otherwise it was a test of refusals, or of nothing.
      for (const status of [200, 201, 204, 400, 401, 404, 409, 415]) {
        expect(statuses.get(status) ?? 0, report.summary()).toBeGreaterThan(10);
      }
      expect(report.sent, 'within the time').toBe(2500);
    } finally {
      await target.stop();
    }
  } finally {
    await database.drop();
  }
});
