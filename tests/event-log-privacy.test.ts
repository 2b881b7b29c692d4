import { generateSync } from 'otplib';
import { expect, it, onTestFinished } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { startJobs } from '../src/kernel/jobs.ts';
import { eventually } from '../src/kernel/testing/index.ts';
import { PASSWORD, tokenFrom } from './support/person.ts';
import { startTestShop, type TestShop } from './support/shop.ts';
import { startSmtp } from './support/smtp.ts';

/** What is personal stands with the person, and so goes with them: in no event, and in no job. */

const ADDRESS = {
  line1: 'Plantedstrasse 17',
  line2: 'c/o Plantedline',
  city: 'Plantedville',
  region: 'Plantedshire',
  postal_code: 'PL4 4TD',
  country: 'DE',
};
const PERSON = {
  username: 'planted-username',
  first_name: 'Plantedfirst',
  last_name: 'Plantedlast',
  phone: '+49 30 5557017',
  date_of_birth: '1971-02-03',
};
const EMAILS = ['planted.one@example.com', 'planted.two@example.org', 'planted.three@example.net'] as const;
const OTHERS = {
  username: 'planted-again',
  reason: 'Returned by Plantedcustomer',
  note: 'For Planted',
  agent: 'Plantedbrowser/1.0',
};
const NEEDLES = [
  /planted/i,
  /5557017/,
  /1971-02-03/,
  /PL4 4TD/,
  // Of every link that lets its reader in.
  /token=/,
];

/** The rows of all tables whose names match, as text, by table. */
async function rowsOf({ db }: TestShop, tables: RegExp): Promise<Map<string, string[]>> {
  const names = await db.many(
    sql<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname in ('public', 'graphile_worker') order by 1`,
    ),
  );
  const found = new Map<string, string[]>();
  for (const { name } of names.filter((table) => tables.test(table.name)))
    found.set(
      name,
      (await db.many(sql<{ row: string }>(`select t::text as row from ${name} t`))).map(({ row }) => row),
    );
  return found;
}

const WITHOUT_PEOPLE =
  /^graphile_worker\.|^public\.(outbox|event|finished_jobs|job_|webhook_|mail_(windows|digests)|shop_settings)/;

async function expectNobody(shop: TestShop): Promise<void> {
  const tables = await rowsOf(shop, WITHOUT_PEOPLE);
  for (const needle of NEEDLES)
    for (const [table, rows] of tables)
      expect(
        rows.filter((row) => needle.test(row)),
        `${needle} in ${table}`,
      ).toEqual([]);
}

it('neither the event log nor any job holds what is personal', async () => {
  const smtp = await startSmtp({ onRcpt: (address) => `550 5.1.1 <${address}>: there is nobody called ${address}` });
  const shop = await startTestShop({ env: { SMTP_URL: smtp.url, ALLOW_PRIVATE_ADDRESSES: 'true' } });
  onTestFinished(() => shop.stop());
  const boss = await shop.as('superuser');
  const ok = async (answer: Promise<{ status: number; text: string; json: unknown }>) => {
    const { status, text, json } = await answer;
    expect(status, text).toBeLessThan(300);
    // biome-ignore lint/suspicious/noExplicitAny: whatever the route answers
    return json as any;
  };
  await ok(boss.post('/api/webhooks', { url: 'http://127.0.0.1:9/hook' }));

  const { username, first_name, last_name } = PERSON;
  const agent = { 'user-agent': OTHERS.agent };
  const registration = { email: EMAILS[0], username, password: PASSWORD, first_name, last_name };
  const { id } = await ok(shop.send('POST', '/api/auth/register', registration, agent));
  const logIn = async (login: object) => {
    const { access } = await ok(shop.send('POST', '/api/auth/token', { password: PASSWORD, ...login }, agent));
    return (method: string, path: string, body?: unknown) =>
      shop.send(method, path, body, { ...agent, authorization: `Bearer ${access}` });
  };
  let person = await logIn({ email: EMAILS[0] });
  const verification = await tokenFrom(shop, EMAILS[0], 'verify_email');
  await ok(shop.send('POST', '/api/auth/email/verify', { token: verification }));
  await ok(person('PATCH', '/api/profile', { ...PERSON, address: ADDRESS }));
  await ok(person('PATCH', '/api/profile', { email: EMAILS[1], current_password: PASSWORD }));
  await ok(person('PUT', '/api/profile', { ...PERSON, email: EMAILS[1], username: OTHERS.username, address: ADDRESS }));
  await ok(person('PUT', '/api/profile/notifications', { orders: false }));
  await ok(person('POST', '/api/auth/email/resend'));
  await ok(shop.send('POST', '/api/auth/password/forgot', { email: EMAILS[1] }));
  expect((await shop.send('POST', '/api/auth/token', { email: EMAILS[2], password: 'wrong' }, agent)).status).toBe(401);
  await ok(boss.patch(`/api/users/${id}`, { role: 'staff' }));
  person = await logIn({ username: OTHERS.username });
  const lamp = await ok(person('POST', '/api/products', { name: 'A lamp', price: '1.00', stock: 3 }));
  await ok(person('POST', `/api/products/${lamp.id}/stock`, { delta: 1, reason: OTHERS.reason }));
  for (const price of ['2.00', '3.00', '4.00', '5.00', '6.00'])
    await ok(person('PATCH', `/api/products/${lamp.id}`, { price }));
  for (const [change, body] of [
    ['cancel', undefined],
    ['status', { status: 'shipped' }],
  ] as const) {
    await ok(person('POST', '/api/cart/items', { product_id: lamp.id, quantity: 1 }));
    const { id: order } = await ok(person('POST', '/api/orders', { shipping_address: ADDRESS, note: OTHERS.note }));
    await ok(person(change === 'status' ? 'PATCH' : 'POST', `/api/orders/${order}/${change}`, body));
  }
  const { secret } = await ok(person('POST', '/api/auth/otp/enroll'));
  const { recovery_codes } = await ok(person('POST', '/api/auth/otp/confirm', { otp: generateSync({ secret }) }));
  await shop.events.flush();

  // It was all there to be found, and is where it belongs.
  const [users] = (await rowsOf(shop, /^public\.users$/)).values();
  for (const needle of NEEDLES.slice(0, -1))
    expect(
      users!.some((row) => needle.test(row)),
      String(needle),
    ).toBe(true);
  const before = await rowsOf(shop, WITHOUT_PEOPLE);
  expect(before.get('public.events')!.length).toBeGreaterThan(15);
  expect(before.get('graphile_worker._private_jobs')!.length).toBeGreaterThan(10);
  await expectNobody(shop);

  // What jobs leave behind when they have run is no worse: errors quote servers, and servers quote addresses.
  const workers = await startJobs({ url: shop.directUrl, jobs: shop.jobs, concurrency: 2, log: shop.log });
  onTestFinished(() => workers.stop());
  await eventually(async () => {
    const [mails] = (await rowsOf(shop, /^public\.emails$/)).values();
    expect(mails!.filter((mail) => /550|nobody called/.test(mail)).length).toBeGreaterThan(3);
    const pending = await shop.db.maybe(
      sql('select from graphile_worker._private_jobs where attempts = 0 and run_at <= now() limit 1'),
    );
    expect(pending).toBeUndefined();
  }, 20_000);
  await expectNobody(shop);

  person = await logIn({ username: OTHERS.username, otp: recovery_codes[0] });
  await ok(person('DELETE', '/api/profile', { password: PASSWORD }));
  await expectNobody(shop);
}, 60_000);
