import { sql } from '../../kernel/db.ts';
import { type Page, type Paging, readPage } from '../../kernel/paging.ts';
import type { AccountsContext } from './context.ts';
import { forbidden, userNotFound } from './errors.ts';
import { hasRole, type Identity, type Role } from './identity.ts';
import { dropSecondFactor } from './second-factor.ts';
import { revokeSessionsOf } from './sessions.ts';
import { refuseLastSuperuser } from './superusers.ts';

/** Users as superusers see and change them. */

export type User = {
  id: string;
  email: string | null;
  email_verified: boolean;
  username: string;
  first_name: string;
  last_name: string;
  role: Role;
  disabled: boolean;
  second_factor: boolean;
  created_at: Date;
  last_login_at: Date | null;
};

const COLUMNS = `u.id, u.email, u.email_verified_at is not null as email_verified, u.username, u.first_name, u.last_name,
  u.role, u.disabled_at is not null as disabled, u.otp_confirmed_at is not null as second_factor, u.created_at,
  u.last_login_at`;

export type UserQuery = Paging & { search?: string; role?: Role; disabled?: boolean };

/** A page of users, the newest first; `search` looks into names and addresses. Erased ones are not among them. */
export function listUsers(
  { db }: AccountsContext,
  { search, role, disabled, ...paging }: UserQuery,
): Promise<Page<User>> {
  const where = ['u.erased_at is null'];
  const values: unknown[] = [];
  const add = (value: unknown) => `$${values.push(value)}`;
  const words = search?.trim();
  if (words) {
    const pattern = `${add(`%${words.replace(/[\\%_]/g, '\\$&')}%`)}::text`;
    where.push(`concat_ws(' ', u.username, u.email, u.first_name, u.last_name) ilike ${pattern}`);
  }
  if (role) where.push(`u.role = ${add(role)}`);
  if (disabled !== undefined) where.push(disabled ? 'u.disabled_at is not null' : 'u.disabled_at is null');
  return readPage<User>(db, { columns: COLUMNS, from: 'users u', id: 'u.id', where, values }, paging);
}

export async function readUser({ db }: Pick<AccountsContext, 'db'>, id: string): Promise<User> {
  const user = await db.maybe(
    sql<User>(`select ${COLUMNS} from users u where u.id = $1 and u.erased_at is null`, [id]),
  );
  if (!user) throw userNotFound('There is no user with this id.');
  return user;
}

/**
 * Gives a user another role, disables or enables them, or takes a second factor away from somebody who has lost it. It holds at once: the tokens that they have are refused, and a
 * disabled user's sessions end. Throws user_not_found, last_superuser, and forbidden for what an
 * API key must not do: a key that could make somebody staff, or take a second factor away, would be worth all of them.
 */
export async function changeUser(
  context: AccountsContext,
  actor: Identity,
  id: string,
  change: { role?: Role | undefined; disabled?: boolean | undefined; second_factor?: false | undefined },
): Promise<User> {
  const { db, events, clock, revocations } = context;
  await db.transaction(async (tx) => {
    const before = await tx.maybe(
      sql<{ email: string; role: Role; disabled: boolean; second_factor: boolean }>(
        `select email, role, disabled_at is not null as disabled, otp_confirmed_at is not null as second_factor
         from users where id = $1 and erased_at is null for update`,
        [id],
      ),
    );
    if (!before) throw userNotFound('There is no user with this id.');
    const after = { ...before, ...change };
    if (
      actor.scopes !== null &&
      (hasRole(before, 'staff') || hasRole(after, 'staff') || change.second_factor === false)
    )
      throw forbidden('No API key changes staff, makes somebody staff, or takes a second factor away. Log in for it.');
    if (change.second_factor === false && id === actor.userId)
      throw forbidden('Turn your own second factor off in your profile, by your password and a code.');
    const changed = (['role', 'disabled', 'second_factor'] as const).filter((field) => before[field] !== after[field]);
    if (changed.length === 0) return;
    const wasIn = before.role === 'superuser' && !before.disabled;
    const staysIn = after.role === 'superuser' && !after.disabled;
    if (wasIn && !staysIn) await refuseLastSuperuser(tx, id);
    await tx.run(
      sql(
        `update users set role = $2, disabled_at = case when $3 then coalesce(disabled_at, $4) end, updated_at = $4,
           token_epoch = token_epoch + 1, epoch_changed_at = now()
         where id = $1`,
        [id, after.role, after.disabled, clock.now()],
      ),
    );
    if (before.second_factor && !after.second_factor)
      await dropSecondFactor(context, tx, { userId: id, email: before.email });
    if (after.disabled) await revokeSessionsOf(tx, id);
    const changes = Object.fromEntries(changed.map((field) => [field, { from: before[field], to: after[field] }]));
    await events.append(tx, {
      type: 'user.updated',
      subject: { type: 'user', id },
      actorId: actor.userId,
      changes,
      userId: id,
    });
  });
  await Promise.all([revocations.spread(), events.flush()]);
  return readUser(context, id);
}
