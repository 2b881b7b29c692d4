import { prepare } from '../../kernel/db.ts';
import type { AccountsContext } from './context.ts';
import { wrongPassword } from './errors.ts';
import type { Identity } from './identity.ts';
import { countAttempt } from './lockout.ts';
import { verifyPassword } from './passwords.ts';

/**
 * What somebody who is logged in must prove again before what a thief of the session must not do. Guesses are counted for
 * the session: whoever has stolen one guesses no faster than at the log-in, and locks nobody out of it.
 */

const HASH = prepare<{ password_hash: string | null }>('select password_hash from users where id = $1');

/** Counts what `prove` throws as a wrong guess of this session. Throws too_many_attempts, and what `prove` throws. */
export async function asGuess<T>(
  context: AccountsContext,
  { userId, sessionId }: Pick<Identity, 'userId' | 'sessionId'>,
  prove: () => Promise<T>,
): Promise<T> {
  const attempt = await countAttempt(context, { account: userId, userId, address: '', device: sessionId });
  const proved = await attempt.unlessBusy(prove);
  await attempt.takeBack();
  return proved;
}

/** Answers the password as it is stored, so that a change can see to it that it is still this one. Throws wrong_password. */
export async function checkOwnPassword({ db }: AccountsContext, userId: string, password: string): Promise<string> {
  const stored = (await db.maybe(HASH([userId])))?.password_hash ?? null;
  if (!(await verifyPassword(stored, password)) || stored === null)
    throw wrongPassword('This is not your present password. If you do not know it, set a new one by e-mail.');
  return stored;
}
