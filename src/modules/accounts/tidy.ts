import { sql } from '../../kernel/db.ts';
import { defineJob, type Job } from '../../kernel/jobs.ts';
import type { AccountsContext } from './context.ts';
import { LONGEST_SECONDS } from './lockout.ts';

const DAY_MS = 86_400_000;

/** Drops what has run out: counts of failures, links, and sessions with the addresses' hashes that they hold. */
export function tidyAccounts({ db, clock }: Pick<AccountsContext, 'db' | 'clock'>): Job<never> {
  return defineJob({
    name: 'accounts.tidy',
    cron: '11 * * * *',
    async run() {
      const now = clock.now();
      await db.run(
        sql('delete from login_failures where since < $1', [new Date(now.getTime() - LONGEST_SECONDS * 1_000)]),
      );
      await db.run(sql('delete from one_time_tokens where expires_at < $1', [now]));
      await db.run(sql('delete from refresh_tokens where expires_at < $1', [now]));
      // A day later: revocations are read from here until long after the last token that they refuse has expired.
      await db.run(
        sql("delete from sessions where expires_at < $1 or revoked_at < now() - interval '1 day'", [
          new Date(now.getTime() - DAY_MS),
        ]),
      );
    },
  });
}
