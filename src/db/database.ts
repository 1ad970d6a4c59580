/**
 * The pool of connections. Connections are pipelined: statements sent without waiting travel together, so a use case
 * pays for the times it *waits*, not for its statements. `onStatement` and `onWait` let tests count both.
 *
 * Kysely builds and compiles; it never executes: its own `execute()` starts asynchronously, so that a statement could
 * overtake another, COMMIT even. `Connection.run` sends at once, in the order of the calls.
 */

import {
  type CompiledQuery,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryExecutorProvider,
} from 'kysely';
import pg from 'pg';
import { limits } from '../kernel/limits.ts';
import { FairShare } from './fair-share.ts';
import type { Tables } from './tables.ts';

export interface DatabaseOptions {
  url: string;
  poolSize?: number;
  onStatement?: (sql: string) => void;
  /** Called when a statement is sent while nothing is under way on its connection: one more round trip. */
  onWait?: (sql: string) => void;
}

/** A query builder or a `sql` template. */
export interface Query<Row> {
  compile(provider: QueryExecutorProvider): CompiledQuery<Row>;
  /** Each connection keeps it parsed. */
  readonly isPrepared?: true;
}

/**
 * The same query, parsed once for each connection and planned a few times: planning was most of what the database did for one
 * person (7.7 ms, then 3.4). For statements of few shapes whose best plan does not depend on their values.
 */
export function prepared<Row>(query: Query<Row>): Query<Row> {
  return { compile: (provider) => query.compile(provider), isPrepared: true };
}

/** Of each text that was prepared: as many as there are calls of `prepared`, and few shapes of each. */
const names = new Map<string, string>();

/** What to send, and under which name it is kept. */
export function compiled(
  query: Query<unknown>,
): [sql: string, parameters: readonly unknown[], name?: string] {
  const { sql, parameters } = query.compile(db);
  if (query.isPrepared === undefined) return [sql, parameters];
  const name = names.get(sql) ?? `prepared_${names.size}`;
  names.set(sql, name);
  return [sql, parameters, name];
}

export interface Database {
  /** One statement outside any tenant, as the owner: look-up functions and global tables. */
  run<Row>(query: Query<Row>): Promise<Row[]>;
  /**
   * One connection, given back when `work` ends; a broken one is thrown away.
   *
   * @param holder For whom: one holder has at most three quarters of the connections, so that the others find one.
   */
  withConnection<T>(work: (connection: Connection) => Promise<T>, holder?: string): Promise<T>;
  close(): Promise<void>;
}

/** Builds queries; executing one through it is refused. */
export const db = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (kysely) => new PostgresIntrospector(kysely),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createDriver: () => {
      const refuse = () =>
        Promise.reject(new Error('queries are run by Database.run or TenantTransaction.run'));
      return {
        init: async () => {},
        acquireConnection: refuse,
        releaseConnection: refuse,
        beginTransaction: refuse,
        commitTransaction: refuse,
        rollbackTransaction: refuse,
        destroy: async () => {},
      };
    },
  },
});

/** Parsers of this pool alone: bigint as number (counts and sequences stay far below 2^53), date as text. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === pg.types.builtins.INT8) return Number;
    if (oid === pg.types.builtins.DATE) return (text: string) => text;
    return pg.types.getTypeParser(oid, format);
  }) as pg.CustomTypesConfig['getTypeParser'],
};

const holderShare = 3 / 4;

export function openDatabase(options: DatabaseOptions): Database {
  const { poolSize = 16 } = options;
  const shares = new FairShare(Math.ceil(poolSize * holderShare), limits.statementMsMax);
  const pool = new pg.Pool({
    connectionString: options.url,
    max: poolSize,
    application_name: 'blue-gateway',
    statement_timeout: limits.statementMsMax,
    idle_in_transaction_session_timeout: limits.statementMsMax,
    connectionTimeoutMillis: limits.statementMsMax,
    types,
    pipeline: true,
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {});
  const withAny = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    const connection = new ClientConnection(client, options);
    const onError = () => {
      connection.broken = true;
    };
    client.on('error', onError);
    try {
      return await work(connection);
    } finally {
      client.off('error', onError);
      client.release(connection.broken);
    }
  };
  const withConnection: Database['withConnection'] = (work, holder) =>
    holder === undefined ? withAny(work) : shares.hold(holder, () => withAny(work));
  return {
    run: (query) => withConnection((connection) => connection.run(query)),
    withConnection,
    close: () => pool.end(),
  };
}

/** Statements sent without waiting are pipelined in the order they were sent. */
export abstract class Connection {
  /** true once the client can't be used again. */
  broken = false;

  /** @throws pg's DatabaseError as the server sent it. */
  abstract send(text: string, values?: readonly unknown[], name?: string): Promise<pg.QueryResult>;

  async run<Row>(query: Query<Row>): Promise<Row[]> {
    return (await this.send(...compiled(query))).rows;
  }
}

/** One client for a while. */
class ClientConnection extends Connection {
  readonly #client: pg.PoolClient;
  readonly #options: DatabaseOptions;
  #underWay = 0;
  #isGathering = false;

  constructor(client: pg.PoolClient, options: DatabaseOptions) {
    super();
    this.#client = client;
    this.#options = options;
  }

  /** What is sent in one turn of the event loop goes out by one write: each is a call of the system, and wakes the server. */
  #gather(): void {
    if (this.#isGathering) return;
    const { stream } = (this.#client as unknown as { connection: pg.Connection }).connection;
    this.#isGathering = true;
    stream.cork();
    process.nextTick(() => {
      this.#isGathering = false;
      stream.uncork();
    });
  }

  override async send(text: string, values: readonly unknown[] = [], name?: string): Promise<pg.QueryResult> {
    this.#options.onStatement?.(text);
    if (this.#underWay === 0) this.#options.onWait?.(text);
    this.#underWay += 1;
    this.#gather();
    try {
      return await this.#client.query({ text, values: [...values], ...(name === undefined ? {} : { name }) });
    } finally {
      this.#underWay -= 1;
    }
  }
}
