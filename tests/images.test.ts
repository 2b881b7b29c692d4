import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request as requestOf } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { newId } from '../src/kernel/ids.ts';
import { addImage } from '../src/modules/catalogue/images/edit-images.ts';
import { removeUnusedImages, storeImage } from '../src/modules/catalogue/images/storage.ts';
import { cornered, flatPng, pngChunk } from '../src/modules/catalogue/images/testing.ts';
import { type Answer, type Caller, feedOf, startTestShop, type TestShop } from './support/shop.ts';

let shop: TestShop;
let dataDir: string;
let staff: Caller;
let photo: Buffer;
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'vitrine-images-'));
  shop = await startTestShop({ env: { DATA_DIR: dataDir } });
  staff = await shop.as('staff');
  photo = await (await cornered(1600, 2000)).jpeg().toBuffer();
});
afterAll(async () => {
  await shop.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

let products = 0;
/** A product that only this test knows. */
async function newProduct(fields: Record<string, string> = {}): Promise<string> {
  const sku = `IMAGE-${++products}`;
  await shop.importText(feedOf([{ id: sku, title: `Linen shirt ${products}`, price: '5 USD', ...fields }]));
  return (await shop.db.one(sql<{ id: string }>('select id from products where sku = $1', [sku]))).id;
}

async function newCategory(): Promise<string> {
  const product = await newProduct({ product_type: `Shelf ${products}` });
  return (await shop.db.one(sql<{ id: string }>('select category_id as id from products where id = $1', [product]))).id;
}

function form(
  file: Buffer | null,
  fields: Record<string, string> = {},
  name = 'photo.jpg',
  type = 'image/jpeg',
): FormData {
  const data = new FormData();
  for (const [field, value] of Object.entries(fields)) data.append(field, value);
  if (file) data.append('file', new Blob([new Uint8Array(file)], { type }), name);
  return data;
}

const small = () => flatPng(4, 5);
const upload = (product: string, file = small(), fields = {}, by = staff) =>
  by.post(`/api/products/${product}/images`, form(file, fields));
const productOf = async (id: string) => (await shop.get(`/api/products/${id}`)).json;
const outcome = ({ status, json }: Answer) => [status, json?.code];
const eventsOf = (subject: string) =>
  shop.db.many(
    sql<{ type: string; actor_id: string; changes: object; data: Record<string, unknown> }>(
      `select type, actor_id, changes, data from events where subject_id = $1 and (type like 'image.%' or type = 'category.updated') order by position`,
      [subject],
    ),
  );
const blobFiles = () =>
  existsSync(join(dataDir, 'blobs', 'images')) ? readdirSync(join(dataDir, 'blobs', 'images')) : [];
const blobsOf = (imageId: string) => blobFiles().filter((file) => file.startsWith(imageId));
const unused = () =>
  shop.db.many(sql<{ id: string; due: boolean }>('select id, due_at <= now() as due from unused_images'));

describe('an image', () => {
  it('is added, and shown at once in its sizes', async () => {
    const id = await newProduct({ product_type: 'Clothes > Shirts' });
    const before = await productOf(id);
    expect(before.images).toMatchObject([{ id: null, alt: before.name, width: 800, height: 1000 }]);
    const answer = await upload(id, photo, { alt: '  A shirt, from the front ' });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const image = answer.json;
    expect(image).toEqual({
      id: expect.any(String),
      url: `/media/${image.id}-detail.webp`,
      list_url: `/media/${image.id}-list.webp`,
      full_url: `/media/${image.id}-full.webp`,
      alt: 'A shirt, from the front',
      position: 0,
      width: 1200,
      height: 1500,
    });
    const after = await productOf(id);
    expect(after).toMatchObject({ images: [image], image_url: image.url, version: before.version + 1 });
    const listed = (await shop.get('/api/products?search=linen&page_size=100')).json.items;
    expect(listed.find((item: { id: string }) => item.id === id).image_url).toBe(image.list_url);
    expect(await eventsOf(id)).toEqual([
      {
        type: 'image.added',
        actor_id: staff.userId,
        changes: { image_url: { from: before.image_url, to: image.url } },
        data: { image_id: image.id, position: 0, sku: before.sku, slug: before.slug, name: before.name },
      },
    ]);
    expect(await unused()).toEqual([]);

    for (const [url, width] of [
      [image.list_url, 480],
      [image.url, 1200],
      [image.full_url, 1600],
    ]) {
      const response = await fetch(shop.url + url);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'image/webp',
        'cache-control': 'public, max-age=31536000, immutable',
        'x-content-type-options': 'nosniff',
        etag: expect.stringMatching(/^"[^"]+"$/),
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(response.headers.get('content-length')).toBe(String(bytes.length));
      expect(await sharp(bytes).metadata()).toMatchObject({ format: 'webp', width });
    }
  });

  it('is judged by what is in it, not by its name', async () => {
    const id = await newProduct();
    const picture = await cornered(40, 50);
    for (const format of ['jpeg', 'png', 'webp', 'avif'] as const) {
      const file = await picture.clone().toFormat(format).toBuffer();
      const answer = await staff.post(`/api/products/${id}/images`, form(file, {}, 'x.svg', 'image/svg+xml'));
      expect([answer.status, answer.json.width, answer.json.height], format).toEqual([201, 40, 50]);
    }
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    const answer = await staff.post(`/api/products/${id}/images`, form(svg, {}, 'photo.png', 'image/png'));
    expect(outcome(answer)).toEqual([415, 'image_type_not_allowed']);
    expect((await productOf(id)).images).toHaveLength(4);
  });

  it('is served from the cache of whoever has it', async () => {
    const { json } = await upload(await newProduct());
    const { headers } = await shop.get(json.url);
    const again = await shop.get(json.url, { 'if-none-match': headers.get('etag')! });
    expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', headers.get('etag')]);
    const head = await shop.send('HEAD', json.url);
    expect([head.status, head.text, head.headers.get('content-length')]).toEqual([
      200,
      '',
      headers.get('content-length'),
    ]);
  });

  it('that does not exist is a 404 that nobody keeps', async () => {
    const { json } = await upload(await newProduct());
    for (const name of [
      `${newId()}-list.webp`,
      `${json.id}-huge.webp`,
      `${json.id}.webp`,
      `${json.id.toUpperCase()}-list.webp`,
      `${json.id}-list.webp.svg`,
      `..%2fimages%2f${json.id}-list.webp`,
      'images',
      'constructor.svg',
    ]) {
      const answer = await shop.get(`/media/${name}`);
      expect([answer.status, answer.headers.get('cache-control'), answer.headers.get('etag')], name).toEqual([
        404,
        'no-store',
        null,
      ]);
    }
    expect((await shop.get('/media/mug.teal.1.svg')).status).toBe(200);
  });
});

describe('uploads that are refused', () => {
  it('change nothing and leave nothing', async () => {
    const id = await newProduct();
    const files = blobFiles();
    const refused = async (body: unknown, headers = {}) =>
      outcome(await staff.post(`/api/products/${id}/images`, body, headers));
    const jpeg = await (await cornered(300, 300)).jpeg().toBuffer();
    expect(await refused(form(jpeg.subarray(0, 2_000)))).toEqual([422, 'image_unreadable']);
    expect(await refused(form(flatPng(12_000, 12_000)))).toEqual([422, 'image_too_many_pixels']);
    expect(await refused(form(Buffer.alloc(0)))).toEqual([415, 'image_type_not_allowed']);
    expect(await refused(form(null))).toEqual([400, 'validation_failed']);
    expect(await refused(form(null, { alt: 'x' }))).toEqual([400, 'validation_failed']);
    expect(await refused(form(null, { file: 'x' }))).toEqual([400, 'validation_failed']);
    expect(await refused(form(small(), { title: 'x' }))).toEqual([400, 'validation_failed']);
    expect(await refused(form(small(), { __proto: 'x' }))).toEqual([400, 'validation_failed']);
    expect(await refused(form(small(), { alt: 'x'.repeat(501) }))).toEqual([400, 'validation_failed']);
    expect(await refused(form(small(), { alt: 'x'.repeat(5_000) }))).toEqual([400, 'validation_failed']);
    expect(await refused(form(small(), { alt: 'a\0b' }))).toEqual([400, 'validation_failed']);
    const twice = form(small());
    twice.append('file', new Blob([new Uint8Array(small())]), 'again.png');
    expect(await refused(twice)).toEqual([400, 'validation_failed']);
    const elsewhere = form(null);
    elsewhere.append('image', new Blob([new Uint8Array(small())]), 'a.png');
    expect(await refused(elsewhere)).toEqual([400, 'validation_failed']);
    expect(await refused({ file: 'x' })).toEqual([415, 'unsupported_media_type']);
    expect(await refused('x', { 'content-type': 'image/png' })).toEqual([415, 'unsupported_media_type']);
    expect(await refused('x', { 'content-type': 'multipart/form-data' })).toEqual([400, 'bad_request']);
    expect(await refused('x', { 'content-type': 'multipart/form-data; boundary=y' })).toEqual([400, 'bad_request']);
    const halfWay = '--y\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nabc';
    expect(await refused(halfWay, { 'content-type': 'multipart/form-data; boundary=y' })).toEqual([400, 'bad_request']);
    const many = form(small());
    for (let i = 0; i < 30; i++) many.append('alt', 'x');
    expect(await refused(many)).toEqual([400, 'bad_request']);
    expect((await productOf(id)).version).toBe(1);
    expect(blobFiles()).toEqual(files);
    expect(await unused()).toEqual([]);
    expect(await eventsOf(id)).toEqual([]);
  });

  it('name the field', async () => {
    const id = await newProduct();
    const answer = await staff.post(`/api/products/${id}/images`, form(null, { title: 'x' }));
    expect(answer.json.errors).toEqual([{ path: 'title', message: 'is not known here' }]);
    expect((await staff.post(`/api/products/${id}/images`, form(null))).json.errors).toEqual([
      { path: 'file', message: 'is required' },
    ]);
  });

  it('may be too large, told or untold, and the connection goes on', async () => {
    const id = await newProduct();
    const filler = (length: number) => flatPng(9, 9, pngChunk('teXt', Buffer.alloc(length)));
    const limit = 20 * 1024 * 1024;
    const spare = limit - filler(0).length;
    expect((await upload(id, filler(spare))).status).toBe(201);
    expect(outcome(await upload(id, filler(spare + 1)))).toEqual([413, 'image_too_large']);
    expect(outcome(await upload(id, filler(2 * limit)))).toEqual([413, 'image_too_large']);

    // Without a length, in chunks, and then another request by the same connection.
    const { hostname, port } = new URL(shop.url);
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.on('data', (data) => {
      received += data;
    });
    const head = '--y\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n';
    const body = Buffer.concat([Buffer.from(head), filler(limit), Buffer.from('\r\n--y--\r\n')]);
    socket.write(
      `POST /api/products/${id}/images HTTP/1.1\r\nhost: x\r\nauthorization: ${staff.headers.authorization}\r\n` +
        `content-type: multipart/form-data; boundary=y\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`,
    );
    socket.write(body);
    socket.write('\r\n0\r\n\r\nGET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    await new Promise((resolve) => socket.on('close', resolve));
    expect(received).toMatch(/^HTTP\/1\.1 413 [\s\S]*image_too_large[\s\S]*HTTP\/1\.1 200 /);
    expect((await productOf(id)).images).toHaveLength(1);
  });

  it('may break off midway', async () => {
    const id = await newProduct();
    const files = blobFiles();
    const { hostname, port } = new URL(shop.url);
    const broken = requestOf({
      hostname,
      port,
      method: 'POST',
      path: `/api/products/${id}/images`,
      headers: { ...staff.headers, 'content-type': 'multipart/form-data; boundary=y', 'content-length': 100_000 },
    });
    broken.on('error', () => {});
    broken.write('--y\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nabc');
    await new Promise((resolve) => setTimeout(resolve, 100));
    broken.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await upload(id)).status).toBe(201);
    expect(blobFiles()).toHaveLength(files.length + 3);
  });
});

describe('who may', () => {
  it('is staff, and sellers for their own products', async () => {
    const id = await newProduct();
    const [customer, owner, other] = [await shop.as('customer'), await shop.as('seller'), await shop.as('seller')];
    await shop.db.run(sql('update products set owner_id = $2 where id = $1', [id, owner.userId]));
    const attempts = async (by: Caller | null, imageId: string) => {
      const send = (method: string, path: string, body?: unknown) =>
        shop.send(method, `/api/products/${id}/images${path}`, body, by?.headers);
      return [
        (await send('POST', '', form(small()))).status,
        (await send('PUT', '/order', { ids: [] })).status,
        (await send('DELETE', `/${imageId}`)).status,
      ];
    };
    const image = (await upload(id)).json.id;
    expect(await attempts(null, image)).toEqual([401, 401, 401]);
    expect(await attempts(customer, image)).toEqual([403, 403, 403]);
    expect(await attempts(other, image)).toEqual([403, 403, 403]);
    expect((await productOf(id)).images).toHaveLength(1);
    expect(await attempts(owner, image)).toEqual([201, 400, 204]);
    const category = await newCategory();
    for (const by of [customer, owner]) {
      expect((await by.put(`/api/categories/${category}/image`, form(small()))).status).toBe(403);
      expect((await by.delete(`/api/categories/${category}/image`)).status).toBe(403);
    }
  });

  it('is judged before the image is read', async () => {
    const id = await newProduct();
    const seller = await shop.as('seller');
    // The rest of the body never comes.
    const early = (path: string, headers: Record<string, string>) =>
      new Promise<number>((resolve, reject) => {
        const request = requestOf(shop.url + path, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'multipart/form-data; boundary=y', 'content-length': 10_000_000 },
        });
        request.on('response', (response) => {
          resolve(response.statusCode!);
          request.destroy();
        });
        request.on('error', reject);
        request.write('--y\r\n');
      });
    expect(await early(`/api/products/${id}/images`, seller.headers)).toBe(403);
    expect(await early(`/api/products/${newId()}/images`, staff.headers)).toBe(404);
  });

  it('finds no product that is not there, or archived', async () => {
    const id = await newProduct();
    await upload(id);
    const image = (await productOf(id)).images[0].id;
    await shop.db.run(sql('update products set archived_at = now() where id = $1', [id]));
    for (const product of [id, newId()]) {
      expect(outcome(await upload(product))).toEqual([404, 'product_not_found']);
      expect(outcome(await staff.delete(`/api/products/${product}/images/${image}`))).toEqual([
        404,
        'product_not_found',
      ]);
      expect(outcome(await staff.put(`/api/products/${product}/images/order`, { ids: [image] }))).toEqual([
        404,
        'product_not_found',
      ]);
    }
    expect(outcome(await upload('no-uuid'))).toEqual([400, 'validation_failed']);
  });
});

describe('the images of a product', () => {
  it('are put in order, and the first is its picture', async () => {
    const id = await newProduct();
    const images: string[] = [];
    for (let i = 0; i < 3; i++) images.push((await upload(id)).json.id);
    const [a, b, c] = images as [string, string, string];
    const { version } = await productOf(id);
    const order = (ids: unknown, headers = {}) => staff.put(`/api/products/${id}/images/order`, { ids }, headers);
    for (const ids of [[], [a, b], [a, b, c, c], [a, a, b], [a, b, newId()], [a, b, c, newId()], 'abc', [1]])
      expect(outcome(await order(ids)), JSON.stringify(ids)).toEqual([400, 'validation_failed']);
    expect((await order([a, b])).json.errors).toEqual([
      { path: 'ids', message: 'must name every image of the product exactly once' },
    ]);
    expect(outcome(await order([c, a, b], { 'if-match': `"${version - 1}"` }))).toEqual([412, 'version_mismatch']);
    const answer = await order([c.toUpperCase(), a, b], { 'if-match': `"${version}"` });
    expect(answer.status).toBe(200);
    expect(answer.json.items.map((image: { id: string; position: number }) => [image.id, image.position])).toEqual([
      [c, 0],
      [a, 1],
      [b, 2],
    ]);
    const product = await productOf(id);
    expect(product).toMatchObject({
      version: version + 1,
      images: answer.json.items,
      image_url: `/media/${c}-detail.webp`,
    });
    // What is so already changes nothing.
    expect((await order([c, a, b])).status).toBe(200);
    expect((await productOf(id)).version).toBe(version + 1);
    const reordered = (await eventsOf(id)).filter((event) => event.type === 'image.reordered');
    expect(reordered).toMatchObject([
      {
        actor_id: staff.userId,
        changes: { image_url: { from: `/media/${a}-detail.webp`, to: `/media/${c}-detail.webp` } },
        data: { image_ids: [c, a, b] },
      },
    ]);
  });

  it('are deleted, until the drawing comes back', async () => {
    const id = await newProduct({ product_type: 'Kitchen > Mugs', color: 'red' });
    const drawn = await productOf(id);
    const images: string[] = [];
    for (let i = 0; i < 3; i++) images.push((await upload(id)).json.id);
    const remove = (image: string, headers = {}) =>
      staff.delete(`/api/products/${id}/images/${image}`, undefined, headers);
    expect(outcome(await remove(images[0]!, { 'if-match': '"1"' }))).toEqual([412, 'version_mismatch']);
    const gone = await remove(images[0]!, { 'if-match': '"4"' });
    expect([gone.status, gone.text]).toEqual([204, '']);
    expect(
      (await productOf(id)).images.map((image: { id: string; position: number }) => [image.id, image.position]),
    ).toEqual([
      [images[1], 0],
      [images[2], 1],
    ]);
    expect(outcome(await remove(images[0]!))).toEqual([404, 'image_not_found']);
    await remove(images[2]!.toUpperCase());
    expect((await productOf(id)).image_url).toBe(`/media/${images[1]}-detail.webp`);
    await remove(images[1]!);
    expect(await productOf(id)).toMatchObject({ images: drawn.images, image_url: drawn.image_url, version: 7 });
    expect(
      (await eventsOf(id))
        .filter((event) => event.type === 'image.deleted')
        .map((event) => [event.data.image_id, event.changes]),
    ).toEqual([
      [images[0], { image_url: { from: `/media/${images[0]}-detail.webp`, to: `/media/${images[1]}-detail.webp` } }],
      [images[2], {}],
      [images[1], { image_url: { from: `/media/${images[1]}-detail.webp`, to: drawn.image_url } }],
    ]);
    expect(blobsOf(images[0]!)).toHaveLength(3);
    await removeUnusedImages(shop);
    for (const image of images) {
      expect(blobsOf(image)).toEqual([]);
      expect((await shop.get(`/media/${image}-list.webp`)).status).toBe(404);
    }
    expect(await unused()).toEqual([]);
  });

  it('stand in for drawings of which there were several', async () => {
    const id = await newProduct();
    const drawings = ['shirt.teal.1', 'shirt.teal.2'].map((key) => [newId(), key] as const);
    for (const [position, [image, key]] of drawings.entries())
      await shop.db.run(
        sql(
          `insert into product_images (id, product_id, position, key, width, height, created_at) values ($1, $2, $3, $4, 800, 1000, now())`,
          [image, id, position, key],
        ),
      );
    await shop.db.run(sql("update products set image = 'shirt.teal.1' where id = $1", [id]));
    const order = await staff.put(`/api/products/${id}/images/order`, { ids: [drawings[1]![0], drawings[0]![0]] });
    expect(order.json.items[0].url).toBe('/media/shirt.teal.2.svg');
    const image = (await upload(id)).json;
    expect([image.position, (await productOf(id)).images]).toEqual([0, [image]]);
    await staff.delete(`/api/products/${id}/images/${image.id}`);
    expect((await productOf(id)).images).toMatchObject([
      { id: null, url: expect.stringMatching(/^\/media\/shirt\.\w+\.\d(\.\w+)?\.svg$/) },
    ]);
  });

  it('are twenty at most, in places without gaps, however many come at once', async () => {
    const id = await newProduct();
    const answers: Answer[] = [];
    for (let round = 0; round < 2; round++)
      answers.push(...(await Promise.all(Array.from({ length: 12 }, () => upload(id)))));
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(20);
    expect(answers.filter((answer) => answer.status !== 201).map(outcome)).toEqual(
      Array(4).fill([409, 'too_many_images']),
    );
    const { images } = await productOf(id);
    expect(images.map((image: { position: number }) => image.position)).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
    // With others deleted and put in order meanwhile.
    await Promise.all([
      ...images.slice(0, 10).map((image: { id: string }) => staff.delete(`/api/products/${id}/images/${image.id}`)),
      staff.put(`/api/products/${id}/images/order`, { ids: images.map((image: { id: string }) => image.id).reverse() }),
      upload(id),
      upload(id),
    ]);
    const left = (await productOf(id)).images.map((image: { position: number }) => image.position);
    expect(left.length).toBeGreaterThanOrEqual(10);
    expect(left).toEqual(left.map((_: number, i: number) => i));
    await removeUnusedImages(shop);
    expect(
      blobFiles().filter((file) => answers.some((answer) => answer.json.id && file.startsWith(answer.json.id))),
    ).toHaveLength(
      (await productOf(id)).images.filter((image: { id: string }) =>
        answers.some((answer) => answer.json.id === image.id),
      ).length * 3,
    );
  });
});

describe('a category', () => {
  it('gets an image, another one, and none', async () => {
    const id = await newCategory();
    const path = `/api/categories/${id}/image`;
    const put = (headers = {}) => staff.put(path, form(photo), headers);
    const { json: before } = await shop.get(`/api/categories/${id}`);
    expect(before.image_url).toBeNull();
    const first = await put();
    expect(first.status).toBe(200);
    expect(first.json).toMatchObject({
      id,
      image_url: expect.stringMatching(/^\/media\/.*-detail\.webp$/),
      version: before.version + 1,
    });
    expect(first.headers.get('etag')).toMatch(new RegExp(`^"${first.json.version}-`));
    expect((await shop.get(`/api/categories/${id}`)).json).toEqual(first.json);
    expect((await shop.get(first.json.image_url)).status).toBe(200);
    expect(outcome(await put({ 'if-match': `"${before.version}"` }))).toEqual([412, 'version_mismatch']);
    const second = await put({ 'if-match': first.headers.get('etag')! });
    expect(second.json.image_url).not.toBe(first.json.image_url);
    await removeUnusedImages(shop);
    expect((await shop.get(first.json.image_url)).status).toBe(404);
    expect((await shop.get(second.json.image_url)).status).toBe(200);
    expect(outcome(await staff.delete(path, undefined, { 'if-match': '"1"' }))).toEqual([412, 'version_mismatch']);
    expect((await staff.delete(path)).status).toBe(204);
    expect((await staff.delete(path)).status).toBe(204);
    expect((await shop.get(`/api/categories/${id}`)).json).toMatchObject({
      image_url: null,
      version: before.version + 3,
    });
    expect((await eventsOf(id)).map(({ type, actor_id, changes }) => ({ type, actor_id, changes }))).toEqual(
      [
        { from: null, to: first.json.image_url },
        { from: first.json.image_url, to: second.json.image_url },
        { from: second.json.image_url, to: null },
      ].map((image_url) => ({ type: 'category.updated', actor_id: staff.userId, changes: { image_url } })),
    );
    await removeUnusedImages(shop);
    expect((await shop.get(second.json.image_url)).status).toBe(404);
  });

  it('that is hidden or gone', async () => {
    const id = await newCategory();
    await shop.db.run(sql('update categories set active = false where id = $1', [id]));
    expect((await staff.put(`/api/categories/${id}/image`, form(small()))).json).toMatchObject({ id, active: false });
    expect(outcome(await staff.put(`/api/categories/${newId()}/image`, form(small())))).toEqual([
      404,
      'category_not_found',
    ]);
    expect(outcome(await staff.delete(`/api/categories/${newId()}/image`))).toEqual([404, 'category_not_found']);
    expect(outcome(await staff.put(`/api/categories/${id}/image`, form(small(), { alt: 'x' })))).toEqual([
      400,
      'validation_failed',
    ]);
  });
});

describe('blobs', () => {
  beforeEach(() => removeUnusedImages(shop));

  it('go with a product and a category that are erased, however that is done', async () => {
    const id = await newProduct();
    const image = (await upload(id)).json.id;
    const category = await newCategory();
    const shelf = (await staff.put(`/api/categories/${category}/image`, form(small()))).json.image_url;
    await shop.db.run(sql('delete from products where id = $1 or category_id = $2', [id, category]));
    await shop.db.run(sql('delete from categories where id = $1', [category]));
    expect(blobsOf(image)).toHaveLength(3);
    await removeUnusedImages(shop);
    expect(blobsOf(image)).toEqual([]);
    expect((await shop.get(shelf)).status).toBe(404);
  });

  it('stay as long as a removal that was begun is not committed', async () => {
    const id = await newProduct();
    const image = (await upload(id)).json.id;
    await expect(
      shop.db.transaction(async (tx) => {
        await tx.run(sql('delete from product_images where id = $1', [image]));
        await removeUnusedImages(shop);
        throw new Error('taken back');
      }),
    ).rejects.toThrow('taken back');
    await removeUnusedImages(shop);
    expect(blobsOf(image)).toHaveLength(3);
  });

  it('of an upload that fails at its end are removed', async () => {
    const files = blobFiles();
    const rendered = await shop.images.render(small());
    let stored = '';
    await expect(
      storeImage(shop, rendered, async (_tx, image) => {
        stored = image.id;
        expect(blobsOf(stored)).toHaveLength(3);
        throw new Error('the product is gone');
      }),
    ).rejects.toThrow('the product is gone');
    expect(await unused()).toEqual([{ id: stored, due: true }]);
    await removeUnusedImages(shop);
    expect(blobFiles()).toEqual(files);
  });

  it('of an upload whose process died are removed, but not before it could have ended', async () => {
    const rendered = await shop.images.render(small());
    // A process that dies never comes to its transaction.
    let stored = '';
    let goOn = () => {};
    const hung = storeImage(shop, rendered, async (_tx, image) => {
      stored = image.id;
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
    });
    while (!stored) await new Promise((resolve) => setTimeout(resolve, 10));
    await removeUnusedImages(shop);
    expect(blobsOf(stored)).toHaveLength(3);
    goOn();
    await hung;
    expect(await unused()).toEqual([]);

    const orphan = newId();
    await shop.blobs.put(`images/${orphan}-list.webp`, rendered.files.list);
    await shop.db.run(sql("insert into unused_images values ($1, now() + interval '1 second')", [orphan]));
    await removeUnusedImages(shop);
    expect(blobsOf(orphan)).toHaveLength(1);
    await shop.db.run(sql('update unused_images set due_at = now()'));
    await removeUnusedImages(shop);
    expect(blobsOf(orphan)).toEqual([]);
  });

  it('that were given up are never shown', async () => {
    const id = await newProduct();
    const slow = {
      ...shop.images,
      blobs: {
        ...shop.blobs,
        // The store takes an hour; the job comes by meanwhile.
        put: async (key: string, content: Buffer) => {
          const done = await shop.blobs.put(key, content);
          await shop.db.run(sql('update unused_images set due_at = now()'));
          await removeUnusedImages(shop);
          return done;
        },
      },
    };
    const by = { userId: staff.userId, role: 'staff' } as const;
    await expect(addImage(slow as typeof shop.images, by, id, { bytes: small(), alt: '' })).rejects.toThrow(
      'took so long',
    );
    expect((await productOf(id)).images).toMatchObject([{ id: null }]);
  });

  it('that cannot be stored are no image', async () => {
    const id = await newProduct();
    const files = blobFiles();
    let puts = 0;
    const failing = {
      ...shop.images,
      blobs: {
        ...shop.blobs,
        put: (key: string, content: Buffer) =>
          ++puts === 2 ? Promise.reject(new Error('no space is left')) : shop.blobs.put(key, content),
      },
    };
    const by = { userId: staff.userId, role: 'staff' } as const;
    await expect(addImage(failing as typeof shop.images, by, id, { bytes: small(), alt: '' })).rejects.toThrow(
      'no space is left',
    );
    await removeUnusedImages(shop);
    expect(blobFiles()).toEqual(files);
    expect((await productOf(id)).version).toBe(1);
  });
});

it('answers busy at once when too many uploads are on their way, and goes on when they are done', async () => {
  const id = await newProduct();
  const { hostname, port } = new URL(shop.url);
  const slow = Array.from({ length: 12 }, () => {
    const request = requestOf({
      hostname,
      port,
      method: 'POST',
      path: `/api/products/${id}/images`,
      headers: { ...staff.headers, 'content-type': 'multipart/form-data; boundary=y', 'content-length': 100_000 },
    });
    request.on('error', () => {});
    request.write('--y\r\n');
    return request;
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const refused = await upload(id);
  expect([...outcome(refused), refused.headers.get('retry-after')]).toEqual([503, 'busy', '2']);
  for (const request of slow) request.destroy();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect((await upload(id)).status).toBe(201);
});

it('reads are answered while images are worked on', async () => {
  const id = await newProduct();
  const large = flatPng(6_000, 6_000);
  let working = true;
  const uploads = Promise.all(Array.from({ length: 6 }, () => upload(id, large))).finally(() => {
    working = false;
  });
  const times: number[] = [];
  while (working) {
    const began = performance.now();
    expect((await shop.get(`/api/products?page=1&search=x${times.length}`)).status).toBe(200);
    times.push(performance.now() - began);
  }
  expect((await uploads).map((answer) => answer.status)).toEqual(Array(6).fill(201));
  times.sort((a, b) => a - b);
  expect(times.length).toBeGreaterThan(20);
  expect(times[Math.floor(times.length * 0.9)]).toBeLessThan(400);
});
