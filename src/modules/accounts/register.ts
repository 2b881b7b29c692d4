import { Value } from 'typebox/value';
import { build, type Tx } from '../../kernel/db.ts';
import type { FieldError } from '../../kernel/errors.ts';
import { validationFailed } from '../../kernel/http/index.ts';
import { newId } from '../../kernel/ids.ts';
import type { AccountsContext } from './context.ts';
import { emailTaken, usernameTaken } from './errors.ts';
import type { Role } from './identity.ts';
import { countMail } from './mail-limit.ts';
import { HOURS_VALID, makeToken } from './one-time-tokens.ts';
import { hashPassword, judgePassword } from './passwords.ts';
import { Email, Username } from './schemas.ts';

export type NewUser = {
  email: string;
  username: string;
  password: string;
  first_name?: string | undefined;
  last_name?: string | undefined;
};

export type RegisteredUser = {
  id: string;
  email: string;
  username: string;
  first_name: string;
  last_name: string;
  role: Role;
};

/** To one address, which accounts can be opened with, moved away from, and opened with again. */
const LINKS_TO_OPENED_AN_HOUR = 3;

/** Makes a customer, who is asked by mail to prove the address. Throws validation_failed, email_taken, username_taken. */
export async function register(
  context: AccountsContext,
  { password_confirm, ...user }: NewUser & { password_confirm?: string | undefined },
): Promise<RegisteredUser> {
  if (password_confirm !== undefined && password_confirm !== user.password)
    throw validationFailed('The two passwords differ.', {
      errors: [{ path: 'password_confirm', message: 'must be the same as the password' }],
    });
  const made = await createUser(context, { ...user, role: 'customer' });
  await context.events.flush();
  return made;
}

/**
 * Makes a user with any role, for whoever may. `verified` says that the address needs no proof: it was given by the
 * person who runs the shop.
 */
export async function createUser(
  context: AccountsContext,
  user: NewUser & { role: Role; verified?: boolean; actorId?: string },
): Promise<RegisteredUser> {
  const { db, events, clock } = context;
  const faults: FieldError[] = [];
  if (!Value.Check(Email, user.email)) faults.push({ path: 'email', message: 'must be an e-mail address' });
  if (!Value.Check(Username, user.username))
    faults.push({ path: 'username', message: 'must be 3 to 40 letters, digits, full stops, hyphens and underscores' });
  const weak = judgePassword(user.password, [user.username, user.email]);
  if (weak) faults.push(weak);
  if (faults.length > 0) throw validationFailed('An account cannot be made of this.', { errors: faults });
  const passwordHash = await hashPassword(user.password);
  const now = clock.now();
  const made: RegisteredUser = {
    id: newId(),
    email: user.email.trim(),
    username: user.username,
    first_name: user.first_name?.trim() ?? '',
    last_name: user.last_name?.trim() ?? '',
    role: user.role,
  };
  await takingNames(() =>
    db.transaction(async (tx) => {
      await tx.run(
        build.insertInto('users').values({
          ...made,
          password_hash: passwordHash,
          email_verified_at: user.verified ? now : null,
          email_ever_verified: user.verified ?? false,
          created_at: now,
          updated_at: now,
        }),
      );
      await events.append(tx, {
        type: 'user.registered',
        subject: { type: 'user', id: made.id },
        actorId: user.actorId ?? made.id,
        data: { role: made.role },
      });
      // Beyond that the account has no link yet, which its owner can ask for: nobody is to be kept from opening one.
      const count = { name: `opened with ${made.email.toLowerCase()}`, most: LINKS_TO_OPENED_AN_HOUR };
      if (!user.verified && (await countMail(context, tx, count)) === null)
        await askToVerify(context, tx, { userId: made.id, email: made.email });
    }),
  );
  return made;
}

/** Sends the link that proves the address. */
export async function askToVerify(
  context: AccountsContext,
  tx: Tx,
  to: { userId: string; email: string },
): Promise<void> {
  const token = await makeToken(context, tx, { ...to, purpose: 'verify_email' });
  await context.sendMail(tx, {
    template: 'verify_email',
    to,
    data: { url: `${context.publicUrl}/email/verify?token=${token}`, hours: HOURS_VALID.verify_email },
  });
}

/** Turns the database's refusal of a name that somebody else has into the sentence for it. */
export async function takingNames<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, constraint } = error as { code?: string; constraint?: string };
    if (code === '23505' && constraint === 'users_by_email')
      throw emailTaken('There is an account with this e-mail address. Log in, or set a new password.');
    if (code === '23505' && constraint === 'users_by_username')
      throw usernameTaken('Somebody else has this username. Choose another.');
    throw error;
  }
}
