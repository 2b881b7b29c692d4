import type { Tx } from '../../kernel/db.ts';
import type { LoggedEvent, Subscriber } from '../../kernel/events.ts';
import { staffWanting } from '../accounts/index.ts';
import { defineMailWindow, type MailWindow } from './mail-windows.ts';
import type { MailDeps } from './subscribers.ts';

/** What a message lists of many products. */
const LISTED = 100;

/**
 * Whether a stock has fallen to the threshold or below: a movement says so once, and no other does until it has been
 * above again. Null is a stock that is not tracked, which falls nowhere. A threshold of 0 tells of nothing.
 */
export function crossesLowStock(from: number | null, to: number | null, threshold: number): boolean {
  return threshold > 0 && from !== null && to !== null && from > threshold && to <= threshold;
}

type Fallen = { products: { name: string; sku: string; slug: string; stock: number }[]; total: number };

/** Stock that has run low, to every admin who wants to know; of an import's products in one message. */
export function lowStockMails(deps: MailDeps): { subscriber: Subscriber; window: MailWindow } {
  const { config, publicUrl, sendMail, fallenByImport } = deps;
  const threshold = config.LOW_STOCK;

  const tellAll = async (tx: Tx, { products, total }: Fallen) => {
    const told = {
      products: products.map(({ slug, ...product }) => ({ ...product, url: `${publicUrl}/products/${slug}` })),
      total,
      threshold,
    };
    for (const to of await staffWanting(tx, 'low_stock')) await sendMail(tx, { template: 'low_stock', to, data: told });
  };

  const window = defineMailWindow(deps, {
    kind: 'low_stock',
    listed: LISTED,
    tell: (tx, { events, total }) => tellAll(tx, { products: events.map(productOf), total }),
  });

  const subscriber: Subscriber = {
    name: 'mails.low_stock',
    types: ['stock.adjusted', 'import.completed'],
    wanted: async (target) => threshold > 0 && (await staffWanting(target, 'low_stock')).length > 0,
    async handle(tx, event) {
      if (event.type === 'import.completed') {
        const fallen = await fallenByImport(tx, event.subject_id, { threshold, limit: LISTED });
        if (fallen.total > 0) await tellAll(tx, fallen);
        return;
      }
      const { from, to } = movementOf(event);
      if (!crossesLowStock(from, to, threshold)) return;
      if (await window.isSingle(tx, event)) await tellAll(tx, { products: [productOf(event)], total: 1 });
    },
  };

  return { subscriber, window };
}

function movementOf({ changes }: LoggedEvent): { from: number | null; to: number | null } {
  return changes.stock as { from: number | null; to: number | null };
}

function productOf(event: LoggedEvent): Fallen['products'][number] {
  const { name, sku, slug } = event.data;
  return { name: String(name), sku: String(sku), slug: String(slug), stock: movementOf(event).to ?? 0 };
}
