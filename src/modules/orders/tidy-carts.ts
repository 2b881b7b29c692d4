import { sql } from '../../kernel/db.ts';
import { defineJob, type Job } from '../../kernel/jobs.ts';
import { GUEST_CART_DAYS } from './cart-token.ts';
import type { OrdersContext } from './index.ts';

const DAY_MS = 86_400_000;
const AT_ONCE = 1_000;

/** Drops the carts of guests who have not come back for 30 days. */
export function tidyCarts({ db, clock }: Pick<OrdersContext, 'db' | 'clock'>): Job<never> {
  return defineJob({
    name: 'carts.tidy',
    cron: '29 * * * *',
    async run() {
      const oldest = new Date(clock.now().getTime() - GUEST_CART_DAYS * DAY_MS);
      // The age is asked again of each row once it is locked: somebody may just be putting something in.
      const old = sql(
        `delete from carts where updated_at < $1 and id in (
           select id from carts where is_guest and updated_at < $1 order by updated_at limit $2
         )`,
        [oldest, AT_ONCE],
      );
      while ((await db.run(old)) === AT_ONCE);
      // What somebody put in at the very moment when their account was erased.
      await db.run(
        sql(
          `delete from carts where not is_guest
             and exists (select from users where users.id = carts.id and users.erased_at is not null)`,
        ),
      );
    },
  });
}
