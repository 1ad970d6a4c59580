/**
 * The main job, to look at: a gateway with its embedded database, a local stand-in for Blue, a tenant with a contract and
 * mappings; a recorded Okta and a recorded Entra conversation are played against it, and a table says what each person
 * got and why. Stays up afterwards, so that these people can sign in; `--once` exits 0 after the replay.
 */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { pino } from 'pino';
import { type Config, readConfig } from '../src/config.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../src/db/embedded-postgres.ts';
import { migrate } from '../src/db/migrate.ts';
import { onEnd } from '../src/ending.ts';
import { startGateway } from '../src/gateway.ts';
import { ConfigurationError } from '../src/kernel/configuration-error.ts';
import { type Api, apiOf } from './api.ts';
import { demoSeed } from './blue-double/seed.ts';
import { type BlueDouble, startBlueDouble } from './blue-double/server.ts';
import { type Conversation, playConversation, readConversation } from './conversation.ts';
import { readOutcome, renderTable, surprises } from './outcome.ts';
import { showProgress } from './progress.ts';
import { type SignOn, startSignOn } from './sign-on.ts';
import type { Story } from './story.ts';
import { type DemoTenant, setUpTenant } from './tenant.ts';

const usage = `npm run demo [-- --once]

Starts a gateway with a database of its own below DATA_DIR (.data/demo) and a local stand-in for Blue, sets up the tenant "demo",
plays a recorded Okta and a recorded Entra conversation, and prints what each person got and why. Then it stays up, and lets these people sign in.

  --once  ends after the table: 0 if all was as the recordings tell, else 1
  --help  prints this

HOST and PORT (127.0.0.1, 8080) say where to listen.`;
const known = ['--once', '--help'];

const settledMsMax = 20_000;
const out = process.stdout;
const once = process.argv.includes('--once');
const say = (text: string): void => {
  out.write(`${text}\n`);
};

/** What was started, to be stopped in the opposite order. */
const running: { stop(): Promise<void> }[] = [];
let postgres: EmbeddedPostgres | undefined;

async function main(): Promise<void> {
  const unknown = process.argv.slice(2).filter((flag) => !known.includes(flag));
  if (process.argv.includes('--help')) return say(usage);
  if (unknown.length > 0) {
    process.stderr.write(`unknown: ${unknown.join(' ')}\n\n${usage}\n`);
    process.exitCode = 2;
    return;
  }
  const [okta, entra] = await Promise.all(['okta', 'entra'].map(readRecording));
  if (okta === undefined || entra === undefined) return;
  const blue = await startBlueDouble({ seed: demoSeed });
  running.push({ stop: () => blue.close() });
  const config = demoConfig(blue);
  const url = await startOn(config);
  const api = apiOf(url, config.operatorKey);

  say(`Blue Gateway at ${url}, a stand-in for Blue at ${blue.url}\n`);
  const tenant = await setUpTenant(api, blue.url, okta.story.tenant);
  const signOns = await Promise.all([okta, entra].map((recording) => startSignOn(api, tenant, recording)));
  running.push(...signOns);
  await tellSeats(api, tenant);
  const problems: string[] = [];
  for (const recording of [okta, entra])
    problems.push(...(await play(recording, { url, api, tenant, blue })));

  const people = await readOutcome({ api, scimUrl: `${url}/scim/v2`, tenant, blue: blue.state });
  say(`\n${renderTable(people, tenant, out.columns ?? 160)}\n`);
  await tellSeats(api, tenant);
  problems.push(...surprises(people, [...okta.story.ends, ...entra.story.ends], tenant));
  for (const problem of problems) say(`not as told: ${problem}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
  if (!once) await stayUp(config, url, signOns);
}

type Recording = Conversation & { story: Story };

async function readRecording(name: string): Promise<Recording> {
  const conversation = await readConversation(new URL(`./recordings/${name}.json`, import.meta.url));
  if (conversation.story === undefined) throw new Error(`the recording ${name} has no story`);
  return { ...conversation, story: conversation.story };
}

/** Its own folder below DATA_DIR and its own embedded database, whatever else is set. */
function demoConfig(blue: BlueDouble): Config {
  const { DATABASE_URL: _url, OPERATOR_KEY: _key, SECRETS_KEY: _secrets, ...environment } = process.env;
  return readConfig({
    LOG_LEVEL: 'warn',
    ...environment,
    DATA_DIR: join(environment.DATA_DIR || '.data', 'demo'),
    ALLOW_PRIVATE_NETWORKS: 'true',
    BLUE_APP_URL: new URL(blue.url).origin,
  });
}

async function startOn(config: Config): Promise<string> {
  postgres = await startEmbeddedPostgres({ dataDir: config.dataDir, durable: true });
  running.push(postgres);
  for (const note of postgres.notes) say(note);
  await forget(postgres.url);
  await migrate(postgres.url);
  const log = pino({ level: config.logLevel });
  const gateway = await startGateway({ config, databaseUrl: postgres.url, log });
  running.push(gateway);
  return gateway.url;
}

/** Every demo begins with nothing; the folder is the demo's alone. */
async function forget(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('drop schema public cascade; create schema public');
  await client.end();
}

interface Stage {
  url: string;
  api: Api;
  tenant: DemoTenant;
  blue: BlueDouble;
}

/** Plays one recording; then people accept their invitations. Answers what was not as expected. */
async function play({ title, story, ...rest }: Recording, stage: Stage): Promise<string[]> {
  const { url, tenant } = stage;
  const { directory } = story.tenant;
  say(`\n${title}`);
  for (const line of story.about) say(`  ${line}`);
  say('');
  const progress = showProgress(directory, out, !once);
  const results = await playConversation(
    { title, story, ...rest },
    { baseUrl: `${url}/scim/v2`, token: tenant.directories[directory].token, onStep: progress.step },
  );
  progress.end();
  await settle(stage);
  return results.flatMap(({ number, mismatches }) =>
    mismatches.map((mismatch) => `${directory} step ${number}: ${mismatch}`),
  );
}

/** Waits until everything decided is in Blue; whoever was invited accepts meanwhile. */
async function settle({ api, tenant, blue }: Stage): Promise<void> {
  const path = `/tenants/${tenant.slug}/blue`;
  for (const started = performance.now(); performance.now() - started < settledMsMax; await sleep(50)) {
    const invited = new Set(blue.state.invitations().map(({ email }) => email));
    for (const address of invited) blue.state.accept(address);
    if (invited.size > 0) await api.post(`${path}/sync`, { drift: true });
    const { pending } = await api.get<{ pending: number }>(`${path}/status`);
    if (pending === 0 && blue.state.invitations().length === 0) return;
  }
  throw new Error('Blue did not become what was decided in time');
}

async function tellSeats(api: Api, { slug }: DemoTenant): Promise<void> {
  const seats = await api.get<Record<string, number>>(`/tenants/${slug}/seats`);
  const { capacity, held, queued, unmanagedPaid, available } = seats;
  say(
    `Seats: ${capacity} in the contract, ${unmanagedPaid} used by people whom Blue has by itself, ` +
      `${held} held, ${available} free, ${queued} waiting`,
  );
}

async function stayUp(config: Config, url: string, signOns: readonly SignOn[]): Promise<void> {
  const people = signOns.map(
    ({ name, people }) => `${name}: ${people.map(({ displayName }) => displayName).join(', ')}`,
  );
  say(`\nIt stays up: stop it with Ctrl-C.
  sign in       ${url}/sso/login?tenant=demo, without a password, as one of
                ${people.join('\n                ')}
  API pages     ${url}/docs
  operator key  ${join(config.dataDir, 'operator-key')}
  try           GATEWAY_URL=${url} DATA_DIR=${config.dataDir} npm run -s gateway -- users list --tenant demo`);
  await new Promise(() => {});
}

let isStopping = false;
async function stop(exitCode: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  for (const part of running.toReversed()) await part.stop();
  process.exit(exitCode);
}

/** The database recovers at the next start. */
async function endAtOnce(): Promise<void> {
  await postgres?.stop('atOnce');
  process.exit(130);
}

function onSignal(): void {
  if (!isStopping) say('\nstopping…');
  void stop(0);
}

onEnd(onSignal, () => void endAtOnce());
try {
  await main();
  await stop(Number(process.exitCode ?? 0));
} catch (error) {
  const isConfiguration = error instanceof ConfigurationError;
  process.stderr.write(`${isConfiguration ? error.message : error instanceof Error ? error.stack : error}\n`);
  await stop(isConfiguration ? 78 : 1);
}
