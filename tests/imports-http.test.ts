import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { startJobs } from '../src/kernel/jobs.ts';
import { createOutbound } from '../src/kernel/outbound.ts';
import { eventually } from '../src/kernel/testing/index.ts';
import { acceptUrl } from '../src/modules/imports/accept-import.ts';
import { generateFeed } from '../src/modules/imports/feed/generate.ts';
import { createImports } from '../src/modules/imports/index.ts';
import { type Answer, type Caller, feedOf, startTestShop, type TestShop } from './support/shop.ts';

/** Feeds that staff send over HTTP: what is stored, what is run, what can still be stopped, and what a dead worker leaves. */

// biome-ignore lint/suspicious/noExplicitAny: rows that the tests look into
type Row = Record<string, any>;
type Item = Record<string, string>;

let shop: TestShop;
let staff: Caller;
let folder: string;
let worker: { stop(): Promise<void> } | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vitrine-imports-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function withShop(env: Record<string, string> = {}): void {
  beforeEach(async () => {
    shop = await startTestShop({ env: { DATA_DIR: await mkdtemp(join(folder, 'data-')), ...env } });
    staff = await shop.as('staff');
  });
  afterEach(async () => {
    await stopWork();
    await shop.stop();
  });
}

/** Begins to work on jobs, as a worker does. */
async function work(): Promise<void> {
  worker = await startJobs({ url: shop.directUrl, jobs: shop.jobs, concurrency: 4, log: shop.log });
}

async function stopWork(): Promise<void> {
  await worker?.stop();
  worker = undefined;
}

const rows = (text: string, values: unknown[] = []) => shop.db.many<Row>(sql(text, values));
const issuesCount = async () => (await rows('select count(*) as n from import_issues'))[0]!.n;
const products = async () => (await rows('select count(*) as n from products'))[0]!.n;

/** The files of the blob store, finished and not, but for those that go along with messages. */
function blobs(): string[] {
  const root = join(shop.config.DATA_DIR, 'blobs');
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && basename(file.parentPath) !== 'mails')
    .map((file) => file.name);
}

const expectNothingStored = () =>
  eventually(async () => {
    expect(await rows('select id from imports')).toEqual([]);
    expect(blobs()).toEqual([]);
  });

type Field = [name: string, value: string | Blob, fileName?: string];

function form(...fields: Field[]): FormData {
  const data = new FormData();
  for (const [name, value, fileName] of fields) {
    if (typeof value === 'string') data.append(name, value);
    else data.append(name, value, fileName ?? 'feed.xml');
  }
  return data;
}

const upload = (content: string | Buffer, mode?: string, by = staff): Promise<Answer> =>
  by.post('/api/imports', form(['file', new Blob([content as string])], ...(mode ? [['mode', mode] as Field] : [])));

async function accepted(answer: Answer | Promise<Answer>): Promise<string> {
  const { status, json, text } = await answer;
  expect(status, text).toBe(202);
  return json.id;
}

const read = async (id: string) => (await staff.get(`/api/imports/${id}`)).json;

async function ended(id: string, ms = 30_000): Promise<Row> {
  let found: Row = {};
  await eventually(async () => {
    found = await read(id);
    expect(found.status).toMatch(/^(completed|failed|cancelled)$/);
  }, ms);
  await shop.events.flush();
  return found;
}

const eventsOf = async (id: string) =>
  (
    await rows(
      "select type from events where subject_id = $1 and type not in ('import.queued', 'import.stock_counted') order by position",
      [id],
    )
  ).map((row) => row.type);

const NONE = { read: 0, created: 0, updated: 0, unchanged: 0, existing: 0, rejected: 0 };
const item = (id: string, more: Item = {}): Item => ({
  id,
  title: `Thing ${id}`,
  price: '5 USD',
  quantity: '3',
  ...more,
});

/** `mergeStaged` takes this lock first: whoever holds it decides when a merge goes on. */
async function holdMerges(): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: shop.directUrl });
  await client.connect();
  await client.query('select pg_advisory_lock($1)', [0x6d657267]);
  return () => client.end();
}

const mergeWaits = () =>
  eventually(async () => {
    expect(
      await rows(
        "select pid from pg_locks where locktype = 'advisory' and not granted and objid = $1 and database = (select oid from pg_database where datname = current_database())",
        [0x6d657267],
      ),
    ).toHaveLength(1);
  }, 30_000);

/** Bytes that are really held, in the heap and in buffers: what only waits for the collector is collected first. */
function held(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('a feed that is uploaded', () => {
  withShop();

  it('is stored, queued, imported, and told of', async () => {
    const feed = feedOf([item('a'), item('b'), item('c', { price: 'free' })]);
    const answer = await staff.post(
      '/api/imports',
      form(['file', new Blob([feed]), 'C:\\feeds\\spring\u0000 & co.xml']),
    );
    const id = await accepted(answer);
    expect(answer.headers.get('location')).toBe(`/api/imports/${id}`);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const queued = {
      id,
      status: 'queued',
      mode: 'create',
      file_name: expect.stringMatching(/^spring.* & co\.xml$/),
      size_bytes: Buffer.byteLength(feed),
      bytes_read: 0,
      counts: NONE,
      error: null,
      created_by: { id: staff.userId, username: staff.username },
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      started_at: null,
      finished_at: null,
    };
    expect(answer.json).toEqual(queued);
    expect(await read(id)).toEqual(queued);
    const [stored] = await rows('select blob_key, sha256 from imports');
    expect(stored).toEqual({ blob_key: `imports/${id}`, sha256: createHash('sha256').update(feed).digest('hex') });

    await work();
    expect(await ended(id)).toEqual({
      ...queued,
      status: 'completed',
      bytes_read: Buffer.byteLength(feed),
      counts: { ...NONE, read: 3, created: 2, rejected: 1 },
      started_at: expect.any(String),
      finished_at: expect.any(String),
    });
    const { json } = await staff.get(`/api/imports/${id}/issues`);
    expect(json).toEqual({
      items: [
        {
          line: expect.any(Number),
          sku: 'c',
          field: 'price',
          code: 'price_invalid',
          message: expect.any(String),
          rejected: true,
        },
      ],
      page: 1,
      page_size: 10,
      total: 1,
      total_pages: 1,
      next_cursor: null,
    });
    expect(await eventsOf(id)).toEqual(['import.merged', 'import.completed']);
    const [event] = await rows("select actor_id, data from events where type = 'import.completed'");
    expect(event).toMatchObject({ actor_id: staff.userId, data: { mode: 'create', counts: { created: 2 } } });
    expect((await shop.get('/api/products?search=thing')).json.total).toBe(2);
  });

  it('may be packed, and its mode may stand before it or behind it', async () => {
    await work();
    const send = (feed: Item[], ...fields: Field[]) =>
      staff.post(
        '/api/imports',
        form(...fields.map(([name, value]): Field => [name, value || new Blob([gzipSync(feedOf(feed))])])),
      );
    const first = await ended(await accepted(send([item('a')], ['mode', 'upsert'], ['file', ''])));
    expect(first).toMatchObject({ mode: 'upsert', status: 'completed', counts: { read: 1, created: 1 } });
    const second = await ended(await accepted(send([item('a', { price: '6 USD' })], ['file', ''], ['mode', 'upsert'])));
    expect(second).toMatchObject({ mode: 'upsert', status: 'completed', counts: { read: 1, updated: 1 } });
    const third = await ended(await accepted(send([item('a', { price: '7 USD' })], ['file', ''])));
    expect(third).toMatchObject({ mode: 'create', counts: { read: 1, existing: 1 } });
    expect((await staff.get(`/api/imports/${third.id}/issues`)).json.items).toMatchObject([
      { code: 'already_exists', rejected: false },
    ]);
  });

  it('that is not well-formed fails as a whole, with line and column', async () => {
    await work();
    const id = await accepted(upload(`${feedOf([item('a')]).replace('</channel>', '\n  </chanel>')}`));
    const found = await ended(id);
    expect(found).toMatchObject({
      status: 'failed',
      counts: NONE,
      error: { code: 'not_well_formed', message: expect.stringMatching(/\.$/), line: 4, column: expect.any(Number) },
    });
    expect(found.error.column).toBeGreaterThan(2);
    expect(await products()).toBe(0);
    expect(await eventsOf(id)).toEqual(['import.failed']);
  });

  it('is refused when the form is not one file and its mode, and nothing of it is kept', async () => {
    const file: Field = ['file', new Blob([feedOf([item('a')])])];
    const wrong: [Field[], string][] = [
      [[], 'file'],
      [[['mode', 'create']], 'file'],
      [[['file', new Blob([])]], 'file'],
      [[file, file], 'file'],
      [[['file', 'only text']], 'file'],
      [[file, ['mode', 'replace']], 'mode'],
      [[['mode', 'replace'], file], 'mode'],
      [[file, ['mode', 'create'], ['mode', 'upsert']], 'mode'],
      [[['mode', new Blob(['create'])], file], 'mode'],
      [[file, ['note', 'x']], 'note'],
      [[['url', 'http://example.com/'], file], 'url'],
      [[file, ['image', new Blob(['x'])]], 'image'],
    ];
    for (const [fields, path] of wrong) {
      const { status, json } = await staff.post('/api/imports', form(...fields));
      expect([status, json?.code, json?.errors?.[0].path], path).toEqual([400, 'validation_failed', path]);
    }
    const broken: [string, string][] = [
      ['multipart/form-data', 'no boundary'],
      ['multipart/form-data; boundary=x', 'nothing of the kind'],
      [
        'multipart/form-data; boundary=x',
        '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nhalf',
      ],
      ['multipart/form-data; boundary=x', '--x\r\ncontent-disposition: form-data; name="__proto__"\r\n\r\nx\r\n--x--'],
    ];
    for (const [type, body] of broken) {
      const { status, json } = await shop.send('POST', '/api/imports', body, {
        ...staff.headers,
        'content-type': type,
      });
      expect([status, json?.code], body).toEqual([400, expect.stringMatching(/^(bad_request|validation_failed)$/)]);
    }
    for (const [type, body, expected] of [
      ['text/xml', '<rss/>', 415],
      ['application/x-www-form-urlencoded', 'url=http%3A%2F%2Fexample.com', 415],
      ['application/json', '{"url": 1}', 400],
      ['application/json', '{"url": "http://example.com/", "file": "x"}', 400],
      ['application/json', '{"url": "http://example.com/", "mode": "replace"}', 400],
      ['application/json', '{}', 400],
      ['application/json', '', 400],
    ] as const) {
      const { status } = await shop.send('POST', '/api/imports', body, { ...staff.headers, 'content-type': type });
      expect(status, `${type} ${body}`).toBe(expected);
    }
    expect((await shop.send('POST', '/api/imports', undefined, staff.headers)).status).toBe(400);
    await expectNothingStored();
  });

  it('leaves nothing when it breaks off', async () => {
    const { port } = new URL(shop.url);
    const socket = connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    const head = `POST /api/imports HTTP/1.1\r\nhost: shop\r\nauthorization: ${staff.headers.authorization}\r\ncontent-type: multipart/form-data; boundary=x\r\ncontent-length: 1000000\r\n\r\n`;
    socket.write(
      `${head}--x\r\ncontent-disposition: form-data; name="file"; filename="a.xml"\r\n\r\n${'a'.repeat(100_000)}`,
    );
    await eventually(() => expect(blobs()).toHaveLength(1));
    socket.destroy();
    await expectNothingStored();
  });

  it('of a hundred megabytes passes through without being held in memory', async () => {
    let bytes = 0;
    async function* body() {
      yield Buffer.from('--x\r\ncontent-disposition: form-data; name="file"; filename="large.xml"\r\n\r\n');
      for (const part of generateFeed(200_000, { seed: 3, currency: 'USD' })) {
        if (bytes > 100_000_000) break;
        const chunk = Buffer.from(part);
        bytes += chunk.length;
        yield chunk;
      }
      yield Buffer.from('\r\n--x--\r\n');
    }
    // Modules and pools are there before it is measured.
    await work();
    await ended(await accepted(upload(feedOf([item('a')]))));
    const before = held();
    let peak = before;
    const timer = setInterval(() => {
      peak = Math.max(peak, held());
    }, 500);
    try {
      // fetch would hold what it sends until the end.
      const request = httpRequest(`${shop.url}/api/imports`, {
        method: 'POST',
        headers: { ...staff.headers, 'content-type': 'multipart/form-data; boundary=x' },
      });
      const answer = once(request, 'response');
      await pipeline(Readable.from(body(), { objectMode: false }), request);
      const [response] = (await answer) as [IncomingMessage];
      expect(response.statusCode).toBe(202);
      const { id } = (await json(response)) as Row;
      expect((await stat(join(shop.config.DATA_DIR, 'blobs/imports', id))).size).toBe(bytes);
      // Half of it is read too; the merge of all that is measured elsewhere.
      const seen = new Set<number>();
      await eventually(async () => {
        const { bytes_read, counts } = await read(id);
        seen.add(bytes_read);
        if (bytes_read > 0) expect(counts.read).toBeGreaterThan(0);
        expect(bytes_read).toBeGreaterThan(bytes / 2);
      }, 60_000);
      expect(seen.size).toBeGreaterThan(2);
      expect((await staff.post(`/api/imports/${id}/cancel`)).status).toBe(200);
    } finally {
      clearInterval(timer);
    }
    expect((peak - before) / 1e6).toBeLessThan(40);
    expect(await products()).toBe(1);
  }, 120_000);
});

describe('who may', () => {
  withShop();

  it('is staff, and a key with the scope', async () => {
    const id = await accepted(upload(feedOf([item('a')])));
    const calls = [
      ['GET', '/api/imports'],
      ['GET', `/api/imports/${id}`],
      ['GET', `/api/imports/${id}/issues`],
      ['GET', `/api/imports/${id}/issues?format=csv`],
      ['POST', '/api/imports'],
      ['POST', `/api/imports/${id}/cancel`],
    ] as const;
    const [customer, seller] = [await shop.as('customer'), await shop.as('seller')];
    for (const [method, path] of calls) {
      const status = async (headers: Record<string, string>) => {
        const body = path === '/api/imports' && method === 'POST' ? form(['file', new Blob(['x'])]) : undefined;
        return (await shop.send(method, path, body, headers)).status;
      };
      expect(await status({}), path).toBe(401);
      expect(await status({ authorization: 'Bearer nonsense' }), path).toBe(401);
      expect(await status(customer.headers), path).toBe(403);
      expect(await status(seller.headers), path).toBe(403);
    }
    expect(await rows('select id, status from imports')).toEqual([{ id, status: 'queued' }]);
    expect(blobs()).toEqual([id]);
  });
});

describe('lists', () => {
  withShop();

  it('of imports go from the newest, by page and by cursor', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.unshift(await accepted(upload(feedOf([item(`a${i}`)]))));
    await shop.importText(feedOf([item('b')]));
    const first = (await staff.get('/api/imports?page_size=2')).json;
    expect(first).toMatchObject({ page: 1, page_size: 2, total: 6, total_pages: 3 });
    // The command line's import was asked for by nobody who has an account.
    expect(first.items[0]).toMatchObject({ status: 'completed', created_by: null, counts: { created: 1 } });
    expect(first.items[1].id).toBe(ids[0]);
    const second = (await staff.get(`/api/imports?page_size=2&cursor=${first.next_cursor}`)).json;
    expect(second.items.map(({ id }: Row) => id)).toEqual(ids.slice(1, 3));
    const last = (await staff.get('/api/imports?page_size=2&page=3')).json;
    expect(last.items.map(({ id }: Row) => id)).toEqual(ids.slice(3));
    expect(last.next_cursor).toBeNull();
    for (const [query, code] of [
      ['page=101&page_size=100', 'page_too_deep'],
      ['cursor=nonsense', 'invalid_cursor'],
      ['page=0', 'validation_failed'],
      ['status=queued', 'validation_failed'],
    ])
      expect((await staff.get(`/api/imports?${query}`)).json.code, query).toBe(code);
    for (const path of ['', '/issues', '/issues?format=csv'])
      expect((await staff.get(`/api/imports/019ab000-0000-7000-8000-000000000000${path}`)).json.code).toBe(
        'import_not_found',
      );
    expect((await staff.get('/api/imports/nonsense')).status).toBe(400);
  });

  it('of issues are paged, and downloaded whole as CSV that no spreadsheet runs', async () => {
    const bad = Array.from({ length: 4_500 }, (_, i) => item(`sku-${i}`, { price: 'none' }));
    const hostile = ['=HYPERLINK("http://evil.test")', '+1', '-1', '@SUM(A1)', 'a,b "quoted"'];
    await work();
    const { id } = await ended(
      await accepted(upload(feedOf([...hostile.map((sku) => item(sku, { price: 'none' })), ...bad]))),
    );
    const total = hostile.length + bad.length;
    const skus: string[] = [];
    for (let cursor = ''; ; ) {
      const page = (await staff.get(`/api/imports/${id}/issues?page_size=100${cursor}`)).json;
      expect(page).toMatchObject({ total, total_pages: Math.ceil(total / 100) });
      skus.push(...page.items.map(({ sku }: Row) => sku));
      if (page.next_cursor === null) break;
      cursor = `&cursor=${page.next_cursor}`;
    }
    expect(skus).toEqual([...hostile, ...bad.map(({ id: sku }) => sku!)]);
    const byPage = (await staff.get(`/api/imports/${id}/issues?page=3&page_size=2`)).json;
    expect(byPage.items.map(({ sku }: Row) => sku)).toEqual(skus.slice(4, 6));
    for (const [query, code] of [
      ['page=101&page_size=100', 'page_too_deep'],
      ['cursor=nonsense', 'invalid_cursor'],
      ['cursor=0', 'invalid_cursor'],
      ['format=xml', 'validation_failed'],
    ])
      expect((await staff.get(`/api/imports/${id}/issues?${query}`)).json.code, query).toBe(code);

    const csv = await staff.get(`/api/imports/${id}/issues?format=csv`);
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(csv.headers.get('content-disposition')).toBe(`attachment; filename="import-${id}-issues.csv"`);
    const lines = csv.text.split('\n');
    expect(lines[0]).toBe('line,sku,field,code,message,rejected');
    expect(lines).toHaveLength(total + 2);
    expect(lines[1]).toMatch(/^\d+,"'=HYPERLINK\(""http:\/\/evil\.test""\)",price,price_invalid,.*,true$/);
    expect(lines.slice(2, 5).map((line) => line.split(',')[1])).toEqual(["'+1", "'-1", "'@SUM(A1)"]);
    expect(lines[5]).toMatch(/^\d+,"a,b ""quoted""",price,/);
  }, 60_000);
});

describe('cancelling', () => {
  withShop();
  const cancel = (id: string) => staff.post(`/api/imports/${id}/cancel`);
  const free = async (id: string) =>
    (await rows('select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as free', [id]))[0]!.free;

  /** Nothing was applied, the worker has let go of it within a second or so, and it is told once. */
  async function expectCancelled(id: string, began: number): Promise<void> {
    await eventually(async () => expect(await free(id)).toBe(true), 3_000);
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(await read(id)).toMatchObject({
      status: 'cancelled',
      counts: NONE,
      error: null,
      finished_at: expect.any(String),
    });
    await shop.events.flush();
    expect(await eventsOf(id)).toEqual(['import.cancelled']);
    expect(await products()).toBe(0);
    expect(await rows('select id from categories')).toEqual([]);
  }

  it('one that waits cancels it at once, and no worker runs it afterwards', async () => {
    const id = await accepted(upload(feedOf([item('a')])));
    const superuser = await shop.as('superuser');
    const answer = await superuser.post(`/api/imports/${id}/cancel`);
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ id, status: 'cancelled', finished_at: expect.any(String) });
    await work();
    await ended(await accepted(upload('no feed')));
    await expectCancelled(id, performance.now());
    const [event] = await rows("select actor_id from events where type = 'import.cancelled'");
    expect(event).toEqual({ actor_id: superuser.userId });
    const again = await cancel(id);
    expect([again.status, again.json.code]).toEqual([409, 'import_not_cancellable']);
    expect((await cancel('019ab000-0000-7000-8000-000000000000')).json.code).toBe('import_not_found');
  });

  it('one that reads applies nothing', async () => {
    const id = await accepted(upload([...generateFeed(60_000, { seed: 1, currency: 'USD' })].join('')));
    await work();
    await eventually(async () => {
      const { status, bytes_read } = await read(id);
      expect(status).toBe('running');
      expect(bytes_read).toBeGreaterThan(0);
    }, 20_000);
    const began = performance.now();
    expect((await cancel(id)).json).toMatchObject({ status: 'cancelled' });
    await expectCancelled(id, began);
  }, 60_000);

  it('one that merges ends its statement and applies nothing', async () => {
    const release = await holdMerges();
    try {
      const id = await accepted(upload(feedOf([item('a', { product_type: 'Some > Where' })])));
      await work();
      await mergeWaits();
      const began = performance.now();
      expect((await cancel(id)).status).toBe(200);
      await expectCancelled(id, began);
    } finally {
      await release();
    }
    // The worker is none the worse for it.
    expect(await ended(await accepted(upload(feedOf([item('b')]))))).toMatchObject({ status: 'completed' });
  });

  it('comes too late once the merge has committed', async () => {
    const items = (quantity: string) => Array.from({ length: 1_100 }, (_, i) => item(`c${i}`, { quantity }));
    await shop.importText(feedOf(items('1')));
    const [last] = await rows('select product_id from stock order by product_id desc limit 1');
    const holder = new pg.Client({ connectionString: shop.directUrl });
    await holder.connect();
    await holder.query('begin');
    await holder.query('select from stock where product_id = $1 for update', [last!.product_id]);
    const id = await accepted(upload(feedOf(items('2')), 'upsert'));
    await work();
    await eventually(async () => expect(await rows('select from import_quantities')).toHaveLength(100), 20_000);
    const late = await cancel(id);
    expect([late.status, late.json.code]).toEqual([409, 'import_not_cancellable']);
    await holder.query('rollback');
    await holder.end();
    expect(await ended(id)).toMatchObject({ status: 'completed', counts: { updated: 1_100 } });
    expect((await cancel(id)).status).toBe(409);
    expect(await rows('select distinct on_hand from stock')).toEqual([{ on_hand: 2 }]);
  }, 60_000);

  it('and the merge’s commit are decided by the row, whoever is first', async () => {
    const outcomes = { applied: 0, cancelled: 0 };
    for (let round = 0; round < 40; round++) {
      const sku = `race-${round}`;
      let cancelling: Promise<Answer> | undefined;
      const running = shop.imports.run({
        path: await save(feedOf([item(sku)])),
        mode: 'create',
        ownUrl: null,
        onProgress({ phase }) {
          if (phase !== 'merging' || cancelling) return;
          cancelling = (async () => {
            const [row] = await rows("select id from imports where status = 'running'");
            await sleep((round % 20) * 1.5);
            return cancel(row!.id);
          })();
        },
      });
      const report = await running;
      const answer = await cancelling!;
      await shop.events.flush();
      const there = (await rows('select from products where sku = $1', [sku])).length === 1;
      const { status } = await read(report.id);
      if (answer.status === 200) {
        expect([report.status, status, there], sku).toEqual(['cancelled', 'cancelled', false]);
        expect(await eventsOf(report.id)).toEqual(['import.cancelled']);
        outcomes.cancelled += 1;
      } else {
        expect([answer.json.code, report.status, status, there], sku).toEqual([
          'import_not_cancellable',
          'completed',
          'completed',
          true,
        ]);
        expect(await eventsOf(report.id)).toEqual(['import.merged', 'import.completed']);
        outcomes.applied += 1;
      }
    }
    // Both happen, or the rounds did not race.

    expect(outcomes.applied).toBeGreaterThan(0);
    expect(outcomes.cancelled).toBeGreaterThan(0);
  }, 60_000);
});

let files = 0;
async function save(content: string): Promise<string> {
  const path = join(folder, `feed-${files++}.xml`);
  await writeFile(path, content);
  return path;
}

describe('a feed by its address', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });
  async function serve(
    listener: RequestListener,
    host = '127.0.0.1',
  ): Promise<{ url: string; seen: string[]; closed: () => number }> {
    const seen: string[] = [];
    let closed = 0;
    const server = createServer((request, response) => {
      seen.push(request.url!);
      listener(request, response);
    });
    server.on('connection', (socket) => socket.on('close', () => (closed += 1)));
    servers.push(server.listen(0, host));
    await once(server, 'listening');
    return { url: `http://${host}:${(server.address() as AddressInfo).port}`, seen, closed: () => closed };
  }
  const send = (url: string, mode?: string) => staff.post('/api/imports', { url, ...(mode ? { mode } : {}) });

  describe('where private addresses are allowed', () => {
    withShop({ ALLOW_PRIVATE_ADDRESSES: 'true' });

    it('is fetched, kept and imported', async () => {
      const feed = gzipSync(feedOf([item('a'), item('b')]));
      const { url, seen } = await serve((request, response) => {
        if (request.url === '/old')
          return response.writeHead(302, { location: '/feeds/spring.xml.gz?key=secret' }).end();
        response.writeHead(200, { 'content-type': 'application/gzip' }).end(feed);
      });
      const answer = await send(`${url}/old`, 'upsert');
      const id = await accepted(answer);
      expect(answer.json).toMatchObject({ status: 'queued', mode: 'upsert', file_name: 'old', size_bytes: null });
      await work();
      expect(await ended(id)).toMatchObject({
        status: 'completed',
        size_bytes: feed.length,
        bytes_read: feed.length,
        counts: { read: 2, created: 2 },
      });
      expect(seen).toEqual(['/old', '/feeds/spring.xml.gz?key=secret']);
      expect(blobs()).toEqual([id]);
    });

    it('that is not there, is no feed, or breaks off fails with the reason', async () => {
      const { url } = await serve((request, response) => {
        if (request.url === '/half') {
          response.writeHead(200, { 'content-length': 1_000 });
          response.write('<?xml version="1.0"?><rss>');
          setTimeout(() => request.socket.destroy(), 50);
        } else if (request.url === '/page') response.end('<!doctype html><html></html>');
        else response.writeHead(404).end();
      });
      await work();
      const failed = async (path: string) => (await ended(await accepted(send(url + path)))).error;
      expect(await failed('/nothing')).toEqual({
        code: 'remote_status',
        message: expect.stringContaining('404'),
        line: null,
        column: null,
      });
      expect(await failed('/half')).toMatchObject({ code: 'remote_failed' });
      expect(await failed('/page')).toMatchObject({ code: 'not_xml', line: 1 });
      expect(await products()).toBe(0);
    });

    it('is cancelled with its job, and not taken up again', async () => {
      const { url, seen, closed } = await serve((_, response) => void response.write('<?xml version="1.0"?>'));
      const id = await accepted(send(`${url}/endless.xml`));
      await work();
      await eventually(() => expect(seen).toHaveLength(1));
      const boss = await shop.as('superuser');
      const [job] = (await boss.get('/api/jobs?task=imports.run&state=running')).json.items;
      expect((await boss.post(`/api/jobs/${job.id}/cancel`)).status).toBe(202);
      await eventually(() => expect(closed()).toBe(1));
      expect(await ended(id)).toMatchObject({ status: 'cancelled', error: null });
      await eventually(async () =>
        expect((await boss.get(`/api/jobs/${job.id}`)).json).toMatchObject({ state: 'cancelled' }),
      );
      expect(seen).toHaveLength(1);
    });

    it('is let go of when it is cancelled while it is fetched', async () => {
      const { url, seen, closed } = await serve((_, response) => void response.write('<?xml version="1.0"?>'));
      const id = await accepted(send(`${url}/endless.xml`));
      await work();
      await eventually(() => expect(seen).toHaveLength(1));
      expect((await staff.post(`/api/imports/${id}/cancel`)).status).toBe(200);
      await eventually(() => expect(closed()).toBe(1), 3_000);
      await eventually(() => expect(blobs()).toEqual([]));
      expect(await ended(id)).toMatchObject({ status: 'cancelled', error: null });
    });

    it('that nobody serves is refused at once', async () => {
      const { status, json } = await send('http://no-such-host.invalid/feed.xml');
      expect([status, json.code]).toEqual([422, 'address_not_found']);
    });
  });

  describe('where they are not', () => {
    withShop();

    it('is refused at once when it is, or leads to, a private address', async () => {
      const { url, seen, closed } = await serve((_, response) => response.end(feedOf([item('a')])));
      const { port } = new URL(url);
      for (const address of [
        `${url}/`,
        `http://localhost:${port}/`,
        `http://0x7f.1:${port}/`,
        `http://[::1]:${port}/`,
        `http://[::ffff:127.0.0.1]:${port}/`,
        'http://169.254.169.254/latest/meta-data/',
        'http://10.0.0.1/',
        'file:///etc/passwd',
        'http://user:password@example.com/',
        'feed.xml',
      ]) {
        const { status, json } = await send(address);
        expect([status, json.code], address).toEqual([422, 'address_not_allowed']);
      }
      expect(seen).toEqual([]);
      expect(closed()).toBe(0);
      await expectNothingStored();
    });

    it('is refused by its job when it redirects there', async () => {
      const inside = await serve((_, response) => response.end(feedOf([item('a')])));
      // 127.0.0.2 plays the Internet.
      const outside = await serve(
        (_, response) => response.writeHead(302, { location: inside.url }).end(),
        '127.0.0.2',
      );
      const outbound = createOutbound({ allowPrivate: false, isPublic: (address) => address === '127.0.0.2' });
      const imports = createImports({ ...shop, outbound }, shop);
      try {
        const { id } = await acceptUrl(imports, staff.userId, { url: outside.url });
        await imports.runJob.run({ id }, { signal: new AbortController().signal, log: shop.log, isLastAttempt: false });
        expect(await ended(id)).toMatchObject({ status: 'failed', error: { code: 'address_not_allowed' } });
        expect(outside.seen).toEqual(['/']);
        expect(inside.seen).toEqual([]);
        expect(blobs()).toEqual([]);
      } finally {
        await outbound.close();
      }
    });

    it('is refused by its job when it leads there only then', async () => {
      const { url, seen } = await serve((_, response) => response.end(feedOf([item('a')])));
      // What was public when it was asked for, and has another address by now.
      const id = await accepted(upload(feedOf([item('b')])));
      await shop.db.run(
        sql('update imports set blob_key = null, source_url = $2 where id = $1', [id, `${url}/feed.xml`]),
      );
      await work();
      expect(await ended(id)).toMatchObject({
        status: 'failed',
        counts: NONE,
        error: { code: 'address_not_allowed', line: null, column: null },
      });
      expect(seen).toEqual([]);
      expect(await eventsOf(id)).toEqual(['import.failed']);
    });
  });
});

describe('a worker that is killed', () => {
  const ROOT = fileURLToPath(new URL('..', import.meta.url));
  withShop();
  const children: ChildProcess[] = [];
  afterEach(async () => {
    for (const child of children.splice(0)) await kill(child);
  });

  /** `vitrine start` in a process group of its own, on the same database and files. */
  async function startServer(): Promise<ChildProcess> {
    const { NODE_OPTIONS: _, ...inherited } = process.env;
    const child = spawn(process.execPath, ['scripts/run.mjs', 'src/main.ts', 'start'], {
      cwd: ROOT,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...inherited,
        DATABASE_URL: shop.directUrl,
        DATA_DIR: shop.config.DATA_DIR,
        SECRET_KEY: 'a secret that only tests have, and all of them',
        PUBLIC_URL: 'https://shop.example',
        PORT: '0',
        LOG_LEVEL: 'error',
        INIT_CWD: '',
      },
    });
    children.push(child);
    let said = '';
    child.stderr!.on('data', (part) => {
      said += part;
    });
    await eventually(() => expect(said).toContain('is open'), 30_000);
    return child;
  }

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    process.kill(-child.pid!, 'SIGKILL');
    await exited;
  }

  const free = (id: string) =>
    eventually(async () => {
      const held =
        "select from pg_locks where locktype = 'advisory' and (classid::bigint << 32) | objid::bigint = hashtextextended($1, 0)";
      expect(await rows(held, [id])).toEqual([]);
    }, 20_000);

  const takeUp = async () => {
    const job = shop.imports.takeUpJob;
    await job.run({}, { signal: new AbortController().signal, log: shop.log, isLastAttempt: false });
  };

  /** Nothing twice: counts, issues, products, movements and events are as if nobody had died. */
  async function expectWhole(id: string, counts: object, issues: number): Promise<void> {
    expect(await ended(id, 60_000)).toMatchObject({ status: 'completed', counts: { ...NONE, ...counts }, error: null });
    expect(await issuesCount()).toBe(issues);
    const repeated = 'select line, code from import_issues where import_id = $1 group by 1, 2 having count(*) > 1';
    expect(await rows(repeated, [id])).toEqual([]);
    expect((await eventsOf(id)).sort()).toEqual(['import.completed', 'import.merged']);
    expect(
      await rows(
        `select s.product_id from stock s full join (select product_id, sum(delta) as total from stock_movements group by product_id) m
         on m.product_id = s.product_id where s.on_hand is distinct from m.total`,
      ),
    ).toEqual([]);
    expect(await rows('select from import_quantities')).toEqual([]);
  }

  const ITEMS = 20_000;
  const large = () => {
    const feed = [...generateFeed(ITEMS, { seed: 6, currency: 'USD' })].join('');
    // Some rows at the beginning that are told of before the end is reached.
    let n = 0;
    return feed.replaceAll('<g:condition>new<', (found) => (n++ < 3_000 ? '<g:condition>odd<' : found));
  };

  it('while it reads is followed by another, which begins anew', async () => {
    const server = await startServer();
    const id = await accepted(upload(large()));
    await eventually(async () => {
      expect((await read(id)).counts.read).toBeGreaterThan(0);
      expect(await issuesCount()).toBeGreaterThan(0);
    }, 30_000);
    await kill(server);
    await free(id);
    const [left] = await rows('select status, merged_at from imports');
    expect(left).toEqual({ status: 'running', merged_at: null });
    expect(await products()).toBe(0);
    const begun = (await read(id)).started_at;
    // A worker that starts looks at once for what was left, not only with the next minute.
    await startServer();
    await eventually(async () => expect(await rows('select attempts from imports')).toEqual([{ attempts: 2 }]), 10_000);
    await expectWhole(id, { read: ITEMS, created: ITEMS }, 3_000);
    expect(await products()).toBe(ITEMS);
    expect((await read(id)).started_at).toBe(begun);
  }, 120_000);

  it('while it merges is followed by another once its transaction is gone', async () => {
    const items = [...Array.from({ length: 300 }, (_, i) => item(`m${i}`)), item('bad', { price: 'none' })];
    const release = await holdMerges();
    const server = await startServer();
    const id = await accepted(upload(feedOf(items)));
    await mergeWaits();
    await kill(server);
    // PostgreSQL has not noticed yet: somebody still holds the import.
    await work();
    await takeUp();
    await sleep(500);
    expect(await rows('select attempts, status from imports')).toEqual([{ attempts: 1, status: 'running' }]);
    await release();
    await free(id);
    await takeUp();
    await expectWhole(id, { read: 301, created: 300, rejected: 1 }, 1);
    expect(await rows('select attempts from imports')).toEqual([{ attempts: 2 }]);
  }, 60_000);

  it('while quantities follow leaves them to another', async () => {
    const items = (quantity: string) => Array.from({ length: 2_500 }, (_, i) => item(`q${i}`, { quantity }));
    await shop.importText(feedOf(items('1')));
    const [middle] = await rows('select product_id from stock order by product_id offset 1500 limit 1');
    const holder = new pg.Client({ connectionString: shop.directUrl });
    await holder.connect();
    await holder.query('begin');
    await holder.query('select from stock where product_id = $1 for update', [middle!.product_id]);
    const server = await startServer();
    const id = await accepted(upload(feedOf(items('2')), 'upsert'));
    await eventually(async () => expect(await rows('select from import_quantities')).toHaveLength(1_500), 30_000);
    await kill(server);
    await holder.query('rollback');
    await holder.end();
    await work();
    await eventually(async () => {
      await takeUp();
      expect((await read(id)).status).toBe('completed');
    }, 20_000);
    await expectWhole(id, { read: 2_500, updated: 2_500 }, 0);
    expect(await rows('select distinct on_hand from stock')).toEqual([{ on_hand: 2 }]);
  }, 60_000);

  it('by its own feed, again and again, is given up', async () => {
    const id = await accepted(upload(feedOf([item('a')])));
    await shop.db.run(sql("update imports set status = 'running', attempts = 5 where id = $1", [id]));
    await work();
    await takeUp();
    expect(await ended(id)).toMatchObject({ status: 'failed', error: { code: 'interrupted' } });
    expect(await products()).toBe(0);
    expect(await eventsOf(id)).toEqual(['import.failed']);
  });
});

describe('the queue', () => {
  withShop();
  const runJob = (id: string) =>
    shop.imports.runJob.run({ id }, { signal: new AbortController().signal, log: shop.log, isLastAttempt: false });

  it('never runs an import twice at once, and once it is applied not again', async () => {
    const release = await holdMerges();
    const id = await accepted(upload(feedOf([item('a')])));
    const first = runJob(id);
    await mergeWaits();
    await runJob(id);
    expect(await rows('select attempts, status from imports')).toEqual([{ attempts: 1, status: 'running' }]);
    await release();
    await first;
    await runJob(id);
    expect(await ended(id)).toMatchObject({ status: 'completed', counts: { created: 1 } });
    expect(await rows('select attempts from imports')).toEqual([{ attempts: 1 }]);
    expect(await eventsOf(id)).toEqual(['import.merged', 'import.completed']);
  });

  it('leaves alone what a living process reads from its own disk, and fails what a dead one has left', async () => {
    const takeUp = () =>
      shop.imports.takeUpJob.run({}, { signal: new AbortController().signal, log: shop.log, isLastAttempt: false });
    const release = await holdMerges();
    const running = shop.importFeed(await save(feedOf([item('a')])));
    await mergeWaits();
    await takeUp();
    expect(await rows('select status from imports')).toEqual([{ status: 'running' }]);
    await release();
    const { id } = await running;
    expect(await read(id)).toMatchObject({ status: 'completed' });
    await shop.db.run(sql("update imports set status = 'running', merged_at = null, finished_at = null"));
    await takeUp();
    expect(await ended(id)).toMatchObject({ status: 'failed', error: { code: 'interrupted' } });
  });

  it('takes an import back when its worker is asked to stop, and runs it elsewhere', async () => {
    const release = await holdMerges();
    const id = await accepted(upload(feedOf([item('a')])));
    const stopping = new AbortController();
    const running = shop.imports.runJob.run({ id }, { signal: stopping.signal, log: shop.log, isLastAttempt: false });
    await mergeWaits();
    stopping.abort();
    await running;
    expect(await rows('select attempts, status from imports')).toEqual([{ attempts: 0, status: 'queued' }]);
    await release();
    await work();
    expect(await ended(id)).toMatchObject({ status: 'completed', counts: { created: 1 } });
  });

  it('tries again what failed by no fault of the feed, and at last says so', async () => {
    const id = await accepted(upload(feedOf([item('a')])));
    await shop.db.run(sql('alter table product_texts rename to elsewhere'));
    for (let attempt = 1; attempt <= 5; attempt++) {
      await expect(runJob(id)).rejects.toThrow(/product_texts/);
      expect(await rows('select attempts, status from imports')).toEqual([
        { attempts: attempt, status: attempt < 5 ? 'queued' : 'failed' },
      ]);
    }
    await shop.db.run(sql('alter table elsewhere rename to product_texts'));
    expect(await ended(id)).toMatchObject({ status: 'failed', error: { code: 'internal_error' } });
    expect(await eventsOf(id)).toEqual(['import.failed']);
  });

  it('tries again when the process that reads the feed was killed', async () => {
    const id = await accepted(upload([...generateFeed(5_000, { seed: 9, currency: 'USD' })].join('')));
    const running = expect(runJob(id)).rejects.toThrow(/ended before the feed \(SIGKILL\)/);
    await eventually(() => {
      const reader = readdirSync('/proc').find((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(id));
      process.kill(Number(reader), 'SIGKILL');
    });
    await running;
    expect(await rows('select attempts, status from imports')).toEqual([{ attempts: 1, status: 'queued' }]);
    expect(await products()).toBe(0);
    await runJob(id);
    expect(await ended(id)).toMatchObject({ status: 'completed', counts: { created: 5_000 } });
  });

  function commandOf(pid: string): string {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return ''; // It has just ended.
    }
  }

  it('lets every import have its turn, a few at a time', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 8; i++) ids.push(await accepted(upload(feedOf([item(`t${i}`)]))));
    await work();
    for (const id of ids) expect(await ended(id)).toMatchObject({ status: 'completed', counts: { created: 1 } });
    expect(await products()).toBe(8);
  });

  it('fails when the stored feed is gone', async () => {
    const id = await accepted(upload(feedOf([item('a')])));
    await shop.blobs.remove([`imports/${id}`]);
    await work();
    expect(await ended(id)).toMatchObject({ status: 'failed', error: { code: 'file_missing' } });
  });

  it('drops a stored feed a week after its import has ended', async () => {
    await work();
    const old = await ended(await accepted(upload(feedOf([item('a')]))));
    const recent = await ended(await accepted(upload('no feed')));
    await stopWork();
    const waiting = await accepted(upload(feedOf([item('b')])));
    const days = async (id: string, count: number) =>
      shop.db.run(
        sql('update imports set finished_at = finished_at - make_interval(days => $2) where id = $1', [id, count]),
      );
    await days(old.id, 8);
    await days(recent.id, 6);
    const job = shop.jobs.find(({ name }) => name === 'imports.drop_feeds')!;
    await job.run({} as never, { signal: new AbortController().signal, log: shop.log, isLastAttempt: false });
    expect(blobs().sort()).toEqual([recent.id, waiting].sort());
    expect(await rows('select id from imports where blob_key is null')).toEqual([{ id: old.id }]);
    expect(await read(old.id)).toMatchObject({ status: 'completed' });
  });
});
