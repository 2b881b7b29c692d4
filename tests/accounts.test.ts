import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { readEvents } from '../src/kernel/events.ts';
import { eventually } from '../src/kernel/testing/index.ts';
import { tokenFrom } from './support/person.ts';
import { type Answer, startTestShop, type TestShop } from './support/shop.ts';

/** Registration, log-in, sessions, users and API keys, over real sockets. */

const PASSWORD = 'securepassword123';
let names = 0;

async function registered(shop: TestShop) {
  names += 1;
  const username = `person${names}`;
  const email = `person${names}@example.com`;
  const answer = await shop.send('POST', '/api/auth/register', { email, username, password: PASSWORD });
  expect(answer.status).toBe(201);
  return { id: answer.json.id as string, email, username };
}

const logIn = (shop: TestShop, body: object, headers: Record<string, string> = {}) =>
  shop.send('POST', '/api/auth/token', body, headers);
const bearer = (access: string) => ({ authorization: `Bearer ${access}` });
const codeOf = ({ status, json }: Answer) => [status, json?.code];

describe('accounts', () => {
  let shop: TestShop;
  beforeAll(async () => {
    shop = await startTestShop();
  });
  afterAll(() => shop.stop());

  describe('registration', () => {
    it('makes a customer and tells who that is, and nothing of the password', async () => {
      const answer = await shop.send('POST', '/api/auth/register', {
        email: 'Ada@Example.com',
        username: 'ada',
        password: PASSWORD,
        password_confirm: PASSWORD,
        first_name: 'Ada',
      });
      expect(answer.status).toBe(201);
      expect(answer.json).toEqual({
        id: expect.any(String),
        email: 'Ada@Example.com',
        username: 'ada',
        first_name: 'Ada',
        last_name: '',
        role: 'customer',
      });
      expect(answer.headers.get('cache-control')).toBe('no-store');
    });

    it.each([
      ['a short password', { password: 'password' }, 'password'],
      ['a long one that everybody tries', { password: 'Password123' }, 'password'],
      ['one letter over and over', { password: 'aaaaaaaaaaaaaa' }, 'password'],
      ['one’s own address', { password: 'grace.hopper@example.com', email: 'grace.hopper@example.com' }, 'password'],
      ['a confirmation that differs', { password_confirm: 'securepassword124' }, 'password_confirm'],
      ['no address', { email: 'grace' }, 'email'],
      ['an address with a line break', { email: 'grace@example.com\nbcc: all@example.com' }, 'email'],
      ['a username that looks like an address', { username: 'a@b.example' }, 'username'],
      ['a role', { role: 'superuser' }, 'role'],
      ['a flag of another framework', { is_staff: true }, 'is_staff'],
      ['an id', { id: '0197f6f0-0000-7000-8000-000000000000' }, 'id'],
    ])('refuses %s', async (_, change, path) => {
      const answer = await shop.send('POST', '/api/auth/register', {
        email: 'grace@example.com',
        username: 'grace',
        password: PASSWORD,
        ...change,
      });
      expect(codeOf(answer)).toEqual([400, 'validation_failed']);
      expect(answer.json.errors.map((error: { path: string }) => error.path)).toContain(path);
      expect(await shop.db.many(sql("select from users where username = 'grace'"))).toEqual([]);
    });

    it('gives a name and an address once, whatever their case, also to twenty who ask at once', async () => {
      const { email, username } = await registered(shop);
      const again = (body: object) => shop.send('POST', '/api/auth/register', { password: PASSWORD, ...body });
      expect(codeOf(await again({ email: email.toUpperCase(), username: 'other' }))).toEqual([409, 'email_taken']);
      expect(codeOf(await again({ email: 'other@example.com', username: username.toUpperCase() }))).toEqual([
        409,
        'username_taken',
      ]);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => again({ email: 'crowd@example.com', username: `crowd${i}` })),
      );
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(answers.filter(({ json }) => json.code === 'email_taken')).toHaveLength(19);
    });

    it('keeps no password, and no address in the event log', async () => {
      const { id, email } = await registered(shop);
      const user = await shop.db.one(sql<{ password_hash: string }>('select * from users where id = $1', [id]));
      expect(user.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      expect(JSON.stringify(user)).not.toContain(PASSWORD);
      await shop.events.flush();
      const events = await readEvents(shop.db, { after: 0, limit: 10_000 });
      expect(events.filter((event) => event.subject_id === id).map(({ type }) => type)).toEqual(['user.registered']);
      expect(JSON.stringify(events)).not.toContain(email);
    });
  });

  describe('log-in', () => {
    it('goes by address or username, whatever the case, and tells who one is', async () => {
      const { id, email, username } = await registered(shop);
      for (const body of [{ email }, { username }, { email: email.toUpperCase() }, { username: ` ${username} ` }]) {
        const { status, json } = await logIn(shop, { ...body, password: PASSWORD });
        expect(status).toBe(200);
        expect(json).toEqual({
          access: expect.any(String),
          refresh: expect.stringMatching(/^vr_/),
          token_type: 'Bearer',
          expires_in: 900,
        });
        const who = await shop.get('/api/auth/session', bearer(json.access));
        expect(who.json).toMatchObject({ id, email, username, role: 'customer' });
      }
      expect(codeOf(await logIn(shop, { password: PASSWORD }))).toEqual([400, 'validation_failed']);
      expect(codeOf(await logIn(shop, { email, username, password: PASSWORD }))).toEqual([400, 'validation_failed']);
    });

    it('says the same, and takes as long, for an unknown user and a wrong password', async () => {
      const { email } = await registered(shop);
      const unknown: number[] = [];
      const wrong: number[] = [];
      const texts = new Set<string>();
      for (let i = 0; i < 24; i++) {
        for (const [times, login] of [
          [unknown, `nobody${i}@example.com`],
          [wrong, email],
        ] as const) {
          const began = performance.now();
          const answer = await logIn(shop, { email: login, password: 'not the password' });
          times.push(performance.now() - began);
          expect(codeOf(answer)).toEqual([401, 'invalid_credentials']);
          const { request_id: _, ...told } = answer.json;
          texts.add(JSON.stringify(told));
        }
      }
      expect([...texts]).toHaveLength(1);
      // The shortest of many is what the work itself takes; all else is the machine's doing.
      const ratio = Math.min(...unknown) / Math.min(...wrong);
      expect(ratio).toBeGreaterThan(0.7);
      expect(ratio).toBeLessThan(1.4);
    });

    it.each([
      'Bearer',
      'Bearer ',
      'Basic YTpi',
      'Bearer x.y.z',
      'Bearer vk_made-up',
      `Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(
        JSON.stringify({ sub: 'x', role: 'superuser', exp: 9e9, ep: 9, sid: 'x', mfa: true }),
      ).toString('base64url')}.`,
      `Bearer ${'a'.repeat(8_000)}`,
    ])('refuses the credential %.40s on every route, public ones too', async (authorization) => {
      for (const path of ['/api/products', '/api/auth/session', '/api/categories', '/'])
        expect((await shop.get(path, { authorization })).status).toBe(401);
    });

    it('refuses a token whose claims were changed, and one signed by somebody else', async () => {
      const { username } = await registered(shop);
      const { json } = await logIn(shop, { username, password: PASSWORD });
      const [head, claims, signature] = (json.access as string).split('.') as [string, string, string];
      const forged = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), role: 'superuser' };
      const body = Buffer.from(JSON.stringify(forged)).toString('base64url');
      expect(codeOf(await shop.get('/api/users', bearer(`${head}.${body}.${signature}`)))).toEqual([
        401,
        'invalid_token',
      ]);
      const foreign = await startTestShop({ env: { SECRET_KEY: 'another secret of thirty-two characters' } });
      try {
        const other = await foreign.as('superuser');
        expect(codeOf(await shop.get('/api/users', other.headers))).toEqual([401, 'invalid_token']);
        expect((await foreign.get('/api/users', other.headers)).status).toBe(200);
      } finally {
        await foreign.stop();
      }
    });
  });

  describe('sessions', () => {
    it('spend a refresh token by its use, and end when it comes again', async () => {
      const { username } = await registered(shop);
      const first = (await logIn(shop, { username, password: PASSWORD })).json;
      const second = await shop.send('POST', '/api/auth/token/refresh', { refresh: first.refresh });
      expect(second.status).toBe(200);
      expect(second.json.refresh).not.toBe(first.refresh);
      expect((await shop.get('/api/auth/session', bearer(second.json.access))).status).toBe(200);
      const reused = await shop.send('POST', '/api/auth/token/refresh', { refresh: first.refresh });
      expect(codeOf(reused)).toEqual([401, 'refresh_reused']);
      for (const access of [first.access, second.json.access])
        expect(codeOf(await shop.get('/api/auth/session', bearer(access)))).toEqual([401, 'invalid_token']);
      const dead = await shop.send('POST', '/api/auth/token/refresh', { refresh: second.json.refresh });
      expect(codeOf(dead)).toEqual([401, 'invalid_token']);
    });

    it('let one of twenty at once have the pair, and then end', async () => {
      const { username } = await registered(shop);
      const { refresh } = (await logIn(shop, { username, password: PASSWORD })).json;
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => shop.send('POST', '/api/auth/token/refresh', { refresh })),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ json }) => json.code === 'refresh_reused')).toHaveLength(19);
    });

    it('are listed and ended by their owner alone', async () => {
      const { username } = await registered(shop);
      const one = (await logIn(shop, { username, password: PASSWORD }, { 'user-agent': 'curl/8.5.0' })).json;
      const two = (await logIn(shop, { username, password: PASSWORD })).json;
      const { items } = (await shop.get('/api/auth/sessions', bearer(two.access))).json;
      expect(items).toHaveLength(2);
      expect(items.map(({ current }: { current: boolean }) => current).sort()).toEqual([false, true]);
      const other = items.find(({ current }: { current: boolean }) => !current);
      expect(other.device).toMatch(/curl/i);
      const stranger = await shop.as('superuser');
      expect(codeOf(await stranger.delete(`/api/auth/sessions/${other.id}`))).toEqual([404, 'session_not_found']);
      expect((await shop.get('/api/auth/session', bearer(one.access))).status).toBe(200);
      expect((await shop.send('DELETE', `/api/auth/sessions/${other.id}`, undefined, bearer(two.access))).status).toBe(
        204,
      );
      expect((await shop.get('/api/auth/session', bearer(one.access))).status).toBe(401);
      expect((await shop.get('/api/auth/session', bearer(two.access))).status).toBe(200);
    });

    it('that log out end at once here, also for answers out of the cache, and within a second on another node', async () => {
      const node = await startTestShop({ databaseUrl: shop.directUrl });
      try {
        const { username } = await registered(shop);
        const { access, refresh } = (await logIn(shop, { username, password: PASSWORD })).json;
        for (const at of [shop, node])
          for (let i = 0; i < 3; i++) {
            expect((await at.get('/api/auth/session', bearer(access))).status).toBe(200);
            expect((await at.get('/api/products?page_size=3', bearer(access))).status).toBe(200);
          }
        const began = Date.now();
        expect((await shop.send('POST', '/api/auth/logout', undefined, bearer(access))).status).toBe(204);
        expect((await shop.get('/api/auth/session', bearer(access))).status).toBe(401);
        expect((await shop.get('/api/products?page_size=3', bearer(access))).status).toBe(401);
        await eventually(async () => {
          expect((await node.get('/api/auth/session', bearer(access))).status).toBe(401);
          expect((await node.get('/api/products?page_size=3', bearer(access))).status).toBe(401);
        }, 1_000);
        expect(Date.now() - began).toBeLessThan(1_500);
        expect((await node.send('POST', '/api/auth/token/refresh', { refresh })).status).toBe(401);
      } finally {
        await node.stop();
      }
    });

    it('are refused by another node within a second even when the message is lost, and after a restart', async () => {
      const node = await startTestShop({ databaseUrl: shop.directUrl });
      try {
        const caller = await shop.as('customer');
        expect((await node.get('/api/auth/session', caller.headers)).status).toBe(200);
        // Revoked behind the back of every process: nobody tells anybody.
        await shop.db.run(sql('update sessions set revoked_at = now() where id = $1', [caller.sessionId]));
        await eventually(async () => {
          expect((await node.get('/api/auth/session', caller.headers)).status).toBe(401);
        }, 1_000);
        const later = await startTestShop({ databaseUrl: shop.directUrl });
        try {
          expect((await later.get('/api/auth/session', caller.headers)).status).toBe(401);
        } finally {
          await later.stop();
        }
      } finally {
        await node.stop();
      }
    });
  });

  describe('users', () => {
    it('are found, promoted and disabled by superusers, at once', async () => {
      const boss = await shop.as('superuser');
      const { id, username, email } = await registered(shop);
      const found = await boss.get(`/api/users?search=${encodeURIComponent(email.slice(0, -4))}`);
      expect(found.json.items.map((user: { id: string }) => user.id)).toEqual([id]);
      expect((await boss.get('/api/users?search=100%25_')).json.items).toEqual([]);
      const { access, refresh } = (await logIn(shop, { username, password: PASSWORD })).json;
      expect((await shop.get('/api/users', bearer(access))).status).toBe(403);
      const promoted = await boss.patch(`/api/users/${id}`, { role: 'staff' });
      expect(promoted.json).toMatchObject({ id, role: 'staff', disabled: false });
      // The token still says customer: it is refused, and its successor says staff.
      expect(codeOf(await shop.get('/api/auth/session', bearer(access)))).toEqual([401, 'invalid_token']);
      const next = await shop.send('POST', '/api/auth/token/refresh', { refresh });
      expect((await shop.get('/api/auth/session', bearer(next.json.access))).json.role).toBe('staff');
      expect((await boss.patch(`/api/users/${id}`, { disabled: true })).json.disabled).toBe(true);
      expect((await shop.get('/api/auth/session', bearer(next.json.access))).status).toBe(401);
      expect((await shop.send('POST', '/api/auth/token/refresh', { refresh: next.json.refresh })).status).toBe(401);
      expect(codeOf(await logIn(shop, { username, password: PASSWORD }))).toEqual([403, 'account_disabled']);
      expect(codeOf(await logIn(shop, { username, password: 'wrong password' }))).toEqual([401, 'invalid_credentials']);
      await boss.patch(`/api/users/${id}`, { disabled: false });
      expect((await logIn(shop, { username, password: PASSWORD })).status).toBe(200);
      const events = (await readEvents(shop.db, { after: 0, limit: 10_000 })).filter(
        (event) => event.subject_id === id && event.type === 'user.updated',
      );
      expect(events.map(({ changes, actor_id }) => [changes, actor_id === boss.userId])).toEqual([
        [{ role: { from: 'customer', to: 'staff' } }, true],
        [{ disabled: { from: false, to: true } }, true],
        [{ disabled: { from: true, to: false } }, true],
      ]);
    });

    it('refuses fields that are not for giving', async () => {
      const boss = await shop.as('superuser');
      const { id } = await registered(shop);
      for (const body of [{}, { role: 'owner' }, { password: 'x' }, { email: 'x@example.com' }, []])
        expect((await boss.patch(`/api/users/${id}`, body)).status).toBe(400);
      expect(codeOf(await boss.patch('/api/users/0197f6f0-0000-7000-8000-000000000000', { role: 'staff' }))).toEqual([
        404,
        'user_not_found',
      ]);
    });
  });

  describe('API keys', () => {
    it('do what their scopes say and no more, in the name of who made them, until revoked', async () => {
      const boss = await shop.as('superuser');
      const made = await boss.post('/api/api-keys', { name: 'reports', scopes: ['users:read'] });
      expect(made.status).toBe(201);
      const { id, key, hint } = made.json;
      expect(key).toMatch(/^vk_[\w-]{43}$/);
      expect(key.startsWith(hint)).toBe(true);
      expect(JSON.stringify((await boss.get('/api/api-keys')).json)).not.toContain(key);
      expect(JSON.stringify(await shop.db.many(sql('select * from api_keys')))).not.toContain(key);
      expect((await shop.get('/api/users', bearer(key))).status).toBe(200);
      expect((await shop.get('/api/products', bearer(key))).status).toBe(200);
      expect(codeOf(await shop.send('PATCH', `/api/users/${boss.userId}`, { role: 'staff' }, bearer(key)))).toEqual([
        403,
        'insufficient_scope',
      ]);
      expect(codeOf(await shop.get('/api/api-keys', bearer(key)))).toEqual([403, 'insufficient_scope']);
      expect(codeOf(await shop.get('/api/auth/session', bearer(key)))).toEqual([403, 'insufficient_scope']);
      expect((await boss.delete(`/api/api-keys/${id}`)).status).toBe(204);
      expect((await shop.get('/api/users', bearer(key))).status).toBe(401);
      expect((await shop.get('/api/products', bearer(key))).status).toBe(401);
      expect(codeOf(await boss.delete(`/api/api-keys/${id}`))).toEqual([404, 'api_key_not_found']);
    });

    it('can do nothing that their maker may no longer do', async () => {
      const boss = await shop.as('superuser');
      const maker = await shop.as('superuser');
      const { key } = (await maker.post('/api/api-keys', { name: 'k', scopes: ['users:read'] })).json;
      expect((await shop.get('/api/users', bearer(key))).status).toBe(200);
      await boss.patch(`/api/users/${maker.userId}`, { role: 'staff' });
      expect((await shop.get('/api/users', bearer(key))).status).toBe(403);
      await boss.patch(`/api/users/${maker.userId}`, { disabled: true });
      expect((await shop.get('/api/users', bearer(key))).status).toBe(401);
    });

    it('are made for a name, known scopes and a time to come', async () => {
      const boss = await shop.as('superuser');
      for (const body of [
        { name: 'x', scopes: [] },
        { name: 'x', scopes: ['everything'] },
        { name: ' ', scopes: ['users:read'] },
        { name: 'x', scopes: ['users:read'], expires_at: '2020-01-01T00:00:00Z' },
        { scopes: ['users:read'] },
      ])
        expect(codeOf(await boss.post('/api/api-keys', body))).toEqual([400, 'validation_failed']);
    });
  });
});

describe('superusers', () => {
  let shop: TestShop;
  beforeEach(async () => {
    shop = await startTestShop();
  });
  afterEach(() => shop.stop());

  it('leave one of them, also when two remove each other at once', async () => {
    const only = await shop.as('superuser');
    expect(codeOf(await only.patch(`/api/users/${only.userId}`, { role: 'staff' }))).toEqual([409, 'last_superuser']);
    expect(codeOf(await only.patch(`/api/users/${only.userId}`, { disabled: true }))).toEqual([409, 'last_superuser']);
    for (let round = 0; round < 5; round++) {
      const [a, b] = await Promise.all([shop.as('superuser'), shop.as('superuser')]);
      await shop.db.run(sql("update users set role = 'staff' where id not in ($1, $2)", [a!.userId, b!.userId]));
      const answers = await Promise.all([
        a!.patch(`/api/users/${b!.userId}`, { role: 'customer' }),
        b!.patch(`/api/users/${a!.userId}`, { role: 'customer' }),
      ]);
      expect(answers.map(({ status }) => status).sort()).not.toEqual([200, 200]);
      const left = await shop.db.many(sql("select from users where role = 'superuser'"));
      expect(left.length).toBeGreaterThanOrEqual(1);
    }
  });
});

describe('guessing', () => {
  let shop: TestShop;
  beforeAll(async () => {
    shop = await startTestShop({ env: { RATE_LIMIT: 'on', TRUST_PROXY: 'true' } });
  });
  afterAll(() => shop.stop());

  const from = (address: string) => ({ 'x-forwarded-for': `203.0.113.99, ${address}` });
  const guess = (login: string, address: string, password = 'a wrong password') =>
    logIn(shop, { email: login, password }, from(address));

  it('is stopped for an account and an address, whoever exists, and the owner elsewhere is not', async () => {
    const { email } = await registered(shop);
    for (const login of [email, 'nobody-at-all@example.com']) {
      const address = login === email ? '198.51.100.1' : '198.51.100.2';
      for (let i = 0; i < 10; i++) expect((await guess(login, address)).status).toBe(401);
      const stopped = await guess(login, address, PASSWORD);
      expect(codeOf(stopped)).toEqual([429, 'too_many_attempts']);
      expect(Number(stopped.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect((await guess(email, '198.51.100.3', PASSWORD)).status).toBe(200);
  });

  it('is not helped by asking many times at once', async () => {
    const { email } = await registered(shop);
    const answers = await Promise.all(Array.from({ length: 25 }, () => guess(email, '198.51.100.10')));
    expect(answers.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(10);
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(15);
  });

  it('from everywhere at once keeps strangers out, but nobody who was here before', async () => {
    const { id, email } = await registered(shop);
    expect((await guess(email, '198.51.100.20', PASSWORD)).status).toBe(200);
    const attackers = Array.from({ length: 60 }, (_, i) => `2001:db8:${i.toString(16)}::1`);
    for (let round = 0; round < 4; round++) await Promise.all(attackers.map((address) => guess(email, address)));
    expect((await guess(email, '2001:db8:ffff::1')).status).toBe(429);
    expect((await guess(email, '198.51.100.20', PASSWORD)).status).toBe(200);
    expect(JSON.stringify(await shop.db.many(sql('select * from login_failures')))).not.toContain(id);
  });

  it('keeps nobody out who has set a new password by mail', async () => {
    const { email } = await registered(shop);
    for (let i = 0; i < 11; i++) await guess(email, '198.51.100.60');
    expect((await guess(email, '198.51.100.60', PASSWORD)).status).toBe(429);
    await shop.send('POST', '/api/auth/password/forgot', { email }, from('198.51.100.60'));
    const token = await tokenFrom(shop, email, 'reset_password');
    const password = 'a quite new password';
    await shop.send('POST', '/api/auth/password/reset', { token, password }, from('198.51.100.60'));
    expect((await guess(email, '198.51.100.60', password)).status).toBe(200);
  });

  it('counts a whole IPv6 network as one address', async () => {
    const { email } = await registered(shop);
    for (let i = 0; i < 10; i++) await guess(email, `2001:db8:aaaa:1::${i + 1}`);
    expect((await guess(email, '2001:db8:aaaa:1:ffff::1', PASSWORD)).status).toBe(429);
    expect((await guess(email, '2001:db8:aaaa:2::1', PASSWORD)).status).toBe(200);
  });

  it('does not count right passwords', async () => {
    const { email } = await registered(shop);
    for (let i = 0; i < 12; i++) expect((await guess(email, '198.51.100.30', PASSWORD)).status).toBe(200);
  });

  it('is limited by address whatever the account, and says so beforehand', async () => {
    const answers: Answer[] = [];
    for (let i = 0; i < 61; i++) answers.push(await guess(`spray${i}@example.com`, '198.51.100.40'));
    expect(answers[0]!.headers.get('ratelimit-limit')).toBe('60');
    expect(answers[0]!.headers.get('ratelimit-remaining')).toBe('59');
    expect(codeOf(answers[60]!)).toEqual([429, 'too_many_requests']);
    expect(answers[60]!.headers.get('retry-after')).toMatch(/^\d+$/);
    // Addresses to the left of the proxy's own entry are the client's to invent.
    const forged = await logIn(
      shop,
      { email: 'x@example.com', password: 'x' },
      { 'x-forwarded-for': '192.0.2.1, 198.51.100.40' },
    );
    expect(forged.status).toBe(429);
  });

  it('limits every request, answers out of the cache too', async () => {
    const one = await shop.get('/api/products?page_size=2', from('198.51.100.50'));
    const two = await shop.get('/api/products?page_size=2', from('198.51.100.50'));
    expect(Number(two.headers.get('ratelimit-remaining'))).toBe(Number(one.headers.get('ratelimit-remaining')) - 1);
    await Promise.all(
      Array.from({ length: 30 }, async () => {
        for (let i = 0; i < 100; i++) await shop.get('/api/products?page_size=2', from('198.51.100.50'));
      }),
    );
    const stopped = await shop.get('/api/products?page_size=2', from('198.51.100.50'));
    expect(codeOf(stopped)).toEqual([429, 'too_many_requests']);
    expect((await shop.get('/products', from('198.51.100.50'))).headers.get('content-type')).toMatch(/html/);
    expect((await shop.get('/api/products?page_size=2', from('198.51.100.51'))).status).toBe(200);
  });
});
