import type { FastifyReply, FastifyRequest } from 'fastify';
import { isUuid } from '../../kernel/ids.ts';
import { demandAccess } from '../../modules/accounts/index.ts';
import { readForSale } from '../../modules/catalogue/index.ts';
import {
  addToCart,
  CART_ADDITIONS,
  CART_CHANGES,
  type CartOwner,
  cartOwner,
  type Orders,
  readCart,
  removeCartItem,
  setCartItemQuantity,
} from '../../modules/orders/index.ts';
import { CartItemId, MAX_QUANTITY } from '../../modules/orders/schemas.ts';
import { type Refusal, readForm, refusalOf } from '../account/fields.ts';
import { formPage, goTo, type Registers, show } from '../account/page.ts';
import { type CartNews, cartPage, wrongQuantity } from './cart-page.ts';
import { type CartView, viewCart } from './view-cart.ts';

/** What is done to carts by forms. Each ends on the cart's page, which says in words what was done or refused. */

/** The number that somebody wrote; null when it is none, or more than a cart takes. */
function quantityOf(text: string, least: 0 | 1): number | null {
  const number = /^\d{1,4}$/.test(text) ? Number(text) : -1;
  return number >= least && number <= MAX_QUANTITY ? number : null;
}

export function registerCart(orders: Orders): Registers {
  const { db, cartTokens } = orders;

  return (pages, shop) => {
    const ownerOf = (request: FastifyRequest, reply: FastifyReply): Promise<CartOwner> => {
      // Pages are for people: an API key comes with scopes, of which no page asks for one.
      if (request.identity) demandAccess(request.identity, 'user', undefined);
      return cartOwner(orders, request, reply);
    };
    const showCart = async (
      request: FastifyRequest,
      reply: FastifyReply,
      owner: CartOwner,
      refusal: Refusal | null = null,
    ) => {
      const cart = await viewCart(orders, owner.cartId);
      // For the header of all other pages.
      cartTokens.showCount(reply, cart.item_count);
      const news = refusal ? null : await newsOf(orders, request, reply, cart);
      const page = cartPage(cart, { news, faults: refusal?.faults ?? [], isGuest: owner.isGuest });
      return show(shop, request, reply, page, refusal);
    };
    const change = { schema: { params: CartItemId }, config: { limit: CART_CHANGES } };

    pages.get('/cart', async (request, reply) => showCart(request, reply, await ownerOf(request, reply)));

    formPage(pages, '/cart/items', '/cart');
    pages.post('/cart/items', { config: { fromCachedPage: true, limit: CART_ADDITIONS } }, async (request, reply) => {
      const owner = await ownerOf(request, reply);
      const sent = readForm(request, ['product_id', 'quantity']);
      const quantity = quantityOf(sent.quantity, 1);
      if (quantity === null) return showCart(request, reply, owner, wrongQuantity(null));
      let added = '';
      // An id that is none is one of nothing.
      const product_id = isUuid(sent.product_id) ? sent.product_id : NOTHING;
      const refusal = await refusalOf({}, sent, async () => {
        ({ itemId: added } = await addToCart(orders, owner, { product_id, quantity }));
      });
      if (refusal) return showCart(request, reply, owner, refusal);
      return goTo(reply, `/cart?added=${added}`);
    });

    formPage(pages, '/cart/items/:id', '/cart');
    pages.post('/cart/items/:id', change, async (request, reply) => {
      const owner = await ownerOf(request, reply);
      const { id } = request.params;
      const sent = readForm(request, ['quantity', 'do']);
      const written = quantityOf(sent.quantity, 0);
      const quantity = written === null ? null : written + (sent.do === 'more' ? 1 : sent.do === 'less' ? -1 : 0);
      if (quantity === null || quantity > MAX_QUANTITY)
        return showCart(request, reply, owner, wrongQuantity(`quantity-${id}`));
      if (quantity <= 0) return remove(reply, owner, id);
      const refusal = await refusalOf({}, {}, () => setCartItemQuantity(orders, owner, id, quantity));
      // A line that is gone shows that by itself.
      if (!refusal || refusal.status === 404) return goTo(reply, '/cart');
      const faults = refusal.faults.map(({ message }) => ({ field: `quantity-${id}`, message }));
      return showCart(request, reply, owner, { ...refusal, faults });
    });

    formPage(pages, '/cart/items/:id/remove', '/cart');
    pages.post('/cart/items/:id/remove', change, async (request, reply) =>
      remove(reply, await ownerOf(request, reply), request.params.id),
    );

    async function remove(reply: FastifyReply, owner: CartOwner, id: string) {
      const { lines } = await readCart(db, owner.cartId);
      const line = lines.find((one) => one.id === id.toLowerCase());
      await refusalOf({}, {}, () => removeCartItem(orders, owner, id));
      if (line) cartTokens.noteRemoved(reply, { productId: line.product_id, quantity: line.quantity });
      return goTo(reply, '/cart');
    }
  };
}

const NOTHING = '00000000-0000-0000-0000-000000000000';

/**
 * What was done just now. The address names a line of this very cart, and what was taken out is in a cookie: nobody can have
 * the shop say something of theirs.
 */
async function newsOf(
  { db, cartTokens }: Orders,
  request: FastifyRequest,
  reply: FastifyReply,
  { items }: CartView,
): Promise<CartNews | null> {
  const removed = cartTokens.takeRemoved(request, reply);
  const { added } = request.query as Record<string, unknown>;
  const line = items.find(({ id }) => id === added);
  if (line) return { done: 'added', name: line.name };
  if (!removed || items.some(({ product_id }) => product_id === removed.productId)) return null;
  const product = (await readForSale(db, [removed.productId])).get(removed.productId);
  if (!product) return null;
  const canUndo = product.left === null || product.left >= removed.quantity;
  return { done: 'removed', name: product.name, undo: canUndo ? removed : null };
}
