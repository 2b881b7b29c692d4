import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { newId } from '../src/kernel/ids.ts';
import { type Caller, startTestShop, type TestShop } from './support/shop.ts';

/** What staff and sellers read beyond the public, compared with a reading of the whole table. */

// biome-ignore lint/suspicious/noExplicitAny: answers as they come
type Json = any;
type State = 'visible' | 'hidden' | 'archived' | 'all';
type Row = {
  id: string;
  sku: string;
  name: string;
  price: number;
  state: State;
  owner: string | null;
  brand: string;
  category: 'open' | 'closed';
  offer: number | null;
  stock: number | null;
};

const STATES = ['visible', 'hidden', 'archived', 'all'] as const;
const ORDERINGS = ['price', '-price', 'created_at', '-created_at', 'name', '-name', 'lowest_offer', '-lowest_offer'];
const N = 90;

let shop: TestShop;
let staff: Caller;
let seller: Caller;
let rival: Caller;
let customer: Caller;
let rows: Row[];

beforeAll(async () => {
  shop = await startTestShop();
  [staff, seller, rival, customer] = await Promise.all([
    shop.as('staff'),
    shop.as('seller'),
    shop.as('seller'),
    shop.as('customer'),
  ]);
  const categories = { open: newId(), closed: newId() };
  for (const [slug, id] of Object.entries(categories))
    await shop.db.run(
      sql(
        `insert into categories (id, slug, name, active, created_at, updated_at) values ($1, $2, $2, $3, now(), now())`,
        [id, slug, slug === 'open'],
      ),
    );
  rows = Array.from({ length: N }, (_, i): Row => {
    const state = (['visible', 'hidden', 'visible', 'archived', 'visible'] as const)[i % 5]!;
    return {
      id: newId(),
      sku: `SKU-${i}`,
      name: `${['lamp', 'vase', 'rug'][i % 3]} ${(i * 37) % N}`,
      price: 100 + ((i * 7) % 20) * 50,
      state,
      owner: [seller.userId, rival.userId, null][(i >> 1) % 3] ?? null,
      brand: `Brand ${i % 4}`,
      category: i % 2 ? 'open' : 'closed',
      offer: i % 4 === 0 ? 1000 - i : null,
      stock: i % 3 === 0 ? i % 2 : null,
    };
  });
  for (const [i, row] of rows.entries()) {
    await shop.db.run(
      sql(
        `insert into products (id, sku, slug, name, price, availability, brand, category_id, owner_id, active, archived_at,
           lowest_offer, created_at, updated_at)
         values ($1, $2, lower($2), $3, $4, 'in_stock', $5, $6, $7, $8, $9, $10, $11, $11)`,
        [
          row.id,
          row.sku,
          row.name,
          row.price,
          row.brand,
          categories[row.category],
          row.owner,
          // An archived product may have been active or not.
          row.state !== 'hidden' && i % 10 !== 8,
          row.state === 'archived' ? new Date() : null,
          row.offer,
          new Date(Date.UTC(2026, 0, 1, 0, 0, (i * 17) % 60)),
        ],
      ),
    );
    await shop.db.run(
      sql(
        `insert into product_texts (product_id, visible, title, description)
         select id, visible, search_title(name, sku, null, null, search_label(brand, null)), $2 from products where id = $1`,
        [row.id, i % 2 ? 'Made of oak' : 'Made of elm'],
      ),
    );
    if (row.stock !== null)
      await shop.db.run(
        sql(`select count(*) from change_stock(array[$1::uuid], null, array[$2::int], 'import', null, null, now())`, [
          row.id,
          row.stock,
        ]),
      );
  }
  for (const row of rows) {
    const { visible } = await shop.db.one(
      sql<{ visible: boolean }>('select visible from products where id = $1', [row.id]),
    );
    if (row.state === 'visible' && !visible) row.state = 'hidden';
  }
});
afterAll(() => shop?.stop());

const inState = (state: State) => (row: Row) => state === 'all' || row.state === state;
const skus = (list: readonly { sku: string }[]) => list.map((item) => item.sku);
const problem = (answer: { status: number; json: Json }) => [answer.status, answer.json.code];

async function walk(caller: Caller, query: string, pageSize: number): Promise<Json[]> {
  const items: Json[] = [];
  for (let cursor = ''; ; ) {
    const answer = await caller.get(`/api/products?${query}&page_size=${pageSize}${cursor}`);
    expect(answer.status, answer.text).toBe(200);
    items.push(...answer.json.items);
    if (answer.json.next_cursor === null) {
      expect(answer.json.total).toBe(items.length);
      return items;
    }
    cursor = `&cursor=${answer.json.next_cursor}`;
  }
}

describe('lists', () => {
  it.each(STATES)('have the products of state %s, in every ordering and by every way of reading', async (state) => {
    const expected = rows.filter(inState(state));
    expect(expected.length).toBeGreaterThan(5);
    for (const ordering of ORDERINGS) {
      const whole = (await staff.get(`/api/products?state=${state}&ordering=${ordering}&page_size=100`)).json;
      expect(skus(whole.items).sort()).toEqual(skus(expected).sort());
      expect(whole.total).toBe(expected.length);
      // Small pages walk, large ones sort; both give the one order.
      expect(skus(await walk(staff, `state=${state}&ordering=${ordering}`, 2))).toEqual(skus(whole.items));
      expect(skus(await walk(staff, `state=${state}&ordering=${ordering}`, 40))).toEqual(skus(whole.items));
      const third = (await staff.get(`/api/products?state=${state}&ordering=${ordering}&page_size=3&page=3`)).json;
      expect(skus(third.items)).toEqual(skus(whole.items.slice(6, 9)));
      const key = (item: Json) =>
        ordering.endsWith('price')
          ? Number(item.effective_price)
          : ordering.endsWith('created_at')
            ? Date.parse(item.created_at)
            : ordering.endsWith('offer')
              ? Number(item.offers.lowest_price ?? (ordering.startsWith('-') ? -1 : 1e9))
              : null;
      const keys = whole.items.map(key);
      if (keys[0] !== null)
        expect(keys).toEqual(keys.toSorted((a: number, b: number) => (ordering.startsWith('-') ? b - a : a - b)));
    }
  });

  it.each(STATES)('are narrowed by filters among the products of state %s', async (state) => {
    const cases: [string, (row: Row) => boolean][] = [
      ['brand=Brand+1', (row) => row.brand === 'Brand 1'],
      ['brand=Brand+1&brand=Brand+3&price_max=6.00', (row) => /[13]/.test(row.brand) && row.price <= 600],
      ['in_stock=true', (row) => row.stock !== 0],
      ['in_stock=false', (row) => row.stock === 0],
      ['category=open', (row) => row.category === 'open'],
      // Staff may look into what the public does not see.
      ['category=closed', (row) => row.category === 'closed' && state !== 'visible'],
      [`owner=${rival.userId}`, (row) => row.owner === rival.userId],
      ['owner=me', () => false],
    ];
    for (const [query, passes] of cases) {
      const expected = rows.filter((row) => inState(state)(row) && passes(row));
      for (const size of [2, 100])
        expect(skus(await walk(staff, `state=${state}&${query}`, size)).sort(), query).toEqual(skus(expected).sort());
    }
  });

  it.each(STATES)('are searched among the products of state %s', async (state) => {
    const cases: [string, (row: Row) => boolean][] = [
      ['search=lamp', (row) => row.name.startsWith('lamp')],
      ['search=lampp', (row) => row.name.startsWith('lamp')],
      ['search=oak', (row) => rows.indexOf(row) % 2 === 1],
      ['search=vase+brand&brand=Brand+2', (row) => row.name.startsWith('vase') && row.brand === 'Brand 2'],
      [`search=rug&owner=${rival.userId}`, (row) => row.name.startsWith('rug') && row.owner === rival.userId],
    ];
    await shop.db.run(sql("insert into search_words values ('lamp'), ('vase') on conflict do nothing"));
    for (const [query, passes] of cases) {
      const expected = rows.filter((row) => inState(state)(row) && passes(row));
      for (const ordering of ['relevance', 'price', '-name'])
        for (const size of [2, 100])
          expect(skus(await walk(staff, `state=${state}&${query}&ordering=${ordering}`, size)).sort(), query).toEqual(
            skus(expected).sort(),
          );
    }
  });

  it.each(STATES)('have facets that count the products of state %s', async (state) => {
    const count = (list: Row[], of: (row: Row) => string) =>
      Object.entries(Object.groupBy(list, of)).map(([value, some]) => ({ value, count: some!.length }));
    const byValue = (list: Json[]) => list.toSorted((a, b) => (a.value < b.value ? -1 : 1));
    for (const [query, passes] of [
      ['', () => true],
      ['&search=lamp', (row: Row) => row.name.startsWith('lamp')],
      [`&owner=${rival.userId}`, (row: Row) => row.owner === rival.userId],
    ] as const) {
      const among = rows.filter((row) => inState(state)(row) && passes(row));
      const { json } = await staff.get(`/api/products/filters?state=${state}&brand=Brand+1${query}`);
      expect(byValue(json.brand)).toEqual(byValue(count(among, (row) => row.brand)));
      const narrowed = among.filter((row) => row.brand === 'Brand 1');
      const shown = narrowed.filter((row) => state !== 'visible' || row.category === 'open');
      expect(byValue(json.category)).toEqual(byValue(count(shown, (row) => row.category)));
      expect(json.price.max).toBe((Math.max(...narrowed.map((row) => row.price)) / 100).toFixed(2));
    }
  });

  it('say active: false of whatever is not visible', async () => {
    const { items } = (await staff.get('/api/products?state=all&page_size=100')).json;
    for (const item of items) {
      const row = rows.find(({ id }) => id === item.id)!;
      expect([item.sku, item.active]).toEqual([row.sku, row.state === 'visible']);
    }
  });

  it('stay the public’s own list for whoever asks for no more', async () => {
    const open = await shop.get('/api/products?page_size=100');
    expect(skus(open.json.items).sort()).toEqual(skus(rows.filter(inState('visible'))).sort());
    for (const caller of [staff, seller, customer]) {
      const answer = await caller.get('/api/products?page_size=100&state=visible');
      expect(answer.text).toBe(open.text);
      expect(answer.headers.get('etag')).toBe(open.headers.get('etag'));
    }
  });
});

describe('who may', () => {
  const addresses = [
    '/api/products?state=hidden',
    '/api/products?state=archived',
    '/api/products?state=all',
    '/api/products/filters?state=all',
    '/api/products?owner=me',
    '/api/products/filters?owner=018f0000-0000-7000-8000-00000000000a',
  ];
  it.each(addresses)('%s: staff and sellers', async (address) => {
    // First by who may, so that nothing that was kept for them is found by the others.
    for (const caller of [staff, seller]) {
      const answer = await caller.get(address);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
    const refused = await shop.get(address);
    expect(problem(refused)).toEqual([401, 'unauthenticated']);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    expect(problem(await customer.get(address))).toEqual([403, 'forbidden']);
  });

  it.each(['hidden', 'archived', 'all'] as const)('a seller sees its own of state %s and no other', async (state) => {
    const own = rows.filter((row) => inState(state)(row) && row.owner === seller.userId);
    expect(own.length).toBeGreaterThan(3);
    for (const query of [`state=${state}`, `state=${state}&owner=me`, `state=${state}&owner=${seller.userId}`]) {
      expect(skus(await walk(seller, query, 2)).sort()).toEqual(skus(own).sort());
      const facets = (await seller.get(`/api/products/filters?${query}`)).json;
      expect(facets.brand.reduce((sum: number, { count }: Json) => sum + count, 0)).toBe(own.length);
    }
    const lamps = own.filter((row) => row.name.startsWith('lamp'));
    expect(skus(await walk(seller, `state=${state}&search=lamp`, 2)).sort()).toEqual(skus(lamps).sort());
    expect(problem(await seller.get(`/api/products?state=${state}&owner=${rival.userId}`))).toEqual([403, 'forbidden']);
  });

  it('another seller’s visible products are no secret', async () => {
    const theirs = rows.filter((row) => row.state === 'visible' && row.owner === rival.userId);
    expect(skus(await walk(seller, `owner=${rival.userId}`, 10)).sort()).toEqual(skus(theirs).sort());
  });

  it.each(['state=gone', 'state=', 'owner=you', 'owner=1', 'state=all&state=all', "owner=me'"])(
    'what is no such thing is refused: %s',
    async (query) => {
      expect(problem(await staff.get(`/api/products?${query}`))).toEqual([400, 'validation_failed']);
    },
  );
});

describe('one product', () => {
  const of = (state: State, owner?: string) =>
    rows.find((row) => row.state === state && (owner === undefined || row.owner === owner))!;

  it('that is hidden or archived is there for staff and its seller, by id and slug, and for nobody else', async () => {
    for (const state of ['hidden', 'archived'] as const) {
      const row = of(state, seller.userId);
      for (const key of [row.id, row.id.toUpperCase(), row.sku.toLowerCase()]) {
        const path = `/api/products/${key}`;
        for (const caller of [staff, seller]) {
          const answer = await caller.get(path);
          expect(answer.status).toBe(200);
          expect(answer.json).toMatchObject({ id: row.id, active: false });
          expect(answer.json.archived_at).toEqual(state === 'archived' ? expect.stringMatching(/Z$/) : null);
          expect(answer.headers.get('cache-control')).toBe('no-store');
          expect(answer.headers.get('etag')).toMatch(/^"1-/);
        }
        const head = await shop.send('HEAD', path, undefined, seller.headers);
        expect([head.status, head.text, head.headers.get('cache-control')]).toEqual([200, '', 'no-store']);
        for (const answer of [await shop.get(path), await customer.get(path), await rival.get(path)])
          expect(problem(answer)).toEqual([404, 'product_not_found']);
      }
    }
  });

  it('is read anew each time while it is hidden, and from the cache when it is not', async () => {
    const row = of('hidden', seller.userId);
    const path = `/api/products/${row.id}`;
    expect((await seller.get(path)).json.name).toBe(row.name);
    await shop.db.run(sql("update products set name = 'renamed' where id = $1", [row.id]));
    expect((await seller.get(path)).json.name).toBe('renamed');
    await shop.db.run(sql('update products set name = $2 where id = $1', [row.id, row.name]));

    const visible = of('visible');
    const open = await shop.get(`/api/products/${visible.id}`);
    const seen = await staff.get(`/api/products/${visible.id}`);
    expect([seen.text, seen.headers.get('etag')]).toEqual([open.text, open.headers.get('etag')]);
    expect(open.json).toMatchObject({ active: true, archived_at: null });
  });

  it('leads on from an old slug for those who see it', async () => {
    const row = of('hidden', seller.userId);
    await shop.db.run(sql("insert into retired_product_slugs values ('was-hidden', $1, now())", [row.id]));
    const moved = await seller.get('/api/products/was-hidden');
    expect([moved.status, moved.headers.get('location')]).toEqual([301, `/api/products/${row.sku.toLowerCase()}`]);
    expect(moved.headers.get('cache-control')).toBe('no-store');
    for (const caller of [rival, customer]) expect((await caller.get('/api/products/was-hidden')).status).toBe(404);
    expect((await shop.get('/api/products/was-hidden')).status).toBe(404);
  });

  it('is not on a page, whoever looks', async () => {
    const row = of('hidden', seller.userId);
    expect((await shop.send('GET', `/products/${row.sku.toLowerCase()}`, undefined, staff.headers)).status).toBe(404);
  });
});
