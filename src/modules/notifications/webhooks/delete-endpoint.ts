import { sql } from '../../../kernel/db.ts';
import { notFound, shownUrl } from './endpoints.ts';
import type { WebhooksContext } from './index.ts';

/** With all its deliveries; what is on its way then may still arrive. Throws webhook_not_found. */
export async function deleteEndpoint({ db, events }: WebhooksContext, actorId: string, id: string): Promise<void> {
  await db.transaction(
    async (tx) => {
      const row = await tx.maybe(
        sql<{ url: string }>('delete from webhook_endpoints where id = $1 returning url', [id]),
      );
      if (!row) throw notFound();
      await events.append(tx, {
        type: 'webhook.deleted',
        subject: { type: 'webhook', id },
        actorId,
        data: { url: shownUrl(row.url) },
      });
    },
    // It may have a month of deliveries.
    { timeoutMs: 0 },
  );
  await events.flush();
}
