import { generateSync } from 'otplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestShop, type TestShop } from '../../../tests/support/shop.ts';
import { sql } from '../../kernel/db.ts';
import { fakeClock } from '../../kernel/testing/index.ts';
import { LOG_INS } from '../../modules/accounts/index.ts';
import {
  faultsOf,
  formOf,
  logIn,
  nextName,
  noticeOf,
  PASSWORD,
  type Page,
  plainText,
  registered,
  titleOf,
  type Visitor,
  visitor,
} from './testing.ts';

/** What nobody can do to somebody by these pages: forge a form, write into a page, read a cookie, guess on. */

const clock = fakeClock();

let shop: TestShop;

beforeAll(async () => {
  shop = await startTestShop({ clock });
});
afterAll(() => shop.stop());

describe('nobody is spoken for', () => {
  const forged = (one: Visitor, fields: Record<string, string>) =>
    one.request(
      'POST',
      '/profile',
      new URLSearchParams({ username: 'stolen', email: 'stolen@example.com', current_password: PASSWORD, ...fields }),
    );

  it('a form without the token, with one made up, or with another’s is refused and changes nothing', async () => {
    const { one, username } = await registered(shop.url);
    const { one: other } = await registered(shop.url);
    const theirs = formOf(await other.open('/profile'), '/profile').get('_csrf')!;
    const before = visitor(shop.url);
    const anonymous = formOf(await before.open('/login'), '/login').get('_csrf')!;
    for (const fields of [{}, { _csrf: '' }, { _csrf: 'made-up' }, { _csrf: theirs }, { _csrf: anonymous }] as Record<
      string,
      string
    >[]) {
      const page = await forged(one, fields);
      expect([fields, page.status, titleOf(page)]).toEqual([fields, 403, 'Please send the form once more']);
      expect(page.text).toContain('<a class="button" href="/profile">Open the form again</a>');
    }
    expect(formOf(await one.open('/profile'), '/profile').get('username')).toBe(username);
  });

  it('the token of a session does not outlive it, though the browser is the same', async () => {
    const { one, username, profile } = await registered(shop.url);
    const old = formOf(profile, '/profile').get('_csrf')!;
    await one.submit(profile, '/logout');
    await logIn(one, username);
    expect((await forged(one, { _csrf: old })).status).toBe(403);
    expect((await forged(one, { _csrf: formOf(await one.open('/profile'), '/profile').get('_csrf')! })).status).toBe(
      303,
    );
  });

  it('nor can anybody be logged in, registered or logged out from elsewhere', async () => {
    const { one, username } = await registered(shop.url);
    const elsewhere = visitor(shop.url);
    for (const path of ['/login', '/register', '/password/forgot', '/password/reset', '/email/verify', '/login/code']) {
      const page = await elsewhere.request('POST', path, new URLSearchParams({ login: username, password: PASSWORD }));
      expect([path, page.status]).toEqual([path, 403]);
      expect([...elsewhere.cookies.keys()].filter((name) => name.endsWith('session'))).toEqual([]);
    }
    expect((await one.request('POST', '/logout', new URLSearchParams())).status).toBe(403);
    expect((await one.request('GET', '/logout')).location).toBe('/profile');
    expect((await one.request('GET', '/profile')).status).toBe(200);
  });

  it('forms are read by pages alone, and pages read nothing but forms', async () => {
    const { one } = await registered(shop.url);
    const csrf = formOf(await one.open('/profile'), '/profile').get('_csrf')!;
    const api = await one.request('POST', '/api/auth/register', new URLSearchParams({ email: 'x@example.com' }), {
      'x-csrf-token': csrf,
    });
    expect(api.status).toBe(415);
    const json = await one.request('POST', '/profile', JSON.stringify({ _csrf: csrf }), {
      'content-type': 'application/json',
    });
    expect([json.status, json.headers.get('content-type')]).toEqual([415, 'text/html; charset=utf-8']);
    const parts = new FormData();
    parts.set('_csrf', csrf);
    expect((await one.request('POST', '/profile', parts)).status).toBe(415);
    const large = await one.request(
      'POST',
      '/profile',
      new URLSearchParams({ _csrf: csrf, first_name: 'x'.repeat(65_536) }),
    );
    expect(large.status).toBe(413);
  });

  it('an API key is nobody here', async () => {
    const { headers } = await shop.as('superuser');
    const { json } = await shop.send('POST', '/api/api-keys', { name: 'k', scopes: ['users:read'] }, headers);
    const page = await visitor(shop.url).request('GET', '/profile', undefined, { authorization: `Bearer ${json.key}` });
    expect(page.status).toBe(403);
  });
});

describe('every page', () => {
  const HOSTILE = `"><script>alert('x')</script>`;
  const OPEN = [
    '/login',
    '/register',
    '/password/forgot',
    '/password/forgot/sent',
    '/password/reset?token=t',
    '/email/verify?token=t',
  ];
  const OWN = ['/profile', '/profile/security', '/profile/sessions', '/profile/notifications', '/profile/delete'];

  it('is kept by nobody and found by no search, and has the policy of a page', async () => {
    const { one } = await registered(shop.url);
    for (const path of [...OPEN, ...OWN]) {
      const page = await (OWN.includes(path) ? one : visitor(shop.url)).request('GET', path);
      expect([path, page.status, page.headers.get('cache-control')]).toEqual([path, 200, 'no-store']);
      expect(page.text).toContain('<meta name="robots" content="noindex');
      expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(page.text).not.toMatch(/\sstyle=|\son\w+=/);
      expect(page.headers.get('etag')).toBeNull();
      expect(page.text).toMatch(/<a class="account-link" href="\/profile" aria-current="true">/);
    }
    // Not even a page that somebody else has just been shown.
    expect((await visitor(shop.url).request('GET', '/profile')).status).toBe(303);
  });

  it.each(OWN)('%s is for whoever is logged in', async (path) => {
    const page = await visitor(shop.url).request('GET', path);
    expect([page.status, page.location]).toEqual([303, `/login?next=${encodeURIComponent(path)}`]);
    expect(page.text).toBe('');
  });

  it('shows what was written as text, in whichever field', async () => {
    const one = visitor(shop.url);
    const query = new URLSearchParams({ next: `/${HOSTILE}`, token: HOSTILE, done: HOSTILE });
    for (const path of ['/login', '/register', '/password/reset', '/email/verify', '/password/forgot'])
      expect((await one.open(`${path}?${query}`)).text).not.toMatch(/<script>|alert\('/);
    const filled = async (path: string, action = path, who = one) => {
      const page = await who.open(path);
      const names = [...formOf(page, action).keys()].filter((name) => name !== '_csrf');
      expect(names.length).toBeGreaterThan(0);
      return who.submit(page, action, Object.fromEntries(names.map((name) => [name, HOSTILE])));
    };
    for (const path of ['/login', '/register', '/password/forgot', '/password/reset?token=t']) {
      const page = await filled(path, path.split('?')[0]);
      expect([path, page.status]).toEqual([path, expect.toBeOneOf([400, 401])]);
      if (!path.includes('token')) expect(page.text).toContain('&quot;&gt;&lt;script&gt;');
      expect(page.text).not.toMatch(/<script>|alert\('/);
    }
    const { one: known, username } = await registered(shop.url);
    const page = await filled('/profile', '/profile', known);
    expect(page.status).toBe(400);
    expect(page.text).toContain('&quot;&gt;&lt;script&gt;');
    expect(page.text).not.toMatch(/<script>|alert\('/);
    // What is stored, and a browser that names itself.
    await shop.db.run(
      sql('update users set first_name = $2, phone = $2, address = $3 where username = $1', [
        username,
        HOSTILE,
        JSON.stringify({
          line1: HOSTILE,
          line2: HOSTILE,
          city: HOSTILE,
          region: '',
          postal_code: '',
          country: HOSTILE,
        }),
      ]),
    );
    await shop.db.run(sql('update sessions set user_agent = $1', [`${HOSTILE}/1.0`]));
    for (const path of OWN) {
      const { text } = await known.open(path);
      expect(text).not.toMatch(/<script>|alert\('/);
    }
    expect((await known.open('/profile')).text).toContain('&quot;&gt;&lt;script&gt;');
    expect((await known.open('/profile/sessions')).text).toContain('&quot;&gt;&lt;script&gt;');
  });

  it.each([
    'done=nonsense',
    'done=saved&done=saved',
    'done=__proto__',
    'done=toString',
    'next=a&next=b',
    'token[]=x',
    '%E0%A4%A',
  ])('takes ?%s without a fault', async (query) => {
    const page = await visitor(shop.url).request('GET', `/login?${query}`);
    expect([page.status, noticeOf(page)]).toEqual([200, '']);
  });

  it.each([
    ['a NUL', 'login=a%00b&password=x', 400],
    ['fields sent twice', 'login=a&login=b&password=x', 400],
    ['nothing', '', 400],
    ['names of an object’s own', '__proto__=1&constructor=2&login=nobody&password=x', 401],
    ['broken escapes', 'login=%E0%A4%A&password=%FF', 401],
    ['a very long name', `login=${'x'.repeat(60_000)}&password=x`, 401],
  ])('takes a form with %s without a fault', async (_, body, status) => {
    const one = visitor(shop.url);
    const csrf = formOf(await one.open('/login'), '/login').get('_csrf')!;
    const page = await one.request('POST', '/login', `${body}&_csrf=${encodeURIComponent(csrf)}`, {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect([page.status, page.headers.get('content-type')]).toEqual([status, 'text/html; charset=utf-8']);
  });

  it('a form’s own address, typed in, leads to the page that it stands on', async () => {
    const { one } = await registered(shop.url);
    for (const [path, leads] of [
      ['/profile/security/password', '/profile/security'],
      ['/profile/sessions/end-others', '/profile/sessions'],
      ['/profile/sessions/0190a000-0000-7000-8000-000000000000/end', '/profile/sessions'],
      ['/profile/confirmation', '/profile'],
    ])
      expect([path, (await one.request('GET', path!)).location]).toEqual([path, leads]);
  });
});

describe('cookies', () => {
  const flow = async (url: string) => {
    const one = visitor(url);
    const page = await one.open('/register');
    const csrf = one.setCookies;
    const name = nextName();
    await one.submit(page, '/register', { email: `${name}@example.com`, username: name, password: PASSWORD });
    const begun = one.setCookies;
    await one.submit(await one.open('/profile'), '/logout');
    return { csrf, begun, ended: one.setCookies };
  };

  it('behind HTTPS are bound to this host, hidden from scripts and from other sites', async () => {
    const { csrf, begun, ended } = await flow(shop.url);
    expect(csrf).toEqual([
      expect.stringMatching(/^__Host-vitrine_csrf=[\w-]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
    ]);
    expect(begun.sort()).toEqual([
      // How much is in the cart of whoever logs in now.
      expect.stringMatching(/^__Host-vitrine_cart_count=; Max-Age=0; /),
      expect.stringMatching(
        /^__Host-vitrine_device=[\w.~%-]+; Max-Age=31536000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      ),
      expect.stringMatching(
        /^__Host-vitrine_session=[\w-]+; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      ),
    ]);
    expect(ended.sort()).toEqual([
      expect.stringMatching(/^__Host-vitrine_cart_count=; .*Expires=Thu, 01 Jan 1970/),
      expect.stringMatching(/^__Host-vitrine_session=; .*Expires=Thu, 01 Jan 1970/),
    ]);
  });

  it('over plain HTTP have no prefix that a browser would refuse', async () => {
    const plain = await startTestShop({ env: { PUBLIC_URL: 'http://shop.example' } });
    try {
      const { csrf, begun } = await flow(plain.url);
      expect(csrf).toEqual([expect.stringMatching(/^vitrine_csrf=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/)]);
      const kept = begun.filter((cookie) => !cookie.startsWith('vitrine_cart_count=;'));
      expect(kept).toHaveLength(2);
      for (const cookie of kept)
        expect(cookie).toMatch(/^vitrine_\w+=\S+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/);
    } finally {
      await plain.stop();
    }
  });
});

describe('limits', () => {
  it('a page tells that there were too many log-ins, and when to try again', async () => {
    const limited = await startTestShop({ env: { RATE_LIMIT: 'on' }, clock });
    try {
      const one = visitor(limited.url);
      const page = await one.open('/login');
      const tries: Page[] = [];
      for (let i = 0; i < 11; i++) tries.push(await one.submit(page, '/login', { login: 'nobody', password: 'wrong' }));
      expect(tries.map(({ status }) => status)).toEqual([...Array(10).fill(401), 429]);
      const last = tries.at(-1)!;
      expect([last.headers.get('retry-after'), titleOf(last)]).toEqual(['900', 'Log in']);
      expect(faultsOf(last)).toEqual([expect.stringContaining('Try again in 15 minutes')]);
      // And by address, pages and API together.
      const statuses: number[] = [];
      for (let i = 0; i < LOG_INS.most; i++)
        statuses.push((await limited.send('POST', '/api/auth/token', { username: `u${i}`, password: 'wrong' })).status);
      expect(statuses.at(-1)).toBe(429);
      expect((await one.submit(page, '/login', { login: 'nobody', password: 'wrong' })).text).toContain(
        'A little slower',
      );
    } finally {
      await limited.stop();
    }
  });

  it('the code of the second factor is guessed at no more often than the password', async () => {
    const limited = await startTestShop({ env: { RATE_LIMIT: 'on' }, clock });
    try {
      const one = visitor(limited.url);
      await one.submit(await one.open('/register'), '/register', {
        email: 'a@example.com',
        username: 'ada',
        password: PASSWORD,
      });
      const path = '/profile/security/second-factor';
      const setUp = await one.send(await one.open('/profile/security'), path, {}, 'start');
      const secret = plainText(/<code class="key">(.*?)<\/code>/.exec(setUp.text)![1]!).replace(/ /g, '');
      const now = () => generateSync({ secret, epoch: Math.floor(clock.now().getTime() / 1_000) });
      expect((await one.submit(setUp, path, { otp: now() }, 'confirm')).status).toBe(200);
      clock.advance(60_000);
      const thief = visitor(limited.url);
      const step = await thief.send(await thief.open('/login'), '/login', { login: 'ada', password: PASSWORD });
      const statuses: number[] = [];
      for (let i = 0; i < 11; i++)
        statuses.push((await thief.submit(step, '/login/code', { code: `00000${i % 10}` })).status);
      expect(statuses).toEqual([...Array(10).fill(401), 429]);
      // The right one comes too late; but the owner's own browser is let in.
      expect((await thief.submit(step, '/login/code', { code: now() })).status).toBe(429);
      await one.submit(await one.open('/profile'), '/logout');
      const own = await one.send(await one.open('/login'), '/login', { login: 'ada', password: PASSWORD });
      expect((await one.send(own, '/login/code', { code: now() })).path).toBe('/profile');
    } finally {
      await limited.stop();
    }
  });
});
