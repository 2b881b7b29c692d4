import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { build, sql } from '../src/kernel/db.ts';
import { newId } from '../src/kernel/ids.ts';
import { startJobs } from '../src/kernel/jobs.ts';
import { hashToken } from '../src/kernel/secrets.ts';
import { eventually, fakeClock } from '../src/kernel/testing/index.ts';
import { createNotifications } from '../src/modules/notifications/index.ts';
import type { Mail } from '../src/modules/notifications/mails.ts';
import { formOf, noticeOf, plainText, titleOf, type Visitor, visitor } from '../src/storefront/account/testing.ts';
import { browserOf } from './support/person.ts';
import { type Caller, startTestShop, type TestShop } from './support/shop.ts';
import { startSmtp } from './support/smtp.ts';

/** What superusers see of the messages, by the API and by the page, and what they can do about them. */

const DAY_MS = 86_400_000;
const clock = fakeClock('2026-03-01T12:00:00.000Z');
const folder = mkdtempSync(join(tmpdir(), 'vitrine-mailbox-'));
const TOKEN = 'abc-DEF_123';

let shop: TestShop;
let boss: Caller;

beforeAll(async () => {
  shop = await startTestShop({ clock, env: { DATA_DIR: folder } });
  boss = await shop.as('superuser');
});
afterAll(async () => {
  await shop.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Writes a message as if a mail server were set or not, and puts it into a state. */
async function write(changes: Partial<Mail> & { state?: string; lastError?: string } = {}): Promise<string> {
  const { state = 'kept', lastError = null, ...mail } = changes;
  const { sendMail } = createNotifications(shop, { publicUrl: 'https://shop.example' });
  await shop.db.transaction((tx) =>
    sendMail(tx, {
      template: 'verify_email',
      to: { userId: newId(), email: `${newId()}@example.com` },
      data: { url: `https://shop.example/email/verify?x=1&token=${TOKEN}`, hours: 48 },
      ...mail,
    } as Mail),
  );
  const { id } = await shop.db.one(sql<{ id: string }>('select id from emails order by id desc limit 1'));
  await shop.db.run(
    sql(
      `update emails set state = $2, last_error = $3,
         next_try_at = case when $2 in ('queued', 'sending') then now() + interval '1 day' end where id = $1`,
      [id, state, lastError],
    ),
  );
  return id;
}

async function keyWith(...scopes: string[]): Promise<Record<string, string>> {
  const key = `vk_${newId()}`;
  await shop.db.run(
    build.insertInto('api_keys').values({
      id: newId(),
      name: 'test',
      hint: key.slice(0, 9),
      hash: hashToken(key),
      scopes,
      created_by: boss.userId,
      created_at: clock.now(),
    }),
  );
  return { authorization: `Bearer ${key}` };
}

/** A superuser's browser. */
async function browser(userId = boss.userId): Promise<Visitor> {
  const one = visitor(shop.url);
  const [name, value] = (await browserOf(shop, userId)).split('=') as [string, string];
  one.cookies.set(name, value);
  return one;
}

describe('by the API', () => {
  it('messages are listed with how far they have come, and narrowed', async () => {
    const failed = await write({ state: 'failed', lastError: 'The mail server answered “550 No” to RCPT TO.' });
    const email = `Odd+${newId()}@Example.com`;
    const kept = await write({ to: { userId: newId(), email } });
    const list = async (query: string) => (await boss.get(`/api/emails?page_size=100&${query}`)).json.items;
    const [first] = await list('');
    expect(first).toEqual({
      id: kept,
      template: 'verify_email',
      to: email,
      subject: 'Confirm your e-mail address for Vitrine',
      state: 'kept',
      tries: 0,
      last_error: null,
      last_tried_at: null,
      next_try_at: null,
      sent_at: null,
      created_at: clock.now().toISOString(),
    });
    const idsOf = async (query: string) => (await list(query)).map(({ id }: { id: string }) => id);
    expect(await idsOf('state=failed')).toEqual([failed]);
    expect((await list('state=failed'))[0].last_error).toContain('550 No');
    expect(await idsOf(`to=${encodeURIComponent(email.toLowerCase())}`)).toEqual([kept]);
    expect(await idsOf('template=order_placed')).toEqual([]);
    expect(await idsOf('template=verify_email&state=kept')).toContain(kept);
    expect((await boss.get('/api/emails?state=lost')).status).toBe(400);
  });

  it('one is told with both its parts, and to an API key without the token', async () => {
    const id = await write();
    const { json, headers } = await boss.get(`/api/emails/${id}`);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(json.text).toContain(`token=${TOKEN}`);
    expect(json.html).toContain(`&amp;token=${TOKEN}"`);
    expect(json).toMatchObject({ id, message_id: null, attachments: [] });
    const { json: masked } = await shop.get(`/api/emails/${id}`, await keyWith('emails:read'));
    expect(masked.text).toContain('x=1&token=…');
    expect(masked.html).toContain('x=1&amp;token=…"');
    expect(JSON.stringify(masked)).not.toContain(TOKEN);
    const { json: none } = await boss.get(`/api/emails/${newId()}`);
    expect([none.status, none.code]).toEqual([404, 'email_not_found']);
    // Once it went out, the link is its recipient's alone.
    for (const state of ['queued', 'sent', 'failed']) {
      const { json: gone } = await boss.get(`/api/emails/${await write({ state })}`);
      expect(gone.text, state).toContain('token=…');
      expect(JSON.stringify(gone), state).not.toContain(TOKEN);
    }
  });

  it('one from before there was HTML is there too', async () => {
    const id = await write();
    await shop.db.run(sql('update emails set html = null where id = $1', [id]));
    const { json } = await boss.get(`/api/emails/${id}`);
    expect([json.html, json.text.includes(TOKEN)]).toEqual([null, true]);
    const one = await browser();
    expect((await one.open(`/admin/mailbox/${id}/html`)).text).toContain(TOKEN);
  });

  it('a retry is refused to what is on its way or there, and without a mail server', async () => {
    const asked = async (state: string) => {
      const { json } = await boss.post(`/api/emails/${await write({ state })}/retry`);
      return [json.status, json.code];
    };
    for (const state of ['queued', 'sending', 'sent']) expect(await asked(state)).toEqual([409, 'email_not_retryable']);
    for (const state of ['failed', 'kept']) expect(await asked(state)).toEqual([409, 'mail_not_set_up']);
    const { json } = await boss.post(`/api/emails/${newId()}/retry`);
    expect([json.status, json.code]).toEqual([404, 'email_not_found']);
    const reader = await keyWith('emails:read');
    const refused = await shop.send('POST', `/api/emails/${await write()}/retry`, undefined, reader);
    expect([refused.status, refused.json.code]).toEqual([403, 'insufficient_scope']);
  });

  it('an attachment is downloaded under its name, and as nothing that a browser would run', async () => {
    const content = '<script>alert(1)</script>';
    const { bytes } = await shop.blobs.put('mails/odd.html', Buffer.from(content));
    const fileName = 'výsledky "1"\r\nX-Evil: 1.html';
    const id = await write({
      template: 'import_failed',
      data: { fileName: 'x', reason: 'x', line: null, column: null },
      attachments: [{ fileName, contentType: 'text/html', blobKey: 'mails/odd.html', bytes }],
    });
    const { json } = await boss.get(`/api/emails/${id}`);
    expect(json.attachments).toEqual([{ file_name: fileName, content_type: 'text/html', bytes }]);
    const file = await boss.get(`/api/emails/${id}/attachments/1`);
    expect([file.status, file.text]).toEqual([200, content]);
    expect(file.headers.get('x-content-type-options')).toBe('nosniff');
    expect(file.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(file.headers.get('x-evil')).toBeNull();
    expect(file.headers.get('content-disposition')).toMatch(
      /^attachment; filename="v_sledky _1___X-Evil_ 1\.html"; filename\*=UTF-8''v%C3%BDsledky%20%221%22%0D%0AX-Evil%3A%201\.html$/,
    );
    const { json: none } = await boss.get(`/api/emails/${id}/attachments/2`);
    expect([none.status, none.code]).toEqual([404, 'attachment_not_found']);
    await shop.blobs.remove(['mails/odd.html']);
    expect((await boss.get(`/api/emails/${id}/attachments/1`)).json.code).toBe('attachment_not_found');
  });
});

it('a retry sends, and is told in the log of events by whom', async () => {
  const smtp = await startSmtp();
  const sending = await startTestShop({ env: { SMTP_URL: smtp.url } });
  onTestFinished(() => sending.stop());
  const superuser = await sending.as('superuser');
  // Written while the server refused.
  const id = newId();
  await sending.db.run(
    build.insertInto('emails').values({
      id,
      template: 'password_changed',
      recipient: 'ada@example.com',
      subject: 'Your password was changed',
      body: sending.secrets.encrypt('mailbox', 'It was.'),
      state: 'failed',
      tries: 11,
      last_error: 'No.',
      message_id: '<given-before@shop.example>',
      created_at: sending.clock.now(),
    }),
  );
  const { status, json } = await superuser.post(`/api/emails/${id}/retry`);
  expect([status, json.state, json.tries, json.last_error]).toEqual([200, 'queued', 0, null]);
  const { json: again } = await superuser.post(`/api/emails/${id}/retry`);
  expect([again.status, again.code]).toEqual([409, 'email_not_retryable']);
  // Refused for the time being: who has mended the mail server need not wait for the next try.
  await sending.db.run(
    sql("update emails set tries = 3, next_try_at = now() + interval '6 hours', last_error = 'No.' where id = $1", [
      id,
    ]),
  );
  const { status: hastened } = await superuser.post(`/api/emails/${id}/retry`);
  const due = await sending.db.one(sql('select next_try_at <= now() as due from emails where id = $1', [id]));
  expect([hastened, due]).toEqual([200, { due: true }]);
  const events = await sending.db.many(
    sql<{ type: string }>("select type, actor_id, subject_id, changes from events where subject_type = 'email'"),
  );
  expect(events).toEqual([
    {
      type: 'email.retried',
      actor_id: superuser.userId,
      subject_id: id,
      changes: { state: { from: 'failed', to: 'queued' } },
    },
    { type: 'email.retried', actor_id: superuser.userId, subject_id: id, changes: {} },
  ]);
  const workers = await startJobs({ url: sending.directUrl, jobs: sending.jobs, concurrency: 1, log: sending.log });
  onTestFinished(() => workers.stop());
  await eventually(async () => expect((await superuser.get(`/api/emails/${id}`)).json.state).toBe('sent'), 15_000);
  expect(smtp.accepted.map(({ mail }) => mail.messageId)).toEqual(['<given-before@shop.example>']);
  expect(smtp.accepted[0]!.mail.text).toContain('It was.');
});

describe('by the page', () => {
  it('is for superusers, and asks others to log in or sends them away', async () => {
    const nobody = await visitor(shop.url).request('GET', '/admin/mailbox?state=failed');
    expect([nobody.status, nobody.location]).toEqual([303, '/login?next=%2Fadmin%2Fmailbox%3Fstate%3Dfailed']);
    const id = await write();
    for (const role of ['customer', 'staff'] as const) {
      const one = await browser((await shop.as(role)).userId);
      for (const path of ['', `/${id}`, `/${id}/html`]) {
        const page = await one.open(`/admin/mailbox${path}`);
        expect([page.status, titleOf(page)]).toEqual([403, 'You may not open this page']);
        expect(page.text).not.toContain(TOKEN);
      }
    }
  });

  it('lists, by state and in pages', async () => {
    const subject = '<script>alert("x")</script>';
    const failed = await write({
      template: 'order_status_changed',
      data: { number: subject, status: 'shipped', url: 'https://shop.example/o' },
      state: 'failed',
      lastError: 'The mail server answered “550 <b>No</b>” to RCPT TO.',
    });
    const one = await browser();
    const all = await one.open('/admin/mailbox');
    expect(all.status).toBe(200);
    expect(all.headers.get('cache-control')).toBe('no-store');
    expect(all.headers.get('content-security-policy')).not.toContain('frame-src');
    expect(all.text).toContain(`href="/admin/mailbox/${failed}"`);
    expect(all.text).toContain('550 &lt;b&gt;No&lt;/b&gt;');
    expect(all.text).not.toContain('<script>alert');
    expect(all.text).toContain('There is no mail server');
    expect((await one.open('/admin/mailbox?state=sent')).text).toContain('Sent');
    const narrowed = await one.open('/admin/mailbox?state=failed');
    expect(narrowed.text).toContain(failed);
    expect(narrowed.text).toContain('href="/admin/mailbox?state=failed" aria-current="page"');
    for (let i = 0; i < 30; i++) await write({ state: 'sent' });
    const first = await one.open('/admin/mailbox?state=sent');
    expect(first.text.match(/<th scope="row">/g)).toHaveLength(25);
    expect(first.text).toContain('rel="next" href="/admin/mailbox?state=sent&amp;page=2"');
    const second = await one.open('/admin/mailbox?state=sent&page=2');
    expect(second.text).toContain('rel="prev" href="/admin/mailbox?state=sent"');
    expect((await one.open('/admin/mailbox?state=sent&page=999')).text).toContain('There are no such messages.');
    for (const odd of ['state=lost', 'page=0', 'page=9999', 'page=x&page=y'])
      expect((await one.open(`/admin/mailbox?${odd}`)).status, odd).toBe(200);
  });

  it('shows a message in a frame that can do nothing, and as text', async () => {
    const id = await write();
    const one = await browser();
    const page = await one.open(`/admin/mailbox/${id}`);
    expect(titleOf(page)).toBe('Confirm your e-mail address for Vitrine');
    // Where an address may break.
    expect(page.text).toMatch(/<bdi>[0-9a-f-]+@<wbr>example\.<wbr>com<\/bdi>/);
    expect(page.headers.get('content-security-policy')).toContain("; frame-src 'self'");
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    const frame = /<iframe [^>]*>/.exec(page.text)![0];
    expect(frame).toContain('sandbox="allow-popups allow-popups-to-escape-sandbox"');
    const inner = await one.open(/src="([^"]*)"/.exec(frame)![1]!);
    const policy = inner.headers.get('content-security-policy')!;
    expect(policy).toMatch(/^sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none';/);
    expect(policy).not.toMatch(/script|allow-same-origin|img|connect|http/);
    expect(policy).toContain("frame-ancestors 'self'");
    expect(inner.headers.get('x-frame-options')).toBe('SAMEORIGIN');
    expect(inner.text).toContain('<base target="_blank">');
    expect(inner.text).toContain(`&amp;token=${TOKEN}`);
    const text = await one.open(`/admin/mailbox/${id}?as=text`);
    expect(text.text).not.toContain('<iframe');
    expect(plainText(text.text)).toContain(`https://shop.example/email/verify?x=1&token=${TOKEN}`);
    expect((await one.open(`/admin/mailbox/${newId()}`)).status).toBe(404);
    expect((await one.open('/admin/mailbox/none')).status).toBe(400);
  });

  it('sends again by its button, with the proof that the form is ours', async () => {
    const smtp = await startSmtp();
    const sending = await startTestShop({ env: { SMTP_URL: smtp.url }, databaseUrl: shop.directUrl });
    const id = await write({ state: 'failed', lastError: 'No.' });
    const cookie = await browserOf(sending, boss.userId);
    const one = visitor(sending.url);
    one.cookies.set(...(cookie.split('=') as [string, string]));
    const page = await one.open(`/admin/mailbox/${id}`);
    const action = `/admin/mailbox/${id}/retry`;
    expect(formOf(page, action).get('_csrf')).not.toBe('');
    const forged = await one.request('POST', action, new URLSearchParams());
    expect([forged.status, titleOf(forged)]).toEqual([403, 'Please send the form once more']);
    const sent = await one.send(page, action);
    expect([sent.status, noticeOf(sent)]).toEqual([200, 'The message will be sent now.']);
    expect(sent.text).not.toContain(`action="${action}"`);
    const twice = await one.submit(page, action);
    expect([twice.status, twice.text.includes('about to be sent')]).toEqual([409, true]);
    expect((await one.open(action)).path).toBe('/admin/mailbox');
    await sending.http.close();
    await sending.mailbox.delivery.stop();
  });
});

describe('in the course of time', () => {
  const tidy = () => shop.jobs.find(({ name }) => name === 'mail.tidy')!.run({} as never, {} as never);
  const has = async (key: string) => {
    const blob = await shop.blobs.get(key);
    blob?.stream.destroy();
    return blob !== null;
  };
  const withFile = (blobKey: string, userId = newId()): Partial<Mail> => ({
    template: 'import_failed',
    to: { userId, email: `${userId}@example.com` },
    data: { fileName: 'x', reason: 'x', line: null, column: null },
    attachments: [{ fileName: 'a.csv', contentType: 'text/csv', blobKey, bytes: 1 }],
  });

  it('old messages go, and files with the last message that has them', async () => {
    for (const key of ['mails/shared.csv', 'mails/old.csv', 'imports/whose.xml'])
      await shop.blobs.put(key, Buffer.from('x'));
    const old = [
      await write(withFile('mails/shared.csv')),
      await write(withFile('mails/old.csv')),
      await write(withFile('imports/whose.xml')),
    ];
    clock.advance(60 * DAY_MS);
    const young = await write(withFile('mails/shared.csv'));
    clock.advance(29 * DAY_MS);
    await tidy();
    expect(await Promise.all(['mails/old.csv', 'mails/shared.csv'].map(has))).toEqual([true, true]);
    clock.advance(2 * DAY_MS);
    boss = await shop.as('superuser');
    await tidy();
    for (const id of old) expect((await boss.get(`/api/emails/${id}`)).status).toBe(404);
    expect((await boss.get(`/api/emails/${young}`)).status).toBe(200);
    expect(await Promise.all(['mails/old.csv', 'mails/shared.csv', 'imports/whose.xml'].map(has))).toEqual([
      false,
      true,
      true,
    ]);
    clock.advance(60 * DAY_MS);
    await tidy();
    expect(await has('mails/shared.csv')).toBe(false);
  });

  it('messages to somebody who is erased go with them, and their files after them', async () => {
    const userId = newId();
    await shop.blobs.put('mails/mine.csv', Buffer.from('x'));
    await write(withFile('mails/mine.csv', userId));
    await shop.db.transaction((tx) => shop.accounts.forget(tx, userId));
    const left = await shop.db.many(sql('select from emails where recipient_id = $1', [userId]));
    expect(left).toEqual([]);
    await tidy();
    expect(await has('mails/mine.csv')).toBe(false);
  });
});
