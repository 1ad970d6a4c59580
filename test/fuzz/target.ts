/** A gateway as a process of its own with two tenants in it: one to fuzz, one that must not notice. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kind, otherMark, World } from './world.ts';

const root = join(import.meta.dirname, '..', '..');
const operatorKey = 'operator-key-of-the-fuzzer-0123456789';
const startMsMax = 30_000;

export interface FuzzTarget {
  port: number;
  world: World;
  isAlive(): boolean;
  /** What the process has said. */
  output(): string;
  /** Resident bytes of the process. */
  memory(): number;
  isReady(): Promise<boolean>;
  /** Of everything that the other tenant sees of itself. */
  otherFingerprint(): Promise<string>;
  stop(): Promise<void>;
}

/** @param databaseUrl Of a database of its own; it is migrated at the start. */
export async function startTarget(databaseUrl: string): Promise<FuzzTarget> {
  const port = await freePort();
  const { PATH = '', HOME = '' } = process.env;
  const env = {
    PATH,
    HOME,
    PORT: String(port),
    DATABASE_URL: databaseUrl,
    OPERATOR_KEY: operatorKey,
    SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
    LOG_LEVEL: 'error',
    SCIM_RATE_LIMIT: '0',
  };
  const child = spawn(process.execPath, [join(root, 'src', 'main.ts')], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = collect(child);
  const exited = new Promise<void>((done) => child.once('close', () => done()));
  const isAlive = () => child.exitCode === null && child.signalCode === null;
  const url = `http://127.0.0.1:${port}`;
  const isReady = async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200;
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
  };
  try {
    for (const end = performance.now() + startMsMax; !(await isReady()); await sleep(50)) {
      if (!isAlive() || performance.now() > end) throw new Error(`the gateway did not start: ${output()}`);
    }
    const { world, otherFingerprint } = await fill(url);
    const memory = () => residentBytes(child.pid ?? 0);
    return { port, world, isAlive, output, memory, isReady, otherFingerprint, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (part: Buffer) => {
      text = `${text}${part}`.slice(-20_000);
    });
  }
  return () => text;
}

/** VmRSS, of Linux; elsewhere nothing is known. */
function residentBytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

async function call(url: string, token: string, method: string, path: string, body?: object) {
  const isScim = path.startsWith('/scim');
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined
        ? {}
        : { 'content-type': isScim ? 'application/scim+json' : 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

async function fill(url: string) {
  const own = await newTenant(url, 'own', ['generic', 'entra']);
  const other = await newTenant(url, 'other', ['generic']);
  const [otherToken = ''] = other.tokens;
  const world = new World({ own: own.tokens, other: otherToken }, `pw-${randomBytes(12).toString('hex')}`);
  await people(url, own.tokens[0] ?? '', { prefix: 'first', users: 120, groups: 12, into: world.own });
  await people(url, otherToken, { prefix: otherMark, users: 25, groups: 3, into: world.other });
  return { world, otherFingerprint: () => fingerprint(url, otherToken) };
}

async function newTenant(url: string, name: string, kinds: readonly string[]) {
  const slug = `${name}-${randomBytes(4).toString('hex')}`;
  const api = (method: string, path: string, body: object) =>
    call(url, operatorKey, method, `/api/v1${path}`, body);
  await api('POST', '/tenants', { name: slug, slug });
  await api('PUT', `/tenants/${slug}/contract`, {
    kind: 'annual',
    tier: 'test',
    paidSeats: 40,
    startsOn: '2020-01-01',
    endsOn: '2099-12-31',
    paymentSchedule: 'annual',
    overage: { policy: 'queue' },
    fallbackRole: 'view_only',
  });
  // So that decisions are made too: two of the groups give a role.
  for (const [at, displayName] of ['Fuzz 1', 'Fuzz 2'].entries()) {
    const mapping = { group: { displayName }, role: 'team_member', workspaces: ['w1'], priority: at + 1 };
    await api('POST', `/tenants/${slug}/mappings`, mapping);
  }
  const tokens: string[] = [];
  for (const kind of kinds) {
    const { id } = await api('POST', `/tenants/${slug}/directories`, { name: kind, kind });
    tokens.push((await api('POST', `/tenants/${slug}/directories/${id}/tokens`, { name: 'fuzz' })).token);
  }
  return { tokens };
}

interface People {
  prefix: string;
  users: number;
  groups: number;
  into: Record<Kind, string[]>;
}

async function people(url: string, token: string, { prefix, users, groups, into }: People): Promise<void> {
  const schema = (name: string) => [`urn:ietf:params:scim:schemas:core:2.0:${name}`];
  for (let n = 0; n < users; n += 1) {
    const body = {
      schemas: schema('User'),
      userName: `${prefix}${n}@example.com`,
      displayName: `${prefix} ${n}`,
    };
    into.Users.push((await call(url, token, 'POST', '/scim/v2/Users', body)).id);
  }
  for (let n = 0; n < groups; n += 1) {
    const members = into.Users.slice(n, n + 8).map((value) => ({ value }));
    const body = { schemas: schema('Group'), displayName: `${prefix} ${n}`, members };
    into.Groups.push((await call(url, token, 'POST', '/scim/v2/Groups', body)).id);
  }
}

async function fingerprint(url: string, token: string): Promise<string> {
  const lists = ['Users', 'Groups'].map((kind) => call(url, token, 'GET', `/scim/v2/${kind}?count=1000`));
  return createHash('sha256')
    .update(JSON.stringify(await Promise.all(lists)))
    .digest('hex');
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
