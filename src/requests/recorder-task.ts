/**
 * Carries recorded calls from memory into the database, a batch at a time and beside all requests: whatever becomes of
 * the database, a request neither waits for it here nor fails.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';
import type { Database } from '../db/database.ts';
import { faultOf } from '../http/error-fault.ts';
import { limits } from '../kernel/limits.ts';
import { writeRequests } from './record-flow.ts';
import type { RecordedRequest } from './recorded-request.ts';
import { RequestQueue } from './request-queue.ts';

const flushMs = 250;
/** So many are not kept waiting. */
const hurryEntries = 200;
const retryMsMax = 5000;

export interface RecorderOptions {
  database: Database;
  log: Pick<FastifyBaseLogger, 'warn'>;
  /** Told of calls that could not be kept. */
  onDropped: (count: number) => void;
}

export class Recorder {
  readonly #options: RecorderOptions;
  readonly #queue = new RequestQueue();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #failures = 0;
  #isStopped = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  add(record: RecordedRequest): void {
    if (this.#isStopped || !this.#queue.add(record)) {
      this.#options.onDropped(1);
      return;
    }
    if (this.#queue.size === hurryEntries && this.#failures === 0) this.#schedule(0);
    else if (this.#timer === undefined) this.#schedule(flushMs);
  }

  /** Writes what is queued, as far as the database takes it within two seconds. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    const giveUp = new AbortController();
    const deadline = sleep(limits.recorderStopMsMax, undefined, { signal: giveUp.signal }).catch(() => {});
    const rest = (this.#running ?? Promise.resolve()).then(() => this.#drain());
    await Promise.race([rest, deadline]);
    giveUp.abort();
    const lost = this.#queue.size;
    if (lost === 0) return;
    this.#options.onDropped(lost);
    this.#options.log.warn({ lost }, 'recorded calls could not be written before the end');
  }

  #schedule(ms: number): void {
    if (this.#running !== undefined || this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#running = this.#flush();
    }, ms);
    // A process that has nothing else to do need not stay for this.
    this.#timer.unref();
  }

  async #flush(): Promise<void> {
    await this.#drain();
    this.#running = undefined;
    this.#timer = undefined;
    if (this.#queue.size > 0) this.#schedule(Math.min(retryMsMax, flushMs * 2 ** this.#failures));
  }

  /** Until nothing is left, or the database is away. */
  async #drain(): Promise<void> {
    do {
      const batch = this.#queue.batch();
      for (const [tenantId, records] of Map.groupBy(batch, (record) => record.tenantId)) {
        try {
          await writeRequests(this.#options.database, tenantId, records);
        } catch (error) {
          if (this.#isToRepeat(error)) {
            // It may be this tenant's rows alone that are locked: the others go first next time.
            this.#queue.defer(records);
            return;
          }
          this.#options.onDropped(records.length);
        }
        this.#failures = 0;
        this.#queue.remove(records);
      }
    } while (this.#queue.size >= hurryEntries || (this.#isStopped && this.#queue.size > 0));
  }

  /** What the database refuses, it will refuse again: only a database that is away is waited for. */
  #isToRepeat(error: unknown): boolean {
    const isAway = faultOf(error)?.code === 'unavailable';
    if (this.#failures === 0 || !isAway) {
      this.#options.log.warn({ err: error }, 'recorded calls could not be written');
    }
    if (isAway) this.#failures += 1;
    return isAway;
  }
}
