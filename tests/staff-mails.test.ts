import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import type { NewEvent } from '../src/kernel/events.ts';
import { newId } from '../src/kernel/ids.ts';
import { defineJob, enqueue, type Job, startJobs } from '../src/kernel/jobs.ts';
import { eventually, fakeClock } from '../src/kernel/testing/index.ts';
import { createNotifications, MAILBOX } from '../src/modules/notifications/index.ts';
import { productMails } from '../src/modules/notifications/product-mails.ts';
import { recordAttempt, TARGET, type Target } from '../src/modules/notifications/webhooks/record.ts';
import { deliverAgain, deliverEvents, type Written, writtenMails } from './support/mails.ts';
import { type Caller, startTestShop, type TestShop } from './support/shop.ts';

/** What staff are written to about products, their stock, and jobs that were given up. */

/** Later than the database's own time, so that nothing is due before a test says so. */
const BEGINNING = '2040-01-15T12:00:00.000Z';
const clock = fakeClock(BEGINNING);
const WINDOW = 5 * 60_000;
const DAY = 86_400_000;

let shop: TestShop;
let staff: Caller;

beforeEach(async () => {
  clock.set(BEGINNING);
  shop = await startTestShop({ clock });
  staff = await shop.as('staff');
});
afterEach(() => shop.stop());

const optOut = (who: Caller, key: string) =>
  shop.db.run(
    sql('update users set notifications = notifications || $2 where id = $1', [
      who.userId,
      JSON.stringify({ [key]: false }),
    ]),
  );

const changed = (n: number, more: Partial<NewEvent> = {}): NewEvent => ({
  type: 'product.updated',
  subject: { type: 'product', id: newId() },
  actorId: staff.userId,
  changes: { price: { from: '19.99', to: '17.99' } },
  data: { sku: `SKU-${n}`, slug: `thing-${n}`, name: `Thing ${n}` },
  ...more,
});

/** Appends the events, each in a transaction of its own, and has them delivered. */
async function happens(events: readonly NewEvent[]): Promise<void> {
  await Promise.all(events.map((event) => shop.db.transaction((tx) => shop.events.append(tx, event))));
  await deliverEvents(shop);
}

const many = (count: number, more: Partial<NewEvent> = {}) => Array.from({ length: count }, (_, i) => changed(i, more));

const to = (who: Caller, mails: readonly Written[]) => mails.filter((mail) => mail.recipient_id === who.userId);

type Waiting = { payload: { actorId: string; beganAt: string }; run_at: Date };
const digestsWaiting = (kind = 'product') =>
  shop.db.many(
    sql<Waiting>(
      `select j.payload, j.run_at from graphile_worker._private_jobs j
       join graphile_worker._private_tasks t on t.id = j.task_id where t.identifier = $1 order by j.id`,
      [`mails.${kind}_digest`],
    ),
  );

/** Deliveries that wait. */
const jobsOf = (subscriber: string) =>
  shop.db.many(
    sql("select payload from graphile_worker._private_jobs where payload ->> 'subscriber' = $1", [subscriber]),
  );

const jobNamed = (name: string) => shop.jobs.find((job) => job.name === name) as Job<object>;
const writeDigests = async (kind = 'product') => {
  for (const { payload } of await digestsWaiting(kind))
    await jobNamed(`mails.${kind}_digest`).run(payload, {} as never);
};

describe('products that are created or changed', () => {
  it('are told to every admin, one message each', async () => {
    const superuser = await shop.as('superuser');
    const made = await staff.post('/api/products', { name: 'A <b>kettle</b>', price: '19.99', color: 'red' });
    await staff.patch(`/api/products/${made.json.id}`, { sale_price: '17.50', color: 'blue', description: 'Boils.' });
    await deliverEvents(shop);
    const mails = await writtenMails(shop);
    expect(mails).toHaveLength(4);
    for (const who of [staff, superuser]) {
      const own = to(who, mails);
      expect(own.map(({ subject }) => subject).sort()).toEqual([
        'A <b>kettle</b> was created',
        'A <b>kettle</b> was updated',
      ]);
      const [creation, change] = own.toSorted((a, b) => a.subject.localeCompare(b.subject));
      expect(creation!.text).toContain(staff.username);
      expect(creation!.text).toContain('19.99 USD');
      expect(creation!.text).toContain('https://shop.example/products/a-b-kettle-b');
      expect(change!.text).toContain('none → 17.50 USD');
      expect(change!.text).toContain('red → blue');
      expect(change!.text).toContain(`This product was updated by ${staff.username}.`);
      expect(change!.text).not.toContain('Boils.');
      expect(change!.text).toContain('https://shop.example/profile/notifications');
    }
  });

  it('are not told to whom opted out, is disabled or erased, nor to anybody else', async () => {
    const [opted, disabled, erased] = [await shop.as('staff'), await shop.as('staff'), await shop.as('superuser')];
    await shop.as('customer');
    await shop.as('seller');
    await optOut(opted, 'product_changes');
    await shop.db.run(sql('update users set disabled_at = now() where id = $1', [disabled.userId]));
    await shop.db.run(sql('update users set erased_at = now(), email = null where id = $1', [erased.userId]));
    await happens([changed(1)]);
    expect((await writtenMails(shop)).map((mail) => mail.recipient_id)).toEqual([staff.userId]);
  });

  it('are no job when nobody wants to know', async () => {
    await optOut(staff, 'product_changes');
    await shop.db.transaction((tx) => shop.events.append(tx, changed(1)));
    await shop.events.flush();
    expect(await jobsOf('mails.products')).toEqual([]);
  });

  it('are told one by one up to three times in five minutes, the further ones at their end in one message', async () => {
    const other = await shop.as('superuser');
    await happens([changed(1)]);
    clock.advance(60_000);
    await happens([changed(2)]);
    await happens([changed(3)]);
    expect(await digestsWaiting()).toEqual([]);
    await happens([changed(4)]);
    clock.advance(WINDOW - 60_001);
    await happens([changed(5)]);
    expect(await writtenMails(shop, 'product_changed')).toHaveLength(6);
    const [waiting, ...more] = await digestsWaiting();
    expect(more).toEqual([]);
    expect(waiting!.run_at.toISOString()).toBe('2040-01-15T12:05:00.000Z');

    await optOut(other, 'product_changes');
    await writeDigests();
    const digests = await writtenMails(shop, 'products_digest');
    expect(digests.map((mail) => mail.recipient_id)).toEqual([staff.userId]);
    expect(digests[0]!.subject).toBe(`2 more product changes by ${staff.username}`);
    for (const told of ['Thing 4', 'SKU-5', '19.99 USD → 17.99 USD']) expect(digests[0]!.text).toContain(told);
    expect(digests[0]!.text).not.toContain('Thing 3');
    const { html } = await shop.db.one(
      sql<{ html: Buffer }>("select html from emails where template = 'products_digest'"),
    );
    expect(shop.secrets.decrypt(MAILBOX, html)).toMatch(
      /<a [^>]*href="https:\/\/shop\.example\/products\/thing-4"[^>]*>Thing 4<\/a>/,
    );
  });

  it('begin a new window with the first change that is handled when five minutes are over', async () => {
    await happens(many(4));
    clock.advance(WINDOW - 1);
    await happens([changed(5)]);
    expect(await writtenMails(shop, 'product_changed')).toHaveLength(3);
    clock.advance(1);
    await happens([changed(6)]);
    expect(await writtenMails(shop, 'product_changed')).toHaveLength(4);
    // The digest of the first window comes late, and tells of that one alone.
    await happens(many(3));
    await writeDigests();
    expect((await writtenMails(shop, 'products_digest')).map(({ subject }) => subject)).toEqual([
      `2 more product changes by ${staff.username}`,
      `1 more product change by ${staff.username}`,
    ]);
  });

  it('are never gathered for a digest that is already written', async () => {
    await happens(many(4));
    await writeDigests();
    // By the clock of another machine the five minutes are not over.
    await happens([changed(5)]);
    expect(await writtenMails(shop, 'product_changed')).toHaveLength(4);
    expect(await shop.db.many(sql('select from mail_digests'))).toEqual([]);
  });

  it('are counted for each actor apart', async () => {
    const seller = await shop.as('seller');
    await happens([...many(4), ...many(4, { actorId: seller.userId })]);
    await writeDigests();
    expect(await writtenMails(shop, 'product_changed')).toHaveLength(6);
    expect((await writtenMails(shop, 'products_digest')).map(({ subject }) => subject).sort()).toEqual(
      [staff, seller].map(({ username }) => `1 more product change by ${username}`).sort(),
    );
  });

  it('are three messages and one digest however many are handled at once', async () => {
    await happens(many(50));
    await writeDigests();
    expect(await writtenMails(shop, 'product_changed')).toHaveLength(3);
    expect((await writtenMails(shop, 'products_digest')).map(({ subject }) => subject)).toEqual([
      `47 more product changes by ${staff.username}`,
    ]);
  });

  it('are listed up to fifty in a digest, which says how many more there are', async () => {
    await happens(many(3));
    await happens(many(57));
    await writeDigests();
    const [digest] = await writtenMails(shop, 'products_digest');
    expect(digest!.subject).toBe(`57 more product changes by ${staff.username}`);
    expect(digest!.text.match(/SKU-\d/g)).toHaveLength(50);
    expect(digest!.text).toContain('And 7 more changes.');
  });

  it('are not told one by one when an import or repricing made them', async () => {
    await happens([changed(1, { actorId: null }), changed(2, { data: { ...changed(2).data, reason: 'repricing' } })]);
    await happens([changed(3, { type: 'product.deleted' }), changed(4, { type: 'product.restored' })]);
    expect(await writtenMails(shop)).toEqual([]);
  });

  it('are told once, however often their event is delivered', async () => {
    await happens([changed(1)]);
    const { position } = await shop.db.one(sql<{ position: number }>('select max(position) as position from events'));
    await deliverAgain(shop, position, 'mails.products');
    expect(await writtenMails(shop)).toHaveLength(1);
  });

  it('are not lost with a digest that fails, and told once when it is tried again', async () => {
    await happens(many(5));
    const [{ payload }] = (await digestsWaiting()) as [Waiting];
    const failing = productMails({
      ...shop,
      categoryNames: async () => [],
      importOutcomes: async function* () {},
      fallenByImport: async () => ({ products: [], total: 0 }),
      namesOfProducts: async () => new Map(),
      linesOfOrder: async () => [],
      sendMail: () => Promise.reject(new Error('no')),
    });
    await expect(failing.window.job.run(payload, {} as never)).rejects.toThrow('no');
    await writeDigests();
    await writeDigests();
    expect((await writtenMails(shop, 'products_digest')).map(({ subject }) => subject)).toEqual([
      `2 more product changes by ${staff.username}`,
    ]);
    const left = await shop.db.many(sql('select from mail_digests'));
    expect(left).toEqual([]);
  });
});

describe('stock that runs low', () => {
  it('is told when it falls to the threshold or below, and not again until it was above', async () => {
    const made = await staff.post('/api/products', { name: 'A kettle', price: '19.99', stock: 10 });
    const move = async (delta: number) => {
      expect((await staff.post(`/api/products/${made.json.id}/stock`, { delta, reason: 'counted' })).status).toBe(200);
      await deliverEvents(shop);
      return (await writtenMails(shop, 'low_stock')).length;
    };
    expect(await move(-4)).toBe(0);
    expect(await move(-1)).toBe(1);
    expect(await move(-2)).toBe(1);
    expect(await move(2)).toBe(1);
    expect(await move(1)).toBe(1);
    expect(await move(-6)).toBe(2);
    const [first, second] = await writtenMails(shop, 'low_stock');
    expect(first!.subject).toBe('Low stock: A kettle (5 left)');
    expect(second!.text).toContain('https://shop.example/products/a-kettle');
  });

  it('of many products at once comes as three messages and one list at the end of the five minutes', async () => {
    const falls = (n: number) => changed(n, { type: 'stock.adjusted', changes: { stock: { from: 6, to: n % 6 } } });
    await happens(Array.from({ length: 20 }, (_, n) => falls(n)));
    expect((await writtenMails(shop, 'low_stock')).length).toBe(3);
    await writeDigests('low_stock');
    const mails = await writtenMails(shop, 'low_stock');
    expect(mails.length).toBe(4);
    expect(mails.at(-1)!.subject).toBe('Low stock: 17 products');
  });

  it('is not told to whom opted out', async () => {
    await optOut(staff, 'low_stock');
    const other = await shop.as('staff');
    await happens([changed(1, { type: 'stock.adjusted', changes: { stock: { from: 6, to: 0 } } })]);
    expect((await writtenMails(shop)).map((mail) => mail.recipient_id)).toEqual([other.userId]);
  });

  it('is nobody’s business at a threshold of 0', async () => {
    await shop.stop();
    shop = await startTestShop({ clock, env: { LOW_STOCK: '0' } });
    await shop.as('staff');
    const sold = changed(1, { type: 'stock.adjusted', actorId: null, changes: { stock: { from: 6, to: 0 } } });
    await shop.db.transaction((tx) => shop.events.append(tx, sold));
    await shop.events.flush();
    expect(await jobsOf('mails.low_stock')).toEqual([]);
  });
});

describe('jobs that were given up', () => {
  const giveUp = async (names: readonly string[], error = 'Refused by smtp://user:secret@mail.example') => {
    const jobs = names.map((name) =>
      defineJob<object>({
        name,
        maxAttempts: 1,
        run: () => Promise.reject(new Error(error)),
      }),
    );
    for (const job of jobs) await enqueue(shop.db, job, [{}]);
    const worker = await startJobs({ url: shop.directUrl, jobs, concurrency: 2, log: shop.log });
    await eventually(async () => {
      const open = await shop.db.many(
        sql(
          `select from graphile_worker.jobs
           where task_identifier = any ($1) and (attempts < max_attempts or locked_at is not null)`,
          [names],
        ),
      );
      expect(open).toEqual([]);
    });
    await worker.stop();
  };
  const watch = () => jobNamed('jobs.tell_failures').run({}, {} as never);

  it('are told once, all of them in one message, without what is secret in their errors', async () => {
    const opted = await shop.as('staff');
    await optOut(opted, 'failed_jobs');
    await giveUp(['images.fetch', 'imports.run']);
    await watch();
    await watch();
    const mails = await writtenMails(shop);
    expect(mails.map((mail) => mail.recipient_id)).toEqual([staff.userId]);
    expect(mails[0]!.subject).toBe('2 background jobs were given up');
    for (const told of ['images.fetch', 'imports.run', 'Refused by smtp://…@mail.example', 'POST /api/jobs/{id}/retry'])
      expect(mails[0]!.text).toContain(told);
    expect(mails[0]!.text).not.toContain('secret');
  });

  it('are not told when they are messages themselves', async () => {
    await giveUp(['mail.send', 'jobs.tell_failures']);
    await watch();
    expect(await writtenMails(shop)).toEqual([]);
  });

  it('are listed up to twenty', async () => {
    await giveUp(Array.from({ length: 23 }, (_, i) => `task-${i}`));
    await watch();
    const [mail] = await writtenMails(shop);
    expect(mail!.subject).toBe('23 background jobs were given up');
    expect(mail!.text.match(/task-\d+/g)).toHaveLength(20);
    expect(mail!.text).toContain('And 3 more jobs.');
  });
});

describe('a webhook that was disabled', () => {
  const disable = async (status: number) => {
    await shop.stop();
    shop = await startTestShop({ clock, env: { ALLOW_PRIVATE_ADDRESSES: 'true' } });
    const superuser = await shop.as('superuser');
    const made = await superuser.post('/api/webhooks', { url: 'http://127.0.0.1:9/in', types: ['*'] });
    expect(made.status).toBe(201);
    const target = await shop.db.one(
      sql<Target>(`update webhook_endpoints set failing_since = $2 where id = $1 returning ${TARGET}`, [
        made.json.id,
        status === 410 ? null : new Date(clock.now().getTime() - 2 * DAY),
      ]),
    );
    const outcome = { startedAt: clock.now(), durationMs: 1, status, error: `It answered ${status}.`, response: null };
    const { sendMail } = createNotifications(shop, { publicUrl: 'https://shop.example' });
    await recordAttempt(
      { ...shop, sendMail, wake() {} },
      target,
      { id: newId(), attempts: 0 },
      { ...outcome, notBefore: null },
    );
    const [mail, ...more] = await writtenMails(shop, 'webhook_disabled');
    expect(more).toEqual([]);
    expect(mail!.recipient_id).toBe(superuser.userId);
    return mail!;
  };

  it('after a day of failures is told so to the superusers, with since when', async () => {
    const { subject, text } = await disable(500);
    expect(subject).toBe('A webhook was disabled after failing for a day');
    for (const told of ['for a day its endpoint has taken no delivery', 'Failing since: Jan 13, 2040', 'answered 500'])
      expect(text).toContain(told);
  });

  it('because its endpoint answered 410 is told so, and nothing of a day', async () => {
    const { subject, text } = await disable(410);
    expect(subject).toBe('A webhook was disabled: its endpoint is gone');
    expect(text).toContain('its endpoint answered 410');
    expect(text).not.toMatch(/a day|Failing since/);
  });
});
