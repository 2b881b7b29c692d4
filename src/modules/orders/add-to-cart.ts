import { prepare } from '../../kernel/db.ts';
import { type Limit, validationFailed } from '../../kernel/http/index.ts';
import { noteDone } from '../../kernel/idempotency.ts';
import { newId } from '../../kernel/ids.ts';
import { insufficientStock, productNotFound, readForSale } from '../catalogue/index.ts';
import { type CartLine, type CartOwner, demandReckonable, isEnough, lockCart, presentCart, readCart } from './cart.ts';
import { cartFull } from './errors.ts';
import type { OrdersContext } from './index.ts';
import { type Cart, MAX_LINES, MAX_QUANTITY, type NewCartItem } from './schemas.ts';

/** A guest's first thing makes a row that is kept for a month. An office behind one address may buy at once. */
export const CART_ADDITIONS: Limit = { name: 'cart', most: 300, seconds: 60 };

const STORE = prepare(
  `insert into cart_items (id, cart_id, product_id, quantity, sku, name, image, unit_price, added_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
   on conflict (cart_id, product_id) do update set quantity = excluded.quantity, sku = excluded.sku, name = excluded.name,
     image = excluded.image, unit_price = excluded.unit_price`,
);

/**
 * Puts something into a cart, onto the line that there may be of it already. Throws product_not_found, insufficient_stock
 * (with what is `left`, and how many are `in_cart`), cart_full, validation_failed beyond 999 of one.
 */
export async function addToCart(
  { db, clock, config }: OrdersContext,
  owner: CartOwner,
  item: NewCartItem,
): Promise<{ cart: Cart; itemId: string }> {
  const productId = item.product_id.toLowerCase();
  const now = clock.now();
  return db.transaction(async (tx) => {
    const version = await lockCart(tx, owner, now);
    const { lines } = await readCart(tx, owner.cartId);
    const known = lines.find((line) => line.product_id === productId);
    const product = known ? known.product : (await readForSale(tx, [productId])).get(productId);
    if (!product) throw productNotFound('There is no product with this id, or it is not sold any more.');
    const inCart = known?.quantity ?? 0;
    const line: CartLine = {
      id: known?.id ?? newId(),
      product_id: productId,
      quantity: inCart + item.quantity,
      sku: product.sku,
      name: product.name,
      image: product.image,
      unit_price: product.unit_price,
      product,
    };
    if (line.quantity > MAX_QUANTITY) throw tooMany(inCart);
    if (!isEnough(line)) throw notEnough(product.left!, inCart);
    if (!known && lines.length >= MAX_LINES)
      throw cartFull(`A cart holds at most ${MAX_LINES} different products. Order these first, or take something out.`);
    const after = known ? lines.map((other) => (other === known ? line : other)) : [...lines, line];
    demandReckonable(after);
    await tx.run(
      STORE([line.id, owner.cartId, productId, line.quantity, line.sku, line.name, line.image, line.unit_price, now]),
    );
    await noteDone(tx);
    const cart = presentCart(owner.cartId, { version, updatedAt: now, lines: after }, config.CURRENCY);
    return { cart, itemId: line.id };
  });
}

function tooMany(inCart: number) {
  const message = `There may be at most ${MAX_QUANTITY} of one product in a cart, which has ${inCart} of it already.`;
  return validationFailed(message, {
    errors: [{ path: 'quantity', message: `must be at most ${MAX_QUANTITY - inCart}` }],
  });
}

function notEnough(left: number, inCart: number) {
  const message =
    left === 0
      ? 'This has sold out.'
      : `Only ${left} ${areOf(left)} left${inCart === 0 ? '' : `, and ${inCart} ${areOf(inCart)} in the cart already`}. Choose fewer.`;
  return insufficientStock(message, { left, in_cart: inCart });
}

const areOf = (count: number) => (count === 1 ? 'is' : 'are');
