import { timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createCookies } from '../../kernel/http/cookies.ts';
import { isUuid, newId } from '../../kernel/ids.ts';
import type { Secrets } from '../../kernel/secrets.ts';
import type { CartOwner } from './cart.ts';
import type { Orders } from './index.ts';
import { mergeCarts } from './merge-carts.ts';

const HEADER = 'x-cart-token';
/** Also how long a guest's cart is kept that nobody changes. */
export const GUEST_CART_DAYS = 30;

const TOKEN = 'cart';
const COUNT = 'cart_count';
const REMOVED = 'cart_removed';
const MAX_AGE = GUEST_CART_DAYS * 86_400;
/** A removal is told on the very next page. */
const REMOVED_MAX_AGE = 60;

/**
 * A guest's cart is known by a token, `<cart id>.<keyed hash of it>`, in the header X-Cart-Token or a cookie. The token proves
 * itself, so nothing is stored for whoever only looks around.
 */
export type CartTokens = {
  /** The id of the cart that the request's token proves; null without one, or with one that is not ours. */
  read(request: FastifyRequest): string | null;
  /**
   * Answers a new token for a cart that has nothing in it yet; its id. It comes as a cookie that no script can read, and from
   * the API, where programs need it, as a header too.
   */
  issue(reply: FastifyReply): string;
  /** Answers the token of a cart again, from when on its cookie lasts as long as a new one. */
  renew(reply: FastifyReply, cartId: string): void;
  /** Has a browser forget its token. */
  clear(reply: FastifyReply): void;
  /**
   * Tells the scripts of pages how many things are in the cart, by a cookie of its own: the pages themselves are kept for
   * everybody.
   */
  showCount(reply: FastifyReply, count: number): void;
  /** Has the browser note what was taken out, for the page that it is sent to. */
  noteRemoved(reply: FastifyReply, removed: Removed): void;
  /** What this browser has noted, once; null when that is nothing, or no note of ours. */
  takeRemoved(request: FastifyRequest, reply: FastifyReply): Removed | null;
};

export type Removed = { productId: string; quantity: number };

export function createCartTokens(secrets: Secrets, publicUrl: string): CartTokens {
  const cookies = createCookies(publicUrl);
  const tokenOf = (cartId: string) => `${cartId}.${secrets.hash('cart token', cartId).toString('base64url')}`;
  const proven = (given: unknown): string | null => {
    if (typeof given !== 'string') return null;
    const cartId = given.split('.', 1)[0]!;
    const right = Buffer.from(tokenOf(cartId));
    const shown = Buffer.from(given);
    return right.length === shown.length && timingSafeEqual(right, shown) ? cartId : null;
  };
  const renew: CartTokens['renew'] = (reply, cartId) => {
    const token = tokenOf(cartId);
    if (reply.request.routeOptions.url?.startsWith('/api/')) reply.header(HEADER, token);
    cookies.set(reply, TOKEN, token, { maxAge: MAX_AGE });
  };
  return {
    read: (request) => proven(request.headers[HEADER]) ?? proven(cookies.read(request, TOKEN)),
    issue(reply) {
      const cartId = newId();
      renew(reply, cartId);
      return cartId;
    },
    renew,
    clear: (reply) => cookies.clear(reply, TOKEN),
    showCount(reply, count) {
      if (count === 0) cookies.clear(reply, COUNT);
      else cookies.set(reply, COUNT, String(count), { maxAge: MAX_AGE, forScripts: true });
    },
    noteRemoved: (reply, { productId, quantity }) =>
      cookies.set(reply, REMOVED, `${productId}.${quantity}`, { maxAge: REMOVED_MAX_AGE }),
    takeRemoved(request, reply) {
      const note = cookies.read(request, REMOVED);
      if (note === undefined) return null;
      cookies.clear(reply, REMOVED);
      const [productId = '', number = ''] = note.split('.');
      const quantity = /^\d{1,3}$/.test(number) ? Number(number) : 0;
      return isUuid(productId) && quantity > 0 ? { productId, quantity } : null;
    },
  };
}

/**
 * Whose cart a request is about: that of whoever is logged in, into which goes what a token that is still sent along
 * stands for; otherwise a guest's, who is answered the token, a new one if there was none that is ours.
 */
export async function cartOwner(orders: Orders, request: FastifyRequest, reply: FastifyReply): Promise<CartOwner> {
  const { cartTokens } = orders;
  const guest = cartTokens.read(request);
  const { identity } = request;
  if (!identity) {
    if (guest !== null) cartTokens.renew(reply, guest);
    return { cartId: guest ?? cartTokens.issue(reply), isGuest: true };
  }
  // The key of a program that serves many guests would gather all of their carts in one.
  if (guest !== null && identity.apiKeyId === null) {
    await mergeCarts(orders, guest, identity.userId);
    cartTokens.clear(reply);
  }
  return { cartId: identity.userId, isGuest: false };
}
