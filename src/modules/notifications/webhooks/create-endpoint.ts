import { sql } from '../../../kernel/db.ts';
import { readLogEnds } from '../../../kernel/events.ts';
import { newId } from '../../../kernel/ids.ts';
import { readEndpoint, SECRET, shownUrl } from './endpoints.ts';
import { webhookLimitReached } from './errors.ts';
import type { WebhooksContext } from './index.ts';
import type { NewWebhook, Webhook } from './schemas.ts';
import { newSecret } from './signature.ts';

export const MOST_ENDPOINTS = 100;
const COUNT_LOCK = 0x77686b73;

/** The secret is told here, and never again. Throws address_not_allowed, address_not_found and webhook_limit_reached. */
export async function createEndpoint(
  context: WebhooksContext,
  actorId: string,
  { url: given, types = ['*'], description = '' }: NewWebhook,
): Promise<Webhook & { secret: string }> {
  const { db, clock, events, outbound, secrets } = context;
  await outbound.check(given);
  // As it is called: what it was typed as may look like another.
  const url = new URL(given).href;
  const id = newId();
  const secret = newSecret();
  // What was committed before has its position then, so that the log's head tells it from what comes later.
  await events.flush();
  await db.transaction(async (tx) => {
    await tx.run(sql('select pg_advisory_xact_lock($1)', [COUNT_LOCK]));
    const { made } = await tx.one(sql<{ made: number }>('select count(*) as made from webhook_endpoints'));
    if (made >= MOST_ENDPOINTS)
      throw webhookLimitReached(`There are ${MOST_ENDPOINTS} webhooks already. Delete one that is no longer needed.`);
    const { head } = await readLogEnds(tx);
    await tx.run(
      sql(
        `insert into webhook_endpoints (id, url, description, types, secret, after_position, created_by, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
        [id, url, description, types, secrets.encrypt(SECRET, secret), head, actorId, clock.now()],
      ),
    );
    await events.append(tx, {
      type: 'webhook.created',
      subject: { type: 'webhook', id },
      actorId,
      data: { url: shownUrl(url), types },
    });
  });
  await events.flush();
  return { ...(await readEndpoint(context, id)), secret };
}
