/** The gateway as it is run: a process of its own on a port of loopback, whose memory the system tells. */

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = join(import.meta.dirname, '..');
const startMsMax = 30_000;
const stopMsMax = 15_000;

export interface GatewayProcess {
  url: string;
  operatorKey: string;
  isAlive(): boolean;
  /** Most resident bytes since the start (VmHWM); undefined where the system does not tell. */
  peakMemory(): number | undefined;
  /** Processor time of all its threads since the start, in milliseconds; undefined where the system does not tell. */
  cpuMs(): number | undefined;
}

/** @param databaseUrl Of a migrated database. */
export async function startGatewayProcess(
  databaseUrl: string,
  ending: AsyncDisposableStack,
): Promise<GatewayProcess> {
  const [port, operatorKey] = [await freePort(), 'operator-key-of-the-bench-0123456789'];
  const { PATH = '', HOME = '' } = process.env;
  // Nothing else of our environment, so that it runs the same everywhere.
  const env = {
    PATH,
    HOME,
    PORT: String(port),
    DATABASE_URL: databaseUrl,
    OPERATOR_KEY: operatorKey,
    SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
    LOG_LEVEL: 'error',
    SCIM_RATE_LIMIT: '0',
    // So that clients may come from many addresses.
    TRUST_PROXY: '127.0.0.1',
  };
  if (ending.disposed) throw new Error('the bench is ended');
  const child = spawn(process.execPath, startArguments(), {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  ending.defer(() => stop(child));
  let output = '';
  child.stderr?.on('data', (part: Buffer) => {
    output = `${output}${part}`.slice(-2000);
  });
  const url = `http://127.0.0.1:${port}`;
  const isAlive = () => child.exitCode === null && child.signalCode === null;
  const isReady = async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200;
  for (const end = performance.now() + startMsMax; !(await isReady()); await sleep(50)) {
    if (!isAlive() || performance.now() > end) throw new Error(`the gateway did not start: ${output}`);
  }
  const pid = child.pid ?? 0;
  return { url, operatorKey, isAlive, peakMemory: () => peakResidentBytes(pid), cpuMs: () => cpuMsOf(pid) };
}

/** What follows `exec node` in the command of `npm start`. */
function startArguments(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return scripts.start.split(' ').slice(2);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  const late = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
  child.kill('SIGTERM');
  await exited;
  clearTimeout(late);
}

function peakResidentBytes(pid: number): number | undefined {
  try {
    const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

/** Clock ticks are hundredths of a second wherever Node runs. */
function cpuMsOf(pid: number): number | undefined {
  try {
    // The name, in parentheses, may hold blanks.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return undefined;
  }
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const probe = createServer().once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
