import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { startJobs } from '../src/kernel/jobs.ts';
import { eventually, fakeClock } from '../src/kernel/testing/index.ts';
import { linkImages } from '../src/modules/catalogue/images/feed-links.ts';
import { fetchImages } from '../src/modules/catalogue/images/fetch-images.ts';
import { removeUnusedImages } from '../src/modules/catalogue/images/storage.ts';
import { cornered, flatPng } from '../src/modules/catalogue/images/testing.ts';
import { type Caller, feedOf, startTestShop, type TestShop } from './support/shop.ts';

/** The foreign host: what stands under a path is answered however the test says. */
type Responder = (request: IncomingMessage, response: ServerResponse) => void;
let host: Server;
let port: number;
let requests: string[];
let responders: Map<string, Responder>;
const at = (path: string, name = '127.0.0.1') => `http://${name}:${port}/${path}`;
const image =
  (bytes: Buffer, type = 'image/png'): Responder =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': type, 'content-length': bytes.length }).end(bytes);
  };
const status =
  (code: number): Responder =>
  (_request, response) => {
    response.writeHead(code).end('no');
  };

let shop: TestShop;
let dataDir: string;
let staff: Caller;
beforeAll(async () => {
  host = createServer((request, response) => {
    const path = request.url!.slice(1);
    requests.push(path);
    (responders.get(path) ?? image(flatPng(4, 5)))(request, response);
  });
  await new Promise<void>((resolve) => host.listen(0, resolve));
  port = (host.address() as AddressInfo).port;
  dataDir = mkdtempSync(join(tmpdir(), 'vitrine-feed-images-'));
  shop = await startTestShop({ env: { DATA_DIR: dataDir, ALLOW_PRIVATE_ADDRESSES: 'true' } });
  staff = await shop.as('staff');
});
afterAll(async () => {
  await shop.stop();
  host.closeAllConnections();
  await new Promise((resolve) => host.close(resolve));
  rmSync(dataDir, { recursive: true, force: true });
});

let clock: ReturnType<typeof fakeClock>;
beforeEach(async () => {
  requests = [];
  responders = new Map();
  clock = fakeClock(new Date().toISOString());
  await shop.db.run(sql('delete from products'));
});

type Item = Record<string, string | string[]>;
/** Imports products by SKU with their links, and links them as the job does. */
async function importItems(items: Record<string, Item>): Promise<string> {
  const rows = Object.entries(items).map(([id, item]) => ({ id, title: `Mug ${id}`, price: '5 USD', ...item }));
  const { id } = await shop.importText(feedOf(rows), 'upsert');
  await link(id);
  return id;
}
const link = (importId: string) => linkImages({ ...shop, clock }, importId, new AbortController().signal);
const fetchAll = (options: { signal?: AbortSignal; timeoutMs?: number } = {}, kernel = shop) =>
  fetchImages({ ...kernel, ...kernel.images, clock }, { signal: new AbortController().signal, ...options });

type Row = {
  url: string;
  state: string;
  attempts: number;
  next_at: Date;
  leased_until: Date | null;
  last_error: string | null;
  host: string;
  position: number;
};
const rows = () =>
  shop.db.many(
    sql<Row>(
      `select f.url, f.state, f.attempts, f.next_at, f.leased_until, f.last_error, f.host, f.position from image_fetches f
       join products p on p.id = f.product_id order by p.sku, f.position, f.url`,
    ),
  );
const states = async () => (await rows()).map((row) => [row.state, row.last_error, row.attempts]);
const productOf = async (sku: string) => {
  const { id } = await shop.db.one(sql<{ id: string }>('select id from products where sku = $1', [sku]));
  await shop.events.flush();
  return (await shop.get(`/api/products/${id}`)).json;
};
const sourcesOf = async (sku: string) => {
  const found = await shop.db.many(
    sql<{ source_url: string | null; position: number }>(
      'select i.source_url, i.position from product_images i join products p on p.id = i.product_id where p.sku = $1 order by i.position',
      [sku],
    ),
  );
  expect(found.map((row) => row.position)).toEqual(found.map((_, i) => i));
  return found.map((row) => row.source_url?.split('/').at(-1) ?? 'uploaded');
};
async function upload(sku: string): Promise<string> {
  const { id } = await productOf(sku);
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(flatPng(4, 5))]), 'a.png');
  const answer = await staff.post(`/api/products/${id}/images`, form);
  expect(answer.status).toBe(201);
  return answer.json.id;
}

describe("a feed's images", () => {
  it('are fetched and shown in its order; until then there is a drawing', async () => {
    responders.set('front.jpg', image(await (await cornered(800, 1000)).jpeg().toBuffer(), 'text/plain'));
    await importItems({
      A: { image_link: at('front.jpg'), additional_image_link: [at('back'), at('side'), at('front.jpg')] },
    });
    const before = await productOf('A');
    expect(before.images).toMatchObject([{ id: null, url: expect.stringMatching(/\.svg$/) }]);
    await fetchAll();
    const after = await productOf('A');
    expect(await sourcesOf('A')).toEqual(['front.jpg', 'back', 'side']);
    expect(after.images.map((one: { width: number }) => one.width)).toEqual([800, 4, 4]);
    expect(after.image_url).toBe(after.images[0].url);
    expect(after.version).toBe(before.version + 3);
    expect((await shop.get(after.images[0].list_url)).status).toBe(200);
    // Nothing of the foreign host is ever shown.
    expect(JSON.stringify(after.images)).not.toContain(String(port));
    const events = await shop.db.many(
      sql<{ actor_id: null; changes: object; data: { image_id: string } }>(
        "select actor_id, changes, data from events where type = 'image.added' and subject_id = $1",
        [after.id],
      ),
    );
    expect(events.map((event) => event.data.image_id).sort()).toEqual(
      after.images.map((one: { id: string }) => one.id).sort(),
    );
    expect(events.map((event) => event.actor_id)).toEqual([null, null, null]);
    expect(requests.sort()).toEqual(['back', 'front.jpg', 'side']);
    await fetchAll();
    expect(requests).toHaveLength(3);
    expect(await states()).toEqual(Array(3).fill(['done', null, 1]));
  });

  it('are what the attributes say, as far as it can be fetched', async () => {
    const odd = [
      'ftp://127.0.0.1/a',
      'javascript:alert(1)',
      '/local.png',
      'data:image/png;base64,AA',
      'http://',
      `${at('x')}${'y'.repeat(2_100)}`,
    ];
    await importItems({
      A: {
        image_link: ['not a link', at('one', 'LOCALHOST')],
        additional_image_link: [...odd, `HTTP://user:secret@localhost:${port}/two`],
      },
      B: {},
      C: { image_link: Array.from({ length: 30 }, (_, i) => at(`many-${i}`)) },
    });
    const found = await rows();
    expect(found.filter((row) => row.url.includes('many')).map((row) => row.position)).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
    expect(
      found.filter((row) => !row.url.includes('many')).map((row) => [row.url.split('/').at(-1), row.host]),
    ).toEqual([
      ['one', 'localhost'],
      ['two', 'localhost'],
    ]);
    expect(
      (
        await shop.db.one(
          sql<{ n: number }>(
            'select count(*)::int as n from feed_image_links(\'{"image_link": {"a": 1}, "additional_image_link": 7}\')',
          ),
        )
      ).n,
    ).toBe(0);
  });

  it('follow the links of a later import', async () => {
    await importItems({ A: { image_link: at('one'), additional_image_link: [at('two'), at('three')] } });
    await fetchAll();
    const before = await productOf('A');
    const importId = await importItems({
      A: { image_link: at('three'), additional_image_link: [at('one'), at('four')] },
    });
    expect(await sourcesOf('A')).toEqual(['three', 'one']);
    const between = await productOf('A');
    expect(between.image_url).toBe(before.images[2].url);
    expect(
      await shop.db.many(
        sql(
          "select type, data, changes from events where type in ('image.deleted', 'image.reordered') and subject_id = $1",
          [before.id],
        ),
      ),
    ).toEqual([
      {
        type: 'image.deleted',
        data: { image_id: before.images[1].id, import_id: importId, sku: 'A', slug: before.slug, name: before.name },
        changes: { image_url: { from: before.images[0].url, to: before.images[2].url } },
      },
    ]);
    await fetchAll();
    expect(await sourcesOf('A')).toEqual(['three', 'one', 'four']);
    await removeUnusedImages(shop);
    expect(
      readdirSync(join(dataDir, 'blobs', 'images')).filter((file) => file.startsWith(before.images[1].id)),
    ).toEqual([]);

    await importItems({ A: { image_link: at('four'), additional_image_link: [at('one'), at('three')] } });
    expect(await sourcesOf('A')).toEqual(['four', 'one', 'three']);
    await shop.events.flush();
    expect(
      await shop.db.many(
        sql("select type from events where type = 'image.reordered' and subject_id = $1", [before.id]),
      ),
    ).toHaveLength(1);
    expect(requests).toHaveLength(4);

    // None of them any more: the drawing is back.
    await importItems({ A: { image_link: at('five') } });
    expect((await productOf('A')).images).toMatchObject([{ id: null }]);
    await fetchAll();
    expect(await sourcesOf('A')).toEqual(['five']);
  });

  it('stand behind those that people uploaded, and where people have put them', async () => {
    await importItems({ A: { image_link: at('one'), additional_image_link: [at('two'), at('three')] } });
    responders.set('two', status(503));
    await upload('A');
    await fetchAll();
    expect(await sourcesOf('A')).toEqual(['uploaded', 'one', 'three']);
    await upload('A');
    expect(await sourcesOf('A')).toEqual(['uploaded', 'uploaded', 'one', 'three']);
    const { id, images } = await productOf('A');
    const ids = images.map((one: { id: string }) => one.id);
    await staff.put(`/api/products/${id}/images/order`, { ids: [ids[3], ids[0], ids[1], ids[2]] });
    expect(await sourcesOf('A')).toEqual(['three', 'uploaded', 'uploaded', 'one']);
    responders.delete('two');
    clock.advance(120_000);
    await fetchAll();
    expect(await sourcesOf('A')).toEqual(['three', 'uploaded', 'uploaded', 'one', 'two']);
    // An import that moves no link leaves people's order alone.
    await importItems({
      A: { price: '6 USD', material: 'clay', image_link: at('one'), additional_image_link: [at('two'), at('three')] },
    });
    expect(await sourcesOf('A')).toEqual(['three', 'uploaded', 'uploaded', 'one', 'two']);
    await importItems({ A: { image_link: at('two'), additional_image_link: [at('one'), at('three')] } });
    expect(await sourcesOf('A')).toEqual(['uploaded', 'uploaded', 'two', 'one', 'three']);
  });

  it('take their place in the order also when they come late', async () => {
    responders.set('two', status(503));
    await importItems({ A: { image_link: at('one'), additional_image_link: [at('two'), at('three')] } });
    await fetchAll();
    expect(await sourcesOf('A')).toEqual(['one', 'three']);
    responders.delete('two');
    clock.advance(120_000);
    await fetchAll();
    expect(await sourcesOf('A')).toEqual(['one', 'two', 'three']);
  });

  it('are not fetched again once people have deleted them', async () => {
    await importItems({ A: { image_link: at('one'), additional_image_link: [at('two')] } });
    await fetchAll();
    const { id, images } = await productOf('A');
    await staff.delete(`/api/products/${id}/images/${images[0].id}`);
    await importItems({ A: { material: 'clay', image_link: at('one'), additional_image_link: [at('two')] } });
    await importItems({ A: { material: 'clay', image_link: at('two') } });
    await importItems({ A: { material: 'clay', image_link: at('one'), additional_image_link: [at('two')] } });
    await fetchAll();
    expect(await sourcesOf('A')).toEqual(['two']);
    expect(requests).toHaveLength(2);
  });

  it('are none of the business of an import that changes only prices', async () => {
    await importItems({ A: { image_link: at('one') } });
    await shop.db.run(sql('delete from image_fetches'));
    await importItems({ A: { price: '9 USD', image_link: at('one') } });
    expect(await rows()).toEqual([]);
  });

  it('are at most twenty with what people uploaded', async () => {
    await importItems({ A: { image_link: Array.from({ length: 20 }, (_, i) => at(`many-${i}`)) } });
    await upload('A');
    await fetchAll();
    expect(await sourcesOf('A')).toHaveLength(20);
    expect((await states()).filter(([state]) => state !== 'done')).toEqual([['failed', 'too_many_images', 1]]);
  });

  it('are linked for thousands of products in one import', async () => {
    const items = Array.from({ length: 2_300 }, (_, i) => [`M${i}`, { image_link: at(`m${i}`) }]);
    const importId = await importItems(Object.fromEntries(items));
    expect(await rows()).toHaveLength(2_300);
    // Again, as after a kill: nothing changes.
    const before = await shop.db.one(sql('select count(*), max(xmin::text::bigint) from image_fetches'));
    await link(importId);
    expect(await shop.db.one(sql('select count(*), max(xmin::text::bigint) from image_fetches'))).toEqual(before);
  });
});

describe('what cannot be fetched', () => {
  /** One link for each responder, fetched once; answers what became of each. */
  const attempt = async (given: Record<string, Responder>, options = {}) => {
    const names = Object.keys(given);
    for (const name of names) responders.set(name, given[name]!);
    await importItems(Object.fromEntries(names.map((name) => [name, { image_link: at(name) }])));
    await fetchAll(options);
    expect(await shop.db.many(sql('select from product_images'))).toEqual([]);
    const found = await rows();
    return Object.fromEntries(
      found.map(({ url, state, last_error, attempts }) => [url.split('/').at(-1), [state, last_error, attempts]]),
    );
  };

  it('for good is not tried again', async () => {
    const endless: Responder = (_request, response) => {
      response.writeHead(200, { 'content-type': 'image/png' });
      const more = () => {
        while (response.writable && response.write(Buffer.alloc(1_000_000))) {}
      };
      response.on('drain', more);
      more();
    };
    const codes = [400, 401, 403, 404, 410, 204, 304];
    expect(
      await attempt({
        html: image(Buffer.from('<html>Please log in</html>')),
        svg: image(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')),
        damaged: image(flatPng(900, 900).subarray(0, 60)),
        bomb: image(flatPng(12_000, 12_000)),
        large: (_request, response) => response.writeHead(200, { 'content-length': 21 * 1024 * 1024 }).flushHeaders(),
        endless,
        ...Object.fromEntries(codes.map((code) => [`http_${code}`, status(code)])),
      }),
    ).toEqual({
      html: ['failed', 'image_type_not_allowed', 1],
      svg: ['failed', 'image_type_not_allowed', 1],
      damaged: ['failed', 'image_unreadable', 1],
      bomb: ['failed', 'image_too_many_pixels', 1],
      large: ['failed', 'remote_too_large', 1],
      endless: ['failed', 'remote_too_large', 1],
      ...Object.fromEntries(codes.map((code) => [`http_${code}`, ['failed', `http_${code}`, 1]])),
    });
    clock.advance(86_400_000);
    requests.length = 0;
    await fetchAll();
    expect(requests).toEqual([]);
  });

  it('now is tried again', async () => {
    const codes = [500, 502, 503, 408, 429];
    const cut: Responder = (request, response) => {
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('abc', () => request.socket.destroy());
    };
    const trickling: Responder = (_request, response) => {
      response.writeHead(200, { 'content-type': 'image/png' });
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    };
    const given = {
      broken: (request) => request.socket.destroy(),
      cut,
      silent: () => {},
      trickling,
      ...Object.fromEntries(codes.map((code) => [`http_${code}`, status(code)])),
    } satisfies Record<string, Responder>;
    expect(await attempt(given, { timeoutMs: 500 })).toEqual({
      broken: ['queued', 'remote_failed', 1],
      cut: ['queued', 'remote_failed', 1],
      silent: ['queued', 'remote_timeout', 1],
      trickling: ['queued', 'remote_timeout', 1],
      ...Object.fromEntries(codes.map((code) => [`http_${code}`, ['queued', `http_${code}`, 1]])),
    });
    await shop.db.run(sql('delete from products'));
    await importItems({ A: { image_link: 'http://no-such-host.invalid/a.png' } });
    await fetchAll();
    expect(await states()).toEqual([['queued', 'address_not_found', 1]]);
  });

  it('is tried six times, after longer and longer pauses', async () => {
    responders.set('it', status(500));
    await importItems({ A: { image_link: at('it') } });
    const pauses: number[] = [];
    for (let tries = 1; tries <= 6; tries++) {
      await fetchAll();
      const [row] = await rows();
      expect([row!.attempts, row!.leased_until]).toEqual([tries, null]);
      const pause = row!.next_at.getTime() - clock.now().getTime();
      pauses.push(pause);
      clock.advance(pause - 1_000);
      await fetchAll();
      expect(requests).toHaveLength(tries);
      clock.advance(1_000);
    }
    expect(await states()).toEqual([['failed', 'http_500', 6]]);
    for (const [i, pause] of pauses.slice(0, 5).entries()) {
      expect(pause).toBeGreaterThanOrEqual(60_000 * 5 ** i * 0.8);
      expect(pause).toBeLessThanOrEqual(60_000 * 5 ** i * 1.2);
    }
    clock.advance(86_400_000_000);
    await fetchAll();
    expect(requests).toHaveLength(6);
  });

  it('once may come the next time, also by way of another address', async () => {
    responders.set('it', status(500));
    responders.set('moved', (_request, response) => response.writeHead(302, { location: '/there' }).end());
    await importItems({ A: { image_link: at('it') }, B: { image_link: at('moved') } });
    await fetchAll();
    expect(await states()).toEqual([
      ['queued', 'http_500', 1],
      ['done', null, 1],
    ]);
    responders.delete('it');
    clock.advance(120_000);
    await fetchAll();
    expect(await states()).toEqual([
      ['done', null, 2],
      ['done', null, 1],
    ]);
    expect(requests.filter((path) => path === 'there')).toHaveLength(1);
  });

  it('is a private address, unless the shop allows it', async () => {
    const strict = await startTestShop({ env: { DATA_DIR: dataDir } });
    try {
      const links = [at('a'), at('b', 'localhost'), at('c', '[::1]'), at('d', '127.1'), at('e', '2130706433')];
      await strict.importText(
        feedOf(links.map((image_link, i) => ({ id: `P${i}`, title: 'Mug', price: '5 USD', image_link }))),
      );
      const { id } = await strict.db.one(sql<{ id: string }>('select id from imports'));
      await linkImages({ ...strict, clock }, id, new AbortController().signal);
      await fetchAll({}, strict);
      const found = await strict.db.many(
        sql<{ state: string; last_error: string }>('select state, last_error from image_fetches'),
      );
      expect(found).toEqual(links.map(() => ({ state: 'failed', last_error: 'address_not_allowed' })));
      expect(requests).toEqual([]);
    } finally {
      await strict.stop();
    }
  });
});

describe('foreign hosts', () => {
  // Other systems have one loopback address, not sixteen million.
  it.runIf(process.platform === 'linux')(
    'get two requests at once and no more, and all of them six, however many workers there are',
    async () => {
      const names = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'];
      const open = new Map<string, number>();
      const most = new Map<string, number>();
      const count = (name: string, by: number) => {
        open.set(name, (open.get(name) ?? 0) + by);
        most.set(name, Math.max(most.get(name) ?? 0, open.get(name)!));
      };
      const items: Record<string, Item> = {};
      for (const [i, name] of names.entries())
        for (let n = 0; n < 5; n++) {
          items[`${i}-${n}`] = { image_link: at(`${name}/${n}`, name) };
          responders.set(`${name}/${n}`, async (request, response) => {
            const asked = request.headers.host!.split(':')[0]!;
            expect(asked).toBe(name);
            count(asked, 1);
            count('all', 1);
            await sleep(60);
            count(asked, -1);
            count('all', -1);
            image(flatPng(4, 5))(request, response);
          });
        }
      await importItems(items);
      await Promise.all([fetchAll(), fetchAll(), fetchAll(), fetchAll()]);
      expect(await states()).toEqual(Array(25).fill(['done', null, 1]));
      expect(most.get('all')).toBe(6);
      expect(names.map((name) => most.get(name))).toEqual([2, 2, 2, 2, 2]);
      expect(requests).toHaveLength(25);
    },
  );

  it('that hang hold up no other', async () => {
    const items: Record<string, Item> = {};
    for (let n = 0; n < 8; n++) {
      items[`slow-${n}`] = { image_link: at(`slow-${n}`, 'localhost') };
      responders.set(`slow-${n}`, () => {});
      items[`quick-${n}`] = { image_link: at(`quick-${n}`) };
    }
    await importItems(items);
    const stop = new AbortController();
    const working = fetchAll({ signal: stop.signal });
    await eventually(async () => expect((await states()).filter(([state]) => state === 'done')).toHaveLength(8));
    expect(requests.filter((path) => path.startsWith('slow'))).toHaveLength(2);
    stop.abort();
    await working;
  });
});

describe('a worker', () => {
  it('that is killed leaves its rows to the next, once its lease is over', async () => {
    let answer = () => {};
    responders.set('it', (request, response) => {
      answer = () => image(flatPng(4, 5))(request, response);
    });
    await importItems({ A: { image_link: at('it') } });
    // It never comes back while the others work: as good as dead to them.
    const lost = fetchAll();
    await eventually(() => expect(requests).toHaveLength(1));
    await fetchAll();
    clock.advance(179_000);
    await fetchAll();
    expect(requests).toHaveLength(1);
    responders.delete('it');
    clock.advance(2_000);
    await fetchAll();
    expect(await states()).toEqual([['done', null, 2]]);
    expect(await sourcesOf('A')).toEqual(['it']);
    // And should it come back after all, its work is not wanted any more.
    answer();
    await lost;
    expect(await sourcesOf('A')).toEqual(['it']);
    expect(await states()).toEqual([['done', null, 2]]);
    await removeUnusedImages(shop);
    const { images } = await productOf('A');
    const kept = readdirSync(join(dataDir, 'blobs', 'images')).filter((file) => file.startsWith(images[0].id));
    expect(kept).toHaveLength(3);
    expect(await shop.db.many(sql('select from unused_images'))).toEqual([]);
  });

  it('that dies of an image again and again leaves it at last', async () => {
    await importItems({ A: { image_link: at('deadly') } });
    await shop.db.run(sql('update image_fetches set attempts = 6, leased_until = $1, next_at = $1', [clock.now()]));
    clock.advance(1_000);
    await fetchAll();
    expect(await states()).toEqual([['failed', 'interrupted', 7]]);
    expect(requests).toEqual([]);
  });

  it('that is asked to stop gives back what it holds at once, and no try is counted', async () => {
    responders.set('it', () => {});
    await importItems({ A: { image_link: at('it') } });
    const stop = new AbortController();
    const working = fetchAll({ signal: stop.signal });
    await eventually(() => expect(requests).toHaveLength(1));
    stop.abort(new Error('the process ends'));
    await working;
    expect(await states()).toEqual([['queued', null, 0]]);
    responders.delete('it');
    await fetchAll();
    expect(await states()).toEqual([['done', null, 1]]);
  });

  it('throws away what the feed has dropped meanwhile', async () => {
    let answer = () => {};
    responders.set('it', (request, response) => {
      answer = () => image(flatPng(4, 5))(request, response);
    });
    await importItems({ A: { image_link: at('it') } });
    const working = fetchAll();
    await eventually(() => expect(requests).toHaveLength(1));
    await importItems({ A: { image_link: at('other') } });
    answer();
    await working;
    expect(await sourcesOf('A')).toEqual(['other']);
    await shop.db.run(sql('delete from products'));
    await removeUnusedImages(shop);
    expect(readdirSync(join(dataDir, 'blobs', 'images'))).toEqual([]);
  });
});

it('is done by the jobs, from the import to the picture', async () => {
  const runner = await startJobs({ url: shop.directUrl, jobs: shop.jobs, concurrency: 4, log: shop.log });
  try {
    await shop.importText(feedOf([{ id: 'J', title: 'Mug', price: '5 USD', image_link: at('it') }]));
    await eventually(async () => expect(await sourcesOf('J')).toEqual(['it']), 20_000);
  } finally {
    await runner.stop();
  }
});

it('begins with what was imported before', async () => {
  await importItems({ A: { image_link: at('one'), additional_image_link: at('two') }, B: {} });
  const before = await rows();
  await shop.db.run(sql('delete from image_fetches'));
  const migration = readFileSync(new URL('../migrations/0006_images.sql', import.meta.url), 'utf8');
  await shop.db.run(sql(migration.slice(migration.lastIndexOf('insert into image_fetches'))));
  expect((await rows()).map((row) => row.url)).toEqual(before.map((row) => row.url));
  expect(before).toHaveLength(2);
});

it('a demonstration catalogue links to nothing', async () => {
  const demo = await startTestShop({ demo: true, env: { DATA_DIR: dataDir } });
  try {
    const links = sql<{ n: number }>(
      'select count(*)::int as n from product_texts t, feed_image_links(t.attributes) l',
    );
    expect((await demo.db.one(links)).n).toBe(0);
  } finally {
    await demo.stop();
  }
});
