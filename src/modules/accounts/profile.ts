import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { build, prepare, sql, type Tx } from '../../kernel/db.ts';
import type { FieldError } from '../../kernel/errors.ts';
import { tooManyRequests, validationFailed } from '../../kernel/http/index.ts';
import type { AccountsContext } from './context.ts';
import { userNotFound, wrongPassword } from './errors.ts';
import type { Identity, Role } from './identity.ts';
import { countMail, countMailTo } from './mail-limit.ts';
import { asGuess, checkOwnPassword } from './own-password.ts';
import { askToVerify, takingNames } from './register.ts';
import { type Address, Email, Line, Phone, type ProfilePatch, type ProfileReplacement, Username } from './schemas.ts';

/** What somebody says of themselves. Their role and what they have proved are not theirs to say. */

type Editable = {
  email: string;
  username: string;
  first_name: string;
  last_name: string;
  phone: string;
  address: Address | null;
  /** `YYYY-MM-DD`. */
  date_of_birth: string | null;
};

export type Profile = Editable & {
  id: string;
  email_verified: boolean;
  role: Role;
  second_factor: boolean;
  created_at: Date;
};

const COLUMNS = 'email, username, first_name, last_name, phone, address, date_of_birth';

const READ = prepare<Profile>(
  `select id, ${COLUMNS}, email_verified_at is not null as email_verified, role,
     otp_confirmed_at is not null as second_factor, created_at
   from users where id = $1 and erased_at is null`,
);

/** Throws user_not_found once the account is erased. */
export async function readProfile({ db }: Pick<AccountsContext, 'db'>, userId: string): Promise<Profile> {
  const profile = await db.maybe(READ([userId]));
  if (!profile) throw userNotFound('This account has been erased.');
  return profile;
}

/**
 * Changes the fields that are given, and of an address its given lines. Another e-mail address takes the password, since
 * whoever reads the mail can set a new one; it holds at once but has to be proved anew. Throws validation_failed,
 * wrong_password, too_many_attempts, email_taken, username_taken, too_many_requests.
 */
export function changeProfile(context: AccountsContext, identity: Identity, patch: ProfilePatch): Promise<Profile> {
  return edit(context, identity, patch, (before) => ({ ...before, ...addressOf(patch, before.address) }));
}

/** The same, and empties the fields that are left out. */
export function replaceProfile(
  context: AccountsContext,
  identity: Identity,
  profile: ProfileReplacement,
): Promise<Profile> {
  const nothing = { first_name: '', last_name: '', phone: '', address: null, date_of_birth: null };
  return edit(context, identity, profile, ({ email, username }) => ({
    email,
    username,
    ...nothing,
    ...addressOf(profile, null),
  }));
}

async function edit(
  context: AccountsContext,
  identity: Identity,
  given: ProfilePatch,
  base: (before: Editable) => Editable,
): Promise<Profile> {
  const { db, events, clock } = context;
  const { userId } = identity;
  const faults = judgeProfile(given, clock.now());
  if (faults.length > 0) throw validationFailed('Some fields are not valid.', { errors: faults });
  const { address: _, current_password: __, ...plain } = given;
  const proved = await proveForAddress(context, identity, given);
  const changed = await takingNames(() =>
    db.transaction(async (tx) => {
      const row = await tx.maybe(LOCK([userId]));
      if (!row) throw userNotFound('This account has been erased.');
      const { password_hash, ...before } = row;
      const after = { ...base(before), ...trimmed(plain) };
      const fields = FIELDS.filter((field) => !sameValue(before[field], after[field]));
      if (fields.length === 0) return false;
      const moves = !sameMailbox(before.email, after.email);
      if (moves && password_hash !== proved)
        throw wrongPassword(
          'Your password or your e-mail address was changed just now, elsewhere. Look, and try again.',
        );
      const { address, ...columns } = after;
      await tx.run(
        build
          .updateTable('users')
          .set({ ...columns, address: address && JSON.stringify(address), updated_at: clock.now() })
          .where('id', '=', userId),
      );
      if (moves) await moveMail(context, tx, userId, { from: before.email, to: after.email });
      // Values would outlive the account in the log, so it names the fields alone.
      await events.append(tx, {
        type: 'user.updated',
        subject: { type: 'user', id: userId },
        actorId: userId,
        data: { fields },
        userId,
      });
      return true;
    }),
  );
  if (changed) await events.flush();
  return readProfile(context, userId);
}

const EMAIL = prepare<{ email: string }>('select email from users where id = $1 and erased_at is null');
const LOCK = prepare<Editable & { password_hash: string }>(
  `select ${COLUMNS}, password_hash from users where id = $1 and erased_at is null for update`,
);

/** The password as it is stored, when it was needed and is right; null when it is not needed. */
async function proveForAddress(
  context: AccountsContext,
  identity: Identity,
  { email, current_password: password }: ProfilePatch,
): Promise<string | null> {
  if (email === undefined) return null;
  const before = await context.db.maybe(EMAIL([identity.userId]));
  if (!before) throw userNotFound('This account has been erased.');
  if (sameMailbox(before.email, email.trim())) return null;
  if (!password)
    throw wrongPassword('To change the e-mail address, send your present password too, as current_password.', {
      errors: [{ path: 'current_password', message: 'is needed to change the e-mail address' }],
    });
  return asGuess(context, identity, () => checkOwnPassword(context, identity.userId, password));
}

/**
 * Whether it is the same address but for the case of A to Z. Other letters are not folded: some, such as the Kelvin sign,
 * become an ordinary one, and the mailbox another.
 */
function sameMailbox(a: string, b: string): boolean {
  const folded = (email: string) => email.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return folded(a) === folded(b);
}

const FIELDS = ['email', 'username', 'first_name', 'last_name', 'phone', 'address', 'date_of_birth'] as const;
const ADDRESS_LINES = ['line1', 'line2', 'city', 'region', 'postal_code', 'country'] as const;

function trimmed<T extends object>(fields: T): T {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'string' ? value.trim() : value]),
  ) as T;
}

/** The address with the given lines over the ones before; none when all of them are empty. */
function addressOf({ address }: ProfilePatch, before: Address | null): { address: Address | null } {
  if (address === undefined) return { address: before };
  if (address === null) return { address: null };
  const lines = { ...before, ...trimmed(address) };
  const whole = Object.fromEntries(ADDRESS_LINES.map((line) => [line, lines[line] ?? ''])) as Address;
  return { address: ADDRESS_LINES.some((line) => whole[line] !== '') ? whole : null };
}

/** The database gives an address's lines in an order of its own. */
function sameValue(a: Editable[keyof Editable], b: Editable[keyof Editable]): boolean {
  if (a === null || b === null || typeof a === 'string' || typeof b === 'string') return a === b;
  return ADDRESS_LINES.every((line) => a[line] === b[line]);
}

const NEW_ADDRESSES_AN_HOUR = 5;

/** Another address: what was sent to the old one proves nothing any more, and its owner is told. */
async function moveMail(
  context: AccountsContext,
  tx: Tx,
  userId: string,
  { from, to }: { from: string; to: string },
): Promise<void> {
  const wait = await countMail(context, tx, { name: `new e-mail address ${userId}`, most: NEW_ADDRESSES_AN_HOUR });
  if (wait !== null)
    throw tooManyRequests(
      `You have changed your e-mail address ${NEW_ADDRESSES_AN_HOUR} times within an hour. Try again in ${Math.ceil(wait / 60)} minutes.`,
      { headers: { 'retry-after': String(wait) } },
    );
  await countMailTo(context, tx, to);
  await tx.run(sql('update users set email_verified_at = null where id = $1', [userId]));
  await tx.run(sql('delete from one_time_tokens where user_id = $1', [userId]));
  await askToVerify(context, tx, { userId, email: to });
  await context.sendMail(tx, {
    template: 'email_changed',
    to: { userId, email: from },
    data: { url: context.publicUrl },
  });
}

const MESSAGES: Readonly<Record<string, [TSchema, string]>> = {
  email: [Email, 'must be an e-mail address'],
  username: [Username, 'must be 3 to 40 letters, digits, full stops, hyphens and underscores'],
  first_name: [Line(100), 'must be one line of at most 100 characters'],
  last_name: [Line(100), 'must be one line of at most 100 characters'],
  phone: [Phone, 'must be a phone number of 5 to 20 digits'],
};
const ADDRESS_MESSAGES: Readonly<Record<(typeof ADDRESS_LINES)[number], [TSchema, string]>> = {
  line1: [Line(200), 'must be one line of at most 200 characters'],
  line2: [Line(200), 'must be one line of at most 200 characters'],
  city: [Line(100), 'must be one line of at most 100 characters'],
  region: [Line(100), 'must be one line of at most 100 characters'],
  postal_code: [Line(20), 'must be one line of at most 20 characters'],
  country: [Line(2), 'must be the two letters of a country, such as DE'],
};

/** What is wrong with a profile, field by field: forms come here without having passed the API's schema. */
function judgeProfile({ address, date_of_birth: born, ...plain }: ProfilePatch, now: Date): FieldError[] {
  const faults: FieldError[] = [];
  const check = (path: string, value: unknown, [schema, message]: [TSchema, string]) => {
    if (value !== undefined && !Value.Check(schema, value)) faults.push({ path, message });
  };
  for (const [field, rule] of Object.entries(MESSAGES)) check(field, plain[field as keyof typeof plain], rule);
  for (const line of ADDRESS_LINES) check(`address.${line}`, address?.[line], ADDRESS_MESSAGES[line]);
  if (address?.country && !isCountry(address.country))
    faults.push({ path: 'address.country', message: ADDRESS_MESSAGES.country[1] });
  if (born !== undefined && born !== null && !isBirthday(born, now))
    faults.push({ path: 'date_of_birth', message: 'must be a date in the past, such as 1990-12-31' });
  return faults;
}

const regions = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
/** Codes that stand for something, but for no place that a letter could go to. */
const NO_PLACE = /^(E[UZ]|QO|UN|X[AB]|ZZ)$/;

/** Two capital letters of ISO 3166-1, the ones reserved for parts of countries included. */
export function isCountry(code: string): boolean {
  // Older and unofficial codes (UK, SU) have names too, but are written otherwise when made canonical.
  const known = /^[A-Z]{2}$/.test(code) && !NO_PLACE.test(code) && regions.of(code) !== undefined;
  return known && new Intl.Locale('und', { region: code }).region === code;
}

function isBirthday(text: string, now: Date): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || text < '1900-01-01') return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text) && day < now;
}
