import type { Tx } from '../../kernel/db.ts';
import type { LoggedEvent, Subscriber } from '../../kernel/events.ts';
import { staffWanting, usernamesOf } from '../accounts/index.ts';
import { defineMailWindow, type MailWindow } from './mail-windows.ts';
import type { ProductChange } from './mails.ts';
import { changesInWords } from './product-words.ts';
import type { MailDeps } from './subscribers.ts';

/** Products created or updated by hand, to every admin who wants to know. */

/** What a digest lists; it says how many more there are. */
const LISTED = 50;

export function productMails(deps: MailDeps): { subscriber: Subscriber; window: MailWindow } {
  const { sendMail } = deps;

  const window = defineMailWindow(deps, {
    kind: 'product',
    listed: LISTED,
    async tell(tx, { actorId, events, total }) {
      const changes: ProductChange[] = [];
      for (const event of events) changes.push(await changeOf(deps, tx, event));
      const data = { actor: await usernameOf(tx, actorId), changes, total };
      for (const to of await staffWanting(tx, 'product_changes'))
        await sendMail(tx, { template: 'products_digest', to, data });
    },
  });

  const subscriber: Subscriber = {
    name: 'mails.products',
    types: ['product.created', 'product.updated'],
    wanted: async (target) => (await staffWanting(target, 'product_changes')).length > 0,
    async handle(tx, event) {
      if (event.actor_id === null || event.data.reason === 'repricing') return;
      if (!(await window.isSingle(tx, event))) return;
      const data = { actor: await usernameOf(tx, event.actor_id), change: await changeOf(deps, tx, event) };
      for (const to of await staffWanting(tx, 'product_changes'))
        await sendMail(tx, { template: 'product_changed', to, data });
    },
  };

  return { subscriber, window };
}

async function usernameOf(tx: Tx, id: string): Promise<string | null> {
  return (await usernamesOf(tx, [id])).get(id) ?? null;
}

async function changeOf(
  { config, publicUrl, categoryNames }: MailDeps,
  tx: Tx,
  event: LoggedEvent,
): Promise<ProductChange> {
  const action = event.type === 'product.created' ? 'created' : 'updated';
  return {
    action,
    name: String(event.data.name),
    sku: String(event.data.sku),
    url: `${publicUrl}/products/${String(event.data.slug)}`,
    changes: await changesInWords(action, event.changes, {
      currency: config.CURRENCY,
      categoryNames: (id) => categoryNames(tx, id),
    }),
    at: event.occurred_at,
  };
}
