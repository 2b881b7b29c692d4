import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql, type Tx } from '../src/kernel/db.ts';
import { readEvents } from '../src/kernel/events.ts';
import { newId } from '../src/kernel/ids.ts';
import { eventually } from '../src/kernel/testing/index.ts';
import { holdPath } from '../src/modules/catalogue/category-tree.ts';
import { addWords } from '../src/modules/catalogue/merge.ts';
import { slugify } from '../src/modules/catalogue/slug.ts';
import { type Caller, feedOf, startTestShop, type TestShop } from './support/shop.ts';

/** What staff write of categories: the tree stays a tree, addresses go on leading somewhere, and titles follow names. */

let shop: TestShop;
let staff: Caller;
beforeAll(async () => {
  shop = await startTestShop();
  staff = await shop.as('staff');
});
afterAll(() => shop?.stop());
beforeEach(async () => {
  await shop.db.run(sql('truncate products, categories, retired_category_slugs cascade'));
  // What was shown of the tree before.
  await create('Emptied');
  await staff.delete('/api/categories/emptied');
});

// biome-ignore lint/suspicious/noExplicitAny: answers as they come
type Json = any;

async function create(name: string, fields: object = {}): Promise<Json> {
  const answer = await staff.post('/api/categories', { name, ...fields });
  expect(answer.status, answer.text).toBe(201);
  return answer.json;
}

async function treeOf(): Promise<Json[]> {
  const shape = (node: Json): Json => [node.name, node.position, ...node.children.map(shape)];
  return (await staff.get('/api/categories?state=all')).json.items.map(shape);
}

async function product(sku: string, categoryId: string | null, name = 'Thing'): Promise<string> {
  const id = newId();
  await shop.db.transaction(async (tx) => {
    const names = categoryId === null ? null : await holdPath(tx, categoryId);
    await tx.run(
      sql(
        `insert into products (id, sku, slug, name, price, availability, brand, category_id, created_at, updated_at)
         values ($1, $2, $3, $4, 500, 'in_stock', 'Brandy', $5, now(), now())`,
        [id, sku, slugify(`${name} ${sku}`), name, categoryId],
      ),
    );
    await tx.run(
      sql(
        `insert into product_texts (product_id, visible, title)
         values ($1, true, search_title($2, $3, null, null, search_label('Brandy', $4)))`,
        [id, name, sku, names],
      ),
    );
    await addWords(tx, 'select title from product_texts where product_id = $1', [id]);
    await shop.events.append(tx, { type: 'product.created', subject: { type: 'product', id } });
  });
  await shop.events.flush();
  return id;
}

/** Puts a product into another category, as a write of products does it. */
async function moveProduct(tx: Tx, id: string, from: string, to: string): Promise<void> {
  const names = await holdPath(tx, to);
  await holdPath(tx, from);
  await tx.run(sql('update products set category_id = $2 where id = $1', [id, to]));
  await tx.run(
    sql(
      `update product_texts t set title = search_title(p.name, p.sku, null, null, search_label(null, $2))
       from products p where p.id = $1 and t.product_id = p.id`,
      [id, names],
    ),
  );
}

const found = async (search: string) =>
  (await shop.get(`/api/products?search=${encodeURIComponent(search)}`)).json.items.map((item: Json) => item.sku);

const eventsAbout = async (id: string) =>
  (await readEvents(shop.db, { after: 0, limit: 10_000 })).filter((event) => event.subject_id === id);

const problem = (answer: { status: number; json: Json }) => [answer.status, answer.json.code];

/** Begins `during` (and, if it `waits`, ends it) while a transaction that did `first` has not committed. */
async function meanwhile<T>(
  first: (tx: Tx) => Promise<unknown>,
  during: () => Promise<T>,
  { waits = false } = {},
): Promise<T> {
  let begun = () => {};
  const started = new Promise<void>((resolve) => {
    begun = resolve;
  });
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const transaction = shop.db.transaction(async (tx) => {
    await first(tx);
    begun();
    await finished;
  });
  await Promise.race([started, transaction]);
  const result = during();
  // Long enough for it to run into the lock.
  await Promise.all([new Promise((resolve) => setTimeout(resolve, 150)), waits ? result : undefined]);
  finish();
  await transaction;
  return result;
}

describe('creating', () => {
  it('answers the category as a GET has it, with its address and its ETag', async () => {
    const made = await staff.post('/api/categories', {
      name: '  Garden   Tools ',
      description: ' For the garden.\r\n ',
    });
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe(`/api/categories/${made.json.id}`);
    expect(made.headers.get('cache-control')).toBe('no-store');
    expect(made.json).toEqual({
      id: expect.any(String),
      slug: 'garden-tools',
      name: 'Garden Tools',
      description: 'For the garden.',
      image_url: null,
      parent_id: null,
      position: 0,
      active: true,
      product_count: 0,
      version: 1,
      children: [],
    });
    const read = await shop.get('/api/categories/garden-tools');
    expect(read.json).toEqual(made.json);
    expect(read.headers.get('etag')).toBe(made.headers.get('etag'));
    expect(made.headers.get('etag')).toMatch(/^"1-/);
    expect((await shop.get('/api/categories')).json.items).toEqual([made.json]);
  });

  it('makes a slug of the name, with its ancestors in front or a number when that is taken', async () => {
    const men = await create('Men');
    const women = await create('Women');
    const slugs = [
      (await create('Shoes', { parent_id: men.id })).slug,
      (await create('Shoes', { parent_id: women.id })).slug,
      (await create('Shoes')).slug,
      (await create('靴')).slug,
    ];
    expect(slugs).toEqual(['shoes', 'women-shoes', 'shoes-2', 'category']);
  });

  it('refuses a slug that is taken, or that leads to another category', async () => {
    await create('Pots');
    expect(problem(await staff.post('/api/categories', { name: 'Pans', slug: 'pots' }))).toEqual([409, 'slug_taken']);
    await staff.patch('/api/categories/pots', { slug: 'cooking-pots' });
    expect(problem(await staff.post('/api/categories', { name: 'Pans', slug: 'pots' }))).toEqual([409, 'slug_taken']);
    // Nor is it made of a name.
    expect((await create('Pots', { parent_id: (await create('Hall')).id })).slug).toBe('hall-pots');
  });

  it('refuses a name that a sibling has, and no other', async () => {
    const home = await create('Home');
    await create('Lamps', { parent_id: home.id });
    expect(problem(await staff.post('/api/categories', { name: ' Lamps ', parent_id: home.id }))).toEqual([
      409,
      'category_name_taken',
    ]);
    expect(problem(await staff.post('/api/categories', { name: 'Home' }))).toEqual([409, 'category_name_taken']);
    await create('Home', { parent_id: home.id });
    await create('lamps', { parent_id: home.id });
  });

  it.each([
    [{}, 'name'],
    [{ name: '   ' }, 'name'],
    [{ name: 'a > b' }, 'name'],
    [{ name: 'a\u0007b' }, 'name'],
    [{ name: 'x'.repeat(101) }, 'name'],
    [{ name: '😀'.repeat(60) }, 'name'],
    [{ name: 'A', slug: 'Not a slug' }, 'slug'],
    [{ name: 'A', slug: 'featured' }, 'slug'],
    [{ name: 'A', slug: '018f0000-0000-7000-8000-000000000000' }, 'slug'],
    [{ name: 'A', parent_id: '018f0000-0000-7000-8000-000000000000' }, 'parent_id'],
    [{ name: 'A', parent_id: 'garden' }, 'parent_id'],
    [{ name: 'A', position: -1 }, 'position'],
    [{ name: 'A', position: '1' }, 'position'],
    [{ name: 'A', description: 'a\u0001' }, 'description'],
    [{ name: 'A', image_url: '/x' }, 'image_url'],
    [{ name: 'A', version: 3 }, 'version'],
  ])('refuses %j for its %s', async (body, path) => {
    const answer = await staff.post('/api/categories', body);
    expect(problem(answer)).toEqual([400, 'validation_failed']);
    expect(answer.json.errors[0].path).toBe(path);
  });

  it('goes ten levels deep and no further', async () => {
    let parent_id: string | null = null;
    for (let level = 1; level <= 10; level++) parent_id = (await create(`Level ${level}`, { parent_id })).id;
    const answer = await staff.post('/api/categories', { name: 'Level 11', parent_id });
    expect(answer.json.errors).toEqual([{ path: 'parent_id', message: 'must leave the tree at most 10 levels deep' }]);
    // Nor by moving a branch of two under the ninth.
    const top = await create('Top');
    await create('Below', { parent_id: top.id });
    const ninth = (await shop.get('/api/categories/level-9')).json.id;
    const eighth = (await shop.get('/api/categories/level-8')).json.id;
    expect(problem(await staff.patch(`/api/categories/${top.id}`, { parent_id: ninth }))).toEqual([
      400,
      'validation_failed',
    ]);
    expect((await staff.patch(`/api/categories/${top.id}`, { parent_id: eighth })).status).toBe(200);
  });

  it('twice at once under one parent makes one', async () => {
    const { id } = await create('Parent');
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => staff.post('/api/categories', { name: 'Child', parent_id: id })),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
    expect(new Set(answers.filter((a) => a.status === 409).map((a) => a.json.code))).toEqual(
      new Set(['category_name_taken']),
    );
  });

  it('is for staff', async () => {
    const body = { name: 'Mine' };
    expect((await shop.send('POST', '/api/categories', body)).status).toBe(401);
    for (const role of ['customer', 'seller'] as const)
      expect((await (await shop.as(role)).post('/api/categories', body)).status).toBe(403);
    expect(await treeOf()).toEqual([]);
  });
});

describe('places', () => {
  it('are counted from 0 without a gap, whoever comes between', async () => {
    await create('A');
    await create('C');
    await create('B', { position: 1 });
    await create('First', { position: 0 });
    await create('Last', { position: 99 });
    expect(await treeOf()).toEqual([
      ['First', 0],
      ['A', 1],
      ['B', 2],
      ['C', 3],
      ['Last', 4],
    ]);
    expect((await shop.get('/api/categories/c')).json.version).toBe(1);
  });

  it('are closed up where a category leaves, and opened where it comes', async () => {
    const [a, b] = [await create('A'), await create('B')];
    await create('C');
    for (const name of ['X', 'Y']) await create(name, { parent_id: a.id });
    await staff.patch(`/api/categories/${b.id}`, { parent_id: a.id, position: 1 });
    expect(await treeOf()).toEqual([
      ['A', 0, ['X', 0], ['B', 1], ['Y', 2]],
      ['C', 1],
    ]);
    await staff.patch(`/api/categories/${b.id}`, { position: 2 });
    expect((await treeOf())[0]).toEqual(['A', 0, ['X', 0], ['Y', 1], ['B', 2]]);
    await staff.patch('/api/categories/x', { parent_id: null });
    expect(await treeOf()).toEqual([
      ['A', 0, ['Y', 0], ['B', 1]],
      ['C', 1],
      ['X', 2],
    ]);
    await staff.delete('/api/categories/y');
    expect((await treeOf())[0]).toEqual(['A', 0, ['B', 0]]);
  });

  it('stay without a gap under many changes at once', async () => {
    const parents = [await create('P'), await create('Q')];
    const ids = [];
    for (let i = 0; i < 8; i++) ids.push((await create(`N${i}`, { parent_id: parents[i % 2]!.id })).id);
    const changes = ids.flatMap((id, i) => [
      staff.patch(`/api/categories/${id}`, { position: (i * 3) % 5 }),
      staff.patch(`/api/categories/${id}`, { parent_id: parents[(i * 7) % 2]!.id, position: i % 3 }),
    ]);
    for (const answer of await Promise.all(changes)) expect(answer.status).toBe(200);
    for (const parent of await treeOf()) {
      const positions = parent.slice(2).map((child: Json) => child[1]);
      expect(positions).toEqual(positions.map((_: number, i: number) => i));
    }
  });

  it('of an import are those behind the siblings', async () => {
    await create('Kept');
    await shop.importText(
      feedOf([
        { id: '1', title: 'T', price: '5 USD', product_type: 'New > One' },
        { id: '2', title: 'T', price: '5 USD', product_type: 'New > Two' },
        { id: '3', title: 'T', price: '5 USD', product_type: 'Kept > Three' },
      ]),
    );
    expect(await treeOf()).toEqual([
      ['Kept', 0, ['Three', 0]],
      ['New', 1, ['One', 0], ['Two', 1]],
    ]);
  });
});

describe('changing', () => {
  it('replaces with PUT: what is left out gets its default, but address and place', async () => {
    const home = await create('Home');
    await create('Other', { parent_id: home.id });
    const lamps = await create('Lamps', {
      slug: 'our-lamps',
      parent_id: home.id,
      description: 'Light.',
      active: false,
    });
    const put = await staff.put(`/api/categories/${lamps.id}`, { name: 'Lights', parent_id: home.id });
    expect(put.status).toBe(200);
    expect(put.json).toMatchObject({
      name: 'Lights',
      slug: 'our-lamps',
      description: '',
      parent_id: home.id,
      position: 1,
      active: true,
      version: 2,
    });
    expect(put.headers.get('etag')).toMatch(/^"2-/);
    expect(put.headers.get('cache-control')).toBe('no-store');
    expect((await staff.put('/api/categories/our-lamps', { name: 'Lights' })).json.parent_id).toBe(null);
    expect(problem(await staff.put('/api/categories/our-lamps', { description: 'x' }))).toEqual([
      400,
      'validation_failed',
    ]);
  });

  it('is seen by the next read, whose 304 holds no longer', async () => {
    await create('Old');
    const before = await shop.get('/api/categories/old');
    expect((await shop.get('/api/categories/old', { 'if-none-match': before.headers.get('etag')! })).status).toBe(304);
    await staff.patch('/api/categories/old', { description: 'New.' });
    const after = await shop.get('/api/categories/old', { 'if-none-match': before.headers.get('etag')! });
    expect([after.status, after.json.description]).toEqual([200, 'New.']);
  });

  it('makes no version and no event of what is as it was', async () => {
    const { id } = await create('Same', { description: 'x' });
    for (const body of [{}, { name: 'Same' }, { name: ' Same ', description: 'x', position: 0, active: true }]) {
      const answer = await staff.patch(`/api/categories/${id}`, body);
      expect([answer.status, answer.json.version]).toEqual([200, 1]);
    }
    expect((await eventsAbout(id)).map((event) => event.type)).toEqual(['category.created']);
  });

  it('needs the version that If-Match names, if it names one', async () => {
    const { id } = await create('A');
    const path = `/api/categories/${id}`;
    const etag = (await shop.get(path)).headers.get('etag')!;
    const change = (tag: string, name: string) => staff.patch(path, { name }, { 'if-match': tag });
    expect((await change(etag, 'B')).status).toBe(200);
    expect(problem(await change(etag, 'C'))).toEqual([412, 'version_mismatch']);
    expect(problem(await staff.put(path, { name: 'C' }, { 'if-match': '"1"' }))).toEqual([412, 'version_mismatch']);
    expect(problem(await staff.delete(path, undefined, { 'if-match': '"1"' }))).toEqual([412, 'version_mismatch']);
    expect((await change('"2"', 'C')).json.name).toBe('C');
    expect((await staff.delete(path, undefined, { 'if-match': '"3"' })).status).toBe(204);
  });

  it('lets one of two win that saw the same version', async () => {
    const { id } = await create('A');
    const answers = await Promise.all(
      ['B', 'C', 'D'].map((name) => staff.patch(`/api/categories/${id}`, { name }, { 'if-match': '"1"' })),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 412, 412]);
  });

  it('retires the old slug, which leads to the new one until it is taken back', async () => {
    const { id } = await create('Cups');
    await staff.patch(`/api/categories/${id}`, { slug: 'mugs' });
    const moved = await shop.get('/api/categories/cups');
    expect([moved.status, moved.headers.get('location')]).toEqual([301, '/api/categories/mugs']);
    expect((await shop.get('/categories/cups')).headers.get('location')).toBe('/categories/mugs');
    await staff.patch('/api/categories/mugs', { slug: 'cups' });
    expect((await shop.get('/api/categories/cups')).status).toBe(200);
    expect((await shop.get('/api/categories/mugs')).headers.get('location')).toBe('/api/categories/cups');
    expect(problem(await staff.patch('/api/categories/mugs', { name: 'X' }))).toEqual([404, 'category_not_found']);
    const other = await create('Other');
    expect(problem(await staff.patch(`/api/categories/${other.id}`, { slug: 'cups' }))).toEqual([409, 'slug_taken']);
    expect(problem(await staff.patch(`/api/categories/${other.id}`, { slug: 'mugs' }))).toEqual([409, 'slug_taken']);
  });

  it('refuses a name that is taken where it goes', async () => {
    const a = await create('A');
    await create('Twin', { parent_id: a.id });
    const twin = await create('Twin');
    for (const body of [{ parent_id: a.id }, { name: 'A' }])
      expect(problem(await staff.patch(`/api/categories/${twin.id}`, body))).toEqual([409, 'category_name_taken']);
  });

  it('refuses to move a category below itself', async () => {
    const a = await create('A');
    const b = await create('B', { parent_id: a.id });
    const c = await create('C', { parent_id: b.id });
    for (const parent_id of [a.id, b.id, c.id])
      expect(problem(await staff.patch(`/api/categories/${a.id}`, { parent_id }))).toEqual([409, 'category_cycle']);
    expect(await treeOf()).toEqual([['A', 0, ['B', 0, ['C', 0]]]]);
  });

  it('makes no cycle of two moves at once', async () => {
    for (let round = 0; round < 10; round++) {
      const [a, b] = [await create(`A${round}`), await create(`B${round}`)];
      const answers = await Promise.all([
        staff.patch(`/api/categories/${a.id}`, { parent_id: b.id }),
        staff.patch(`/api/categories/${b.id}`, { parent_id: a.id }),
      ]);
      expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409]);
    }
  });

  it('writes each change down: who, and field by field', async () => {
    const home = await create('Home');
    const { id } = await create('Lamps');
    await staff.patch(`/api/categories/${id}`, { name: 'Lights', slug: 'lights', parent_id: home.id });
    await staff.delete(`/api/categories/${id}`);
    const events = await eventsAbout(id);
    expect(events.map(({ type, actor_id, subject_type }) => [type, actor_id, subject_type])).toEqual([
      ['category.created', staff.userId, 'category'],
      ['category.updated', staff.userId, 'category'],
      ['category.deleted', staff.userId, 'category'],
    ]);
    expect(events[0]!.changes).toMatchObject({
      name: { from: null, to: 'Lamps' },
      parent_id: { from: null, to: null },
    });
    expect(events[1]!.changes).toEqual({
      name: { from: 'Lamps', to: 'Lights' },
      slug: { from: 'lamps', to: 'lights' },
      parent_id: { from: null, to: home.id },
      position: { from: 1, to: 0 },
    });
    expect(events[2]!.data).toEqual({ slug: 'lights', name: 'Lights' });
    expect(events[2]!.changes).toMatchObject({ name: { from: 'Lights', to: null } });
  });
});

describe('what products are found by', () => {
  it('follows a new name, in the category and below it', async () => {
    const home = await create('Dwelling');
    const lamps = await create('Lanterns', { parent_id: home.id });
    await product('LAMP', lamps.id, 'Bright one');
    await product('VASE', home.id, 'Round one');
    await product('ELSE', null, 'Other one');
    expect(await found('dwelling')).toHaveLength(2);
    await staff.patch(`/api/categories/${home.id}`, { name: 'Habitat' });
    expect((await found('habitat')).sort()).toEqual(['LAMP', 'VASE']);
    expect(await found('dwelling')).toEqual([]);
    expect(await found('habitat lanterns')).toEqual(['LAMP']);
    // A slip is corrected to the new word.
    expect((await found('habitatt')).sort()).toEqual(['LAMP', 'VASE']);
    expect((await found('brandy')).sort()).toEqual(['ELSE', 'LAMP', 'VASE']);
    expect(
      (await shop.get(`/api/products?category=${home.slug}&search=bright`)).json.items.map((item: Json) => item.sku),
    ).toEqual(['LAMP']);
    const titles = await shop.db.many(
      sql<{ same: boolean }>(
        `select t.title = search_title(p.name, p.sku, p.gtin, p.mpn, search_label(p.brand, path_names(p.category_id))) as same
         from product_texts t join products p on p.id = t.product_id`,
      ),
    );
    expect(titles).toEqual([{ same: true }, { same: true }, { same: true }]);
  });

  it('follows a branch to another place', async () => {
    const [home, garden] = [await create('Homely'), await create('Gardenly')];
    const lamps = await create('Lanterns', { parent_id: home.id });
    await product('LAMP', (await create('Deep', { parent_id: lamps.id })).id);
    await staff.patch(`/api/categories/${lamps.id}`, { parent_id: garden.id });
    expect(await found('gardenly lanterns deep')).toEqual(['LAMP']);
    expect(await found('homely lanterns')).toEqual([]);
    expect((await shop.get('/api/products?category=gardenly')).json.total).toBe(1);
    expect((await shop.get('/api/products?category=homely')).json.total).toBe(0);
  });

  it('is not missed by a product that is put into the category at the same time', async () => {
    const [one, other] = [await create('Kingfisher'), await create('Xylophone')];
    const id = await product('MOVING', other.id, 'Parcel');
    // Whether its new category is renamed while it comes, or its old one while it leaves.
    const renamed = await meanwhile(
      (tx) => moveProduct(tx, id, other.id, one.id),
      () => staff.patch(`/api/categories/${one.id}`, { name: 'Bluebell' }),
    );
    expect(renamed.status).toBe(200);
    expect(await found('bluebell')).toEqual(['MOVING']);
    const left = await meanwhile(
      (tx) => moveProduct(tx, id, one.id, other.id),
      () => staff.patch(`/api/categories/${one.id}`, { name: 'Quartzite' }),
    );
    expect(left.status).toBe(200);
    expect(await found('xylophone')).toEqual(['MOVING']);
    expect(await found('quartzite')).toEqual([]);
  });

  it('is read from names that hold: holdPath waits for who renames', async () => {
    const parent = await create('Before');
    const child = await create('Child', { parent_id: parent.id });
    const names = await meanwhile(
      (tx) => tx.run(sql("update categories set name = 'After' where id = $1", [parent.id])),
      () => shop.db.transaction((tx) => holdPath(tx, child.id)),
    );
    expect(names).toBe('After Child');
    const elsewhere = await create('Elsewhere');
    const moved = await meanwhile(
      (tx) => tx.run(sql('update categories set parent_id = $2 where id = $1', [child.id, elsewhere.id])),
      () =>
        shop.db.transaction(async (tx) => {
          const path = await holdPath(tx, child.id);
          // Also what it stands below now, and not before.
          const rename = shop.db.run(sql('select from categories where id = $1 for update nowait', [elsewhere.id]));
          await expect(rename).rejects.toMatchObject({ code: '55P03' });
          return path;
        }),
    );
    expect(moved).toBe('Elsewhere Child');
    expect(await shop.db.transaction((tx) => holdPath(tx, newId()))).toBe(null);
  });
});

describe('beside an import', () => {
  const feed = (path: string) => feedOf([{ id: 'FED', title: 'Fed', price: '5 USD', product_type: path }]);

  /** Until so many statements wait for somebody else's lock. */
  const waiting = (n: number) =>
    eventually(async () => {
      const { waiters } = await shop.db.one(
        sql<{ waiters: number }>(
          "select count(*) as waiters from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        ),
      );
      expect(waiters).toBe(n);
    });

  it('a category that both make at once is one', async () => {
    const { importing } = await meanwhile(
      (tx) =>
        tx.run(
          sql(
            `insert into categories (id, slug, name, position, created_at, updated_at) values ($1, 'both', 'Both', 0, now(), now())`,
            [newId()],
          ),
        ),
      async () => {
        const importing = shop.importText(feed('Both > Deeper'));
        await waiting(1);
        return { importing };
      },
      { waits: true },
    );
    expect((await importing).status).toBe('completed');
    expect(await treeOf()).toEqual([['Both', 0, ['Deeper', 0]]]);
    expect(await found('fed')).toEqual(['FED']);
  });

  it('one that it uses is renamed after it, so that its products have the new name', async () => {
    const top = await create('Topmost');
    await create('Used', { parent_id: top.id });
    // What a merge writes after the titles.
    const { importing, renaming } = await meanwhile(
      (tx) => tx.run(sql('lock table price_history')),
      async () => {
        const importing = shop.importText(feed('Topmost > Used'));
        await waiting(1);
        const renaming = staff.patch(`/api/categories/${top.id}`, { name: 'Zeppelin' });
        await waiting(2);
        return { importing, renaming };
      },
      { waits: true },
    );
    expect((await importing).status).toBe('completed');
    expect((await renaming).status).toBe(200);
    expect(await found('zeppelin')).toEqual(['FED']);
    expect(await found('topmost')).toEqual([]);
  });

  it('one that it fills is not deleted', async () => {
    const other = await create('Other');
    const hold = (tx: Tx) => tx.many(sql('select id from categories for key share'));
    const deleted = await meanwhile(
      async (tx) => {
        await hold(tx);
        await tx.run(
          sql(
            `insert into products (id, sku, slug, name, price, availability, category_id, created_at, updated_at)
             values ($1, 'IN', 'in', 'In', 100, 'in_stock', $2, now(), now())`,
            [newId(), other.id],
          ),
        );
      },
      () => staff.delete(`/api/categories/${other.id}`),
    );
    expect(deleted.json).toMatchObject({ code: 'category_not_empty', products: 1, categories: 0 });
  });

  it('what is exported of the deepest category comes in again as it is', async () => {
    let parent_id: string | null = null;
    for (let level = 1; level <= 10; level++) parent_id = (await create(`Level & ${level}`, { parent_id })).id;
    await product('DEEP', parent_id);
    const report = await shop.importText((await shop.get('/feeds/google.xml')).text, 'upsert');
    expect(report.counts).toMatchObject({ read: 1, created: 0, updated: 0, unchanged: 1 });
    expect(await shop.db.many(sql('select from categories'))).toHaveLength(10);
  });

  it('a change that waits too long is told to come again', async () => {
    const { id } = await create('Used');
    let done = () => {};
    const until = new Promise<void>((resolve) => {
      done = resolve;
    });
    const merge = shop.db.transaction(async (tx) => {
      await tx.many(sql('select id from categories for key share'));
      await until;
    });
    const answer = await staff.patch(`/api/categories/${id}`, { name: 'Renamed' });
    // What needs no name goes on meanwhile.
    expect((await staff.patch(`/api/categories/${id}`, { description: 'x', active: false })).status).toBe(200);
    done();
    await merge;
    expect(problem(answer)).toEqual([503, 'catalogue_busy']);
    expect(answer.headers.get('retry-after')).toBe('15');
  }, 20_000);
});

describe('deleting', () => {
  it('takes an empty category away', async () => {
    const { id } = await create('Gone');
    expect((await staff.delete(`/api/categories/${id}`)).status).toBe(204);
    expect((await shop.get('/api/categories/gone')).status).toBe(404);
    expect(problem(await staff.delete(`/api/categories/${id}`))).toEqual([404, 'category_not_found']);
    expect((await create('Gone')).slug).toBe('gone');
  });

  it('refuses while anything stands in it, hidden and archived products included', async () => {
    const { id } = await create('Full');
    await product('HIDDEN', id);
    await product('ARCHIVED', id);
    await shop.db.run(sql("update products set active = false where sku = 'HIDDEN'"));
    await shop.db.run(sql("update products set archived_at = now() where sku = 'ARCHIVED'"));
    await create('Child', { parent_id: id });
    const refused = await staff.delete(`/api/categories/${id}`);
    expect(refused.json).toMatchObject({ status: 409, code: 'category_not_empty', products: 2, categories: 1 });
    expect(refused.json.detail).toBe('There are 2 products and 1 category in it. Move or delete them first.');
  });

  it('beside a product that comes leaves nothing hanging: one of them is refused', async () => {
    for (let round = 0; round < 8; round++) {
      const { id } = await create(`Race ${round}`);
      const productId = await product(`RACE-${round}`, null);
      const put = shop.db
        .run(sql('update products set category_id = $2 where id = $1', [productId, id]))
        .then(() => 'put')
        .catch((error) => error.code as string);
      const [status, came] = await Promise.all([staff.delete(`/api/categories/${id}`).then((a) => a.status), put]);
      expect([
        [204, '23503'],
        [409, 'put'],
      ]).toContainEqual([status, came]);
    }
  });

  it('beside a subcategory that comes leaves nothing hanging either', async () => {
    for (let round = 0; round < 8; round++) {
      const { id } = await create(`Race ${round}`);
      const answers = await Promise.all([
        staff.delete(`/api/categories/${id}`),
        staff.post('/api/categories', { name: 'Child', parent_id: id }),
      ]);
      expect([
        [204, 400],
        [409, 201],
      ]).toContainEqual(answers.map((answer) => answer.status));
    }
  });
});

describe('an inactive category', () => {
  it('hides its branch, but not its products', async () => {
    const top = await create('Top');
    const hidden = await create('Hidden', { parent_id: top.id });
    const below = await create('Below', { parent_id: hidden.id });
    const id = await product('STAYS', below.id, 'Stays here');
    await staff.patch(`/api/categories/${hidden.id}`, { active: false });

    const tree = (await shop.get('/api/categories')).json.items;
    expect(tree).toMatchObject([{ name: 'Top', children: [], product_count: 1 }]);
    for (const slug of ['hidden', 'below']) {
      expect((await shop.get(`/api/categories/${slug}`)).status).toBe(404);
      expect((await shop.get(`/categories/${slug}`)).status).toBe(404);
      expect((await shop.get(`/api/categories/${slug}/products`)).status).toBe(404);
      expect((await shop.get(`/api/products?category=${slug}`)).json.total).toBe(0);
    }
    expect((await shop.get('/api/products?category=top')).json.total).toBe(1);
    expect((await shop.get('/api/products/filters')).json.category).toEqual([{ value: 'top', count: 1 }]);
    expect((await shop.get(`/api/products/${id}`)).json.category.name).toBe('Below');
    const page = await shop.get('/products/stays-here-stays');
    expect(page.status).toBe(200);
    expect(page.text).not.toContain('/categories/hidden');
    expect(page.text).not.toContain('/categories/below');
    expect(page.text).toContain('/categories/top');
    expect(await found('below')).toEqual(['STAYS']);

    // An old slug of what is hidden leads nowhere.
    await staff.patch('/api/categories/below', { slug: 'far-below' });
    expect((await shop.get('/api/categories/below')).status).toBe(404);
  });

  it('is seen by staff alone', async () => {
    const { id } = await create('Hidden', { active: false });
    const seen = await staff.get(`/api/categories/${id}`);
    expect([seen.status, seen.json.active]).toEqual([200, false]);
    expect(seen.headers.get('cache-control')).toBe('no-store');
    expect(seen.headers.get('etag')).toMatch(/^"1-/);
    expect((await staff.get('/api/categories/hidden')).json).toEqual(seen.json);
    await staff.patch('/api/categories/hidden', { slug: 'unseen' });
    expect((await staff.get('/api/categories/hidden')).headers.get('location')).toBe('/api/categories/unseen');

    expect((await staff.get('/api/categories?state=all')).json.items).toHaveLength(1);
    expect((await staff.get('/api/categories')).json.items).toHaveLength(0);
    const seller = await shop.as('seller');
    expect((await seller.get(`/api/categories/${id}`)).status).toBe(404);
    expect(problem(await seller.get('/api/categories?state=all'))).toEqual([403, 'forbidden']);
    expect(problem(await shop.get('/api/categories?state=all'))).toEqual([401, 'unauthenticated']);
    expect(problem(await (await shop.as('customer')).get('/api/categories?state=all'))).toEqual([403, 'forbidden']);
    await eventually(async () => expect((await shop.get('/api/categories')).json.items).toEqual([]));
  });
});
