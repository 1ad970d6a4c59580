/** The process: configuration, database, gateway, signals, exit codes. */

import cluster from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { check } from './check.ts';
import { type Config, readConfig } from './config.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './db/embedded-postgres.ts';
import { migrate, newestMigration } from './db/migrate.ts';
import { onEnd } from './ending.ts';
import { type Gateway, type GatewayOptions, startCluster, startGateway, startWorker } from './gateway.ts';
import { ConfigurationError } from './kernel/configuration-error.ts';
import { firstProcess } from './workers.ts';

const usage = `npm start [-- --check | --help]

Starts the gateway and stays until Ctrl-C or SIGTERM. The environment says how (README.md, "Running it").

  --check  says whether it would start here and now, and changes nothing: 0 if so, else 78
  --help   prints this`;
const known = ['--check', '--help'];

const exitUsage = 2;
/** sysexits EX_CONFIG. */
const exitConfiguration = 78;
/** As a shell has it for a process that SIGINT ended. */
const exitInterrupted = 130;
/** A supervisor is promised that the process is gone within ten seconds: what is in flight gets these, */
const drainMsMax = 5500;
/** one of several HTTP processes a little less, so that the first process sees it end, */
const workerDrainMsMax = 4500;
/** and the database the rest. */
const stopMsMax = 9500;
/** How often it is told what is waited for. */
const tellEveryMs = 2500;

interface Running {
  postgres: EmbeddedPostgres | undefined;
  gateway: Gateway | undefined;
  /** Aborted when the process is to end. */
  stopping: AbortController;
}

async function main(args: readonly string[]): Promise<void> {
  const unknown = args.filter((flag) => !known.includes(flag));
  if (args.includes('--help')) {
    process.stdout.write(`${usage}\n`);
  } else if (unknown.length > 0) {
    process.stderr.write(`unknown: ${unknown.join(' ')}\n\n${usage}\n`);
    process.exitCode = exitUsage;
  } else if (args.includes('--check')) {
    const { told, problems } = await check();
    process.stdout.write(`${told.join('\n')}\n`);
    if (problems.length > 0) throw new ConfigurationError(problems);
  } else {
    await run();
  }
}

async function run(): Promise<void> {
  const config = readConfig();
  const log = pino({ level: config.logLevel });
  const running: Running = { postgres: undefined, gateway: undefined, stopping: new AbortController() };
  const starting = start(config, log, running);
  onEnd(
    () => void stop(running, starting, log),
    () => void endAtOnce(running, starting, config),
  );
  try {
    await starting;
  } catch (error) {
    if (running.stopping.signal.aborted) return;
    await running.postgres?.stop();
    throw error;
  }
}

async function start(config: Config, log: Logger, running: Running): Promise<void> {
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
  running.postgres?.noteSchema(newestMigration);
  const options: GatewayOptions = { config, databaseUrl, log };
  running.gateway = config.workers > 1 ? await startCluster(options) : await startGateway(options);
  log.info(`Blue Gateway is ready at ${config.publicUrl}`);
}

/** Once: a second signal while draining changes nothing. What has not finished starting is waited for, then stopped. */
async function stop(running: Running, starting: Promise<void>, log: Logger): Promise<void> {
  if (running.stopping.signal.aborted) return;
  running.stopping.abort();
  setTimeout(() => process.exit(0), stopMsMax);
  if (cluster.isPrimary) log.info('stopping…');
  let waitsFor = async () => (await running.gateway?.waitsFor()) ?? ['the start that is under way'];
  const tell = async () => {
    const things = await waitsFor();
    if (things.length > 0)
      log.info(`stopping: waits for ${things.join(', ')}; a second Ctrl-C ends it at once`);
  };
  setInterval(() => void tell(), tellEveryMs);
  const drained = starting.catch(() => {}).then(() => running.gateway?.stop());
  const isDrained = drained.then(
    () => true,
    () => true,
  );
  const patience = sleep(cluster.isWorker ? workerDrainMsMax : drainMsMax, false);
  if (!(await Promise.race([isDrained, patience])))
    log.warn(`stopping: does not wait any longer for ${(await waitsFor()).join(', ')}`);
  waitsFor = async () => ['the database'];
  await running.postgres?.stop();
  process.exit(0);
}

/** What is in flight is cut off; the database is left as after a crash, from which it recovers. */
async function endAtOnce(running: Running, starting: Promise<void>, config: Config): Promise<void> {
  // A server that is being started would stay behind; that start is given up already.
  if (config.databaseUrl === undefined && running.postgres === undefined) await starting.catch(() => {});
  await running.postgres?.stop('atOnce');
  process.exit(exitInterrupted);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof ConfigurationError) {
    process.stderr.write(`${error.problems.map((problem) => `- ${problem}`).join('\n')}\n`);
    process.exit(exitConfiguration);
  }
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
