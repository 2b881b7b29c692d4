import { generateSync } from 'otplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestShop, type TestShop } from '../../../tests/support/shop.ts';
import { sql } from '../../kernel/db.ts';
import { fakeClock } from '../../kernel/testing/index.ts';
import {
  faultsOf,
  logIn,
  noticeOf,
  PASSWORD,
  type Page,
  plainText,
  registered,
  titleOf,
  type Visitor,
  visitor,
} from './testing.ts';

/** Setting up the second factor, logging in with it, and switching it off, by the pages. */

const clock = fakeClock();

let shop: TestShop;

beforeAll(async () => {
  shop = await startTestShop({ clock });
});
afterAll(() => shop.stop());

describe('the second factor by its pages', () => {
  const codeOf = (page: Page) => plainText(/<code class="key">(.*?)<\/code>/.exec(page.text)![1]!).replace(/ /g, '');
  const codeNow = (secret: string) => generateSync({ secret, epoch: Math.floor(clock.now().getTime() / 1_000) });

  async function withSecondFactor() {
    const { one, username } = await registered(shop.url);
    const path = '/profile/security/second-factor';
    const setUp = await one.send(await one.open('/profile/security'), path, {}, 'start');
    const secret = codeOf(setUp);
    const codes = await one.submit(setUp, path, { otp: codeNow(secret) }, 'confirm');
    const recovery = [...codes.text.matchAll(/<li><code>(.*?)<\/code>/g)].map((match) => match[1]!);
    clock.advance(30_000);
    return { one, username, secret, setUp, codes, recovery, path };
  }

  it('is set up by a drawing and a key, and hands out recovery codes once', async () => {
    const { one, setUp, codes, recovery, secret, path } = await withSecondFactor();
    expect(setUp.text).toMatch(/<svg class="qr" role="img" aria-label="[^"]+"/);
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect([codes.status, codes.headers.get('cache-control'), recovery.length]).toEqual([200, 'no-store', 10]);
    for (const page of [await one.open('/profile/security'), await one.open(path)]) {
      expect(page.text).toMatch(/10( of 10)? recovery codes left/);
      expect(page.text).not.toContain(secret);
      expect(page.text).not.toContain(recovery[0]);
    }
  });

  it('shows the same drawing again after a wrong code, and after loading the page again', async () => {
    const { one } = await registered(shop.url);
    const path = '/profile/security/second-factor';
    expect((await one.request('GET', path)).location).toBe('/profile/security');
    const setUp = await one.send(await one.open('/profile/security'), path, {}, 'start');
    const wrong = await one.submit(setUp, path, { otp: '000000' }, 'confirm');
    expect([wrong.status, codeOf(wrong), faultsOf(wrong).length]).toEqual([400, codeOf(setUp), 1]);
    const empty = await one.submit(wrong, path, { otp: '' }, 'confirm');
    expect(faultsOf(empty)).toEqual(['Enter the code that your app shows.']);
    expect(codeOf(await one.open(path))).toBe(codeOf(setUp));
  });

  it('is asked for in a second step, which holds no password, and takes a code or a recovery code once', async () => {
    const { username, secret, recovery } = await withSecondFactor();
    for (const [field, value] of [
      ['code', codeNow(secret)],
      ['recovery_code', recovery[0]!],
    ] as const) {
      const given = { [field]: value };
      const one = visitor(shop.url);
      const step = await one.send(await one.open('/login?next=/profile/sessions'), '/login', {
        login: username,
        password: PASSWORD,
      });
      expect([step.status, step.path, titleOf(step)]).toEqual([
        200,
        '/login/code?next=%2Fprofile%2Fsessions',
        'Enter your code',
      ]);
      expect(step.text).not.toContain(PASSWORD);
      // Between the steps one is nobody.
      expect((await one.request('GET', '/profile')).status).toBe(303);
      const wrong = await one.submit(step, '/login/code', { code: '000000' });
      expect([wrong.status, faultsOf(wrong).length]).toEqual([401, 1]);
      const into = await one.send(wrong, '/login/code', given);
      expect([into.status, into.path]).toEqual([200, '/profile/sessions']);
      const replayed = visitor(shop.url);
      const again = await replayed.send(await replayed.open('/login'), '/login', {
        login: username,
        password: PASSWORD,
      });
      expect((await replayed.submit(again, '/login/code', given)).status).toBe(401);
    }
  });

  it('waits five minutes for the code and no longer', async () => {
    const { username, secret } = await withSecondFactor();
    const one = visitor(shop.url);
    const step = await one.send(await one.open('/login'), '/login', { login: username, password: PASSWORD });
    clock.advance(300_000);
    expect((await one.request('GET', '/login/code')).location).toBe('/login');
    const late = await one.send(step, '/login/code', { code: codeNow(secret), next: '/products' });
    expect([late.path, noticeOf(late)]).toEqual([
      '/login?next=%2Fproducts&done=log_in_again',
      'That took longer than five minutes. Please log in again.',
    ]);
  });

  it('is managed and switched off with the password and a code', async () => {
    const { one, username, secret, recovery, path } = await withSecondFactor();
    const page = await one.open(path);
    const missing = await one.submit(page, path, {}, 'off');
    expect([missing.status, faultsOf(missing)]).toEqual([
      400,
      ['Enter your password.', 'Enter the code that your app shows.'],
    ]);
    const wrong = await one.submit(page, path, { password: 'not mine at all', otp: codeNow(secret) }, 'off');
    expect([wrong.status, wrong.text.includes('<a href="#password">')]).toEqual([403, true]);
    const codes = await one.submit(page, path, { password: PASSWORD, otp: recovery[1]! }, 'codes');
    expect(codes.text).not.toContain(recovery[2]);
    expect([...codes.text.matchAll(/<li><code>/g)]).toHaveLength(10);
    const off = await one.send(page, path, { password: PASSWORD, otp: codeNow(secret) }, 'off');
    expect([off.path, noticeOf(off)]).toEqual([
      '/profile/security?done=second_factor_off',
      'The second factor is switched off: your password alone logs you in.',
    ]);
    expect((await logIn(visitor(shop.url), username)).path).toBe('/profile');
  });

  it('a ticket between the steps is for that browser, that password and that account, or for nothing', async () => {
    const { one: owner, username, secret } = await withSecondFactor();
    const begin = async () => {
      const one = visitor(shop.url);
      return { one, step: await one.send(await one.open('/login'), '/login', { login: username, password: PASSWORD }) };
    };
    const ticketOf = (one: Visitor) => [...one.cookies].find(([name]) => name.endsWith('log_in'))!;
    const fails = async ({ one, step }: { one: Visitor; step: Page }) => {
      const answer = await one.submit(step, '/login/code', { code: codeNow(secret) });
      expect([answer.status, answer.location]).toEqual([303, '/login?done=log_in_again']);
      expect((await one.request('GET', '/profile')).status).toBe(303);
    };

    const without = await begin();
    const [name, ticket] = ticketOf(without.one);
    without.one.cookies.delete(name);
    await fails(without);

    const forged = await begin();
    for (const value of [
      'x',
      `${ticket.slice(0, -2)}AA`,
      ticket.slice(4),
      shop.secrets.encrypt('second factor', '{}').toString('base64url'),
    ]) {
      forged.one.cookies.set(name, value);
      await fails(forged);
    }

    const disabled = await begin();
    await shop.db.run(sql('update users set disabled_at = now() where username = $1', [username]));
    await fails(disabled);
    await shop.db.run(sql('update users set disabled_at = null where username = $1', [username]));

    const changed = await begin();
    await owner.send(await owner.open('/profile/security'), '/profile/security/password', {
      current_password: PASSWORD,
      password: 'another horse battery',
    });
    await fails(changed);
    // The code was not spent by any of these.
    const right = await logIn(visitor(shop.url), username, 'another horse battery');
    expect(right.path).toBe('/login/code');
  });

  it('a ticket is hidden from scripts, gone when it was used, and tells nobody whose it is', async () => {
    const { username, secret } = await withSecondFactor();
    const one = visitor(shop.url);
    const login = await one.open('/login');
    await one.submit(login, '/login', { login: username, password: PASSWORD });
    expect(one.setCookies).toEqual([
      expect.stringMatching(/^__Host-vitrine_log_in=[\w-]+; Max-Age=300; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
    ]);
    const { id } = await shop.db.one(sql<{ id: string }>('select id from users where username = $1', [username]));
    expect(Buffer.from(one.setCookies[0]!.split(/[=;]/)[1]!, 'base64url').toString('latin1')).not.toContain(id);
    await one.submit(await one.open('/login/code'), '/login/code', { code: codeNow(secret) });
    expect([...one.cookies.keys()].sort()).toEqual([
      '__Host-vitrine_csrf',
      '__Host-vitrine_device',
      '__Host-vitrine_session',
    ]);
  });

  it('staff of a shop that demands one are told so', async () => {
    const strict = await startTestShop({ env: { REQUIRE_STAFF_2FA: 'true' } });
    try {
      const { one, username } = await registered(strict.url);
      expect((await one.open('/profile/security')).text).not.toContain('asks its staff');
      await strict.db.run(sql("update users set role = 'staff' where username = $1", [username]));
      const staff = visitor(strict.url);
      await logIn(staff, username);
      expect((await staff.open('/profile/security')).text).toContain('This shop asks its staff for a second factor');
    } finally {
      await strict.stop();
    }
  });
});
