import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { newId } from '../src/kernel/ids.ts';
import { enqueue } from '../src/kernel/jobs.ts';
import type { Logger } from '../src/kernel/log.ts';
import { fakeClock } from '../src/kernel/testing/index.ts';
import { flatPng } from '../src/modules/catalogue/images/testing.ts';
import { newPerson } from './support/person.ts';
import { type Answer, type Caller, feedOf, startTestShop, type TestShop } from './support/shop.ts';

/** Idempotency keys on the routes of the running shop: each POST that is to take one does, and is done once. */

let shop: TestShop;
let boss: Caller;
let dataDir: string;
let logged = '';
const clock = fakeClock();
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'vitrine-idempotency-'));
  const write = (line: string) => {
    logged += line;
  };
  shop = await startTestShop({
    clock,
    log: pino({ level: 'trace' }, { write }) as Logger,
    env: { DATA_DIR: dataDir, ALLOW_PRIVATE_ADDRESSES: 'true', SMTP_URL: 'smtp://127.0.0.1:9' },
  });
  boss = await shop.as('superuser');
});
afterAll(async () => {
  await shop.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const keyed = (key: string) => ({ 'idempotency-key': key });
const replayed = ({ headers }: Answer) => headers.get('idempotent-replayed');

async function made(asking: Promise<Answer>): Promise<string> {
  const { status, json, text } = await asking;
  expect(status, text).toBe(201);
  return json.id;
}
const newProduct = (fields = {}) => made(boss.post('/api/products', { name: 'A lamp', price: '10.00', ...fields }));
const formOf = (file: Uint8Array | string, name: string, fields: Record<string, string> = {}) => {
  const form = new FormData();
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  form.append('file', new Blob([new Uint8Array(Buffer.from(file))]), name);
  return form;
};
const picture = (size = 4, fields = {}) => formOf(flatPng(size, 5), 'a.png', fields);
const feed = (id: string) => feedOf([{ id, title: 'A lamp', price: '5 USD' }]);
const stockOf = async (id: string) => (await boss.get(`/api/products/${id}`)).json.stock as number;
const files = (folder: string) => {
  const path = join(dataDir, 'blobs', folder);
  return existsSync(path) ? readdirSync(path, { recursive: true, withFileTypes: true }).filter((f) => f.isFile()) : [];
};

type Post = { path: string; body?: () => unknown; by?: Record<string, string> };

async function newJob(): Promise<string> {
  const name = `idempotency.${newId()}`;
  await enqueue(shop.db, { name, run: async () => {} }, [{}]);
  const { id } = await shop.db.one(
    sql<{ id: number }>(
      `select j.id from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
       where t.identifier = $1`,
      [name],
    ),
  );
  return String(id);
}

async function failedMail(): Promise<string> {
  const { email } = await newPerson(shop);
  const failed = sql<{ id: string }>(
    "update emails set state = 'failed', next_try_at = null where recipient = $1 returning id",
    [email],
  );
  return (await shop.db.one(failed)).id;
}

async function failedDelivery(): Promise<string> {
  const webhook = await made(boss.post('/api/webhooks', { url: 'http://127.0.0.1:9/hook', types: ['order.placed'] }));
  const id = newId();
  await shop.db.run(
    sql(
      `insert into webhook_deliveries (id, endpoint_id, event_id, position, type, state, created_at)
       select $1, $2, event_id, position, type, 'failed', now() from events order by position limit 1`,
      [id, webhook],
    ),
  );
  return id;
}

async function archivedProduct(): Promise<string> {
  const id = await newProduct();
  await shop.db.run(sql('insert into sold_products (product_id, first_sold_at) values ($1, now())', [id]));
  expect((await boss.delete(`/api/products/${id}`)).status).toBe(204);
  return id;
}

/** A customer with something in the cart, and what it is. */
async function buyer(): Promise<{ headers: Record<string, string>; product: string }> {
  const product = await newProduct({ stock: 10 });
  const { headers, post } = await shop.as('customer');
  expect((await post('/api/cart/items', { product_id: product, quantity: 2 })).status).toBe(201);
  return { headers, product };
}

async function guest(): Promise<Record<string, string>> {
  const token = (await shop.get('/api/cart')).headers.get('x-cart-token')!;
  expect(token).toMatch(/^[\w-]+\.[\w-]+$/);
  return { 'x-cart-token': token };
}

/** Each POST that takes a key, as a request that is answered with 2xx once and, done twice, would show. */
const TABLE: Readonly<Record<string, () => Promise<Post>>> = {
  'POST /api/api-keys': async () => ({
    path: '/api/api-keys',
    body: () => ({ name: 'till', scopes: ['catalogue:read'] }),
  }),
  'POST /api/webhooks': async () => ({ path: '/api/webhooks', body: () => ({ url: 'http://127.0.0.1:9/x' }) }),
  'POST /api/webhook-deliveries/{id}/retry': async () => ({
    path: `/api/webhook-deliveries/${await failedDelivery()}/retry`,
  }),
  'POST /api/emails/{id}/retry': async () => ({ path: `/api/emails/${await failedMail()}/retry` }),
  'POST /api/jobs/{id}/retry': async () => ({ path: `/api/jobs/${await newJob()}/retry` }),
  'POST /api/jobs/{id}/cancel': async () => ({ path: `/api/jobs/${await newJob()}/cancel` }),
  'POST /api/products': async () => ({ path: '/api/products', body: () => ({ name: 'A lamp', price: '1.00' }) }),
  'POST /api/products/{key}/restore': async () => ({ path: `/api/products/${await archivedProduct()}/restore` }),
  'POST /api/products/{key}/stock': async () => ({
    path: `/api/products/${await newProduct({ stock: 5 })}/stock`,
    body: () => ({ delta: -2, reason: 'Broken' }),
  }),
  'POST /api/products/{id}/images': async () => ({
    path: `/api/products/${await newProduct()}/images`,
    body: () => picture(),
  }),
  'POST /api/categories': async () => {
    const name = `Shelf ${newId()}`;
    return { path: '/api/categories', body: () => ({ name }) };
  },
  'POST /api/imports': async () => {
    const text = feed(newId());
    return { path: '/api/imports', body: () => formOf(text, 'feed.xml') };
  },
  'POST /api/imports/{id}/cancel': async () => {
    const { id } = (await boss.post('/api/imports', formOf(feed(newId()), 'feed.xml'))).json;
    return { path: `/api/imports/${id}/cancel` };
  },
  'POST /api/cart/items': async () => {
    const product = await newProduct({ stock: 5 });
    return { path: '/api/cart/items', body: () => ({ product_id: product, quantity: 2 }), by: await guest() };
  },
  'POST /api/orders': async () => {
    const { headers } = await buyer();
    return { path: '/api/orders', body: () => ({ note: 'Ring twice' }), by: headers };
  },
  'POST /api/orders/{id}/cancel': async () => {
    const { headers } = await buyer();
    const order = await made(shop.send('POST', '/api/orders', {}, headers));
    return { path: `/api/orders/${order}/cancel`, by: headers };
  },
};

type Operation = { parameters?: { in: string; name: string; description?: string; required?: boolean }[] };
const operations = () =>
  Object.entries((shop.http.swagger() as { paths: Record<string, Record<string, Operation>> }).paths).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation })),
  );
const keyOf = ({ parameters = [] }: Operation) => parameters.find(({ name }) => name === 'Idempotency-Key');

describe('the routes', () => {
  it('that take a key are every POST but those of /api/auth and of visits, and say so', () => {
    const taking = operations().filter(({ operation }) => keyOf(operation));
    expect(taking.map(({ route }) => route).sort()).toEqual(Object.keys(TABLE).sort());
    const posts = operations().filter(({ route }) => /^POST \/api\/(?!auth\/|visits)/.test(route));
    expect(posts.map(({ route }) => route).sort()).toEqual(Object.keys(TABLE).sort());
    for (const { operation } of taking) {
      expect(keyOf(operation)).toMatchObject({ in: 'header', required: false });
      for (const code of ['idempotency_key_reused', 'idempotency_key_in_use', 'idempotency_answer_lost'])
        expect(keyOf(operation)!.description).toContain(code);
    }
    const guests = operations().find(({ route }) => route === 'POST /api/cart/items')!.operation;
    expect(guests.parameters!.map(({ name }) => name)).toContain('X-Cart-Token');
  });

  it('of errors have their codes in the list of them', async () => {
    const { text } = await shop.get('/docs/errors');
    for (const code of ['idempotency_key_reused', 'idempotency_key_in_use', 'idempotency_answer_lost'])
      expect(text).toContain(`id="${code}"`);
  });

  it.each(Object.keys(TABLE))('%s is done once, and answered again as it was', async (route) => {
    const { path, body, by = boss.headers } = await TABLE[route]!();
    const send = () => shop.send('POST', path, body?.(), { ...by, ...keyed(`once-${route.replaceAll(' ', '')}`) });
    const first = await send();
    expect(first.status, first.text).toBeGreaterThanOrEqual(200);
    expect(first.status, first.text).toBeLessThan(300);
    expect(replayed(first)).toBeNull();
    await shop.events.flush();
    const events = shop.events.position();
    const again = await send();
    expect(replayed(again)).toBe('true');
    expect([again.status, again.text]).toEqual([first.status, first.text]);
    for (const name of ['location', 'etag', 'content-type', 'cache-control'])
      expect(again.headers.get(name), name).toBe(first.headers.get(name));
    await shop.events.flush();
    expect(shop.events.position()).toBe(events);
  });

  it.each(Object.keys(TABLE))('%s notes with what it does that it is done', async (route) => {
    const { path, body, by = boss.headers } = await TABLE[route]!();
    const send = () => shop.send('POST', path, body?.(), { ...by, ...keyed(`noted-${route.replaceAll(' ', '')}`) });
    // As if the process had died before it could keep the answer of what it has committed.
    await shop.db.run(
      sql(`create function forgetful() returns trigger language plpgsql as $$ begin
             if current_query() like 'select keep_answer%' then return null; end if; return new; end $$;
           create trigger forgetful before update on idempotency_keys for each row execute function forgetful()`),
    );
    const first = await send();
    await shop.db.run(sql('drop trigger forgetful on idempotency_keys; drop function forgetful()'));
    expect(first.status, first.text).toBeLessThan(300);
    await shop.db.run(sql("update idempotency_keys set lease_until = now() - interval '1 second'"));
    const again = await send();
    // What keeps its answer with what it does has it even so.
    if (route === 'POST /api/orders') expect([again.status, again.text]).toEqual([201, first.text]);
    else expect([again.status, again.json.code]).toEqual([409, 'idempotency_answer_lost']);
  });

  it('of accounts take none', async () => {
    const email = `${newId()}@example.com`;
    const person = { email, username: `u-${newId()}`, password: 'a long walk by the sea' };
    const register = () => shop.send('POST', '/api/auth/register', person, keyed('two words, which is no key'));
    expect((await register()).status).toBe(201);
    expect((await register()).json.code).toBe('email_taken');
    const logIn = () =>
      shop.send('POST', '/api/auth/token', { email, password: person.password }, { ...boss.headers, ...keyed('k') });
    const [first, again] = [await logIn(), await logIn()];
    expect([first.status, again.status, replayed(again)]).toEqual([200, 200, null]);
    expect(again.json.refresh).not.toBe(first.json.refresh);
  });
});

describe('a key', () => {
  it('has twenty who send the same at once move the stock once', async () => {
    const id = await newProduct({ stock: 100 });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        boss.post(`/api/products/${id}/stock`, { delta: -1, reason: 'Sold' }, keyed(`twenty-${id}`)),
      ),
    );
    for (const { status, json } of answers)
      expect([200, 'idempotency_key_in_use']).toContain(status === 200 ? json.stock + 101 : json.code);
    expect(answers.filter((answer) => answer.status === 200 && !replayed(answer))).toHaveLength(1);
    expect(await stockOf(id)).toBe(99);
    const { moves } = await shop.db.one(
      sql<{ moves: number }>('select count(*) as moves from stock_movements where product_id = $1 and delta = -1', [
        id,
      ]),
    );
    expect(moves).toBe(1);
  });

  it('is refused with another body, and free after a refusal', async () => {
    const id = await newProduct({ stock: 3 });
    const take = (delta: number, key: string) =>
      boss.post(`/api/products/${id}/stock`, { delta, reason: 'Sold' }, keyed(key));
    expect((await take(-5, 'a')).json.code).toBe('insufficient_stock');
    expect((await take(-2, 'a')).json).toEqual({ stock: 1 });
    const other = await take(-1, 'a');
    expect([other.status, other.json.code]).toEqual([422, 'idempotency_key_reused']);
    expect((await take(-5, 'b')).json.code).toBe('insufficient_stock');
    expect((await take(0, 'b')).json.code).toBe('validation_failed');
    expect((await boss.post(`/api/products/${newId()}/stock`, { delta: 1, reason: 'x' }, keyed('b'))).status).toBe(404);
    expect((await take(-1, 'b')).json).toEqual({ stock: 0 });
    expect(replayed(await take(-1, 'b'))).toBe('true');
  });

  it('is one’s own: another user, an API key and a guest’s cart have theirs', async () => {
    const id = await newProduct({ stock: 1_000 });
    const apiKey = (await boss.post('/api/api-keys', { name: 'x', scopes: ['catalogue:write', 'orders:write'] })).json;
    const byKey = { authorization: `Bearer ${apiKey.key}` };
    const colleague = await shop.as('staff');
    const take = (headers: Record<string, string>) =>
      shop.send('POST', `/api/products/${id}/stock`, { delta: -1, reason: 'x' }, { ...headers, ...keyed('shared') });
    for (const [headers, left] of [
      [boss.headers, 999],
      [byKey, 998],
      [colleague.headers, 997],
    ] as const) {
      expect((await take(headers)).json).toEqual({ stock: left });
      const again = await take(headers);
      expect([again.json.stock, replayed(again)]).toEqual([left, 'true']);
    }

    const add = async (headers: Record<string, string>) =>
      shop.send('POST', '/api/cart/items', { product_id: id, quantity: 1 }, { ...headers, ...keyed('shared') });
    const [one, other, customer] = [await guest(), await guest(), await shop.as('customer')];
    for (const headers of [one, other, customer.headers]) {
      const first = await add(headers);
      expect([first.status, replayed(first)]).toEqual([201, null]);
      const again = await add(headers);
      expect([again.text, replayed(again)]).toEqual([first.text, 'true']);
    }
    // Who has no cart yet cannot be told from others.
    const unknown = await add({});
    expect([unknown.status, replayed(unknown)]).toEqual([201, null]);
    expect(replayed(await add({}))).toBeNull();
    expect(replayed(await add({ 'x-cart-token': `${newId()}.forged` }))).toBeNull();
  });

  it('is judged only for who may ask', async () => {
    const path = `/api/products/${await newProduct({ stock: 5 })}/stock`;
    const staff = await shop.as('staff');
    const take = () => staff.post(path, { delta: -1, reason: 'x' }, keyed('rights'));
    expect((await take()).status).toBe(200);
    await boss.patch(`/api/users/${staff.userId}`, { disabled: true });
    expect((await take()).status).toBe(401);
  });

  it('stands for a day', async () => {
    const { headers, product } = await buyer();
    const order = () => shop.send('POST', '/api/orders', {}, { ...headers, ...keyed('daily') });
    const first = await order();
    expect(first.status).toBe(201);
    clock.advance(10 * 60_000);
    expect(await order()).toMatchObject({ status: 201, text: first.text });
    await shop.db.run(sql("update idempotency_keys set created_at = created_at - interval '1 day'"));
    expect((await order()).json.code).toBe('cart_empty');
    expect(await stockOf(product)).toBe(8);
  });
});

describe('a checkout that is sent twenty times at once under one key', () => {
  it('places one order, and each answer is it or that the key is in use', async () => {
    const { headers, product } = await buyer();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => shop.send('POST', '/api/orders', {}, { ...headers, ...keyed('checkout') })),
    );
    const orders = answers.filter(({ status }) => status === 201);
    expect(orders.length).toBeGreaterThan(0);
    expect(new Set(orders.map(({ text }) => text)).size).toBe(1);
    for (const { json } of answers.filter(({ status }) => status !== 201))
      expect(json.code).toBe('idempotency_key_in_use');
    expect(orders.filter((answer) => !replayed(answer))).toHaveLength(1);
    expect(await stockOf(product)).toBe(8);
  });
});

describe('a form', () => {
  it('with an image is known by the image and the words beside it', async () => {
    const id = await newProduct();
    const send = (form: FormData, key = 'image') => boss.post(`/api/products/${id}/images`, form, keyed(key));
    const first = await send(picture(4, { alt: 'A lamp' }));
    expect(first.status, first.text).toBe(201);
    const stored = files('images').length;
    const again = await send(picture(4, { alt: 'A lamp' }));
    expect([again.status, again.text, replayed(again)]).toEqual([201, first.text, 'true']);
    for (const other of [picture(8, { alt: 'A lamp' }), picture(4, { alt: 'Another' }), picture(4)])
      expect((await send(other)).json.code).toBe('idempotency_key_reused');
    expect(files('images')).toHaveLength(stored);
    expect((await boss.get(`/api/products/${id}`)).json.images).toHaveLength(1);
    // A refusal frees the key: what was no image may be sent again as one.
    expect((await send(formOf('no picture', 'a.png'), 'second')).status).toBe(415);
    expect((await send(picture(8), 'second')).status).toBe(201);
  });

  it('with a feed is known by the feed, and a repetition leaves no file behind', async () => {
    const text = feed(newId());
    const send = (form: FormData | object, key = 'feed') => boss.post('/api/imports', form, keyed(key));
    const first = await send(formOf(text, 'spring.xml', { mode: 'upsert' }));
    expect(first.status, first.text).toBe(202);
    const stored = files('imports').length;
    expect(stored).toBeGreaterThan(0);
    const again = await send(formOf(text, 'spring.xml', { mode: 'upsert' }));
    expect([again.status, again.text, replayed(again)]).toEqual([202, first.text, 'true']);
    expect(again.headers.get('location')).toBe(`/api/imports/${first.json.id}`);
    for (const other of [
      formOf(feed(newId()), 'spring.xml', { mode: 'upsert' }),
      formOf(text, 'spring.xml', { mode: 'create' }),
      formOf(text, 'autumn.xml', { mode: 'upsert' }),
      { url: 'http://127.0.0.1:9/feed.xml' },
    ]) {
      const answer = await send(other);
      expect([answer.status, answer.json.code]).toEqual([422, 'idempotency_key_reused']);
    }
    expect(files('imports')).toHaveLength(stored);
    const at = { url: 'http://127.0.0.1:9/feed.xml' };
    const byUrl = await send(at, 'by url');
    expect(byUrl.json.code).toBe('validation_failed');
    const named = await send(at, 'by-url');
    expect(named.status, named.text).toBe(202);
    expect((await send(at, 'by-url')).text).toBe(named.text);
  });

  it('that is sent several times at once is taken once', async () => {
    const text = feed(newId());
    const before = files('imports').length;
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => boss.post('/api/imports', formOf(text, 'feed.xml'), keyed('six'))),
    );
    expect(new Set(answers.map((answer) => answer.json.id)).size).toBe(1);
    expect(answers.filter((answer) => !replayed(answer))).toHaveLength(1);
    expect(files('imports')).toHaveLength(before + 1);
  });
});

it('what is told only once, and the key, can be read neither in the database nor in the log', async () => {
  const key = `key-${newId()}`;
  const secrets: string[] = [key];
  for (const [path, body, field] of [
    ['/api/api-keys', { name: 'till', scopes: ['catalogue:read'] }, 'key'],
    ['/api/webhooks', { url: 'http://127.0.0.1:9/secret' }, 'secret'],
  ] as const) {
    const first = await boss.post(path, body, keyed(key));
    expect(first.status).toBe(201);
    secrets.push(first.json[field]);
    const again = await boss.post(path, body, keyed(key));
    expect([again.json[field], replayed(again)]).toEqual([first.json[field], 'true']);
    expect((await boss.post(path, { ...body, more: 1 }, keyed(key))).status).toBe(400);
  }
  // A fault of ours, which is logged.
  await shop.db.run(sql('alter table api_keys rename to mislaid'));
  expect((await boss.post('/api/api-keys', { name: 'x', scopes: ['catalogue:read'] }, keyed(`${key}b`))).status).toBe(
    500,
  );
  await shop.db.run(sql('alter table mislaid rename to api_keys'));

  const rows = await shop.db.many(sql<Record<string, unknown>>('select * from idempotency_keys'));
  const text = rows.map((row) =>
    Object.values(row)
      .map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : JSON.stringify(value)))
      .join('\n'),
  );
  expect(text.length).toBeGreaterThan(10);
  expect(logged).toContain('a request failed');
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(20);
    expect(text.join('\n')).not.toContain(secret);
    expect(logged).not.toContain(secret);
  }
  // Nor who asked for what.
  for (const told of [boss.userId, 'till', '127.0.0.1']) expect(text.join('\n')).not.toContain(told);
});
