import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { newId } from '../src/kernel/ids.ts';
import { type Caller, startTestShop, type TestShop } from './support/shop.ts';

/** What staff and sellers write of products, over HTTP. */

let shop: TestShop;
let staff: Caller;
let seller: Caller;
let otherSeller: Caller;
beforeAll(async () => {
  shop = await startTestShop({ env: { RATE_LIMIT: 'off' } });
  [staff, seller, otherSeller] = await Promise.all([shop.as('staff'), shop.as('seller'), shop.as('seller')]);
});
afterAll(() => shop.stop());

let names = 0;
/** A new product; its name is one of its own unless it is given. */
async function make(fields: object = {}, by: Caller = staff) {
  const made = await by.post('/api/products', { name: `Thing number ${++names}`, price: '10.00', ...fields });
  expect(made.status, made.text).toBe(201);
  return made.json;
}

async function category(name: string): Promise<string> {
  const id = newId();
  await shop.db.transaction(async (tx) => {
    await tx.run(
      sql('insert into categories (id, slug, name, created_at, updated_at) values ($1, $2, $3, now(), now())', [
        id,
        name.toLowerCase(),
        name,
      ]),
    );
    await shop.events.append(tx, { type: 'category.created', subject: { type: 'category', id } });
  });
  await shop.events.flush();
  return id;
}

const eventsOf = (id: string) =>
  shop.db.many(
    sql<{ type: string; actor_id: string; changes: object; data: object }>(
      'select type, actor_id, changes, data from events where subject_id = $1 order by position',
      [id],
    ),
  );
const historyOf = async (id: string) => (await staff.get(`/api/products/${id}/history?page_size=100`)).json.items;
const found = async (search: string) =>
  (await shop.get(`/api/products?search=${encodeURIComponent(search)}`)).json.items.map(
    (item: { id: string }) => item.id,
  );
const order = (id: string) =>
  shop.db.run(sql('insert into sold_products (product_id, first_sold_at) values ($1, now())', [id]));

describe('making a product', () => {
  it('answers the product as the next read gives it, where it is, and its version', async () => {
    const made = await staff.post('/api/products', { name: 'Walnut stool', price: '79.00' });
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe(`/api/products/${made.json.id}`);
    expect(made.headers.get('cache-control')).toBe('no-store');
    const read = await shop.get(made.headers.get('location')!);
    expect(read.text).toBe(made.text);
    expect(read.headers.get('etag')).toBe(made.headers.get('etag'));
    expect(made.headers.get('etag')).toMatch(/^"1-[\w-]+"$/);
    expect(made.json).toMatchObject({
      sku: 'WALNUT-STOOL',
      slug: 'walnut-stool',
      price: '79.00',
      effective_price: '79.00',
      stock: null,
      in_stock: true,
      availability: 'in_stock',
      active: true,
      featured: false,
      category: null,
      attributes: {},
      owner_id: null,
      version: 1,
    });
    expect(made.json.image_url).toMatch(/^\/media\/stool\.[\w.]+\.svg$/);
    expect((await shop.get(made.json.image_url)).status).toBe(200);
  });

  it('stores every field, and what it stores leaves by the feed and comes in again without a difference', async () => {
    const kitchen = await category('Kitchenware');
    const fields = {
      sku: 'full-1',
      slug: 'a-full-product',
      name: 'Kettle & “pot” <1 l>',
      description: 'First line.\n\nSecond line: 5 < 6 & 7.',
      price: '40.00',
      sale_price: '30.50',
      featured: true,
      active: true,
      availability: 'preorder',
      brand: 'Fjord & Co',
      gender: 'unisex',
      condition: 'refurbished',
      color: 'blue/grey',
      size: 'M',
      age_group: 'adult',
      material: 'steel',
      gtin: '4006381333931',
      mpn: 'M-1',
      group_id: 'kettles',
      attributes: { pattern: 'plain', shipping_weight: '2 kg' },
    };
    const made = await make({ ...fields, category_id: kitchen.toUpperCase(), stock: 7 });
    expect(made).toMatchObject({ ...fields, stock: 7, category: { id: kitchen, name: 'Kitchenware' } });
    await make({ name: 'Kettle, the other one', group_id: 'kettles', color: 'red' });
    expect((await shop.get('/api/products/a-full-product')).json.variants).toHaveLength(1);

    const report = await shop.importText((await shop.get('/feeds/google.xml')).text, 'upsert');
    expect(report.counts).toMatchObject({ created: 0, updated: 0, rejected: 0 });
    expect(report.counts.unchanged).toBeGreaterThan(1);
  });

  it('is found by its words at once, and by a slip in a word that is new to the shop', async () => {
    const made = await make({ name: 'Quetzalcoatl figurine', brand: 'Obsidiana' });
    expect(await found('quetzalcoatl')).toEqual([made.id]);
    expect(await found('obsidiana')).toEqual([made.id]);
    expect(await found('quetzalcoalt')).toEqual([made.id]);
  });

  it('makes SKU and slug of the name, of their own each', async () => {
    const first = await make({ name: 'Grüne Vase' });
    const second = await make({ name: 'Grüne Vase' });
    expect([first.sku, first.slug]).toEqual(['GRUNE-VASE', 'grune-vase']);
    expect(second.sku).toMatch(/^GRUNE-VASE-[0-9A-F]{6}$/);
    expect(second.slug).toMatch(/^grune-vase-[0-9a-f]{10}$/);
    const arabic = await make({ name: 'كرسي خشبي' });
    expect(arabic.sku).toMatch(/^P-[0-9A-F]{10}$/);
    expect(arabic.slug).toBe(arabic.sku.toLowerCase());
    expect((await make({ name: 'Featured' })).slug).toBe('featured-1');
    expect((await make({ name: 'Grüne Vase', sku: 'own', slug: 'own-slug' })).slug).toBe('own-slug');
  });

  it("refuses another product's SKU and slug, also those of an archived one, and slugs that it once had", async () => {
    const taken = await make({ name: 'Taken', sku: 'taken-1' });
    await staff.patch(`/api/products/${taken.id}`, { slug: 'taken-now' });
    await order(taken.id);
    expect((await staff.delete(`/api/products/${taken.id}`)).status).toBe(204);
    const post = (fields: object) => staff.post('/api/products', { name: 'Mine', price: '1', ...fields });
    expect(await post({ sku: 'taken-1' })).toMatchObject({ status: 409, json: { code: 'sku_taken' } });
    expect(await post({ slug: 'taken-now' })).toMatchObject({ status: 409, json: { code: 'slug_taken' } });
    expect(await post({ slug: 'taken' })).toMatchObject({ status: 409, json: { code: 'slug_taken' } });
    // A made one goes out of its way.
    expect((await make({ name: 'Taken' })).slug).toMatch(/^taken-[0-9a-f]{10}$/);
    expect(await found('mine')).toEqual([]);
  });

  it('tracks stock from its first movement when it is given one', async () => {
    const made = await make({ stock: 0, availability: 'out_of_stock' });
    expect(made).toMatchObject({ stock: 0, in_stock: false, availability: 'out_of_stock' });
    const ledger = await shop.db.many(
      sql('select delta, on_hand, reason, actor_id from stock_movements where product_id = $1', [made.id]),
    );
    expect(ledger).toEqual([{ delta: 0, on_hand: 0, reason: 'adjustment', actor_id: staff.userId }]);
    expect((await make({ stock: null })).stock).toBeNull();
  });

  it('tells everything that is wrong, each by its field', async () => {
    const answer = await staff.post('/api/products', {
      name: ' ',
      price: '0',
      gtin: '123',
      slug: 'filters',
      brand: 'a\u0007',
    });
    expect(answer).toMatchObject({ status: 400, json: { code: 'validation_failed' } });
    expect(answer.json.errors.map((error: { path: string }) => error.path)).toEqual([
      'slug',
      'name',
      'price',
      'brand',
      'gtin',
    ]);
    const wrong: [object, string][] = [
      [{ name: undefined }, 'name'],
      [{ price: undefined }, 'price'],
      [{ price: 10 }, 'price'],
      [{ sale_price: '10.00' }, 'sale_price'],
      [{ gender: 'boy' }, 'gender'],
      [{ availability: 'sold' }, 'availability'],
      [{ category_id: newId() }, 'category_id'],
      [{ category_id: 'mugs' }, 'category_id'],
      [{ stock: -1 }, 'stock'],
      [{ stock: 1.5 }, 'stock'],
      [{ stock: 1_000_000_001 }, 'stock'],
      [{ expected_stock: 1 }, 'expected_stock'],
      [{ owner_id: newId() }, 'owner_id'],
      [{ id: newId() }, 'id'],
      [{ version: 1 }, 'version'],
      [{ attributes: [] }, 'attributes'],
      [{ active: 'true' }, 'active'],
    ];
    for (const [fields, path] of wrong) {
      const refused = await staff.post('/api/products', { name: 'Wrong', price: '10.00', ...fields });
      expect([refused.status, refused.json.errors?.[0]?.path], JSON.stringify(fields)).toEqual([400, path]);
    }
    expect(await found('wrong')).toEqual([]);
  });

  it('writes who made it into history, event and price history', async () => {
    const made = await make({ name: 'Recorded', price: '5', sale_price: '4', stock: 42 }, seller);
    expect(made.owner_id).toBe(seller.userId);
    const [event] = await eventsOf(made.id);
    expect(event).toMatchObject({
      type: 'product.created',
      actor_id: seller.userId,
      data: { sku: 'RECORDED', slug: 'recorded', name: 'Recorded' },
      changes: {
        name: { from: null, to: 'Recorded' },
        sale_price: { from: null, to: '4.00' },
        stock: { from: null, to: 42 },
      },
    });
    expect(await historyOf(made.id)).toMatchObject([
      { action: 'created', version: 1, actor: { id: seller.userId, username: seller.username }, import_id: null },
    ]);
    expect((await shop.get(`/api/products/${made.id}/price-history`)).json).toEqual({
      currency: 'USD',
      items: [{ valid_from: made.created_at, price: '5.00', sale_price: '4.00', effective_price: '4.00' }],
      lowest_30_days: null,
    });
  });
});

describe('changing a product', () => {
  it('replaces it: what is left out gets its default, what names and counts it stays', async () => {
    const made = await make({
      brand: 'Old',
      stock: 4,
      sale_price: '9',
      attributes: { a: 'b' },
      featured: true,
      description: 'x',
    });
    const put = await staff.put(`/api/products/${made.slug}`, { name: 'Replaced', price: '8.00' });
    expect(put.status, put.text).toBe(200);
    expect(put.json).toMatchObject({
      id: made.id,
      sku: made.sku,
      slug: made.slug,
      name: 'Replaced',
      price: '8.00',
      sale_price: null,
      brand: null,
      featured: false,
      description: '',
      attributes: {},
      stock: 4,
      version: 2,
    });
    expect((await shop.get(`/api/products/${made.id}`)).text).toBe(put.text);
    expect((await staff.put(`/api/products/${made.id}`, { name: 'No price' })).status).toBe(400);
  });

  it('makes a version of what differs alone', async () => {
    const made = await make({ brand: 'Same', gtin: '96385074', attributes: { a: 1, b: [2] }, stock: 3 });
    const same = await staff.patch(`/api/products/${made.id}`, {
      name: `${made.name} `,
      price: '10.0',
      brand: 'Same',
      gtin: '9638-5074',
      attributes: { b: [2], a: 1 },
      stock: 3,
      expected_stock: 3,
      // Tracked stock decides this, whatever is said.
      availability: 'out_of_stock',
    });
    expect(same.status, same.text).toBe(200);
    expect(same.text).toBe((await shop.get(`/api/products/${made.id}`)).text);
    expect(same.json.version).toBe(1);
    expect(same.json.updated_at).toBe(made.updated_at);
    expect(await eventsOf(made.id)).toHaveLength(1);
    expect(await historyOf(made.id)).toHaveLength(1);

    const changed = await staff.patch(`/api/products/${made.id}`, { brand: 'Other', name: made.name, sale_price: '7' });
    expect(changed.json).toMatchObject({ version: 2, brand: 'Other', sale_price: '7.00', effective_price: '7.00' });
    const changes = { brand: { from: 'Same', to: 'Other' }, sale_price: { from: null, to: '7.00' } };
    expect((await eventsOf(made.id))[1]).toMatchObject({ type: 'product.updated', actor_id: staff.userId, changes });
    expect((await historyOf(made.id))[0]).toMatchObject({ action: 'updated', version: 2, changes });
    expect((await shop.get(`/api/products/${made.id}/price-history`)).json.items).toHaveLength(2);
  });

  it('is seen by the next read in every place that shows it', async () => {
    const made = await make({ name: 'Zirconium kettlebell', sku: 'z-1' });
    const category_id = await category('Vessels');
    for (const path of ['/api/products', `/api/products/${made.id}`, '/api/products/filters', '/'])
      await shop.get(path);
    await staff.patch(`/api/products/${made.id}`, { name: 'Hafnium bowl', category_id, brand: 'Elementar' });
    expect(await found('zirconium')).toEqual([]);
    expect(await found('hafnium')).toEqual([made.id]);
    expect(await found('vessels')).toEqual([made.id]);
    expect(await found('elementar bowl')).toEqual([made.id]);
    expect((await shop.get(`/api/products/${made.id}`)).json.category).toEqual({
      id: category_id,
      slug: 'vessels',
      name: 'Vessels',
    });
    expect((await shop.get('/api/categories/vessels')).json.product_count).toBe(1);
    expect((await shop.get('/api/products?category=vessels')).json.total).toBe(1);

    const hidden = await staff.patch(`/api/products/${made.id}`, { active: false });
    expect(hidden.json).toMatchObject({ active: false, name: 'Hafnium bowl' });
    expect((await shop.get(`/api/products/${made.id}`)).status).toBe(404);
    expect((await shop.get(`/api/products/${made.id}/price-history`)).status).toBe(404);
    expect((await staff.get(`/api/products/${made.id}/price-history`)).status).toBe(200);
    expect(await found('hafnium')).toEqual([]);
    await staff.patch(`/api/products/${made.id}`, { active: true, description: 'Made of neodymium, really.' });
    expect(await found('neodymium')).toEqual([made.id]);
  });

  it('leads on from every slug it had, and may take them back', async () => {
    const made = await make({ name: 'Wanderer' });
    const slug = async (next: string) => (await staff.patch(`/api/products/${made.id}`, { slug: next })).status;
    expect([await slug('second-place'), await slug('third-place')]).toEqual([200, 200]);
    for (const old of ['wanderer', 'second-place']) {
      expect((await shop.get(`/api/products/${old}`)).headers.get('location')).toBe('/api/products/third-place');
      const prices = await shop.get(`/api/products/${old}/price-history`);
      expect([prices.status, prices.headers.get('location')]).toEqual([301, '/api/products/third-place/price-history']);
    }
    expect(await slug('wanderer')).toBe(200);
    expect((await shop.get('/api/products/wanderer')).json.id).toBe(made.id);
    expect((await shop.get('/api/products/third-place')).headers.get('location')).toBe('/api/products/wanderer');

    const other = await make();
    for (const taken of ['wanderer', 'third-place'])
      expect(await staff.patch(`/api/products/${other.id}`, { slug: taken })).toMatchObject({
        status: 409,
        json: { code: 'slug_taken' },
      });
    expect(await staff.patch(`/api/products/${other.id}`, { sku: made.sku })).toMatchObject({
      status: 409,
      json: { code: 'sku_taken' },
    });
    expect((await staff.get(`/api/products/${other.id}`)).json).toMatchObject({ version: 1, slug: other.slug });
    // Writing goes to what there is, not to what there was.
    expect((await staff.patch('/api/products/third-place', { name: 'x' })).status).toBe(404);
  });

  it('judges what holds between fields by what the product will be', async () => {
    const made = await make({ price: '20', sale_price: '15' });
    const patch = (fields: object) => staff.patch(`/api/products/${made.id}`, fields);
    expect(await patch({ price: '15' })).toMatchObject({ status: 400, json: { errors: [{ path: 'sale_price' }] } });
    expect((await patch({ price: '15', sale_price: '14.99' })).status).toBe(200);
    expect((await patch({ price: '10', sale_price: null })).status).toBe(200);
    expect(await patch({ category_id: newId() })).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'category_id' }] },
    });
    expect(await patch({ unknown: 1 })).toMatchObject({ status: 400, json: { errors: [{ path: 'unknown' }] } });
  });

  it('is only the version that was seen, when one says which', async () => {
    const made = await make();
    const path = `/api/products/${made.id}`;
    const patch = (brand: string, ifMatch: string) => staff.patch(path, { brand }, { 'if-match': ifMatch });
    const packed = await fetch(shop.url + path, { headers: { 'accept-encoding': 'br' } });
    expect((await patch('a', packed.headers.get('etag')!)).json.version).toBe(2);
    const stale = await patch('b', packed.headers.get('etag')!);
    expect(stale).toMatchObject({ status: 412, json: { code: 'version_mismatch', version: 2 } });
    expect((await patch('b', '"2"')).json.version).toBe(3);
    expect((await patch('c', '"1", "3-abc"')).json.version).toBe(4);
    expect((await patch('d', '*')).json.version).toBe(5);
    expect((await patch('e', 'W/"5"')).status).toBe(412);
    expect(await patch('e', '5')).toMatchObject({ status: 400, json: { code: 'validation_failed' } });
    expect((await staff.put(path, { name: 'P', price: '1' }, { 'if-match': '"4"' })).status).toBe(412);
    expect((await staff.delete(path, undefined, { 'if-match': '"4"' })).status).toBe(412);
    // Nothing that stock does makes a version stale.
    await staff.patch(path, { stock: 5, expected_stock: null });
    expect((await patch('f', '"5"')).status).toBe(200);
    expect((await staff.delete(path, undefined, { 'if-match': '"6"' })).status).toBe(204);
  });

  it("is a seller's own alone, and what is featured is for staff", async () => {
    const own = await make({}, seller);
    const staffs = await make();
    for (const [by, product, status] of [
      [seller, own, 200],
      [staff, own, 200],
      [otherSeller, own, 403],
      [seller, staffs, 403],
    ] as const) {
      const path = `/api/products/${product.id}`;
      expect((await by.patch(path, { brand: by.username })).status).toBe(status);
      expect((await by.put(path, { name: 'Put', price: '3' })).status).toBe(status);
      if (status === 403) expect((await by.delete(path)).json.code).toBe('forbidden');
    }
    expect((await seller.post('/api/products', { name: 'x', price: '1', featured: true })).json.code).toBe('forbidden');
    expect((await seller.patch(`/api/products/${own.id}`, { featured: true })).json.code).toBe('forbidden');
    await staff.patch(`/api/products/${own.id}`, { featured: true });
    expect((await seller.put(`/api/products/${own.id}`, { name: 'Mine again', price: '3' })).json.featured).toBe(true);
    expect((await seller.patch(`/api/products/${own.id}`, { featured: true, brand: 'b' })).status).toBe(200);
    expect((await seller.patch(`/api/products/${own.id}`, { featured: false })).status).toBe(403);
    expect((await seller.delete(`/api/products/${own.id}`)).status).toBe(204);
    for (const [method, path] of [
      ['patch', '/api/products'],
      ['post', `/api/products/${staffs.id}/stock`],
      ['post', `/api/products/${staffs.id}/restore`],
      ['get', `/api/products/${staffs.id}/history`],
    ] as const)
      expect((await seller[method](path)).status, path).toBe(403);
  });

  it('finds nothing to change where there is nothing', async () => {
    for (const key of [newId(), 'no-such-product']) {
      const answers = await Promise.all([
        staff.patch(`/api/products/${key}`, {}),
        staff.put(`/api/products/${key}`, { name: 'x', price: '1' }),
        staff.delete(`/api/products/${key}`),
        staff.post(`/api/products/${key}/restore`),
        staff.post(`/api/products/${key}/stock`, { delta: 1, reason: 'x' }),
        staff.get(`/api/products/${key}/history`),
        staff.get(`/api/products/${key}/price-history`),
      ]);
      for (const answer of answers) expect(answer).toMatchObject({ status: 404, json: { code: 'product_not_found' } });
    }
  });
});

describe('stock', () => {
  it('is set only by whoever knows what it was', async () => {
    const made = await make();
    const path = `/api/products/${made.id}`;
    expect(await staff.patch(path, { stock: 5 })).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'expected_stock' }] },
    });
    expect(await staff.patch(path, { expected_stock: 5 })).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'stock' }] },
    });
    expect(await staff.put(path, { name: 'x', price: '1', stock: 5 })).toMatchObject({ status: 400 });
    expect(await staff.patch(path, { stock: 5, expected_stock: 0 })).toMatchObject({
      status: 409,
      json: { code: 'stock_changed', stock: null },
    });
    expect((await staff.patch(path, { stock: 5, expected_stock: null })).json).toMatchObject({ stock: 5, version: 1 });
    expect(await staff.patch(path, { stock: 9, expected_stock: null })).toMatchObject({
      json: { code: 'stock_changed', stock: 5 },
    });
    expect(await staff.patch(path, { stock: 9, expected_stock: 4, brand: 'never' })).toMatchObject({
      json: { stock: 5 },
    });
    const both = await staff.patch(path, { stock: 2, expected_stock: 5, brand: 'now' });
    expect(both.json).toMatchObject({
      stock: 2,
      brand: 'now',
      version: 2,
      updated_at: expect.not.stringMatching(made.updated_at),
    });
    expect((await eventsOf(made.id)).map(({ type, changes }) => [type, changes])).toEqual([
      ['product.created', expect.anything()],
      ['stock.adjusted', { stock: { from: null, to: 5 } }],
      ['product.updated', { brand: { from: null, to: 'now' } }],
      ['stock.adjusted', { stock: { from: 5, to: 2 } }],
    ]);
  });

  it('moves by what comes and goes, and never below zero', async () => {
    const made = await make({ stock: 3 });
    const move = (delta: number, reason = 'counted') =>
      staff.post(`/api/products/${made.slug}/stock`, { delta, reason });
    expect(await move(4, ' found behind the shelf ')).toMatchObject({ status: 200, json: { stock: 7 } });
    expect((await shop.get(`/api/products/${made.id}`)).json.stock).toBe(7);
    expect(await move(-8)).toMatchObject({ status: 409, json: { code: 'insufficient_stock', stock: 7 } });
    expect((await move(-7)).json).toEqual({ stock: 0 });
    expect((await shop.get(`/api/products/${made.id}`)).json).toMatchObject({
      in_stock: false,
      availability: 'out_of_stock',
      version: 1,
    });
    for (const delta of [1_000_000_001, 2_147_483_647])
      expect(await move(delta)).toMatchObject({ status: 400, json: { errors: [{ path: 'delta' }] } });
    for (const body of [{ stock: 1_000_000_001, expected_stock: 0 }])
      expect(await staff.patch(`/api/products/${made.id}`, body)).toMatchObject({
        json: { errors: [{ path: 'stock' }] },
      });
    expect(await move(1_000_000_000)).toMatchObject({ status: 200 });
    expect(await move(1)).toMatchObject({ status: 400, json: { errors: [{ path: 'delta' }] } });
    for (const body of [
      { delta: 0, reason: 'x' },
      { delta: 1, reason: ' ' },
      { delta: 1 },
      { delta: 0.5, reason: 'x' },
      { delta: 1, reason: 'a\nb' },
    ])
      expect((await staff.post(`/api/products/${made.id}/stock`, body)).status, JSON.stringify(body)).toBe(400);
    const ledger = await shop.db.many(
      sql('select delta, on_hand, reference from stock_movements where product_id = $1 order by id offset 1 limit 2', [
        made.id,
      ]),
    );
    expect(ledger).toEqual([
      { delta: 4, on_hand: 7, reference: 'found behind the shelf' },
      { delta: -7, on_hand: 0, reference: 'counted' },
    ]);
    const untracked = await make();
    expect(await staff.post(`/api/products/${untracked.id}/stock`, { delta: 1, reason: 'x' })).toMatchObject({
      status: 409,
      json: { code: 'stock_not_tracked' },
    });
  });
});

describe('deleting a product', () => {
  it('erases it, leaving its history and freeing its names', async () => {
    const made = await make({ name: 'Short lived', stock: 2 });
    await staff.patch(`/api/products/${made.id}`, { slug: 'short-lived-2' });
    const gone = await staff.delete(`/api/products/short-lived-2`);
    expect([gone.status, gone.text]).toEqual([204, '']);
    for (const key of [made.id, 'short-lived', 'short-lived-2'])
      expect((await staff.get(`/api/products/${key}`)).status).toBe(404);
    expect(await found('short lived')).toEqual([]);
    expect((await eventsOf(made.id)).at(-1)).toMatchObject({
      type: 'product.deleted',
      actor_id: staff.userId,
      data: { sku: made.sku, slug: 'short-lived-2', name: 'Short lived', archived: false },
    });
    const history = await historyOf(made.id);
    expect(history.map((item: { action: string; version: number }) => [item.action, item.version])).toEqual([
      ['deleted', 3],
      ['updated', 2],
      ['created', 1],
    ]);
    expect(history[0].changes).toMatchObject({
      name: { from: 'Short lived', to: null },
      price: { from: '10.00', to: null },
    });
    expect(await make({ name: 'Short lived', sku: made.sku, slug: 'short-lived' })).toMatchObject({
      slug: 'short-lived',
    });
  });

  it('archives what was ever ordered, and brings it back as it was', async () => {
    const made = await make({ name: 'Parchment globe', stock: 2 }, seller);
    await order(made.id);
    const path = `/api/products/${made.id}`;
    expect((await seller.delete(path)).status).toBe(204);
    expect((await shop.get(path)).status).toBe(404);
    expect((await shop.get('/api/products/parchment-globe')).status).toBe(404);
    expect(await found('parchment globe')).toEqual([]);
    for (const again of [
      await staff.patch(path, { brand: 'x' }),
      await staff.put(path, { name: 'x', price: '1' }),
      await staff.delete(path),
      await staff.post(`${path}/stock`, { delta: 1, reason: 'x' }),
    ])
      expect(again).toMatchObject({ status: 404, json: { code: 'product_not_found' } });
    expect((await eventsOf(made.id)).at(-1)).toMatchObject({ type: 'product.deleted', data: { archived: true } });
    expect((await historyOf(made.id))[0]).toMatchObject({ action: 'archived', version: 2 });

    const back = await staff.post('/api/products/parchment-globe/restore');
    expect(back).toMatchObject({ status: 200, json: { id: made.id, version: 3, stock: 2, owner_id: seller.userId } });
    expect(back.headers.get('etag')).toMatch(/^"3-/);
    expect((await shop.get(path)).text).toBe(back.text);
    expect(await found('parchment globe')).toEqual([made.id]);
    expect((await eventsOf(made.id)).at(-1)).toMatchObject({ type: 'product.restored', actor_id: staff.userId });
    expect((await historyOf(made.id))[0]).toMatchObject({ action: 'restored', version: 3 });
    expect(await staff.post(`${path}/restore`)).toMatchObject({ status: 409, json: { code: 'not_archived' } });
  });
});

describe('many at once', () => {
  const bulk = (items: unknown) => staff.patch('/api/products', items);

  it('judges each on its own, in the order of the list', async () => {
    const [a, b, c] = [await make({ stock: 1 }), await make(), await make()];
    const archived = await make();
    await order(archived.id);
    await staff.delete(`/api/products/${archived.id}`);
    const unknown = newId();
    const answer = await bulk([
      { id: c.id, price: '3.00', brand: 'C' },
      { id: b.id, sku: a.sku },
      { id: unknown, price: '1' },
      { id: a.id.toUpperCase(), price: '4', version: 1 },
      { id: a.id, price: '5', version: 1 },
      { id: a.id, price: '6', version: 2 },
      { id: b.id, price: '-1' },
      { id: b.id, nonsense: true },
      { id: b.id, category_id: newId() },
      { id: b.id, stock: 4 },
      { id: a.id, stock: 9, expected_stock: 1 },
      { id: a.id, stock: 9, expected_stock: 1 },
      { id: archived.id, price: '1' },
      { price: '1' },
      'what',
      null,
      { id: b.id, slug: 'bulk-made' },
    ]);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.json.items.map((item: { status: number; code?: string }) => [item.status, item.code])).toEqual([
      [200, undefined],
      [409, 'sku_taken'],
      [404, 'product_not_found'],
      [200, undefined],
      [412, 'version_mismatch'],
      [200, undefined],
      [400, 'validation_failed'],
      [400, 'validation_failed'],
      [400, 'validation_failed'],
      [400, 'validation_failed'],
      [200, undefined],
      [409, 'stock_changed'],
      [404, 'product_not_found'],
      [400, 'validation_failed'],
      [400, 'validation_failed'],
      [400, 'validation_failed'],
      [200, undefined],
    ]);
    expect(answer.json.items[0]).toEqual({ id: c.id, status: 200 });
    expect(answer.json.items[2].id).toBe(unknown);
    expect(answer.json.items[13].id).toBeNull();
    expect(answer.json.items[7].detail).toBe('Some fields are not valid. nonsense is not known here.');
    expect((await shop.get(`/api/products/${a.id}`)).json).toMatchObject({ price: '6.00', version: 3, stock: 9 });
    expect((await shop.get(`/api/products/bulk-made`)).json).toMatchObject({ id: b.id, price: '10.00', version: 2 });
    expect((await shop.get(`/api/products/${c.id}`)).json).toMatchObject({ price: '3.00', brand: 'C', version: 2 });
    expect(await historyOf(c.id)).toMatchObject([{ changes: { price: { from: '10.00', to: '3.00' } } }, {}]);
  });

  it('takes a list of 1 to 1,000', async () => {
    const { id } = await make();
    for (const items of [{}, { items: [] }]) expect((await bulk(items)).status).toBe(400);
    expect((await bulk([])).status).toBe(400);
    expect((await bulk(Array(1_001).fill({ id, price: '1' }))).status).toBe(400);
    const answer = await bulk(Array.from({ length: 1_000 }, (_, i) => ({ id, price: `${i + 1}` })));
    expect(answer.json.items).toHaveLength(1_000);
    expect((await shop.get(`/api/products/${id}`)).json).toMatchObject({ price: '1000.00', version: 1_001 });
  });

  it('takes more than a mebibyte', async () => {
    const { id } = await make();
    const long = 'x'.repeat(45_000);
    const answer = await bulk(Array.from({ length: 30 }, (_, i) => ({ id, description: `${i}${long}` })));
    expect(answer.status).toBe(200);
    expect((await shop.get(`/api/products/${id}`)).json.version).toBe(31);
  });
});

describe('history', () => {
  it('is paged by number and by cursor, and known by id alone once the product is gone', async () => {
    const made = await make();
    for (let i = 0; i < 12; i++) await staff.patch(`/api/products/${made.id}`, { size: `${i}` });
    const path = `/api/products/${made.slug}/history`;
    const first = (await staff.get(path)).json;
    expect(first).toMatchObject({ page: 1, page_size: 10, total: 13, total_pages: 2 });
    const versions = (page: { items: { version: number }[] }) => page.items.map((item) => item.version);
    expect(versions(first)).toEqual([13, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
    const next = (await staff.get(`${path}?cursor=${first.next_cursor}`)).json;
    expect([next.page, next.next_cursor, versions(next)]).toEqual([null, null, [3, 2, 1]]);
    expect(versions((await staff.get(`${path}?page=2`)).json)).toEqual([3, 2, 1]);
    expect((await staff.get(`${path}?page=1001`)).json.code).toBe('page_too_deep');
    for (const cursor of ['0', 'abc', '-1', '1'.repeat(30)])
      expect((await staff.get(`${path}?cursor=${cursor}`)).json.code).toBe('invalid_cursor');
    await staff.delete(`/api/products/${made.id}`);
    expect((await staff.get(path)).status).toBe(404);
    expect((await staff.get(`/api/products/${made.id}/history`)).json.total).toBe(14);
  });

  it('shows what imports changed beside what people did', async () => {
    const feed = (price: string) =>
      `<rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>hist-1</g:id><g:title>From a feed</g:title><g:price>${price} USD</g:price><g:product_type>Feed things</g:product_type></item></channel></rss>`;
    const report = await shop.importText(feed('5.00'));
    const { id, category: of } = (await shop.get('/api/products/from-a-feed')).json;
    await staff.patch(`/api/products/${id}`, { category_id: null, price: '6' });
    await shop.importText(feed('7.00'), 'upsert');
    expect(await historyOf(id)).toMatchObject([
      {
        version: 3,
        actor: null,
        changes: { category_id: { from: null, to: of.id }, price: { from: '6.00', to: '7.00' } },
      },
      {
        version: 2,
        actor: { username: staff.username },
        import_id: null,
        changes: { category_id: { from: of.id, to: null } },
      },
      { version: 1, action: 'created', actor: null, import_id: report.id },
    ]);
  });
});

describe('at the same time', () => {
  it('one of two that saw the same version changes it', async () => {
    for (const field of ['brand', 'size', 'brand', 'size', 'size']) {
      const made = await make();
      const answers = await Promise.all(
        ['a', 'b'].map((value) => staff.patch(`/api/products/${made.id}`, { [field]: value }, { 'if-match': '"1"' })),
      );
      expect(answers.map((answer) => answer.status).sort()).toEqual([200, 412]);
      const won = answers.find((answer) => answer.status === 200)!;
      expect((await shop.get(`/api/products/${made.id}`)).text).toBe(won.text);
      expect(await historyOf(made.id)).toHaveLength(2);
    }
  });

  it('twenty of one name get twenty slugs and SKUs', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => make({ name: 'Everybody’s favourite' })));
    expect(new Set(made.map((product) => product.slug)).size).toBe(20);
    expect(new Set(made.map((product) => product.sku)).size).toBe(20);
    expect(made.filter((product) => product.slug === 'everybodys-favourite')).toHaveLength(1);
    expect(await shop.db.one(sql("select count(*) as n from products where name = 'Everybody’s favourite'"))).toEqual({
      n: 20,
    });
  });

  it('one of twenty with one SKU is made, and one with one slug', async () => {
    for (const field of ['sku', 'slug']) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () =>
          staff.post('/api/products', { name: `Same ${field}`, price: '1', [field]: `only-one-${field}` }),
        ),
      );
      const codes = answers.map((answer) => answer.json.code ?? answer.status);
      expect(codes.sort()).toEqual([201, ...Array(19).fill(`${field}_taken`)]);
    }
  });

  it('a slug that is left is not taken by who came for it meanwhile', async () => {
    for (let round = 0; round < 5; round++) {
      const slug = `contested-${round}`;
      const holder = await make({ slug });
      const other = await make();
      const [left, ...came] = await Promise.all([
        staff.patch(`/api/products/${holder.id}`, { slug: `${slug}-left` }),
        staff.post('/api/products', { name: 'Newcomer', price: '1', slug }),
        staff.patch(`/api/products/${other.id}`, { slug }),
      ]);
      expect(left!.status).toBe(200);
      expect(came.map((answer) => answer.json.code)).toEqual(['slug_taken', 'slug_taken']);
      expect((await shop.get(`/api/products/${slug}`)).headers.get('location')).toBe(`/api/products/${slug}-left`);
    }
  });

  it('movements of stock add up', async () => {
    const made = await make({ stock: 10 });
    const deltas = Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? 2 : -1));
    const answers = await Promise.all(
      deltas.map((delta) => staff.post(`/api/products/${made.id}/stock`, { delta, reason: 'race' })),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array(30).fill(200));
    expect((await shop.get(`/api/products/${made.id}`)).json.stock).toBe(10);
    const set = await Promise.all(
      [1, 2, 3].map((stock) => staff.patch(`/api/products/${made.id}`, { stock, expected_stock: 10 })),
    );
    expect(set.map((answer) => answer.status).sort()).toEqual([200, 409, 409]);
    const untracked = await make();
    const begun = await Promise.all(
      [1, 2, 3].map((stock) => staff.patch(`/api/products/${untracked.id}`, { stock, expected_stock: null })),
    );
    expect(begun.map((answer) => answer.status).sort()).toEqual([200, 409, 409]);
  });

  it('two who edit the same many things in other orders both have their way', async () => {
    const made: string[] = [];
    for (let i = 0; i < 120; i++) made.push((await make()).id);
    const shelf = await category('Shelf');
    const edits = (price: string) =>
      made.map((id, i) => ({
        id,
        price,
        ...(i % 7 === 0 ? { category_id: shelf, name: `Edited ${price} ${i}` } : {}),
      }));
    const [one, two] = await Promise.all([
      staff.patch('/api/products', edits('3')),
      staff.patch('/api/products', edits('4').reverse()),
      ...made.slice(0, 20).map((id) => staff.patch(`/api/products/${id}`, { brand: 'single', active: true })),
    ]);
    for (const answer of [one!, two!])
      expect(answer.json.items.filter((item: { status: number }) => item.status !== 200)).toEqual([]);
    const versions = await shop.db.many(
      sql<{ version: number }>('select version from products where id = any ($1) order by version', [made]),
    );
    expect(versions.at(0)!.version).toBe(3);
  });

  it('an erasure and changes of the same product leave nothing halfway', async () => {
    for (let round = 0; round < 5; round++) {
      const made = await make({ stock: 5 });
      const path = `/api/products/${made.id}`;
      const answers = await Promise.all([
        staff.delete(path),
        staff.patch(path, { name: 'Changed', stock: 4, expected_stock: 5 }),
        staff.patch(path, { sku: `new-${made.id}` }),
        staff.post(`${path}/stock`, { delta: 1, reason: 'x' }),
        staff.delete(path),
      ]);
      expect(answers.map((answer) => answer.status).filter((status) => status >= 500)).toEqual([]);
      expect(answers.filter((answer) => answer.status === 204)).toHaveLength(1);
      expect((await staff.get(path)).status).toBe(404);
    }
  });

  it('edits of many go one by one while an import merges', async () => {
    const made = [await make(), await make(), await make()];
    await shop.db.transaction(async (merging) => {
      await merging.run(sql('select pg_advisory_xact_lock($1)', [0x6d657267]));
      await merging.run(sql("update products set brand = 'feed' where id = $1", [made[1].id]));
      const began = performance.now();
      const answer = await staff.patch(
        '/api/products',
        made.map(({ id }) => ({ id, price: '2' })),
      );
      // The one that the import holds was waited for as long as anybody waits; it held up none of the others.
      expect(answer.json.items.map((item: { status: number; code?: string }) => item.code ?? item.status)).toEqual([
        200,
        'catalogue_busy',
        200,
      ]);
      expect(performance.now() - began).toBeLessThan(8_000);
    });
  }, 20_000);
});
