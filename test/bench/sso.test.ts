/** The bench of single sign-on run small, as people run it: everybody is signed in as themselves, and in bearable time. */

import { beforeAll, describe, expect, it } from 'vitest';
import type { SsoReport } from '../../bench/sso/run.ts';
import { hasEmbeddedPostgres } from '../process/support.ts';
import { type BenchRun, reportOf } from './support.ts';

describe.skipIf(!hasEmbeddedPostgres)('the bench of single sign-on, small', () => {
  let run: BenchRun;
  let report: SsoReport;

  beforeAll(() => {
    [run, report] = reportOf<SsoReport>('sso', '--scale', '0.2');
  }, 160_000);

  it('finds nobody who is signed in as somebody else, or not at all', () => {
    expect({ code: run.code, stderr: run.stderr, problems: report.problems }).toEqual({
      code: 0,
      stderr: '',
      problems: [],
    });
    expect(report.logins).toBe(40);
  });

  /** Far above the aims: what else runs on the machine counts, too. */
  it.each([
    ['login.first', 3000],
    ['login.p95.2', 1000],
    ['login.p95.16', 3000],
    ['login.processor', 100],
  ])('%s', (id, most) => {
    const { value } = report.figures.find((figure) => figure.id === id) ?? {};
    expect(value).toBeGreaterThan(0);
    expect(value).toBeLessThan(most);
  });
});
