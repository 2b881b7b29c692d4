import fs from 'node:fs';
import { generateSync } from 'otplib';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { createLogger } from '../src/kernel/log.ts';
import { browserOf, newPerson, PASSWORD, tokenFrom } from './support/person.ts';
import { startTestShop, type TestShop } from './support/shop.ts';

/** What the log, the events and the database hold of somebody who has done all that can be done with an account. */

let shop: TestShop;
let logged = '';

beforeAll(async () => {
  // The shop's own logger, which writes to the file descriptor of stderr.
  vi.spyOn(fs, 'writeSync').mockImplementation(((_fd: number, text: string | Buffer) => {
    logged += String(text);
    return Buffer.byteLength(text);
  }) as typeof fs.writeSync);
  shop = await startTestShop({ log: createLogger('trace') });
});
afterAll(async () => {
  await shop.stop();
  vi.restoreAllMocks();
});

it('keeps passwords, tokens, names and addresses out of the log, the events and, where they are secret, the database', async () => {
  const person = await newPerson(shop);
  const secrets = [PASSWORD, 'too short', 'quite another long walk', person.access, person.refresh];
  const personal = [person.email, person.username, `moved-${person.email}`, 'Augusta', '+44 20 7946 0958', 'Square 12'];
  const send = person.send;

  const cookie = await browserOf(shop, person.id);
  secrets.push(cookie.split('=')[1]!);
  await shop.get('/api/profile', { cookie });
  const verify = await tokenFrom(shop, person.email, 'verify_email');
  await shop.send('POST', '/api/auth/email/verify', { token: verify });
  await shop.send('POST', '/api/auth/email/verify', { token: verify });
  await shop.send('POST', '/api/auth/token', { email: person.email, password: 'too short' });
  await shop.send('POST', '/api/auth/password/forgot', { email: person.email });
  const forgotten = await tokenFrom(shop, person.email, 'reset_password');
  await shop.send('POST', '/api/auth/password/reset', { token: forgotten, password: 'too short' });
  await shop.send('POST', '/api/auth/password/reset', { token: forgotten, password: 'quite another long walk' });
  secrets.push(verify, forgotten);
  await person.logIn({ password: 'quite another long walk' });
  await send('POST', '/api/auth/password/change', { current_password: 'too short', password: PASSWORD });
  await send('POST', '/api/auth/password/change', {
    current_password: 'quite another long walk',
    password: PASSWORD,
  });
  await send('PATCH', '/api/profile', {
    email: `moved-${person.email}`,
    current_password: PASSWORD,
    first_name: 'Augusta',
    phone: '+44 20 7946 0958',
    address: { line1: 'Square 12', country: 'GB' },
  });
  await send('PATCH', '/api/profile', { phone: 'Square 12' });
  await send('PUT', '/api/profile/notifications', { orders: false });
  const { secret } = (await send('POST', '/api/auth/otp/enroll')).json;
  const otp = generateSync({ secret });
  const { recovery_codes: codes } = (await send('POST', '/api/auth/otp/confirm', { otp })).json;
  expect(codes).toHaveLength(10);
  secrets.push(secret, ...codes, ...codes.map((code: string) => code.replaceAll('-', '')));
  secrets.push(person.access, person.refresh);
  await person.renew();
  secrets.push(person.access, person.refresh);

  // A defect in the middle of it all is logged, but not what it was about.
  await shop.db.run(sql('alter table emails rename to mislaid'));
  for (const [path, body] of [
    ['/api/auth/password/forgot', { email: `moved-${person.email}` }],
    ['/api/auth/register', { email: 'augusta@example.com', username: 'Augusta', password: PASSWORD }],
  ] as const)
    expect((await shop.send('POST', path, body)).status).toBe(500);
  await shop.db.run(sql('alter table mislaid rename to emails'));
  expect(logged.match(/a request failed/g)).toHaveLength(2);

  const rowsOf = async (table: string) =>
    JSON.stringify(await shop.db.many(sql(`select to_jsonb(t) as row from ${table} t`)));
  await shop.events.flush();
  const events = (await rowsOf('events')) + (await rowsOf('outbox'));
  for (const type of ['user.registered', 'user.password_reset', 'user.updated', 'user.second_factor_enabled'])
    expect(events).toContain(type);
  for (const text of [...secrets, ...personal]) {
    expect(logged.includes(text), `the log holds ${text}`).toBe(false);
    expect(events.includes(text), `the events hold ${text}`).toBe(false);
  }
  for (const table of ['users', 'sessions', 'refresh_tokens', 'one_time_tokens', 'recovery_codes', 'login_failures']) {
    const rows = await rowsOf(table);
    for (const text of secrets) {
      const asBytes = Buffer.from(text).toString('hex');
      expect(rows.includes(text) || rows.includes(asBytes), `${table} holds ${text}`).toBe(false);
    }
  }

  expect((await send('DELETE', '/api/profile', { password: PASSWORD })).status).toBe(204);
  for (const table of ['users', 'sessions', 'emails', 'one_time_tokens', 'events', 'outbox']) {
    const rows = await rowsOf(table);
    for (const text of personal) expect(rows.includes(text), `${table} still holds ${text}`).toBe(false);
  }
});
