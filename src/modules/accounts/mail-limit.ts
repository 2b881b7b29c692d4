import { prepare, type Tx } from '../../kernel/db.ts';
import { tooManyRequests } from '../../kernel/http/index.ts';
import type { AccountsContext } from './context.ts';

/**
 * How many messages of a kind anybody can cause one account or one address to be sent, so that nobody's mailbox is filled
 * from here.
 * Counted beside the failed log-ins, in buckets that nothing can be read from and that are forgotten alike.
 */

const WINDOW_MS = 3_600_000;

const COUNT = prepare<{ sent: number; since: Date }>(
  `insert into login_failures as f (bucket, failures, since) values ($1, 1, $2)
   on conflict (bucket) do update set
     failures = case when f.since < $3 then 1 else f.failures + 1 end,
     since = case when f.since < $3 then $2 else f.since end
   returning failures as sent, since`,
);

/**
 * Counts one more message under this name, `most` in an hour. Null when it may be sent; otherwise in how many seconds
 * the next one may. It writes in any case.
 */
export async function countMail(
  { clock, secrets, config }: AccountsContext,
  tx: Tx,
  { name, most }: { name: string; most: number },
): Promise<number | null> {
  const now = clock.now();
  const bucket = secrets.hash('messages', name);
  const { sent, since } = await tx.one(COUNT([bucket, now, new Date(now.getTime() - WINDOW_MS)]));
  if (sent <= most || !config.RATE_LIMIT) return null;
  return Math.max(1, Math.ceil((since.getTime() + WINDOW_MS - now.getTime()) / 1_000));
}

const TO_AN_ADDRESS_AN_HOUR = 3;

/**
 * Counts a link that asks whoever reads this address to prove it, by whichever account: an address that somebody gives as
 * theirs may be a stranger's. Throws too_many_requests after three in an hour.
 */
export async function countMailTo(context: AccountsContext, tx: Tx, email: string): Promise<void> {
  const name = `link to ${email.toLowerCase()}`;
  const wait = await countMail(context, tx, { name, most: TO_AN_ADDRESS_AN_HOUR });
  if (wait !== null)
    throw tooManyRequests(
      `Links were sent to this e-mail address ${TO_AN_ADDRESS_AN_HOUR} times within an hour. Look among unwanted mail, or try again in ${Math.ceil(wait / 60)} minutes.`,
      { headers: { 'retry-after': String(wait) } },
    );
}
