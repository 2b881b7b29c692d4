import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../src/kernel/db.ts';
import { newId } from '../src/kernel/ids.ts';
import { eventually, testKernelHere } from '../src/kernel/testing/index.ts';
import { createCatalogue } from '../src/modules/catalogue/index.ts';
import { buy, makeProduct } from './support/buying.ts';
import { type Caller, startTestShop, type TestShop } from './support/shop.ts';

/** What is sold or comes back is seen by the next read on the same node, and on every other within a second. */

const A_SECOND = 1_000;

let node: TestShop;
let other: TestShop;
let staff: Caller;
let customer: Caller;

beforeAll(async () => {
  node = await startTestShop();
  other = await startTestShop({ databaseUrl: node.directUrl });
  [staff, customer] = [await node.as('staff'), await node.as('customer')];
});
afterAll(async () => {
  await other?.stop();
  await node?.stop();
});

/** What a node tells everybody of a product's stock, by each kind of answer that shows it. */
async function seenOn(shop: TestShop, { id, slug, sku }: { id: string; slug: string; sku: string }) {
  const [product, list, inStock, facets, page] = await Promise.all([
    shop.get(`/api/products/${id}`),
    shop.get('/api/products?page_size=100'),
    shop.get('/api/products?in_stock=true&page_size=100'),
    shop.get('/api/products/filters?in_stock=true'),
    shop.get(`/products/${slug}`),
  ]);
  const among = (items: { sku: string; stock: number }[]) => items.find((item) => item.sku === sku)?.stock;
  return {
    product: product.json.stock,
    list: among(list.json.items),
    inStock: among(inStock.json.items),
    condition: facets.json.condition.find(({ value }: { value: string }) => value === 'new')?.count ?? 0,
    page: /schema.org\/OutOfStock/.test(page.text) ? 'out of stock' : 'in stock',
  };
}
const all = (stock: number) =>
  stock === 0
    ? { product: 0, list: 0, inStock: undefined, condition: 0, page: 'out of stock' }
    : { product: stock, list: stock, inStock: stock, condition: 1, page: 'in stock' };

it('an order and its cancellation, on either node', async () => {
  const product = await makeProduct(staff, { stock: 3 });
  await staff.patch(`/api/products/${product.id}`, { condition: 'new' });
  const everywhere = async (here: TestShop, there: TestShop, stock: number) => {
    expect(await seenOn(here, product)).toEqual(all(stock));
    await eventually(async () => expect(await seenOn(there, product)).toEqual(all(stock)), A_SECOND);
    // From here on both have it in their caches.
    expect(await seenOn(here, product)).toEqual(all(stock));
  };
  await everywhere(node, other, 3);
  await buy(customer, [[product, 1]]);
  await everywhere(node, other, 2);
  const order = await buy(customer, [[product, 2]]);
  await everywhere(node, other, 0);
  const cancelled = await other.send('POST', `/api/orders/${order.id}/cancel`, {}, customer.headers);
  expect(cancelled.status, cancelled.text).toBe(200);
  await everywhere(other, node, 2);
});

describe('stock that moves', () => {
  it('has no category read again, nor counted: it hides nothing', async () => {
    const kernel = await testKernelHere();
    let reads = 0;
    const db: Database = {
      ...kernel.db,
      many(query) {
        reads += 1;
        return kernel.db.many(query);
      },
    };
    const catalogue = createCatalogue({ ...kernel, db });
    const readsAfter = async (type: string, data: Record<string, unknown> = {}) => {
      await catalogue.categories();
      reads = 0;
      const kept = await kernel.cache.fetch('list', async () => ({
        ...{ body: '[]', contentType: 'application/json', tags: ['catalogue'] },
      }));
      await kernel.db.transaction((tx) =>
        kernel.events.append(tx, { type, subject: { type: 'x', id: newId() }, data }),
      );
      await kernel.events.flush();
      await catalogue.categories();
      return { reads, isKept: kept.fresh };
    };
    const stock = { [newId()]: { from: 3, to: 2 } };
    const dropped = { reads: 0, isKept: false };
    expect(await readsAfter('order.placed', { stock })).toEqual(dropped);
    expect(await readsAfter('order.status_changed', { status: 'cancelled', stock })).toEqual(dropped);
    expect(await readsAfter('stock.adjusted')).toEqual(dropped);
    expect(await readsAfter('import.stock_counted')).toEqual(dropped);
    // What was not tracked, or only goes its way, shows nowhere.
    const nothing = { reads: 0, isKept: true };
    expect(await readsAfter('order.placed', { stock: {} })).toEqual(nothing);
    expect(await readsAfter('order.status_changed', { status: 'shipped' })).toEqual(nothing);
    expect(await readsAfter('user.updated')).toEqual(nothing);
    for (const type of ['product.updated', 'category.updated', 'image.added', 'import.merged', 'import.completed'])
      expect(await readsAfter(type)).toEqual({ reads: 2, isKept: false });
  });
});
