import { prepare, type Sql, type Tx } from '../../kernel/db.ts';
import { formatMoney } from '../../kernel/money.ts';
import { type ForSale, imageUrl, readForSale } from '../catalogue/index.ts';
import { cartFull } from './errors.ts';
import type { Cart, CartChange, CartItem } from './schemas.ts';

/** A cart with its lines beside what the catalogue says of them now. */

/** Whose cart it is: a user's has the user's own id, a guest's the one that its token proves. */
export type CartOwner = { cartId: string; isGuest: boolean };

export type CartLine = {
  id: string;
  product_id: string;
  quantity: number;
  /** As the product was when the line was last changed; the price in minor units. */
  sku: string;
  name: string;
  image: string | null;
  unit_price: number;
  /** The product now; null when it is gone. */
  product: ForSale | null;
};

export type CartContent = {
  /** Of the cart's row; 0 while there is none. */
  version: number;
  updatedAt: Date | null;
  /** In the order in which they were added. */
  lines: CartLine[];
};

type Row = { version: number; updated_at: Date } & { [K in keyof Omit<CartLine, 'product'>]: CartLine[K] | null };

const READ = prepare<Row>(
  `select c.version, c.updated_at, i.id, i.product_id, i.quantity, i.sku, i.name, i.image, i.unit_price
   from carts c left join cart_items i on i.cart_id = c.id where c.id = $1 order by i.id`,
);

export async function readCart(target: Sql, cartId: string): Promise<CartContent> {
  const rows = await target.many(READ([cartId]));
  const stored = rows.filter((row) => row.id !== null) as Omit<CartLine, 'product'>[];
  const products = await readForSale(
    target,
    stored.map((line) => line.product_id),
  );
  return {
    version: rows[0]?.version ?? 0,
    updatedAt: rows[0]?.updated_at ?? null,
    lines: stored.map(({ id, product_id, quantity, sku, name, image, unit_price }) => ({
      id,
      product_id,
      quantity,
      sku,
      name,
      image,
      unit_price,
      product: products.get(product_id) ?? null,
    })),
  };
}

const LOCK = prepare<{ version: number }>(
  `insert into carts (id, is_guest, created_at, updated_at) values ($1, $2, $3, $3)
   on conflict (id) do update set version = carts.version + 1, updated_at = excluded.updated_at returning version`,
);

/**
 * Makes the cart if it is not there, and its version go up: who changes a cart does this first, and so waits for whoever
 * else does. Answers the new version.
 */
export async function lockCart(tx: Tx, { cartId, isGuest }: CartOwner, now: Date): Promise<number> {
  return (await tx.one(LOCK([cartId, isGuest, now]))).version;
}

const COUNT = prepare<{ count: number }>(
  'select coalesce(sum(quantity), 0)::integer as count from cart_items where cart_id = $1',
);

/** How many things are in the cart. */
export async function countThings(target: Sql, cartId: string): Promise<number> {
  return (await target.one(COUNT([cartId]))).count;
}

/** What a line costs now, in minor units: nothing when the product is gone. */
function lineTotal({ product, quantity }: Pick<CartLine, 'product' | 'quantity'>): number {
  return product ? product.unit_price * quantity : 0;
}

/** What the lines cost together, in minor units. */
export function sumOf(lines: readonly Pick<CartLine, 'product' | 'quantity'>[]): number {
  return lines.reduce((sum, line) => sum + lineTotal(line), 0);
}

/** Throws cart_full when the lines cost more than can be reckoned with exactly. */
export function demandReckonable(lines: readonly CartLine[]): void {
  if (!Number.isSafeInteger(sumOf(lines)))
    throw cartFull('With that, the cart would be worth more than can be reckoned with. Order what is in it first.');
}

/** Whether there is as much of the product as the line asks for. */
export function isEnough({ product, quantity }: Pick<CartLine, 'product' | 'quantity'>): boolean {
  return product !== null && (product.left === null || product.left >= quantity);
}

export function presentCart(cartId: string, { lines, updatedAt }: CartContent, currency: string): Cart {
  // Prices may have risen since the lines were added, so the sum may be more than a number holds exactly.
  const sum = lines.reduce((total, line) => total + BigInt(lineTotal(line)), 0n);
  const total = formatMoney(sum, currency);
  return {
    id: cartId,
    items: lines.map((line) => presentLine(line, currency)),
    item_count: lines.reduce((count, { quantity }) => count + quantity, 0),
    subtotal: total,
    total,
    currency,
    ready: lines.length > 0 && lines.every(isEnough) && Number.isSafeInteger(Number(sum)),
    updated_at: updatedAt?.toISOString() ?? null,
  };
}

function presentLine(line: CartLine, currency: string): CartItem {
  const { product } = line;
  return {
    id: line.id,
    product_id: line.product_id,
    sku: product?.sku ?? line.sku,
    slug: product?.slug ?? null,
    name: product?.name ?? line.name,
    image_url: product?.image_url ?? imageUrl(line.image, 'list'),
    unit_price: formatMoney(product?.unit_price ?? line.unit_price, currency),
    quantity: line.quantity,
    line_total: formatMoney(lineTotal(line), currency),
    left: product ? product.left : 0,
    changes: changesOf(line, currency),
  };
}

function changesOf(line: CartLine, currency: string): CartChange[] {
  const { product, unit_price } = line;
  if (!product) return [{ code: 'gone', message: shortage(line) }];
  const changes: CartChange[] = [];
  if (product.unit_price !== unit_price) {
    const [from, to] = [formatMoney(unit_price, currency), formatMoney(product.unit_price, currency)];
    changes.push({
      code: 'price_changed',
      message: `The price has changed from ${from} to ${to} ${currency}.`,
      from,
      to,
    });
  }
  if (!isEnough(line)) changes.push({ code: 'insufficient_stock', message: shortage(line), left: product.left! });
  return changes;
}

/** Why a line cannot be had as it stands, as a sentence. */
export function shortage({ product, quantity }: CartLine): string {
  if (!product) return 'This is no longer sold.';
  if (product.left === 0) return 'This has sold out.';
  return `Only ${product.left} ${product.left === 1 ? 'is' : 'are'} left, and you want ${quantity}.`;
}
