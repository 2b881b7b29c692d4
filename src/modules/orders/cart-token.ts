import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Secrets } from '../../kernel/secrets.ts';

/**
 * A guest's cart is known by a token, `<cart id>.<keyed hash of it>`, in the header X-Cart-Token or a cookie. The token proves
 * itself, so nothing is stored for whoever only looks around.
 */
export type CartTokens = {
  /** The id of the cart that the request's token proves; null without one, or with one that is not ours. */
  read(request: FastifyRequest): string | null;
  /** Answers a new token, as header and cookie, for a cart that has nothing in it yet; its id. */
  issue(reply: FastifyReply): string;
  /** Has a browser forget its token. */
  clear(reply: FastifyReply): void;
};

export function createCartTokens(_secrets: Secrets, _publicUrl: string): CartTokens {
  return {
    read: () => null,
    issue() {
      throw new Error('not yet');
    },
    clear() {},
  };
}
