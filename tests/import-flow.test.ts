import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../src/app.ts';
import { type Sql, sql } from '../src/kernel/db.ts';
import { eventually, testKernel } from '../src/kernel/testing/index.ts';
import { generateFeed } from '../src/modules/imports/feed/generate.ts';
import type { ImportMode, ImportReport } from '../src/modules/imports/index.ts';
import { feedOf, startTestShop, type TestShop } from './support/shop.ts';

/** Feeds into a whole shop: what stands in the tables afterwards, what the API shows of it, and what comes out again. */

// biome-ignore lint/suspicious/noExplicitAny: rows and answers that the tests look into
type Row = Record<string, any>;
type Item = Record<string, string | string[]>;

let shop: TestShop;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vitrine-flow-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A shop of its own for each test of a group. */
function withShop(options: Parameters<typeof startTestShop>[0] = {}): void {
  beforeEach(async () => {
    shop = await startTestShop(options);
  });
  afterEach(async () => {
    await checkLedger(shop.db);
    await shop.stop();
  });
}

const rows = (text: string, values: unknown[] = []) => shop.db.many<Row>(sql(text, values));

/** Imports and checks what is true of any report: every item that was read became one thing, and the tables agree. */
async function load(feed: string | Item[], mode: ImportMode = 'upsert'): Promise<ImportReport> {
  const report = await shop.importText(typeof feed === 'string' ? feed : feedOf(feed), mode);
  const { read, created, updated, unchanged, existing, rejected } = report.counts;
  expect(created + updated + unchanged + existing + rejected).toBe(read);
  const [stored] = await rows('select * from imports where id = $1', [report.id]);
  expect(stored).toMatchObject({
    status: report.status,
    mode,
    count_read: read,
    count_created: created,
    count_updated: updated,
    count_unchanged: unchanged,
    count_existing: existing,
    count_rejected: rejected,
  });
  expect(stored!.finished_at.getTime()).toBeGreaterThanOrEqual(stored!.started_at.getTime());
  const [{ issues } = { issues: 0 }] = await rows(
    'select count(*) as issues from import_issues where import_id = $1 and rejected',
    [report.id],
  );
  if (report.status === 'completed') expect(issues).toBe(rejected);
  return report;
}

const counts = (changed: Partial<ImportReport['counts']>) => ({
  ...{ read: 0, created: 0, updated: 0, unchanged: 0, existing: 0, rejected: 0 },
  ...changed,
});

const issuesOf = (report: ImportReport) =>
  rows('select line, sku, field, code, rejected from import_issues where import_id = $1 order by seq', [report.id]);

const bySku = async (sku: string) =>
  (
    await rows(
      'select p.*, s.on_hand, t.description, t.attributes from products p join product_texts t on t.product_id = p.id left join stock s on s.product_id = p.id where p.sku = $1',
      [sku],
    )
  )[0];

/** All that an import may write, as it stands; imports, their issues and events tell of imports themselves. */
const CATALOGUE = [
  ...[
    'products',
    'product_texts',
    'product_images',
    'stock',
    'stock_movements',
    'price_history',
    'product_changes',
    'categories',
  ],
  ...['search_words', 'retired_product_slugs', 'retired_category_slugs', 'import_quantities', 'shop_settings'],
];

async function snapshot(tables: readonly string[] = CATALOGUE): Promise<Record<string, unknown[]>> {
  const read = async (table: string) =>
    (await rows(`select to_jsonb(t) as row from ${table} t order by to_jsonb(t)::text`)).map(({ row }) => row);
  return Object.fromEntries(await Promise.all(tables.map(async (table) => [table, await read(table)] as const)));
}

async function allTables(): Promise<string[]> {
  return (await rows("select tablename from pg_tables where schemaname = 'public' order by 1")).map(
    (row) => row.tablename,
  );
}

/** What must be true of stock whatever was imported: it is the sum of its movements, and each says where it led. */
async function checkLedger(db: Sql): Promise<void> {
  const wrong = await db.many(
    sql(`select s.product_id, s.on_hand, m.total, m.last
         from stock s full join (
           select product_id, sum(delta) as total, (array_agg(on_hand order by id desc))[1] as last from stock_movements group by product_id
         ) m on m.product_id = s.product_id
         where s.on_hand is distinct from m.total or s.on_hand is distinct from m.last`),
  );
  expect(wrong).toEqual([]);
  const idle = await db.many(
    sql(
      'select * from stock_movements m where delta = 0 and exists (select from stock_movements e where e.product_id = m.product_id and e.id < m.id)',
    ),
  );
  expect(idle).toEqual([]);
  expect(await db.many(sql('select * from import_quantities'))).toEqual([]);
}

const exported = async () => {
  const answer = await shop.get('/feeds/google.xml');
  expect(answer.status).toBe(200);
  return answer.text;
};

/** The shop's own feed comes in again without a difference, and goes out again the same. */
async function expectRoundTrip(): Promise<void> {
  const feed = await exported();
  const before = await snapshot();
  const report = await load(feed, 'upsert');
  const changes = await rows('select sku, changes from product_changes where import_id = $1 order by id limit 3', [
    report.id,
  ]);
  expect(changes, 'the export came in again with differences').toEqual([]);
  const total = (feed.match(/<item>/g) ?? []).length;
  expect(report.counts).toEqual(counts({ read: total, unchanged: total }));
  expect(await snapshot()).toEqual(before);
  expect(await exported()).toBe(feed);
}

/** One item as feedOf writes it, for a feed whose texts may hold `]]>` too. */
function itemOf(item: Item): string {
  const toXml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const fields = Object.entries(item).flatMap(([name, value]) =>
    [value].flat().map((text) => `<g:${name}>${toXml(text)}</g:${name}>`),
  );
  return `<item>${fields.join('')}</item>`;
}

/** A tag inside a tag inside a tag: each pass over it uncovers another. */
const onion = (times: number) => `${'<'.repeat(times)}${'b>'.repeat(times)}end`;

const escaped = (text: string, times: number): string =>
  times === 0 ? text : escaped(text.replaceAll('&', '&amp;').replaceAll('<', '&lt;'), times - 1);

/** Items made of whatever a feed may hold, always the same ones. */
function anything(): Item[] {
  const piece = fc.oneof(
    { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
    fc.constantFrom(
      ...[
        '<',
        '>',
        '&',
        '"',
        "'",
        ';',
        '&amp;',
        '&lt;',
        '&#60;',
        '&nbsp;',
        '<p>',
        '</p>',
        '<br/>',
        '<li>',
        '<!--',
        '-->',
        ' ',
      ],
    ),
    fc.constantFrom(
      ...[
        '\n',
        '\t',
        '\r\n',
        '\u00a0',
        '\u2028',
        '\u0085',
        '\\N',
        '\\.',
        '\\',
        '\u0001',
        '\ufffe',
        '\u200b',
        '\ufeff',
        '\u0301',
        '😀',
      ],
    ),
    fc.constantFrom(...['linen', 'Žluťoučký', '1,234', 'true', 'null', ' > ', '%', '{}', '[]', '12 - ']),
  );
  // XML itself cannot hold these; the feed has to be one that could exist.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const xmlText = (text: string) => text.toWellFormed().replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '');
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => xmlText(pieces.join('')));
  const fields = fc.dictionary(
    fc.constantFrom(
      ...[
        'description',
        'summary',
        'content',
        'brand',
        'color',
        'size',
        'material',
        'mpn',
        'gtin',
        'item_group_id',
        'condition',
      ],
      ...[
        'gender',
        'age_group',
        'availability',
        'product_type',
        'google_product_category',
        'custom_label_0',
        'product_highlight',
        'image_link',
      ],
    ),
    fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: fc.array(text, { maxLength: 3 }) }),
  );
  const named = fc.tuple(fields, text).map(([item, title]): Item => ({ ...item, title: `T${title}` }));
  return fc.sample(named, { numRuns: 250, seed: 31 });
}

describe('modes and counts', () => {
  withShop();

  const mug = { id: 'M1', title: 'Mug', price: '10.00 USD', quantity: '4', brand: 'Kiln' };
  const plate = { id: 'P1', title: 'Plate', price: '12.00 USD', product_type: 'Table > Plates' };

  it('create makes what is new, and reports and leaves alone what is there', async () => {
    expect((await load([mug], 'create')).counts).toEqual(counts({ read: 1, created: 1 }));
    const before = await bySku('M1');
    const changed = { ...mug, title: 'Other', price: '99.00 USD', quantity: '9', product_type: 'Nowhere > At all' };
    const report = await load([changed, plate], 'create');
    expect(report.counts).toEqual(counts({ read: 2, created: 1, existing: 1 }));
    expect(await bySku('M1')).toEqual(before);
    expect(await issuesOf(report)).toEqual([
      { line: 2, sku: 'M1', field: 'id', code: 'already_exists', rejected: false },
    ]);
    // A row that is left alone leaves no trace in the tree either.
    expect((await rows('select name from categories order by name')).map((row) => row.name)).toEqual([
      'Plates',
      'Table',
    ]);
  });

  it('upsert makes what is new, updates what differs and counts the rest', async () => {
    await load([mug, plate, { ...plate, id: 'P2' }]);
    const report = await load([
      mug,
      { ...plate, price: '13.00 USD' },
      { ...plate, id: 'P3' },
      { id: 'bad', title: 'x', price: '0' },
    ]);
    expect(report.counts).toEqual(counts({ read: 4, created: 1, updated: 1, unchanged: 1, rejected: 1 }));
    // What a feed does not name is not its business.
    expect(await bySku('P2')).toMatchObject({ active: true, archived_at: null, price: 1200 });
  });

  it('the same feed once more changes nothing, in either mode', async () => {
    const feed = [...generateFeed(300, { seed: 5, currency: 'USD' })].join('');
    expect((await load(feed)).counts).toEqual(counts({ read: 300, created: 300 }));
    const before = await snapshot();
    expect((await load(feed, 'upsert')).counts).toEqual(counts({ read: 300, unchanged: 300 }));
    expect((await load(feed, 'create')).counts).toEqual(counts({ read: 300, existing: 300 }));
    expect(await snapshot()).toEqual(before);
  });

  it('a packed file is the same as a plain one', async () => {
    const feed = feedOf([mug, plate]);
    const path = join(folder, 'feed.xml.gz');
    writeFileSync(path, gzipSync(feed));
    const report = await shop.importFeed(path, 'create');
    expect(report).toMatchObject({
      status: 'completed',
      file_name: 'feed.xml.gz',
      counts: counts({ read: 2, created: 2 }),
    });
  });

  it('of an id that stands again the last one counts, and the earlier ones are told', async () => {
    const report = await load([
      { ...mug, price: '1.00 USD' },
      plate,
      { ...mug, price: '2.00 USD', product_type: 'Only > Here' },
      { ...mug, id: ' M1 ', price: '3.00 USD' },
      { ...mug, id: 'm1' },
    ]);
    expect(report.counts).toEqual(counts({ read: 5, created: 3, rejected: 2 }));
    expect(await bySku('M1')).toMatchObject({ price: 300 });
    expect(await issuesOf(report)).toEqual([
      { line: 2, sku: 'M1', field: 'id', code: 'duplicate_id', rejected: true },
      { line: 4, sku: 'M1', field: 'id', code: 'duplicate_id', rejected: true },
    ]);
    const [{ message } = { message: '' }] = await rows(
      'select message from import_issues where import_id = $1 order by seq',
      [report.id],
    );
    expect(message).toContain('line 5');
    expect((await rows('select name from categories')).map((row) => row.name)).not.toContain('Only');
    const again = await load([mug, { ...mug, price: '4.00 USD' }]);
    expect(again.counts).toEqual(counts({ read: 2, updated: 1, rejected: 1 }));
    expect(await bySku('M1')).toMatchObject({ price: 400, version: 2 });
  });

  it('a feed in another currency is all rejected, and that is no failure, nor is one without items', async () => {
    expect(await load(feedOf([]))).toMatchObject({ status: 'completed', counts: counts({}) });
    const report = await load([
      { ...mug, price: '10.00 EUR' },
      { ...plate, price: '12 €' },
      { ...plate, id: 'P2', price: 'CZK 300' },
    ]);
    expect(report).toMatchObject({ status: 'completed', error: null, counts: counts({ read: 3, rejected: 3 }) });
    expect((await issuesOf(report)).map((issue) => issue.code)).toEqual([
      'price_currency_mismatch',
      expect.stringMatching(/^price_currency/),
      'price_currency_mismatch',
    ]);
    expect(await rows('select * from products')).toEqual([]);
    expect(await rows('select * from categories')).toEqual([]);
  });
});

describe('rows', () => {
  withShop();

  it('come in at the price that is written, or are rejected with the reason', async () => {
    const prices: [string, number | string][] = [
      ['19.99 USD', 1999],
      ['USD 19.99', 1999],
      ['19,99', 1999],
      ['1 299.00', 129900],
      ['1,299.00 USD', 129900],
      ['1.299,00', 129900],
      ["1'299.00", 129900],
      ['19.9', 1990],
      ['20', 2000],
      ['$5', 500],
      ['US$ 5.50', 550],
      ['.99 USD', 99],
      ['1,234,567 USD', 123456700],
      ['9999999999.99 USD', 999999999999],
      ['0.01', 1],
      ['1.234', 'price_ambiguous'],
      ['1,234', 'price_ambiguous'],
      ['0', 'price_not_usable'],
      ['0.00 USD', 'price_not_usable'],
      ['-5 USD', 'price_not_usable'],
      ['10000000000.00 USD', 'price_not_usable'],
      ['99999999999999999999', 'price_not_usable'],
      ['19.999 USD', 'price_precision'],
      ['19.99 EUR', 'price_currency_mismatch'],
      ['free', 'price_invalid'],
      ['NaN', 'price_invalid'],
      ['1e3', 'price_invalid'],
      ['12 13', 'price_invalid'],
      ['Infinity USD', 'price_invalid'],
      ['', 'price_missing'],
      ['   ', 'price_missing'],
    ];
    const report = await load(prices.map(([price], i) => ({ id: `P${i}`, title: `Costs ${i}`, price })));
    const stored = new Map((await rows('select sku, price from products')).map((row) => [row.sku, row.price]));
    const issues = new Map((await issuesOf(report)).map((issue) => [issue.sku, issue]));
    for (const [i, [text, expected]] of prices.entries()) {
      if (typeof expected === 'number') expect(stored.get(`P${i}`), text).toBe(expected);
      else {
        // “19.999” has one separator with three digits behind it: ambiguous is as good an answer.
        const code = text.startsWith('19.999') ? expect.stringMatching(/^price_(precision|ambiguous)$/) : expected;
        expect(issues.get(`P${i}`), text).toEqual({ line: i + 2, sku: `P${i}`, field: 'price', code, rejected: true });
        expect(stored.has(`P${i}`)).toBe(false);
      }
    }
  });

  it('that cannot be sold are rejected while the others go in', async () => {
    const good = { title: 'Fine', price: '1.00 USD' };
    const report = await load([
      { ...good, id: 'fine' },
      { ...good },
      { ...good, id: '' },
      { id: 'no-title', price: '1.00 USD' },
      { id: 'no-price', title: 'x' },
      { ...good, id: 'x'.repeat(101) },
      { ...good, id: 'long-title', title: 'x'.repeat(501) },
      { ...good, id: 'q-negative', quantity: '-1' },
      { ...good, id: 'q-half', quantity: '1.5' },
      { ...good, id: 'q-huge', quantity: '1000000001' },
      { ...good, id: 'q-word', quantity: 'many' },
      { ...good, id: 'q-most', quantity: '1000000000' },
      { ...good, id: 'long-brand', brand: 'b'.repeat(201) },
      {
        ...good,
        id: 'odd-words',
        availability: 'perhaps',
        condition: 'so-so',
        gender: 'x',
        age_group: 'old',
        gtin: '123',
      },
      { ...good, id: 'sale-higher', sale_price: '2.00 USD' },
      { ...good, id: 'sale-bad', sale_price: '0.5.0' },
    ]);
    expect((await rows('select sku from products order by sku')).map((row) => row.sku)).toEqual(
      ['fine', 'q-most', 'long-brand', 'odd-words', 'sale-higher', 'sale-bad'].sort(),
    );
    expect(report.counts).toEqual(counts({ read: 16, created: 6, rejected: 10 }));
    const told = (await issuesOf(report)).map(({ line, code, rejected }) => [line, code, rejected]);
    expect(told).toEqual([
      [3, 'id_missing', true],
      [4, 'id_missing', true],
      [5, 'title_missing', true],
      [6, 'price_missing', true],
      [7, 'value_too_long', true],
      [8, 'value_too_long', true],
      [9, 'quantity_invalid', true],
      [10, 'quantity_invalid', true],
      [11, 'quantity_invalid', true],
      [12, 'quantity_invalid', true],
      [14, 'value_too_long', false],
      [15, 'availability_unknown', false],
      [15, 'condition_unknown', false],
      [15, 'gender_unknown', false],
      [15, 'age_group_unknown', false],
      [15, 'gtin_invalid', false],
      [16, 'sale_price_not_lower', false],
      [17, 'price_invalid', false],
    ]);
    expect(await bySku('odd-words')).toMatchObject({
      availability: 'out_of_stock',
      condition: null,
      attributes: { condition: 'so-so', gtin: '123' },
    });
  });

  it('bring every attribute along, the known ones in columns, the others by name', async () => {
    const item = {
      ...{
        id: 'A1',
        title: 'Lamp',
        price: '9.00 USD',
        sale_price: '7.00 USD',
        brand: 'Lumi',
        condition: 'new',
        gender: 'unisex',
      },
      ...{
        age_group: 'adult',
        color: 'red',
        size: 'M',
        material: 'brass',
        gtin: '4006381333931',
        mpn: 'L-1',
        item_group_id: 'G',
      },
    };
    const others = {
      custom_label_0: 'a',
      custom_label_4: 'e',
      shipping_weight: '1 kg',
      gender_orig_value: 'Alle',
      energy_efficiency_class: 'A++',
    };
    await load([{ ...item, ...others, product_highlight: ['one', 'two'], image_link: 'https://img.example/1.jpg' }]);
    expect(await bySku('A1')).toMatchObject({
      ...{
        name: 'Lamp',
        price: 900,
        sale_price: 700,
        effective_price: 700,
        brand: 'Lumi',
        condition: 'new',
        gender: 'unisex',
      },
      ...{
        age_group: 'adult',
        color: 'red',
        size: 'M',
        material: 'brass',
        gtin: '4006381333931',
        mpn: 'L-1',
        group_id: 'G',
      },
      attributes: { ...others, product_highlight: ['one', 'two'], image_link: 'https://img.example/1.jpg' },
    });
    expect((await shop.get('/api/products?search=lamp')).json.items[0]).toMatchObject({
      sku: 'A1',
      effective_price: '7.00',
    });
  });
});

describe('categories, families and slugs', () => {
  withShop();
  const item = (id: string, more: Item = {}): Item => ({ id, title: `Thing ${id}`, price: '1.00 USD', ...more });

  it('categories are made from product_type, else from Google’s, parents first and once each', async () => {
    await load([
      item('1', { product_type: 'Home > Kitchen > Mugs' }),
      item('2', { product_type: ' Home  >  Kitchen ' }),
      item('3', { google_product_category: 'Home & Garden > Kitchen > Mugs' }),
      item('4', { product_type: 'Home', google_product_category: 'Elsewhere > Not this' }),
      item('5', { google_product_category: '443' }),
      item('6', { google_product_category: '443 - Home > Garden' }),
      item('7', { product_type: 'Featured > Filters' }),
      item('8', { product_type: 'Кухня > Чашки > 01901234-0000-7000-8000-000000000abc' }),
      item('9', { product_type: `O'Brien "&" Söhne \\ {} > ${'x'.repeat(120)}` }),
    ]);
    const placed = await rows(
      `with recursive tree as (
         select id, slug, name::text as path from categories where parent_id is null
         union all select c.id, c.slug, tree.path || ' > ' || c.name from categories c join tree on c.parent_id = tree.id
       ) select p.sku, tree.path from products p left join tree on tree.id = p.category_id order by p.sku`,
    );
    expect(Object.fromEntries(placed.map((row) => [row.sku, row.path]))).toEqual({
      1: 'Home > Kitchen > Mugs',
      2: 'Home > Kitchen',
      3: 'Home & Garden > Kitchen > Mugs',
      4: 'Home',
      5: null,
      6: 'Home > Garden',
      7: 'Featured > Filters',
      8: 'Кухня > Чашки > 01901234-0000-7000-8000-000000000abc',
      9: `O'Brien "&" Söhne \\ {} > ${'x'.repeat(100)}`,
    });
    const slugs = (await rows('select slug from categories')).map((row) => row.slug as string);
    expect(new Set(slugs).size).toBe(slugs.length);
    for (const slug of slugs) {
      expect(slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect((await shop.get(`/api/categories/${slug}`)).status, slug).toBe(200);
      expect((await shop.get(`/api/categories/${slug}/products`)).status, slug).toBe(200);
      expect((await shop.get(`/categories/${slug}`)).status, slug).toBe(200);
    }
    const before = await snapshot(['categories']);
    await load([item('10', { product_type: 'Home > Kitchen > Mugs' }), item('1', { product_type: 'Home > Kitchen' })]);
    expect(await snapshot(['categories'])).toEqual(before);
    expect((await shop.get('/api/categories/home')).json.product_count).toBe(5);
  });

  it('a feed that names no category leaves the one that the product has, and another name its slug', async () => {
    await load([item('1', { title: 'First name', product_type: 'Home > Kitchen' })]);
    await load([item('1', { title: 'Second name' })]);
    expect(await bySku('1')).toMatchObject({ name: 'Second name', slug: 'first-name' });
    expect((await shop.get('/api/products/first-name')).json.category.name).toBe('Kitchen');
  });

  it('items of one group are each other’s variants, with what they differ in', async () => {
    await load([
      item('s', { item_group_id: 'shirt', color: 'red', size: 'S' }),
      item('m', { item_group_id: 'shirt', color: 'red', size: 'M', availability: 'out_of_stock' }),
      item('l', { item_group_id: 'shirt', color: 'red', size: 'L' }),
      item('other', { item_group_id: 'trousers', color: 'red', size: 'M' }),
      item('none', { color: 'red', size: 'M' }),
    ]);
    const { id } = (await shop.get('/api/products?group_id=shirt&ordering=name')).json.items.find(
      (one: Row) => one.sku === 's',
    );
    const { variants } = (await shop.get(`/api/products/${id}`)).json;
    expect(variants.map(({ sku, options, in_stock }: Row) => [sku, options, in_stock])).toEqual([
      ['m', { size: 'M' }, false],
      ['l', { size: 'L' }, true],
    ]);
    await load([item('l', { item_group_id: 'else', color: 'red', size: 'L' })]);
    expect((await shop.get(`/api/products/${id}`)).json.variants.map((variant: Row) => variant.sku)).toEqual(['m']);
  });

  it('every product is reached by its slug, whatever it is called', async () => {
    await load([{ id: 'old', title: 'Taken', price: '1 USD' }]);
    await shop.db.run(
      sql(
        "insert into retired_product_slugs (slug, product_id, retired_at) select 'was-called-so', id, now() from products",
      ),
    );
    const names = [
      ...['Mug', 'Mug', 'Mug', 'MUG!', 'mug'],
      ...['Featured', 'Filters', 'featured', 'FILTERS?', 'Taken', 'Was called so'],
      ...[
        'كتاب',
        '日本語',
        'Чашка',
        '☃',
        '😀😀😀',
        '---',
        '"',
        '%',
        '../..',
        'a',
        '1',
        '٣',
        'ß',
        'Łódź',
        'Žluťoučký kůň',
        'Ω',
      ],
      ...[
        'n'.repeat(500),
        'ﷺ'.repeat(100),
        '01901234-0000-7000-8000-000000000abc',
        '01901234-0000-7000-8000-000000000000',
      ],
    ];
    const feed: Item[] = names.map((title, i) => ({ id: `N${i}`, title, price: '1 USD' }));
    // Names in another script fall back to the SKU: these look like ids, routes and nothing at all.
    for (const id of [
      '0190f1a2-0000-7000-8000-00000000abcd',
      'featured',
      'filters',
      '☃',
      'كتاب',
      'Taken',
      'x/y?z#%25',
      '..',
      'S'.repeat(100),
    ])
      feed.push({ id, title: 'منتج', price: '1 USD' });
    for (const size of ['S', 'M', 'M'])
      feed.push({
        id: `V${feed.length}`,
        title: 'Long '.repeat(60).trim(),
        price: '1 USD',
        item_group_id: 'g',
        color: 'c'.repeat(150),
        size: size.repeat(150),
      });
    expect((await load(feed)).counts).toMatchObject({ created: feed.length, rejected: 0 });
    const products = await rows("select id, sku, slug, name from products where sku <> 'old' order by id");
    expect(new Set(products.map((row) => row.slug)).size).toBe(feed.length);
    const lost: string[] = [];
    for (const { id, sku, slug, name } of products) {
      expect(slug, name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(['featured', 'filters', 'taken', 'was-called-so']).not.toContain(slug);
      const answer = await shop.get(`/api/products/${slug}`);
      const page = await shop.get(`/products/${slug}`);
      if (answer.status !== 200 || answer.json.id !== id || page.status !== 200)
        lost.push(`${sku.slice(0, 40)} at ${slug}: ${answer.status}, ${page.status}`);
    }
    expect(lost).toEqual([]);
    expect((await shop.get('/api/products/was-called-so')).headers.get('location')).toBe('/api/products/taken');
  });
});

describe('what is written beside the products', () => {
  withShop();
  const base: Item = {
    id: 'H1',
    title: 'Chair',
    price: '100.00 USD',
    quantity: '5',
    brand: 'Oakley',
    product_type: 'Home > Chairs',
  };

  it('each change in the history, field by field in the API’s names and spellings, and each price', async () => {
    const first = await load([base]);
    const second = await load([
      {
        ...base,
        title: 'Armchair',
        price: '90.00 USD',
        sale_price: '75.50 USD',
        description: 'Soft.',
        color: 'red',
        availability: 'preorder',
        custom_label_0: 'x',
      },
    ]);
    const third = await load([
      { ...base, title: 'Armchair', quantity: '9', brand: '', product_type: 'Home > Armchairs' },
    ]);
    const history = await rows('select * from product_changes where sku = $1 order by id', ['H1']);
    expect(history.map(({ action, version, import_id }) => [action, version, import_id])).toEqual([
      ['created', 1, first.id],
      ['updated', 2, second.id],
      ['updated', 3, third.id],
    ]);
    expect(history[1]!.changes).toEqual({
      name: { from: 'Chair', to: 'Armchair' },
      price: { from: '100.00', to: '90.00' },
      sale_price: { from: null, to: '75.50' },
      description: { from: '', to: 'Soft.' },
      color: { from: null, to: 'red' },
      availability: { from: 'in_stock', to: 'preorder' },
      attributes: {
        from: expect.not.objectContaining({ custom_label_0: 'x' }),
        to: expect.objectContaining({ custom_label_0: 'x' }),
      },
    });
    expect(Object.keys(history[2]!.changes).sort()).toEqual(
      ['attributes', 'availability', 'brand', 'category_id', 'color', 'description', 'price', 'sale_price'].sort(),
    );
    expect(history[2]!.changes).toMatchObject({
      brand: { from: 'Oakley', to: null },
      sale_price: { from: '75.50', to: null },
    });

    // Prices hold from when they were written; what left them alone is no entry.
    await load([{ ...base, title: 'Renamed', quantity: '1' }]);
    const prices = await rows('select price, sale_price, valid_from from price_history order by valid_from');
    expect(prices.map(({ price, sale_price }) => [price, sale_price])).toEqual([
      [10000, null],
      [9000, 7550],
      [10000, null],
    ]);
    expect(prices.map((row) => row.valid_from)).toEqual(history.map((row) => row.at));
  });

  it('a version more for every change but that of stock', async () => {
    const variations: [Item, { version: number; updated: boolean }][] = [
      [{}, { version: 1, updated: false }],
      [{ quantity: '6' }, { version: 1, updated: true }],
      [{ quantity: '0' }, { version: 1, updated: true }],
      [
        { quantity: '0', availability: 'out_of_stock' },
        { version: 1, updated: true },
      ],
      [{ availability: 'out_of_stock' }, { version: 1, updated: false }],
      [{ description: 'New words' }, { version: 2, updated: true }],
      [{ custom_label_1: 'y' }, { version: 2, updated: true }],
      [
        { custom_label_1: 'y', quantity: '77', price: '1 USD', title: 'Stool' },
        { version: 2, updated: true },
      ],
      [{ link: 'https://elsewhere.example/1' }, { version: 2, updated: true }],
      [{ item_group_id: 'family' }, { version: 2, updated: true }],
    ];
    const feed = (more: (i: number) => Item) => variations.map((_, i): Item => ({ ...base, id: `V${i}`, ...more(i) }));
    await load(feed(() => ({})));
    const before = await rows('select sku, updated_at from products order by sku');
    const report = await load(feed((i) => variations[i]![0]));
    const after = await rows(
      'select p.id, sku, version, updated_at, on_hand from products p join stock s on s.product_id = p.id order by sku',
    );
    expect(after.map(({ version }) => version)).toEqual(variations.map(([, { version }]) => version));
    for (const [i, row] of after.entries()) {
      expect(row.updated_at.getTime() > before[i]!.updated_at.getTime(), row.sku).toBe(row.version > 1);
      expect(row.on_hand).toBe(Number(variations[i]![0].quantity ?? base.quantity));
      expect((await shop.get(`/api/products/${row.id}`)).headers.get('etag')).toMatch(new RegExp(`^"${row.version}-`));
    }
    const updated = variations.filter(([, expected]) => expected.updated).length;
    expect(report.counts).toEqual(counts({ read: variations.length, updated, unchanged: variations.length - updated }));
  });

  it('each movement of stock, whatever the sequence of feeds', async () => {
    const [feeds, products] = [4, 30];
    const quantity = fc.option(fc.integer({ min: 0, max: 9 }), { nil: null, freq: 4 });
    const quantities = fc.sample(
      fc.array(fc.array(quantity, { minLength: products, maxLength: products }), {
        minLength: feeds,
        maxLength: feeds,
      }),
      {
        numRuns: 1,
        seed: 21,
      },
    )[0]!;
    const expected: (number | null | undefined)[] = [];
    for (const [n, units] of quantities.entries()) {
      const mode = n === 2 ? 'create' : 'upsert';
      const report = await load(
        units.map(
          (count, i): Item => ({
            id: `R${i}`,
            title: 'Counted',
            price: '1 USD',
            ...(count === null ? {} : { quantity: String(count) }),
          }),
        ),
        mode,
      );
      for (const [i, count] of units.entries()) {
        // Without a quantity a feed says nothing of the units that are there.
        if (expected[i] === undefined || (mode === 'upsert' && count !== null)) expected[i] = count;
      }
      const found = await rows(
        'select sku, on_hand from products p left join stock s on s.product_id = p.id order by substr(sku, 2)::int',
      );
      expect(found.map((row) => row.on_hand)).toEqual(expected);
      for (const movement of await rows('select * from stock_movements where reference = $1', [report.id]))
        expect(movement).toMatchObject({ reason: 'import', reference: report.id });
      await checkLedger(shop.db);
    }
  });

  it('words that are found with and without their accents, and after a change of any field', async () => {
    await load([
      { id: 'Z1', title: 'Žluťoučký kůň', price: '1 USD', brand: 'Ťuhýk' },
      { id: 'Z2', title: 'Žluťoučký kůň'.normalize('NFD'), price: '1 USD' },
      { id: 'Z3', title: 'Plain', price: '1 USD', description: 'příliš žluťoučký' },
      {
        id: 'SKU-77/b',
        title: 'Other',
        price: '1 USD',
        product_type: 'Überraschung > Ei',
        mpn: 'XJ-900',
        gtin: '4006381333931',
      },
    ]);
    const found = async (text: string) =>
      (await shop.get(`/api/products?search=${encodeURIComponent(text)}`)).json.items
        .map((item: Row) => item.sku)
        .sort();
    for (const text of ['zlutoucky', 'Žluťoučký', 'ŽLUŤOUČKÝ', 'zlutoučky', 'žluťoučký'.normalize('NFD')])
      expect(await found(text), text).toEqual(['Z1', 'Z2', 'Z3']);
    expect(await found('zlutoucky kun')).toEqual(['Z1', 'Z2']);
    expect(await found('tuhyk')).toEqual(['Z1']);
    for (const text of ['SKU-77/b', 'sku 77', 'uberraschung', 'ei', 'xj-900', '4006381333931'])
      expect(await found(text), text).toContain('SKU-77/b');
    await load([
      { id: 'Z1', title: 'Grey horse', price: '1 USD', brand: 'Heron' },
      { id: 'Z3', title: 'Plain', price: '1 USD', description: 'nothing of it' },
      { id: 'SKU-77/b', title: 'Other', price: '1 USD', product_type: 'Spielzeug', mpn: 'ZZ-1' },
    ]);
    expect(await found('zlutoucky')).toEqual(['Z2']);
    expect(await found('heron')).toEqual(['Z1']);
    expect(await found('spielzeug zz-1')).toEqual(['SKU-77/b']);
    expect(await found('überraschung')).toEqual([]);
  });
});

describe('another process', () => {
  withShop();

  it('imports, and the answers of this one follow within a second', async () => {
    await load([{ id: 'B1', title: 'Before', price: '1 USD', quantity: '3', product_type: 'Old > Place' }]);
    const paths = [
      '/api/products',
      '/api/products/filters',
      '/api/categories',
      '/api/products/before',
      '/',
      '/products',
      '/products/before',
      '/feeds/google.xml',
    ];
    const before = new Map(await Promise.all(paths.map(async (path) => [path, (await shop.get(path)).text] as const)));
    const kernel = await testKernel({ env: { PUBLIC_URL: 'https://shop.example' }, databaseUrl: shop.directUrl });
    try {
      const app = createApp(kernel, 'https://shop.example');
      const elsewhere = async (items: Item[]) => {
        const path = join(folder, 'elsewhere.xml');
        writeFileSync(path, feedOf(items));
        const report = await app.imports.run({ path, mode: 'upsert', ownUrl: 'https://shop.example' });
        expect(report.status).toBe('completed');
        return Date.now();
      };
      const follows = async (since: number, check: () => Promise<void>) => {
        await eventually(check, 1_000 - (Date.now() - since));
      };
      let at = await elsewhere([
        { id: 'B1', title: 'After', price: '2 USD', quantity: '3', product_type: 'New > Place' },
        { id: 'B2', title: 'Second', price: '3 USD' },
      ]);
      await follows(at, async () => {
        for (const path of paths) expect((await shop.get(path)).text, path).not.toBe(before.get(path));
        expect((await shop.get('/api/products/before')).json).toMatchObject({
          name: 'After',
          price: '2.00',
          category: { name: 'Place' },
        });
        expect((await shop.get('/api/products?search=second')).json.total).toBe(1);
        expect((await shop.get('/api/categories')).json.items.map((one: Row) => [one.name, one.product_count])).toEqual(
          [
            ['Old', 0],
            ['New', 1],
          ],
        );
      });
      const { etag } = Object.fromEntries((await shop.get('/api/products/before')).headers);
      at = await elsewhere([{ id: 'B1', title: 'After', price: '2 USD', quantity: '0', product_type: 'New > Place' }]);
      await follows(at, async () => {
        const answer = await shop.get('/api/products/before', { 'if-none-match': etag! });
        expect([answer.status, answer.json?.stock, answer.json?.availability]).toEqual([200, 0, 'out_of_stock']);
        expect((await shop.get('/api/products?in_stock=true')).json.total).toBe(1);
      });
    } finally {
      await kernel.close();
    }
  });
});

describe('a dry run', () => {
  withShop();

  it('counts as the import would, and changes nothing at all', async () => {
    await load([
      { id: 'D1', title: 'One', price: '1 USD', quantity: '1' },
      { id: 'D2', title: 'Two', price: '2 USD' },
    ]);
    const tables = await allTables();
    const before = await snapshot(tables);
    const path = join(folder, 'dry.xml');
    writeFileSync(
      path,
      feedOf([
        { id: 'D1', title: 'Uno', price: '1 USD', quantity: '9', product_type: 'New > Category' },
        { id: 'D2', title: 'Two', price: '2 USD' },
        { id: 'D3', title: 'Unheard of words', price: '3 USD', quantity: '4' },
        { id: 'D3', title: 'Three', price: '3 USD' },
        { id: 'D4', title: 'Bad', price: '0' },
      ]),
    );
    for (const mode of ['upsert', 'create'] as const) {
      const issues: string[] = [];
      const report = await shop.imports.run({
        ...{ path, mode, dryRun: true, ownUrl: null },
        onIssues: (some) => issues.push(...some.map((issue) => issue.code)),
      });
      await shop.events.flush();
      const applied = mode === 'upsert' ? { updated: 1, unchanged: 1 } : { existing: 2 };
      expect(report).toMatchObject({
        status: 'completed',
        counts: counts({ read: 5, created: 1, rejected: 2, ...applied }),
      });
      // What is told is what the import would tell, the rows that it would leave alone included.
      const left = mode === 'create' ? ['already_exists', 'already_exists'] : [];
      expect(issues.sort()).toEqual([...left, 'duplicate_id', 'price_not_usable'].sort());
    }
    writeFileSync(path, '<rss><channel><item></channel></rss>');
    const refused = await shop.imports.run({ path, mode: 'upsert', dryRun: true, ownUrl: null });
    expect(refused).toMatchObject({ status: 'failed', error: { code: 'not_well_formed', line: 1 } });
    expect(await snapshot(tables)).toEqual(before);
    expect(await load([{ id: 'D1', title: 'One', price: '1 USD', quantity: '1' }])).toMatchObject({
      counts: { unchanged: 1 },
    });
  });
});

describe('an import that is cancelled', () => {
  withShop();
  const abortAt = async (phase: string, feed: string) => {
    const abort = new AbortController();
    if (phase === 'at once') abort.abort();
    const path = join(folder, 'cancelled.xml');
    writeFileSync(path, feed);
    return shop.imports.run({
      ...{ path, mode: 'upsert', ownUrl: null, signal: abort.signal },
      onProgress: (progress) => {
        if (progress.phase === phase) abort.abort();
      },
    });
  };

  it('midway has changed nothing, and the next one works', async () => {
    await load([{ id: 'SKU-0000001', title: 'Here before', price: '1 USD', quantity: '1' }]);
    const tables = (await allTables()).filter(
      (table) => !/^(imports|import_issues|events|event_log_head|outbox)$/.test(table),
    );
    const before = await snapshot(tables);
    const feed = [...generateFeed(500, { seed: 2, currency: 'USD' })].join('');
    for (const phase of ['at once', 'reading', 'merging']) {
      const report = await abortAt(phase, feed);
      expect(report, phase).toMatchObject({ status: 'cancelled', error: null, counts: counts({}) });
      expect(await snapshot(tables), phase).toEqual(before);
      const [stored] = await rows('select status, count_created, finished_at from imports where id = $1', [report.id]);
      expect(stored).toMatchObject({ status: 'cancelled', count_created: 0, finished_at: expect.any(Date) });
      expect(
        await rows(
          "select * from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
        ),
      ).toEqual([]);
    }
    expect((await load(feed)).counts).toEqual(counts({ read: 500, created: 499, updated: 1 }));
  });

  it('once it is merged is applied to its end', async () => {
    const items = (quantity: string) =>
      Array.from({ length: 1_100 }, (_, i): Item => ({ id: `C${i}`, title: `Thing ${i}`, price: '1 USD', quantity }));
    await load(items('1'));
    const report = await abortAt('stock', feedOf(items('2')));
    expect(report).toMatchObject({ status: 'completed', counts: counts({ read: 1_100, updated: 1_100 }) });
    expect(await rows('select on_hand, count(*) as products from stock group by on_hand')).toEqual([
      { on_hand: 2, products: 1_100 },
    ]);
    expect(await rows('select status from imports where id = $1', [report.id])).toEqual([{ status: 'completed' }]);
  });
});

describe('the shop’s own feed', () => {
  const fixture = (name: string) => fileURLToPath(new URL(`fixtures/feeds/${name}`, import.meta.url));

  it('comes in again without a difference after the demonstration catalogue', async () => {
    shop = await startTestShop({ demo: true });
    try {
      await expectRoundTrip();
    } finally {
      await shop.stop();
    }
  });

  for (const [name, currency] of [
    ['rss-peculiar.xml', 'EUR'],
    ['rss-arabic-crlf.xml', 'KWD'],
    ['atom.xml', 'USD'],
  ] as const)
    it(`comes in again without a difference after ${name}`, async () => {
      shop = await startTestShop({ env: { CURRENCY: currency } });
      try {
        const report = await shop.importFeed(fixture(name));
        expect(report.counts.created).toBeGreaterThan(1);
        await expectRoundTrip();
        if (name !== 'rss-peculiar.xml') return;
        // And so does the feed that it was made of.
        const again = await load(readFileSync(fixture(name), 'utf8'), 'upsert');
        expect(again.counts).toMatchObject({ created: 0, updated: 0, unchanged: report.counts.created });
      } finally {
        await shop.stop();
      }
    });

  describe('comes in again without a difference', () => {
    /** Whatever the names of the items begin with, by what they are about. */
    const GROUPS: Record<string, Item[] | string[]> = {
      'with categories of any origin': [
        { product_type: ['A > B', 'C > D', 'E'] },
        { google_product_category: 'Home > Garden' },
        { google_product_category: '443' },
        { product_type: 'A', google_product_category: '443 - Home > Garden' },
        { product_type: '443' },
        { product_type: ['', 'Late'] },
        { product_type: ' a  >b > ' },
        { product_type: `${'L > '.repeat(9)}deep` },
        { product_type: 'x'.repeat(150) },
        { product_type: '12 - Twelve > 3 - Three' },
        { product_type: 'Ends with &amp;amp; > &lt;b&gt;' },
        { product_type: '😀'.repeat(60) },
      ],
      'with attributes under any name that XML allows': [
        '<g:größe>XL</g:größe><цвет>red</цвет><g:größe>XXL</g:größe>',
        '<g:_private>1</g:_private><g:a.b-c>2</g:a.b-c><g:UPPER>3</g:UPPER><c:custom type="string">v</c:custom>',
        '<g:sku>other</g:sku><g:name>n</g:name><g:item>i</g:item><g:slug>s</g:slug><g:version>9</g:version>',
        '<g:constructor>c</g:constructor><g:toString>t</g:toString><g:valueOf>v</g:valueOf>',
        '<g:nested><g:größe>1</g:größe><g:b>2</g:b><g:b>3</g:b><g:c><g:d>4</g:d></g:c></g:nested>',
      ],
      'with elements that hold attributes, text and children at once': [
        '<applink property="ios_url" content="a://b"/><applink property="x">text</applink>',
        '<g:shipping country="US"><g:price>1 USD</g:price></g:shipping><g:shipping/>',
        '<g:custom a="1"/><g:custom2 a="1">text</g:custom2><g:empty/><g:blank> </g:blank>',
        '<g:loyalty_program><g:label>x</g:label><g:tier/></g:loyalty_program><g:mixed>before<g:in>1</g:in>after</g:mixed>',
        '<g:twice><g:a>1</g:a></g:twice><g:twice>2</g:twice><g:n><g:m><g:o><g:p>deep</g:p></g:o></g:m></g:n>',
        '<summary> </summary><content>Real words</content>',
        '<summary>&lt;p&gt;&lt;/p&gt;</summary><content>Real words</content>',
        '<description/><content type="html">&lt;p&gt;Words&lt;/p&gt;</content>',
      ],
      'with values that stand in place of others': [
        { ean: '4006381333931' },
        { gtin: '123', ean: '4006381333931' },
        { gtin: ' ', upc: '012345678905' },
        { sell_on_google_quantity: '4', inventory: '9' },
        { oldprice: '9.00', finalprice: '4.00' },
        { oldprice: '5.00', finalprice: '4.00' },
        { sale_price: '6.00 USD' },
        { sale_price: '4.00 USD', sale_price_effective_date: '2020-01-01/2021-01-01' },
        { sale_price: '4.00 USD', sale_price_effective_date: '2020-01-01/2099-01-01' },
        { summary: ' ', content: 'Real words' },
        { summary: '<p></p>', content: 'Real words' },
        { description: 'First', summary: 'Second', content: 'Third' },
        { color: ['red', 'green'], size: ['M', 'M'], material: 'a/b' },
        { condition: 'so-so', gender: 'x', age_group: 'old', availability: 'perhaps' },
        { brand: 'b'.repeat(300), mpn: 'm'.repeat(300), item_group_id: 'g'.repeat(300), color: 'c'.repeat(300) },
        {
          link: 'https://elsewhere.example/1',
          image_link: ['https://i.example/1', 'https://i.example/2'],
          mobile_link: 'https://m.example',
        },
        { link: 'https://shop.example/products/mine', image_link: 'https://elsewhere.example/x.jpg' },
        { title: 'A &lt;b&gt; &amp;amp; &#39;c&#39;', brand: '&quot;B&quot;', custom_label_0: '&amp;lt;' },
        { custom_label_0: ['a', 'b', ''], product_highlight: 'one', shipping: 'text' },
        { price: '1,234.50', quantity: '12.00' },
        { price: ['9.00', '5.00'], sale_price: '5.00' },
      ],
      'with texts that are escaped, or marked up, any number of times': [
        ...Array.from({ length: 14 }, (_, i) => ({ description: onion(i), title: `T${onion(i)}` })),
        ...Array.from({ length: 12 }, (_, i) => ({
          description: escaped('<p>a</p> & "b"', i),
          title: escaped('a & <b>', i),
        })),
        { description: ' \n\tfirst\r\n\r\n\r\nsecond\t\t third \u00a0 \u2028 fourth\n' },
        { description: '<ul><li>a<li>b</ul><p>c<br>d<!-- e --><script>f</script><table><tr><td>g<td>h</table>' },
        { description: '1 < 2 > 0 & 3 <4 <unknown> </p> <!-- <script> &nope; &#0; &#55296; &#x1F600; &nbsp;' },
        { description: '• a\n• b\n\n\n\n• c', title: '• <p> &lt;li&gt;' },
        { description: ']]> <![CDATA[ x ]]> <?pi ?>', title: ']]>' },
        { description: 'd'.repeat(60_000) },
        { description: `${'d'.repeat(49_999)}😀 and more` },
      ],
      'whatever the texts are made of': anything(),
    };
    const changed = new Map<string, unknown>();

    beforeAll(async () => {
      shop = await startTestShop();
      const items = Object.entries(GROUPS).flatMap(([group, list]) =>
        list.map((item, i) => {
          const own = { id: `${group} ${i}`, title: `Thing ${i}`, price: '5.00 USD' };
          if (typeof item !== 'string') return itemOf({ ...own, ...item });
          return itemOf(own).replace('</item>', () => `${item}</item>`);
        }),
      );
      const report = await load(feedOf([]).replace('</channel>', () => `${items.join('\n')}</channel>`));
      expect(report.error).toBeNull();
      expect(report.counts).toEqual(counts({ read: items.length, created: items.length }));
      const feed = await exported();
      const before = await snapshot();
      const again = await load(feed);
      for (const { sku, changes } of await rows('select sku, changes from product_changes where import_id = $1', [
        again.id,
      ]))
        changed.set(sku, changes);
      if (changed.size > 0) return;
      expect(again.counts).toEqual(counts({ read: items.length, unchanged: items.length }));
      expect(await snapshot()).toEqual(before);
      expect(await exported()).toBe(feed);
    });
    afterAll(() => shop.stop());

    for (const group of Object.keys(GROUPS))
      it(group, () => {
        expect(Object.fromEntries([...changed].filter(([sku]) => sku.startsWith(group)))).toEqual({});
      });
  });

  describe('and', () => {
    withShop();
    const item = (id: string, more: Item = {}): Item => ({ id, title: `Thing ${id}`, price: '5.00 USD', ...more });

    it('comes in again without a difference whatever was said of the stock, in one feed and the next', async () => {
      const states = ['in_stock', 'out_of_stock', 'preorder', 'backorder', ''].flatMap((availability) =>
        [undefined, '0', '5'].map(
          (quantity): Item => ({ ...(availability ? { availability } : {}), ...(quantity ? { quantity } : {}) }),
        ),
      );
      const pairs = states.flatMap((first) =>
        states.map((second) => ({ id: `${JSON.stringify(first)} ${JSON.stringify(second)}`, first, second })),
      );
      await load(pairs.map(({ id, first }) => item(id, first)));
      await expectRoundTrip();
      await load(pairs.map(({ id, second }) => item(id, second)));
      await expectRoundTrip();
    });

    it('also for products that are hidden, which it does not name', async () => {
      await load([item('1'), item('2'), item('3')]);
      await shop.db.run(sql("update products set active = false where sku = '1'"));
      await shop.db.run(sql("update products set archived_at = now() where sku = '2'"));
      const feed = await exported();
      expect(feed.match(/<g:id>\w+<\/g:id>/g)).toEqual(['<g:id>3</g:id>']);
      await expectRoundTrip();
    });

    it('and makes the same catalogue in an empty shop', async () => {
      await load([...generateFeed(60, { seed: 13, currency: 'USD' })].join(''));
      const feed = await exported();
      const comparable = async () =>
        rows(
          `select p.sku, p.name, p.price, p.sale_price, p.availability, p.brand, p.gender, p.condition, p.color, p.size, p.age_group, p.material,
                  p.gtin, p.mpn, p.group_id, path_names(p.category_id) as category, s.on_hand, t.title::text as title, t.description,
                  t.attributes - 'link' - 'image_link' - 'additional_image_link' as attributes
           from products p join product_texts t on t.product_id = p.id left join stock s on s.product_id = p.id order by p.sku`,
        );
      const first = await comparable();
      const original = shop;
      shop = await startTestShop();
      try {
        expect((await load(feed, 'create')).counts).toEqual(counts({ read: 60, created: 60 }));
        expect(await comparable()).toEqual(first);
      } finally {
        await shop.stop();
        shop = original;
      }
    });
  });

  it('is packed for whoever takes gzip, and the same unpacked', async () => {
    shop = await startTestShop({ demo: true });
    try {
      const plain = await exported();
      const response = await fetch(`${shop.url}/feeds/google.xml`, { headers: { 'accept-encoding': 'gzip' } });
      expect(response.headers.get('content-encoding')).toBe('gzip');
      expect(response.headers.get('content-type')).toContain('xml');
      expect(await response.text()).toBe(plain);
    } finally {
      await shop.stop();
    }
  });
});
