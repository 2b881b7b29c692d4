import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateSync } from 'otplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { networkOf } from '../src/kernel/http/index.ts';
import { createUser, eraseAccount, forgotPassword, type Role } from '../src/modules/accounts/index.ts';
import { checkCredentials } from '../src/modules/accounts/log-in.ts';
import { verifyPassword } from '../src/modules/accounts/passwords.ts';
import { browserOf, mailsTo, PASSWORD, tokenFrom } from './support/person.ts';
import { startTestShop, type TestShop } from './support/shop.ts';

/** Attacks on accounts and on what says who somebody is. */

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop({ env: { TRUST_PROXY: '1', RATE_LIMIT: 'on' } });
});
afterAll(() => shop.stop());

const NEW_PASSWORD = 'a quite new password';
let made = 0;
/** From an address that nobody has come from before. */
const elsewhere = () => ({ 'x-forwarded-for': `2001:db8:${(++made).toString(16)}::1` });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function newUser(role: Role = 'customer') {
  const username = `target-${made++}-${Math.random().toString(36).slice(2, 8)}`;
  const email = `${username}@example.com`;
  const { id } = await createUser(shop.accounts, { email, username, password: PASSWORD, role, verified: true });
  const logIn = (body: object = {}, headers: Record<string, string> = elsewhere()) =>
    shop.send('POST', '/api/auth/token', { username, password: PASSWORD, ...body }, headers);
  return { id, email, username, logIn, pair: async () => (await logIn()).json as { access: string; refresh: string } };
}
const refresh = (token: string) => shop.send('POST', '/api/auth/token/refresh', { refresh: token }, elsewhere());
const setSecondFactor = async (access: string) => {
  const { secret } = (await shop.send('POST', '/api/auth/otp/enroll', undefined, bearer(access))).json;
  const otp = generateSync({ secret });
  expect((await shop.send('POST', '/api/auth/otp/confirm', { otp }, bearer(access))).status).toBe(200);
};
const resetByMail = async (email: string, headers: Record<string, string> = elsewhere()) => {
  await shop.send('POST', '/api/auth/password/forgot', { email }, headers);
  const token = await tokenFrom(shop, email, 'reset_password');
  return shop.send('POST', '/api/auth/password/reset', { token, password: NEW_PASSWORD }, headers);
};
/** The passwords that are asked about from now on wait for these. */
const occupyHashing = (times: number) =>
  Promise.allSettled(Array.from({ length: times }, () => verifyPassword(null, 'x')));

describe('a stolen session', () => {
  it('does not get rid of the second factor, nor of the password, by moving the mail', async () => {
    const owner = await newUser();
    const { access, refresh: token } = await owner.pair();
    await setSecondFactor(access);
    const stolen = (await refresh(token)).json.access;
    const moved = `thief-of-${owner.email}`;
    const told = await shop.send('PATCH', '/api/profile', { email: moved }, bearer(stolen));
    expect([told.status, told.json.code]).toEqual([403, 'wrong_password']);
    // Whoever knows the password may; the second factor stays for them too.
    await shop.send('PATCH', '/api/profile', { email: moved, current_password: PASSWORD }, bearer(stolen));
    expect((await resetByMail(moved)).status).toBe(204);
    expect((await owner.logIn({ password: NEW_PASSWORD })).json.code).toBe('otp_required');
  });

  it('fills no third person’s mailbox', async () => {
    const third = 'third@mailbox.example';
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) {
      const { id, email, pair } = await newUser();
      const { access } = await pair();
      for (const to of [third, email, third, email, third])
        statuses.push(
          (await shop.send('PATCH', '/api/profile', { email: to, current_password: PASSWORD }, bearer(access))).status,
        );
      await shop.db.run(sql('update users set email = $2 where id = $1', [id, email]));
    }
    // Three links, and as many times that somebody has moved away from there.
    expect(statuses.slice(0, 6)).toEqual([200, 200, 200, 200, 200, 429]);
    expect(await mailsTo(shop, third)).toHaveLength(5);
    expect(await mailsTo(shop, third, 'verify_email')).toHaveLength(3);
  });
});

describe('somebody who guesses', () => {
  it('from one address keeps nobody out elsewhere', async () => {
    const owner = await newUser();
    const origin = { address: '198.51.100.7', userAgent: '' };
    for (let i = 0; i < 205; i++)
      await expect(checkCredentials(shop.accounts, { login: owner.username, password: 'x' }, origin)).rejects.toThrow();
    expect((await owner.logIn()).status).toBe(200);
  });

  it('is one for a proxy that writes ports too', () => {
    expect(networkOf('198.51.100.8:2000')).toBe(networkOf('198.51.100.8:2001'));
  });

  it('does not keep the owner out of a known place after a new password by mail', async () => {
    const owner = await newUser();
    const home = elsewhere();
    expect((await owner.logIn({}, home)).status).toBe(200);
    for (let i = 0; i < 11; i++) await owner.logIn({ password: 'x' }, home);
    expect((await resetByMail(owner.email, home)).status).toBe(204);
    expect((await owner.logIn({ password: NEW_PASSWORD }, home)).status).toBe(200);
  });

  it('is not counted where the shop was too busy to look', async () => {
    const owner = await newUser();
    const from = { address: '2001:db8:b::1', userAgent: '' };
    const crowd = [occupyHashing(110)];
    const more = setInterval(() => crowd.push(occupyHashing(5)), 1);
    const codes: string[] = [];
    for (let i = 0; i < 12; i++)
      await checkCredentials(shop.accounts, { login: owner.username, password: PASSWORD }, from).catch(({ code }) =>
        codes.push(code),
      );
    clearInterval(more);
    await Promise.all(crowd);
    expect(codes).toContain('busy');
    expect(codes).not.toContain('too_many_attempts');
  });
});

describe('a log-in that is under way', () => {
  it('with the old password does not outlive a new one', async () => {
    const owner = await newUser();
    await shop.send('POST', '/api/auth/password/forgot', { email: owner.email }, elsewhere());
    const token = await tokenFrom(shop, owner.email, 'reset_password');
    const busy = occupyHashing(8);
    const reset = shop.send('POST', '/api/auth/password/reset', { token, password: NEW_PASSWORD }, elsewhere());
    await sleep(40);
    const thief = await owner.logIn();
    expect((await reset).status).toBe(204);
    await busy;
    expect((await refresh(thief.json.refresh ?? 'none')).status).toBe(401);
  });

  it('without a code does not outlive the second factor’s beginning', async () => {
    const owner = await newUser();
    const { access } = await owner.pair();
    const busy = occupyHashing(8);
    const thief = owner.logIn();
    await sleep(40);
    await setSecondFactor(access);
    const { refresh: token } = (await thief).json;
    await busy;
    expect((await refresh(token ?? 'none')).status).toBe(401);
  });

  it('is nobody’s any more once the user is disabled, whatever was asked in between', async () => {
    const boss = await shop.as('superuser');
    for (let i = 0; i < 8; i++) {
      const user = await newUser();
      const { access, refresh: token } = await user.pair();
      const cookie = await browserOf(shop, user.id);
      const [renewed] = await Promise.all([
        refresh(token),
        shop.get('/api/profile', { cookie }),
        boss.patch(`/api/users/${user.id}`, { disabled: true }),
        shop.get('/api/profile', { cookie }),
      ]);
      for (const headers of [{ cookie }, bearer(access), bearer(renewed.json.access ?? 'none')])
        expect((await shop.get('/api/profile', headers as Record<string, string>)).status).toBe(401);
    }
  });
});

it('an erased account leaves no address behind, though a mail was on its way', async () => {
  const owner = await newUser();
  const { access } = await owner.pair();
  await shop.send('POST', '/api/auth/password/forgot', { email: owner.email }, elsewhere());
  const unlimited = { ...shop.accounts, config: { ...shop.accounts.config, RATE_LIMIT: false } };
  let forgot: Promise<void> | undefined;
  await shop.db.transaction(async (tx) => {
    await tx.run(sql('select from login_failures for update'));
    forgot = forgotPassword(shop.accounts, owner.email);
    await sleep(50);
    await eraseAccount(unlimited, shop.accounts.tokens.identify(access), PASSWORD);
  });
  await forgot;
  for (const table of ['emails', 'one_time_tokens'])
    expect(JSON.stringify(await shop.db.many(sql(`select to_jsonb(t) as r from ${table} t`)))).not.toContain(
      owner.email,
    );
});

describe('an API key', () => {
  it('reads no link that lets somebody in, and makes nobody staff', async () => {
    const boss = await shop.as('superuser');
    const scopes = ['emails:read', 'users:write'];
    const { key } = (await boss.post('/api/api-keys', { name: 'key', scopes })).json;
    const owner = await newUser('superuser');
    await shop.send('POST', '/api/auth/password/forgot', { email: owner.email }, elsewhere());
    const { items } = (await shop.get('/api/emails', bearer(key))).json;
    const { id } = items.find((mail: { to: string }) => mail.to === owner.email);
    expect((await shop.get(`/api/emails/${id}`, bearer(key))).json.text).toMatch(/token=…\n/);
    expect((await boss.get(`/api/emails/${id}`)).json.text).toMatch(/token=[\w-]{43}\n/);
    const nobody = await newUser();
    for (const [whom, change] of [
      [nobody.id, { role: 'superuser' }],
      [nobody.id, { role: 'staff' }],
      [owner.id, { role: 'customer' }],
      [owner.id, { disabled: true }],
      [nobody.id, { second_factor: false }],
    ] as const)
      expect((await shop.send('PATCH', `/api/users/${whom}`, change, bearer(key))).json.code).toBe('forbidden');
    expect((await shop.send('PATCH', `/api/users/${nobody.id}`, { role: 'seller' }, bearer(key))).status).toBe(200);
  });
});

it('a superuser’s own second factor goes by password and code alone', async () => {
  const owner = await newUser('superuser');
  const { access, refresh: token } = await owner.pair();
  await setSecondFactor(access);
  const own = bearer((await refresh(token)).json.access);
  expect((await shop.send('PATCH', `/api/users/${owner.id}`, { second_factor: false }, own)).status).toBe(403);
  expect((await shop.get('/api/auth/otp', own)).json.enabled).toBe(true);
});

describe('what says who somebody is', () => {
  it('takes no API key for a cookie', async () => {
    const boss = await shop.as('superuser');
    const { key } = (await boss.post('/api/api-keys', { name: 'key', scopes: ['users:read'] })).json;
    expect((await shop.get('/api/users', bearer(key))).status).toBe(200);
    expect((await shop.get('/api/users', { cookie: `__Host-vitrine_session=${key}` })).status).toBe(401);
  });

  it('is read in one way, in front of the router and behind it', async () => {
    const { access, refresh: token } = await (await newUser()).pair();
    for (let i = 0; i < 2; i++) await shop.get('/api/products');
    const [head, claims, signature] = access.split('.') as [string, string, string];
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    const wrong = ['x', token, 'vk_x', `${access}, Bearer x`, `${none}.${claims}.`, `${none}.${claims}.${signature}`];
    for (const path of ['/api/products', '/api/profile']) {
      for (const value of [...wrong.map((text) => `Bearer ${text}`), '', 'Basic eDp4', `BEARER\t${access}`])
        expect((await shop.get(path, { authorization: value })).status, `${path} ${value}`).toBe(401);
      expect((await shop.get(path, bearer(`${head}.${claims}.${signature}`))).status).toBe(200);
    }
    await shop.send('POST', '/api/auth/logout', undefined, bearer(access));
    expect((await shop.get('/api/products', bearer(access))).status).toBe(401);
  });

  it('asks for the CSRF token however the address is written', async () => {
    const cookie = await browserOf(shop, (await newUser()).id);
    for (const path of ['/api/auth/logout', '/%61pi/auth/logout', '/api/auth/logout/', '/api/auth/otp/enroll?'])
      expect((await shop.send('POST', path, undefined, { cookie })).status, path).toBe(403);
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(shop.url).port), '127.0.0.1', () =>
        socket.write(`POST http://x/%61pi/auth/logout HTTP/1.1\r\nhost: x\r\ncookie: ${cookie}\r\n\r\n`),
      );
      socket.once('data', (data) => {
        socket.destroy();
        resolve(String(data));
      });
    });
    expect(answer).toMatch(/^HTTP\/1.1 403 /);
    expect((await shop.get('/api/profile', { cookie })).status).toBe(200);
  });
});

describe('what cannot be meant is refused, not failed at', () => {
  it('an id in another spelling', async () => {
    const boss = await shop.as('superuser');
    const id = 'urn:uuid:00000000-0000-4000-8000-000000000000';
    expect((await boss.get(`/api/users/${id}`)).status).toBeLessThan(500);
    expect((await boss.delete(`/api/auth/sessions/${id}`)).status).toBeLessThan(500);
  });

  it('half a character in what is stored as JSON', async () => {
    const { headers } = await shop.as('customer');
    const json = { ...headers, 'content-type': 'application/json' };
    const answer = await shop.send('PATCH', '/api/profile', '{"address":{"line1":"\\ud800"}}', json);
    expect(answer.status).toBeLessThan(500);
  });

  it('a word of the language in place of what a form can do', async () => {
    const cookie = await browserOf(shop, (await newUser()).id);
    const page = await shop.get('/profile', { cookie });
    const cookies = [cookie, ...page.headers.getSetCookie().map((each) => each.split(';', 1)[0])].join('; ');
    const _csrf = /name="_csrf" value="([^"]+)"/.exec(page.text)![1]!;
    const form = String(new URLSearchParams({ _csrf, do: 'constructor' }));
    const headers = { cookie: cookies, 'content-type': 'application/x-www-form-urlencoded' };
    expect((await shop.send('POST', '/profile/security/second-factor', form, headers)).status).toBeLessThan(500);
  });
});
