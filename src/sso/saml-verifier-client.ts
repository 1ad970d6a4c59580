/**
 * Verifies SAML responses, and messages that are posted, in threads of their own: what that costs is up to who posts, and grows to a second, during which
 * everybody else is served. Each connection has one thread at a time and a short queue, so that who floods one holds up its own
 * logins; connections take turns. A response that takes too long is refused, and its thread ended.
 */

import { Worker } from 'node:worker_threads';
import { Fault } from '../kernel/fault.ts';
import type { ConnectionId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { Refusal } from './core/refusal.ts';
import type { ToVerify, Verified } from './saml-client.ts';
import type { Outcome } from './saml-thread-client.ts';

interface Job {
  signed: ToVerify;
  connectionId: ConnectionId;
  done: (verified: Verified) => void;
  failed: (error: unknown) => void;
}

interface Thread {
  worker: Worker;
  isReady: boolean;
  job: Job | undefined;
  deadline: NodeJS.Timeout | undefined;
}

const script = new URL('./saml-thread-client.ts', import.meta.url);
const retryAfterSeconds = 2;

export class SamlVerifier {
  readonly #threads = new Set<Thread>();
  /** Of each connection, in the order of their turns. */
  readonly #queues = new Map<ConnectionId, Job[]>();
  #waiting = 0;
  #isStopped = false;

  /** @throws Refusal; Fault `unavailable` when too many wait. */
  verify(connectionId: ConnectionId, signed: ToVerify): Promise<Verified> {
    const queue = this.#queues.get(connectionId) ?? [];
    const isFull = queue.length >= limits.samlWaitingPerConnectionMax || !this.#hasRoom(queue);
    if (isFull || this.#isStopped) throw tooMany();
    const { promise, resolve: done, reject: failed } = Promise.withResolvers<Verified>();
    queue.push({ connectionId, signed, done, failed });
    this.#queues.set(connectionId, queue);
    this.#waiting += 1;
    this.#next();
    return promise;
  }

  /** Who still waits hears that it is over. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const over = new Fault('unavailable', 'The gateway stops: try again shortly.', { retryAfterSeconds });
    for (const queue of this.#queues.values()) for (const job of queue.splice(0)) job.failed(over);
    this.#queues.clear();
    await Promise.all([...this.#threads].map((thread) => this.#end(thread, over)));
  }

  /** When as many wait as may, whoever came last to the longest queue gives way to a shorter one. */
  #hasRoom(queue: readonly Job[]): boolean {
    if (this.#waiting < limits.samlWaitingMax) return true;
    const [longest] = [...this.#queues.values()].sort((a, b) => b.length - a.length);
    if (longest === undefined || longest.length <= queue.length + 1) return false;
    longest.pop()?.failed(tooMany());
    this.#waiting -= 1;
    return true;
  }

  #next(): void {
    const isBusy = new Set([...this.#threads].map(({ job }) => job?.connectionId));
    for (const [connectionId, queue] of this.#queues) {
      if (isBusy.has(connectionId)) continue;
      const thread = this.#idleThread();
      const job = thread && queue.shift();
      if (thread === undefined || job === undefined) return;
      // Behind the others, for its next turn.
      this.#queues.delete(connectionId);
      if (queue.length > 0) this.#queues.set(connectionId, queue);
      this.#waiting -= 1;
      isBusy.add(connectionId);
      this.#give(thread, job);
    }
  }

  #idleThread(): Thread | undefined {
    const idle = [...this.#threads].find(({ job }) => job === undefined);
    return idle ?? (this.#threads.size < limits.samlThreadsMax ? this.#start() : undefined);
  }

  #start(): Thread {
    const worker = new Worker(script, {
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: limits.samlThreadMegabytesMax },
    });
    const thread: Thread = { worker, isReady: false, job: undefined, deadline: undefined };
    worker.on('message', (outcome: Outcome) => this.#hear(thread, outcome));
    worker.on('error', (error) => this.#end(thread, error));
    worker.unref();
    this.#threads.add(thread);
    return thread;
  }

  #give(thread: Thread, job: Job): void {
    thread.job = job;
    if (thread.isReady) this.#post(thread, job);
  }

  #post(thread: Thread, { signed }: Job): void {
    thread.deadline = setTimeout(() => {
      const text = `The response could not be verified within ${limits.samlVerifyMsMax} ms.`;
      this.#end(thread, new Refusal('too_costly', text));
    }, limits.samlVerifyMsMax);
    thread.worker.postMessage(signed);
  }

  #hear(thread: Thread, outcome: Outcome): void {
    const { job } = thread;
    if (outcome.kind === 'ready') {
      thread.isReady = true;
      if (job !== undefined) this.#post(thread, job);
      return;
    }
    clearTimeout(thread.deadline);
    thread.job = undefined;
    if (outcome.kind === 'verified') job?.done(outcome.verified);
    else job?.failed(new Refusal(outcome.reason, outcome.detail));
    this.#next();
  }

  async #end(thread: Thread, error: unknown): Promise<void> {
    clearTimeout(thread.deadline);
    if (!this.#threads.delete(thread)) return;
    const { job } = thread;
    thread.job = undefined;
    job?.failed(
      isOutOfMemory(error) ? new Refusal('too_costly', 'The response takes too much memory.') : error,
    );
    await thread.worker.terminate();
    if (!this.#isStopped) this.#next();
  }
}

function tooMany(): Fault {
  const text = 'Too many people sign in at this moment: try again shortly.';
  return new Fault('unavailable', text, { retryAfterSeconds });
}

function isOutOfMemory(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY';
}
