import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { type LoggedEvent, readEvents } from '../src/kernel/events.ts';
import { newId } from '../src/kernel/ids.ts';
import { acceptUpload } from '../src/modules/imports/accept-import.ts';
import { cancelImport } from '../src/modules/imports/end-import.ts';
import { readOutcomes } from '../src/modules/imports/outcomes.ts';
import { importMails } from '../src/modules/notifications/import-mails.ts';
import type { Mail } from '../src/modules/notifications/mails.ts';
import { deliverAgain, deliverEvents, writtenMails } from './support/mails.ts';
import { type Caller, feedOf, startTestShop, type TestShop } from './support/shop.ts';

/** What staff are written to about imports, and what became of a feed's rows one by one. */

let folder: string;
let shop: TestShop;
let staff: Caller;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vitrine-staff-mails-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  shop = await startTestShop({ env: { DATA_DIR: await mkdtemp(join(folder, 'data-')) } });
  staff = await shop.as('staff');
});
afterEach(() => shop.stop());

type Item = Record<string, string>;
const item = (n: number, more: Item = {}): Item => ({
  id: `SKU-${n}`,
  title: `Thing ${n}`,
  price: '10.00 USD',
  availability: 'in_stock',
  ...more,
});
/** Every tenth has no price. */
const items = (count: number): Item[] =>
  Array.from({ length: count }, (_, i) => item(i, i % 10 === 0 ? { price: '' } : {}));

const csvOf = async (id: string) => {
  const answer = await staff.get(`/api/imports/${id}/outcomes?format=csv`);
  expect(answer.status).toBe(200);
  return answer.text;
};
const lastEvent = async (): Promise<LoggedEvent> => (await readEvents(shop.db, { after: 0, limit: 1_000 })).at(-1)!;

/** The message to one admin who wants it, as the subscriber makes it under this limit. */
async function told(event: LoggedEvent, attachUpTo: number): Promise<Mail[]> {
  const mails: Mail[] = [];
  const subscriber = importMails(
    {
      ...shop,
      categoryNames: async () => [],
      fallenByImport: async () => ({ products: [], total: 0 }),
      namesOfProducts: async () => new Map(),
      linesOfOrder: async () => [],
      importOutcomes: readOutcomes,
      sendMail: async (_tx, mail) => void mails.push(mail),
    },
    attachUpTo,
  );
  await shop.db.transaction((tx) => subscriber.handle(tx, event));
  return mails;
}

describe('an import that is finished', () => {
  it('is one message to each admin: its counts, the first hundred outcomes, and a file with all of them', async () => {
    const superuser = await shop.as('superuser');
    const opted = await shop.as('staff');
    await opted.put('/api/profile/notifications', { imports: false });
    await shop.as('customer');
    const report = await shop.importText(feedOf(items(250)));
    expect(report.counts).toMatchObject({ read: 250, created: 225, rejected: 25 });
    await deliverEvents(shop);
    const mails = await writtenMails(shop);
    expect(mails.map((mail) => mail.recipient_id).sort()).toEqual([staff.userId, superuser.userId].sort());
    for (const { template, subject, text: said, attachments } of mails) {
      expect(template).toBe('import_finished');
      expect(subject).toBe(`Import of ${report.file_name} finished: 225 created, 25 rejected`);
      expect(said).toContain('The first 100 of 250 outcomes');
      expect(said.match(/SKU-\d/g)).toHaveLength(100);
      expect(said.match(/\brejected\b/g)!.length).toBeGreaterThanOrEqual(25);
      expect(said).toContain(`https://shop.example/api/imports/${report.id}/outcomes?format=csv`);
      expect(attachments).toHaveLength(1);
    }
    // One file in the store, which both have.
    expect(mails[0]!.attachments).toEqual(mails[1]!.attachments);
    expect(await readdir(join(shop.config.DATA_DIR, 'blobs', 'mails'))).toHaveLength(1);
    const [file] = mails[0]!.attachments;
    const stored = await shop.blobs.get(file!.blob_key);
    expect(stored!.bytes).toBe(file!.bytes);
    const csv = await text(stored!.stream);
    expect(csv).toBe(await csvOf(report.id));
    const lines = csv.trimEnd().split('\n');
    expect(lines).toHaveLength(251);
    expect(lines[0]).toBe('outcome,sku,line,message');
    expect(lines.filter((line) => line.startsWith('rejected,'))).toHaveLength(25);
    expect(lines.filter((line) => line.startsWith('created,'))).toHaveLength(225);
    expect(file!.file_name).toMatch(/^feed-\d+-outcomes\.csv$/);
  });

  it('is told once, however often its event is delivered', async () => {
    await shop.importText(feedOf([item(1)]));
    await deliverEvents(shop);
    const { position } = await lastEvent();
    await deliverAgain(shop, position, 'mails.imports');
    expect(await writtenMails(shop)).toHaveLength(1);
  });

  it('has its outcomes attached up to the limit, to the byte, and linked beyond', async () => {
    const report = await shop.importText(feedOf(items(30)));
    const event = await lastEvent();
    expect(event.type).toBe('import.completed');
    const bytes = Buffer.byteLength(await csvOf(report.id));
    const [attached] = await told(event, bytes);
    expect(attached).toMatchObject({ data: { isAttached: true, totalOutcomes: 30 }, attachments: [{ bytes }] });
    // Done again, as after a crash, it leaves no second file.
    await told(event, bytes);
    expect(await readdir(join(shop.config.DATA_DIR, 'blobs', 'mails'))).toHaveLength(1);
    await rm(join(shop.config.DATA_DIR, 'blobs', 'mails'), { recursive: true });
    const [linked] = await told(event, bytes - 1);
    expect(linked).toMatchObject({
      data: { isAttached: false, totalOutcomes: 30, csvUrl: expect.stringContaining('/outcomes?format=csv') },
    });
    expect(linked).not.toHaveProperty('attachments');
    await expect(readdir(join(shop.config.DATA_DIR, 'blobs', 'mails'))).rejects.toThrow('ENOENT');
  });

  it('stops reading outcomes once there are too many to attach', async () => {
    await shop.importText(feedOf([item(1)]));
    let batches = 0;
    const mails: Mail[] = [];
    const subscriber = importMails({
      ...shop,
      categoryNames: async () => [],
      fallenByImport: async () => ({ products: [], total: 0 }),
      namesOfProducts: async () => new Map(),
      linesOfOrder: async () => [],
      async *importOutcomes() {
        for (; batches < 1_000; batches++) yield { outcomes: [], csv: 'x'.repeat(1_000_000) };
      },
      sendMail: async (_tx, mail) => void mails.push(mail),
    });
    const event = await lastEvent();
    await shop.db.transaction((tx) => subscriber.handle(tx, event));
    expect(batches).toBe(5);
    expect(mails).toMatchObject([{ data: { isAttached: false, totalOutcomes: 1 } }]);
  });

  it('says what there was nothing of, without a table or a file', async () => {
    await shop.importText(feedOf([item(1)]), 'upsert');
    await shop.db.run(sql('delete from outbox'));
    await shop.importText(feedOf([item(1)]), 'upsert');
    const [mail] = await told(await lastEvent(), 5_000_000);
    expect(mail).toMatchObject({ data: { outcomes: [], totalOutcomes: 0, counts: { unchanged: 1 } } });
    expect(mail).not.toHaveProperty('attachments');
  });

  it('tells of the products whose stock it let fall, in one message', async () => {
    const quantity = (n: number, amount: number) => item(n, { quantity: String(amount) });
    await shop.importText(feedOf([quantity(1, 10), quantity(2, 10), quantity(3, 3), quantity(4, 10)]), 'upsert');
    await shop.importText(feedOf([quantity(1, 2), quantity(2, 5), quantity(3, 1), quantity(4, 6)]), 'upsert');
    await deliverEvents(shop);
    const [mail, ...more] = await writtenMails(shop, 'low_stock');
    expect(more).toEqual([]);
    expect(mail!.subject).toBe('Low stock: 2 products');
    expect(mail!.text.match(/SKU-\d/g)).toEqual(['SKU-1', 'SKU-2']);
  });
});

describe('an import that failed', () => {
  it('is told to every admin with its reason and place', async () => {
    const report = await shop.importText('<rss><channel><item></channel></rss>');
    expect(report.status).toBe('failed');
    await deliverEvents(shop);
    const [mail, ...more] = await writtenMails(shop);
    expect(more).toEqual([]);
    expect(mail).toMatchObject({
      template: 'import_failed',
      recipient_id: staff.userId,
      subject: `Import of ${report.file_name} failed`,
      attachments: [],
    });
    expect(mail!.text).toContain(report.error!.message);
    expect(mail!.text).toContain(`line ${report.error!.line}`);
    // A browser would show them JSON there.
    expect(mail!.text).not.toContain('/api/');
  });
});

describe('an import that was cancelled', () => {
  it('is told to nobody', async () => {
    const { id } = await acceptUpload(shop.imports, staff.userId, async (key) => ({
      fileName: 'feed.xml',
      mode: 'create',
      ...(await shop.blobs.put(key, Buffer.from(feedOf([item(1)])))),
    }));
    await cancelImport(shop.imports, id, staff.userId);
    expect((await lastEvent()).type).toBe('import.cancelled');
    await deliverEvents(shop);
    expect(await writtenMails(shop)).toEqual([]);
  });
});

describe('the outcomes of an import', () => {
  type Outcome = { outcome: string; sku: string | null; line: number | null; message: string };
  const pages = async (id: string, size: number): Promise<Outcome[]> => {
    const found: Outcome[] = [];
    for (let cursor = ''; ; ) {
      const { status, json } = await staff.get(`/api/imports/${id}/outcomes?page_size=${size}${cursor}`);
      expect(status).toBe(200);
      found.push(...json.items);
      if (json.next_cursor === null) return found;
      cursor = `&cursor=${json.next_cursor}`;
    }
  };

  it('tell what became of each row, with what was remarked on it', async () => {
    await shop.importText(feedOf([item(1, { quantity: '3' }), item(2, { quantity: '4' }), item(3), item(4)]), 'upsert');
    const report = await shop.importText(
      feedOf([
        item(1, { price: '12.00 USD', title: 'Thing one', description: 'Long.', quantity: '2' }),
        item(2, { quantity: '9' }),
        item(3),
        item(5, { price: '' }),
        item(6, { condition: 'dusty', quantity: '8' }),
        item(7, { condition: 'dusty' }),
        item(7),
      ]),
      'upsert',
    );
    const outcomes = await pages(report.id, 100);
    expect(outcomes).toEqual([
      { outcome: 'rejected', sku: 'SKU-5', line: 5, message: expect.stringContaining('price') },
      { outcome: 'superseded', sku: 'SKU-7', line: 7, message: expect.stringContaining('line 8') },
      { outcome: 'created', sku: 'SKU-6', line: 6, message: expect.stringContaining('dusty') },
      { outcome: 'created', sku: 'SKU-7', line: null, message: '' },
      {
        outcome: 'updated',
        sku: 'SKU-1',
        line: null,
        message: expect.stringMatching(
          /^(?=.*name: Thing 1 → Thing one)(?=.*price: 10.00 → 12.00)(?=.*description changed)/,
        ),
      },
      { outcome: 'updated', sku: 'SKU-2', line: null, message: 'stock: 4 → 9.' },
    ]);
    const { read, unchanged } = report.counts;
    expect(outcomes).toHaveLength(read - unchanged);
  });

  it('are the same in pages of any size, by cursor and by number, and as CSV', async () => {
    await shop.importText(feedOf(Array.from({ length: 5 }, (_, i) => item(i + 1))));
    const report = await shop.importText(feedOf(items(37)));
    expect(report.counts).toMatchObject({ rejected: 4, existing: 5, created: 28 });
    const all = await pages(report.id, 100);
    expect(all.map(({ outcome }) => outcome)).toEqual([
      ...Array(4).fill('rejected'),
      ...Array(28).fill('created'),
      ...Array(5).fill('existing'),
    ]);
    for (const size of [1, 4, 7, 33]) expect(await pages(report.id, size)).toEqual(all);
    const byNumber: Outcome[] = [];
    for (let page = 1; page <= 13; page++) {
      const { json } = await staff.get(`/api/imports/${report.id}/outcomes?page_size=3&page=${page}`);
      expect(json).toMatchObject({ total: 37, total_pages: 13, page });
      byNumber.push(...json.items);
    }
    expect(byNumber).toEqual(all);
    expect((await csvOf(report.id)).trimEnd().split('\n')).toHaveLength(38);
  });

  it('hold nothing that a spreadsheet would run', async () => {
    const report = await shop.importText(feedOf([item(1, { id: '=cmd|A1' }), item(2, { id: '+1,2' })]));
    expect((await csvOf(report.id)).split('\n').slice(1, 3)).toEqual([`created,'=cmd|A1,,`, `created,"'+1,2",,`]);
  });

  it('are refused where there are none, and by a cursor that is none', async () => {
    const report = await shop.importText(feedOf([item(1)]));
    const ask = async (id: string, query: string) => {
      const { status, json } = await staff.get(`/api/imports/${id}/outcomes?${query}`);
      return [status, json.code];
    };
    expect(await ask(newId(), '')).toEqual([404, 'import_not_found']);
    expect(await ask(newId(), 'format=csv')).toEqual([404, 'import_not_found']);
    for (const cursor of ['x1', 'r', 'r0', 'p1;', '12'])
      expect(await ask(report.id, `cursor=${cursor}`)).toEqual([400, 'invalid_cursor']);
    expect(await ask(report.id, 'page=1000&page_size=100')).toEqual([400, 'page_too_deep']);
  });
});
