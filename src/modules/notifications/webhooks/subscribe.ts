import { sql, type Tx } from '../../../kernel/db.ts';
import { type LoggedEvent, matchesTypes, type Subscriber } from '../../../kernel/events.ts';
import { newId } from '../../../kernel/ids.ts';
import type { WebhooksContext } from './index.ts';

/** Steps of an import for the shop's own use; `import.completed` tells of all of it, once. */
const NOT_TOLD = new Set(['import.merged', 'import.stock_counted']);

/** Makes a delivery of each event for every active endpoint that asked for its type. */
export function webhookSubscriber({ clock, wake }: Pick<WebhooksContext, 'clock' | 'wake'>): Subscriber {
  return {
    name: 'webhooks',
    types: ['*'],
    async wanted(target) {
      return (await target.maybe(sql('select from webhook_endpoints where active limit 1'))) !== undefined;
    },
    async handle(tx, event) {
      if (NOT_TOLD.has(event.type)) return;
      const told = await makeDeliveries(tx, event, clock.now());
      tx.afterCommit(() => {
        for (const id of told) wake(id);
      });
    },
  };
}

/** For endpoints that were there before the event; an endpoint and an event make one delivery, however often asked. */
async function makeDeliveries(tx: Tx, event: LoggedEvent, now: Date): Promise<string[]> {
  const endpoints = await tx.many(
    sql<{ id: string; types: string[] }>(
      'select id, types from webhook_endpoints where active and after_position < $1 order by id',
      [event.position],
    ),
  );
  const told = endpoints.filter(({ types }) => matchesTypes(event.type, types)).map(({ id }) => id);
  if (told.length > 0)
    await tx.run(
      // An endpoint that is being deleted is waited for, and then not found. A delivery is due since its event happened,
      // so that what is due is in the order of the log.
      sql(
        `with there as (select id from webhook_endpoints where id = any ($2::uuid[]) order by id for key share)
         insert into webhook_deliveries (id, endpoint_id, event_id, position, type, next_attempt_at, created_at)
         select made.id, there.id, $3, $4, $5, $6, $7
         from there join unnest($1::uuid[], $2::uuid[]) made (id, endpoint_id) on made.endpoint_id = there.id
         on conflict (endpoint_id, event_id) do nothing`,
        [told.map(() => newId()), told, event.event_id, event.position, event.type, event.occurred_at, now],
      ),
    );
  return told;
}
