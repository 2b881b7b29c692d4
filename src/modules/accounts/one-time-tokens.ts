import { build, type Sql, sql, type Tx } from '../../kernel/db.ts';
import { defineError } from '../../kernel/errors.ts';
import { hashToken, newToken } from '../../kernel/secrets.ts';
import type { AccountsContext } from './context.ts';

/** Tokens of links in messages: each works once, within its time, and for the address that it was sent to. */

export const linkExpired = defineError('link_expired', 400, 'The link no longer works');

export type Purpose = 'verify_email' | 'reset_password';

export const HOURS_VALID: Readonly<Record<Purpose, number>> = { verify_email: 72, reset_password: 2 };

/** A new token, which replaces any earlier one of the user for this purpose. */
export async function makeToken(
  { clock }: AccountsContext,
  tx: Tx,
  { userId, email, purpose }: { userId: string; email: string; purpose: Purpose },
): Promise<string> {
  const { token, hash } = newToken();
  const now = clock.now();
  await tx.run(sql('delete from one_time_tokens where user_id = $1 and purpose = $2', [userId, purpose]));
  await tx.run(
    build.insertInto('one_time_tokens').values({
      hash,
      user_id: userId,
      purpose,
      email,
      created_at: now,
      expires_at: new Date(now.getTime() + HOURS_VALID[purpose] * 3_600_000),
    }),
  );
  return token;
}

/** Uses a token up, and answers whose it was. Throws link_expired. */
export async function useToken(
  { clock }: AccountsContext,
  tx: Sql,
  token: string,
  purpose: Purpose,
): Promise<{ userId: string; email: string }> {
  const row = await tx.maybe(
    sql<{ user_id: string; email: string; live: boolean }>(
      'delete from one_time_tokens where hash = $1 and purpose = $2 returning user_id, email, expires_at > $3 as live',
      [hashToken(token), purpose, clock.now()],
    ),
  );
  if (!row?.live)
    throw linkExpired('This link was used before, has expired, or was replaced by a newer one. Ask for another.');
  return { userId: row.user_id, email: row.email };
}
