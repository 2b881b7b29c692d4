import { sql, type Tx } from '../../../kernel/db.ts';
import { defineJob, enqueue, type Job } from '../../../kernel/jobs.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { Notifications } from '../index.ts';
import { drainEndpoint } from './drain.ts';
import { webhookSubscriber } from './subscribe.ts';
import { createWake, type DrainJob } from './wake.ts';

/** Programs elsewhere that are told what happens: the event log, delivered by signed requests. */

/** What the use cases of webhooks work with. */
export type WebhooksContext = Pick<Kernel, 'db' | 'events' | 'clock' | 'secrets' | 'outbound'> &
  Pick<Notifications, 'sendMail'> & {
    /** Has whatever is due to an endpoint sent soon. To be called after the commit. */
    wake(endpointId: string): void;
  };

export type Webhooks = WebhooksContext & { readonly jobs: readonly Job<never>[] };

/** Each drain waits for one receiver most of its time; as many as this may hang at once before others wait for them. */
const LANE = { name: 'webhooks', concurrency: 16 };
const KEPT_DAYS = 30;

export function createWebhooks(kernel: Kernel, { sendMail }: Pick<Notifications, 'sendMail'>): Webhooks {
  const { db, events, clock, secrets, outbound, log } = kernel;
  const context: WebhooksContext = {
    db,
    events,
    clock,
    secrets,
    outbound,
    sendMail,
    wake: createWake(db, log, () => drain),
  };

  const drain: DrainJob = defineJob<{ endpoint: string }>({
    name: 'webhooks.drain',
    lane: LANE,
    // The sweep asks again each minute.
    maxAttempts: 3,
    async run({ endpoint }, { signal }) {
      const next = await drainEndpoint(context, endpoint, { signal });
      // Under a key of its own: it must not take the place of a drain that is to run now.
      if (next !== null) await enqueue(db, drain, [{ endpoint }], { at: next, key: `webhooks.later:${endpoint}` });
    },
  });

  const sweep = defineJob({
    name: 'webhooks.sweep',
    cron: '* * * * *',
    async run() {
      const now = clock.now();
      const due = await db.many(
        sql<{ id: string }>(
          `select id from webhook_endpoints w
           where (not active or ((retry_at is null or retry_at <= $1) and (drained_until is null or drained_until <= $1)))
             and exists (select from webhook_deliveries d
                         where d.endpoint_id = w.id and d.state = 'pending' and d.next_attempt_at <= $1)`,
          [now],
        ),
      );
      for (const { id } of due) context.wake(id);
    },
  });

  const tidy = defineJob({
    name: 'webhooks.tidy',
    cron: '41 3 * * *',
    async run() {
      const before = new Date(clock.now().getTime() - KEPT_DAYS * 86_400_000);
      await db.transaction(
        (tx: Tx) =>
          tx.run(sql(`delete from webhook_deliveries where created_at < $1 and state <> 'pending'`, [before])),
        { timeoutMs: 0 },
      );
    },
  });

  events.subscribe(webhookSubscriber(context));
  return { ...context, jobs: [drain, sweep, tidy] };
}
