/**
 * Several HTTP processes behind one port (`WORKERS`): the first process starts them again when they die, does the
 * background work alone, and hands them each other's figures.
 */

import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { AggregatorRegistry } from 'prom-client';

/** What a worker says to the first process, and hears from it. */
type Message = { kind: 'nudge' } | { kind: 'metrics' } | { kind: 'figures'; text: string };

const restartDelayMs = 500;

export interface Workers {
  /** Ends when all have finished what was in flight. */
  stop(): Promise<void>;
  /** What that waits for, in words. */
  waitsFor(): string[];
}

export interface WorkersOptions {
  count: number;
  /** Environment on top of our own. */
  environment: Record<string, string>;
  /** A worker has marked people for Blue. */
  onNudge: () => void;
  log: Logger;
}

/** Resolves once every worker listens. */
export async function startWorkers({ count, environment, onNudge, log }: WorkersOptions): Promise<Workers> {
  const figures = new AggregatorRegistry();
  let isStopping = false;
  cluster.on('message', async (worker: Worker, message: Message) => {
    if (message.kind === 'nudge') onNudge();
    if (message.kind === 'metrics') {
      const text = await figures.clusterMetrics().catch(() => '');
      if (worker.isConnected()) worker.send({ kind: 'figures', text } satisfies Message);
    }
  });
  const isStarted = allListening(count);
  cluster.on('exit', async (worker, code, signal) => {
    // At the start one that ends by itself will do so again: that ends the start.
    if (
      isStopping ||
      (signal === null &&
        !(await isStarted.then(
          () => true,
          () => false,
        )))
    )
      return;
    log.error({ worker: worker.id, code, signal }, 'an HTTP process died and is started again');
    await sleep(restartDelayMs);
    if (!isStopping) cluster.fork(environment);
  });
  for (let n = 0; n < count; n += 1) cluster.fork(environment);
  await isStarted;
  const alive = () => Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
  return {
    stop: async () => {
      isStopping = true;
      await Promise.all(
        alive().map((worker) => {
          const gone = new Promise((done) => worker.once('exit', done));
          worker.process.kill('SIGTERM');
          return gone;
        }),
      );
    },
    waitsFor: () => (alive().length === 0 ? [] : [`HTTP processes (${alive().length})`]),
  };
}

/** One that is killed at the start is started again; one that ends by itself fails the start. */
function allListening(count: number): Promise<void> {
  return new Promise((done, failed) => {
    let listening = 0;
    cluster.on('listening', () => {
      listening += 1;
      if (listening === count) done();
    });
    cluster.on('exit', (_worker, code, signal) => {
      if (signal === null) failed(new Error(`an HTTP process ended at start with ${code}`));
    });
  });
}

/** A worker's side. */
export interface FirstProcess {
  nudge(): void;
  /** The figures of all workers together, as Prometheus text. */
  metrics(): Promise<string>;
}

/** undefined: this process is no worker. */
export function firstProcess(): FirstProcess | undefined {
  if (!cluster.isWorker) return undefined;
  const say = (message: Message) => process.send?.(message);
  const waiting: ((text: string) => void)[] = [];
  process.on('message', (message: Partial<Message>) => {
    if (message.kind === 'figures' && 'text' in message) {
      for (const done of waiting.splice(0)) done(message.text ?? '');
    }
  });
  return {
    nudge: () => say({ kind: 'nudge' }),
    metrics: () =>
      new Promise((done) => {
        waiting.push(done);
        if (waiting.length === 1) say({ kind: 'metrics' });
      }),
  };
}
