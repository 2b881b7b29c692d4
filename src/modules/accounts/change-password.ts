import { sql } from '../../kernel/db.ts';
import { validationFailed } from '../../kernel/http/index.ts';
import type { AccountsContext } from './context.ts';
import { wrongPassword } from './errors.ts';
import type { Identity } from './identity.ts';
import { asGuess, checkOwnPassword } from './own-password.ts';
import { hashPassword, judgePassword } from './passwords.ts';
import { revokeSessionsOf } from './sessions.ts';

/**
 * Changes the password of somebody who knows it. Every other session ends, and so does a mailed link to set a new one.
 * Throws wrong_password, too_many_attempts, validation_failed.
 */
export async function changePassword(
  context: AccountsContext,
  identity: Identity,
  { current_password, password }: { current_password: string; password: string },
): Promise<void> {
  const { db, events, clock, revocations, publicUrl } = context;
  const { userId, sessionId } = identity;
  const stored = await asGuess(context, identity, () => checkOwnPassword(context, userId, current_password));
  const { username, email } = await db.one(
    sql<{ username: string; email: string }>('select username, email from users where id = $1', [userId]),
  );
  const weak = judgePassword(password, [username, email]);
  if (weak) throw validationFailed('The new password is not good enough.', { errors: [weak] });
  const passwordHash = await hashPassword(password);
  await db.transaction(async (tx) => {
    // Only what was proved to be known: it may have been set anew in the meantime, against whoever has this session.
    const changed = await tx.maybe(
      sql<{ email: string }>(
        'update users set password_hash = $3, updated_at = $4 where id = $1 and password_hash = $2 returning email',
        [userId, stored, passwordHash, clock.now()],
      ),
    );
    if (!changed) throw wrongPassword('Your password was changed just now by somebody else who knows it.');
    await tx.run(sql(`delete from one_time_tokens where user_id = $1 and purpose = 'reset_password'`, [userId]));
    await revokeSessionsOf(tx, userId, sessionId);
    await events.append(tx, {
      type: 'user.password_changed',
      subject: { type: 'user', id: userId },
      actorId: userId,
      userId,
    });
    await context.sendMail(tx, {
      template: 'password_changed',
      to: { userId, email: changed.email },
      data: { url: `${publicUrl}/password/forgot` },
    });
  });
  await Promise.all([revocations.spread(), events.flush()]);
}
