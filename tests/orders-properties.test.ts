import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { makeProduct, unbalanced } from './support/buying.ts';
import { type Answer, type Caller, startTestShop, type TestShop } from './support/shop.ts';

/**
 * Two customers, a guest and the staff do anything in any order, and each answer is compared with what a model of the shop
 * says, written as simply as can be: what may be refused and why, what carts hold, what orders come to, what is left.
 */

// biome-ignore lint/suspicious/noExplicitAny: answers as they came
type Json = any;
type Who = 'ada' | 'ben' | 'guest';
type Customer = Exclude<Who, 'guest'>;

/** Things are named by their number, in the order in which they were made. */
type Step =
  | { do: 'add'; who: Who; thing: number; quantity: number }
  | { do: 'set'; who: Who; line: number; quantity: number }
  | { do: 'remove'; who: Who; line: number }
  | { do: 'merge'; who: Customer }
  | { do: 'order'; who: Customer; expecting: 'nothing' | 'right' | 'wrong'; withGuest: boolean }
  | { do: 'become'; order: number; status: 'shipped' | 'delivered' | 'cancelled'; by: 'staff' | 'owner' | 'other' }
  | { do: 'adjust'; thing: number; delta: number }
  | { do: 'count'; thing: number; stock: number }
  | { do: 'price'; thing: number; price: number; sale: boolean }
  | { do: 'rename'; thing: number }
  | { do: 'show'; thing: number; active: boolean }
  | { do: 'delete'; thing: number }
  | { do: 'restore'; thing: number };

const THINGS = 4;
const who = fc.constantFrom<Who>('ada', 'ben', 'guest');
const customer = fc.constantFrom<Customer>('ada', 'ben');
const thing = fc.nat({ max: THINGS - 1 });
const NO_LINE = 9;
const line = fc.nat({ max: NO_LINE });
const quantity = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 6 }) }, fc.constantFrom(998, 999));
const price = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 1, max: 20_000 }) },
  fc.integer({ min: 999_999_999_000, max: 999_999_999_999 }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 16, arbitrary: fc.record({ do: fc.constant('add' as const), who, thing, quantity }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('set' as const), who, line, quantity }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), who, line }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('merge' as const), who: customer }) },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('order' as const),
      who: customer,
      expecting: fc.constantFrom('nothing' as const, 'right' as const, 'wrong' as const),
      withGuest: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('become' as const),
      order: fc.nat({ max: 5 }),
      status: fc.constantFrom('cancelled' as const, 'cancelled' as const, 'shipped' as const, 'delivered' as const),
      by: fc.constantFrom('staff' as const, 'owner' as const, 'other' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('adjust' as const), thing, delta: fc.integer({ min: -8, max: 8 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('count' as const), thing, stock: fc.nat({ max: 12 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('price' as const), thing, price, sale: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rename' as const), thing }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('show' as const), thing, active: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), thing }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const), thing }) },
);

type Thing = {
  id: string;
  sku: string;
  name: string;
  /** In minor units; `sale` is below `price`. */
  price: bigint;
  sale: bigint | null;
  /** Null when it is not counted. */
  stock: number | null;
  active: boolean;
  state: 'there' | 'archived' | 'erased';
  sold: boolean;
};
/** `seen` is what one cost when the line was last changed. */
type Line = { thing: Thing; quantity: number; seen: bigint };
/** As it was answered when it was placed, and what it took from stock. */
type Placed = { answer: Json; owner: Customer; status: string; took: Map<Thing, number> };

const costs = ({ sale, price }: Thing) => sale ?? price;
const isShown = ({ state, active }: Thing) => state === 'there' && active;
const hasEnough = (one: Thing, wanted: number) => isShown(one) && (one.stock === null || one.stock >= wanted);
const sum = (lines: readonly Line[]) =>
  lines.reduce((total, { thing, quantity }) => total + (isShown(thing) ? costs(thing) * BigInt(quantity) : 0n), 0n);

describe.each([
  ['USD', 2],
  ['JPY', 0],
  ['KWD', 3],
])('whatever happens in a shop in %s', (currency, digits) => {
  let shop: TestShop;
  let staff: Caller;
  let people: Record<Customer, Caller>;
  beforeAll(async () => {
    shop = await startTestShop({ env: { CURRENCY: currency } });
    staff = await shop.as('staff');
    people = { ada: await shop.as('customer'), ben: await shop.as('customer') };
  });
  afterAll(() => shop.stop());

  const spell = (minor: bigint) => {
    const text = String(minor).padStart(digits + 1, '0');
    return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
  };
  const minor = (text: string) => {
    expect(text).toMatch(digits === 0 ? /^\d+$/ : new RegExp(`^\\d+\\.\\d{${digits}}$`));
    return BigInt(text.replace('.', ''));
  };

  /** A shop of four things with empty carts, and the steps of it, each of which checks what it is answered. */
  async function open() {
    const things: Thing[] = [];
    for (const stock of [3, 10, 1_000_000, null]) {
      const { id, sku, name } = await makeProduct(staff, { stock, price: spell(1_250n) });
      things.push({ id, sku, name, price: 1_250n, sale: null, stock, active: true, state: 'there', sold: false });
    }
    for (const person of Object.values(people)) await person.delete('/api/cart');
    const token = (await shop.get('/api/cart')).headers.get('x-cart-token')!;
    const asGuest = { 'x-cart-token': token };
    const headersOf = (whose: Who) => (whose === 'guest' ? asGuest : people[whose].headers);
    const carts: Record<Who, Line[]> = { ada: [], ben: [], guest: [] };
    /** Of every cart's lines, in the order in which they were begun. */
    const begun: Line[] = [];
    const orders: Placed[] = [];

    const send = (method: string, path: string, whose: Who, body?: unknown, more: Record<string, string> = {}) =>
      shop.send(method, path, body, { ...headersOf(whose), ...more });
    const lineOf = (whose: Who, one: Thing) => carts[whose].find((line) => line.thing === one);
    const refused = ({ status, json }: Answer, wanted: number, code: string) =>
      expect({ status, code: json?.code }).toEqual({ status: wanted, code });
    /** What staff do to it is refused when it is not there. */
    const takes = (one: Thing, answer: Answer) => {
      if (one.state === 'there') return true;
      refused(answer, 404, 'product_not_found');
      return false;
    };

    const checkCart = (whose: Who, answer: Json) => {
      const lines = carts[whose];
      expect(
        answer.items.map(({ product_id, unit_price, quantity, line_total, left, changes }: Json) => ({
          product_id,
          unit_price: minor(unit_price),
          quantity,
          line_total: minor(line_total),
          left,
          changes: changes.map(({ code }: Json) => code),
        })),
      ).toEqual(
        lines.map(({ thing: one, quantity, seen }) => ({
          product_id: one.id,
          unit_price: isShown(one) ? costs(one) : seen,
          quantity,
          line_total: isShown(one) ? costs(one) * BigInt(quantity) : 0n,
          left: isShown(one) ? one.stock : 0,
          changes: isShown(one)
            ? [
                ...(costs(one) === seen ? [] : ['price_changed']),
                ...(hasEnough(one, quantity) ? [] : ['insufficient_stock']),
              ]
            : ['gone'],
        })),
      );
      expect(minor(answer.total)).toBe(
        answer.items.reduce((all: bigint, one: Json) => all + minor(one.line_total), 0n),
      );
      expect(answer).toMatchObject({
        subtotal: spell(sum(lines)),
        total: spell(sum(lines)),
        currency,
        item_count: lines.reduce((count, { quantity }) => count + quantity, 0),
        ready: lines.length > 0 && lines.every((line) => hasEnough(line.thing, line.quantity)),
      });
    };

    const merge = (into: Customer) => {
      for (const theirs of carts.guest) {
        const mine = lineOf(into, theirs.thing);
        if (mine) mine.quantity = Math.min(999, mine.quantity + theirs.quantity);
        else carts[into].push(theirs);
      }
      carts.guest = [];
      carts[into].sort((a, b) => begun.indexOf(a) - begun.indexOf(b));
    };

    const checkOrder = (answer: Json, lines: readonly Line[]) => {
      expect(
        answer.items.map(({ product_id, sku, name, unit_price, quantity, line_total }: Json) => ({
          product_id,
          sku,
          name,
          unit_price: minor(unit_price),
          quantity,
          line_total: minor(line_total),
        })),
      ).toEqual(
        lines.map(({ thing: { id, sku, name, ...one }, quantity }) => ({
          product_id: id,
          sku,
          name,
          unit_price: one.sale ?? one.price,
          quantity,
          line_total: (one.sale ?? one.price) * BigInt(quantity),
        })),
      );
      expect(answer).toMatchObject({
        status: 'pending',
        version: 1,
        currency,
        subtotal: spell(sum(lines)),
        total: spell(sum(lines)),
      });
      for (const zero of ['discount_total', 'shipping_total', 'tax_total']) expect(minor(answer[zero])).toBe(0n);
    };

    async function put(whose: Who, one: Thing, quantity: number) {
      const answer = await send('POST', '/api/cart/items', whose, { product_id: one.id, quantity });
      const known = lineOf(whose, one);
      const wanted = (known?.quantity ?? 0) + quantity;
      if (!isShown(one)) return refused(answer, 404, 'product_not_found');
      if (wanted > 999) return refused(answer, 400, 'validation_failed');
      if (!hasEnough(one, wanted)) {
        expect(answer.json).toMatchObject({ left: one.stock, in_cart: known?.quantity ?? 0 });
        return refused(answer, 409, 'insufficient_stock');
      }
      expect(answer.status, answer.text).toBe(201);
      const line = known ?? { thing: one, quantity: 0, seen: 0n };
      Object.assign(line, { quantity: wanted, seen: costs(one) });
      if (!known) {
        carts[whose].push(line);
        begun.push(line);
      }
      checkCart(whose, answer.json);
    }

    /** One of the cart's lines; none for NO_LINE, and where there is none. */
    async function nth(whose: Who, given: number): Promise<{ line: Line | undefined; path: string }> {
      const { items } = (await send('GET', '/api/cart', whose)).json;
      const n = given === NO_LINE ? given : given % Math.max(1, carts[whose].length);
      return { line: carts[whose][n], path: `/api/cart/items/${items[n]?.id ?? things[0]!.id}` };
    }

    async function set(whose: Who, n: number, quantity: number) {
      const { line, path } = await nth(whose, n);
      const answer = await send('PUT', path, whose, { quantity });
      if (!line) return refused(answer, 404, 'cart_item_not_found');
      const one = line.thing;
      if (quantity > line.quantity && !hasEnough(one, quantity)) {
        expect(answer.json.left).toBe(isShown(one) ? one.stock : 0);
        return refused(answer, 409, 'insufficient_stock');
      }
      expect(answer.status, answer.text).toBe(200);
      Object.assign(line, { quantity, seen: isShown(one) ? costs(one) : line.seen });
      checkCart(whose, answer.json);
    }

    async function remove(whose: Who, n: number) {
      const { line, path } = await nth(whose, n);
      const answer = await send('DELETE', path, whose);
      if (!line) return refused(answer, 404, 'cart_item_not_found');
      expect(answer.status).toBe(204);
      carts[whose] = carts[whose].filter((other) => other !== line);
    }

    async function order({ who: whose, expecting, withGuest }: Step & { do: 'order' }) {
      if (withGuest) merge(whose);
      const lines = carts[whose];
      const total = sum(lines);
      const expected = { nothing: undefined, right: spell(total), wrong: spell(total + 1n) }[expecting];
      const body = expected === undefined ? {} : { expected_total: expected };
      const answer = await send('POST', '/api/orders', whose, body, withGuest ? asGuest : {});
      if (lines.length === 0) return refused(answer, 409, 'cart_empty');
      const short = lines.filter((line) => !hasEnough(line.thing, line.quantity));
      if (short.length > 0) {
        expect(answer.json.lines.map(({ product_id, quantity, left }: Json) => [product_id, quantity, left])).toEqual(
          short.map(({ thing: one, quantity }) => [one.id, quantity, isShown(one) ? one.stock : 0]),
        );
        return refused(answer, 409, 'insufficient_stock');
      }
      if (expecting === 'wrong') {
        expect(answer.json).toMatchObject({ total: spell(total), currency });
        return refused(answer, 409, 'price_changed');
      }
      expect(answer.status, answer.text).toBe(201);
      checkOrder(answer.json, lines);
      const took = new Map<Thing, number>();
      for (const { thing: one, quantity } of lines) {
        one.sold = true;
        if (one.stock === null) continue;
        one.stock -= quantity;
        took.set(one, quantity);
      }
      orders.push({ answer: answer.json, owner: whose, status: 'pending', took });
      carts[whose] = [];
    }

    async function become({ order: n, status, by }: Step & { do: 'become' }) {
      const placed = orders.at(n % Math.max(1, orders.length));
      if (!placed) return;
      const path = `/api/orders/${placed.answer.id}`;
      const other = placed.owner === 'ada' ? 'ben' : 'ada';
      const answer =
        by === 'staff'
          ? await staff.patch(`${path}/status`, { status })
          : await send('POST', `${path}/cancel`, by === 'owner' ? placed.owner : other);
      if (by === 'other') return refused(answer, 404, 'order_not_found');
      const to = by === 'staff' ? status : 'cancelled';
      if (`${placed.status} → ${to}` !== `${to === 'delivered' ? 'shipped' : 'pending'} → ${to}`)
        return refused(answer, 409, 'illegal_transition');
      expect(answer.status, answer.text).toBe(200);
      placed.status = to;
      if (to === 'cancelled') for (const [one, quantity] of placed.took) one.stock! += quantity;
    }

    async function adjust(one: Thing, delta: number) {
      const answer = await staff.post(`/api/products/${one.id}/stock`, { delta, reason: 'Counted again' });
      if (delta === 0) return refused(answer, 400, 'validation_failed');
      if (!takes(one, answer)) return;
      if (one.stock === null) return refused(answer, 409, 'stock_not_tracked');
      if (one.stock + delta < 0) return refused(answer, 409, 'insufficient_stock');
      one.stock += delta;
      expect(answer.json).toEqual({ stock: one.stock });
    }

    /** Staff change the product; what is no longer there cannot be changed. */
    async function change(one: Thing, body: object, after: Partial<Thing>) {
      const answer = await staff.patch(`/api/products/${one.id}`, body);
      if (!takes(one, answer)) return;
      expect(answer.status, answer.text).toBe(200);
      Object.assign(one, after);
    }

    async function drop(one: Thing) {
      const answer = await staff.delete(`/api/products/${one.id}`);
      if (!takes(one, answer)) return;
      expect(answer.status).toBe(204);
      one.state = one.sold ? 'archived' : 'erased';
    }

    async function restore(one: Thing) {
      const answer = await staff.post(`/api/products/${one.id}/restore`);
      if (one.state === 'erased') return refused(answer, 404, 'product_not_found');
      if (one.state === 'there') return refused(answer, 409, 'not_archived');
      expect(answer.status).toBe(200);
      one.state = 'there';
    }

    async function take(next: Step): Promise<void> {
      const one = 'thing' in next ? things[next.thing]! : things[0]!;
      switch (next.do) {
        case 'add':
          return put(next.who, one, next.quantity);
        case 'set':
          return set(next.who, next.line, next.quantity);
        case 'remove':
          return remove(next.who, next.line);
        case 'merge':
          merge(next.who);
          return checkCart(next.who, (await send('GET', '/api/cart', next.who, undefined, asGuest)).json);
        case 'order':
          return order(next);
        case 'become':
          return become(next);
        case 'adjust':
          return adjust(one, next.delta);
        case 'count':
          return change(one, { stock: next.stock, expected_stock: one.stock }, { stock: next.stock });
        case 'price': {
          const price = BigInt(next.price);
          const sale = next.sale && price > 1n ? price / 2n : null;
          return change(one, { price: spell(price), sale_price: sale === null ? null : spell(sale) }, { price, sale });
        }
        case 'rename':
          return change(one, { name: `${one.name} anew` }, { name: `${one.name} anew` });
        case 'show':
          return change(one, { active: next.active }, { active: next.active });
        case 'delete':
          return drop(one);
        case 'restore':
          return restore(one);
      }
    }

    /** Carts, stock and orders are what the model says; of what was ordered nothing ever changes but its status. */
    async function check(): Promise<void> {
      for (const whose of ['ada', 'ben', 'guest'] as const)
        checkCart(whose, (await send('GET', '/api/cart', whose)).json);
      const stored = await shop.db.many(
        sql<{ product_id: string; on_hand: number }>(
          'select product_id, on_hand from stock where product_id = any ($1) order by product_id',
          [things.map(({ id }) => id)],
        ),
      );
      expect(stored).toEqual(
        things
          .filter(({ state, stock }) => state !== 'erased' && stock !== null)
          .map(({ id, stock }) => ({ product_id: id, on_hand: stock })),
      );
      for (const { on_hand } of stored) expect(on_hand).toBeGreaterThanOrEqual(0);
      expect(await unbalanced(shop)).toEqual([]);
      for (const { answer, status } of orders) {
        const { status_history, version, ...now } = (await staff.get(`/api/orders/${answer.id}`)).json;
        const { status_history: begin, version: _, ...then } = answer;
        expect(now).toEqual({ ...then, status });
        expect(status_history[0]).toEqual(begin[0]);
        expect(version).toBe(status_history.length);
      }
    }

    return { take, check };
  }

  // It takes a few seconds; to find the shortest of what fails takes longer.
  it('is what a plain model of it says', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), async (steps) => {
        const { take, check } = await open();
        for (const next of steps) await take(next);
        await check();
      }),
      { numRuns: 25, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false },
    );
  });
});
