/** The launcher in a small project of its own, with npm replaced by a script unless said otherwise. */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** A busy machine may take its time. */
const PATIENTLY = { timeout: 15_000 };

let root: string;
let children: ChildProcess[];

const LOCK = {
  name: 'small',
  lockfileVersion: 3,
  packages: {
    '': { name: 'small' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/tool': { version: '1.0.0', integrity: 'sha512-t', dev: true },
    'node_modules/mac': { version: '1.0.0', integrity: 'sha512-m', optional: true, os: ['no such system'] },
  },
};
/** What it installs, and how: each run adds a line to npm.log. */
const NPM = `
  const { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
  appendFileSync('npm.log', process.argv.slice(2).join(' ') + '\\n');
  console.log('npm says hello');
  if (existsSync('npm-fails')) { console.error('npm says E404'); process.exit(7); }
  rmSync('node_modules', { recursive: true, force: true });
  const { packages } = JSON.parse(readFileSync('package-lock.json'));
  for (const path of ['node_modules/a', 'node_modules/tool']) {
    mkdirSync(path, { recursive: true });
    writeFileSync(path + '/package.json', '{}');
    if (existsSync('npm-hangs')) { setTimeout(() => undefined, 60_000); return; }
  }
  mkdirSync('node_modules/.bin');
  writeFileSync('node_modules/.bin/tool', '#!/usr/bin/env node\\nconsole.log("tool", process.argv.slice(2).join("|"), process.execPath)', { mode: 0o755 });
  delete packages['node_modules/mac'];
  const finish = () => writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages }));
  existsSync('npm-slow') ? setTimeout(finish, 1500) : finish();`;

beforeEach(() => {
  root = join(realpathSync(mkdtempSync(join(tmpdir(), 'vitrine-run-'))), 'a path with spaces');
  children = [];
  cpSync(join(dirname(fileURLToPath(import.meta.url)), 'run.mjs'), join(root, 'scripts/run.mjs'));
  writeFileSync(join(root, 'package.json'), '{"name":"small","type":"module"}');
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify(LOCK));
  mkdirSync(join(root, 'npm'));
  writeFileSync(join(root, 'npm/npm-cli.js'), `(() => {${NPM}})()`);
  writeFileSync(join(root, 'npm/package.json'), '{"type":"commonjs"}');
  mkdirSync(join(root, 'src'));
  writeFileSync(
    join(root, 'src/main.ts'),
    `const words: string = process.argv.slice(2).join('|');
     console.log('main', words);
     if (words === 'fail') process.exit(3);
     if (words === 'die') process.kill(process.pid, 'SIGKILL');
     if (words === 'stay') {
       console.log('pid', process.pid);
       for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
         process.on(signal, () => {
           console.log('heard', signal);
           setTimeout(() => process.exit(0), 300);
         });
       }
       process.on('disconnect', () => process.exit(0));
       setInterval(() => undefined, 1000);
     }`,
  );
});

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(dirname(root), { recursive: true, force: true });
});

const env = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  PATH: `${dirname(process.execPath)}${delimiter}/usr/bin${delimiter}/bin`,
  HOME: root,
  npm_execpath: join(root, 'npm/npm-cli.js'),
  ...more,
});

function run(args: string[], options: SpawnOptions & { node?: string } = {}) {
  const child = spawn(options.node ?? process.execPath, [join(root, 'scripts/run.mjs'), ...args], {
    cwd: root,
    env: env(),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  children.push(child);
  const said = { out: '', err: '' };
  child.stdout!.setEncoding('utf8').on('data', (chunk) => {
    said.out += chunk;
  });
  child.stderr!.setEncoding('utf8').on('data', (chunk) => {
    said.err += chunk;
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...said }));
  return { child, said, ended, pid: () => Number(/pid (\d+)/.exec(said.out)?.[1]) };
}

function installs(): string[] {
  return existsSync(join(root, 'npm.log')) ? readFileSync(join(root, 'npm.log'), 'utf8').trim().split('\n') : [];
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

describe('installing', () => {
  test('happens once, with one line on stderr, and then the program runs', async () => {
    expect(await run(['src/main.ts', 'a b', 'c']).ended).toEqual({
      code: 0,
      signal: null,
      out: 'main a b|c\n',
      err: 'Installing what is missing, since there is no node_modules yet (once, about a minute) …\n',
    });
    expect(installs()).toEqual(['ci --include=dev --no-audit --no-fund']);
    expect(await run(['src/main.ts']).ended).toMatchObject({ code: 0, out: 'main \n', err: '' });
    expect(installs()).toHaveLength(1);
  });

  test('works with the real npm', async () => {
    mkdirSync(join(root, 'a'));
    writeFileSync(join(root, 'a/package.json'), '{"name":"a","version":"1.0.0","bin":{"a-bin":"a.js"}}');
    writeFileSync(join(root, 'a/a.js'), '#!/usr/bin/env node\nconsole.log("a runs")');
    writeFileSync(join(root, 'package.json'), '{"name":"small","type":"module","dependencies":{"a":"file:a"}}');
    const packages = {
      '': { name: 'small', dependencies: { a: 'file:a' } },
      a: { version: '1.0.0', bin: { 'a-bin': 'a.js' } },
      'node_modules/a': { resolved: 'a', link: true },
    };
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ ...LOCK, packages }));
    const real = env({ npm_execpath: undefined, npm_config_offline: 'true', PATH: process.env.PATH });
    expect(await run(['a-bin'], { env: real }).ended).toMatchObject({ code: 0, out: 'a runs\n' });
    const stamp = join(root, 'node_modules/.vitrine-installed');
    const before = readFileSync(stamp, 'utf8');
    rmSync(stamp);
    expect(await run(['a-bin'], { env: real }).ended).toMatchObject({ code: 0, out: 'a runs\n', err: '' });
    expect(readFileSync(stamp, 'utf8')).toBe(before);
  });

  test('is done again when the lock has changed, a package is gone, or the folder is of another platform', async () => {
    await run(['src/main.ts']).ended;
    const stamp = join(root, 'node_modules/.vitrine-installed');
    const changes: [string, () => void][] = [
      [
        'another version',
        () => writeFileSync(join(root, 'package-lock.json'), JSON.stringify(LOCK).replace('sha512-a', 'sha512-b')),
      ],
      [
        'a package gone',
        () => {
          rmSync(stamp);
          rmSync(join(root, 'node_modules/a'), { recursive: true });
        },
      ],
      [
        'another platform',
        () => {
          writeFileSync(stamp, readFileSync(stamp, 'utf8').replace(process.platform, 'other'));
          const record = join(root, 'node_modules/.package-lock.json');
          const { packages } = JSON.parse(readFileSync(record, 'utf8'));
          mkdirSync(join(root, 'node_modules/mac'));
          writeFileSync(join(root, 'node_modules/mac/package.json'), '{}');
          packages['node_modules/mac'] = LOCK.packages['node_modules/mac'];
          writeFileSync(record, JSON.stringify({ packages }));
        },
      ],
    ];
    for (const [index, [name, change]] of changes.entries()) {
      change();
      expect((await run(['src/main.ts']).ended).err, name).toMatch(/node_modules does not fit package-lock\.json/);
      expect(installs(), name).toHaveLength(index + 2);
      expect((await run(['src/main.ts']).ended).err, name).toBe('');
    }
  });

  test('is not done over what npm itself has installed, nor for missing development packages in production', async () => {
    await run(['src/main.ts']).ended;
    rmSync(join(root, 'node_modules/.vitrine-installed'));
    expect(await run(['tool']).ended).toMatchObject({ code: 0, err: '' });

    rmSync(join(root, 'node_modules/.vitrine-installed'));
    const record = join(root, 'node_modules/.package-lock.json');
    const { packages } = JSON.parse(readFileSync(record, 'utf8'));
    delete packages['node_modules/tool'];
    writeFileSync(record, JSON.stringify({ packages }));
    rmSync(join(root, 'node_modules/tool'), { recursive: true });
    expect(await run(['src/main.ts']).ended).toMatchObject({ code: 0, err: '' });
    expect(installs()).toHaveLength(1);
    expect((await run(['tool']).ended).err).toMatch(/^Installing/);
    expect(installs()).toHaveLength(2);
  });

  test('shows what npm said when it fails, and only then', async () => {
    writeFileSync(join(root, 'npm-fails'), '');
    const { code, out, err } = await run(['src/main.ts']).ended;
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/npm says hello[\s\S]*npm says E404[\s\S]*"npm ci [^"]+" ended with code 7/);
    rmSync(join(root, 'npm-fails'));
    expect(await run(['src/main.ts']).ended).toMatchObject({ code: 0, out: 'main \n' });
  });

  test('that was cut off is done again', async () => {
    writeFileSync(join(root, 'npm-hangs'), '');
    const first = run(['src/main.ts']);
    await expect.poll(() => existsSync(join(root, 'node_modules/a')), PATIENTLY).toBe(true);
    first.child.kill('SIGTERM');
    expect(await first.ended).toMatchObject({ code: 143, out: '' });

    rmSync(join(root, 'npm-hangs'));
    expect(await run(['src/main.ts']).ended).toMatchObject({ code: 0, out: 'main \n' });
    expect(installs()).toHaveLength(2);
  });

  test('goes on when only the launcher is killed, and the next start waits for it', async () => {
    writeFileSync(join(root, 'npm-slow'), '');
    const first = run(['src/main.ts']);
    await expect.poll(() => existsSync(join(root, 'node_modules/.bin/tool')), PATIENTLY).toBe(true);
    first.child.kill('SIGKILL');
    const { code, out, err } = await run(['src/main.ts']).ended;
    expect([code, out]).toEqual([0, 'main \n']);
    expect(err).toBe('Waiting for another start that is installing the packages …\n');
    expect(installs()).toHaveLength(1);
    expect(readdirSync(root).filter((name) => name.startsWith('.installing-'))).toEqual([]);
  });

  test('is done by one of several starts at once', async () => {
    writeFileSync(join(root, 'npm-slow'), '');
    const all = await Promise.all([1, 2, 3, 4].map((n) => run(['src/main.ts', String(n)]).ended));
    expect(all.map(({ code, out }) => [code, out])).toEqual([1, 2, 3, 4].map((n) => [0, `main ${n}\n`]));
    expect(installs()).toHaveLength(1);
    expect(all.filter(({ err }) => err.includes('Waiting for another start'))).not.toEqual([]);
  });
});

describe('running', () => {
  beforeEach(async () => {
    await run(['src/main.ts']).ended;
  });

  test('gives the program, and what it starts, the right Node first', async () => {
    const { out } = await run(['tool', 'a b', '--flag'], { env: env({ PATH: '/usr/bin:/bin' }) }).ended;
    expect(out).toBe(`tool a b|--flag ${process.execPath}\n`);
  });

  test('returns the exit code, and 128 + n for a signal', async () => {
    expect((await run(['src/main.ts', 'fail']).ended).code).toBe(3);
    expect((await run(['src/main.ts', 'die']).ended).code).toBe(137);
  });

  test('says in a sentence that there is no such program', async () => {
    expect(await run(['nonsense']).ended).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^nonsense cannot be run: .*ENOENT\n$/),
    });
    expect(await run([]).ended).toMatchObject({ code: 1, err: expect.stringMatching(/^Usage: /) });
  });

  test.for(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('passes %s on once, and waits for the end', async (signal) => {
    const { child, said, ended } = run(['src/main.ts', 'stay']);
    await expect.poll(() => said.out, PATIENTLY).toContain('pid');
    child.kill(signal);
    const { code, out } = await ended;
    expect(code).toBe(0);
    expect(out.match(/heard/g)).toHaveLength(1);
    expect(out).toContain(`heard ${signal}`);
  });

  test('tells the program by its IPC channel that the launcher was killed', async () => {
    const { child, said, pid } = run(['src/main.ts', 'stay']);
    await expect.poll(() => said.out, PATIENTLY).toContain('pid');
    child.kill('SIGKILL');
    await expect.poll(() => isAlive(pid()), PATIENTLY).toBe(false);
  });

  test.for(['npm', "npm's shell"])('ends the program when %s is killed', async (which) => {
    // Debian's shell stays when there is a second command, as it does under npm.
    const command = `"${process.execPath}" scripts/run.mjs src/main.ts stay; true`;
    const code = `const { pid } = require('node:child_process').spawn('sh', ['-c', process.argv[1]], { stdio: 'inherit' });
      console.log('shell', pid);`;
    const npm = spawn(process.execPath, ['-e', code, command], {
      cwd: root,
      env: env({ npm_lifecycle_event: 'start' }),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(npm);
    let out = '';
    npm.stdout.on('data', (chunk) => {
      out += chunk;
    });
    await expect.poll(() => out, PATIENTLY).toMatch(/pid \d+\n/);
    process.kill(which === 'npm' ? npm.pid! : Number(/shell (\d+)/.exec(out)![1]), 'SIGKILL');
    await expect.poll(() => out, PATIENTLY).toContain('heard SIGTERM');
    await expect.poll(() => isAlive(Number(/pid (\d+)/.exec(out)![1])), PATIENTLY).toBe(false);
  });

  // util-linux's `script` gives a terminal, where Ctrl-C is a character.
  if (process.platform === 'linux' && existsSync('/usr/bin/script')) {
    test("lets a terminal's Ctrl-C reach the program once", async () => {
      const command = `exec "${process.execPath}" scripts/run.mjs src/main.ts stay`;
      const terminal = spawn('/usr/bin/script', ['-qec', command, '/dev/null'], { cwd: root, env: env() });
      children.push(terminal);
      let out = '';
      terminal.stdout.on('data', (chunk) => {
        out += chunk;
      });
      await expect.poll(() => out, PATIENTLY).toContain('pid');
      terminal.stdin.write('\x03');
      const [code] = await once(terminal, 'close');
      expect(code).toBe(0);
      expect(out.match(/heard/g)).toHaveLength(1);
    });
  }

  const older = ['/usr/bin/node', '/usr/local/bin/node'].find((node) => {
    const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout ?? '';
    return /^v2[0-3]\./.test(version);
  });
  if (older) {
    test('on an older Node uses the one of the package "node", and says when its script has not run', async () => {
      const { code, err } = await run(['src/main.ts'], { node: older }).ended;
      expect(code).toBe(1);
      expect(err).toMatch(/Vitrine needs Node 24 or later, and this is v2\d.*\n$/);
      mkdirSync(join(root, 'node_modules/node/bin'), { recursive: true });
      const own = join(root, 'node_modules/node/bin/node');
      writeFileSync(own, `#!/bin/sh\nexec "${process.execPath}" "$@"`);
      chmodSync(own, 0o755);
      expect(await run(['src/main.ts', 'x'], { node: older }).ended).toMatchObject({
        code: 0,
        out: 'main x\n',
        err: '',
      });
    });
  }
});
