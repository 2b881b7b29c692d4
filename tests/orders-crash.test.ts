import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { newId } from '../src/kernel/ids.ts';
import { formatMoney } from '../src/kernel/money.ts';
import { cloneDatabase, eventually } from '../src/kernel/testing/index.ts';
import { makeProduct, unbalanced } from './support/buying.ts';
import { type Caller, startTestShop, type TestShop } from './support/shop.ts';

/**
 * A process that takes orders, killed with SIGKILL again and again at any moment, while many buy, cancel and send off at
 * once. Buyers do what clients should: what was not answered they send again under the same key, until it is. After each
 * death what they were answered is compared with what is in the database.
 */

const ROUNDS = 50;
const BUYERS = 12;
/** A process is killed after so many answers at most, and a little while: on a slow machine they take longer to come. */
const ANSWERS = 60;
const WHILE_MS = 20;

// biome-ignore lint/suspicious/noExplicitAny: orders as they were answered
type Json = any;
type Line = { product_id: string; quantity: number };

/** What a buyer does next. It stays what it is, under the same key, until it is answered. */
type Step =
  | { do: 'add'; index: number; key: string }
  | { do: 'order'; key: string }
  | { do: 'cancel'; order: Json; key: string }
  | { do: 'ship'; order: Json }
  | { do: 'clear' };

type Buyer = {
  id: string;
  headers: Record<string, string>;
  /** What they want to order, each thing once. */
  wish: Line[];
  step: Step;
  /** Whether the step was begun, and not answered so far. */
  isOpen: boolean;
  /** Of a step that was not answered: the number of the order that it made. */
  made: string | null;
};

let database: Awaited<ReturnType<typeof cloneDatabase>>;
let shop: TestShop;
let staff: Caller;
let products: { id: string; stock: number | null }[];
let buyers: Buyer[];

/** What was answered: orders and refusals by their keys, and what orders became by their ids. */
const placed = new Map<string, Json>();
const refused = new Set<string>();
const became = new Map<string, string>();
/** Orders that were not answered when the process died, and how many of them it had made. */
const unanswered = { rounds: 0, orders: 0, made: 0, replayed: 0 };
let answers = 0;
let soldOut = 0;

beforeAll(async () => {
  database = await cloneDatabase();
  shop = await startTestShop({ databaseUrl: database.url });
  staff = await shop.as('staff');
  products = [];
  // Some run out on the way; the last one is not tracked.
  for (const stock of [40, 120, 100_000, 100_000, 100_000, null])
    products.push({ id: (await makeProduct(staff, { stock, price: '19.99' })).id, stock });
  const customers = await Promise.all(Array.from({ length: BUYERS }, () => shop.as('customer')));
  buyers = customers.map(({ userId, headers }) => ({ id: userId, headers, ...newWish() }));
  // From here on nobody but the processes moves events on.
  await shop.events.stop();
});
afterAll(async () => {
  await shop?.stop();
  await database?.drop();
});

/** Code that Node has compiled once, which halves the time in which a process gets ready. */
const compiled = mkdtempSync(join(tmpdir(), 'vitrine-compiled-'));
afterAll(() => rmSync(compiled, { recursive: true, force: true }));

const oneOf = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!;

function newWish(): Pick<Buyer, 'wish' | 'step' | 'isOpen' | 'made'> {
  const ids = new Set(Array.from({ length: 1 + Math.floor(Math.random() * 3) }, () => oneOf(products).id));
  const wish = [...ids].map((product_id) => ({ product_id, quantity: 1 + Math.floor(Math.random() * 3) }));
  return { wish, ...next({ do: 'add', index: 0, key: newId() }) };
}
const next = (step: Step) => ({ step, isOpen: false, made: null });

function spawnShop(): { child: ChildProcess; begin(): Promise<string> } {
  const child = spawn(process.execPath, [fileURLToPath(new URL('support/orders-process.ts', import.meta.url))], {
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: database.url,
      SECRET_KEY: 'a secret that only tests have, and all of them',
      RATE_LIMIT: 'off',
      LOG_LEVEL: 'silent',
      NODE_COMPILE_CACHE: compiled,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ready = once(child.stdout!, 'data');
  return {
    child,
    async begin() {
      await ready;
      const listens = once(child.stdout!, 'data');
      child.stdin!.write('begin\n');
      return `http://127.0.0.1:${Number(String((await listens)[0]))}`;
    },
  };
}

class Unanswered extends Error {}

type Answered = { status: number; code: string | undefined; isReplayed: boolean; json: Json };
type Asked = { method?: string; path: string; headers: Record<string, string>; body?: object; key?: string };

/** Throws Unanswered when the process dies before all of its answer is there. */
async function ask(url: string, { method = 'POST', path, headers, body, key }: Asked): Promise<Answered> {
  try {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...headers,
        ...(body && { 'content-type': 'application/json' }),
        ...(key && { 'idempotency-key': key }),
      },
      body: body ? JSON.stringify(body) : null,
    });
    const text = await response.text();
    const json = text === '' ? undefined : JSON.parse(text);
    const isReplayed = response.headers.get('idempotent-replayed') === 'true';
    answers += 1;
    return { status: response.status, code: json?.code, isReplayed, json };
  } catch {
    throw new Unanswered();
  }
}

/** Does the buyer's step, or does it again, and goes on to the next. Throws Unanswered, and for an answer that is wrong. */
async function act(url: string, buyer: Buyer): Promise<void> {
  const { step, headers, wish, isOpen } = buyer;
  buyer.isOpen = true;
  const wrong = (answer: Answered) =>
    new Error(`${step.do}${isOpen ? ' again' : ''} was answered ${answer.status} ${JSON.stringify(answer.json)}`);
  /** Of what is not kept with its answer it is only said that it is done. */
  const isDone = (answer: Answered, status: number) =>
    answer.status === status || (isOpen && answer.code === 'idempotency_answer_lost');

  if (step.do === 'add') {
    const { index, key } = step;
    const answer = await ask(url, { path: '/api/cart/items', headers, body: wish[index]!, key });
    if (answer.code === 'insufficient_stock') soldOut += 1;
    if (answer.code === 'insufficient_stock') Object.assign(buyer, next({ do: 'clear' }));
    else if (!isDone(answer, 201)) throw wrong(answer);
    else if (index + 1 < wish.length) Object.assign(buyer, next({ do: 'add', index: index + 1, key: newId() }));
    else Object.assign(buyer, next({ do: 'order', key: newId() }));
  } else if (step.do === 'order') {
    const order = await orderOnce(url, buyer, step.key, wrong);
    const after = oneOf(['cancel', 'ship', 'more', 'more'] as const);
    if (!order) Object.assign(buyer, next({ do: 'clear' }));
    else if (after === 'cancel') Object.assign(buyer, next({ do: 'cancel', order, key: newId() }));
    else if (after === 'ship') Object.assign(buyer, next({ do: 'ship', order }));
    else Object.assign(buyer, newWish());
  } else if (step.do === 'cancel') {
    const answer = await ask(url, { path: `/api/orders/${step.order.id}/cancel`, headers, key: step.key });
    if (!isDone(answer, 200)) throw wrong(answer);
    became.set(step.order.id, 'cancelled');
    Object.assign(buyer, newWish());
  } else if (step.do === 'ship') {
    const path = `/api/orders/${step.order.id}/status`;
    const answer = await ask(url, { method: 'PATCH', path, headers: staff.headers, body: { status: 'shipped' } });
    // Without a key it is only seen that somebody has done it before.
    if (answer.status !== 200 && !(isOpen && answer.code === 'illegal_transition')) throw wrong(answer);
    became.set(step.order.id, 'shipped');
    Object.assign(buyer, newWish());
  } else {
    const answer = await ask(url, { method: 'DELETE', path: '/api/cart', headers });
    if (answer.status !== 204) throw wrong(answer);
    Object.assign(buyer, newWish());
  }
}

/** Orders what is in the cart; who has to ask again does so twice at once. The order, or null when it was refused. */
async function orderOnce(
  url: string,
  buyer: Buyer,
  key: string,
  wrong: (answer: Answered) => Error,
): Promise<Json | null> {
  const { headers, wish, isOpen, made } = buyer;
  const times = isOpen ? 2 : 1;
  // The note tells the key of each order that there is.
  const asked = Array.from({ length: times }, () =>
    ask(url, { path: '/api/orders', headers, body: { note: key }, key }),
  );
  const outcomes = await Promise.allSettled(asked);
  const answers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
  const orders = answers.filter(({ status }) => status === 201);
  const isSlow = ({ code }: Answered) => times > 1 && code === 'idempotency_key_in_use';
  for (const answer of answers)
    if (answer.status !== 201 && answer.code !== 'insufficient_stock' && !isSlow(answer)) throw wrong(answer);
  if (orders.length === 0) {
    if (answers.some(isSlow)) return orderOnce(url, buyer, key, wrong);
    // The other one may have been done.
    if (answers.length < times) throw new Unanswered();
    if (made !== null) throw wrong(answers[0]!);
    refused.add(key);
    soldOut += 1;
    return null;
  }
  const [{ json: order }] = orders as [Answered];
  placed.set(key, order);
  for (const answer of orders) {
    expect(answer.json).toEqual(order);
    if (made === null) continue;
    expect([order.number, answer.isReplayed]).toEqual([made, true]);
    unanswered.replayed += 1;
  }
  expect(order.items.map(({ product_id, quantity }: Line) => ({ product_id, quantity }))).toEqual(wish);
  return order;
}

async function untilAnswered(more: number): Promise<void> {
  const enough = answers + more;
  for (const latest = performance.now() + 10_000; answers < enough && performance.now() < latest; ) await sleep(1);
  await sleep(Math.random() * WHILE_MS);
}

async function buyUntilDeath(url: string, buyer: Buyer): Promise<void> {
  try {
    for (;;) await act(url, buyer);
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
  }
}

const rows = <R = object>(text: string, values: readonly unknown[] = []) => shop.db.many(sql<R>(text, values));

/** What the killed process had begun in the database ends there, one way or the other. */
const itsWorkEnds = () =>
  eventually(async () => {
    const backends =
      "select from pg_stat_activity where datname = current_database() and application_name = 'orders-process'";
    expect(await rows(backends)).toEqual([]);
  }, 30_000);

/** Of those who were not answered: whether their order is there, and all of it, or nothing at all. */
async function lookAtTheUnanswered(): Promise<void> {
  const ordering = buyers.filter(({ step, isOpen }) => step.do === 'order' && isOpen);
  if (ordering.length > 0) unanswered.rounds += 1;
  for (const buyer of ordering) {
    const { key } = buyer.step as { key: string };
    const [order] = await rows<{ number: string }>('select number from orders where note = $1', [key]);
    const inCart = await rows<Line>('select product_id, quantity from cart_items where cart_id = $1 order by id', [
      buyer.id,
    ]);
    expect(inCart, order ? 'the cart of an order' : 'a cart that was not ordered').toEqual(order ? [] : buyer.wish);
    if (buyer.made === null) {
      unanswered.orders += 1;
      if (order) unanswered.made += 1;
    } else expect(order?.number).toBe(buyer.made);
    buyer.made = order?.number ?? null;
  }
}

/** Everything that was answered is there as it was answered. */
async function expectAnswered(): Promise<void> {
  type Stored = { id: string; key: string; number: string; status: string; total: number; items: Json[] };
  const stored = await rows<Stored>(
    `select o.id, o.note as key, o.number, o.status, o.total,
       (select json_agg(json_build_object('product_id', i.product_id, 'quantity', i.quantity, 'line_total', i.line_total)
          order by i.position) from order_items i where i.order_id = o.id) as items
     from orders o`,
  );
  const byKey = new Map(stored.map((order) => [order.key, order]));
  expect(byKey.size, 'orders of one key').toBe(stored.length);
  for (const [key, answered] of placed) {
    const order = byKey.get(key);
    const { id, number, total, items } = answered;
    expect(order, `order ${number}`).toMatchObject({ id, number });
    expect(formatMoney(order!.total, 'USD')).toBe(total);
    expect(order!.items.map((item) => ({ ...item, line_total: formatMoney(item.line_total, 'USD') }))).toEqual(
      items.map(({ product_id, quantity, line_total }: Json) => ({ product_id, quantity, line_total })),
    );
  }
  for (const key of refused) expect(byKey.get(key), 'an order that was refused').toBeUndefined();
  const statuses = new Map(stored.map(({ id, status }) => [id, status]));
  for (const [id, status] of became) expect(statuses.get(id)).toBe(status);
}

/** No order is half there, and stock is what the orders have left of it. */
async function expectWhole(): Promise<void> {
  const halves = await rows(
    `select o.number from orders o
     left join (select order_id, sum(line_total) as sum from order_items group by order_id) i on i.order_id = o.id
     left join (select order_id, count(*) as n, (array_agg(status order by version desc))[1] as last
                from order_status_changes group by order_id) c on c.order_id = o.id
     where i.sum is distinct from o.subtotal or o.subtotal <> o.total
       or o.version <> 1 + coalesce(c.n, 0) or o.status <> coalesce(c.last, 'pending')`,
  );
  expect(halves, 'orders without their lines, sums or statuses').toEqual([]);
  const told = await rows(
    `with told as (
       select subject_id, type, data from events union all select subject_id, type, data from outbox
     )
     select coalesce(o.number, t.number) as number from orders o full join (
       select subject_id as id, count(*) filter (where type = 'order.placed') as placed,
         count(*) filter (where type = 'order.status_changed') as changed, min(data ->> 'number') as number,
         min(jsonb_array_length(data -> 'items')) as lines
       from told where type like 'order.%' group by 1
     ) t on t.id = o.id::text
     where t.placed is distinct from 1 or t.changed is distinct from o.version - 1 or t.number is distinct from o.number
       or t.lines is distinct from (select count(*)::int from order_items where order_id = o.id)`,
  );
  expect(told, 'orders that are not told of just once').toEqual([]);
  const gaps = await rows(
    `select from (select count(*) as n, max(position) as last from events) e, event_log_head h
     where e.n <> h.position or coalesce(e.last, 0) <> h.position`,
  );
  expect(gaps, 'gaps in the log').toEqual([]);

  expect(await unbalanced(shop)).toEqual([]);
  const moved = await rows(
    `with expected as (
       select product_id, order_id::text as reference, 'order' as reason, -quantity as delta from order_items where took_stock
       union all
       select i.product_id, i.order_id::text, 'cancellation', i.quantity
       from order_items i join orders o on o.id = i.order_id where i.took_stock and o.status = 'cancelled'
     )
     select * from expected e full join (
       select product_id, reference, reason, sum(delta) as delta, count(*) as n
       from stock_movements where reason in ('order', 'cancellation') group by 1, 2, 3
     ) m using (product_id, reference, reason)
     where m.n is distinct from 1 or m.delta is distinct from e.delta`,
  );
  expect(moved, 'movements that are no order’s, or the other way round').toEqual([]);
  for (const { id, stock } of products) {
    const [row] = await rows<{ on_hand: number | null; sold: number }>(
      `select (select on_hand from stock where product_id = $1), coalesce(sum(quantity), 0) as sold
       from order_items i join orders o on o.id = i.order_id where i.product_id = $1 and o.status <> 'cancelled'`,
      [id],
    );
    expect(row!.on_hand).toBe(stock === null ? null : stock - row!.sold);
  }
}

it(`${ROUNDS} times: what was answered is there, nothing is half there, and each key has made one order at most`, async () => {
  let upcoming = spawnShop();
  for (let round = 0; round < ROUNDS; round++) {
    const { child } = upcoming;
    const url = await upcoming.begin();
    // The next one gets ready meanwhile.
    upcoming = spawnShop();
    const buying = Promise.all(buyers.map((buyer) => buyUntilDeath(url, buyer)));
    await Promise.race([untilAnswered(Math.random() * ANSWERS), buying]);
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    expect(await exit).toEqual([null, 'SIGKILL']);
    await buying;
    await itsWorkEnds();
    await lookAtTheUnanswered();
    await expectAnswered();
    await expectWhole();
    // Nobody waits here until the dead have been silent for half a minute.
    await rows("update idempotency_keys set lease_until = now() - interval '1 second' where state <> 'answered'");
  }

  const url = await upcoming.begin();
  await Promise.all(
    buyers.map(async (buyer) => {
      while (buyer.isOpen) await act(url, buyer);
    }),
  );
  await eventually(async () => expect(await rows('select from outbox')).toEqual([]), 30_000);
  await expectAnswered();
  await expectWhole();
  expect(await rows('select from orders')).toHaveLength(placed.size);

  // It was under load that they were killed.
  const shown = JSON.stringify({ placed: placed.size, soldOut, changed: became.size, ...unanswered });
  expect(placed.size, shown).toBeGreaterThan(2 * ROUNDS);
  expect(soldOut, shown).toBeGreaterThan(0);
  expect(became.size, shown).toBeGreaterThan(ROUNDS / 5);
  expect(unanswered.rounds, shown).toBeGreaterThan(ROUNDS / 2);
  expect(unanswered.made, shown).toBeGreaterThan(0);
  expect(unanswered.orders - unanswered.made, shown).toBeGreaterThan(0);
  expect(unanswered.replayed, shown).toBeGreaterThan(0);
}, 600_000);
