import { randomBytes } from 'node:crypto';
import { sql, type Tx } from '../../kernel/db.ts';
import type { AccountsContext } from './context.ts';
import { lastSuperuser } from './errors.ts';
import { createUser } from './register.ts';

/** The superusers, of whom there is always one: without any, nobody could make another. */

const SUPERUSERS_LOCK = 0x73757072;

/**
 * Refuses to take away the last superuser there is; to be called before a superuser is demoted, disabled or erased, in
 * the same transaction. Such transactions wait for one another, so that two superusers cannot remove each other at once.
 * Throws last_superuser.
 */
export async function refuseLastSuperuser(tx: Tx, userId: string): Promise<void> {
  await tx.run(sql('select pg_advisory_xact_lock($1)', [SUPERUSERS_LOCK]));
  const other = await tx.maybe(
    sql(
      `select from users where role = 'superuser' and id <> $1 and disabled_at is null and erased_at is null limit 1`,
      [userId],
    ),
  );
  if (!other)
    throw lastSuperuser('This is the only superuser left. Make somebody else one first, or nobody could run the shop.');
}

/** The first superuser, as the configuration names it or as it is made up. */
export type FirstSuperuser = { email: string; username: string; password: string; generated: boolean };

/**
 * Makes the first superuser when there is none: the one that ADMIN_EMAIL and ADMIN_PASSWORD name, or on the embedded
 * database one with a made-up password, which is told here and never again. Null when there is nothing to make. Throws
 * what createUser does, such as for a password that is not good enough.
 */
export async function makeFirstSuperuser(context: AccountsContext): Promise<FirstSuperuser | null> {
  const { config } = context;
  if ((config.ADMIN_EMAIL === null && !config.embedded) || (await hasSuperuser(context))) return null;
  const generated = config.ADMIN_EMAIL === null;
  const email = config.ADMIN_EMAIL ?? 'admin@localhost.localdomain';
  const password = config.ADMIN_PASSWORD ?? randomBytes(12).toString('base64url');
  const username = await freeUsername(context, email);
  try {
    await createUser(context, { email, username, password, role: 'superuser', verified: true });
  } catch (error) {
    // Of nodes that start together, the others find that it has just been made.
    if (await hasSuperuser(context)) return null;
    throw error;
  }
  return { email, username, password, generated };
}

export async function hasSuperuser({ db }: Pick<AccountsContext, 'db'>): Promise<boolean> {
  return (
    (await db.maybe(sql(`select from users where role = 'superuser' and erased_at is null limit 1`))) !== undefined
  );
}

/** The part of the address before its @, as far as it can be a username, with a number when somebody has it. */
async function freeUsername({ db }: AccountsContext, email: string): Promise<string> {
  const wished = email
    .split('@', 1)[0]!
    .replace(/[^A-Za-z0-9._-]/g, '')
    .replace(/^[._-]+/, '')
    .slice(0, 30)
    .padEnd(3, '0');
  for (let n = 1; ; n++) {
    const username = n === 1 ? wished : `${wished}${n}`;
    if (!(await db.maybe(sql('select from users where lower(username) = lower($1)', [username])))) return username;
  }
}
