/** Making the cluster, and its password. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { childOptions, complaint, exitOf } from './child.ts';
import { codeOf, EmbeddedPostgresError, reasonOf } from './error.ts';
import type { Place } from './place.ts';

/**
 * Makes the cluster under a temporary name and renames it when it is whole and on disk. The caller holds the lock.
 * ICU's root collation, since these binaries know no C.UTF-8.
 */
export async function createCluster(place: Place, { bin }: Binaries, password: string, sync: boolean): Promise<void> {
  const { home, data, user } = place;
  const work = mkdtempSync(join(home, 'new-'));
  try {
    const passwordFile = join(work, 'password');
    writeFileSync(passwordFile, password, { mode: 0o600 });
    if (user) for (const path of [work, passwordFile]) chownSync(path, user.uid, user.gid);
    const options = [
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=icu',
      '--icu-locale=und',
      '--auth=scram-sha-256',
    ];
    if (!sync) options.push('--no-sync');
    const child = spawn(
      join(bin, 'initdb'),
      [...options, '--username=vitrine', `--pwfile=${passwordFile}`, '-D', join(work, 'data')],
      { ...childOptions(place), stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      words += chunk;
    });
    if ((await exitOf(child)) !== 0) {
      throw new EmbeddedPostgresError(`A new database could not be made in ${home}: ${complaint(words)}`);
    }
    renameSync(join(work, 'data'), data);
    const folder = openSync(home, 'r');
    fsyncSync(folder);
    closeSync(folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Removes what killed first starts left. The caller holds the lock. */
export function removeLeftovers({ home }: Place): void {
  for (const name of readdirSync(home)) {
    if (name.startsWith('new-')) rmSync(join(home, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The password of the cluster's only user, made when there is none. */
export function readPassword({ home, data }: Place, isNew: boolean): string {
  const path = join(home, 'password');
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (!isNew || codeOf(error) !== 'ENOENT') {
      throw new EmbeddedPostgresError(`The password of the database in ${data} cannot be read: ${reasonOf(error)}.`);
    }
    const password = randomBytes(24).toString('hex');
    writeFileSync(path, `${password}\n`, { mode: 0o600, flush: true });
    return password;
  }
}
