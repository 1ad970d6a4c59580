/** Starts and stops what a gateway is made of, in order: HTTP, and the work in the background. No rules of any kind. */

import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { buildApp } from './app.ts';
import type { Config } from './config.ts';
import { type Database, type DatabaseOptions, openDatabase } from './db/database.ts';
import type { Services } from './http/services.ts';
import { systemClock } from './kernel/clock.ts';
import { ConfigurationError } from './kernel/configuration-error.ts';
import { secretBox } from './kernel/secret-box.ts';
import { startContractTask } from './provisioning/contract-task.ts';
import { ensureFirstOperator } from './tenants/tenant-flow.ts';
import { type FirstProcess, startWorkers } from './workers.ts';

export interface Gateway {
  /** Where it listens, without a trailing slash. */
  url: string;
  /** Finishes what is in flight, then closes. */
  stop(): Promise<void>;
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
  return await withDatabase(options, async (database) => {
    const background = await startBackground(options, database);
    const http = await startHttp(options, database, { nudge: background.nudge });
    return {
      url: http.url,
      stop: async () => {
        await http.stop();
        await background.stop();
      },
    };
  });
}

/** One of several HTTP processes; the first process does the rest. */
export async function startWorker(options: GatewayOptions, first: FirstProcess): Promise<Gateway> {
  return await withDatabase(options, (database) => startHttp(options, database, first));
}

/** The first of several processes. */
export async function startCluster(options: GatewayOptions): Promise<Gateway> {
  const { config, databaseUrl, log } = options;
  const environment = {
    DATABASE_URL: databaseUrl,
    OPERATOR_KEY: config.operatorKey,
    SECRETS_KEY: config.secretsKey.toString('base64'),
  };
  return await withDatabase(options, async (database) => {
    const background = await startBackground(options, database);
    const { nudge: onNudge } = background;
    const workers = await startWorkers({ count: config.workers, environment, onNudge, log });
    return {
      url: `http://${config.host}:${config.port}`,
      stop: async () => {
        await workers.stop();
        await background.stop();
      },
    };
  });
}

/** The pool is closed when the parts have stopped, or could not start. */
async function withDatabase(
  { databaseUrl, observe }: GatewayOptions,
  start: (database: Database) => Promise<Gateway>,
): Promise<Gateway> {
  const database = openDatabase({ url: databaseUrl, ...observe });
  try {
    const { url, stop } = await start(database);
    return {
      url,
      stop: async () => {
        await stop();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

interface Background {
  /** People were marked for Blue. */
  nudge(): void;
  stop(): Promise<void>;
}

async function startBackground({ config, log }: GatewayOptions, database: Database): Promise<Background> {
  await ensureFirstOperator(database, config.operatorKey, systemClock.now());
  const contracts = startContractTask(database, systemClock, log);
  return { nudge: () => {}, stop: () => contracts.stop() };
}

async function startHttp(
  { config, log }: GatewayOptions,
  database: Database,
  { nudge, metrics }: Pick<FirstProcess, 'nudge'> & Partial<FirstProcess>,
): Promise<Gateway> {
  const services: Services = {
    database,
    clock: systemClock,
    secrets: secretBox(config.secretsKey),
    publicUrl: config.publicUrl,
    blueApiUrl: config.blueApiUrl,
    allowPrivateNetworks: config.allowPrivateNetworks,
    nudgeSync: nudge,
  };
  const { trustProxy, scimRateLimit } = config;
  const app = await buildApp({ services, log, trustProxy, scimRateLimit, metricsOfAll: metrics });
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    throw new ConfigurationError([
      `HOST, PORT: can't listen at ${config.host}:${config.port} (${(error as Error).message})`,
    ]);
  }
  const { port } = app.server.address() as AddressInfo;
  return { url: `http://${config.host}:${port}`, stop: () => app.close() };
}
