/**
 * Runs work that writes, and takes everything back: what it would do now. Its transactions become savepoints of one
 * that is rolled back, so that each sees what those before it did.
 */

import type pg from 'pg';
import type { TenantId } from '../kernel/ids.ts';
import { Connection, type Database } from './database.ts';

/** The work took longer than it may hold its locks. */
export class RehearsalTooLong extends Error {}

/**
 * Answers what `work` answers, after everything it wrote is gone. Rows it locks stay locked until then: it is meant for
 * a few short transactions, one after the other, and `work` begins with the locks that each of them may begin with.
 *
 * @throws RehearsalTooLong when a statement is to begin after `msMax`; whatever `work` throws.
 */
export async function rehearse<T>(
  database: Database,
  { tenantId, msMax }: { tenantId: TenantId; msMax: number },
  work: (rehearsal: Database) => Promise<T>,
): Promise<T> {
  return await database.withConnection(async (connection) => {
    await connection.send('BEGIN');
    await connection.send(`SET LOCAL statement_timeout = ${msMax}`);
    try {
      return await work(rehearsalOn(connection, performance.now() + msMax));
    } finally {
      await connection.send('ROLLBACK').catch(() => {
        connection.broken = true;
      });
    }
  }, tenantId);
}

function rehearsalOn(connection: Connection, deadline: number): Database {
  let last: Promise<unknown> = Promise.resolve();
  const withConnection: Database['withConnection'] = (work) => {
    const turn = last.then(() => work(new RehearsalConnection(connection, deadline)));
    last = turn.catch(() => {});
    return turn;
  };
  return {
    run: (query) =>
      withConnection(async (one) => {
        // What runs outside of a transaction runs as the owner: the last savepoint's role is still set here.
        await one.send(`SELECT set_config('role', 'none', true)`);
        return await one.run(query);
      }),
    withConnection,
    close: async () => {},
  };
}

const savepoints: Readonly<Record<string, string>> = {
  BEGIN: 'SAVEPOINT rehearsed',
  COMMIT: 'RELEASE SAVEPOINT rehearsed',
  ROLLBACK: 'ROLLBACK TO SAVEPOINT rehearsed',
};

class RehearsalConnection extends Connection {
  readonly #outer: Connection;
  readonly #deadline: number;

  constructor(outer: Connection, deadline: number) {
    super();
    this.#outer = outer;
    this.#deadline = deadline;
  }

  override async send(text: string, values: readonly unknown[] = [], name?: string): Promise<pg.QueryResult> {
    if (text !== 'ROLLBACK' && performance.now() > this.#deadline) throw new RehearsalTooLong();
    const result = await this.#outer.send(savepoints[text] ?? text, values, name);
    return text === 'COMMIT' ? { ...result, command: 'COMMIT' } : result;
  }
}
