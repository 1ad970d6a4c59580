/**
 * Everything that must hold: types, lint and format, then the tests. Arguments are handed to vitest. Ends with one line
 * `N passed, N failed`, in which types and lint count as one test each, and exits 1 when anything failed.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  success: boolean;
  testResults: { status: string; assertionResults: unknown[] }[];
}

const binaries = join(import.meta.dirname, '..', 'node_modules', '.bin');

function run(command: string, ...args: string[]): boolean {
  const { status } = spawnSync(process.execPath, [join(binaries, command), ...args], { stdio: 'inherit' });
  return status === 0;
}

function runTests(args: readonly string[]): { passed: number; failed: number } {
  const folder = mkdtempSync(join(tmpdir(), 'blue-gateway-report-'));
  const file = join(folder, 'report.json');
  const succeeded = run(
    'vitest',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
    ...args,
  );
  try {
    const report: Report = JSON.parse(readFileSync(file, 'utf8'));
    const broken = report.testResults.filter(
      ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
    ).length;
    const failed = report.numFailedTests + broken;
    return { passed: report.numPassedTests, failed: succeeded ? failed : Math.max(1, failed) };
  } catch {
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const args = process.argv.slice(2);
const checks = [run('tsc', '--noEmit'), run('biome', 'check')];
const tests = runTests(args);
const passed = tests.passed + checks.filter(Boolean).length;
const failed = tests.failed + checks.filter((ok) => !ok).length;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
