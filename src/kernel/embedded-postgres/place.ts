/**
 * Where the embedded PostgreSQL's files are, and as whom it runs.
 *
 *     <DATA_DIR>/postgres/       home
 *       data/                    the cluster; appears by a rename when it is whole
 *       new-…/                   a cluster being made, or what a killed first start left of one
 *       password                 of the database user, for Node alone
 *       server.log               what the server writes
 *       locks/                   who is starting or stopping it
 *       location                 only where home is elsewhere: its path
 *
 * PostgreSQL refuses to run as root, so there it runs as an unprivileged user. Such a user cannot enter every folder
 * (root's own home is closed to others); then home is a folder of /var/lib/vitrine, and `location` says which. The name
 * ends at random, so that deleting DATA_DIR means a new database there as anywhere else.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  lchownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf, EmbeddedPostgresError, reasonOf } from './error.ts';

export interface ServerUser {
  name: string;
  uid: number;
  gid: number;
}

export interface Place {
  home: string;
  data: string;
  /** Who runs the server when this process is root; otherwise it runs as this process does. */
  user: ServerUser | undefined;
}

const SHARED = '/var/lib/vitrine';
const OURS = /^(data|new-.*|password|server\.log|locks|location|binaries-.*)$/;

/** Finds home, making the folders when they are missing. */
export function findPlace(dataDir: string, log: (message: string) => void): Place {
  const real = makeFolder(dataDir);
  const own = makeFolder(join(real, 'postgres'));
  const marker = join(own, 'location');
  const users = process.getuid?.() === 0 ? serverUsers() : [];
  const elsewhere = readMarker(marker);

  if (elsewhere !== undefined) {
    if (users.length === 0) throw new EmbeddedPostgresError(otherUser(own, 'root'));
    if (!isFolder(elsewhere)) {
      throw new EmbeddedPostgresError(
        `The database of ${real} was kept in ${elsewhere}, which is gone. Put it back, or delete ${own} to begin with a new one.`,
      );
    }
    return placeIn(elsewhere, users);
  }
  if (users.length > 0 && !isFolder(join(own, 'data')) && closedTo(real, users[0]!) !== undefined) {
    return placeIn(moveElsewhere(real, marker, log), users);
  }
  const place = placeIn(own, users);
  // The server's user passes through home to the cluster, and sees nothing else.
  if (place.user) chmodSync(own, 0o711);
  const closed = place.user && closedTo(own, place.user);
  if (place.user && closed !== undefined) {
    throw new EmbeddedPostgresError(
      `PostgreSQL cannot run as root, and the user ${place.user.name}, who runs it instead, cannot enter ${closed}. Allow it (chmod o+x ${closed}), or set DATA_DIR to another place.`,
    );
  }
  return place;
}

/**
 * Whether there is a cluster; false when it has yet to be made.
 * @throws EmbeddedPostgresError when there is something else in its place
 */
export function clusterExists({ home, data }: Place, major: string): boolean {
  const advice = `Move it away, or set DATA_DIR to another place, and a new database is made.`;
  const entries = readFolder(data);
  if (entries === 'not a folder') throw new EmbeddedPostgresError(`${data} is not a folder. ${advice}`);
  if (entries === undefined || entries.length === 0) {
    const [foreign] = (readdirSync(home) as string[]).filter((name) => !OURS.test(name));
    if (foreign === undefined) return false;
    throw new EmbeddedPostgresError(
      `The folder ${home} holds something that is not Vitrine's (${foreign}) and no database. ${advice}`,
    );
  }
  if (!entries.includes('PG_VERSION')) {
    throw new EmbeddedPostgresError(`The folder ${data} is not a whole PostgreSQL database (no PG_VERSION). ${advice}`);
  }
  const version = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  if (version !== major) {
    throw new EmbeddedPostgresError(
      `The database in ${data} was made by PostgreSQL ${version || 'of an unknown version'}, and this is PostgreSQL ${major}, which cannot read it. Start it with the Vitrine that made it, or: ${advice}`,
    );
  }
  return true;
}

/** A cluster that root copied (a backup put back) belongs to root, who may not run it: gives it to the server's user. */
export function giveToUser({ data, user }: Place): void {
  if (!user || statSync(data).uid !== 0) return;
  for (const name of readdirSync(data, { recursive: true }) as string[])
    lchownSync(join(data, name), user.uid, user.gid);
  chmodSync(data, 0o700);
  lchownSync(data, user.uid, user.gid);
}

/** The first folder on the way to `path`, itself included, that the user cannot enter. */
export function closedTo(path: string, user: ServerUser): string | undefined {
  const parent = dirname(path);
  const above = parent === path ? undefined : closedTo(parent, user);
  if (above !== undefined) return above;
  return permits(path, user, 0o1) ? undefined : path;
}

/** Whether the mode of `path` gives the user these rights (4 read, 2 write, 1 enter or run). */
export function permits(path: string, user: ServerUser, rights: number): boolean {
  const { mode, uid, gid } = statSync(path);
  const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
  return ((mode >> shift) & rights) === rights;
}

function placeIn(home: string, users: ServerUser[]): Place {
  const data = join(home, 'data');
  const owner = isFolder(data) ? statSync(data).uid : undefined;
  if (users.length === 0) {
    const me = process.getuid?.();
    if (owner !== undefined && owner !== me) throw new EmbeddedPostgresError(otherUser(data, nameOf(owner)));
    return { home, data, user: undefined };
  }
  const user = owner === undefined || owner === 0 ? users[0] : users.find(({ uid }) => uid === owner);
  if (user === undefined) throw new EmbeddedPostgresError(otherUser(data, nameOf(owner!)));
  return { home, data, user };
}

function otherUser(path: string, name: string): string {
  return `The database in ${path} was made by a start as ${name}, and this one is as ${nameOf(process.getuid!())}. Start as ${name}, or set DATA_DIR to another place.`;
}

function moveElsewhere(real: string, marker: string, log: (message: string) => void): string {
  const hash = createHash('sha256').update(real).digest('hex').slice(0, 12);
  const home = join(SHARED, `${hash}-${randomBytes(4).toString('hex')}`);
  try {
    mkdirSync(home, { recursive: true });
    chmodSync(SHARED, 0o755);
    chmodSync(home, 0o711);
  } catch (error) {
    throw new EmbeddedPostgresError(
      `PostgreSQL cannot run as root, and its user cannot enter ${real}; keeping the database in ${SHARED} instead failed (${reasonOf(error)}). Set DATA_DIR to a place that others can enter, or set DATABASE_URL.`,
    );
  }
  const draft = `${marker}.${process.pid}`;
  writeFileSync(draft, `${home}\n`);
  try {
    linkSync(draft, marker);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    // Another start was quicker.
    rmSync(home, { recursive: true });
    return readMarker(marker)!;
  } finally {
    rmSync(draft, { force: true });
  }
  log(`PostgreSQL cannot run as root, and its user cannot enter ${real}: the database is kept in ${home}.`);
  const older = readdirSync(SHARED).filter((name) => name.startsWith(hash) && join(SHARED, name) !== home);
  if (older.length > 0) {
    log(
      `Databases of a ${real} that was deleted are still in ${SHARED}: ${older.join(', ')}. Delete what is not needed.`,
    );
  }
  return home;
}

function readMarker(marker: string): string | undefined {
  try {
    return readFileSync(marker, 'utf8').trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new EmbeddedPostgresError(`${marker} cannot be read: ${reasonOf(error)}.`);
  }
}

function makeFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return realpathSync(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new EmbeddedPostgresError(`${path} is not a folder. Remove it, or set DATA_DIR to another place.`);
    }
    const owner = ownerOf(path);
    if (code === 'EACCES' && owner !== undefined && owner !== process.getuid?.()) {
      throw new EmbeddedPostgresError(otherUser(path, nameOf(owner)));
    }
    throw new EmbeddedPostgresError(
      `The data folder ${path} cannot be used: ${reasonOf(error)}. Allow it, or set DATA_DIR to another place.`,
    );
  }
}

function readFolder(path: string): string[] | 'not a folder' | undefined {
  try {
    return readdirSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (codeOf(error) === 'ENOTDIR') return 'not a folder';
    throw new EmbeddedPostgresError(`The database's folder ${path} cannot be read: ${reasonOf(error)}.`);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function ownerOf(path: string): number | undefined {
  try {
    return statSync(path).uid;
  } catch {
    return undefined;
  }
}

function accounts(): ServerUser[] {
  if (!existsSync('/etc/passwd')) return [];
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
}

/** Who may run PostgreSQL for root, the best first (`_postgres` is its name on macOS, where `nobody` has no usable number). */
function serverUsers(): ServerUser[] {
  const all = accounts();
  const found = ['postgres', '_postgres', 'nobody'].flatMap((name) => all.find((user) => user.name === name) ?? []);
  const users = found.filter(({ uid }) => uid > 0);
  if (users.length === 0) {
    throw new EmbeddedPostgresError(
      'PostgreSQL cannot run as root, and there is no user "postgres" or "nobody" to run it instead. Start as an ordinary user, or set DATABASE_URL.',
    );
  }
  return users;
}

function nameOf(uid: number): string {
  return accounts().find((user) => user.uid === uid)?.name ?? `user ${uid}`;
}
