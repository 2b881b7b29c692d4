import { prepare } from '../../kernel/db.ts';
import type { FieldError } from '../../kernel/errors.ts';
import { validationFailed } from '../../kernel/http/index.ts';
import { type Answer, type Claim, NO_ANSWER } from '../../kernel/idempotency.ts';
import { newId } from '../../kernel/ids.ts';
import { formatMoney, parseMoney } from '../../kernel/money.ts';
import { type Profile, readProfile } from '../accounts/index.ts';
import { CATALOGUE_TAG, insufficientStock } from '../catalogue/index.ts';
import { type CartContent, isEnough, readCart, sumOf } from './cart.ts';
import { readAddress, readNote } from './delivery.ts';
import { cartEmpty, cartFull, ordersBusy, priceChanged } from './errors.ts';
import type { OrdersContext } from './index.ts';
import { newOrderNumber } from './number.ts';
import { presentOrder, type StoredItem, type StoredOrder } from './present-order.ts';
import type { NewOrder, Order, ShippingAddress } from './schemas.ts';

/**
 * Checkout. Everything is worked out from the cart and the products as they are read, and then written by one statement
 * that fails when they are not as they were read: then it is looked at again. So a sum is made in one place only, a hot
 * row is held for no round trip, and the answer can be kept with the order, under the key that it was asked with. Nine
 * statements in a transaction place a third as many orders a second, and half as many when everybody buys one thing.
 */
const PLACE = prepare<{ stock: unknown }>(
  `select place_order(${Array.from({ length: 25 }, (_, index) => `$${index + 1}`).join(', ')}) as stock`,
);

/** How often a cart is looked at again that is changed, or whose products are, just when it is ordered. */
const TRIES = 20;

export type Placing = NewOrder & {
  /** Keeps the answer under the key that the order was asked with. */
  keep?: { claim: Claim; answer(order: Order): Answer } | undefined;
};

/**
 * Orders what lies in the user's cart, and empties it. Throws cart_empty, insufficient_stock (with the `lines` and what is
 * left), price_changed (with the `total` as it is now), validation_failed, cart_full, orders_busy, and user_not_found once
 * the account is erased.
 */
export async function placeOrder(context: OrdersContext, userId: string, placing: Placing): Promise<Order> {
  const { db, config } = context;
  for (let tries = 1; ; tries++) {
    const [profile, cart] = await Promise.all([readProfile(context, userId), readCart(db, userId)]);
    const { address, note, expected } = readPlacing(placing, profile, config.CURRENCY);
    const total = demandReady(cart, expected, config.CURRENCY);
    const stored = draft(context, cart, { profile, total, address, note });
    const order = presentOrder(stored, { namesStaff: false });
    try {
      const kept = placing.keep?.claim.kept(placing.keep.answer(order));
      await context.tills(() => write(context, cart, stored, kept));
      // The answer waits for no relay: what this node shows is dropped here, and the others follow the log.
      context.cache.invalidate([CATALOGUE_TAG]);
      void context.events.flush();
      return order;
    } catch (error) {
      if (isLockedOut(error))
        throw ordersBusy('Something that you want is held by somebody else just now. Try again in a moment.', {
          headers: { 'retry-after': '3' },
        });
      if (!isWorthAnotherLook(error)) throw error;
      if (tries === TRIES)
        throw ordersBusy('The cart, or what lies in it, is changing all the time. Try again in a moment.', {
          headers: { 'retry-after': '1' },
        });
    }
  }
}

/** What was asked for, beside the cart. Throws validation_failed with all that is wrong with it. */
function readPlacing(
  { shipping_address, note, expected_total }: NewOrder,
  profile: Profile,
  currency: string,
): { address: ShippingAddress | null; note: string; expected: number | null } {
  const address = readAddress(shipping_address, profile);
  const said = readNote(note);
  const faults: FieldError[] = [...address.faults, ...said.faults];
  const expected = expected_total === undefined ? null : parseMoney(expected_total, currency, Number.MAX_SAFE_INTEGER);
  if (expected_total !== undefined && expected === null)
    faults.push({
      path: 'expected_total',
      message: `must be an amount of ${currency}, such as ${formatMoney(1999, currency)}`,
    });
  if (faults.length > 0) throw validationFailed('Some fields are not valid.', { errors: faults });
  return { address: address.value, note: said.value, expected };
}

/** Throws unless the cart can be ordered as it is; answers its total, in minor units. */
function demandReady({ lines }: CartContent, expected: number | null, currency: string): number {
  if (lines.length === 0) throw cartEmpty('There is nothing in the cart. Put something in, then order.');
  const short = lines.filter((line) => !isEnough(line));
  if (short.length > 0)
    throw insufficientStock('Some of it is not there in that number any more. Change the cart, then order.', {
      lines: short.map(({ id, product_id, sku, name, quantity, product }) => ({
        id,
        product_id,
        sku,
        name,
        quantity,
        left: product?.left ?? 0,
      })),
    });
  const total = sumOf(lines);
  if (!Number.isSafeInteger(total))
    throw cartFull('The cart is worth more than can be reckoned with. Take things out.');
  if (expected !== null && expected !== total)
    throw priceChanged('The total is not what you have seen. Look at the cart again, then order.', {
      total: formatMoney(total, currency),
      currency,
    });
  return total;
}

function draft(
  { clock, config }: Pick<OrdersContext, 'clock' | 'config'>,
  { lines }: CartContent,
  { profile, total, address, note }: { profile: Profile; total: number; address: ShippingAddress | null; note: string },
): StoredOrder {
  return {
    id: newId(),
    number: newOrderNumber(),
    user_id: profile.id,
    username: profile.username,
    status: 'pending',
    subtotal: total,
    discount_total: 0,
    shipping_total: 0,
    tax_total: 0,
    total,
    currency: config.CURRENCY,
    shipping_address: address,
    note,
    version: 1,
    placed_at: clock.now(),
    items: lines.map(({ quantity, product }): StoredItem => {
      const { id, sku, name, image, unit_price } = product!;
      return { product_id: id, sku, name, image, unit_price, quantity, line_total: unit_price * quantity };
    }),
    changes: [],
  };
}

async function write(
  { db }: Pick<OrdersContext, 'db'>,
  cart: CartContent,
  order: StoredOrder,
  kept: ReturnType<Claim['kept']> | undefined,
): Promise<void> {
  const { items, currency } = order;
  const of = <K extends keyof StoredItem>(key: K) => items.map((item) => item[key]);
  const products = cart.lines.map(({ product }) => product!);
  // What is told of it: the stock is added where it is known.
  const data = {
    number: order.number,
    status: order.status,
    total: formatMoney(order.total, currency),
    currency,
    items: items.map(({ product_id, sku, quantity }) => ({ product_id, sku, quantity })),
  };
  await db.one(
    PLACE([
      order.id,
      order.number,
      order.user_id,
      order.user_id,
      cart.version,
      order.total,
      currency,
      order.shipping_address && JSON.stringify(order.shipping_address),
      order.note,
      order.placed_at,
      of('product_id'),
      products.map(({ version }) => version),
      of('quantity'),
      products.map(({ tracked }) => tracked),
      of('unit_price'),
      of('sku'),
      of('name'),
      of('image'),
      newId(),
      JSON.stringify(data),
      ...(kept ?? NO_ANSWER),
    ]),
  );
}

/** By the lock_timeout of place_order. */
function isLockedOut(error: unknown): boolean {
  return (error as { code?: string }).code === '55P03';
}

/**
 * Something is not as it was read (raised by place_order and sell_products), another order has the number, a product was
 * erased just now, or an erasure that met this one had it end.
 */
function isWorthAnotherLook(error: unknown): boolean {
  const { code, constraint } = error as { code?: string; constraint?: string };
  return (
    code === 'VT001' ||
    code === '40P01' ||
    (code === '23503' && constraint === 'sold_products_product_id_fkey') ||
    (code === '23505' && constraint === 'orders_number_key')
  );
}
