import { sql } from '../../../kernel/db.ts';
import { type Page, readPage } from '../../../kernel/paging.ts';
import { readEndpoint } from './endpoints.ts';
import { webhookDeliveryNotFound, webhookEventExpired, webhookInactive } from './errors.ts';
import type { WebhooksContext } from './index.ts';
import type { Delivery, DeliveryQuery } from './schemas.ts';

/** Deliveries as superusers see them, and have them tried again. */

type Row = Omit<Delivery, 'next_attempt_at' | 'created_at' | 'delivered_at'> & {
  next_attempt_at: Date | null;
  created_at: Date;
  delivered_at: Date | null;
};

const COLUMNS = `d.id, d.endpoint_id as webhook_id, d.event_id, d.position as cursor, d.type, d.state, d.attempts,
  d.next_attempt_at, d.last_status, d.last_error, d.last_response, d.duration_ms, d.created_at, d.delivered_at`;

/** Throws webhook_not_found. */
export async function listDeliveries(
  context: WebhooksContext,
  endpointId: string,
  { state, ...paging }: DeliveryQuery,
): Promise<Page<Delivery>> {
  const page = await readPage<Row>(
    context.db,
    {
      columns: COLUMNS,
      from: 'webhook_deliveries d',
      id: 'd.id',
      where: ['d.endpoint_id = $1', ...(state ? ['d.state = $2'] : [])],
      values: [endpointId, ...(state ? [state] : [])],
    },
    paging,
  );
  if (page.total === 0) await readEndpoint(context, endpointId);
  return { ...page, items: page.items.map(present) };
}

/**
 * Has a delivery sent again as soon as can be, under the same webhook-id, whether it has failed, waits or was delivered
 * before. One that is over begins another day of tries. Throws webhook_delivery_not_found, webhook_inactive and
 * webhook_event_expired.
 */
export async function retryDelivery(context: WebhooksContext, actorId: string, id: string): Promise<Delivery> {
  const { db, clock, events, wake } = context;
  const { delivery, endpointId } = await db.transaction(async (tx) => {
    const endpoint = await tx.maybe(
      sql<{ id: string; active: boolean }>(
        `update webhook_endpoints set retry_at = null
         where id = (select endpoint_id from webhook_deliveries where id = $1) returning id, active`,
        [id],
      ),
    );
    const known = await tx.maybe(
      sql<{ event_id: string; type: string; is_kept: boolean }>(
        `select d.event_id, d.type, exists (select from events e where e.position = d.position) as is_kept
         from webhook_deliveries d where d.id = $1`,
        [id],
      ),
    );
    if (!endpoint || !known) throw webhookDeliveryNotFound('There is no delivery with this id.');
    if (!endpoint.active)
      throw webhookInactive('Nothing is delivered to a webhook that is switched off. Switch it on first.');
    if (!known.is_kept)
      throw webhookEventExpired(
        'The event is older than EVENT_RETENTION_DAYS and no longer in the log, so it cannot be sent again.',
      );
    const row = await tx.one(
      sql<Row>(
        `update webhook_deliveries d set state = 'pending', next_attempt_at = $2, delivered_at = null,
           attempts = case d.state when 'pending' then d.attempts else 0 end,
           give_up_at = case d.state when 'pending' then d.give_up_at end
         where d.id = $1 returning ${COLUMNS}`,
        [id, clock.now()],
      ),
    );
    await events.append(tx, {
      type: 'webhook.delivery_retried',
      subject: { type: 'webhook', id: endpoint.id },
      actorId,
      data: { delivery_id: id, event_id: known.event_id, event_type: known.type },
    });
    return { delivery: present(row), endpointId: endpoint.id };
  });
  await events.flush();
  wake(endpointId);
  return delivery;
}

function present(row: Row): Delivery {
  return {
    ...row,
    next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    delivered_at: row.delivered_at?.toISOString() ?? null,
  };
}
