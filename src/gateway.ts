/** Starts and stops what a gateway is made of, in order: HTTP, and the work in the background. No rules of any kind. */

import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { startAlertTask } from './alerts/alert-task.ts';
import { startComparisonTask } from './alerts/comparison-task.ts';
import { buildApp } from './app.ts';
import { startSealTask } from './audit/seal-task.ts';
import { startSyncTask } from './blue/sync-task.ts';
import { followTestClock } from './clock/test-clock-task.ts';
import type { Config } from './config.ts';
import { type DatabaseOptions, openDatabase } from './db/database.ts';
import { textRecordsOf } from './domains/dns-client.ts';
import { startDomainTask } from './domains/domain-task.ts';
import type { Services } from './http/services.ts';
import { startImportTask } from './imports/import-task.ts';
import { systemClock } from './kernel/clock.ts';
import { ConfigurationError } from './kernel/configuration-error.ts';
import { secretBox } from './kernel/secret-box.ts';
import { signerFor } from './kernel/signer.ts';
import { outboundAgent } from './outbound/outbound-client.ts';
import { startContractTask } from './provisioning/contract-task.ts';
import { startParkingTask } from './provisioning/parking-task.ts';
import { startReclaimTask } from './provisioning/reclaim-task.ts';
import { CreationLedger } from './scim/creation-hook.ts';
import { startPushTask } from './signals/push-task.ts';
import { startMetadataTask } from './sso/metadata-task.ts';
import { OidcProviders } from './sso/oidc-client.ts';
import { startLogoutTask } from './sso/op/logout-task.ts';
import { startLeftoversTask } from './tenants/leftovers-task.ts';
import { ensureFirstOperator } from './tenants/tenant-flow.ts';
import { type FirstProcess, startWorkers } from './workers.ts';

/** How soon a connection that has become idle is closed while draining. */
const idleCheckMs = 50;

export interface Gateway {
  /** Where it listens, without a trailing slash. */
  url: string;
  /** Finishes what is in flight, then closes. */
  stop(): Promise<void>;
  /** What a stop that is under way waits for, in words. */
  waitsFor(): Promise<string[]>;
}

export interface GatewayOptions {
  config: Config;
  /** Of a migrated database. */
  databaseUrl: string;
  log: Logger;
  /** For tests that count statements and waits. */
  observe?: Pick<DatabaseOptions, 'onStatement' | 'onWait'>;
}

/** Everything in this process. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  return await withServices(options, async (services) => {
    const background = await startBackground(options, services);
    const http = await startHttp(options, services, { nudge: background.nudge }).catch(stopping(background));
    return {
      url: http.url,
      stop: () => inOrder(http.stop, background.stop),
      waitsFor: async () => [...(await http.waitsFor()), ...background.waitsFor()],
    };
  });
}

/** One of several HTTP processes; the first process does the rest. */
export async function startWorker(options: GatewayOptions, first: FirstProcess): Promise<Gateway> {
  return await withServices(options, (services) => startHttp(options, services, first));
}

/** The first of several processes. */
export async function startCluster(options: GatewayOptions): Promise<Gateway> {
  const { config, databaseUrl, log } = options;
  const environment = {
    DATABASE_URL: databaseUrl,
    OPERATOR_KEY: config.operatorKey,
    SECRETS_KEY: config.secretsKey.toString('base64'),
  };
  return await withServices(options, async (services) => {
    const background = await startBackground(options, services);
    const { nudge: onNudge } = background;
    const workers = await startWorkers({ count: config.workers, environment, onNudge, log }).catch(
      stopping(background),
    );
    return {
      url: `http://${config.host}:${config.port}`,
      stop: () => inOrder(workers.stop, background.stop),
      waitsFor: async () => [...workers.waitsFor(), ...background.waitsFor()],
    };
  });
}

/** What runs already ends when what comes next can't start. */
function stopping({ stop }: Background): (error: unknown) => Promise<never> {
  return async (error) => {
    await stop();
    throw error;
  };
}

async function inOrder(...steps: (() => Promise<void>)[]): Promise<void> {
  for (const step of steps) await step();
}

const backgroundPoolSize = 8;

/** All but what depends on the kind of process. */
type SharedServices = Omit<Services, 'nudgeSync' | 'creations' | 'oidcProviders'>;

/** What all parts share is closed when they have stopped, or could not start. */
async function withServices(
  options: GatewayOptions,
  start: (services: SharedServices) => Promise<Gateway>,
): Promise<Gateway> {
  const { config, databaseUrl, observe } = options;
  const { publicUrl, blueApiUrl, blueAppUrl, allowPrivateNetworks } = config;
  const { close: closeClock, ...clocks } = await openClocks(options);
  const database = openDatabase({ url: databaseUrl, ...observe });
  const background = openDatabase({ url: databaseUrl, poolSize: backgroundPoolSize });
  const blueAgent = outboundAgent({ allowPrivateNetworks });
  const close = () =>
    inOrder(
      () => blueAgent.close(),
      () => background.close(),
      () => database.close(),
      closeClock,
    );
  try {
    const gateway = await start({
      database,
      background,
      ...clocks,
      secrets: secretBox(config.secretsKey),
      auditSigner: signerFor('audit', config.secretsKey),
      publicUrl,
      blueApiUrl,
      blueAppUrl,
      blueAgent,
      textRecords: textRecordsOf(config.dnsResolver),
      allowPrivateNetworks,
    });
    return { ...gateway, stop: () => inOrder(gateway.stop, close) };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Clocks extends Pick<SharedServices, 'clock' | 'testClock' | 'realClock'> {
  close(): Promise<void>;
}

async function openClocks({ config, databaseUrl, log }: GatewayOptions): Promise<Clocks> {
  const realClock = systemClock;
  if (!config.testClock) return { clock: realClock, testClock: undefined, realClock, close: async () => {} };
  // A connection of its own: behind others in a queue it would follow too late.
  const database = openDatabase({ url: databaseUrl, poolSize: 1 });
  try {
    const { clock, stop } = await followTestClock(database, log);
    return { clock, testClock: clock, realClock, close: () => inOrder(stop, () => database.close()) };
  } catch (error) {
    await database.close();
    throw error;
  }
}

interface Background {
  /** People were marked for Blue. */
  nudge(): void;
  stop(): Promise<void>;
  waitsFor(): string[];
}

async function startBackground(
  { config, log }: GatewayOptions,
  services: SharedServices,
): Promise<Background> {
  const { background: database, clock } = services;
  await ensureFirstOperator(database, config.operatorKey, clock.now());
  const contracts = startContractTask(database, clock, log);
  const leftovers = startLeftoversTask(database, services, log);
  const imports = startImportTask(database, { clock, nudge: () => sync.nudge() }, log);
  const parking = startParkingTask(database, clock, log);
  const reclaims = startReclaimTask(database, services, log);
  const alerts = startAlertTask(database, clock, log);
  const comparisons = startComparisonTask(database, clock, log);
  const domains = startDomainTask(database, services, log);
  const outbound = { dispatcher: services.blueAgent, allowPrivateNetworks: services.allowPrivateNetworks };
  const times = () => ({ now: clock.now(), realNow: services.realClock.now() });
  const metadata = startMetadataTask({ database, outbound, times }, log);
  const logouts = startLogoutTask({ ...services, database }, log);
  const seals = startSealTask({ ...services, database }, log);
  const signals = startPushTask({ ...services, database, log });
  const sync = startSyncTask({ ...services, database, log });
  const tasks = {
    ...{ contracts, alerts, comparisons, domains, imports, leftovers, logouts },
    ...{ metadata, parking, reclaims, seals, signals, sync },
  };
  const ending = new Set<string>();
  return {
    nudge: () => sync.nudge(),
    stop: async () => {
      const ends = Object.entries(tasks).map(async ([name, task]) => {
        ending.add(name);
        await task.stop();
        ending.delete(name);
      });
      await Promise.all(ends);
    },
    waitsFor: () => (ending.size === 0 ? [] : [`work in the background (${[...ending].join(', ')})`]),
  };
}

async function startHttp(
  { config, log }: GatewayOptions,
  shared: SharedServices,
  { nudge, metrics }: Pick<FirstProcess, 'nudge'> & Partial<FirstProcess>,
): Promise<Gateway> {
  const creations = new CreationLedger(shared.background, log);
  const { blueAgent: dispatcher, allowPrivateNetworks } = shared;
  const nowMs = () => performance.now();
  const oidcProviders = new OidcProviders({ dispatcher, allowPrivateNetworks, nowMs, log });
  const services: Services = { ...shared, nudgeSync: nudge, creations, oidcProviders };
  const { trustProxy, scimRateLimit } = config;
  const app = await buildApp({ services, log, trustProxy, scimRateLimit, metricsOfAll: metrics });
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    throw new ConfigurationError([listenProblem(config, error as Error)]);
  }
  const { port } = app.server.address() as AddressInfo;
  return {
    url: `http://${config.host}:${port}`,
    stop: async () => {
      // A connection whose last answer was under way stays open for the next request: nobody waits for that one.
      const idle = setInterval(() => app.server.closeIdleConnections(), idleCheckMs);
      // Ends with the recorder, which writes what it still has.
      await app.close();
      clearInterval(idle);
      await creations.stop();
    },
    waitsFor: async () => {
      const open = await promisify(app.server.getConnections).call(app.server);
      return open === 0 ? [] : [`requests under way (${open})`];
    },
  };
}

/** @param error Of `listen`. */
export function listenProblem({ host, port }: Pick<Config, 'host' | 'port'>, error: Error): string {
  const advice: Record<string, string> = {
    EADDRINUSE: 'stop what listens there (a gateway, or the demo?), or set another PORT',
    EADDRNOTAVAIL: 'set HOST to an address of this machine, or 0.0.0.0',
    EACCES: 'set a PORT from 1024 on, or let the account listen there',
  };
  const { message, code = '' } = error as NodeJS.ErrnoException;
  return `HOST, PORT: can't listen at ${host}:${port} (${message}): ${advice[code] ?? 'set another HOST or PORT'}`;
}
