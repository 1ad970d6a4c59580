/**
 * Runs work that writes, and takes everything back: what it would do now. Its transactions become savepoints of one
 * that is rolled back, so that each sees what those before it did.
 */

import type pg from 'pg';
import { Connection, type Database } from './database.ts';

/**
 * Answers what `work` answers, after everything it wrote is gone. Rows it locks stay locked until then: it is meant for
 * a few short transactions, one after the other, and `work` begins with the locks that each of them may begin with.
 *
 * @throws whatever `work` throws.
 */
export async function rehearse<T>(database: Database, work: (rehearsal: Database) => Promise<T>): Promise<T> {
  return await database.withConnection(async (connection) => {
    await connection.send('BEGIN');
    try {
      return await work(rehearsalOn(connection));
    } finally {
      await connection.send('ROLLBACK').catch(() => {
        connection.broken = true;
      });
    }
  });
}

function rehearsalOn(connection: Connection): Database {
  let last: Promise<unknown> = Promise.resolve();
  const withConnection: Database['withConnection'] = (work) => {
    const turn = last.then(() => work(new RehearsalConnection(connection)));
    last = turn.catch(() => {});
    return turn;
  };
  return {
    run: (query) => withConnection((one) => one.run(query)),
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

  constructor(outer: Connection) {
    super();
    this.#outer = outer;
  }

  override async send(text: string, values: readonly unknown[] = []): Promise<pg.QueryResult> {
    const result = await this.#outer.send(savepoints[text] ?? text, values);
    return text === 'COMMIT' ? { ...result, command: 'COMMIT' } : result;
  }
}
