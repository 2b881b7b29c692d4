/** Running PostgreSQL's programs. */
import type { ChildProcess } from 'node:child_process';
import { codeOf, EmbeddedPostgresError } from './error.ts';
import type { Place } from './place.ts';

/** How the children run: as the server's user, out of reach of the terminal's Ctrl-C, and in none of our PG* variables. */
export function childOptions({ home, user }: Place) {
  return {
    cwd: home,
    detached: true,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    ...(user && { uid: user.uid, gid: user.gid }),
  };
}

/** The exit code, null for a signal. Rejects when the program could not be run at all. */
export function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      const musl = codeOf(error) === 'ENOENT' ? ' (its binaries need glibc, which Alpine Linux has not)' : '';
      reject(
        new EmbeddedPostgresError(
          `PostgreSQL cannot be run on this system: ${error.message}${musl}. Set DATABASE_URL to use a PostgreSQL of your own.`,
        ),
      );
    });
    child.once('close', resolve);
  });
}

/** The sentences out of PostgreSQL's output that say what is wrong. */
export function complaint(words: string): string {
  const lines = words.split('\n').filter((line) => line.trim() !== '');
  const found = lines.flatMap((line) => /(?:FATAL|PANIC|DETAIL|HINT|error): +(.*)/.exec(line)?.[1] ?? []);
  return (found.length > 0 ? found.slice(0, 4) : lines.slice(-1)).join(' ') || 'it ended without a word.';
}
