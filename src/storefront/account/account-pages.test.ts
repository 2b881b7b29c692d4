import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailsTo } from '../../../tests/support/person.ts';
import { startTestShop, type TestShop } from '../../../tests/support/shop.ts';
import { sql } from '../../kernel/db.ts';
import { fakeClock } from '../../kernel/testing/index.ts';
import {
  faultsOf,
  formOf,
  logIn,
  nextName,
  noticeOf,
  PASSWORD,
  type Page,
  registered,
  titleOf,
  visitor,
} from './testing.ts';

/** The pages about oneself, as a browser without script uses them. */

const clock = fakeClock();

let shop: TestShop;

beforeAll(async () => {
  shop = await startTestShop({ clock });
});
afterAll(() => shop.stop());

/** The link of the newest mail to somebody. */
async function mailedLink(username: string): Promise<string> {
  const mail = (await mailsTo(shop, `${username}@example.com`)).at(-1);
  return /https:\/\/shop\.example(\/\S+)/.exec(mail!.text)![1]!;
}

describe('an account by its pages', () => {
  it('is opened, filled in, and left', async () => {
    const { one, username, profile } = await registered(shop.url);
    expect(noticeOf(profile)).toContain('your account is open');
    expect(profile.text).toContain(`${username}@example.com</bdi></strong> is not confirmed yet`);

    const saved = await one.send(profile, '/profile', {
      first_name: 'Ada',
      phone: '+44 20 7946 0958',
      date_of_birth: '1990-12-31',
      'address.line1': '12 St James’s Square',
      'address.country': 'GB',
    });
    expect([saved.path, noticeOf(saved)]).toEqual(['/profile?done=saved', 'Your changes are saved.']);
    expect(Object.fromEntries(formOf(saved, '/profile'))).toMatchObject({
      email: `${username}@example.com`,
      username,
      first_name: 'Ada',
      phone: '+44 20 7946 0958',
      date_of_birth: '1990-12-31',
      'address.line1': '12 St James’s Square',
      'address.city': '',
      'address.country': 'GB',
    });
    const emptied = await one.send(saved, '/profile', {
      first_name: '',
      date_of_birth: '',
      'address.line1': '',
      'address.country': '',
    });
    expect(formOf(emptied, '/profile').get('address.country')).toBe('');

    const out = await one.submit(emptied, '/logout');
    expect([out.status, out.location]).toEqual([303, '/']);
    const gone = await one.request('GET', '/profile');
    expect([gone.status, gone.location]).toEqual([303, '/login?next=%2Fprofile']);
  });

  it('tells all that is wrong at once, each at its field, and keeps what was written but the password', async () => {
    const one = visitor(shop.url);
    const page = await one.submit(await one.open('/register'), '/register', {
      email: 'no address',
      username: 'x',
      password: 'short',
      first_name: 'Ada',
    });
    expect(page.status).toBe(400);
    expect(faultsOf(page)).toEqual([
      'Enter an e-mail address that is written like name@example.com.',
      'Username must have at least 3 characters.',
      'Password must have at least 10 characters; a few words in a row do well.',
    ]);
    for (const field of ['email', 'username', 'password']) {
      expect(page.text).toContain(`<a href="#${field}">`);
      expect(page.text).toMatch(
        new RegExp(`id="${field}"[^>]* aria-invalid="true" aria-describedby="[^"]*${field}-fault"`),
      );
    }
    expect(page.text).toContain('<title>Error: Open an account');
    const form = formOf(page, '/register');
    expect([form.get('email'), form.get('username'), form.get('first_name'), form.get('password')]).toEqual([
      'no address',
      'x',
      'Ada',
      '',
    ]);
    expect(page.text).not.toContain('short');
  });

  it('takes the password for another e-mail address, at its field, and for nothing else', async () => {
    const { one, username, profile } = await registered(shop.url);
    const email = `moved-${username}@example.com`;
    expect(profile.text).toContain('Only needed to change the e-mail address.');
    const none = await one.submit(profile, '/profile', { email, first_name: 'Ada' });
    expect([none.status, faultsOf(none)]).toEqual([403, ['Enter your current password.']]);
    expect([formOf(none, '/profile').get('email'), formOf(none, '/profile').get('first_name')]).toEqual([email, 'Ada']);
    const wrong = await one.submit(none, '/profile', { current_password: 'not mine at all' });
    expect([wrong.status, faultsOf(wrong)]).toEqual([
      403,
      ['This is not your present password. If you do not know it, set a new one by e-mail.'],
    ]);
    for (const { text } of [none, wrong]) {
      expect(text).toContain('<a href="#current_password">');
      expect(text).toMatch(/id="current_password"[^>]* aria-invalid="true"/);
      expect(text).not.toContain('not mine at all');
    }
    const saved = await one.send(wrong, '/profile', { current_password: PASSWORD });
    expect([saved.path, formOf(saved, '/profile').get('email')]).toEqual(['/profile?done=saved', email]);
    expect(formOf(saved, '/profile').get('current_password')).toBe('');
    const shouted = await one.send(saved, '/profile', { email: email.toUpperCase() });
    expect([shouted.path, noticeOf(shouted)]).toEqual(['/profile?done=saved', 'Your changes are saved.']);
  });

  it('says which name is taken', async () => {
    const { username } = await registered(shop.url);
    const one = visitor(shop.url);
    const page = await one.submit(await one.open('/register'), '/register', {
      email: `${username}@EXAMPLE.com`,
      username: nextName(),
      password: PASSWORD,
    });
    expect([page.status, faultsOf(page)]).toEqual([
      409,
      ['There is an account with this e-mail address. Log in, or set a new password.'],
    ]);
    expect(page.text).toContain('<a href="#email">');
  });

  it('gives nobody a role: fields that are not asked for are not looked at', async () => {
    const one = visitor(shop.url);
    const username = nextName();
    const page = await one.open('/register');
    await one.submit(page, '/register', {
      email: `${username}@example.com`,
      username,
      password: PASSWORD,
      role: 'staff',
    });
    const profile = await one.open('/profile');
    await one.send(profile, '/profile', { role: 'superuser', email_verified: 'true', email_verified_at: '2020-01-01' });
    const row = await shop.db.one(sql('select role, email_verified_at from users where username = $1', [username]));
    expect(row).toEqual({ role: 'customer', email_verified_at: null });
  });

  it('is erased with its password, and says so', async () => {
    const { one, username } = await registered(shop.url);
    const page = await one.open('/profile/delete');
    const wrong = await one.submit(page, '/profile/delete', { password: 'not mine at all' });
    expect([wrong.status, faultsOf(wrong).length]).toEqual([403, 1]);
    const gone = await one.send(wrong, '/profile/delete', { password: PASSWORD });
    expect([gone.path, noticeOf(gone)]).toEqual(['/login?done=erased', 'Your account is erased.']);
    expect((await one.request('GET', '/profile')).status).toBe(303);
    expect((await logIn(visitor(shop.url), username)).status).toBe(401);
  });
});

describe('logging in', () => {
  it('is by username or e-mail address, and leads to where one was going', async () => {
    const { username } = await registered(shop.url);
    for (const login of [username, ` ${username.toUpperCase()}@example.com `]) {
      const one = visitor(shop.url);
      const asked = await one.open('/profile/sessions?x=1');
      expect(asked.path).toBe('/login?next=%2Fprofile%2Fsessions%3Fx%3D1');
      const page = await one.send(asked, '/login', { login, password: PASSWORD });
      expect([page.status, page.path]).toEqual([200, '/profile/sessions?x=1']);
    }
  });

  it('says the same for a wrong password and for nobody, keeps the name, and shows no password', async () => {
    const { username } = await registered(shop.url);
    const pages = await Promise.all(
      [username, 'nobody-of-that-name'].map((login) => logIn(visitor(shop.url), login, 'wrong-wrong-wrong')),
    );
    for (const page of pages) {
      expect(page.status).toBe(401);
      expect(faultsOf(page)).toEqual(['There is no user with this name or e-mail address and this password.']);
      expect(page.text).not.toContain('wrong-wrong-wrong');
      expect(page.headers.get('cache-control')).toBe('no-store');
    }
    expect(formOf(pages[0]!, '/login').get('login')).toBe(username);
    const empty = await logIn(visitor(shop.url), '', '');
    expect([empty.status, faultsOf(empty)]).toEqual([
      400,
      ['Enter your e-mail address or username.', 'Enter your password.'],
    ]);
  });

  it('is not needed twice: whoever is in is sent on', async () => {
    const { one } = await registered(shop.url);
    for (const [path, leads] of [
      ['/login', '/profile'],
      ['/login?next=/products', '/products'],
      ['/register', '/profile'],
      ['/login/code', '/profile'],
    ] as const) {
      const page = await one.request('GET', path);
      expect([path, page.status, page.location]).toEqual([path, 303, leads]);
    }
  });

  it.each([
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    'https://evil.example/',
    '/.//evil.example',
    'javascript:alert(1)',
    '/a\r\nset-cookie: x=y',
  ])('never leads out of the shop: next=%j', async (next) => {
    const { one: known, username } = await registered(shop.url);
    const query = new URLSearchParams({ next });
    for (const path of ['/login', '/register'])
      expect((await known.request('GET', `${path}?${query}`)).location).toBe('/profile');
    const one = visitor(shop.url);
    const page = await one.open(`/login?${query}`);
    expect(page.text).not.toContain('evil');
    const answer = await one.submit(page, '/login', { login: username, password: PASSWORD, next });
    expect([answer.status, answer.location]).toEqual([303, '/profile']);
    expect(answer.headers.get('x')).toBeNull();
    const other = nextName();
    const fresh = visitor(shop.url);
    const made = await fresh.submit(await fresh.open('/register'), '/register', {
      email: `${other}@example.com`,
      username: other,
      password: PASSWORD,
      next,
    });
    expect([made.status, made.location]).toEqual([303, '/profile?done=registered']);
  });

  it('leaves the session before, and logging out in one tab ends the other', async () => {
    const { one } = await registered(shop.url);
    const tab = visitor(shop.url);
    for (const [name, value] of one.cookies) tab.cookies.set(name, value);
    const open = await tab.open('/profile');
    expect(open.status).toBe(200);
    await one.submit(await one.open('/profile'), '/logout');
    const sent = await tab.submit(open, '/profile', { first_name: 'Eve' });
    expect([sent.status, sent.location]).toEqual([303, '/login?next=%2Fprofile']);
    const again = await tab.submit(open, '/logout');
    expect([again.status, again.location]).toEqual([303, '/']);
  });
});

describe('devices', () => {
  it('are listed, this one marked, and logged out one by one or all others at once', async () => {
    const { one, username } = await registered(shop.url);
    const others = [visitor(shop.url), visitor(shop.url), visitor(shop.url)];
    for (const other of others) await logIn(other, username);
    const list = await one.open('/profile/sessions');
    expect(list.text.match(/Firefox on Linux/g)!.length).toBeGreaterThanOrEqual(4);
    expect(list.text.match(/This device/g)).toHaveLength(1);
    const ends = [...list.text.matchAll(/action="(\/profile\/sessions\/[\w-]{36}\/end)"/g)].map((match) => match[1]!);
    expect(ends).toHaveLength(3);

    const ended = await one.send(list, ends[0]!);
    expect([ended.path, noticeOf(ended)]).toEqual([
      '/profile/sessions?done=session_ended',
      'That device is logged out.',
    ]);
    const left = await Promise.all(others.map((other) => other.request('GET', '/profile')));
    expect(left.filter(({ status }) => status === 303)).toHaveLength(1);

    const all = await one.send(ended, '/profile/sessions/end-others');
    expect([all.status, noticeOf(all)]).toEqual([200, 'All other devices are logged out.']);
    for (const other of others) expect((await other.request('GET', '/profile')).status).toBe(303);
    expect(all.text).not.toContain('/end"');
  });

  it('of somebody else are not touched', async () => {
    const { one } = await registered(shop.url);
    const { one: victim } = await registered(shop.url);
    const { id } = await shop.db.one(
      sql<{ id: string }>('select id from sessions order by created_at desc, id desc limit 1'),
    );
    const list = await one.open('/profile/sessions');
    const csrf = formOf(list, '/logout').get('_csrf')!;
    await one.request('POST', `/profile/sessions/${id}/end`, new URLSearchParams({ _csrf: csrf }));
    expect((await victim.request('GET', '/profile')).status).toBe(200);
    const odd = await one.request('POST', '/profile/sessions/no-uuid/end', new URLSearchParams({ _csrf: csrf }));
    expect(odd.status).toBe(400);
  });
});

describe('passwords and addresses by mail', () => {
  it('a forgotten password is set anew by the link, which works once, and logs out everywhere', async () => {
    const { one, username } = await registered(shop.url);
    const stranger = visitor(shop.url);
    const asked = await stranger.open('/password/forgot');
    const [known, unknown] = [
      await stranger.send(asked, '/password/forgot', { email: `${username}@example.com` }),
      await stranger.send(asked, '/password/forgot', { email: 'nobody-at-all@example.com' }),
    ];
    const body = (page: Page) => /<main.*<\/main>/s.exec(page.text)![0];
    expect([known.path, body(known)]).toEqual([unknown.path, body(unknown)]);
    const odd = await stranger.submit(asked, '/password/forgot', { email: 'no address' });
    expect([odd.status, faultsOf(odd).length]).toEqual([400, 1]);

    const link = await mailedLink(username);
    const page = await stranger.open(link);
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.headers.get('cache-control')).toBe('no-store');
    const weak = await stranger.submit(page, '/password/reset', { password: 'short' });
    expect([weak.status, weak.headers.get('referrer-policy'), faultsOf(weak)]).toEqual([
      400,
      'no-referrer',
      ['New password must have at least 10 characters; a few words in a row do well.'],
    ]);
    const set = await stranger.send(weak, '/password/reset', { password: 'another horse battery' });
    expect([set.path, noticeOf(set)]).toEqual([
      '/login?done=password_set',
      'Your new password is set, and you are logged out everywhere. Log in with it.',
    ]);
    expect((await one.request('GET', '/profile')).status).toBe(303);
    expect((await logIn(visitor(shop.url), username, 'another horse battery')).status).toBe(200);
    const used = await stranger.submit(page, '/password/reset', { password: 'a third horse battery' });
    expect([used.status, titleOf(used)]).toEqual([400, 'This link no longer works']);
    expect(titleOf(await stranger.open('/password/reset'))).toBe('This link no longer works');
  });

  it('an address is confirmed by a button, not by whatever follows the link', async () => {
    const { one, username } = await registered(shop.url);
    const verified = async () =>
      (
        await shop.db.one(
          sql<{ at: Date | null }>('select email_verified_at as at from users where username = $1', [username]),
        )
      ).at !== null;
    const first = await mailedLink(username);
    clock.advance(1_000);
    const resent = await one.send(await one.open('/profile'), '/profile/confirmation');
    expect(noticeOf(resent)).toContain('Only the link in the newest one works');
    const link = await mailedLink(username);
    const old = await one.send(await one.open(first), '/email/verify');
    expect([old.status, titleOf(old)]).toEqual([400, 'This link no longer works']);
    await visitor(shop.url).request('HEAD', link);
    const page = await visitor(shop.url).open(link);
    expect([page.status, page.headers.get('referrer-policy'), await verified()]).toEqual([200, 'no-referrer', false]);
    const done = await one.send(await one.open(link), '/email/verify');
    expect([done.path, noticeOf(done), await verified()]).toEqual([
      '/profile?done=email_confirmed',
      'Your e-mail address is confirmed.',
      true,
    ]);
    expect(done.text).not.toContain('is not confirmed yet');
    const { username: other } = await registered(shop.url);
    const stranger = visitor(shop.url);
    const elsewhere = await stranger.send(await stranger.open(await mailedLink(other)), '/email/verify');
    expect([elsewhere.path, noticeOf(elsewhere)]).toEqual([
      '/login?done=email_confirmed',
      'Your e-mail address is confirmed.',
    ]);
  });

  it('a password is changed by whoever knows it, and other devices are logged out', async () => {
    const { one, username } = await registered(shop.url);
    const other = visitor(shop.url);
    await logIn(other, username);
    const page = await one.open('/profile/security');
    const wrong = await one.submit(page, '/profile/security/password', {
      current_password: 'not mine at all',
      password: 'another horse battery',
    });
    expect([wrong.status, wrong.text.includes('<a href="#current_password">')]).toEqual([403, true]);
    const weak = await one.submit(page, '/profile/security/password', {
      current_password: PASSWORD,
      password: 'short',
    });
    expect([weak.status, weak.text.includes('<a href="#password">')]).toEqual([400, true]);
    const done = await one.send(page, '/profile/security/password', {
      current_password: PASSWORD,
      password: 'another horse battery',
    });
    expect([done.status, done.path]).toEqual([200, '/profile/security?done=password_changed']);
    expect((await other.request('GET', '/profile')).status).toBe(303);
    expect((await logIn(visitor(shop.url), username, 'another horse battery')).status).toBe(200);
  });
});

describe('e-mails', () => {
  it('are chosen, and staff choose among more', async () => {
    const { one, username } = await registered(shop.url);
    const page = await one.open('/profile/notifications');
    const form = formOf(page, '/profile/notifications');
    expect([form.get('orders'), form.get('price_alerts'), form.has('imports')]).toEqual(['on', 'on', false]);
    form.delete('orders');
    form.set('imports', 'on');
    const saved = await one.request('POST', '/profile/notifications', form);
    const after = formOf(await one.open(saved.location!), '/profile/notifications');
    expect([after.has('orders'), after.get('price_alerts')]).toEqual([false, 'on']);
    await shop.db.run(sql("update users set role = 'staff' where username = $1", [username]));
    expect(formOf(await one.open('/profile/notifications'), '/profile/notifications').get('imports')).toBe('on');
  });
});
