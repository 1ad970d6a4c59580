/**
 * Watches the answers to creations until they are written, and makes the database forget those that were, in batches
 * (creation-flow.ts says what the others are for).
 */

import type { FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { TenantId } from '../kernel/ids.ts';
import { forgetCreations } from '../provisioning/creation-flow.ts';
import type { Creations } from './creation-flow.ts';

const flushMs = 200;
/** After the database did not answer. */
const retryMs = 2000;
/** Lost answers that are remembered here; the database knows of all. */
const lostMax = 10_000;

export class CreationLedger implements Creations {
  readonly #database: Database;
  readonly #log: Pick<Logger, 'warn'>;
  /** Answers under way, and written ones that the database still has. */
  readonly #answered = new Map<string, TenantId>();
  readonly #lost = new Set<string>();
  readonly #written: string[] = [];
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(database: Database, log: Pick<Logger, 'warn'>) {
    this.#database = database;
    this.#log = log;
  }

  begin(tenantId: TenantId, id: string): void {
    this.#lost.delete(id);
    this.#answered.set(id, tenantId);
  }

  abandon(id: string): void {
    this.#answered.delete(id);
  }

  fateOf(id: string): 'answered' | 'lost' | 'elsewhere' {
    if (this.#answered.has(id)) return 'answered';
    return this.#lost.has(id) ? 'lost' : 'elsewhere';
  }

  /** The answer was written whole, or its connection closed before. */
  settle(id: string, isWritten: boolean): void {
    if (isWritten) {
      this.#written.push(id);
      this.#timer ??= setTimeout(() => this.#flush(), flushMs);
      return;
    }
    this.#answered.delete(id);
    this.#lost.add(id);
    const [oldest] = this.#lost;
    if (this.#lost.size > lostMax && oldest !== undefined) this.#lost.delete(oldest);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const ids = this.#written.splice(0);
    const byTenant = new Map<TenantId, string[]>();
    for (const id of ids) {
      const tenantId = this.#answered.get(id);
      if (tenantId !== undefined) byTenant.set(tenantId, [...(byTenant.get(tenantId) ?? []), id]);
    }
    this.#flushing = this.#flushing.then(async () => {
      for (const [tenantId, of] of byTenant) {
        try {
          await forgetCreations(this.#database, tenantId, of);
          for (const id of of) this.#answered.delete(id);
        } catch (error) {
          this.#log.warn({ err: error }, 'answered creations could not be forgotten yet');
          this.#again(of);
        }
      }
    });
  }

  /** Until they are forgotten they count as answered, so that a repeated POST is 409. */
  #again(ids: readonly string[]): void {
    this.#written.push(...ids);
    if (!this.#isStopped) this.#timer ??= setTimeout(() => this.#flush(), retryMs);
  }

  /** Ends when what was written is forgotten, or the database does not answer. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#flush();
    await this.#flushing;
  }
}

/** From now on: whether the answer that tells of these creations is written before its connection closes. */
export function watchAnswer({ raw }: FastifyReply, ledger: CreationLedger, ids: readonly string[]): void {
  const settle = () => {
    for (const id of ids) ledger.settle(id, raw.writableFinished);
  };
  if (raw.closed || raw.destroyed) settle();
  else raw.once('close', settle);
}
