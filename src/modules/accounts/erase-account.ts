import { sql } from '../../kernel/db.ts';
import type { AccountsContext } from './context.ts';
import { wrongPassword } from './errors.ts';
import type { Identity, Role } from './identity.ts';
import { asGuess, checkOwnPassword } from './own-password.ts';
import { refuseLastSuperuser } from './superusers.ts';

/**
 * Erases what the shop knows of a person. Their row stays without anything personal, since orders, products and events
 * point at its id; everything else goes, the messages to them included. Their sessions end everywhere within a second:
 * those rows are deleted, so it is the user's epoch that says so (see revocations.ts). Throws wrong_password,
 * too_many_attempts, last_superuser.
 */
export async function eraseAccount(context: AccountsContext, identity: Identity, password: string): Promise<void> {
  const { db, events, clock, revocations } = context;
  const { userId } = identity;
  const stored = await asGuess(context, identity, () => checkOwnPassword(context, userId, password));
  await db.transaction(async (tx) => {
    const user = await tx.maybe(
      sql<{ role: Role }>('select role from users where id = $1 and password_hash = $2 for update', [userId, stored]),
    );
    if (!user) throw wrongPassword('Your password was changed just now, or the account is erased already.');
    if (user.role === 'superuser') await refuseLastSuperuser(tx, userId);
    // No username that anybody can choose has a colon, so nobody can stand in the way by having taken this one.
    await tx.run(
      sql(
        `update users set email = null, username = $2, password_hash = null, first_name = '', last_name = '', phone = '',
           address = null, date_of_birth = null, notifications = '{}', email_verified_at = null, last_login_at = null,
           otp_secret = null, otp_confirmed_at = null, otp_last_step = null, erased_at = $3, updated_at = $3,
           token_epoch = token_epoch + 1, epoch_changed_at = now()
         where id = $1`,
        [userId, `erased:${userId.slice(-12)}`, clock.now()],
      ),
    );
    for (const table of ['sessions', 'one_time_tokens', 'recovery_codes'])
      await tx.run(sql(`delete from ${table} where user_id = $1`, [userId]));
    const keys = await tx.many(
      sql<{ id: string; name: string }>(
        'update api_keys set revoked_at = now() where created_by = $1 and revoked_at is null returning id, name',
        [userId],
      ),
    );
    for (const { id, name } of keys)
      await events.append(tx, {
        type: 'api_key.revoked',
        subject: { type: 'api_key', id },
        actorId: userId,
        data: { name },
      });
    await context.forget(tx, userId);
    await events.append(tx, { type: 'user.erased', subject: { type: 'user', id: userId }, actorId: userId });
  });
  await Promise.all([revocations.spread(), events.flush()]);
}
