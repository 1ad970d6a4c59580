/** The sign-on bench run small, as people run it: everybody becomes who they are. */

import { describe, expect, it } from 'vitest';
import type { SsoReport } from '../../bench/sso/run.ts';
import { hasEmbeddedPostgres } from '../process/support.ts';
import { reportOf } from './support.ts';

/** Far above the aims, in milliseconds: whatever else runs on the machine counts, too. */
const most: Record<string, number> = {
  ...{ 'acs.p95.2': 1500, 'acs.cpu.2': 100 },
  ...{ 'acs.p95.16': 4000, 'acs.cpu.16': 100 },
};

describe.skipIf(!hasEmbeddedPostgres)('the sign-on bench, small', () => {
  it('measures every figure, in bearable time, and nothing comes out wrong', () => {
    const [{ code, stderr }, { figures, problems }] = reportOf<SsoReport>('sso', '--scale', '0.1');
    expect({ code, stderr, problems }).toEqual({ code: 0, stderr: '', problems: [] });
    expect(figures.map(({ id }) => id)).toEqual(Object.keys(most));
    for (const { id, value } of figures) {
      expect(value, id).toBeGreaterThan(0);
      expect(value, id).toBeLessThan(most[id] ?? 0);
    }
  }, 160_000);
});
