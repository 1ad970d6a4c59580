/** How the environment is read: what stands where nothing is set, what is refused, and where secrets come from. */

import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { inspectConfig, readConfig } from '../src/config.ts';
import { ConfigurationError } from '../src/kernel/configuration-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'blue-gateway-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const external = {
  DATABASE_URL: 'postgres://gateway@db.example.com/gateway',
  OPERATOR_KEY: 'k'.repeat(32),
  SECRETS_KEY: Buffer.alloc(32, 1).toString('base64'),
};

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig({ ...external, ...environment });
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

describe('the environment', () => {
  it('may be empty', () => {
    const config = readConfig({ DATA_DIR: join(folder, 'empty') });
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      publicUrl: 'http://127.0.0.1:8080',
      databaseUrl: undefined,
      blueApiUrl: 'https://api.blue.app/graphql',
      blueAppUrl: 'https://blue.app',
      trustProxy: false,
      logLevel: 'info',
      workers: 1,
      allowPrivateNetworks: false,
      scimRateLimit: 200,
      dnsResolver: undefined,
      testClock: false,
    });
  });

  it('takes what is set, and an empty text for nothing', () => {
    const config = readConfig({
      ...external,
      HOST: '0.0.0.0',
      PORT: '0',
      PUBLIC_URL: 'https://Gateway.example.com/',
      TRUST_PROXY: '10.0.0.0/8',
      LOG_LEVEL: 'debug',
      WORKERS: '4',
      ALLOW_PRIVATE_NETWORKS: 'true',
      SCIM_RATE_LIMIT: '0',
      DNS_RESOLVER: '[::1]:5353',
      TEST_CLOCK: 'true',
      BLUE_API_URL: '',
    });
    expect(config).toMatchObject({
      host: '0.0.0.0',
      port: 0,
      publicUrl: 'https://gateway.example.com',
      trustProxy: '10.0.0.0/8',
      workers: 4,
      scimRateLimit: 0,
      dnsResolver: { host: '::1', port: 5353 },
      testClock: true,
      blueApiUrl: 'https://api.blue.app/graphql',
    });
    expect(config.secretsKey).toHaveLength(32);
  });

  it.each([
    ['PORT', '70000'],
    ['PORT', '-1'],
    ['PORT', '80 '],
    ['PUBLIC_URL', 'https://example.com/path'],
    ['PUBLIC_URL', 'https://user@example.com'],
    ['PUBLIC_URL', 'example.com'],
    ['DATABASE_URL', 'mysql://x'],
    ['OPERATOR_KEY', 'k'.repeat(31)],
    ['SECRETS_KEY', Buffer.alloc(31).toString('base64')],
    ['SECRETS_KEY', `${'!'.repeat(44)}`],
    ['BLUE_API_URL', 'file:///x'],
    ['LOG_LEVEL', 'LOUD'],
    ['TRUST_PROXY', 'my-proxy'],
    ['TRUST_PROXY', '10.0.0.0/33'],
    ['TRUST_PROXY', '10.0.0.1, x'],
    ['WORKERS', '65'],
    ['WORKERS', '1.5'],
    ['ALLOW_PRIVATE_NETWORKS', '1'],
    ['SCIM_RATE_LIMIT', '24'],
    ['DNS_RESOLVER', '53'],
    ['DNS_RESOLVER', 'example.com'],
    ['DNS_RESOLVER', ':53'],
    ['DNS_RESOLVER', '127.0.0.1:53/x'],
    ['DNS_RESOLVER', 'user@127.0.0.1:53'],
    ['DNS_RESOLVER', '127.0.0.1:70000'],
    ['TEST_CLOCK', '1'],
  ])('refuses %s=%s, and says what it must be', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name} must `))]);
  });

  it('refuses to let the clock be moved in production', () => {
    const NODE_ENV = 'production';
    expect(problemsOf({ TEST_CLOCK: 'true', NODE_ENV })).toEqual([
      'TEST_CLOCK must be false with NODE_ENV=production',
    ]);
    expect(problemsOf({ TEST_CLOCK: 'false', NODE_ENV })).toEqual([]);
    expect(problemsOf({ TEST_CLOCK: 'true', NODE_ENV: 'test' })).toEqual([]);
  });

  it('tells every problem at once', () => {
    expect(problemsOf({ PORT: 'x', LOG_LEVEL: 'x', OPERATOR_KEY: 'x' })).toHaveLength(3);
  });
});

describe('secrets', () => {
  it('are made once, for their owner alone, and read ever after', () => {
    const DATA_DIR = join(folder, 'a', 'b');
    const made = readConfig({ DATA_DIR });
    for (const name of ['operator-key', 'secrets-key']) {
      expect(statSync(join(DATA_DIR, name)).mode & 0o777).toBe(0o600);
    }
    expect(readFileSync(join(DATA_DIR, 'operator-key'), 'utf8')).toBe(`${made.operatorKey}\n`);
    expect(made.operatorKey.length).toBeGreaterThanOrEqual(32);
    expect(readConfig({ DATA_DIR })).toEqual(made);
    expect(readConfig({ DATA_DIR: join(folder, 'other') }).operatorKey).not.toBe(made.operatorKey);
  });

  it('that are set win over those in the folder', () => {
    const DATA_DIR = join(folder, 'set');
    readConfig({ DATA_DIR });
    expect(readConfig({ DATA_DIR, OPERATOR_KEY: external.OPERATOR_KEY }).operatorKey).toBe(
      external.OPERATOR_KEY,
    );
  });

  it('that were spoilt in the folder are refused', () => {
    const DATA_DIR = join(folder, 'spoilt');
    readConfig({ DATA_DIR });
    writeFileSync(join(DATA_DIR, 'secrets-key'), 'x');
    expect(() => readConfig({ DATA_DIR })).toThrow(/secrets-key must be 32 bytes/);
  });

  it('can’t be made where the folder is a file', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    chmodSync(file, 0o600);
    expect(() => readConfig({ DATA_DIR: join(file, 'x') })).toThrow(/DATA_DIR cannot be used/);
  });

  it('are not made by whoever only looks', () => {
    const DATA_DIR = join(folder, 'looked');
    const { config, isEmbedded, problems } = inspectConfig({ DATA_DIR });
    expect([config.operatorKey, isEmbedded, problems]).toEqual(['', true, []]);
    expect(existsSync(DATA_DIR)).toBe(false);
  });

  it('are demanded, not made, with a database that is wrongly named, too', () => {
    const DATA_DIR = join(folder, 'misnamed');
    expect(() => readConfig({ DATABASE_URL: 'mysql://x', DATA_DIR })).toThrow(
      /DATABASE_URL must be.*\nOPERATOR_KEY is required/,
    );
    expect(existsSync(DATA_DIR)).toBe(false);
  });

  it('are demanded, not made, with an external database', () => {
    const { DATABASE_URL } = external;
    expect(() => readConfig({ DATABASE_URL, DATA_DIR: join(folder, 'none') })).toThrow(
      /OPERATOR_KEY is required with DATABASE_URL.*\nSECRETS_KEY is required with DATABASE_URL/,
    );
  });
});
