/** The process: configuration, database, gateway, signals, exit codes. `--check` validates and exits. */

import cluster from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { type Config, readConfig } from './config.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './db/embedded-postgres.ts';
import { checkDatabase, migrate } from './db/migrate.ts';
import { type Gateway, type GatewayOptions, startCluster, startGateway, startWorker } from './gateway.ts';
import { ConfigurationError } from './kernel/configuration-error.ts';
import { firstProcess } from './workers.ts';

/** sysexits EX_CONFIG. */
const exitConfiguration = 78;
/** A supervisor is promised that the process is gone within ten seconds: what is in flight gets these, */
const drainMsMax = 5500;
/** one of several HTTP processes a little less, so that the first process sees it end, */
const workerDrainMsMax = 4500;
/** and the database the rest. */
const stopMsMax = 9500;

interface Running {
  postgres: EmbeddedPostgres | undefined;
  gateway: Gateway | undefined;
  /** Aborted when the process is to end. */
  stopping: AbortController;
}

async function main(args: readonly string[]): Promise<void> {
  const config = readConfig();
  if (args.includes('--check')) {
    if (config.databaseUrl !== undefined) await checkDatabase(config.databaseUrl);
    process.stdout.write('The configuration is good.\n');
    return;
  }
  const running: Running = { postgres: undefined, gateway: undefined, stopping: new AbortController() };
  const starting = start(config, running);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(running, starting));
  try {
    await starting;
  } catch (error) {
    if (running.stopping.signal.aborted) return;
    await running.postgres?.stop();
    throw error;
  }
}

async function start(config: Config, running: Running): Promise<void> {
  const log = pino({ level: config.logLevel });
  const first = firstProcess();
  if (first !== undefined && config.databaseUrl !== undefined) {
    running.gateway = await startWorker({ config, databaseUrl: config.databaseUrl, log }, first);
    return;
  }
  const { signal } = running.stopping;
  if (config.databaseUrl === undefined) {
    running.postgres = await startEmbeddedPostgres({ dataDir: config.dataDir, durable: true, signal });
    for (const note of running.postgres.notes) log.info(note);
  }
  const databaseUrl = config.databaseUrl ?? running.postgres?.url ?? '';
  await migrate(databaseUrl);
  const options: GatewayOptions = { config, databaseUrl, log };
  running.gateway = config.workers > 1 ? await startCluster(options) : await startGateway(options);
  log.info(`Blue Gateway is ready at ${config.publicUrl}`);
}

/** Once: a second signal while draining changes nothing. What has not finished starting is waited for, then stopped. */
async function stop(running: Running, starting: Promise<void>): Promise<void> {
  if (running.stopping.signal.aborted) return;
  running.stopping.abort();
  setTimeout(() => process.exit(0), stopMsMax);
  const drained = starting.catch(() => {}).then(() => running.gateway?.stop());
  await Promise.race([drained, sleep(cluster.isWorker ? workerDrainMsMax : drainMsMax)]).catch(() => {});
  await running.postgres?.stop();
  process.exit(0);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof ConfigurationError) {
    process.stderr.write(`${error.problems.map((problem) => `- ${problem}`).join('\n')}\n`);
    process.exit(exitConfiguration);
  }
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
