import { request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { feedOf, startTestShop, type TestShop } from './support/shop.ts';

/**
 * What the API answers against what its OpenAPI document says, and both against the catalogue itself: every documented
 * read that is open to anyone is called in many ways, each answer is judged by the schema of its status, and lists and
 * facets are compared with filters written anew over all products. Writes, and what not everyone may read, have tests of
 * their own.
 */

// biome-ignore lint/suspicious/noExplicitAny: JSON as it comes; the schemas judge it
type Json = any;
type Parameter = { name: string; in: 'query' | 'path'; required: boolean; description?: string; schema?: Json };
type Operation = {
  operationId?: string;
  summary?: string;
  tags?: string[];
  parameters?: Parameter[];
  responses: Json;
  security?: Json[];
};
type Answer = { status: number; headers: Record<string, string>; body: Buffer; text: string; json: Json };

const FACETS = ['brand', 'gender', 'condition', 'color', 'size'] as const;
const ORDERINGS = ['price', '-price', 'created_at', '-created_at', 'name', '-name', 'lowest_offer', '-lowest_offer'];
const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace'];
const MOST_VALUES = 100;

let shop: TestShop;
let document: Json;
let operations: { path: string; method: string; operation: Operation }[];
/** Those that anyone may call and that change nothing. */
let reads: typeof operations;
let validate: (template: string, status: number, json: Json) => string[];
/** Operations by the statuses that they have answered with. */
const exercised = new Map<string, Set<number>>();

/** Every visible product as the list shows it, and the category tree, flattened. */
let all: Json[];
let categories: Map<string, { slug: string; family: Set<string>; node: Json }>;

/** Without fetch, which unpacks bodies and adds headers of its own. */
function raw(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(shop.url + path, { method, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(parts);
        const names = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
        const isText = response.headers['content-encoding'] === undefined;
        const text = isText ? body.toString() : '';
        const isJson = /json/.test(response.headers['content-type'] ?? '') && text !== '';
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(names),
          body,
          text,
          json: isJson ? JSON.parse(text) : undefined,
        });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** The documented path that an address belongs to; a path without a parameter goes before one with. */
function templateOf(address: string): string | undefined {
  const path = address.split('?')[0]!.replace(/\/$/, '');
  const fits = (template: string) =>
    new RegExp(`^${template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\w+\}/g, '[^/]+')}$`).test(path);
  return Object.keys(document.paths)
    .filter(fits)
    .sort((a, b) => a.split('{').length - b.split('{').length)[0];
}

/** Calls the API and judges the answer by the document. */
async function call(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const answer = await raw(path, headers, method);
  const template = templateOf(path);
  if (template === undefined) throw new Error(`${path} belongs to no documented path.`);
  const known = exercised.get(template) ?? new Set();
  exercised.set(template, known.add(answer.status));
  if (answer.status === 304 || method === 'HEAD') return answer;
  const wrong = validate(template, answer.status, answer.json);
  if (wrong.length > 0) throw new Error(`${method} ${path} answered ${answer.status}: ${wrong.join('; ')}`);
  return answer;
}

async function get(path: string): Promise<Json> {
  const answer = await call(path);
  expect(answer.status, `${path} ${answer.text.slice(0, 300)}`).toBe(200);
  return answer.json;
}

const query = (fields: Record<string, string | number | boolean | readonly string[] | undefined>) => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
};

/** The document's responses for a status: `200`, or `4XX` for any of them. */
function responseFor(operation: Operation, status: number): Json {
  return operation.responses[status] ?? operation.responses[`${Math.floor(status / 100)}XX`];
}

function createValidator(): typeof validate {
  const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });
  (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
  ajv.addVocabulary(['openapi', 'info', 'components', 'paths', 'servers', 'tags']);
  ajv.addSchema(document, 'openapi');
  const compiled = new Map<string, ValidateFunction>();
  const pointer = (...parts: string[]) =>
    parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
  return (template, status, json) => {
    const operation: Operation = document.paths[template].get;
    const response = responseFor(operation, status);
    if (response === undefined) return [`the status ${status} is not documented`];
    if (response.content === undefined) return json === undefined ? [] : ['a body that is not documented'];
    const key = operation.responses[status] ? String(status) : `${Math.floor(status / 100)}XX`;
    const [type] = Object.keys(response.content);
    const at = `openapi#/${pointer('paths', template, 'get', 'responses', key, 'content', type!, 'schema')}`;
    const check = compiled.get(at) ?? ajv.compile({ $ref: at });
    compiled.set(at, check);
    return check(json) ? [] : (check.errors ?? []).map((e) => `${e.instancePath || '/'} ${e.message}`);
  };
}

/** All items of a list, walked by cursor; the total of each page must be theirs. */
async function walk(path: string, fields: Parameters<typeof query>[0] = {}): Promise<Json[]> {
  const items: Json[] = [];
  let total: number | undefined;
  for (let cursor: string | undefined; ; ) {
    const page = await get(path + query({ ...fields, cursor }));
    total ??= page.total as number;
    expect(page.total).toBe(total);
    items.push(...page.items);
    if (page.next_cursor === null) break;
    expect(page.items).toHaveLength(page.page_size);
    cursor = page.next_cursor;
  }
  expect(items).toHaveLength(total);
  return items;
}

/** The category with the most below it: an answer long enough to be compressed. */
const largest = () => [...categories.values()].sort((a, b) => b.family.size - a.family.size)[0]!;

const ids = (items: Json[]) => items.map((item) => item.id as string);
const minor = (price: string) => Number(price.replace('.', ''));

/** Values of facets that are more than a word, or less. */
const PECULIAR = [
  `A&B "q" 100%, 'x' = + ; \\ ☃`,
  'a',
  'A',
  'á',
  '1',
  'a b',
  'a  b'.trim(),
  "'",
  '\\',
  '\\N',
  '%',
  '_',
  ':*',
  '!',
  '(',
  '😀',
  'linen',
];
PECULIAR.push('x'.repeat(200), '日本語'.repeat(60), 'null', 'a/b', 'é'.normalize('NFD'), 'Ω'.repeat(200));

const NAMES = [
  'zebra',
  'Zoo',
  'éclair',
  'Eclair',
  'eclair',
  'Äpfel',
  'apple',
  'Čaj',
  'cedr',
  '10 pens',
  '9 pens',
  'Ωmega',
];

beforeAll(async () => {
  shop = await startTestShop({ demo: true });
  await shop.importText(
    feedOf([
      ...NAMES.map((title, i) => ({ id: `ordered-${i}`, title, price: '19.99 USD' })),
      { id: 'sold-out', title: 'Nothing left', price: '5.00 USD', availability: 'out_of_stock', quantity: '0' },
      { id: 'uncounted', title: 'Never counted', price: '5.00 USD', availability: 'in_stock' },
      { id: 'uncounted-out', title: 'Never there', price: '5.00 USD', availability: 'out_of_stock' },
      { id: 'later', title: 'Comes later', price: '5.00 USD', availability: 'preorder', quantity: '0' },
      ...PECULIAR.flatMap((value, i) => {
        const item = { title: `Peculiar ${i % 3}`, price: '7.00 USD', brand: value, color: value, size: value };
        return [0, 1, 2, 3].map((n) => ({ ...item, id: `peculiar-${i}-${n}` }));
      }),
      { id: 'odd-brand', title: 'Odd', price: '5.00 USD', brand: `A&B "quoted" 100%, 'x' = + ; \\ ☃`, color: 'a/b' },
    ]),
  );
  // Offers are written by a part of the shop that is not there yet.
  await shop.db.run(
    sql(`update products set lowest_offer = price - 100, offers_count = 2, offers_in_stock = 7
         where right(id::text, 1) in ('0', '3', '6', '9', 'c', 'f') and price > 200`),
  );
  await shop.db.run(sql("update products set lowest_offer = 777, offers_count = 1 where right(id::text, 1) = 'a'"));
  document = (await raw('/api/openapi.json')).json;
  operations = Object.entries<Json>(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => (item[method] ? [{ path, method, operation: item[method] as Operation }] : [])),
  );
  reads = operations.filter(({ method, operation }) => method === 'get' && operation.security === undefined);
  validate = createValidator();
  all = await walk('/api/products', { page_size: 100, ordering: 'created_at' });
  categories = new Map();
  const add = (node: Json): string[] => {
    const family = [node.id, ...node.children.flatMap(add)];
    categories.set(node.id, { slug: node.slug, family: new Set(family), node });
    return family;
  };
  for (const root of (await get('/api/categories')).items) add(root);
});
afterAll(() => shop?.stop());

describe('the document', () => {
  it('is OpenAPI 3.1 with a title and a version', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toMatchObject({ title: expect.stringMatching(/./), version: expect.stringMatching(/./) });
    expect(operations.length).toBeGreaterThanOrEqual(7);
    for (const path of Object.keys(document.paths)) expect(path).toMatch(/^\/api\/[^?#]*[^/]$/);
  });

  it('has no reference that leads nowhere, and no component that nothing refers to', () => {
    const refs = new Set<string>();
    const collect = (value: Json): void => {
      if (value === null || typeof value !== 'object') return;
      if (typeof value.$ref === 'string') refs.add(value.$ref);
      for (const inner of Object.values(value)) collect(inner);
    };
    collect(document);
    for (const ref of refs) {
      expect(ref).toMatch(/^#\//);
      const target = ref
        .slice(2)
        .split('/')
        .reduce(
          (at: Json, part) => at?.[decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')],
          document,
        );
      expect(target, ref).toBeTypeOf('object');
    }
    for (const name of Object.keys(document.components.schemas)) expect(refs).toContain(`#/components/schemas/${name}`);
  });

  it('says of each operation what it does, what it takes and what it answers', () => {
    for (const { path, method, operation } of operations) {
      const at = `${method} ${path}`;
      if (operation.operationId === undefined) {
        expect(operation.summary, at).toMatch(/\w/);
        expect(operation.tags?.length, at).toBeGreaterThan(0);
      }
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const parameters = operation.parameters ?? [];
      expect(
        parameters.filter((p) => p.in === 'path').map((p) => p.name),
        at,
      ).toEqual(inPath);
      for (const parameter of parameters) {
        expect(parameter.schema, `${at} ${parameter.name}`).toBeTypeOf('object');
        if (parameter.in === 'path') expect(parameter.required).toBe(true);
      }
      expect(new Set(parameters.map((p) => `${p.in} ${p.name}`)).size, at).toBe(parameters.length);
      const statuses = Object.keys(operation.responses);
      expect(
        statuses.some((status) => /^2/.test(status)),
        at,
      ).toBe(true);
      expect(
        statuses.some((status) => /^4/.test(status)),
        at,
      ).toBe(true);
      expect(statuses, at).toEqual(expect.arrayContaining(['4XX', '5XX']));
      for (const [status, response] of Object.entries<Json>(operation.responses)) {
        expect(response.description, `${at} ${status}`).toMatch(/\w/);
        // 204 has nothing to say, and 202 may have: what was asked for has only begun.
        if (/^2/.test(status) && status !== '204' && !(status === '202' && response.content === undefined))
          expect(
            ['application/json', 'text/event-stream', 'application/octet-stream'].map(
              (type) => response.content[type]?.schema,
            ),
            at,
          ).toContainEqual(expect.any(Object));
        if (/^[45]/.test(status))
          expect(response.content['application/problem+json'].schema).toEqual({ $ref: '#/components/schemas/Problem' });
      }
    }
    const named = operations.flatMap(({ operation }) => operation.operationId ?? []);
    expect(new Set(named).size).toBe(named.length);
  });

  it('says of each operation which headers it reads, and which tell of what was made', () => {
    const reading = (name: string) =>
      operations
        .filter(({ operation }) => operation.parameters?.some((p) => (p.in as string) === 'header' && p.name === name))
        .map(({ path, method }) => `${method} ${path}`)
        .sort();
    expect(reading('If-Match')).toEqual(
      [
        'put /api/products/{key}',
        'patch /api/products/{key}',
        'delete /api/products/{key}',
        'put /api/products/{id}/images/order',
        'delete /api/products/{id}/images/{image_id}',
        'put /api/categories/{key}',
        'patch /api/categories/{key}',
        'delete /api/categories/{key}',
        'put /api/categories/{id}/image',
        'delete /api/categories/{id}/image',
        'patch /api/orders/{id}/status',
        'post /api/orders/{id}/cancel',
      ].sort(),
    );
    expect(reading('If-None-Match')).toContain('get /api/orders/{id}');
    expect(reading('X-Cart-Token')).toContain('post /api/orders');
    for (const path of ['/api/orders', '/api/products']) {
      const made = document.paths[path].post.responses[201];
      expect(Object.keys(made.headers), path).toEqual(['Location', 'ETag']);
      expect(made.content['application/json'].schema.$ref).toMatch(/^#\/components\/schemas\/(Order|Product)$/);
    }
  });

  it('has only schemas that JSON Schema 2020-12 allows', () => {
    const ajv = new Ajv2020({ strict: false });
    const schemas = [
      ...Object.values<Json>(document.components.schemas),
      ...operations.flatMap(({ operation }) => (operation.parameters ?? []).map((p) => p.schema)),
      ...operations.flatMap(({ operation }) =>
        Object.values<Json>(operation.responses).flatMap((r) =>
          Object.values<Json>(r.content ?? {}).map((c) => c.schema),
        ),
      ),
    ];
    for (const schema of schemas) expect(ajv.validateSchema(schema), JSON.stringify(ajv.errors)).toBe(true);
  });

  it('describes every field that the products have, so that a field too many or too few is noticed', async () => {
    const item = structuredClone(all[0]);
    const page = { items: [item], page: 1, page_size: 10, total: 1, total_pages: 1, next_cursor: null };
    expect(validate('/api/products', 200, page)).toEqual([]);
    expect(validate('/api/products', 200, { ...page, more: 1 })).not.toEqual([]);
    expect(validate('/api/products', 200, { ...page, items: [{ ...item, secret: 'x' }] })).not.toEqual([]);
    expect(validate('/api/products', 200, { ...page, items: [{ ...item, price: 19.99 }] })).not.toEqual([]);
    const { sku: _, ...without } = item;
    expect(validate('/api/products', 200, { ...page, items: [without] })).not.toEqual([]);
    expect(validate('/api/products', 400, { title: 'no code' })).not.toEqual([]);
    expect(validate('/api/products', 500, {})).not.toEqual([]);
  });
});

describe('every operation answers as documented', () => {
  /** Values to ask for, by parameter; a parameter that is documented and not here fails the test. */
  const samples = (): Record<string, (string | number | boolean | readonly string[])[]> => {
    const some = (field: string) => {
      const values = [...new Set(all.map((item) => item[field]))].filter((value): value is string => value !== null);
      return [values[0]!, values.slice(0, 3), values.slice(-1), 'of which there is none'];
    };
    const withChildren = [...categories.values()].find(({ family }) => family.size > 1)!;
    return {
      category: [withChildren.slug, withChildren.node.id, withChildren.node.id.toUpperCase(), 'of-which-there-is-none'],
      price_min: ['0', '20', '19.9', '19.99', '9999999999'],
      price_max: ['0', '20', '19.99'],
      in_stock: [true, false],
      featured: [true, false],
      brand: some('brand'),
      gender: some('gender'),
      condition: some('condition'),
      color: some('color'),
      size: some('size'),
      group_id: [some('group_id')[0] as string, 'of which there is none'],
      search: ['linen', 'LINEN shirt', 'linnen', 'zlutoucky', 'VT-', '', ' ', 'x y z', '%'],
      state: ['visible'],
      page: [1, 2, 30, 1000],
      page_size: [1, 7, 100],
      ordering: [...ORDERINGS, 'relevance'],
    };
  };

  it('with each of its parameters, under each ordering', async () => {
    const values = samples();
    for (const { path, operation } of reads) {
      const at = path.replace('{key}', path.includes('categor') ? [...categories.values()][0]!.slug : all[0].slug);
      const names = (operation.parameters ?? []).filter((p) => p.in === 'query').map((p) => p.name);
      const orderings = names.includes('ordering') ? ['', ...values.ordering!] : [''];
      await get(at);
      for (const name of names) {
        // The public has no owner to ask for.
        if (name === 'cursor' || name === 'owner') continue;
        expect(values[name], `there is no sample of ${name}`).toBeDefined();
        for (const [i, value] of values[name]!.entries()) {
          // All orderings with the first value, one with the others: the pairs that matter, and not their product.
          const chosen = i === 0 ? orderings : [orderings[i % orderings.length]];
          for (const ordering of chosen) await get(at + query({ ordering: ordering || undefined, [name]: value }));
        }
      }
    }
  });

  it('with a trailing slash, by HEAD, and with a request id of the client', async () => {
    for (const { path } of reads) {
      const at = path.replace('{key}', path.includes('categor') ? [...categories.values()][1]!.slug : all[1].slug);
      const plain = await call(at);
      const slashed = await call(`${at}/`);
      expect(slashed.text).toBe(plain.text);
      expect(slashed.headers.etag).toBe(plain.headers.etag);
      const head = await call(at, {}, 'HEAD');
      expect(head.status).toBe(200);
      expect(head.body).toHaveLength(0);
      for (const name of ['content-type', 'content-length', 'etag', 'vary', 'cache-control'])
        expect(head.headers[name], `${at} ${name}`).toBe(plain.headers[name]);
      expect(Number(head.headers['content-length'])).toBe(plain.body.length);
    }
  });

  it('with problem documents whose id stands in the header too', async () => {
    const problems: [string, number, string][] = [
      ['/api/products?page=0', 400, 'validation_failed'],
      ['/api/products?unknown=1', 400, 'validation_failed'],
      ['/api/products?price_min=1.999', 400, 'validation_failed'],
      ['/api/products?ordering=weight', 400, 'validation_failed'],
      ['/api/products?cursor=nonsense', 400, 'invalid_cursor'],
      ['/api/products?page=101&page_size=100', 400, 'page_too_deep'],
      ['/api/products/featured?page=1', 400, 'validation_failed'],
      ['/api/products/filters?ordering=price', 400, 'validation_failed'],
      ['/api/products/there-is-none', 404, 'product_not_found'],
      ['/api/products/01901234-0000-7000-8000-000000000000', 404, 'product_not_found'],
      ['/api/products/there-is-none/price-history', 404, 'product_not_found'],
      ['/api/products?state=gone', 400, 'validation_failed'],
      ['/api/products?state=all', 401, 'unauthenticated'],
      ['/api/products?owner=me', 401, 'unauthenticated'],
      ['/api/products/filters?state=hidden', 401, 'unauthenticated'],
      ['/api/categories?state=all', 401, 'unauthenticated'],
      ['/api/categories?page=1', 400, 'validation_failed'],
      ['/api/categories/there-is-none', 404, 'category_not_found'],
      ['/api/categories/there-is-none/products', 404, 'category_not_found'],
      [`/api/categories/${[...categories.values()][0]!.slug}/products?category=x`, 400, 'validation_failed'],
    ];
    const seen = new Set<string>();
    for (const [path, status, code] of problems) {
      const answer = await call(path);
      expect([answer.status, answer.json.code], path).toEqual([status, code]);
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(answer.json.status).toBe(status);
      expect(answer.headers['x-request-id']).toBe(answer.json.request_id);
      expect(answer.headers.etag).toBeUndefined();
      if (code === 'validation_failed') expect(answer.json.errors[0].message).toMatch(/\w/);
      seen.add(answer.json.request_id);
    }
    expect(seen.size).toBe(problems.length);
    const named = await call('/api/products?page=0', { 'x-request-id': 'of-the-client-1' });
    expect(named.json.request_id).toBe('of-the-client-1');
  });

  it('and lists every code that it answers with, where the problem’s type leads', async () => {
    const { json } = await call('/api/products/there-is-none');
    const [page, code] = json.type.split('#');
    const listed = await raw(page);
    expect(listed.status).toBe(200);
    for (const name of [code, 'validation_failed', 'page_too_deep', 'invalid_cursor', 'category_not_found'])
      expect(listed.text).toContain(`id="${name}"`);
  });
});

describe('a product', () => {
  it('is the same by id and by slug, and the same as in lists', async () => {
    for (const [i, item] of all.entries()) {
      const product = await get(`/api/products/${item.slug}`);
      const { description, attributes, images, variants, archived_at, ...listed } = product;
      expect(listed).toEqual(item);
      expect(archived_at).toBe(null);
      expect(description).toBeTypeOf('string');
      expect(attributes).toBeTypeOf('object');
      expect(images.map((image: Json) => image.position)).toEqual(images.map((_: Json, n: number) => n));
      const family = all.filter((other) => other.group_id !== null && other.group_id === item.group_id);
      expect(ids(variants).sort()).toEqual(ids(family.filter((other) => other.id !== item.id)).sort());
      const options = ['color', 'size', 'material', 'gender', 'age_group', 'condition'];
      const differing = options.filter((option) => family.some((other) => other[option] !== item[option]));
      for (const variant of variants) {
        const sibling = family.find((other) => other.id === variant.id)!;
        expect(variant.options).toEqual(Object.fromEntries(differing.map((option) => [option, sibling[option]])));
        expect(variant.effective_price).toBe(sibling.effective_price);
      }
      if (i % 10 === 0) expect(await get(`/api/products/${item.id.toUpperCase()}`)).toEqual(product);
    }
  });

  it('has prices and stock that agree with each other', () => {
    for (const item of all) {
      expect(item.price).toMatch(/^\d+\.\d\d$/);
      expect(item.effective_price).toBe(item.sale_price ?? item.price);
      if (item.sale_price !== null) expect(minor(item.sale_price)).toBeLessThan(minor(item.price));
      expect(item.in_stock).toBe(item.stock === null ? item.availability === 'in_stock' : item.stock > 0);
      if (item.stock !== null && item.stock > 0) expect(item.availability).not.toBe('out_of_stock');
      if (item.stock === 0) expect(item.availability).not.toBe('in_stock');
    }
    expect(all.some((item) => item.stock === null)).toBe(true);
    expect(all.some((item) => item.stock === 0)).toBe(true);
    expect(all.some((item) => item.sale_price !== null)).toBe(true);
  });

  it('that is inactive or archived is not there for the public', async () => {
    const [hidden, archived] = [all[5], all[6]];
    const change = (text: string, item: Json) => shop.db.run(sql(text, [item.id]));
    try {
      await change('update products set active = false where id = $1', hidden);
      await change('update products set archived_at = now() where id = $1', archived);
      shop.cache.invalidate(['catalogue']);
      for (const item of [hidden, archived]) {
        expect((await call(`/api/products/${item.id}`)).status).toBe(404);
        expect((await call(`/api/products/${item.slug}`)).status).toBe(404);
        expect((await raw(`/products/${item.slug}`)).status).toBe(404);
        expect(
          (await get(`/api/products?group_id=${encodeURIComponent(item.group_id ?? 'none')}`)).items,
        ).not.toContainEqual(expect.objectContaining({ id: item.id }));
        expect((await raw('/feeds/google.xml')).text).not.toContain(`<g:id>${item.sku}</g:id>`);
      }
      expect((await get('/api/products')).total).toBe(all.length - 2);
    } finally {
      await change('update products set active = true where id = $1', hidden);
      await change('update products set archived_at = null where id = $1', archived);
      shop.cache.invalidate(['catalogue']);
    }
  });
});

describe('categories', () => {
  it('count what is in them and below them, and list just that', async () => {
    const direct = new Map<string, number>();
    for (const item of all) if (item.category) direct.set(item.category.id, (direct.get(item.category.id) ?? 0) + 1);
    for (const [id, { slug, family, node }] of categories) {
      const count = [...family].reduce((sum, member) => sum + (direct.get(member) ?? 0), 0);
      expect(node.product_count, slug).toBe(count);
      expect(await get(`/api/categories/${slug}`)).toEqual(node);
      expect(await get(`/api/categories/${id}`)).toEqual(node);
      const { total } = await get(`/api/categories/${slug}/products?page_size=1`);
      expect(total, slug).toBe(count);
      expect((await get(`/api/products?category=${slug}&page_size=1`)).total).toBe(count);
    }
    expect(categories.size).toBeGreaterThan(20);
  });
});

describe('lists', () => {
  const collator = new Intl.Collator('und');
  const offer = (item: Json) => (item.offers.lowest_price === null ? null : minor(item.offers.lowest_price));
  /** Below zero when `a` goes first, ascending; a null offer goes last whichever way it is asked for. */
  const compare: Record<string, (a: Json, b: Json) => number> = {
    price: (a, b) => minor(a.effective_price) - minor(b.effective_price),
    created_at: (a, b) => Date.parse(a.created_at) - Date.parse(b.created_at),
    name: (a, b) => collator.compare(a.name, b.name),
  };

  for (const ordering of ORDERINGS) {
    it(`go by ${ordering}, ties by id, the same by cursor and by number`, async () => {
      const walked = await walk('/api/products', { ordering, page_size: 37 });
      expect(new Set(ids(walked)).size).toBe(all.length);
      const sign = ordering.startsWith('-') ? -1 : 1;
      const by = ordering.replace('-', '');
      let ties = 0;
      for (const [i, item] of walked.slice(1).entries()) {
        const before = walked[i]!;
        if (by === 'lowest_offer') {
          const [x, y] = [offer(before), offer(item)];
          if (x === null) expect(y).toBeNull();
          else if (y !== null && x !== y) expect(sign * (x - y)).toBeLessThan(0);
          if (x !== y) continue;
        } else {
          const order = sign * compare[by]!(before, item);
          expect(order, `${before.name} before ${item.name}`).toBeLessThanOrEqual(0);
          if (order !== 0 || (by === 'name' && before.name !== item.name)) continue;
        }
        ties += 1;
        expect(sign * (before.id < item.id ? -1 : 1), `${before.id} before ${item.id}`).toBe(-1);
      }
      expect(ties).toBeGreaterThan(0);

      const numbered: string[] = [];
      for (let page = 1; page <= Math.ceil(all.length / 37); page++) {
        const answer = await get(`/api/products${query({ ordering, page_size: 37, page })}`);
        expect([answer.page, answer.total_pages]).toEqual([page, Math.ceil(all.length / 37)]);
        numbered.push(...ids(answer.items));
      }
      expect(numbered).toEqual(ids(walked));
    });

    it(`go on by cursor under a search, by ${ordering}`, async () => {
      const walked = await walk('/api/products', { search: 'linen', ordering, page_size: 5 });
      const numbered = await get(`/api/products${query({ search: 'linen', ordering, page_size: 100 })}`);
      expect(ids(numbered.items)).toEqual(ids(walked));
      expect(walked.length).toBeGreaterThan(10);
      const by = ordering.replace('-', '');
      if (by === 'lowest_offer') return;
      for (const [i, item] of walked.slice(1).entries())
        expect((ordering === by ? 1 : -1) * compare[by]!(walked[i]!, item)).toBeLessThanOrEqual(0);
    });
  }

  it('go on by cursor under relevance, and find every product that has the word in its name', async () => {
    for (const word of ['linen', 'mug', 'oak', 'the']) {
      const walked = await walk('/api/products', { search: word, page_size: 3 });
      const numbered = await get(`/api/products${query({ search: word, page_size: 100 })}`);
      expect(ids(numbered.items)).toEqual(ids(walked).slice(0, 100));
      const named = all.filter((item) =>
        item.name
          .toLowerCase()
          .split(/[^\p{L}\p{N}]+/u)
          .includes(word),
      );
      expect(ids(walked)).toEqual(expect.arrayContaining(ids(named)));
    }
  });

  it('by -created_at without any ordering, by relevance under a search', async () => {
    const first = (fields: Parameters<typeof query>[0]) => get(`/api/products${query({ page_size: 20, ...fields })}`);
    expect((await first({})).items).toEqual((await first({ ordering: '-created_at' })).items);
    expect((await first({ ordering: 'relevance' })).items).toEqual((await first({})).items);
    expect((await first({ search: 'mug' })).items).toEqual(
      (await first({ search: 'mug', ordering: 'relevance' })).items,
    );
  });

  it('say null for the page under a cursor, and refuse a cursor of another ordering', async () => {
    const { next_cursor: cursor } = await get('/api/products?ordering=price&page_size=3');
    expect((await get(`/api/products${query({ ordering: 'price', page_size: 3, cursor })}`)).page).toBeNull();
    for (const ordering of [...ORDERINGS, 'relevance'].filter((name) => name !== 'price')) {
      const answer = await call(`/api/products${query({ ordering, cursor })}`);
      expect([answer.status, answer.json.code], ordering).toEqual([400, 'invalid_cursor']);
    }
  });

  it('end by number at 10,000, with the cursor named', async () => {
    expect((await get('/api/products?page=100&page_size=100')).items).toEqual([]);
    expect((await get('/api/products?page=10000&page_size=1')).items).toEqual([]);
    for (const path of ['page=101&page_size=100', 'page=10001&page_size=1', 'page=1000000', 'search=linen&page=1001']) {
      const answer = await call(`/api/products?${path}`);
      expect([answer.status, answer.json.code], path).toEqual([400, 'page_too_deep']);
      expect(answer.json.detail).toContain('cursor');
    }
  });

  it('have each picture that they name', async () => {
    for (const url of new Set(all.map((item) => item.image_url as string))) {
      const answer = await raw(url);
      expect([answer.status, answer.headers['content-type']], url).toEqual([200, 'image/svg+xml; charset=utf-8']);
    }
  });
});

describe('filters and facets', () => {
  type Filters = {
    category?: string;
    price_min?: string;
    price_max?: string;
    in_stock?: boolean;
    featured?: boolean;
    group_id?: string;
  } & { [facet in (typeof FACETS)[number]]?: string[] };
  type Own = (typeof FACETS)[number] | 'category' | 'price' | undefined;

  /** The filters written anew, in JavaScript, over all products. */
  function matches(item: Json, filters: Filters, without?: Own): boolean {
    if (filters.category !== undefined && without !== 'category') {
      const wanted =
        categories.get(filters.category) ?? [...categories.values()].find((c) => c.slug === filters.category);
      if (!item.category || !wanted?.family.has(item.category.id)) return false;
    }
    const price = minor(item.effective_price);
    if (without !== 'price') {
      if (filters.price_min !== undefined && price < minor(filters.price_min)) return false;
      if (filters.price_max !== undefined && price > minor(filters.price_max)) return false;
    }
    if (filters.in_stock !== undefined && item.in_stock !== filters.in_stock) return false;
    if (filters.featured !== undefined && item.featured !== filters.featured) return false;
    if (filters.group_id !== undefined && item.group_id !== filters.group_id) return false;
    return FACETS.every((facet) => facet === without || !filters[facet] || filters[facet].includes(item[facet]));
  }

  function countsOf(values: (string | null)[]): Map<string, number> {
    const counts = new Map<string, number>();
    for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
    return counts;
  }

  function checkFacet(name: string, given: { value: string; count: number }[], expected: Map<string, number>): void {
    expect(new Set(given.map(({ value }) => value)).size, name).toBe(given.length);
    expect(given.map(({ count }) => count)).toEqual(given.map(({ count }) => count).sort((a, b) => b - a));
    if (expected.size <= MOST_VALUES || name === 'category') {
      expect(new Map(given.map(({ value, count }) => [value, count])), name).toEqual(expected);
      return;
    }
    // Only the commonest are listed: those counts must be right, and nothing commoner left out.
    expect(given).toHaveLength(MOST_VALUES);
    for (const { value, count } of given) expect(count, `${name} ${value}`).toBe(expected.get(value));
    const least = given.at(-1)!.count;
    const left = [...expected].filter(([value]) => !given.some((one) => one.value === value));
    expect(left.every(([, count]) => count <= least)).toBe(true);
  }

  /** A search that finds fewer than this under its filters is made again with other words. */
  const LITTLE = 3;

  /** `found` is what the search alone finds; all products without one. */
  async function check(filters: Filters, search?: string, found: Json[] = all): Promise<number> {
    const matching = found.filter((item) => matches(item, filters));
    const walked = await walk('/api/products', { ...filters, search, page_size: 100 });
    if (search !== undefined && matching.length < LITTLE) {
      expect(ids(walked)).toEqual(expect.arrayContaining(ids(matching)));
      for (const item of walked) expect(matches(item, filters), item.name).toBe(true);
      return matching.length;
    }
    expect(ids(walked).sort()).toEqual(ids(matching).sort());

    const facets = await get(`/api/products/filters${query({ ...filters, search })}`);
    expect(facets.counts_are_estimates).toBeUndefined();
    for (const facet of FACETS) {
      const over = found.filter((item) => matches(item, filters, facet));
      checkFacet(facet, facets[facet], countsOf(over.map((item) => item[facet])));
    }
    const over = found.filter((item) => matches(item, filters, 'category'));
    const inCategories = [...categories.values()].map(({ slug, family }): [string, number] => [
      slug,
      over.filter((item) => item.category && family.has(item.category.id)).length,
    ]);
    checkFacet('category', facets.category, new Map(inCategories.filter(([, count]) => count > 0)));
    const prices = found.filter((item) => matches(item, filters, 'price')).map((item) => minor(item.effective_price));
    const money = (value: number) => (Number.isFinite(value) ? (value / 100).toFixed(2) : null);
    expect(facets.price).toEqual({ min: money(Math.min(...prices)), max: money(Math.max(...prices)) });
    return matching.length;
  }

  /** Any combination of filters, each left out more often than not. */
  function combinations(): fc.Arbitrary<Filters> {
    const values = (facet: string) =>
      [...new Set(all.map((item) => item[facet]))].filter((v): v is string => v !== null);
    const seldom = <T>(arbitrary: fc.Arbitrary<T>, weight: number) =>
      fc.oneof({ weight, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
    const optional = <T>(arbitrary: fc.Arbitrary<T>) => seldom(arbitrary, 3);
    const several = (facet: string) =>
      optional(fc.uniqueArray(fc.constantFrom(...values(facet), 'none such'), { minLength: 1, maxLength: 5 }));
    const amount = optional(fc.integer({ min: 0, max: 40_000 }).map((cents) => (cents / 100).toFixed(2)));
    const keys = [...categories].flatMap(([id, { slug }]) => [id, slug]);
    return fc
      .record({
        category: optional(fc.constantFrom(...keys, 'none-such')),
        price_min: amount,
        price_max: amount,
        in_stock: optional(fc.boolean()),
        featured: seldom(fc.boolean(), 9),
        group_id: seldom(fc.constantFrom(...values('group_id'), 'none such'), 9),
        brand: several('brand'),
        gender: several('gender'),
        condition: several('condition'),
        color: several('color'),
        size: several('size'),
      })
      .map(
        (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Filters,
      );
  }

  it('give what filters written anew give, for any combination', async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(combinations(), async (filters) => {
        if ((await check(filters)) > 0) found += 1;
      }),
      { numRuns: 80, seed: 7 },
    );
    expect(found).toBeGreaterThan(20);
  }, 60_000);

  it('narrow a search as they narrow the whole', async () => {
    const words = [
      'linen',
      'cotton',
      'oak',
      'the',
      'wool mug',
      'kitchen',
      'quiet harbour',
      'VT',
      'li',
      'zofie',
      'peculiar',
      'peculiar 1',
    ];
    const finds = new Map<string, Json[]>();
    for (const word of words) finds.set(word, await walk('/api/products', { search: word, page_size: 100 }));
    let found = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...words), combinations(), async (word, filters) => {
        if ((await check(filters, word, finds.get(word)!)) >= LITTLE) found += 1;
      }),
      { numRuns: 80, seed: 8 },
    );
    expect(found).toBeGreaterThan(10);
    const peculiar = finds.get('peculiar')!;
    for (const value of PECULIAR)
      for (const facet of ['brand', 'color', 'size'] as const) await check({ [facet]: [value] }, 'peculiar', peculiar);
    await check({ brand: PECULIAR.slice(0, 50) }, 'peculiar', peculiar);
  }, 60_000);

  it('each alone, with every value that there is', async () => {
    await check({});
    await check({ in_stock: true });
    await check({ in_stock: false });
    await check({ featured: true });
    for (const facet of FACETS) {
      const counts = (await get('/api/products/filters'))[facet] as { value: string; count: number }[];
      for (const { value, count } of counts.slice(0, 40))
        expect((await get(`/api/products${query({ [facet]: value, page_size: 1 })}`)).total, value).toBe(count);
    }
    for (const brand of all.map((item) => item.brand).filter((brand) => /[&"%]/.test(brand ?? '')))
      await check({ brand: [brand] });
  });

  it('give the featured products as a list of their own', async () => {
    const featured = all.filter((item) => item.featured);
    expect(ids((await get('/api/products/featured')).items).sort()).toEqual(ids(featured).sort());
    expect(featured.length).toBeGreaterThan(3);
  });
});

describe('answers that are kept', () => {
  const ENCODINGS = { identity: (body: Buffer) => body, br: brotliDecompressSync, gzip: gunzipSync };
  const strong = /^"[^"]+"$/;
  /** A cookie keeps a request off the map by raw URL: the same must hold both ways. */
  const WAYS: Record<string, string>[] = [{}, { cookie: 'a=b' }];
  const paths = () => [
    '/api/products',
    `/api/products/${all[0].slug}`,
    '/api/products/featured',
    '/api/products/filters',
    '/api/categories',
    `/api/categories/${largest().slug}`,
    '/api/openapi.json',
    '/',
    '/products',
    `/products/${all[0].slug}`,
  ];

  it('have a strong ETag for each encoding, and bodies that unpack to the same', async () => {
    for (const path of paths()) {
      const identity = (await raw(path)).body;
      expect(identity.length, path).toBeGreaterThan(1_000);
      const tags = new Set<string>();
      for (const way of WAYS) {
        for (const [encoding, unpack] of Object.entries(ENCODINGS)) {
          const answer = await raw(path, { 'accept-encoding': encoding, ...way });
          expect(answer.headers['content-encoding'] ?? 'identity', path).toBe(encoding);
          expect(unpack(answer.body).equals(identity), `${path} ${encoding}`).toBe(true);
          expect(answer.headers.etag).toMatch(strong);
          expect(answer.headers.vary?.toLowerCase()).toContain('accept-encoding');
          expect(Number(answer.headers['content-length'])).toBe(answer.body.length);
          tags.add(answer.headers.etag!);
        }
      }
      expect(tags.size, path).toBe(3);
    }
  });

  it('are answered by 304 to whoever has them, in that encoding only', async () => {
    for (const path of paths()) {
      const tagOf = async (encoding: string) => (await raw(path, { 'accept-encoding': encoding })).headers.etag!;
      for (const way of WAYS) {
        for (const encoding of Object.keys(ENCODINGS)) {
          const etag = await tagOf(encoding);
          const other = await tagOf(encoding === 'br' ? 'gzip' : 'br');
          for (const held of [etag, `W/${etag}`, `"x", ${etag}`, '*', ` ${etag} , "y"`]) {
            const answer = await raw(path, { 'accept-encoding': encoding, 'if-none-match': held, ...way });
            expect([answer.status, answer.body.length], `${path} ${encoding} ${held}`).toEqual([304, 0]);
            expect(answer.headers.etag).toBe(etag);
            expect(answer.headers.vary?.toLowerCase()).toContain('accept-encoding');
            expect(answer.headers['cache-control']).toBeDefined();
          }
          for (const held of [other, '"x"', etag.replaceAll('"', ''), '']) {
            const answer = await raw(path, { 'accept-encoding': encoding, 'if-none-match': held, ...way });
            expect(answer.status, `${path} ${encoding} ${held}`).toBe(200);
          }
          const head = await raw(path, { 'accept-encoding': encoding, 'if-none-match': etag, ...way }, 'HEAD');
          expect(head.status).toBe(304);
        }
      }
    }
  });

  it('have the version in front of the ETag of products and categories', async () => {
    await shop.db.run(sql('update products set version = 41 where id = $1', [all[2].id]));
    shop.cache.invalidate(['catalogue']);
    for (const encoding of Object.keys(ENCODINGS)) {
      const product = await raw(`/api/products/${all[2].id}`, { 'accept-encoding': encoding });
      expect(product.headers.etag).toMatch(/^"41-[^"]+"$/);
      for (const { slug, node } of [...categories.values()].slice(0, 3)) {
        const category = await raw(`/api/categories/${slug}`, { 'accept-encoding': encoding });
        expect(category.headers.etag).toMatch(new RegExp(`^"${node.version}-[^"]+"$`));
      }
    }
    await shop.db.run(sql('update products set version = $2 where id = $1', [all[2].id, all[2].version]));
    shop.cache.invalidate(['catalogue']);
  });

  it('take the encoding that the client prefers not to be without', async () => {
    const encodingFor = async (header: string) =>
      (await raw('/api/products', { 'accept-encoding': header })).headers['content-encoding'] ?? 'identity';
    for (const [header, encoding] of [
      ['gzip, deflate, br', 'br'],
      ['gzip, deflate', 'gzip'],
      ['GZIP', 'gzip'],
      ['br;q=0, gzip;q=0.5', 'gzip'],
      ['br;q=0, *', 'gzip'],
      ['*;q=0', 'identity'],
      ['identity', 'identity'],
      ['zstd, compress', 'identity'],
      ['br;q=0.000', 'identity'],
    ] as const)
      expect(await encodingFor(header), header).toBe(encoding);
  });
});

describe('CORS_ORIGINS', () => {
  it('may read, others may not, and caches are told that it depends, however often it is asked', async () => {
    const open = await startTestShop({ env: { CORS_ORIGINS: 'https://ours.example' } });
    try {
      for (const path of ['/api/products', '/api/products?page=0', '/api/categories'])
        for (const origin of [undefined, undefined, 'https://ours.example', 'https://theirs.example', undefined]) {
          const { headers } = await open.get(path, origin === undefined ? {} : { origin });
          expect(headers.get('access-control-allow-origin')).toBe(origin === 'https://ours.example' ? origin : null);
          expect(headers.get('vary')?.toLowerCase(), `${path} ${origin}`).toContain('origin');
        }
      const headers = { origin: 'https://ours.example', 'access-control-request-method': 'GET' };
      expect((await fetch(`${open.url}/api/products`, { method: 'OPTIONS', headers })).status).toBe(204);
      const plain = await fetch(`${open.url}/api/products`, { method: 'OPTIONS' });
      expect([204, 405]).toContain(plain.status);
    } finally {
      await open.stop();
    }
  });
});

describe('an old slug', () => {
  it('leads to the new one, in the API and on pages, also for whoever has an ETag of anything', async () => {
    await shop.db.run(
      sql("insert into retired_product_slugs (slug, product_id, retired_at) values ('what-it-was-called', $1, now())", [
        all[3].id,
      ]),
    );
    for (const held of [undefined, '*']) {
      for (let again = 0; again < 2; again++) {
        const headers: Record<string, string> = held === undefined ? {} : { 'if-none-match': held };
        const answer = await call('/api/products/what-it-was-called', headers);
        // A condition is not looked at where the answer would be no 2xx (RFC 9110, 13.2.1).
        expect([answer.status, answer.headers.location]).toEqual([301, `/api/products/${all[3].slug}`]);
        const prices = await call('/api/products/what-it-was-called/price-history', headers);
        expect([prices.status, prices.headers.location]).toEqual([301, `/api/products/${all[3].slug}/price-history`]);
        const page = await raw('/products/what-it-was-called', headers);
        expect([page.status, page.headers.location]).toEqual([301, `/products/${all[3].slug}`]);
      }
    }
    expect((await raw(`/products/${all[3].id}`)).headers.location).toBe(`/products/${all[3].slug}`);
  });

  it('of a product that is not shown leads nowhere', async () => {
    await shop.db.run(
      sql("insert into retired_product_slugs (slug, product_id, retired_at) values ('gone-and-hidden', $1, now())", [
        all[4].id,
      ]),
    );
    await shop.db.run(sql('update products set active = false where id = $1', [all[4].id]));
    expect((await call('/api/products/gone-and-hidden')).status).toBe(404);
    await shop.db.run(sql('update products set active = true where id = $1', [all[4].id]));
    shop.cache.invalidate(['catalogue']);
  });

  it('of a category leads to the new one with the question still asked', async () => {
    const [id, { slug }] = [...categories][1]!;
    await shop.db.run(
      sql("insert into retired_category_slugs (slug, category_id, retired_at) values ('old-department', $1, now())", [
        id,
      ]),
    );
    const moved = async (path: string) => {
      const answer = await (path.startsWith('/api') ? call(path) : raw(path));
      return [answer.status, answer.headers.location];
    };
    expect(await moved('/api/categories/old-department')).toEqual([301, `/api/categories/${slug}`]);
    expect(await moved('/categories/old-department')).toEqual([301, `/categories/${slug}`]);
    expect(await moved('/api/categories/old-department/products')).toEqual([301, `/api/categories/${slug}/products`]);
    expect(await moved('/api/categories/old-department/products?ordering=price&page=2')).toEqual([
      301,
      `/api/categories/${slug}/products?ordering=price&page=2`,
    ]);
    expect(await moved('/categories/old-department?ordering=price&page=2')).toEqual([
      301,
      `/categories/${slug}?ordering=price&page=2`,
    ]);
  });
});

it('has called every open read of the document, each well and badly', () => {
  expect(reads.length).toBeGreaterThanOrEqual(7);
  for (const { path, method, operation } of reads) {
    const statuses = [...(exercised.get(path) ?? [])];
    for (const documented of Object.keys(operation.responses)) {
      // That nothing does, as far as we know.
      if (documented === '5XX') continue;
      const fits = (status: number) => new RegExp(`^${documented.replaceAll('X', '\\d')}$`).test(String(status));
      expect(statuses.some(fits), `${method} ${path} was never seen to answer ${documented}`).toBe(true);
    }
  }
});
