import type { Tx } from '../../kernel/db.ts';
import type { LoggedEvent, Subscriber } from '../../kernel/events.ts';
import { staffWanting } from '../accounts/index.ts';
import { stockMovedBy } from '../orders/events.ts';
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

type Product = { name: string; sku: string; slug: string; stock: number };

/** Stock that has run low, to every admin who wants to know; of an order's or an import's products in one message. */
export function lowStockMails(deps: MailDeps): { subscriber: Subscriber; window: MailWindow } {
  const { config, publicUrl, sendMail, fallenByImport, namesOfProducts } = deps;
  const threshold = config.LOW_STOCK;

  const tellAll = async (tx: Tx, { products, total }: { products: readonly Product[]; total: number }) => {
    if (total === 0) return;
    const told = {
      products: products.map(({ slug, ...product }) => ({ ...product, url: `${publicUrl}/products/${slug}` })),
      total,
      threshold,
    };
    for (const to of await staffWanting(tx, 'low_stock')) await sendMail(tx, { template: 'low_stock', to, data: told });
  };

  /** What is left, by product, of those that the event let fall. */
  const fallenBy = (event: LoggedEvent): [id: string, stock: number][] =>
    movementsOf(event).flatMap(([id, { from, to }]) =>
      to !== null && crossesLowStock(from, to, threshold) ? [[id, to]] : [],
    );

  const tellOf = async (tx: Tx, events: readonly LoggedEvent[]) => {
    const sold = events.filter(({ type }) => type !== 'stock.adjusted');
    const known = await namesOfProducts(
      tx,
      sold.flatMap(fallenBy).map(([id]) => id),
    );
    const products = events.flatMap((event) => {
      const adjusted = event.type === 'stock.adjusted' ? namedBy(event) : undefined;
      return fallenBy(event).flatMap(([id, stock]) => {
        const product = adjusted ?? known.get(id);
        return product ? [{ ...product, stock }] : [];
      });
    });
    await tellAll(tx, { products: products.slice(0, LISTED), total: products.length });
  };

  const window = defineMailWindow(deps, {
    kind: 'low_stock',
    // An order may have let any number of products fall, so how many there are is known when all have been read.
    listed: Number.POSITIVE_INFINITY,
    tell: (tx, { events }) => tellOf(tx, events),
  });

  const subscriber: Subscriber = {
    name: 'mails.low_stock',
    types: ['stock.adjusted', 'order.placed', 'import.completed'],
    wanted: async (target) => threshold > 0 && (await staffWanting(target, 'low_stock')).length > 0,
    async handle(tx, event) {
      // The threshold may have been another one when the event was found to be wanted.
      if (threshold === 0) return;
      if (event.type === 'import.completed')
        return tellAll(tx, await fallenByImport(tx, event.subject_id, { threshold, limit: LISTED }));
      if (fallenBy(event).length === 0) return;
      // Who bought the last one is no matter: all customers together are told of like one of the staff.
      const counted = event.type === 'order.placed' ? { ...event, actor_id: null } : event;
      if (await window.isSingle(tx, counted)) await tellOf(tx, [event]);
    },
  };

  return { subscriber, window };
}

function movementsOf(event: LoggedEvent): [id: string, moved: { from: number | null; to: number | null }][] {
  if (event.type !== 'stock.adjusted') return Object.entries(stockMovedBy(event));
  return [[event.subject_id, event.changes.stock as { from: number | null; to: number | null }]];
}

/** What a product was called when its stock was adjusted, as the event says. */
function namedBy({ data }: LoggedEvent): Omit<Product, 'stock'> {
  return { name: String(data.name), sku: String(data.sku), slug: String(data.slug) };
}
