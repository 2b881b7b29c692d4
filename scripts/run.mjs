/**
 * Runs what package.json's scripts name: `node scripts/run.mjs src/main.ts start`, `node scripts/run.mjs vitest run`.
 *
 * Before that it installs the packages if they are missing, and it runs the program on Node 24 whatever Node is installed
 * (the package `node` brings one). Plain JavaScript for Node 20 with nothing installed.
 *
 * It outlives the program and returns its exit code, 128 + n for signal n. Of a terminal's Ctrl-C the program hears by
 * itself, as it is in the same process group; other signals are passed on. A program in TypeScript has an IPC channel to
 * this process: its 'disconnect' event says that this process was killed.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULES = join(ROOT, 'node_modules');
/** Written last, so that an install that was cut off has none. */
const STAMP = join(MODULES, '.vitrine-installed');
/** npm's own record of what it has installed, likewise written last. */
const RECORD = join(MODULES, '.package-lock.json');
/** Brought by the package `node`, whose install script `npm ci --ignore-scripts` leaves out. */
const OWN_NODE = join(MODULES, 'node/bin/node');
const INSTALLING = '.installing-';
const MINIMUM_NODE = 24;

const [program, ...args] = process.argv.slice(2);
if (!program) fail('Usage: node scripts/run.mjs <file.ts | program of a dependency> [arguments]');

const onRightNode = Number(process.versions.node.split('.')[0]) >= MINIMUM_NODE;
// What is in src/ runs in production too, where only `npm ci --omit=dev` may have been run.
const needsDev = !onRightNode || !/^(\.\/)?src\//.test(program);
if (!isInstalled(needsDev)) await install(needsDev);
await run(pickNode());

/** Runs the program on this Node, and ends this process as the program ended. */
async function run(node) {
  const path = [dirname(node), join(MODULES, '.bin'), process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH: path };
  const ended = program.endsWith('.ts')
    ? // Until Node 24.12 running TypeScript is announced as experimental at each start.
      follow(
        spawn(node, ['--disable-warning=ExperimentalWarning', resolve(ROOT, program), ...args], {
          // Compiled code, stripped of its types, is kept for the next start: 0.4 s of processor time instead of 0.7.
          env: { NODE_COMPILE_CACHE: join(MODULES, '.cache', 'node'), ...env },
          stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
        }),
      )
    : follow(spawn(join(MODULES, '.bin', program), args, { env, stdio: 'inherit' }));
  process.exit(await ended.catch((error) => fail(`${program} cannot be run: ${error.message}`)));
}

function pickNode() {
  if (onRightNode) return process.execPath;
  if (existsSync(OWN_NODE)) return OWN_NODE;
  return fail(
    `Vitrine needs Node ${MINIMUM_NODE} or later, and this is ${process.version}. The npm package "node" should have brought one, but its install script has not run (are scripts switched off, or was there no network?). Install Node ${MINIMUM_NODE}, or run "npm rebuild node" with scripts allowed.`,
  );
}

/**
 * Passes signals on to the child, and resolves with its exit code when it has ended.
 *
 * SIGINT is not passed on where there is a terminal: Ctrl-C reaches the whole group, and a second one would turn the
 * program's graceful stop into a forced one. When npm, who waits for this process, is gone, the program is asked to end.
 */
function follow(child) {
  const atTerminal = [0, 1, 2].some((fd) => isatty(fd));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !atTerminal) child.kill(signal);
    });
  }
  if (process.env.npm_lifecycle_event) {
    const before = ancestors();
    const watch = setInterval(() => {
      if (ancestors() === before) return;
      clearInterval(watch);
      child.kill('SIGTERM');
    }, 250);
    watch.unref();
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

/**
 * This process's parent, and where that is npm's shell also the shell's, which is npm. A process whose parent has ended gets
 * another one. Shells that stay between (Debian's does) pass no signal on, and die of one sent to them by npm.
 */
function ancestors() {
  const [, name, above] = /\((.*)\) \S (\d+)/.exec(read(`/proc/${process.ppid}/stat`) ?? '') ?? [];
  return name?.endsWith('sh') ? `${process.ppid} ${above}` : `${process.ppid}`;
}

/** Whether node_modules is what package-lock.json asks for, on this platform. */
function isInstalled(withDev) {
  if (!onRightNode && !existsSync(OWN_NODE)) return false;
  const lock = readFileSync(join(ROOT, 'package-lock.json'));
  if (read(STAMP) === stampOf(lock)) return true;
  // Somebody else ran npm: compare package by package (some 10 ms), once.
  const record = read(RECORD);
  if (!record) return false;
  const wanted = JSON.parse(lock).packages;
  const found = JSON.parse(record).packages;
  if (fits(wanted, found, true)) {
    writeStamp(lock);
    return true;
  }
  return !withDev && fits(wanted, found, false);
}

function fits(wanted, found, withDev) {
  for (const [path, { version, integrity, optional, dev, devOptional }] of Object.entries(wanted)) {
    const there = found[path];
    if (path === '' || (!there && (optional || (!withDev && (dev || devOptional))))) continue;
    if (!there || there.version !== version || there.integrity !== integrity) return false;
    if (!existsSync(join(ROOT, path, 'package.json'))) return false;
  }
  // Foreign programs mean that the folder was copied from another kind of machine.
  return Object.values(found).every(({ os, cpu }) => allows(os, process.platform) && allows(cpu, process.arch));
}

function allows(list, value) {
  return !list || list.includes(value) || list.some((entry) => entry.startsWith('!') && entry !== `!${value}`);
}

function stampOf(lock) {
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform}-${process.arch}\n`;
}

function writeStamp(lock) {
  try {
    writeFileSync(STAMP, stampOf(lock));
  } catch {
    // node_modules is somebody else's: it is compared again next time.
  }
}

/** Installs, unless another start does so already; then waits for that. */
async function install(withDev) {
  const mine = installerFile(process.pid);
  process.once('exit', () => rmSync(mine, { force: true }));
  for (let told = false; ; ) {
    // Each announces itself and then looks at the others; of two, the later sees the earlier.
    if (!otherInstaller()) {
      try {
        writeFileSync(mine, '');
      } catch (error) {
        fail(`The packages have to be installed, and ${ROOT} cannot be written: ${error.message}.`);
      }
      if (!otherInstaller()) break;
      rmSync(mine, { force: true });
    }
    if (!told) console.error('Waiting for another start that is installing the packages …');
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 200));
  }
  if (!isInstalled(withDev)) await npmInstall();
  rmSync(mine, { force: true });
}

function installerFile(pid) {
  return join(ROOT, `${INSTALLING}${pid}`);
}

/** Whether a live process is installing; what a killed one has left, half an hour ago at most, is removed. */
function otherInstaller() {
  return readdirSync(ROOT).some((name) => {
    const pid = Number(name.startsWith(INSTALLING) && name.slice(INSTALLING.length));
    if (!pid || pid === process.pid) return false;
    const path = join(ROOT, name);
    const since = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - since < 30 * 60_000 && isAlive(pid)) return true;
    rmSync(path, { force: true });
    return false;
  });
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function npmInstall() {
  const why = existsSync(MODULES) ? 'node_modules does not fit package-lock.json' : 'there is no node_modules yet';
  console.error(`Installing what is missing, since ${why} (once, about a minute) …`);
  for (const path of [STAMP, RECORD]) rmSync(path, { force: true });

  const options = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  // Within an npm script this is the npm that runs it, else the one on the PATH.
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? process.env.npm_execpath : undefined;
  const stdio = ['ignore', 'pipe', 'pipe'];
  const child = npm
    ? spawn(process.execPath, [npm, ...options], { cwd: ROOT, stdio })
    : spawn('npm', options, { cwd: ROOT, stdio });
  // npm goes on when this process is killed, and the next start has to wait for it.
  const its = installerFile(child.pid);
  if (child.pid) writeFileSync(its, '');
  process.once('exit', () => rmSync(its, { force: true }));
  let words = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      words += chunk;
    });
  }
  const code = await follow(child).catch((error) => fail(`npm cannot be run: ${error.message}`));
  rmSync(its, { force: true });
  if (code === 0) return writeStamp(readFileSync(join(ROOT, 'package-lock.json')));
  if (code > 128) process.exit(code);
  fail(
    `${words}\nThe packages could not be installed: "npm ${options.join(' ')}" ended with code ${code}; what it said is above.`,
  );
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
