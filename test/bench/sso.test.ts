/** The sign-on bench run small, as people run it: everybody becomes who they are. How fast it was is the bench's own business. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { SsoReport } from '../../bench/sso/run.ts';
import { hasEmbeddedPostgres } from '../process/support.ts';
import { root } from '../support/sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'blue-gateway-bench-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!hasEmbeddedPostgres)('the sign-on bench, small', () => {
  it('measures every figure, and nothing comes out wrong', () => {
    const file = join(folder, 'report.json');
    const args = [join(root, 'bench', 'main.ts'), 'sso', '--scale', '0.1', '--json', file];
    const run = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 120_000 });
    expect({ code: run.status, stderr: run.stderr }).toEqual({ code: 0, stderr: '' });
    const { figures, problems } = JSON.parse(readFileSync(file, 'utf8')) as SsoReport;
    expect(problems).toEqual([]);
    expect(figures.map(({ id, value }) => [id, typeof value])).toEqual([
      ['acs.p95.2', 'number'],
      ['acs.cpu.2', 'number'],
      ['acs.p95.16', 'number'],
      ['acs.cpu.16', 'number'],
    ]);
  }, 150_000);
});
