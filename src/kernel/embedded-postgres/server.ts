/** The server process: found, launched, watched until it is ready, stopped. */
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Binaries } from './binaries.ts';
import { childOptions, complaint, exitOf } from './child.ts';
import { codeOf, EmbeddedPostgresError } from './error.ts';
import type { Place } from './place.ts';
import { isPostgresOf, postgresProcesses } from './processes.ts';

export type Log = (message: string) => void;

export interface Server {
  pid: number;
  port: number;
  ready: boolean;
}

/** What this machine, or the container that it is, may use. */
function memoryMb(): number {
  const limit = process.constrainedMemory();
  return (limit > 0 ? Math.min(limit, totalmem()) : totalmem()) / 1024 / 1024;
}

/**
 * For a shop that has one machine to itself and others on it. Durability stays at PostgreSQL's full default. Of the log
 * level `log`, what goes wrong with a single statement is left out: its sender is told, and the log stays small and free of
 * customers' data.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  // A socket's path may have 107 bytes, which a data folder's often exceeds.
  unix_socket_directories: '',
  max_connections: '100',
  // A quarter of the memory, as PostgreSQL's manual advises; pages of it are taken only when they are used.
  shared_buffers: `${Math.min(4096, Math.max(128, Math.trunc(memoryMb() / 4)))}MB`,
  effective_cache_size: `${Math.max(256, Math.trunc(memoryMb() / 2))}MB`,
  work_mem: '16MB',
  maintenance_work_mem: '256MB',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  random_page_cost: '1.1',
  jit: 'off',
  log_destination: 'stderr',
  logging_collector: 'off',
  log_min_messages: 'log',
  log_checkpoints: 'off',
};

const MAX_LOG_BYTES = 4 << 20;
const POLL_MS = 15;
const ORPHANS_MS = 60_000;

/** The live server of this cluster, as its postmaster.pid tells; undefined when there is none, or not yet a port. */
export function findServer(data: string): Server | undefined {
  // PostgreSQL's pidfile.h: 1 pid, 4 port, 8 state.
  const lines = readPidFile(data);
  const pid = Number(lines[0]);
  if (!(pid > 0) || !isPostgresOf(pid, data)) return undefined;
  return { pid, port: Number(lines[3] ?? 0), ready: lines[7]?.trim() === 'ready' };
}

function readPidFile(data: string): string[] {
  try {
    return readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Returns the cluster's server once it is ready: the one that runs, or a new one. Recovery takes as long as it takes while
 * the server lives. The caller holds the lock.
 */
export async function bringUp(
  place: Place,
  binaries: Binaries,
  settings: Record<string, string>,
  log: Log,
): Promise<Server> {
  const { home, data } = place;
  const orphansUntil = Date.now() + ORPHANS_MS;
  for (let ports = 0; ; ) {
    const server = await readyServer(place, undefined, log);
    if (server) return server;

    await clearAway(data, orphansUntil, log);
    const started = launch(place, binaries, await freePort(), settings);
    const ours = await readyServer(place, started, log);
    if (ours) return ours;
    const words = started.words();
    if (/could not create any TCP\/IP sockets/.test(words) && ++ports < 5) continue;
    // Another launched by a start that was killed before there was a pid file: take that one.
    if (/lock file "postmaster\.pid" already exists/.test(words) && findServer(data)) continue;
    if (/shared memory block .* still in use/.test(words) && Date.now() < orphansUntil) {
      await sleep(500);
      continue;
    }
    throw new EmbeddedPostgresError(
      `PostgreSQL does not start on ${data}: ${complaint(words)} (More in ${join(home, 'server.log')}.)`,
    );
  }
}

/** Ends the server, and returns when it is gone. The caller holds the lock. */
export async function shutDown({ data }: Place, log: Log): Promise<void> {
  const server = findServer(data);
  if (!server) return;
  signal(server.pid, 'SIGINT'); // "fast": ends connections, writes a checkpoint
  const tell = every10s(() => log('Waiting for the database to write everything to disk and stop …'));
  while (isPostgresOf(server.pid, data)) {
    tell();
    await sleep(POLL_MS);
  }
}

/** Waits until the cluster's server is ready. Undefined when there is none, or it (or the one just launched) has ended. */
async function readyServer(
  { home, data }: Place,
  launched: Launched | undefined,
  log: Log,
): Promise<Server | undefined> {
  const tell = every10s(() => {
    log(
      `Waiting for the database, which may be recovering from a stop that was not clean: ${lastLine(join(home, 'server.log'))}`,
    );
  });
  for (;;) {
    const server = findServer(data);
    if (server?.ready) return server;
    if (launched ? launched.ended() : !server) return undefined;
    tell();
    await sleep(POLL_MS);
  }
}

interface Launched {
  ended(): boolean;
  /** What it has written to the log. Throws when it could not be run at all. */
  words(): string;
}

function launch(place: Place, { bin }: Binaries, port: number, settings: Record<string, string>): Launched {
  const file = join(place.home, 'server.log');
  const log = openSync(file, 'a', 0o600);
  if (fstatSync(log).size > MAX_LOG_BYTES) ftruncateSync(log);
  const from = fstatSync(log).size;
  const options = Object.entries({ ...SETTINGS, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(bin, 'postgres'), ['-D', place.data, '-p', String(port), ...options], {
    ...childOptions(place),
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  let ended = false;
  let failure: unknown;
  exitOf(child)
    .catch((error) => {
      failure = error;
    })
    .finally(() => {
      ended = true;
    });
  const words = () => {
    if (failure) throw failure;
    return readFileSync(file).subarray(from).toString();
  };
  return { ended: () => ended, words };
}

/**
 * Prepares the folder of a server that was killed. Its backends outlive it until they next wait for something, which a
 * long statement may not do for an hour, and while one lives PostgreSQL does not start: they are told to end. Its pid file
 * PostgreSQL removes by itself when that process is gone, but not when the number is in use again (by whatever program, or
 * a zombie) or the file was cut to nothing by a power failure.
 */
async function clearAway(data: string, until: number, log: Log): Promise<void> {
  const [line] = readPidFile(data);
  if (line === undefined) return;
  for (let told = false; Date.now() < until; told = true) {
    const orphans = postgresProcesses(data);
    if (orphans.length === 0) break;
    if (!told) log(`Waiting for ${orphans.length} processes of a killed PostgreSQL to end …`);
    for (const pid of orphans) signal(pid, 'SIGTERM');
    await sleep(100);
  }
  if (!(Number(line) > 0) || signal(Number(line), 0)) rmSync(join(data, 'postmaster.pid'), { force: true });
}

/** Sends a signal, or with 0 only looks. False when there is no such process. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

function lastLine(file: string): string {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .at(-1)!
    .replace(/^.*?LOG: +/, '');
}

/** Calls `tell` when 3 s have passed, and every 10 s from then on, if called often. */
function every10s(tell: () => void): () => void {
  let next = Date.now() + 3000;
  return () => {
    if (Date.now() < next) return;
    next = Date.now() + 10_000;
    tell();
  };
}
