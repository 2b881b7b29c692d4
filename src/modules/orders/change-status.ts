import { prepare, type Tx } from '../../kernel/db.ts';
import { demandVersion, type ExpectedVersion } from '../../kernel/http/preconditions.ts';
import { isUuid } from '../../kernel/ids.ts';
import { type Actor, forbidden, hasRole } from '../accounts/index.ts';
import { changeStock } from '../catalogue/index.ts';
import { illegalTransition, ordersBusy, stockOutOfRange } from './errors.ts';
import type { OrdersContext } from './index.ts';
import { findOrder, noSuchOrder } from './list-orders.ts';
import { readOrderNumber } from './number.ts';
import { mayBecome, type Status, TRANSITIONS } from './order.ts';
import type { Order } from './schemas.ts';

type Change = {
  status: Status;
  /** Only at one of these versions. */
  version?: ExpectedVersion | null;
  /** Only if it is the caller's own. */
  own?: boolean;
};
type Changing = Pick<OrdersContext, 'db' | 'events' | 'clock'>;

/**
 * Takes an order to another status; one that is cancelled gives its stock back. `key` is an id or a number. Staff may do all
 * that TRANSITIONS allows, a customer may cancel their own. Throws order_not_found, illegal_transition, version_mismatch,
 * forbidden, orders_busy, stock_out_of_range.
 */
export async function changeStatus(
  context: Changing,
  by: Actor,
  key: string,
  status: Status,
  options: Omit<Change, 'status'> = {},
): Promise<Order> {
  const id = await trying(() => context.db.transaction((tx) => change(tx, context, by, key, { ...options, status })));
  await context.events.flush();
  return findOrder(context, by, id);
}

async function change(
  tx: Tx,
  { events, clock }: Changing,
  by: Actor,
  key: string,
  { status, version = null, own = false }: Change,
): Promise<string> {
  const isStaff = hasRole(by, 'staff');
  await tx.run(PATIENCE([]));
  const order = await lock(tx, key);
  if (!order || ((own || !isStaff) && order.user_id !== by.userId)) throw noSuchOrder();
  if (!isStaff && status !== 'cancelled')
    throw forbidden('An order is sent and delivered by staff. You can cancel it.');
  demandVersion(version, order.version);
  if (!mayBecome(order.status, status)) throw noWay(order, status);
  const at = clock.now();
  await tx.run(STORE([order.id, status, at, by.userId]));
  // Last but for the event that tells of it: others wait for a hot row as long as it is held.
  const stock = status === 'cancelled' ? await giveBack(tx, order.id, by.userId, at) : undefined;
  await events.append(tx, {
    type: 'order.status_changed',
    subject: { type: 'order', id: order.id },
    actorId: by.userId,
    userId: order.user_id,
    changes: { status: { from: order.status, to: status } },
    data: { number: order.number, status, ...(stock && { stock }) },
  });
  return order.id;
}

/** As place_order has it: whoever holds what this needs for longer is stuck. */
const PATIENCE = prepare("select set_config('lock_timeout', '3000', true)");

type Locked = { id: string; number: string; user_id: string; status: Status; version: number };

const LOCK = 'select id, number, user_id, status, version from orders where';
const LOCK_BY_ID = prepare<Locked>(`${LOCK} id = $1 for update`);
const LOCK_BY_NUMBER = prepare<Locked>(`${LOCK} number = $1 for update`);

/** So that of two who change it at once, the second sees what the first has made of it. */
async function lock(tx: Tx, key: string): Promise<Locked | undefined> {
  if (isUuid(key)) return tx.maybe(LOCK_BY_ID([key]));
  const number = readOrderNumber(key);
  return number === null ? undefined : tx.maybe(LOCK_BY_NUMBER([number]));
}

const STORE = prepare(
  `with changed as (
     update orders set status = $2, version = version + 1, updated_at = $3 where id = $1 returning id, status, version
   )
   insert into order_status_changes (order_id, version, status, at, actor_id)
   select id, version, status, $3, $4 from changed`,
);

function noWay({ number, status: from }: Locked, to: Status): Error {
  const possible = TRANSITIONS[from];
  const next = possible.length === 0 ? 'Nothing follows that.' : `It can become ${possible.join(' or ')}.`;
  return illegalTransition(`The order ${number} is ${from}, and cannot become ${to}. ${next}`, { from, to, possible });
}

const TAKEN = prepare<{ product_id: string; quantity: number }>(
  `select product_id, sum(quantity)::integer as quantity from order_items where order_id = $1 and took_stock
   group by product_id`,
);

/**
 * Returns what the order took, also to a product that is archived since: it may be restored. Answers what was on hand
 * before and after, by product.
 */
async function giveBack(tx: Tx, orderId: string, actorId: string, at: Date): Promise<Record<string, object>> {
  const taken = await tx.many(TAKEN([orderId]));
  const quantities = new Map(taken.map(({ product_id, quantity }) => [product_id, quantity]));
  const moves = await changeStock(
    tx,
    taken.map(({ product_id: productId, quantity: delta }) => ({ productId, delta })),
    { reason: 'cancellation', reference: orderId, actorId, at },
  ).catch((error: { code?: string }) => {
    if (error.code !== '22003') throw error;
    throw stockOutOfRange(
      'With what comes back, there would be more than 2,147,483,647 of a product in stock. Staff have to lower that stock first; then it can be cancelled.',
    );
  });
  return Object.fromEntries(
    moves.flatMap(({ product_id: id, on_hand, moved }) =>
      moved ? [[id, { from: on_hand! - quantities.get(id)!, to: on_hand! }]] : [],
    ),
  );
}

const TRIES = 3;

/** Again when PostgreSQL ended it as one of two that waited for each other: the other was erasing one of its products. */
async function trying<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== '40P01' && code !== '55P03') throw error;
      if (code === '55P03' || tries === TRIES)
        throw ordersBusy('Others are changing the same things just now. Try again in a moment.', {
          headers: { 'retry-after': '1' },
        });
    }
  }
}
