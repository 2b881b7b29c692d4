import { prepare, sql, type Tx } from '../../kernel/db.ts';
import { AppError, defineError } from '../../kernel/errors.ts';
import { networkOf } from '../../kernel/http/index.ts';
import { busy } from '../../kernel/limited.ts';
import type { AccountsContext } from './context.ts';
import { hashAddress } from './sessions.ts';

/**
 * How often passwords may be guessed, without giving anybody the means to lock somebody else out (OWASP, "Slow Down Online
 * Guessing Attacks with Device Cookies").
 *
 * Failures are counted in buckets. An attempt from where the account's owner has logged in before (the same address, or a
 * browser that it is known by) is counted for that place alone. Any other attempt is counted for the pair of
 * account and address, for the address, and for the account among all strangers: when that last one overflows, only
 * strangers are kept out. An attempt is counted before its password is looked at, and taken back when it was right, so
 * that a hundred at once get no further than a hundred in a row. Accounts that do not exist are counted alike.
 */

const tooManyAttempts = defineError('too_many_attempts', 429, 'Too many attempts');

type Bucket = { name: string; most: number; seconds: number };

const KNOWN_PLACE = { most: 10, seconds: 900 };
const PAIR = { most: 10, seconds: 900 };
const ADDRESS = { most: 100, seconds: 900 };
const STRANGERS = { most: 200, seconds: 3_600 };
/** After this, nothing is counted any more. */
export const LONGEST_SECONDS = 3_600;

/** Sorted, so that two attempts never wait for each other's rows crosswise. */
const COUNT = prepare<{ bucket: Buffer; failures: number; since: Date }>(
  `insert into login_failures as f (bucket, failures, since)
   select b.bucket, 1, $3 from unnest($1::bytea[], $2::integer[]) as b (bucket, seconds) order by b.bucket
   on conflict (bucket) do update set
     failures = case when f.since < $3 - make_interval(secs => (
       select w.seconds from unnest($1::bytea[], $2::integer[]) as w (bucket, seconds) where w.bucket = f.bucket))
       then 1 else f.failures + 1 end,
     since = case when f.since < $3 - make_interval(secs => (
       select w.seconds from unnest($1::bytea[], $2::integer[]) as w (bucket, seconds) where w.bucket = f.bucket))
       then $3 else f.since end
   returning bucket, failures, since`,
);
const TAKE_BACK = prepare(
  `update login_failures f set failures = greatest(0, f.failures - 1)
   from (select bucket from login_failures where bucket = any ($1) order by bucket for update) l
   where f.bucket = l.bucket`,
);
const KNOWN_ADDRESS = prepare(
  'select from sessions where user_id = $1 and address_hash = $2 and created_at > $3 limit 1',
);

/** How long a place counts as known after a log-in. */
const KNOWN_DAYS = 60;

export type Attempt = {
  /** To be called when the attempt turned out to be right, or to be no guess at all. */
  takeBack(): Promise<void>;
  /** What `look` answers; where the shop is too busy to look, the attempt is taken back. */
  unlessBusy<T>(look: () => Promise<T>): Promise<T>;
};

/**
 * Counts an attempt on an account. `account` is its id, or what was given as its name when there is none; `device` is the
 * browser that the account is known by, or whatever else counts for itself. Throws too_many_attempts (429 with
 * Retry-After).
 */
export async function countAttempt(
  context: AccountsContext,
  attempt: { account: string; userId: string | null; address: string; device: string | null },
): Promise<Attempt> {
  const { db, clock, secrets, config } = context;
  if (!config.RATE_LIMIT) return { takeBack: async () => {}, unlessBusy: (look) => look() };
  const now = clock.now();
  const address = networkOf(attempt.address);
  const seenSince = new Date(now.getTime() - KNOWN_DAYS * 86_400_000);
  // Asked in any case, so that it takes as long for a user who is not there.
  const addressKnown = await db.maybe(
    KNOWN_ADDRESS([attempt.userId, hashAddress(context, attempt.address), seenSince]),
  );
  const { account, device } = attempt;
  const buckets: Bucket[] =
    device !== null
      ? [{ name: deviceOf(account, device), ...KNOWN_PLACE }]
      : addressKnown
        ? [
            { name: knownOf(account, address), ...KNOWN_PLACE },
            { name: `address ${address}`, ...ADDRESS },
          ]
        : [
            { name: pairOf(account, address), ...PAIR },
            { name: `address ${address}`, ...ADDRESS },
            { name: strangersOf(account), ...STRANGERS },
          ];
  const keyed = buckets.map((bucket) => ({ ...bucket, key: keyOf(secrets, bucket.name) }));
  const counted = await db.many(COUNT([keyed.map(({ key }) => key), keyed.map(({ seconds }) => seconds), now]));
  const takeBack = async () => {
    await db.run(TAKE_BACK([keyed.map(({ key }) => key)]));
  };
  for (const { key, most, seconds } of keyed) {
    const row = counted.find(({ bucket }) => bucket.equals(key))!;
    if (row.failures <= most) continue;
    // Nothing was looked at: what fills one bucket must not fill the others with it.
    await takeBack();
    const wait = Math.max(1, Math.ceil((row.since.getTime() + seconds * 1_000 - now.getTime()) / 1_000));
    throw tooManyAttempts(
      `There were too many failed log-ins. Try again in ${Math.ceil(wait / 60)} minutes, or set a new password by e-mail.`,
      { headers: { 'retry-after': String(wait) } },
    );
  }
  return {
    takeBack,
    async unlessBusy(look) {
      try {
        return await look();
      } catch (error) {
        if (error instanceof AppError && error.code === busy.code) await takeBack();
        throw error;
      }
    },
  };
}

/** Lets whoever has just proved by a mailed link whose account it is log in from here, however much was guessed before. */
export async function forgiveAttempts(
  { secrets }: Pick<AccountsContext, 'secrets'>,
  tx: Tx,
  { userId, address, device }: { userId: string; address: string; device: string | null },
): Promise<void> {
  const network = networkOf(address);
  const names = [
    pairOf(userId, network),
    knownOf(userId, network),
    strangersOf(userId),
    deviceOf(userId, device ?? ''),
  ];
  await tx.run(sql('delete from login_failures where bucket = any ($1)', [names.map((name) => keyOf(secrets, name))]));
}

const pairOf = (account: string, address: string) => `pair ${account} ${address}`;
const knownOf = (account: string, address: string) => `known ${account} ${address}`;
const strangersOf = (account: string) => `strangers ${account}`;
const deviceOf = (account: string, device: string) => `device ${account} ${device}`;
const keyOf = (secrets: AccountsContext['secrets'], name: string) => secrets.hash('login failures', name);
