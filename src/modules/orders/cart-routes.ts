import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { sendFresh } from '../../kernel/http/fresh-answer.ts';
import { API_HEADERS, type Http } from '../../kernel/http/index.ts';
import { allow, demandAccess } from '../accounts/index.ts';
import { addToCart, CART_ADDITIONS } from './add-to-cart.ts';
import { presentCart, readCart } from './cart.ts';
import { cartOwner } from './cart-token.ts';
import { emptyCart, removeCartItem, setCartItemQuantity } from './change-cart.ts';
import type { Orders } from './index.ts';
import { Cart, CartItemId, CartItemQuantity, CartTokenHeader, NewCartItem } from './schemas.ts';

const tags = ['Cart'];
const Nothing = Type.Null({ description: 'Nothing.' });
const CartRef = Type.Unsafe<Cart>(Type.Ref('Cart'));

const WHOSE =
  'The cart of whoever is logged in, or else of the guest whose token comes in the header `X-Cart-Token` or a cookie. A ' +
  'guest is answered the token in that header and cookie; without one that is ours, it is a new one. An API key needs the ' +
  'scope ';

/** Nobody has to be anybody. */
const security: Record<string, string[]>[] = [{}, { bearer: [] }, { cookie: [] }];

export function registerCartRoutes(app: Http, orders: Orders): void {
  app.addSchema(Cart);
  /** What every route of the cart has: open to guests, but to no API key that was not made for it. */
  const open = (scope: 'orders:read' | 'orders:write', summary: string, description = '') => ({
    onRequest: async (request: FastifyRequest, reply: FastifyReply) => {
      if (request.identity) return demandAccess(request.identity, 'user', scope);
      // Already here, so that a guest is answered the token whatever becomes of the request.
      const guest = orders.cartTokens.read(request);
      if (guest !== null) orders.cartTokens.renew(reply, guest);
    },
    schema: {
      summary,
      tags,
      description: `${description} ${WHOSE}\`${scope}\`.`.trim(),
      headers: CartTokenHeader,
      security,
    },
  });
  const owner = (request: FastifyRequest, reply: FastifyReply) => cartOwner(orders, request, reply);
  const sendCart = (reply: FastifyReply, cart: Cart, status: 200 | 201 = 200) => {
    orders.cartTokens.showCount(reply, cart.item_count);
    return sendFresh(reply, cart, { status });
  };
  const sendNothing = (reply: FastifyReply, count: number) => {
    orders.cartTokens.showCount(reply, count);
    return reply
      .code(204)
      .headers({ ...API_HEADERS, 'cache-control': 'no-store' })
      .send(null);
  };

  const read = open('orders:read', 'My cart', 'Its lines say what has changed since they were added.');
  app.get(
    '/api/cart',
    { ...read, schema: { ...read.schema, response: { 200: CartRef } }, config: allow('anyone') },
    async (request, reply) => {
      const { cartId } = await owner(request, reply);
      return sendCart(reply, presentCart(cartId, await readCart(orders.db, cartId), orders.config.CURRENCY));
    },
  );

  const empty = open('orders:write', 'Empty my cart');
  app.delete(
    '/api/cart',
    { ...empty, schema: { ...empty.schema, response: { 204: Nothing } }, config: allow('anyone') },
    async (request, reply) => {
      await emptyCart(orders, await owner(request, reply));
      return sendNothing(reply, 0);
    },
  );

  const add = open('orders:write', 'Put something into my cart', 'It is added to the line that there may be of it.');
  app.post(
    '/api/cart/items',
    {
      ...add,
      schema: { ...add.schema, body: NewCartItem, response: { 201: CartRef } },
      config: { ...allow('anyone'), limit: CART_ADDITIONS },
    },
    async (request, reply) => {
      const { cart, itemId } = await addToCart(orders, await owner(request, reply), request.body);
      reply.header('location', `/api/cart/items/${itemId}`);
      return sendCart(reply, cart, 201);
    },
  );

  const change = open('orders:write', 'Set how many of it I want', 'Fewer than before can always be set.');
  app.put(
    '/api/cart/items/:id',
    {
      ...change,
      schema: { ...change.schema, params: CartItemId, body: CartItemQuantity, response: { 200: CartRef } },
      config: allow('anyone'),
    },
    async (request, reply) => {
      const { params, body } = request;
      return sendCart(reply, await setCartItemQuantity(orders, await owner(request, reply), params.id, body.quantity));
    },
  );

  const remove = open('orders:write', 'Take something out of my cart');
  app.delete(
    '/api/cart/items/:id',
    {
      ...remove,
      schema: { ...remove.schema, params: CartItemId, response: { 204: Nothing } },
      config: allow('anyone'),
    },
    async (request, reply) =>
      sendNothing(reply, await removeCartItem(orders, await owner(request, reply), request.params.id)),
  );
}
