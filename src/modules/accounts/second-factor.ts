import { randomBytes } from 'node:crypto';
import { generateSecret, generateURI, verifySync } from 'otplib';
import { renderSVG } from 'uqr';
import { build, prepare, sql, type Tx } from '../../kernel/db.ts';
import type { AccountsContext } from './context.ts';
import { otpWrong, secondFactorOff, secondFactorOn } from './errors.ts';
import type { Identity } from './identity.ts';
import { asGuess, checkOwnPassword } from './own-password.ts';
import { revokeSessionsOf } from './sessions.ts';

/**
 * The second factor: codes by time (TOTP, RFC 6238: SHA-1, 30 seconds, six digits, as every authenticator app has them),
 * taken one step early or late, and recovery codes for when the app is lost. Each works once.
 *
 * A user's state: none → enrolled (a secret that nothing depends on, replaced by enrolling again) → confirmed (due at
 * each log-in) → none. Going in or out of confirmed makes older access tokens wrong, since they say whether the session
 * has used a second factor: a program has to refresh.
 */

const PURPOSE = 'second factor';
const STEP_SECONDS = 30;

export type Enrolment = { secret: string; otpauth_uri: string; qr_svg: string };

/** Makes a secret for an authenticator app, to be confirmed by a code of it. Throws second_factor_on. */
export async function enrollSecondFactor(
  { db, secrets, config }: AccountsContext,
  { userId }: Pick<Identity, 'userId'>,
): Promise<Enrolment> {
  const secret = generateSecret();
  const user = await db.maybe(
    sql<{ username: string }>(
      'update users set otp_secret = $2 where id = $1 and otp_confirmed_at is null and erased_at is null returning username',
      [userId, secrets.encrypt(PURPOSE, secret)],
    ),
  );
  if (!user) throw alreadyOn();
  return describeEnrolment(config, user.username, secret);
}

/** The secret that waits for its first code, for whoever has to see it once more; null when none does. */
export async function pendingEnrolment(
  { db, secrets, config }: AccountsContext,
  { userId }: Pick<Identity, 'userId'>,
): Promise<Enrolment | null> {
  const user = await db.maybe(
    sql<{ username: string; otp_secret: Buffer }>(
      'select username, otp_secret from users where id = $1 and otp_secret is not null and otp_confirmed_at is null',
      [userId],
    ),
  );
  return user ? describeEnrolment(config, user.username, secrets.decrypt(PURPOSE, user.otp_secret)) : null;
}

function describeEnrolment({ SHOP_NAME }: AccountsContext['config'], username: string, secret: string): Enrolment {
  // A colon ends the issuer in an otpauth URI, however it is written (Google Authenticator, "Key URI Format").
  const issuer = SHOP_NAME.replaceAll(':', ' ').trim();
  const uri = generateURI({ issuer, label: username, secret });
  return { secret, otpauth_uri: uri, qr_svg: renderSVG(uri, { ecc: 'M', border: 4 }) };
}

/**
 * Turns the second factor on by a first code of the app. This session counts as having used it; all others end, since they
 * have not. Answers the recovery codes, which are told here and never again. Throws otp_wrong, too_many_attempts,
 * second_factor_on, second_factor_off when nothing was enrolled.
 */
export async function confirmSecondFactor(
  context: AccountsContext,
  identity: Identity,
  otp: string,
): Promise<{ recovery_codes: string[] }> {
  const { db, events, clock, secrets, revocations } = context;
  const { userId, sessionId } = identity;
  const enrolled = await db.maybe(
    sql<{ otp_secret: Buffer | null; confirmed: boolean }>(
      'select otp_secret, otp_confirmed_at is not null as confirmed from users where id = $1',
      [userId],
    ),
  );
  if (enrolled?.confirmed) throw alreadyOn();
  const sealed = enrolled?.otp_secret;
  if (!sealed) throw secondFactorOff('First get a secret for your authenticator app, then send a code of it.');
  const step = await asGuess(context, identity, async () => {
    const matched = stepOf(secrets.decrypt(PURPOSE, sealed), plain(otp), clock.now());
    if (matched === null)
      throw otpWrong('This is not the code that your app shows now. See to it that the clock of the device is right.');
    return matched;
  });
  const codes = await db.transaction(async (tx) => {
    const user = await tx.maybe(
      sql<{ email: string }>(
        `update users set otp_confirmed_at = $3, otp_last_step = $4, updated_at = $3,
           token_epoch = token_epoch + 1, epoch_changed_at = now()
         where id = $1 and otp_secret = $2 and otp_confirmed_at is null returning email`,
        [userId, sealed, clock.now(), step],
      ),
    );
    if (!user) throw otpWrong('Another secret was asked for meanwhile, or this one is confirmed already. Start again.');
    await tx.run(sql('update sessions set second_factor = true where id = $1', [sessionId]));
    await revokeSessionsOf(tx, userId, sessionId);
    await noteChange(context, tx, userId, 'user.second_factor_enabled');
    await tellChange(context, tx, { userId, email: user.email }, 'second_factor_on');
    return replaceRecoveryCodes(context, tx, userId);
  });
  await Promise.all([revocations.spread(), events.flush()]);
  return { recovery_codes: codes };
}

/**
 * Turns it off, for whoever knows the password and has a code (of the app, or a recovery code). Sessions go on, as ones
 * that have used no second factor. Throws wrong_password, otp_wrong, too_many_attempts, second_factor_off.
 */
export async function disableSecondFactor(
  context: AccountsContext,
  identity: Identity,
  proof: { password: string; otp: string },
): Promise<void> {
  const { db, events, clock, revocations } = context;
  const { userId } = identity;
  await proveBoth(context, identity, proof);
  await db.transaction(async (tx) => {
    const user = await tx.maybe(
      sql<{ email: string }>(
        `update users set token_epoch = token_epoch + 1, epoch_changed_at = now(), updated_at = $2
         where id = $1 and otp_confirmed_at is not null returning email`,
        [userId, clock.now()],
      ),
    );
    if (!user) throw isOff();
    await dropSecondFactor(context, tx, { userId, email: user.email });
    await noteChange(context, tx, userId, 'user.second_factor_disabled');
  });
  await Promise.all([revocations.spread(), events.flush()]);
}

/**
 * Takes the second factor away and tells the user so. Their sessions go on as ones that have used none; the caller makes
 * older access tokens wrong.
 */
export async function dropSecondFactor(
  context: AccountsContext,
  tx: Tx,
  to: { userId: string; email: string },
): Promise<void> {
  const { userId } = to;
  await tx.run(
    sql('update users set otp_secret = null, otp_confirmed_at = null, otp_last_step = null where id = $1', [userId]),
  );
  await tx.run(sql('delete from recovery_codes where user_id = $1', [userId]));
  await tx.run(sql('update sessions set second_factor = false where user_id = $1 and second_factor', [userId]));
  await tellChange(context, tx, to, 'second_factor_off');
}

/** Ten new recovery codes in place of the old ones. Throws what disableSecondFactor does. */
export async function newRecoveryCodes(
  context: AccountsContext,
  identity: Identity,
  proof: { password: string; otp: string },
): Promise<{ recovery_codes: string[] }> {
  const { userId } = identity;
  await proveBoth(context, identity, proof);
  const codes = await context.db.transaction(async (tx) => {
    // Locked, so that nobody turns it off in between and leaves codes behind.
    const on = await tx.maybe(
      sql('select from users where id = $1 and otp_confirmed_at is not null for update', [userId]),
    );
    if (!on) throw isOff();
    await noteChange(context, tx, userId, 'user.recovery_codes_replaced');
    return replaceRecoveryCodes(context, tx, userId);
  });
  await context.events.flush();
  return { recovery_codes: codes };
}

export async function secondFactorState(
  { db }: Pick<AccountsContext, 'db'>,
  userId: string,
): Promise<{ enabled: boolean; recovery_codes_left: number }> {
  return db.one(
    sql<{ enabled: boolean; recovery_codes_left: number }>(
      `select otp_confirmed_at is not null as enabled,
         (select count(*) from recovery_codes r where r.user_id = u.id) as recovery_codes_left
       from users u where id = $1`,
      [userId],
    ),
  );
}

const SECRET = prepare<{ otp_secret: Buffer }>(
  'select otp_secret from users where id = $1 and otp_confirmed_at is not null',
);
/** Of two who come with the same code at once, the second waits for the row and then finds the step used. */
const USE_STEP = prepare(
  `update users set otp_last_step = $2
   where id = $1 and otp_confirmed_at is not null and (otp_last_step is null or otp_last_step < $2)`,
);
const USE_RECOVERY_CODE = prepare('delete from recovery_codes where user_id = $1 and hash = $2');

/** Whether this is the user's code of the moment, or one of their recovery codes; either works once. */
export async function useSecondFactor(context: AccountsContext, userId: string, code: string): Promise<boolean> {
  const { db, secrets, clock } = context;
  const text = plain(code);
  if (!isTotp(text)) return (await db.run(USE_RECOVERY_CODE([userId, hashRecoveryCode(context, userId, text)]))) === 1;
  const user = await db.maybe(SECRET([userId]));
  const step = user ? stepOf(secrets.decrypt(PURPOSE, user.otp_secret), text, clock.now()) : null;
  return step !== null && (await db.run(USE_STEP([userId, step]))) === 1;
}

/** As people type codes, with spaces and hyphens and in any case. */
const plain = (code: string) => code.replace(/[\s-]/g, '').toLowerCase();
const isTotp = (text: string) => /^\d{6}$/.test(text);

/** The time step whose code this is: the present one, or one beside it for clocks that differ (RFC 6238, 5.2). */
function stepOf(secret: string, text: string, now: Date): number | null {
  if (!isTotp(text)) return null;
  const epoch = Math.floor(now.getTime() / 1_000);
  const result = verifySync({ secret, token: text, epoch, period: STEP_SECONDS, epochTolerance: STEP_SECONDS });
  return result.valid && 'timeStep' in result ? result.timeStep : null;
}

const CODES = 10;
/** Without letters that look like digits (Crockford's base 32): 60 bits in twelve characters. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

function newRecoveryCode(): string {
  const letters = [...randomBytes(12)].map((byte) => ALPHABET[byte & 31]).join('');
  return letters.replace(/(....)(?=.)/g, '$1-');
}

function hashRecoveryCode({ secrets }: AccountsContext, userId: string, text: string): Buffer {
  const read = text.replaceAll('o', '0').replace(/[il]/g, '1');
  return secrets.hash('recovery codes', `${userId} ${read}`);
}

async function replaceRecoveryCodes(context: AccountsContext, tx: Tx, userId: string): Promise<string[]> {
  const codes = Array.from({ length: CODES }, newRecoveryCode);
  await tx.run(sql('delete from recovery_codes where user_id = $1', [userId]));
  await tx.run(
    build
      .insertInto('recovery_codes')
      .values(codes.map((code) => ({ user_id: userId, hash: hashRecoveryCode(context, userId, plain(code)) }))),
  );
  return codes;
}

async function proveBoth(
  context: AccountsContext,
  identity: Identity,
  { password, otp }: { password: string; otp: string },
): Promise<void> {
  const { userId } = identity;
  if (!(await secondFactorState(context, userId)).enabled) throw isOff();
  await asGuess(context, identity, async () => {
    await checkOwnPassword(context, userId, password);
    if (!(await useSecondFactor(context, userId, otp)))
      throw otpWrong('The code is not right, or was used already. Wait for the next one and try again.');
  });
}

function noteChange({ events }: AccountsContext, tx: Tx, userId: string, type: string): Promise<void> {
  return events.append(tx, { type, subject: { type: 'user', id: userId }, actorId: userId, userId });
}

function tellChange(
  { sendMail, publicUrl }: AccountsContext,
  tx: Tx,
  to: { userId: string; email: string },
  template: 'second_factor_on' | 'second_factor_off',
): Promise<void> {
  const url = template === 'second_factor_off' ? `${publicUrl}/password/forgot` : publicUrl;
  return sendMail(tx, { template, to, data: { url } });
}

const alreadyOn = () => secondFactorOn('You have a second factor already. Turn it off first to set up another.');
const isOff = () => secondFactorOff('You have no second factor.');
