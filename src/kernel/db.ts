import { createHash } from 'node:crypto';
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Logger } from './log.ts';
import type { Tables } from './tables.ts';

/**
 * PostgreSQL: a pool, transactions, and one small interface, Sql, that both answer to.
 *
 * Queries are written as SQL text or built by `build` (Kysely, used for building and types alone). Building costs 80 to
 * 110 µs, so a hot query is compiled once into a Statement and only its values change; sent under a name, PostgreSQL
 * plans it once a connection too.
 */

// int8 arrives as a number: money is bounded by MAX_MINOR, counters and positions never pass 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`The integer ${text} from the database is too large to be exact.`);
  return value;
});

// A date has no time and no zone; as a Date it would be another day for half of the world.
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);

/** Builds typed queries; runs nothing. Hand what it builds to an Sql. */
export const build = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

/** SQL with its values; `name` makes it a prepared statement. R is the shape of a row. */
export type Statement<R = unknown> = {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly name?: string | undefined;
  readonly rows?: R;
};

/** What Kysely's builders offer. */
type Built<R> = {
  compile(): { readonly sql: string; readonly parameters: readonly unknown[] };
  execute(): Promise<R[]>;
};

export type Query<R> = Statement<R> | Built<R>;

/** SQL text with its values `$1 …`, unnamed. */
export function sql<R = unknown>(text: string, values: readonly unknown[] = []): Statement<R> {
  return { text, values };
}

/**
 * SQL that runs often: prepared under a name made from its text. Use it for a fixed, small number of texts, since every
 * connection keeps each one.
 */
export function prepare<R = unknown>(text: string): (values: readonly unknown[]) => Statement<R> {
  const name = `v${createHash('sha256').update(text).digest('base64url').slice(0, 20)}`;
  return (values) => ({ text, values, name });
}

export interface Sql {
  /** All rows. */
  many<R>(query: Query<R>): Promise<R[]>;
  /** The only row, or undefined when there is none. */
  maybe<R>(query: Query<R>): Promise<R | undefined>;
  /** The only row; throws when there is none. */
  one<R>(query: Query<R>): Promise<R>;
  /** How many rows it touched. */
  run(query: Query<unknown>): Promise<number>;
}

export interface Tx extends Sql {
  /** Runs when the transaction has committed; not at all when it rolls back. */
  afterCommit(callback: () => void): void;
  /** A stream into `copy … from stdin`; ended, it has stored the rows. */
  copyFrom(text: string): NodeJS.WritableStream;
}

export interface Database extends Sql {
  /**
   * Runs `work` in a transaction (read committed); what it throws rolls back. `timeoutMs` replaces the pool's statement
   * time-out, 0 meaning none.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>, options?: { timeoutMs?: number }): Promise<T>;
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

export type DatabaseOptions = {
  url: string;
  poolSize: number;
  /** False under a pooler in transaction mode, where names would leak between clients. */
  namedStatements: boolean;
  log: Logger;
  applicationName?: string;
};

/** A statement that takes longer has lost its reader; bulk work sets its own limit. */
const STATEMENT_TIMEOUT_MS = 30_000;

/** A name is kept by every connection, so dynamic queries may not make them without end. */
const MAX_NAMES = 400;

export function openDatabase(options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolSize,
    application_name: options.applicationName ?? 'vitrine',
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: 120_000,
    connectionTimeoutMillis: 10_000,
    // A process that only waits for its pool to be ended must be able to exit.
    allowExitOnIdle: true,
  });
  let closing = false;
  pool.on('error', (error) => {
    if (!closing) options.log.warn({ err: error }, 'an idle database connection was lost');
  });

  const names = new Set<string>();
  const toQuery = (query: Query<unknown>): { text: string; values: unknown[]; name?: string } => {
    const { text, values, name } = isBuilt(query) ? fromBuilt(query) : query;
    if (!name || !options.namedStatements) return { text, values: values as unknown[] };
    if (!names.has(name)) {
      if (names.size >= MAX_NAMES) return { text, values: values as unknown[] };
      names.add(name);
    }
    return { text, values: values as unknown[], name };
  };

  const sqlOver = (target: { query(q: object): Promise<pg.QueryResult> }): Sql => {
    const many = async <R>(query: Query<R>) => (await target.query(toQuery(query as Query<unknown>))).rows as R[];
    return {
      many,
      maybe: async (query) => (await many(query))[0],
      one: async (query) => {
        const row = (await many(query))[0];
        if (row === undefined) throw new Error('A query that must give a row gave none.');
        return row;
      },
      run: async (query) => (await target.query(toQuery(query))).rowCount ?? 0,
    };
  };

  const transaction: Database['transaction'] = async (work, { timeoutMs } = {}) => {
    const client = await pool.connect();
    const callbacks: (() => void)[] = [];
    let broken: Error | undefined;
    const lost = (error: Error) => {
      broken = error;
    };
    client.on('error', lost);
    try {
      await client.query('begin');
      if (timeoutMs !== undefined) await client.query(`set local statement_timeout = ${Math.trunc(timeoutMs)}`);
      const result = await work({
        ...sqlOver(client),
        afterCommit: (callback) => callbacks.push(callback),
        copyFrom: (text) => client.query(copyFrom(text)),
      });
      const done = await client.query('commit');
      // PostgreSQL answers ROLLBACK to a commit after a failed statement whose error somebody caught.
      if (done.command !== 'COMMIT')
        throw new Error('The transaction was rolled back: one of its statements had failed.');
      for (const callback of callbacks) callback();
      return result;
    } catch (error) {
      await client.query('rollback').catch((rollbackError: Error) => {
        broken = rollbackError;
      });
      throw error;
    } finally {
      client.off('error', lost);
      client.release(broken);
    }
  };

  return {
    ...sqlOver(pool),
    transaction,
    pool,
    close() {
      closing = true;
      return pool.end();
    },
  };
}

function isBuilt(query: Query<unknown>): query is Built<unknown> {
  return 'compile' in query;
}

function fromBuilt(query: Built<unknown>): Statement {
  const { sql: text, parameters } = query.compile();
  return { text, values: parameters };
}

/** How many rows the planner expects of a query that it is not made to run. */
export async function estimateRows(target: Sql, query: Statement): Promise<number> {
  const plan = await target.one<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>({
    text: `explain (format json) ${query.text}`,
    values: query.values,
  });
  return plan['QUERY PLAN'][0].Plan['Plan Rows'];
}
