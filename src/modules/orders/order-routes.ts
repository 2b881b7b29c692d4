import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { etagOf } from '../../kernel/cache.ts';
import { headOfFresh, MADE, sendFresh } from '../../kernel/http/fresh-answer.ts';
import { type Http, matchesEtag } from '../../kernel/http/index.ts';
import { IfMatch, readIfMatch } from '../../kernel/http/preconditions.ts';
import { allow, identityOf } from '../accounts/index.ts';
import { countThings } from './cart.ts';
import { cartOwner } from './cart-token.ts';
import { changeStatus } from './change-status.ts';
import type { Orders } from './index.ts';
import { findOrder, listOrders } from './list-orders.ts';
import { placeOrder } from './place-order.ts';
import {
  CartTokenHeader,
  NewOrder,
  NewStatus,
  Order,
  OrderKey,
  OrderListQuery,
  OrderPage,
  OwnOrderListQuery,
} from './schemas.ts';

const tags = ['Orders'];
const OrderRef = Type.Ref('Order');
const IfNoneMatch = Type.Object({
  'If-None-Match': Type.Optional(Type.String({ description: 'ETags that you have: where one is its own, 304.' })),
});
const CONDITIONAL = 'With `If-Match` only at that version; otherwise 412 `version_mismatch`.';

export function registerOrderRoutes(app: Http, orders: Orders): void {
  app.addSchema(Order);
  registerCheckout(app, orders);
  registerReads(app, orders);
  registerStatusChanges(app, orders);
}

function registerCheckout(app: Http, orders: Orders): void {
  app.post(
    '/api/orders',
    {
      config: allow('user', 'orders:write'),
      schema: {
        summary: 'Order what is in my cart',
        description:
          'The cart is empty afterwards. 409 `cart_empty`; `insufficient_stock`, with the `lines` that ask for more than is ' +
          '`left`; `price_changed`, with the `total` as it is now, when it is not the `expected_total`. What a guest has ' +
          'gathered under an `X-Cart-Token` that is sent along is ordered too. The body may be left out.',
        tags,
        headers: CartTokenHeader,
        body: NewOrder,
        response: { 201: { ...OrderRef, headers: MADE } },
      },
      preValidation(request, _reply, done) {
        // All that it can say may be left out, so it may be, too.
        if (request.body === undefined) request.body = {};
        done();
      },
      async onSend(request, reply) {
        // What is answered again says nothing of the cart, in which there may be other things by now.
        if (reply.hasHeader('idempotent-replayed'))
          orders.cartTokens.showCount(reply, await countThings(orders.db, identityOf(request).userId));
      },
    },
    async (request, reply) => {
      await cartOwner(orders, request, reply);
      const claim = request.idempotency;
      const serialise = reply.getSerializationFunction('201')!;
      const order = await placeOrder(orders, identityOf(request).userId, {
        ...request.body,
        keep: claim
          ? {
              claim,
              answer(placed) {
                const body = serialise(placed as never);
                const headers = { ...headOfFresh(body, placed.version), location: locationOf(placed) };
                return { status: 201, headers, body };
              },
            }
          : undefined,
      });
      orders.cartTokens.showCount(reply, 0);
      reply.header('location', locationOf(order));
      return sendFresh(reply, order, { status: 201, version: order.version });
    },
  );
}

function locationOf({ id }: Order): string {
  return `/api/orders/${id}`;
}

function registerReads(app: Http, orders: Orders): void {
  app.get(
    '/api/orders',
    {
      config: allow('user', 'orders:read'),
      schema: {
        summary: 'List orders, the newest first',
        description:
          'One’s own; staff see everybody’s. `search` finds by the beginning of a number, by words of what was ordered, and ' +
          'for staff by how the customer’s username or e-mail address begins.',
        tags,
        querystring: OrderListQuery,
        response: { 200: OrderPage },
      },
    },
    async (request, reply) => sendFresh(reply, await listOrders(orders, identityOf(request), request.query)),
  );

  app.get(
    '/api/profile/orders',
    {
      config: allow('user'),
      schema: {
        summary: 'My orders, the newest first',
        tags: ['Profile'],
        querystring: OwnOrderListQuery,
        response: { 200: OrderPage },
      },
    },
    async (request, reply) =>
      sendFresh(reply, await listOrders(orders, identityOf(request), request.query, { own: true })),
  );

  app.get(
    '/api/orders/:id',
    {
      config: allow('user', 'orders:read'),
      schema: {
        summary: 'An order, by its id or number',
        description: 'Another customer’s is answered like one that is not there.',
        tags,
        params: OrderKey,
        headers: IfNoneMatch,
        response: { 200: OrderRef, 304: Type.Null({ description: 'It is as `If-None-Match` has it.' }) },
      },
    },
    async (request, reply) => {
      const order = await findOrder(orders, identityOf(request), request.params.id);
      const etag = etagOf(Buffer.from(reply.getSerializationFunction('200')!(order as never)), order.version);
      if (!matchesEtag(request.headers['if-none-match'], etag)) return answer(reply, order);
      return reply.code(304).headers({ etag, 'cache-control': 'no-store' }).send(null);
    },
  );
}

function registerStatusChanges(app: Http, orders: Orders): void {
  const ifMatch = (request: FastifyRequest) => readIfMatch(request.headers['if-match']);
  app.patch(
    '/api/orders/:id/status',
    {
      config: allow('staff', 'orders:write'),
      schema: {
        summary: 'Take an order to another status',
        description:
          'From `pending` to `shipped` or `cancelled`, from `shipped` to `delivered`. Anything else, the status that it has ' +
          'already included, is 409 `illegal_transition`, which says what is `possible`. What is cancelled gives its stock ' +
          `back. ${CONDITIONAL}`,
        tags,
        params: OrderKey,
        headers: IfMatch,
        body: NewStatus,
        response: { 200: OrderRef },
      },
    },
    async (request, reply) => {
      const { params, body } = request;
      const version = ifMatch(request);
      return answer(reply, await changeStatus(orders, identityOf(request), params.id, body.status, { version }));
    },
  );

  app.post(
    '/api/orders/:id/cancel',
    {
      config: allow('user', 'orders:write'),
      schema: {
        summary: 'Cancel an order of mine',
        description: `As long as it is \`pending\`; otherwise 409 \`illegal_transition\`. ${CONDITIONAL}`,
        tags,
        params: OrderKey,
        headers: IfMatch,
        response: { 200: OrderRef },
      },
    },
    async (request, reply) => {
      const version = ifMatch(request);
      const { id } = request.params;
      return answer(reply, await changeStatus(orders, identityOf(request), id, 'cancelled', { version, own: true }));
    },
  );
}

function answer(reply: FastifyReply, order: Order) {
  return sendFresh(reply, order, { version: order.version });
}
