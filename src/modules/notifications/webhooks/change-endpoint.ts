import { sql, type Tx } from '../../../kernel/db.ts';
import { readLogEnds } from '../../../kernel/events.ts';
import { failWaiting, notFound, readEndpoint, SECRET, shownUrl } from './endpoints.ts';
import type { WebhooksContext } from './index.ts';
import { DAY } from './pauses.ts';
import type { Webhook, WebhookChange } from './schemas.ts';
import { newSecret } from './signature.ts';

type Stored = {
  url: string;
  types: string[];
  description: string;
  active: boolean;
};
type Told = Omit<Stored, 'description'>;

/**
 * Changes what is given. A new address is tried at once with all that waits; switched on again, an endpoint gets what
 * happens from then on. Answers the secret when there is a new one. Throws webhook_not_found, address_not_allowed and
 * address_not_found.
 */
export async function changeEndpoint(
  context: WebhooksContext,
  actorId: string,
  id: string,
  change: WebhookChange,
): Promise<Webhook & { secret?: string }> {
  const { db, clock, events, outbound, secrets, wake } = context;
  if (change.url !== undefined) await outbound.check(change.url);
  if (change.active === true) await events.flush();
  const secret = change.rotate_secret ? newSecret() : undefined;
  const isNew = await db.transaction(async (tx) => {
    const before = await tx.maybe(
      sql<Stored>('select url, types, description, active from webhook_endpoints where id = $1 for no key update', [
        id,
      ]),
    );
    if (!before) throw notFound();
    const url = change.url === undefined ? before.url : new URL(change.url).href;
    const { types = before.types, description = before.description, active = before.active } = change;
    const changes = changesBetween(before, { url, types, active });
    const isDescribed = description !== before.description;
    if (Object.keys(changes).length === 0 && secret === undefined && !isDescribed) return false;
    const now = clock.now();
    await tx.run(
      sql(
        'update webhook_endpoints set url = $2, types = $3, description = $4, active = $5, updated_at = $6 where id = $1',
        [id, url, types, description, active, now],
      ),
    );
    if (secret !== undefined)
      await tx.run(
        sql(
          'update webhook_endpoints set secret = $2, previous_secret = secret, previous_secret_until = $3 where id = $1',
          [id, secrets.encrypt(SECRET, secret), new Date(now.getTime() + DAY)],
        ),
      );
    if (url !== before.url || active !== before.active) await forgetFailures(tx, id, now);
    if (active !== before.active) {
      await failWaiting(tx, id);
      const { head } = await readLogEnds(tx);
      await tx.run(
        sql(
          'update webhook_endpoints set disabled_at = null, disabled_reason = null, after_position = $2 where id = $1',
          [id, head],
        ),
      );
    }
    await events.append(tx, {
      type: 'webhook.updated',
      subject: { type: 'webhook', id },
      actorId,
      changes,
      // That it was described anew, and not how: people write names into it.
      data: {
        url: shownUrl(url),
        ...(secret === undefined ? {} : { secret_rotated: true }),
        ...(isDescribed ? { fields: ['description'] } : {}),
      },
    });
    return true;
  });
  if (isNew) {
    await events.flush();
    wake(id);
  }
  return { ...(await readEndpoint(context, id)), ...(secret === undefined ? {} : { secret }) };
}

async function forgetFailures(tx: Tx, id: string, now: Date): Promise<void> {
  await tx.run(
    sql('update webhook_endpoints set failures = 0, failing_since = null, retry_at = null where id = $1', [id]),
  );
  await tx.run(
    sql(
      `update webhook_deliveries set next_attempt_at = $2
       where endpoint_id = $1 and state = 'pending' and next_attempt_at > $2`,
      [id, now],
    ),
  );
}

function changesBetween(before: Told, after: Told): Record<string, { from: unknown; to: unknown }> {
  const changes: Record<string, { from: unknown; to: unknown }> = {};
  if (before.url !== after.url) changes.url = { from: shownUrl(before.url), to: shownUrl(after.url) };
  if (before.types.join() !== after.types.join()) changes.types = { from: before.types, to: after.types };
  if (before.active !== after.active) changes.active = { from: before.active, to: after.active };
  return changes;
}
