/** A whole gateway for tests: listening on a port of its own, on a database of its own, with callers for its API. */

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { pino } from 'pino';
import { type Config, readConfig } from '../../src/config.ts';
import type { DatabaseOptions } from '../../src/db/database.ts';
import { startGateway as start } from '../../src/gateway.ts';
import { cloneDatabase } from './database.ts';

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape.
  body: any;
}

export interface TestTenant {
  tenantId: string;
  slug: string;
  /** Makes a directory of that kind and answers a token of it. */
  directoryToken(kind: 'entra' | 'okta' | 'generic' | 'strict'): Promise<string>;
}

export interface TestGateway {
  url: string;
  databaseUrl: string;
  operatorKey: string;
  /** Calls `/api/v1…` as the operator, or with another key; null: anonymously. */
  api(method: string, path: string, body?: unknown, key?: string | null): Promise<Answer>;
  scim(
    token: string,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  createTenant(): Promise<TestTenant>;
  close(): Promise<void>;
}

export interface TestGatewayOptions {
  config?: Partial<Config>;
  observe?: Pick<DatabaseOptions, 'onStatement' | 'onWait'>;
  /** Another gateway's database, to be two on one. */
  databaseUrl?: string;
  /** Takes the lines of the log. */
  onLog?: (line: string) => void;
}

export async function startGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const own = options.databaseUrl === undefined ? await cloneDatabase() : undefined;
  const databaseUrl = options.databaseUrl ?? own?.url ?? '';
  const port = await freePort();
  const config: Config = {
    ...readConfig({
      PORT: String(port),
      DATABASE_URL: databaseUrl,
      OPERATOR_KEY: 'operator-key-of-the-tests-0123456789',
      SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
      ALLOW_PRIVATE_NETWORKS: 'true',
      LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'fatal',
      SCIM_RATE_LIMIT: '0',
    }),
    ...options.config,
  };
  const { observe, onLog } = options;
  const level = { level: config.logLevel };
  const log = onLog === undefined ? pino(level) : pino(level, { write: onLog });
  const gateway = await start({ config, databaseUrl, log, ...(observe === undefined ? {} : { observe }) });
  const api: TestGateway['api'] = (method, path, body, key = config.operatorKey) =>
    call(`${gateway.url}/api/v1${path}`, method, body, key, 'application/json');
  return {
    url: gateway.url,
    databaseUrl,
    operatorKey: config.operatorKey,
    api,
    scim: (token, method, path, body, headers = {}) =>
      call(`${gateway.url}/scim/v2${path}`, method, body, token, 'application/scim+json', headers),
    createTenant: () => createTenant(api),
    close: async () => {
      await gateway.stop();
      await own?.drop();
    },
  };
}

async function call(
  url: string,
  method: string,
  body: unknown,
  key: string | null,
  type: string,
  more: Record<string, string> = {},
): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': type }),
      ...more,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const isJson = /json/.test(answer.headers.get('content-type') ?? '');
  return {
    status: answer.status,
    headers: answer.headers,
    body: text === '' ? undefined : isJson ? JSON.parse(text) : text,
  };
}

async function createTenant(api: TestGateway['api']): Promise<TestTenant> {
  const slug = `t-${randomBytes(5).toString('hex')}`;
  const tenant = await made(api('POST', '/tenants', { name: slug, slug }));
  return {
    tenantId: tenant.id,
    slug,
    directoryToken: async (kind) => {
      const directory = await made(api('POST', `/tenants/${slug}/directories`, { name: kind, kind }));
      const path = `/tenants/${slug}/directories/${directory.id}/tokens`;
      return (await made(api('POST', path, { name: 'test' }))).token;
    },
  };
}

/** The body of a call that must make something. */
export async function made(answer: Promise<Answer>): Promise<Answer['body']> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body;
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const probe = createServer().once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
