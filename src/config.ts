/** Reads the environment: the only file that does. Every problem is reported at once (exit 78). */

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { ConfigurationError } from './kernel/configuration-error.ts';

export interface Config {
  host: string;
  port: number;
  /** Origin that identity providers and browsers see, without a trailing slash. */
  publicUrl: string;
  /** undefined: the embedded database. */
  databaseUrl: string | undefined;
  dataDir: string;
  operatorKey: string;
  /** 32 bytes. */
  secretsKey: Buffer;
  blueApiUrl: string;
  /** Origin of Blue's application, where people go on once they are signed in. */
  blueAppUrl: string;
  /** Addresses of proxies whose X-Forwarded-* count; false: none. */
  trustProxy: boolean | string;
  logLevel: string;
  /** HTTP processes. */
  workers: number;
  allowPrivateNetworks: boolean;
  /** Sustained SCIM requests a second, for each token and process; 0: no limit. */
  scimRateLimit: number;
  /** Asked for the records of domains; undefined: the system's. */
  dnsResolver: { host: string; port: number } | undefined;
  /** Whether operators may move the clock. */
  testClock: boolean;
}

type Environment = Record<string, string | undefined>;
const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];
const operatorKeyLengthMin = 32;
const secretsKeyBytes = 32;
const scimRateMin = 25;

/** Makes the secrets that are missing. @throws ConfigurationError with every problem found. */
export function readConfig(environment: Environment = process.env): Config {
  const { config, problems } = inspect(environment, true);
  if (problems.length > 0) throw new ConfigurationError(problems);
  return config;
}

export interface Inspection {
  /** What is wrong is undefined. */
  config: Partial<Config>;
  isEmbedded: boolean;
  problems: string[];
}

/** For whoever only looks: nothing is made. */
export function inspectConfig(environment: Environment = process.env): Inspection {
  return inspect(environment, false);
}

function inspect(environment: Environment, isToMake: boolean): Inspection & { config: Config } {
  const problems: string[] = [];
  const read = reader(environment, problems);
  const port = read('PORT', '8080', integer(0, 65_535));
  const databaseUrl = read('DATABASE_URL', undefined, postgresUrl);
  const isEmbedded = !environment.DATABASE_URL;
  const dataDir = environment.DATA_DIR || '.data';
  const secret = (name: string, file: string, check: Secret['check'], make: () => string) =>
    readSecret(
      {
        ...{ name, path: join(dataDir, file), given: environment[name], external: !isEmbedded, check },
        make: isToMake ? make : undefined,
      },
      problems,
    );
  const config: Config = {
    host: environment.HOST || '127.0.0.1',
    port,
    // A wrong PORT is told once.
    publicUrl: read('PUBLIC_URL', `http://127.0.0.1:${port ?? 0}`, origin),
    databaseUrl,
    dataDir,
    operatorKey: secret('OPERATOR_KEY', 'operator-key', checkOperatorKey, () =>
      randomBytes(32).toString('base64url'),
    ),
    secretsKey: Buffer.from(
      secret('SECRETS_KEY', 'secrets-key', checkSecretsKey, () =>
        randomBytes(secretsKeyBytes).toString('base64'),
      ),
      'base64',
    ),
    blueApiUrl: read('BLUE_API_URL', 'https://api.blue.app/graphql', httpUrl),
    blueAppUrl: read('BLUE_APP_URL', 'https://blue.app', origin),
    trustProxy: read('TRUST_PROXY', 'off', proxies),
    logLevel: read('LOG_LEVEL', 'info', oneOf(logLevels)),
    workers: read('WORKERS', '1', integer(1, 64)),
    allowPrivateNetworks: read('ALLOW_PRIVATE_NETWORKS', 'false', boolean),
    scimRateLimit: read('SCIM_RATE_LIMIT', '200', rate),
    dnsResolver: read('DNS_RESOLVER', undefined, hostAndPort),
    testClock: read('TEST_CLOCK', 'false', outsideProduction(environment)),
  };
  return { config, isEmbedded, problems };
}

/** A parser answers the value, or says in an Error what it must be. */
type Parser<T> = (text: string) => T;

function reader(environment: Environment, problems: string[]) {
  return <T, Default extends string | undefined>(
    name: string,
    fallback: Default,
    parse: Parser<T>,
  ): Default extends string ? T : T | undefined => {
    const text = environment[name] || fallback;
    if (text === undefined) return undefined as never;
    try {
      return parse(text) as never;
    } catch (error) {
      problems.push(`${name} ${(error as Error).message}`);
      return undefined as never;
    }
  };
}

function integer(least: number, most: number): Parser<number> {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new Error(`must be a whole number from ${least} to ${most}, not "${text}"`);
    }
    return value;
  };
}

function rate(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || (value !== 0 && value < scimRateMin)) {
    throw new Error(
      `must be 0 (no limit) or a whole number of at least ${scimRateMin} requests a second, not "${text}"`,
    );
  }
  return value;
}

function oneOf(words: readonly string[]): Parser<string> {
  return (text) => {
    if (!words.includes(text)) throw new Error(`must be one of ${words.join(', ')}, not "${text}"`);
    return text;
  };
}

function boolean(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new Error(`must be true or false, not "${text}"`);
  return text === 'true';
}

/** Who could move the clock of a gateway in use could end contracts and keys. */
function outsideProduction({ NODE_ENV }: Environment): Parser<boolean> {
  return (text) => {
    const isOn = boolean(text);
    if (isOn && NODE_ENV === 'production') throw new Error('must be false with NODE_ENV=production');
    return isOn;
  };
}

function proxies(text: string): boolean | string {
  if (text === 'off' || text === 'false') return false;
  if (text === 'true') return true;
  const parts = text.split(',').map((part) => part.trim());
  const wrong = parts.find((part) => !isProxy(part));
  if (wrong !== undefined) {
    throw new Error(`must be off, true, or addresses and networks between commas, not "${wrong}"`);
  }
  return parts.join(',');
}

function isProxy(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', length = '0', ...more] = text.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return more.length === 0 && /^\d{1,3}$/.test(length) && Number(length) <= bits;
}

function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new Error(`must be an http(s) URL, not "${text}"`);
  return text;
}

function hostAndPort(text: string): { host: string; port: number } {
  const url = URL.canParse(`dns://${text}`) ? new URL(`dns://${text}`) : undefined;
  if (url === undefined || url.host !== text || url.port === '') {
    throw new Error(`must be host:port such as 192.0.2.53:53, not "${text}"`);
  }
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) };
}

function origin(text: string): string {
  const url = new URL(httpUrl(text));
  if (url.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw new Error(`must be an origin such as https://gateway.example.com, not "${text}"`);
  }
  return url.origin;
}

function postgresUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // The text may hold a password: it is not repeated.
  if (url?.protocol !== 'postgres:' && url?.protocol !== 'postgresql:')
    throw new Error('must be a postgres:// URL');
  return text;
}

function checkOperatorKey(text: string): string | undefined {
  return text.length < operatorKeyLengthMin
    ? `must have at least ${operatorKeyLengthMin} characters`
    : undefined;
}

function checkSecretsKey(text: string): string | undefined {
  const isKey = /^[A-Za-z0-9+/]+={0,2}$/.test(text) && Buffer.from(text, 'base64').length === secretsKeyBytes;
  return isKey
    ? undefined
    : `must be ${secretsKeyBytes} bytes in base64 (openssl rand -base64 ${secretsKeyBytes})`;
}

interface Secret {
  name: string;
  path: string;
  given: string | undefined;
  /** With a database of the operator's own nothing is generated: another process could not know it. */
  external: boolean;
  check: (text: string) => string | undefined;
  /** undefined: what is missing stays so. */
  make: (() => string) | undefined;
}

function readSecret({ name, path, given, external, check, make }: Secret, problems: string[]): string {
  const fail = (problem: string) => {
    problems.push(problem);
    return '';
  };
  if (given) {
    const problem = check(given);
    return problem === undefined ? given : fail(`${name} ${problem}`);
  }
  if (external) return fail(`${name} is required with DATABASE_URL: it ${check('')}`);
  try {
    if (!existsSync(path)) {
      if (make === undefined) return '';
      mkdirSync(join(path, '..'), { recursive: true, mode: 0o711 });
      writeFileSync(path, `${make()}\n`, { mode: 0o600, flag: 'wx' });
    }
    const kept = readFileSync(path, 'utf8').trim();
    const problem = check(kept);
    return problem === undefined ? kept : fail(`${path} ${problem}`);
  } catch (error) {
    return fail(`DATA_DIR cannot be used: ${(error as Error).message}`);
  }
}

/** What the command line needs to know. */
export interface CliConfig {
  /** The gateway's, without a trailing slash. */
  url: string;
  key: string;
  /** The name of the variable or the file that holds it. */
  keySource: string;
}

/** @throws ConfigurationError when no key is at hand. */
export function readCliConfig(environment: Environment = process.env): CliConfig {
  const problems: string[] = [];
  const url = reader(environment, problems)('GATEWAY_URL', 'http://127.0.0.1:8080', origin);
  const file = join(environment.DATA_DIR || '.data', 'operator-key');
  let key = environment.OPERATOR_KEY ?? '';
  if (key === '') {
    try {
      key = readFileSync(file, 'utf8').trim();
      if (key === '') problems.push(`OPERATOR_KEY is not set, and ${file} is empty: set it`);
    } catch (error) {
      problems.push(
        `OPERATOR_KEY is not set, and ${file} can't be read (${(error as Error).message}): set it, or set DATA_DIR to the ` +
          'folder of a gateway that was started (.data here, .data/demo of the demo)',
      );
    }
  }
  // Said here, without the key: what sends it would name it whole.
  if (key !== '' && !/^[\x21-\x7e]+$/.test(key)) {
    problems.push('OPERATOR_KEY holds a space, a line break or another character that no key has');
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return { url, key, keySource: environment.OPERATOR_KEY ? 'OPERATOR_KEY' : file };
}
