/**
 * The database of a shop that has no DATABASE_URL: a real PostgreSQL of its own below DATA_DIR, launched from npm's binaries.
 *
 * The server is a process in a session of its own and belongs to no Node process in particular: the web server and any CLI
 * commands share it. Each holds a lease, a connection with a shared advisory lock, which a killed process loses by
 * itself; whoever stops and then gets the exclusive lock was the last, and stops the server. Starting and stopping happen
 * under a lock between processes, so nobody is handed a server that is about to end. If every process is killed, the server
 * runs on and the next start takes it over; if the server is killed, the next start recovers.
 *
 *     lock → (make the cluster) → (launch | take over) → ready → lease → unlock … lock → release → (shut down) → unlock
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { findBinaries } from './embedded-postgres/binaries.ts';
import { createCluster, readPassword, removeLeftovers } from './embedded-postgres/cluster.ts';
import { codeOf, EmbeddedPostgresError, reasonOf } from './embedded-postgres/error.ts';
import { clusterExists, findPlace, giveToUser, type Place } from './embedded-postgres/place.ts';
import { withLock } from './embedded-postgres/processes.ts';
import { bringUp, findServer, type Log, type Server, shutDown } from './embedded-postgres/server.ts';

export { EmbeddedPostgresError };

export interface EmbeddedPostgres {
  /** `postgresql://vitrine:<password>@127.0.0.1:<port>/vitrine`; the user is the cluster's superuser. */
  url: string;
  /** Gives the lease back; the last one to do so stops the server and returns when it is gone. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Made when it is missing; the files are below `postgres/` in it. */
  dataDir: string;
  /** Told, in sentences, what takes long. */
  log: Log;
  /** More server settings, over those of this module; not applied to a server that runs already. */
  settings?: Record<string, string>;
}

/** The advisory lock of the leases ("vitrine" in ASCII); nobody else may take it. */
const LEASE = '33329996108492389';
const CONNECT_MS = 10_000;

/**
 * Starts the embedded PostgreSQL, or joins the one that runs, and returns when it answers.
 * @throws EmbeddedPostgresError with a sentence that says what is wrong and what to do
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    return await begin(options);
  } catch (error) {
    // What the system refuses (no space, no permission) is for the person who starts, too.
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new EmbeddedPostgresError(`The database in ${options.dataDir} cannot be started: ${error.message}.`, {
      cause: error,
    });
  }
}

async function begin({ dataDir, log, settings = {} }: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const place = findPlace(dataDir, log);
  const binaries = findBinaries(place);
  clusterExists(place, binaries.major);

  return locked(place, log, async () => {
    removeLeftovers(place);
    const isNew = !clusterExists(place, binaries.major);
    const password = readPassword(place, isNew);
    if (isNew) {
      log(`Making a new database in ${place.data} …`);
      await createCluster(place, binaries, password, settings.fsync !== 'off');
    }
    giveToUser(place);
    const wasRunning = findServer(place.data) !== undefined;
    for (let until = Date.now() + CONNECT_MS; ; await sleep(50)) {
      const server = await bringUp(place, binaries, settings, log);
      try {
        const lease = await takeLease(place, server, password, log);
        return {
          url: `postgresql://vitrine:${password}@127.0.0.1:${server.port}/vitrine`,
          stop: once(() => locked(place, log, () => lease.giveBack())),
        };
      } catch (error) {
        // It says that it recovers or ends, or is gone already: look again.
        if (codeOf(error)?.startsWith('57P')) until = Date.now() + CONNECT_MS;
        else if (!isBroken(error) || Date.now() > until) {
          if (!wasRunning) await shutDown(place, log);
          throw sentence(place, server, error);
        }
      }
    }
  });
}

interface Lease {
  /** The caller holds the lock. */
  giveBack(): Promise<void>;
}

/** Takes a lease, and takes it again when PostgreSQL ends all connections after one of its processes has crashed. */
async function takeLease(place: Place, server: Server, password: string, log: Log): Promise<Lease> {
  let client: pg.Client | undefined;
  let given = false;

  const take = async (): Promise<void> => {
    const fresh = await connect(place, server, password);
    await fresh.query(`select pg_advisory_lock_shared(${LEASE})`).catch(async (error) => {
      await fresh.end();
      throw error;
    });
    if (given) return fresh.end();
    client = fresh;
    fresh.once('end', () => {
      client = undefined;
      if (!given) void retake();
    });
  };

  const retake = async (): Promise<void> => {
    while (!given && client === undefined) {
      await sleep(500, undefined, { ref: false });
      if (findServer(place.data)?.pid !== server.pid) {
        log('The embedded PostgreSQL has ended unexpectedly. Start again; it recovers by itself.');
        return;
      }
      await take().catch(() => undefined);
    }
  };

  const giveBack = async (): Promise<void> => {
    given = true;
    const last = client ?? (await connect(place, server, password).catch(() => undefined));
    if (!last) return;
    // A connection that breaks here says that the server is restarting or gone; the next start sees to it.
    const answer = await last
      .query(`select pg_advisory_unlock_all(), pg_try_advisory_lock(${LEASE}) as alone`)
      .catch(() => undefined);
    if (answer?.rows[0].alone) await shutDown(place, log);
    await last.end();
  };

  await take();
  return { giveBack };
}

/** A connection to the vitrine database, which is made when a first start ended before that. */
async function connect({ data }: Place, server: Server, password: string): Promise<pg.Client> {
  const client = await open(server.port, password, 'vitrine').catch(async (error) => {
    if (codeOf(error) !== '3D000') throw error;
    const first = await open(server.port, password, 'postgres');
    await first.query('create database vitrine').finally(() => first.end());
    return open(server.port, password, 'vitrine');
  });
  const { rows } = await client.query('show data_directory');
  if (!isSameFolder(rows[0].data_directory, data)) {
    await client.end();
    throw new EmbeddedPostgresError(
      `The database in ${data} is in use by a PostgreSQL (process ${server.pid}) that was started for ${rows[0].data_directory}. End it (kill ${server.pid}) and start again.`,
    );
  }
  return client;
}

async function open(port: number, password: string, database: string): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'vitrine',
    password,
    database,
    ssl: false,
    application_name: 'vitrine lease',
    connectionTimeoutMillis: CONNECT_MS,
  });
  client.on('error', () => undefined); // 'end' follows
  await client.connect();
  return client;
}

function isSameFolder(one: string, other: string): boolean {
  const [a, b] = [statSync(one, { throwIfNoEntry: false }), statSync(other)];
  return a !== undefined && a.dev === b.dev && a.ino === b.ino;
}

function isBroken(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ECONNREFUSED' || code === 'ECONNRESET' || /^Connection terminated/.test(reasonOf(error));
}

function sentence({ home, data }: Place, { pid, port }: Server, error: unknown): EmbeddedPostgresError {
  if (error instanceof EmbeddedPostgresError) return error;
  if (codeOf(error) === '28P01') {
    return new EmbeddedPostgresError(
      `The database in ${data} does not accept the password in ${join(home, 'password')}. Put the right one there, or set DATA_DIR to another place.`,
    );
  }
  return new EmbeddedPostgresError(
    `The PostgreSQL of ${data} (process ${pid}, port ${port}) cannot be used: ${reasonOf(error)}. More may be in ${join(home, 'server.log')}.`,
  );
}

function locked<T>({ home }: Place, log: Log, work: () => Promise<T>): Promise<T> {
  const onWait = (pid: number) => log(`Waiting for process ${pid}, which is starting or stopping the database …`);
  return withLock(join(home, 'locks'), onWait, work);
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= work();
    return running;
  };
}
