import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateSync } from 'otplib';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { type LoggedEvent, readEvents, readLogEnds } from '../src/kernel/events.ts';
import { createHttp, type Http } from '../src/kernel/http/index.ts';
import { newId } from '../src/kernel/ids.ts';
import { enqueue } from '../src/kernel/jobs.ts';
import { allow, type Role } from '../src/modules/accounts/index.ts';
import { linkImages } from '../src/modules/catalogue/images/feed-links.ts';
import { fetchImages } from '../src/modules/catalogue/images/fetch-images.ts';
import { flatPng } from '../src/modules/catalogue/images/testing.ts';
import { EventMessage, messageOf } from '../src/modules/realtime/events.ts';
import { errorPage } from '../src/storefront/index.ts';
import { buy } from './support/buying.ts';
import { elsewhere, newPerson, PASSWORD, tokenFrom } from './support/person.ts';
import { type Answer, type Caller, feedOf, startTestShop, type TestShop } from './support/shop.ts';

/**
 * GET /api/events is the audit trail of everything that staff did: whatever route of the API writes and is for sellers,
 * staff or superusers, is called here for real, and must have left an event in its caller's name about its subject.
 */

let shop: TestShop;
let boss: Caller;
let dataDir: string;
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'vitrine-audit-'));
  shop = await startTestShop({
    env: { DATA_DIR: dataDir, ALLOW_PRIVATE_ADDRESSES: 'true', SMTP_URL: 'smtp://127.0.0.1:9' },
  });
  boss = await shop.as('superuser');
});
afterAll(async () => {
  await shop.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

type Send = (
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string>,
) => Promise<Pick<Answer, 'status' | 'json'>>;

/** Every registered route of the API that writes, `POST /api/products/{}`, described or not. */
function writeRoutes(http: Http): string[] {
  const above: string[] = [];
  const found: string[] = [];
  for (const line of http.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent, segment, methods] = /^([ │]*)[├└]── (.*?) \(([A-Z, ]+)\)$/.exec(line) ?? [];
    if (indent === undefined) continue;
    above.splice(indent.length / 4, Number.POSITIVE_INFINITY, segment!);
    const path = above.join('').replace(/:[\w|:]+/g, '{}');
    if (path.startsWith('/api/'))
      found.push(
        ...methods!.split(', ').flatMap((method) => (/GET|HEAD|OPTIONS/.test(method) ? [] : `${method} ${path}`)),
      );
  }
  return found.sort();
}

/** Of these, the ones that refuse a customer for not being more. */
async function staffRoutes(http: Http, send: Send = shop.send): Promise<string[]> {
  const refused = await Promise.all(
    writeRoutes(http).map(async (route) => {
      const [method, path] = route.split(' ') as [string, string];
      const { headers } = await shop.as('customer');
      const { status } = await send(method, path.replaceAll('{}', newId), undefined, headers);
      return status === 403 ? [route] : [];
    }),
  );
  return refused.flat();
}

type Call = {
  path: string;
  body?: unknown;
  /** Each event that it must leave, with the id of what it is about. */
  leaves(answer: Pick<Answer, 'json'>): [type: string, subjectId: string][];
};
type Row = { as: Role; prepare(caller: Caller): Promise<Call> };

const made = async (answer: Promise<Answer>): Promise<string> => {
  const { status, json } = await answer;
  expect(status).toBe(201);
  return json.id;
};
const newProduct = (by: Caller, fields = {}) =>
  made(by.post('/api/products', { name: 'A quiet lamp', price: '10.00', ...fields }));
const newCategory = () => made(boss.post('/api/categories', { name: `Shelf ${newId()}` }));
const picture = () => {
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(flatPng(4, 5))], { type: 'image/png' }), 'a.png');
  return form;
};
const newImage = (product: string) => made(boss.post(`/api/products/${product}/images`, picture()));
const newWebhook = () =>
  made(boss.post('/api/webhooks', { url: 'http://127.0.0.1:9/hook', types: ['product.updated'] }));
const feed = (text = feedOf([{ id: newId(), title: 'A lamp', price: '5 USD' }])) => {
  const form = new FormData();
  form.append('file', new Blob([text]), 'feed.xml');
  return form;
};
async function newJob(): Promise<string> {
  const name = `audit.${newId()}`;
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
  const mail = await shop.db.one(
    sql<{ id: string }>(`update emails set state = 'failed', next_try_at = null where recipient = $1 returning id`, [
      email,
    ]),
  );
  return mail.id;
}
async function failedDelivery(): Promise<{ id: string; webhook: string }> {
  const webhook = await newWebhook();
  const id = newId();
  await shop.db.run(
    sql(
      `insert into webhook_deliveries (id, endpoint_id, event_id, position, type, state, created_at)
       select $1, $2, event_id, position, type, 'failed', now() from events order by position limit 1`,
      [id, webhook],
    ),
  );
  return { id, webhook };
}

/** A row whose call is about one thing that was there before. */
const about = (
  as: Role,
  type: string,
  there: (caller: Caller) => Promise<string>,
  path: (id: string) => string,
  body?: unknown | ((id: string) => unknown),
): Row => ({
  as,
  async prepare(caller) {
    const id = await there(caller);
    return { path: path(id), body: typeof body === 'function' ? body(id) : body, leaves: () => [[type, id]] };
  },
});
/** A row whose call makes the thing. */
const making = (as: Role, type: string, path: string, body: () => unknown): Row => ({
  as,
  prepare: async () => ({ path, body: body(), leaves: ({ json }) => [[type, json.id]] }),
});

const product = (id: string) => `/api/products/${id}`;
const category = (id: string) => `/api/categories/${id}`;

const TABLE: Readonly<Record<string, Row>> = {
  'POST /api/products': making('seller', 'product.created', '/api/products', () => ({ name: 'A lamp', price: '1.00' })),
  'PATCH /api/products': {
    as: 'staff',
    async prepare() {
      const ids = [await newProduct(boss), await newProduct(boss)];
      const body = ids.map((id) => ({ id, name: 'A louder lamp' }));
      return { path: '/api/products', body, leaves: () => ids.map((id) => ['product.updated', id]) };
    },
  },
  'PUT /api/products/{}': about('seller', 'product.updated', newProduct, product, { name: 'Another', price: '2.00' }),
  'PATCH /api/products/{}': {
    as: 'seller',
    async prepare(caller) {
      const id = await newProduct(caller, { stock: 5 });
      return {
        path: product(id),
        body: { price: '3.00', stock: 7, expected_stock: 5 },
        leaves: () => [
          ['product.updated', id],
          ['stock.adjusted', id],
        ],
      };
    },
  },
  'DELETE /api/products/{}': about('seller', 'product.deleted', newProduct, product),
  'POST /api/products/{}/restore': about(
    'staff',
    'product.restored',
    archivedProduct,
    (id) => `${product(id)}/restore`,
  ),
  'POST /api/products/{}/stock': about(
    'staff',
    'stock.adjusted',
    () => newProduct(boss, { stock: 5 }),
    (id) => `${product(id)}/stock`,
    { delta: -2, reason: 'Broken' },
  ),
  'POST /api/products/{}/images': about('seller', 'image.added', newProduct, (id) => `${product(id)}/images`, picture),
  'PUT /api/products/{}/images/order': {
    as: 'staff',
    async prepare() {
      const id = await newProduct(boss);
      const ids = [await newImage(id), await newImage(id)].reverse();
      return { path: `${product(id)}/images/order`, body: { ids }, leaves: () => [['image.reordered', id]] };
    },
  },
  'DELETE /api/products/{}/images/{}': {
    as: 'staff',
    async prepare() {
      const id = await newProduct(boss);
      return { path: `${product(id)}/images/${await newImage(id)}`, leaves: () => [['image.deleted', id]] };
    },
  },
  'POST /api/categories': making('staff', 'category.created', '/api/categories', () => ({ name: `Shelf ${newId()}` })),
  'PUT /api/categories/{}': about('staff', 'category.updated', newCategory, category, { name: 'Another shelf' }),
  'PATCH /api/categories/{}': about('staff', 'category.updated', newCategory, category, { description: 'For lamps' }),
  'DELETE /api/categories/{}': about('staff', 'category.deleted', newCategory, category),
  'PUT /api/categories/{}/image': about(
    'staff',
    'category.updated',
    newCategory,
    (id) => `${category(id)}/image`,
    picture,
  ),
  'DELETE /api/categories/{}/image': about(
    'staff',
    'category.updated',
    async () => {
      const id = await newCategory();
      expect((await boss.put(`${category(id)}/image`, picture())).status).toBe(200);
      return id;
    },
    (id) => `${category(id)}/image`,
  ),
  'POST /api/imports': making('staff', 'import.queued', '/api/imports', () => feed()),
  'POST /api/imports/{}/cancel': about(
    'staff',
    'import.cancelled',
    async () => (await boss.post('/api/imports', feed())).json.id,
    (id) => `/api/imports/${id}/cancel`,
  ),
  'PATCH /api/orders/{}/status': about(
    'staff',
    'order.status_changed',
    async () => (await buy(await shop.as('customer'), [[{ id: await newProduct(boss) }, 1]])).id,
    (id) => `/api/orders/${id}/status`,
    { status: 'shipped' },
  ),
  'PATCH /api/users/{}': about(
    'superuser',
    'user.updated',
    async () => (await newPerson(shop)).id,
    (id) => `/api/users/${id}`,
    { role: 'staff' },
  ),
  'POST /api/api-keys': making('superuser', 'api_key.created', '/api/api-keys', () => ({
    name: 'till',
    scopes: ['catalogue:read'],
  })),
  'DELETE /api/api-keys/{}': about(
    'superuser',
    'api_key.revoked',
    () => made(boss.post('/api/api-keys', { name: 'till', scopes: ['catalogue:read'] })),
    (id) => `/api/api-keys/${id}`,
  ),
  'POST /api/emails/{}/retry': about('superuser', 'email.retried', failedMail, (id) => `/api/emails/${id}/retry`),
  'POST /api/jobs/{}/retry': about('superuser', 'job.retried', newJob, (id) => `/api/jobs/${id}/retry`),
  'POST /api/jobs/{}/cancel': about('superuser', 'job.cancelled', newJob, (id) => `/api/jobs/${id}/cancel`),
  'POST /api/webhooks': making('superuser', 'webhook.created', '/api/webhooks', () => ({
    url: 'http://127.0.0.1:9/x',
  })),
  'PATCH /api/webhooks/{}': about('superuser', 'webhook.updated', newWebhook, (id) => `/api/webhooks/${id}`, {
    active: false,
  }),
  'DELETE /api/webhooks/{}': about('superuser', 'webhook.deleted', newWebhook, (id) => `/api/webhooks/${id}`),
  'POST /api/webhook-deliveries/{}/retry': {
    as: 'superuser',
    async prepare() {
      const { id, webhook } = await failedDelivery();
      return {
        path: `/api/webhook-deliveries/${id}/retry`,
        leaves: () => [['webhook.delivery_retried', webhook]],
      };
    },
  },
};

async function archivedProduct(): Promise<string> {
  const id = await newProduct(boss);
  await shop.db.run(sql('insert into sold_products (product_id, first_sold_at) values ($1, now())', [id]));
  expect((await boss.delete(product(id))).status).toBe(204);
  return id;
}

/** What is answered before its event stands in the log, the next read would not find there: no relay gets on here for a moment. */
async function afterItsEvent<T>(ask: () => Promise<T>): Promise<T> {
  const answer = await shop.db.transaction(async (tx) => {
    await tx.one(sql('select position from event_log_head for update'));
    const asked = ask();
    return { asked, isEarly: await Promise.race([asked.then(() => true), sleep(100, false)]) };
  });
  expect(answer.isEarly, 'answered before its event').toBe(false);
  return answer.asked;
}

/** Calls the route, and has the trail show what the caller did as soon as it is answered. */
async function expectTrail(route: string, row: Row, send: Send = shop.send): Promise<void> {
  const caller = await shop.as(row.as);
  const { path, body, leaves } = await row.prepare(caller);
  await shop.events.flush();
  const before = shop.events.position();
  const answer = await afterItsEvent(() => send(route.split(' ')[0]!, path, body, caller.headers));
  expect(answer.status, JSON.stringify(answer.json)).toBeLessThan(300);
  const trail = await boss.get(`/api/events?after=${before}&limit=1000`);
  expect(trail.status).toBe(200);
  const theirs = (trail.json.items as EventMessage[]).filter((event) => event.actor?.id === caller.userId);
  const left = theirs.map(({ type, subject }) => [type, subject.id]);
  expect(left.sort()).toEqual(leaves(answer).sort());
  for (const event of theirs) expect(event.actor?.username).toBe(caller.username);
}

describe('the audit trail', () => {
  it('is demanded of every write route that is not for everybody', async () => {
    const routes = await staffRoutes(shop.http);
    expect(routes.length).toBeGreaterThan(20);
    expect(routes).toEqual(Object.keys(TABLE).sort());
  });

  it.each(Object.entries(TABLE))('holds what %s did, by whom and to what', (route, row) => expectTrail(route, row));

  it('finds a planted route that leaves no event, though no description tells of it', async () => {
    const { config, cache, log } = shop;
    const http = await createHttp({ config, cache, log, errorPage: errorPage(config.SHOP_NAME) });
    onTestFinished(() => http.close());
    shop.accounts.guard(http);
    const schema = { summary: 'Planted', tags: ['Planted'], hide: true, response: { 204: Type.Null() } };
    for (const access of ['staff', 'user'] as const)
      http.post(`/api/planted/${access}`, { schema, config: allow(access) }, async (_, reply) => {
        // As slow as one that waits for its event.
        await sleep(200);
        return reply.code(204).send(null);
      });
    await http.ready();
    const send: Send = async (method, url, _, headers = {}) => {
      const { statusCode } = await http.inject({ method: method as 'POST', url, headers });
      return { status: statusCode, json: undefined };
    };
    expect(await staffRoutes(http, send)).toEqual(['POST /api/planted/staff']);
    expect(Object.keys(TABLE)).not.toContain('POST /api/planted/staff');
    const row = about(
      'staff',
      'planted.done',
      async () => newId(),
      () => '/api/planted/staff',
    );
    await expect(expectTrail('POST /api/planted/staff', row, send)).rejects.toThrow(/to deeply equal/);
  });
});

const eventsSince = (after: number) => readEvents(shop.db, { after, limit: 10_000 });
const nobody = new Map<string, string>();

describe('an event about a product', () => {
  /** A feed with images from a host of its own, imported twice: first three of them, then others in another order. */
  async function importImages(): Promise<void> {
    const host = createServer((_, response) => response.writeHead(200).end(flatPng(4, 5)));
    await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
    const at = (name: string) => `http://127.0.0.1:${(host.address() as AddressInfo).port}/${name}`;
    const item = { id: 'FEED-1', title: 'A lamp', price: '5 USD' };
    const { signal } = new AbortController();
    for (const [first, ...others] of [
      ['a', 'b', 'c'],
      ['c', 'a', 'b'],
      ['b', 'c'],
    ]) {
      const links = { image_link: at(first!), additional_image_link: others.map(at) };
      const { id } = await shop.importText(feedOf([{ ...item, ...links }]), 'upsert');
      await linkImages(shop, id, signal);
      await fetchImages({ ...shop, ...shop.images }, { signal });
    }
    host.closeAllConnections();
    host.close();
  }

  let id: string;
  let shown: Record<string, unknown>;
  let images: string[];
  let all: LoggedEvent[];
  beforeAll(async () => {
    const before = (await readLogEnds(shop.db)).head;
    id = await newProduct(boss, { sku: 'TOLD-1', stock: 5 });
    shown = (await shop.get(product(id))).json;
    await boss.patch(product(id), { name: 'A bright lamp', price: '12.50', slug: 'a-bright-lamp' });
    await boss.patch('/api/products', [{ id, sale_price: '9.99', featured: true }]);
    await boss.put(product(id), { name: 'A bright lamp', price: '12.50', sku: 'TOLD-1' });
    await boss.patch(product(id), { stock: 4, expected_stock: 5 });
    await boss.post(`${product(id)}/stock`, { delta: -1, reason: 'Broken' });
    images = [await newImage(id), await newImage(id)];
    await boss.put(`${product(id)}/images/order`, { ids: images.toReversed() });
    await boss.delete(`${product(id)}/images/${images[0]}`);
    await shop.db.run(sql('insert into sold_products (product_id, first_sold_at) values ($1, now())', [id]));
    await boss.delete(product(id));
    await boss.post(`${product(id)}/restore`);
    await shop.db.run(sql('delete from sold_products where product_id = $1', [id]));
    await boss.delete(product(id));
    await importImages();
    await shop.events.flush();
    all = await eventsSince(before);
  });

  it('says which product it is, and what changed field by field in the names of the API', () => {
    const told = all.filter((event) => event.subject_id === id);
    expect(told.map(({ type, changes }) => [type, changes])).toEqual([
      [
        'product.created',
        expect.objectContaining({ price: { from: null, to: '10.00' }, sku: { from: null, to: 'TOLD-1' } }),
      ],
      [
        'product.updated',
        {
          name: { from: 'A quiet lamp', to: 'A bright lamp' },
          price: { from: '10.00', to: '12.50' },
          slug: { from: shown.slug, to: 'a-bright-lamp' },
        },
      ],
      ['product.updated', { sale_price: { from: null, to: '9.99' }, featured: { from: false, to: true } }],
      [
        'product.updated',
        expect.objectContaining({ sale_price: { from: '9.99', to: null }, featured: { from: true, to: false } }),
      ],
      ['stock.adjusted', { stock: { from: 5, to: 4 } }],
      ['stock.adjusted', { stock: { from: 4, to: 3 } }],
      ['image.added', { image_url: { from: shown.image_url, to: expect.stringContaining(images[0]!) } }],
      ['image.added', {}],
      ['image.reordered', { image_url: { from: expect.anything(), to: expect.stringContaining(images[1]!) } }],
      ['image.deleted', {}],
      ['product.deleted', {}],
      ['product.restored', {}],
      [
        'product.deleted',
        expect.objectContaining({ price: { from: '12.50', to: null }, sku: { from: 'TOLD-1', to: null } }),
      ],
    ]);
    expect(told.at(-3)!.data).toMatchObject({ archived: true });
    expect(told.at(-1)!.data).toMatchObject({ archived: false });
    expect(told[1]!.data).toEqual({ sku: 'TOLD-1', slug: 'a-bright-lamp', name: 'A bright lamp' });

    const ofFeed = all.filter((event) => event.data.sku === 'FEED-1');
    expect(
      Map.groupBy(ofFeed, (event) => event.type)
        .keys()
        .toArray()
        .sort(),
    ).toEqual(['image.added', 'image.deleted', 'image.reordered']);
  });

  it('is told to clients as they were promised, whichever it is', async () => {
    const names = new Set([...Object.keys(shown), 'category_id']);
    const events = all.filter((event) => event.subject_type === 'product');
    const imports = await shop.db.many(sql<{ id: string }>("select id from imports where status = 'completed'"));
    const messages: unknown[] = events.map((event) => messageOf(event, nobody));
    for (const { id } of imports) messages.push(...(await boss.get(`/api/events?import_id=${id}`)).json.items);
    expect(messages.length).toBeGreaterThan(20);
    for (const message of messages as EventMessage[]) {
      expect([...Value.Errors(EventMessage, message)], JSON.stringify(message)).toEqual([]);
      expect(message.product, message.type).toEqual({
        id: message.subject.id,
        sku: expect.stringMatching(/^(?!undefined)./),
        slug: expect.stringMatching(/./),
        name: expect.stringMatching(/./),
      });
      for (const field of Object.keys(message.changes)) expect(names, `${field} of ${message.type}`).toContain(field);
    }
    expect([...new Set((messages as EventMessage[]).map(({ type }) => type))].sort()).toEqual([
      'image.added',
      'image.deleted',
      'image.reordered',
      'product.created',
      'product.deleted',
      'product.restored',
      'product.updated',
      'stock.adjusted',
    ]);
  });
});

describe('events about users', () => {
  it('name nobody, and are notices to whom they are about', async () => {
    const before = (await readLogEnds(shop.db)).head;
    const person = await newPerson(shop);
    const change = (method: string, path: string, body: unknown) => person.send(method, path, body);
    expect((await change('PATCH', '/api/profile', { first_name: 'Ann' })).status).toBe(200);
    expect((await change('PUT', '/api/profile/notifications', { orders: false })).status).toBe(200);
    await elsewhere(shop, person);
    const { items } = (await person.get('/api/auth/sessions')).json as { items: { id: string; current: boolean }[] };
    const other = items.find(({ current }) => !current)!.id;
    expect((await change('DELETE', `/api/auth/sessions/${other}`, undefined)).status).toBe(204);
    expect((await change('DELETE', `/api/auth/sessions/${other}`, undefined)).status).toBe(404);
    expect((await boss.patch(`/api/users/${person.id}`, { role: 'seller' })).status).toBe(200);
    expect((await person.renew()).status).toBe(200);
    const next = 'another walk by the sea';
    const passwords = { current_password: PASSWORD, password: next };
    expect((await change('POST', '/api/auth/password/change', passwords)).status).toBe(204);
    expect((await shop.send('POST', '/api/auth/password/forgot', { email: person.email })).status).toBe(202);
    const token = await tokenFrom(shop, person.email, 'reset_password');
    const reset = await shop.send('POST', '/api/auth/password/reset', { token, password: PASSWORD });
    expect(reset.status).toBe(204);
    expect((await person.logIn()).status).toBe(200);
    const { secret } = (await person.post('/api/auth/otp/enroll')).json;
    expect((await person.post('/api/auth/otp/confirm', { otp: generateSync({ secret }) })).status).toBe(200);
    expect((await person.renew()).status).toBe(200);
    expect((await boss.patch(`/api/users/${person.id}`, { second_factor: false })).status).toBe(200);
    expect((await person.renew()).status).toBe(200);
    const spent = person.refresh;
    expect((await person.renew()).status).toBe(200);
    expect((await shop.send('POST', '/api/auth/token/refresh', { refresh: spent })).status).toBe(401);
    expect((await person.logIn()).status).toBe(200);
    expect((await boss.patch(`/api/users/${person.id}`, { disabled: true })).status).toBe(200);

    const events = (await eventsSince(before)).filter((event) => event.subject_id === person.id);
    const by = { [person.id]: 'self', [boss.userId]: 'boss' };
    const about = { from: expect.anything(), to: expect.anything() };
    expect(events.map((event) => [event.type, by[event.actor_id ?? ''] ?? null, event.changes, event.data])).toEqual([
      ['user.registered', 'self', {}, { role: 'customer' }],
      ['user.updated', 'self', {}, { fields: ['first_name'] }],
      ['user.updated', 'self', {}, { fields: ['notifications'] }],
      ['user.sessions_ended', 'self', {}, { sessions: 1, session_id: other }],
      ['user.updated', 'boss', { role: { from: 'customer', to: 'seller' } }, {}],
      ['user.password_changed', 'self', {}, {}],
      ['user.password_reset', 'self', {}, {}],
      ['user.second_factor_enabled', 'self', {}, {}],
      ['user.updated', 'boss', { second_factor: { from: true, to: false } }, {}],
      ['user.refresh_reused', null, {}, { session_id: expect.any(String) }],
      ['user.updated', 'boss', { disabled: about }, {}],
    ]);
    const notices = await readEvents(shop.db, { after: before, limit: 100, userId: person.id });
    expect(notices.map((event) => event.position)).toEqual(events.slice(1).map((event) => event.position));
  });

  it('tell of an import to whom it was of', async () => {
    const before = (await readLogEnds(shop.db)).head;
    const staff = await shop.as('staff');
    const queue = async (body = feed()) => (await staff.post('/api/imports', body)).json.id as string;
    const work = (id: string) =>
      shop.imports.runJob.run({ id }, { signal: AbortSignal.timeout(20_000), log: shop.log, isLastAttempt: false });
    const [cancelled, completed, failed] = [await queue(), await queue(), await queue(feed('<rss>'))];
    expect((await boss.post(`/api/imports/${cancelled}/cancel`)).status).toBe(200);
    await work(completed);
    await work(failed);
    await shop.events.flush();
    const notices = await readEvents(shop.db, { after: before, limit: 100, userId: staff.userId });
    expect(notices.map((event) => [event.type, event.subject_id, event.actor_id])).toEqual([
      ['import.cancelled', cancelled, boss.userId],
      ['import.completed', completed, staff.userId],
      ['import.failed', failed, staff.userId],
    ]);
  });
});
