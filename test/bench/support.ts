/** Runs a bench as people run it. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../support/sources.ts';

export interface BenchRun {
  code: number | null;
  stdout: string;
  stderr: string;
}

export function bench(...args: string[]): BenchRun {
  const run = spawnSync(process.execPath, [join(root, 'bench', 'main.ts'), ...args], {
    cwd: root,
    encoding: 'utf8',
    timeout: 150_000,
  });
  return { code: run.status, stdout: run.stdout, stderr: run.stderr };
}

/** And what it writes as JSON. */
export function reportOf<Report>(...args: string[]): [BenchRun, Report] {
  const folder = mkdtempSync(join(tmpdir(), 'blue-gateway-bench-test-'));
  const file = join(folder, 'report.json');
  try {
    const run = bench(...args, '--json', file);
    return [run, JSON.parse(readFileSync(file, 'utf8') || '{}')];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
