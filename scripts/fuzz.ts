/**
 * Sends random requests to a gateway's SCIM interface and holds every answer to what must be. Exits 1 on any breach.
 * `npm run fuzz -- --count N --seed S --seconds T`: the same seed makes the same requests, but for the ids in them.
 */

import { randomInt } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../src/db/embedded-postgres.ts';
import { megabytes, type RunResult, run } from '../test/fuzz/run.ts';
import { startTarget } from '../test/fuzz/target.ts';

const memoryGrowthMax = 1.1;
/** Before that the process is still warming up. */
const memoryInputsMin = 100_000;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '200000' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    seconds: { type: 'string', default: '3600' },
    connections: { type: 'string', default: '12' },
  },
});
const [count, seed, secondsMax, connections] = [
  values.count,
  values.seed,
  values.seconds,
  values.connections,
].map((text) => {
  if (!/^\d{1,10}$/.test(text)) {
    process.stderr.write(`"${text}" must be a whole number\n`);
    process.exit(2);
  }
  return Number(text);
}) as [number, number, number, number];

// What was started is stopped.
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopping.abort());

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Of what it holds at rest after the first quarter, the process may hold a tenth more at the end. */
function memoryProblem({ memory, report }: RunResult): string | undefined {
  if (report.sent < memoryInputsMin) return undefined;
  const [first = 0, last = 0] = [memory[1] ?? memory[0], memory.at(-1)];
  if (last <= first * memoryGrowthMax) return undefined;
  return `memory grew from ${megabytes(first)} MB after the first quarter to ${megabytes(last)} MB`;
}

async function main(): Promise<boolean> {
  say(`seed ${seed}, ${count} inputs`);
  const dataDir = mkdtempSync(join(tmpdir(), 'blue-gateway-fuzz-'));
  // As root the database's account must reach it.
  chmodSync(dataDir, 0o711);
  const postgres = await startEmbeddedPostgres({ dataDir, durable: false });
  try {
    const target = await startTarget(postgres.url);
    try {
      const folder = join(tmpdir(), `blue-gateway-fuzz-failures-${seed}`);
      // A pause at each eighth: the second is the first quarter.
      const result = await run(target, {
        seed,
        count,
        connections,
        secondsMax,
        msMax: 2000,
        folder,
        pauses: 8,
        signal: stopping.signal,
        say,
      });
      return tell(result, folder);
    } finally {
      await target.stop();
    }
  } finally {
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function tell(result: RunResult, folder: string): boolean {
  const { report, memory, seconds } = result;
  const problem = memoryProblem(result);
  if (problem !== undefined) report.fail(problem);
  say(report.summary());
  say(`memory at rest, MB: ${memory.map(megabytes).join(', ')}`);
  say(
    `${report.sent} inputs in ${seconds.toFixed(0)} s, ${(report.sent / seconds).toFixed(0)} a second, ${report.breached} breaches`,
  );
  for (const failure of report.failures) say(`\n${failure}`);
  if (report.failures.length > 0) say(`\nwritten to ${folder}`);
  return report.breached === 0;
}

process.exitCode = (await main()) ? 0 : 1;
