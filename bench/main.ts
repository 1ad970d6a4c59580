/**
 * Measures the gateway on a database of its own and says each figure with its aim:
 * `npm run bench -- [licensing|sso] [--json FILE] [--scale 0.01] [--seed 1]`. Exits 1 when something failed or came out
 * wrong; a slow machine misses aims and exits 0.
 */

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { benchLicensing, type LicensingReport } from './licensing/run.ts';
import { scaleMax, scaleMin } from './licensing/size.ts';
import { benchSso, type SsoReport } from './sso/run.ts';

/** Longer than any run may take: then it is ended, with what it started. */
const minutesMax = 20;
const usage = 'npm run bench -- [licensing|sso] [--json FILE] [--scale 0.01] [--seed 1]';
const say = (line: string) => process.stdout.write(`${line}\n`);

interface Arguments {
  bench: 'licensing' | 'sso';
  json: string | undefined;
  scale: number;
  seed: number;
}

/** @throws Error that says what is wrong. */
function readArguments(): Arguments {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      scale: { type: 'string', default: '1' },
      seed: { type: 'string', default: '1' },
    },
  });
  const [bench = 'licensing', ...more] = positionals;
  if ((bench !== 'licensing' && bench !== 'sso') || more.length > 0) {
    throw new Error(`there is no bench "${positionals.join(' ')}"`);
  }
  const [scale, seed] = [Number(values.scale), Number(values.seed)];
  if (!(scale >= scaleMin && scale <= scaleMax)) {
    throw new Error(`--scale must be a number from ${scaleMin} to ${scaleMax}`);
  }
  if (!/^\d{1,9}$/.test(values.seed)) throw new Error('--seed must be a whole number');
  // A file that can't be written is better known now than after the run.
  if (values.json !== undefined) writeFileSync(values.json, '');
  return { bench, json: values.json, scale, seed };
}

async function main({ bench, json, scale, seed }: Arguments): Promise<boolean> {
  const ending = new AsyncDisposableStack();
  let cut: Promise<void> | undefined;
  const cutOff = (code: number, why: string) => {
    cut ??= ending.disposeAsync().finally(() => {
      process.stderr.write(`${why}\n`);
      process.exit(code);
    });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => cutOff(130, signal));
  const late = setTimeout(() => cutOff(1, `not done after ${minutesMax} minutes`), minutesMax * 60_000);
  const sayUnlessCut = (line: string) => {
    if (cut === undefined) say(line);
  };
  try {
    const options = { say: sayUnlessCut, ending };
    const remark = scale === scaleMax ? '' : ' (the aims are those of scale 1)';
    say(`${bench} at scale ${scale}, seed ${seed}${remark}`);
    const report = await (bench === 'sso'
      ? benchSso({ scale, ...options })
      : benchLicensing({ scale, seed, ...options }));
    await cut;
    tell(report);
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
    return report.problems.length === 0;
  } catch (error) {
    // What is taken away under its feet fails: that is no news.
    await cut;
    throw error;
  } finally {
    clearTimeout(late);
    await ending.disposeAsync();
  }
}

function tell({ figures, problems, seconds }: LicensingReport | SsoReport): void {
  const count = (verdict: string) => figures.filter((figure) => figure.verdict === verdict).length;
  say(
    `${count('ok')} ok, ${count('MISSED')} missed, ${count('skipped')} skipped, ${problems.length} failed or wrong, ` +
      `in ${seconds.toFixed(0)} s`,
  );
}

let asked: Arguments;
try {
  asked = readArguments();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n${usage}\n`);
  process.exit(2);
}
process.exitCode = (await main(asked)) ? 0 : 1;
