/**
 * The only maker of a TenantTransaction: every statement in it runs as the request role with the tenant set, so that
 * row-level security refuses whatever slips through a store.
 *
 * Locks, in this order, for every writer: names of groups (an advisory lock: who makes or renames a group, or looks
 * for one by name) → seat pool row → user rows in id order → group row. A write that changes
 * what a decision rests on (active, address, membership of a mapped group, mapping, contract) takes the pool row
 * first; all such writes of a tenant follow one another, and nothing else waits for them.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import pg from 'pg';
import { assert } from '../kernel/assert.ts';
import type { TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { type Connection, compiled, type Database, type Query } from './database.ts';

export interface TenantTransaction {
  readonly tenantId: TenantId;
  /** Sends a statement at once; several sent before any is awaited share one round trip. */
  run<Row>(query: Query<Row>): Promise<Row[]>;
  /** As `run`, for the number of rows that a write touched. */
  count(query: Query<unknown>): Promise<number>;
  /** Sends a write whose result nobody needs: it travels with COMMIT, and its failure fails the transaction. */
  send(query: Query<unknown>): void;
  /**
   * Says that nothing follows what has been sent: COMMIT travels with it. `work` then only reads what comes back; whatever it throws,
   * what was sent is kept unless it failed.
   */
  commit(): void;
  /**
   * Says that the transaction evaluated `commitsEarly`: its locks are free once COMMIT is made, and its caller hears of it once the disk
   * has it. Writers who wait for one lock would else wait for the disk one after the other.
   */
  flushAfterCommit(): void;
  /** What is to be done once the transaction is committed, before its caller hears of it. */
  afterCommit(work: (database: Database) => Promise<void>): void;
}

/** Thrown by `work` to end a transaction without keeping anything, and begin again. */
export class Restart extends Error {
  /** To whoever must be answered it is as a serialization failure. */
  readonly code = '40001';
  readonly afterMs: number;

  /** @param afterMs What is waited first, without a connection. */
  constructor(afterMs = 0) {
    super('the transaction begins again');
    this.afterMs = afterMs;
  }
}

/**
 * Runs `work` in one transaction of the tenant. BEGIN, role and tenant travel with the first statement of `work`,
 * COMMIT with the last ones that are sent and not waited for. Deadlocks and serialization failures (40P01, 40001) and `Restart`
 * run it again: a few times, or as long as a `Restart` that waits says so, up to `limits.statementMsMax`.
 *
 * @throws whatever `work` throws, after ROLLBACK.
 */
export async function inTenant<T>(
  database: Database,
  tenantId: TenantId,
  work: (tx: TenantTransaction) => Promise<T>,
): Promise<T> {
  let waitedMs = 0;
  for (let attempt = 1; ; attempt += 1) {
    let done: Done<T>;
    try {
      done = await database.withConnection((connection) => attemptOnce(connection, tenantId, work), tenantId);
    } catch (error) {
      if (error instanceof Restart && error.afterMs > 0 && waitedMs < limits.statementMsMax) {
        waitedMs += error.afterMs;
        await sleep(error.afterMs);
        attempt -= 1;
        continue;
      }
      if (attempt >= limits.transactionTriesMax || !isRepeatable(error)) throw error;
      continue;
    }
    for (const rest of done.rest) await rest(database);
    return done.result;
  }
}

/**
 * As `inTenant`, for work that in every case sends at once all that it has: COMMIT travels with it, and there is one wait. Not for
 * what sometimes reads more after an answer: it is refused there.
 */
export async function atOnce<T>(
  database: Database,
  tenantId: TenantId,
  work: (tx: TenantTransaction) => Promise<T>,
): Promise<T> {
  return await inTenant(database, tenantId, (tx) => {
    const done = work(tx);
    tx.commit();
    return done;
  });
}

interface Done<T> {
  result: T;
  rest: ((database: Database) => Promise<void>)[];
}

/**
 * Role and tenant; and that a row looked up by its key is cheap, as it is in memory and on today's disks. With the
 * default the planner reads a large group whole to take a thousand people out of it.
 */
const frame = `select set_config('role', 'blue_gateway_request', true), set_config('app.tenant_id', $1, true),
  set_config('random_page_cost', '1.1', true)`;

/** A transaction that evaluates it calls `flushAfterCommit`. */
export const commitsEarly = sql<string>`set_config('synchronous_commit', 'off', true)`;

/**
 * Whatever was committed before is on the disk when it answers: it commits something of its own as the server is set up to, unless
 * another has done so meanwhile. One flush serves all who wait.
 */
const flush = `select pg_logical_emit_message(true, 'blue-gateway', '')
  where pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn() or current_setting('synchronous_standby_names') <> ''`;

async function attemptOnce<T>(
  connection: Connection,
  tenantId: TenantId,
  work: (tx: TenantTransaction) => Promise<T>,
): Promise<Done<T>> {
  const rest: Done<T>['rest'] = [];
  const sent: Promise<unknown>[] = [];
  let isEarly = false;
  // A statement's failure is thrown where it is awaited, at COMMIT at the latest: until then it is not "unhandled".
  const dispatch = (text: string, values?: readonly unknown[], name?: string) => {
    const statement = connection.send(text, values, name);
    statement.catch(() => {});
    sent.push(statement);
    return statement;
  };
  let committing: ReturnType<typeof dispatch> | undefined;
  const dispatchQuery = (query: Query<unknown>) => {
    assert(committing === undefined, 'nothing follows COMMIT');
    return dispatch(...compiled(query));
  };
  const commit = () => {
    committing ??= dispatch('COMMIT');
    return committing;
  };
  dispatch('BEGIN');
  dispatch(frame, [tenantId], 'frame');
  try {
    const result = await work({
      tenantId,
      run: async (query) => (await dispatchQuery(query)).rows,
      count: async (query) => (await dispatchQuery(query)).rowCount ?? 0,
      send: (query) => {
        dispatchQuery(query);
      },
      commit: () => {
        commit();
      },
      flushAfterCommit: () => {
        isEarly = true;
      },
      afterCommit: (then) => {
        rest.push(then);
      },
    });
    commit();
    if (isEarly) dispatch(flush, [], 'flush');
    await Promise.all(sent);
    // An aborted transaction answers COMMIT with ROLLBACK; whatever aborted it has been thrown above.
    if ((await commit()).command !== 'COMMIT') throw new Error('the transaction was rolled back');
    return { result, rest };
  } catch (error) {
    await Promise.allSettled(sent);
    const committed = await committing?.catch(() => undefined);
    if (committed?.command !== 'COMMIT') await rollBack(connection);
    throw await firstCause(error, sent);
  }
}

/** After a failure further statements fail with 25P02; the one that failed first says what happened. */
async function firstCause(error: unknown, sent: Promise<unknown>[]): Promise<unknown> {
  if (!(error instanceof pg.DatabaseError) || error.code !== '25P02') return error;
  for (const outcome of await Promise.allSettled(sent)) {
    if (outcome.status === 'rejected' && outcome.reason?.code !== '25P02') return outcome.reason;
  }
  return error;
}

async function rollBack(connection: Connection): Promise<void> {
  try {
    await connection.send('ROLLBACK');
  } catch {
    connection.broken = true;
  }
}

function isRepeatable(error: unknown): boolean {
  if (error instanceof Restart) return true;
  return error instanceof pg.DatabaseError && (error.code === '40P01' || error.code === '40001');
}

/** Whether what was to be written made the statement fail, and would again (SQLSTATE 22, 23 and 54). */
export function isOfData(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(22|23|54)/.test(error.code ?? '');
}

/** The constraint a failed statement broke, by its name in migrations/. */
export function brokenConstraint(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.constraint : undefined;
}
