/** Starts and stops everything one gateway process is made of, in order. No rules of any kind. */

import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { buildApp } from './app.ts';
import type { Config } from './config.ts';
import { type DatabaseOptions, openDatabase } from './db/database.ts';
import type { Services } from './http/services.ts';
import { systemClock } from './kernel/clock.ts';
import { secretBox } from './kernel/secret-box.ts';
import { startContractTask } from './provisioning/contract-task.ts';
import { ensureFirstOperator } from './tenants/tenant-flow.ts';

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

export async function startGateway({ config, databaseUrl, log, observe }: GatewayOptions): Promise<Gateway> {
  const database = openDatabase({ url: databaseUrl, ...observe });
  try {
    await ensureFirstOperator(database, config.operatorKey, systemClock.now());
    const services: Services = {
      database,
      clock: systemClock,
      secrets: secretBox(config.secretsKey),
      publicUrl: config.publicUrl,
      blueApiUrl: config.blueApiUrl,
      allowPrivateNetworks: config.allowPrivateNetworks,
      nudgeSync: () => {},
    };
    const { trustProxy, scimRateLimit } = config;
    const app = await buildApp({ services, log, trustProxy, scimRateLimit });
    await app.listen({ host: config.host, port: config.port });
    const contracts = startContractTask(database, systemClock, log);
    const { port } = app.server.address() as AddressInfo;
    return {
      url: `http://${config.host}:${port}`,
      stop: async () => {
        await Promise.all([app.close(), contracts.stop()]);
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}
