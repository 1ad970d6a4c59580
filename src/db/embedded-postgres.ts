/**
 * Starts and stops the PostgreSQL that comes from npm, for machines that have none. It runs in a session of its own,
 * so that a signal to our process group reaches us alone and we stop it last.
 */

import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { ConfigurationError } from '../kernel/configuration-error.ts';
import { type Placement, placePostgres } from './postgres-binaries.ts';

export interface EmbeddedPostgres {
  /** URL of the gateway's database; its role owns the database and may create roles, but is no superuser. */
  url: string;
  /** URL of the same server for its superuser (tests clone databases with it). */
  superuserUrl: string;
  /** What a person should be told of where things went. */
  notes: string[];
  /** Keeps in mind which migration the database has come to, for whoever looks while it does not run. */
  noteSchema(newest: string): void;
  /** @param how `atOnce`: without a checkpoint, the next start recovers. */
  stop(how?: 'atOnce'): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  dataDir: string;
  /** false: commits may be lost in a crash of the machine (tests). */
  durable: boolean;
  /** Ends a start that is under way. */
  signal?: AbortSignal;
}

const startMsMax = 20_000;
const stopMsMax = 2_500;
const leftoverStopMsMax = 8_000;

/** @throws ConfigurationError when another gateway uses the folder, or PostgreSQL can't start there. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const placement = await placePostgres(options.dataDir);
  const lock = takeFolder(options.dataDir);
  await stopLeftover(placement.clusterDir);
  const known = readPassword(options.dataDir);
  if (known === undefined) setAside(placement);
  const isNew = !existsSync(join(placement.clusterDir, 'PG_VERSION'));
  const password = isNew || known === undefined ? initialise(placement, options.dataDir) : known;
  const port = await freePort();
  const server = launch(placement, options, port);
  const stop = async (how?: 'atOnce') => {
    await stopServer(server, how === 'atOnce' ? ['SIGQUIT', 'SIGKILL'] : ['SIGINT', 'SIGQUIT', 'SIGKILL']);
    rmSync(lock, { force: true });
  };
  const urlFor = (user: string, database: string) =>
    `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
  const superuserUrl = urlFor('postgres', 'postgres');
  const marker = join(placement.clusterDir, markerName);
  try {
    await untilReady(placement.clusterDir, options, server.exited);
    if (!existsSync(marker)) {
      await createGatewayDatabase(superuserUrl, password);
      writeFileSync(marker, '');
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: urlFor('gateway', 'gateway'),
    superuserUrl,
    notes: placement.notes,
    noteSchema: (newest) => writeFileSync(marker, newest),
    stop,
  };
}

/** Inside the cluster, so that both go together: says that the database is made, and which migration it has come to. */
export const markerName = 'gateway-created';

type Server = ReturnType<typeof launch>;

/** Rolls back what is under way and writes a checkpoint; where that takes too long, the next start recovers instead. */
async function stopServer({ child, exited }: Server, signals: NodeJS.Signals[]): Promise<void> {
  child.ref();
  for (const signal of signals) {
    child.kill(signal);
    const isGone = await Promise.race([
      exited.then(() => true),
      sleep(signal === 'SIGINT' ? stopMsMax : 500, false, { ref: false }),
    ]);
    if (isGone) return;
  }
}

/** undefined: no cluster was made for this folder yet, or the folder was emptied since. */
export function readPassword(dataDir: string): string | undefined {
  const path = join(dataDir, 'postgres-password');
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}

/** A cluster whose password nobody has is kept, and is in nobody's way: it may stand outside a folder that was removed. */
function setAside({ account, clusterDir, notes }: Placement): void {
  if (!existsSync(join(clusterDir, 'PG_VERSION'))) return;
  const kept = `${clusterDir}.${Date.now()}`;
  renameSync(clusterDir, kept);
  mkdirSync(clusterDir, { mode: 0o700 });
  if (account !== undefined) chownSync(clusterDir, account.uid, account.gid);
  notes.push(`the database in ${clusterDir} belongs to a data folder that is gone: it is kept in ${kept}`);
}

function initialise(placement: Placement, dataDir: string): string {
  const { account, binDir, clusterDir } = placement;
  const password = randomBytes(24).toString('hex');
  const scratch = mkdtempSync(join(tmpdir(), 'blue-gateway-'));
  const passwordFile = join(scratch, 'password');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account !== undefined)
    for (const path of [scratch, passwordFile]) chownSync(path, account.uid, account.gid);
  const flags = [
    '--pgdata',
    clusterDir,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
  ];
  // Unicode letters have cases, and text sorts by code point on every machine.
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const format = ['--encoding=UTF8', ...locale, '--no-sync', '--no-instructions'];
  const run = spawnSync(join(binDir, 'initdb'), [...flags, ...format], {
    ...account,
    cwd: '/',
    encoding: 'utf8',
  });
  rmSync(scratch, { recursive: true, force: true });
  if (run.status !== 0) {
    throw new ConfigurationError([
      `PostgreSQL could not be set up in ${clusterDir}: ${run.stderr ?? run.error}`,
    ]);
  }
  writeFileSync(join(dataDir, 'postgres-password'), `${password}\n`, { mode: 0o600 });
  return password;
}

function launch({ account, binDir, clusterDir }: Placement, options: EmbeddedPostgresOptions, port: number) {
  const log = openSync(join(options.dataDir, 'postgres.log'), 'a', 0o600);
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    // Taken as they are used: of a large tenant what is written again and again stays in memory.
    shared_buffers: `${Math.round(Math.min(totalmem() / 8, 2 ** 31) / 2 ** 20)}MB`,
    // Pages are written whole once after each checkpoint: fewer of both.
    max_wal_size: '4GB',
    checkpoint_timeout: '15min',
    ...(options.durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(binDir, 'postgres'), ['-D', clusterDir, '-p', String(port), ...flags], {
    ...account,
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const exited = new Promise<void>((done) => child.once('exit', () => done()).once('error', () => done()));
  child.unref();
  return { child, exited };
}

/** `postmaster.pid` says "ready" in its eighth line once connections are taken. */
async function untilReady(
  clusterDir: string,
  { dataDir, signal }: EmbeddedPostgresOptions,
  exited: Promise<void>,
): Promise<void> {
  let alive = true;
  exited.then(() => {
    alive = false;
  });
  for (
    const started = performance.now();
    alive && performance.now() - started < startMsMax;
    await sleep(10)
  ) {
    if (signal?.aborted) throw new Error('the start was given up');
    if (postmasterLines(clusterDir)[7]?.startsWith('ready')) return;
  }
  const lines = readFileSync(join(dataDir, 'postgres.log'), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(-5)
    .join('\n');
  throw new ConfigurationError([`PostgreSQL did not start in ${clusterDir}:\n${lines}`]);
}

async function createGatewayDatabase(superuserUrl: string, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  const exists = async (text: string) => ((await client.query(text)).rowCount ?? 0) > 0;
  if (!(await exists(`select 1 from pg_roles where rolname = 'gateway'`))) {
    await client.query(
      `create role gateway login createrole createdb password ${client.escapeLiteral(password)}`,
    );
  }
  if (!(await exists(`select 1 from pg_database where datname = 'gateway'`))) {
    await client.query('create database gateway owner gateway');
  }
  await client.end();
}

/** Says in a file which process uses the folder. @throws ConfigurationError where another one does. */
function takeFolder(dataDir: string): string {
  const user = userOf(dataDir);
  if (user !== undefined) {
    throw new ConfigurationError([
      `DATA_DIR ${dataDir} is in use by process ${user}: stop it, or choose another folder`,
    ]);
  }
  const path = join(dataDir, claimName);
  writeFileSync(path, `${process.pid} ${startOf(process.pid)}\n`, { mode: 0o600 });
  return path;
}

const claimName = 'gateway.pid';

/** The id of the process that uses the folder; undefined: no other one that lives. */
export function userOf(dataDir: string): string | undefined {
  const path = join(dataDir, claimName);
  const [pid = '', started = ''] = existsSync(path) ? readFileSync(path, 'utf8').trim().split(' ') : [];
  return pid === '' || pid === String(process.pid) || startOf(Number(pid)) !== started ? undefined : pid;
}

/** When a process started, in the system's own clock ticks, so that a reused number is not taken for it. */
function startOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19];
  } catch {
    return undefined;
  }
}

/** A gateway that was killed leaves its PostgreSQL running: it is stopped before the folder is used again. */
async function stopLeftover(clusterDir: string): Promise<void> {
  const pid = Number(postmasterLines(clusterDir)[0] ?? 0);
  if (pid <= 0 || !commandOf(pid).includes(clusterDir)) return;
  kill(pid, 'SIGINT');
  for (const started = performance.now(); performance.now() - started < leftoverStopMsMax; await sleep(20)) {
    if (commandOf(pid) === '') return;
  }
  kill(pid, 'SIGKILL');
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function postmasterLines(clusterDir: string): string[] {
  try {
    return readFileSync(join(clusterDir, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return [];
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already: what we wanted.
  }
}

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const probe = createServer().once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
