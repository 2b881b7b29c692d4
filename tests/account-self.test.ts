import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { eventually, fakeClock } from '../src/kernel/testing/index.ts';
import { browserOf, elsewhere, mailsTo, newPerson, PASSWORD, tokenFrom } from './support/person.ts';
import { type Answer, startTestShop, type TestShop } from './support/shop.ts';

/** What people do with their own account, over real sockets. */

const HOUR = 3_600_000;
const NEW_PASSWORD = 'quite another long walk';

const clock = fakeClock('2026-03-01T12:00:00.000Z');
let shop: TestShop;
/** The same database behind a server that limits, with counts of its own. */
let limited: TestShop;
beforeAll(async () => {
  shop = await startTestShop({ clock });
  limited = await startTestShop({ clock, databaseUrl: shop.directUrl, env: { RATE_LIMIT: 'on' } });
});
afterAll(async () => {
  await limited.stop();
  await shop.stop();
});

const forgot = (email: string, on = shop) => on.send('POST', '/api/auth/password/forgot', { email });
const reset = (token: string, password = NEW_PASSWORD) =>
  shop.send('POST', '/api/auth/password/reset', { token, password });
const verify = (token: string) => shop.send('POST', '/api/auth/email/verify', { token });
const logIn = (username: string, password: string, on = shop) =>
  on.send('POST', '/api/auth/token', { username, password });
const stored = (userId: string) =>
  shop.db.one(sql<Record<string, unknown>>('select * from users where id = $1', [userId]));
/** Until somebody waits for a row that this test holds. */
const waiting = () =>
  eventually(async () => {
    const waiters = await shop.db.many(
      sql(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`),
    );
    expect(waiters).toHaveLength(1);
  });
const faultsOf = (answer: Answer) => answer.json.errors.map(({ path }: { path: string }) => path);

describe('a forgotten password', () => {
  it('is replaced by a mailed link, which ends every session and proves the address', async () => {
    const ada = await newPerson(shop);
    const cookie = await browserOf(shop, ada.id);
    expect((await shop.get('/api/profile', { cookie })).json).toMatchObject({ email_verified: false });
    expect((await forgot(ada.email.toUpperCase())).status).toBe(202);
    const token = await tokenFrom(shop, ada.email, 'reset_password');

    const answer = await reset(token);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect((await ada.get('/api/profile')).json.code).toBe('invalid_token');
    expect((await ada.renew()).json.code).toBe('invalid_token');
    expect((await shop.get('/api/profile', { cookie })).status).toBe(401);
    expect((await logIn(ada.username, PASSWORD)).json.code).toBe('invalid_credentials');
    expect((await ada.logIn({ password: NEW_PASSWORD })).status).toBe(200);
    expect((await ada.get('/api/profile')).json.email_verified).toBe(true);
    expect(await mailsTo(shop, ada.email, 'password_changed')).toHaveLength(1);
  });

  it('answers the same, and sends nothing, for an address that has no account or a disabled one', async () => {
    const disabled = await newPerson(shop);
    await shop.db.run(sql('update users set disabled_at = now() where id = $1', [disabled.id]));
    const known = await forgot((await newPerson(shop)).email);
    for (const email of ['nobody@example.com', disabled.email]) {
      const answer = await forgot(email);
      expect([answer.status, answer.text]).toEqual([known.status, known.text]);
      expect(await mailsTo(shop, email, 'reset_password')).toEqual([]);
    }
  });

  it('keeps its link when the new password is refused', async () => {
    const ada = await newPerson(shop);
    await forgot(ada.email);
    const token = await tokenFrom(shop, ada.email, 'reset_password');
    for (const weak of ['password', 'aaaaaaaaaaaa', ada.email]) {
      const refused = await reset(token, weak);
      expect([refused.status, refused.json.code, faultsOf(refused)]).toEqual([400, 'validation_failed', ['password']]);
    }
    expect((await logIn(ada.username, PASSWORD)).status).toBe(200);
    expect((await reset(token)).status).toBe(204);
  });

  it('is set by one of twenty who come with the same link at once', async () => {
    const ada = await newPerson(shop);
    await forgot(ada.email);
    const token = await tokenFrom(shop, ada.email, 'reset_password');
    const tries = Array.from({ length: 20 }, (_, n) => `one of twenty passwords: ${n}`);
    const answers = await Promise.all(tries.map((password) => reset(token, password)));
    const done = tries.filter((_, n) => answers[n]!.status === 204);
    expect(done).toHaveLength(1);
    expect(answers.filter(({ json }) => json?.code === 'link_expired')).toHaveLength(19);
    expect((await logIn(ada.username, done[0]!)).status).toBe(200);
    expect(await mailsTo(shop, ada.email, 'password_changed')).toHaveLength(1);
  });

  it('takes no link that was used, replaced, is too old, or was mailed for something else', async () => {
    const ada = await newPerson(shop);
    const expired = async (token: string) => expect((await reset(token)).json.code).toBe('link_expired');
    await expired(await tokenFrom(shop, ada.email, 'verify_email'));
    await expired('x'.repeat(43));

    await forgot(ada.email);
    const first = await tokenFrom(shop, ada.email, 'reset_password');
    expect((await verify(first)).json.code).toBe('link_expired');
    clock.advance(1);
    await forgot(ada.email);
    const second = await tokenFrom(shop, ada.email, 'reset_password');
    await expired(first);
    clock.advance(2 * HOUR);
    await expired(second);

    await forgot(ada.email);
    const third = await tokenFrom(shop, ada.email, 'reset_password');
    clock.advance(2 * HOUR - 1);
    expect((await reset(third)).status).toBe(204);
    await expired(third);
    expect((await logIn(ada.username, NEW_PASSWORD)).status).toBe(200);
  });

  it('is only ever the one of whom the link was sent to', async () => {
    const [ada, bob] = [await newPerson(shop), await newPerson(shop)];
    await forgot(ada.email);
    const token = await tokenFrom(shop, ada.email, 'reset_password');
    const before = await stored(bob.id);
    for (const more of [{ user_id: bob.id }, { email: bob.email }, { username: bob.username }]) {
      const answer = await shop.send('POST', '/api/auth/password/reset', { token, password: NEW_PASSWORD, ...more });
      expect(faultsOf(answer)).toEqual(Object.keys(more));
    }
    expect((await reset(token)).status).toBe(204);
    expect(await stored(bob.id)).toEqual(before);
    expect((await bob.get('/api/profile')).status).toBe(200);

    // An address that has become somebody else's in the meantime.
    await forgot(ada.email);
    const stale = await tokenFrom(shop, ada.email, 'reset_password');
    await shop.db.run(sql('update users set email = $2 where id = $1', [ada.id, `new-${ada.email}`]));
    await shop.db.run(sql('update users set email = $2 where id = $1', [bob.id, ada.email]));
    expect((await reset(stale)).json.code).toBe('link_expired');
    expect((await stored(bob.id)).password_hash).toBe(before.password_hash);
  });

  it('fills nobody’s mailbox: three mails an hour for an account, ten requests from an address', async () => {
    const ada = await newPerson(limited);
    const statuses: number[] = [];
    for (let n = 0; n < 10; n++)
      statuses.push((await forgot(n < 5 ? ada.email : 'nobody@example.com', limited)).status);
    expect(statuses).toEqual(Array(10).fill(202));
    expect(await mailsTo(limited, ada.email, 'reset_password')).toHaveLength(3);
    const refused = await forgot(ada.email, limited);
    expect([refused.status, refused.json.code]).toEqual([429, 'too_many_requests']);
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
  });
});

describe('changing a password', () => {
  it('takes the present one, ends the other sessions and no link goes on working', async () => {
    const ada = await newPerson(shop);
    const other = await elsewhere(shop, ada);
    const cookie = await browserOf(shop, ada.id);
    await forgot(ada.email);
    const link = await tokenFrom(shop, ada.email, 'reset_password');

    const weak = await ada.post('/api/auth/password/change', { current_password: PASSWORD, password: 'password' });
    expect(faultsOf(weak)).toEqual(['password']);
    const done = await ada.post('/api/auth/password/change', { current_password: PASSWORD, password: NEW_PASSWORD });
    expect(done.status).toBe(204);
    expect((await ada.get('/api/profile')).status).toBe(200);
    expect((await other.get('/api/profile')).json.code).toBe('invalid_token');
    expect((await shop.get('/api/profile', { cookie })).status).toBe(401);
    expect((await ada.renew()).status).toBe(200);
    expect((await reset(link, 'a third long password')).json.code).toBe('link_expired');
    expect((await logIn(ada.username, PASSWORD)).status).toBe(401);
    expect((await logIn(ada.username, NEW_PASSWORD)).status).toBe(200);
    expect(await mailsTo(shop, ada.email, 'password_changed')).toHaveLength(1);
  });

  it('is done by one of two who know the same one', async () => {
    const ada = await newPerson(shop);
    const to = (password: string) => ada.post('/api/auth/password/change', { current_password: PASSWORD, password });
    const answers = await Promise.all([to('the password of one'), to('the password of two')]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 403]);
    expect(await mailsTo(shop, ada.email, 'password_changed')).toHaveLength(1);
  });

  it('lets a stolen session guess no further than a log-in, and shuts nobody else out', async () => {
    const ada = await newPerson(limited);
    const guess = (current_password: string) =>
      ada.post('/api/auth/password/change', { current_password, password: NEW_PASSWORD });
    for (let n = 0; n < 10; n++) {
      const wrong = await guess(`a wrong guess ${n}`);
      expect([wrong.status, wrong.json.code]).toEqual([403, 'wrong_password']);
    }
    const locked = await guess(PASSWORD);
    expect([locked.status, locked.json.code]).toEqual([429, 'too_many_attempts']);
    expect((await ada.send('DELETE', '/api/profile', { password: PASSWORD })).json.code).toBe('too_many_attempts');
    expect((await stored(ada.id)).erased_at).toBeNull();
    expect((await ada.logIn()).status).toBe(200);
    expect((await guess(PASSWORD)).status).toBe(204);
  });
});

describe('proving an e-mail address', () => {
  it('takes the mailed token once, by one of twenty', async () => {
    const ada = await newPerson(shop);
    const token = await tokenFrom(shop, ada.email, 'verify_email');
    const answers = await Promise.all(Array.from({ length: 20 }, () => verify(token)));
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    expect(answers.filter(({ json }) => json?.code === 'link_expired')).toHaveLength(19);
    expect((await ada.get('/api/profile')).json.email_verified).toBe(true);
    expect((await ada.post('/api/auth/email/resend')).json.code).toBe('email_verified');
  });

  it('can be asked for again, three times an hour, and only the newest link works', async () => {
    const ada = await newPerson(limited);
    const first = await tokenFrom(shop, ada.email, 'verify_email');
    const statuses: number[] = [];
    for (let n = 0; n < 4; n++) {
      clock.advance(1);
      statuses.push((await ada.post('/api/auth/email/resend')).status);
    }
    expect(statuses).toEqual([202, 202, 202, 429]);
    expect((await verify(first)).json.code).toBe('link_expired');
    expect(await mailsTo(shop, ada.email, 'verify_email')).toHaveLength(4);
    clock.advance(HOUR + 1);
    await ada.renew();
    expect((await ada.post('/api/auth/email/resend')).status).toBe(202);
    clock.advance(72 * HOUR);
    const old = await tokenFrom(shop, ada.email, 'verify_email');
    expect((await verify(old)).json.code).toBe('link_expired');
  });

  it('is asked of one mailbox three times an hour, whichever accounts ask', async () => {
    const mailbox = `anybody-${Date.now()}@example.com`;
    const statuses: number[] = [];
    for (const email of [mailbox, mailbox.toUpperCase(), mailbox]) {
      const each = await newPerson(limited);
      const move = (email: string) => each.send('PATCH', '/api/profile', { email, current_password: PASSWORD });
      statuses.push((await move(email)).status, (await each.post('/api/auth/email/resend')).status);
      expect((await move(each.email)).status).toBe(200);
    }
    expect(statuses).toEqual([200, 202, 200, 429, 429, 202]);
    const links = [mailbox, mailbox.toUpperCase()].map((email) => mailsTo(shop, email, 'verify_email'));
    expect((await Promise.all(links)).flat()).toHaveLength(3);
  });

  it('is asked of one mailbox three times an hour by opening accounts, which nobody is kept from', async () => {
    const mailbox = `opened-${Date.now()}@example.com`;
    for (let n = 0; n < 5; n++) {
      const body = { email: mailbox, username: `opened-${n}`, password: PASSWORD };
      const opened = await limited.send('POST', '/api/auth/register', body);
      expect(opened.status).toBe(201);
      await shop.db.run(sql('update users set email = $2 where id = $1', [opened.json.id, `${n}-${mailbox}`]));
    }
    expect(await mailsTo(shop, mailbox)).toHaveLength(3);
  });

  it('sends nothing to an account that is being erased', async () => {
    const ada = await newPerson(shop);
    let sent: Promise<Answer> | undefined;
    await shop.db.transaction(async (tx) => {
      await tx.run(sql('select from users where id = $1 for update', [ada.id]));
      sent = ada.post('/api/auth/email/resend');
      await waiting();
      await tx.run(
        sql('update users set email = null, password_hash = null, erased_at = now() where id = $1', [ada.id]),
      );
      for (const [table, column] of [
        ['emails', 'recipient_id'],
        ['one_time_tokens', 'user_id'],
      ])
        await tx.run(sql(`delete from ${table} where ${column} = $1`, [ada.id]));
    });
    expect((await sent!).json.code).toBe('user_not_found');
    expect(await mailsTo(shop, ada.email)).toEqual([]);
    expect(await shop.db.many(sql('select from one_time_tokens where user_id = $1', [ada.id]))).toEqual([]);
  });

  it('proves no address that the account has no longer', async () => {
    const ada = await newPerson(shop);
    const token = await tokenFrom(shop, ada.email, 'verify_email');
    await shop.db.run(sql('update users set email = $2 where id = $1', [ada.id, `new-${ada.email}`]));
    expect((await verify(token)).json.code).toBe('link_expired');
    expect((await stored(ada.id)).email_verified_at).toBeNull();
  });
});

describe('a profile', () => {
  const address = {
    line1: '1 Main St',
    line2: '',
    city: 'Springfield',
    region: 'OR',
    postal_code: '97477',
    country: 'US',
  };

  it('is read, patched and replaced', async () => {
    const ada = await newPerson(shop);
    const empty = {
      id: ada.id,
      email: ada.email,
      email_verified: false,
      username: ada.username,
      role: 'customer',
      first_name: '',
      last_name: '',
      phone: '',
      address: null,
      date_of_birth: null,
      second_factor: false,
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    };
    const read = await ada.get('/api/profile');
    expect([read.json, read.headers.get('cache-control')]).toEqual([empty, 'no-store']);

    const change = { first_name: ' Ada ', phone: '+44 (0)20 7946-0958', address, date_of_birth: '1990-12-31' };
    const patched = await ada.send('PATCH', '/api/profile', change);
    expect(patched.json).toEqual({ ...empty, ...change, first_name: 'Ada' });
    const moved = await ada.send('PATCH', '/api/profile', { address: { city: 'Salem', line2: 'Flat 2' } });
    expect(moved.json.address).toEqual({ ...address, city: 'Salem', line2: 'Flat 2' });
    expect(moved.json.phone).toBe(change.phone);

    const { email, username } = ada;
    expect((await ada.send('PUT', '/api/profile', { username })).status).toBe(400);
    const replaced = await ada.send('PUT', '/api/profile', { email, username, last_name: 'Lovelace' });
    expect(replaced.json).toEqual({ ...empty, last_name: 'Lovelace' });
    expect((await ada.get('/api/profile')).json).toEqual(replaced.json);
    const cleared = await ada.send('PATCH', '/api/profile', { address: { line1: ' ' }, date_of_birth: null });
    expect(cleared.json.address).toBeNull();
  });

  it('refuses what is no phone, no country, no birthday, no name', async () => {
    const ada = await newPerson(shop);
    const bad: [unknown, string][] = [
      [{ phone: 'call me' }, 'phone'],
      [{ phone: '1234' }, 'phone'],
      [{ address: { country: 'XX' } }, 'address.country'],
      [{ address: { country: 'UK' } }, 'address.country'],
      [{ address: { country: 'us' } }, 'address.country'],
      [{ address: { line1: 'two\nlines' } }, 'address.line1'],
      [{ address: { planet: 'Mars' } }, 'address.planet'],
      [{ date_of_birth: '2001-02-29' }, 'date_of_birth'],
      [{ date_of_birth: '2026-03-02' }, 'date_of_birth'],
      [{ date_of_birth: '1899-12-31' }, 'date_of_birth'],
      [{ date_of_birth: '' }, 'date_of_birth'],
      [{ email: 'nowhere' }, 'email'],
      [{ email: null }, 'email'],
      [{ username: 'a b' }, 'username'],
      [{ first_name: 'x'.repeat(101) }, 'first_name'],
    ];
    clock.set('2026-03-01T12:00:00.000Z');
    await ada.logIn();
    for (const [body, path] of bad) {
      const answer = await ada.send('PATCH', '/api/profile', body);
      expect([answer.status, answer.json.code, faultsOf(answer)], JSON.stringify(body)).toEqual([
        400,
        'validation_failed',
        [path],
      ]);
    }
  });

  it('makes nobody what they are not: fields that are not theirs are refused, also on registration', async () => {
    const ada = await newPerson(shop);
    const before = await stored(ada.id);
    const { email, username } = ada;
    const foreign = {
      id: '01890000-0000-7000-8000-000000000000',
      role: 'superuser',
      is_staff: true,
      email_verified: true,
      email_verified_at: '2026-01-01T00:00:00Z',
      disabled_at: null,
      second_factor: true,
      password: NEW_PASSWORD,
      password_hash: 'x',
      token_epoch: 9,
      created_at: '2026-01-01T00:00:00Z',
      notifications: {},
      'role ': 'staff',
      constructor: { role: 'staff' },
    };
    for (const [name, value] of Object.entries(foreign)) {
      const bodies: [string, string, object][] = [
        ['PATCH', '/api/profile', { [name]: value }],
        ['PUT', '/api/profile', { email, username, [name]: value }],
      ];
      if (name !== 'password')
        bodies.push([
          'POST',
          '/api/auth/register',
          { email: 'x@example.com', username: 'xavier', password: PASSWORD, [name]: value },
        ]);
      for (const [method, path, body] of bodies) {
        const answer = await ada.send(method, path, body);
        expect([answer.status, faultsOf(answer)], `${method} ${path} ${name}`).toEqual([400, [name]]);
      }
    }
    for (const path of ['/api/profile', '/api/auth/register']) {
      const text = `{"__proto__":{"role":"superuser"},"email":"x@example.com","username":"xavier","password":"${PASSWORD}"}`;
      const response = await fetch(shop.url + path, {
        method: path === '/api/profile' ? 'PATCH' : 'POST',
        headers: { authorization: `Bearer ${ada.access}`, 'content-type': 'application/json' },
        body: text,
      });
      expect(response.status).toBe(400);
    }
    expect(await stored(ada.id)).toEqual(before);
    expect(await shop.db.maybe(sql(`select from users where username = 'xavier'`))).toBeUndefined();
  });

  it('takes another e-mail address at once, unproved, and tells the old one', async () => {
    const ada = await newPerson(shop);
    await verify(await tokenFrom(shop, ada.email, 'verify_email'));
    await forgot(ada.email);
    const link = await tokenFrom(shop, ada.email, 'reset_password');
    const to = `moved-${ada.email}`;
    const changed = await ada.send('PATCH', '/api/profile', { email: to, current_password: PASSWORD });
    expect(changed.json).toMatchObject({ email: to, email_verified: false });
    expect((await reset(link)).json.code).toBe('link_expired');
    const told = await mailsTo(shop, ada.email, 'email_changed');
    expect(told).toHaveLength(1);
    expect(told[0]!.text).not.toContain(to);
    expect((await verify(await tokenFrom(shop, to, 'verify_email'))).status).toBe(204);
    expect((await ada.get('/api/profile')).json.email_verified).toBe(true);
    expect((await logIn(to, PASSWORD)).status).toBe(200);

    // The same address in other letters is no other address.
    const shouted = await ada.send('PATCH', '/api/profile', { email: to.toUpperCase() });
    expect(shouted.json).toMatchObject({ email: to.toUpperCase(), email_verified: true });
  });

  it('takes the password for another e-mail address, and for nothing else', async () => {
    const ada = await newPerson(shop);
    const { email, username } = ada;
    const to = `moved-${email}`;
    // A Kelvin sign: written small it is a k, but in another mailbox.
    const kelvin = `ada-${username}\u212a@example.com`;
    await shop.db.run(sql('update users set email = $2 where id = $1', [ada.id, kelvin.replace('\u212a', 'k')]));
    for (const body of [{ email: to }, { email: to, current_password: 'not hers at all' }, { email: kelvin }])
      for (const [method, more] of [
        ['PATCH', {}],
        ['PUT', { username }],
      ] as const) {
        const refused = await ada.send(method, '/api/profile', { first_name: 'Eve', ...body, ...more });
        expect([refused.status, refused.json.code], JSON.stringify(body)).toEqual([403, 'wrong_password']);
        if (!('current_password' in body)) {
          expect(refused.json.detail).toContain('current_password');
          expect(faultsOf(refused)).toEqual(['current_password']);
        }
      }
    expect(await stored(ada.id)).toMatchObject({ first_name: '', email: kelvin.replace('\u212a', 'k') });
    expect(await mailsTo(shop, to)).toEqual([]);

    const same = { email: kelvin.replace('\u212a', 'K'), first_name: 'Ada' };
    expect((await ada.send('PATCH', '/api/profile', same)).json).toMatchObject(same);
    const unneeded = { ...same, first_name: 'Augusta', current_password: 'not hers at all' };
    expect((await ada.send('PATCH', '/api/profile', unneeded)).json.first_name).toBe('Augusta');
    const moved = await ada.send('PUT', '/api/profile', { email: to, username, current_password: PASSWORD });
    expect(moved.json).toMatchObject({ email: to, email_verified: false, first_name: '' });
  });

  it('lets nobody guess the password by another address, nor keeps the owner out for it', async () => {
    const ada = await newPerson(limited);
    const move = (current_password: string) =>
      ada.send('PATCH', '/api/profile', { email: `moved-${ada.email}`, current_password });
    const codes: string[] = [];
    for (let n = 0; n < 11; n++) codes.push((await move('not hers at all')).json.code);
    expect(codes).toEqual([...Array<string>(10).fill('wrong_password'), 'too_many_attempts']);
    expect((await move(PASSWORD)).json.code).toBe('too_many_attempts');
    expect((await ada.logIn()).status).toBe(200);
    expect((await move(PASSWORD)).status).toBe(200);
  });

  it('does not move to another address by a password that was changed in the meantime', async () => {
    const ada = await newPerson(shop);
    let moved: Promise<Answer> | undefined;
    await shop.db.transaction(async (tx) => {
      await tx.run(sql('select from users where id = $1 for update', [ada.id]));
      moved = ada.send('PATCH', '/api/profile', { email: `moved-${ada.email}`, current_password: PASSWORD });
      await waiting();
      await tx.run(sql(`update users set password_hash = 'another' where id = $1`, [ada.id]));
    });
    expect((await moved!).json.code).toBe('wrong_password');
    expect((await stored(ada.id)).email).toBe(ada.email);
  });

  it('remembers that an address was proved, also at an unproved one', async () => {
    const ada = await newPerson(shop);
    expect((await stored(ada.id)).email_ever_verified).toBe(false);
    await verify(await tokenFrom(shop, ada.email, 'verify_email'));
    await ada.send('PATCH', '/api/profile', { email: `moved-${ada.email}`, current_password: PASSWORD });
    expect(await stored(ada.id)).toMatchObject({ email_ever_verified: true, email_verified_at: null });
  });

  it('keeps what was mailed to an address dead, also when it comes back', async () => {
    const ada = await newPerson(shop);
    await forgot(ada.email);
    const link = await tokenFrom(shop, ada.email, 'reset_password');
    for (const email of [`moved-${ada.email}`, ada.email])
      expect((await ada.send('PATCH', '/api/profile', { email, current_password: PASSWORD })).status).toBe(200);
    expect((await reset(link)).json.code).toBe('link_expired');
  });

  it('takes no name that somebody else has, and sends no mail for it', async () => {
    const [ada, bob] = [await newPerson(shop), await newPerson(shop)];
    const email = await ada.send('PATCH', '/api/profile', {
      email: bob.email.toUpperCase(),
      current_password: PASSWORD,
      first_name: 'Eve',
    });
    expect([email.status, email.json.code]).toEqual([409, 'email_taken']);
    const username = await ada.send('PATCH', '/api/profile', { username: bob.username.toUpperCase() });
    expect([username.status, username.json.code]).toEqual([409, 'username_taken']);
    expect((await ada.get('/api/profile')).json).toMatchObject({ email: ada.email, first_name: '' });
    expect(await mailsTo(shop, ada.email, 'email_changed')).toEqual([]);
    expect(await mailsTo(shop, bob.email.toUpperCase())).toEqual([]);
  });

  it('sends mails to at most five new addresses an hour', async () => {
    const ada = await newPerson(limited);
    const statuses: number[] = [];
    for (let n = 0; n < 6; n++)
      statuses.push(
        (await ada.send('PATCH', '/api/profile', { email: `victim${n}-${ada.email}`, current_password: PASSWORD }))
          .status,
      );
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    expect((await ada.get('/api/profile')).json.email).toBe(`victim4-${ada.email}`);
    expect(await mailsTo(shop, `victim5-${ada.email}`)).toEqual([]);
  });

  it('says in the log which fields changed, and nothing of what they hold', async () => {
    const ada = await newPerson(shop);
    await ada.send('PATCH', '/api/profile', { first_name: 'Augusta', address });
    await ada.send('PATCH', '/api/profile', { first_name: 'Augusta', address: { city: 'Springfield' } });
    const logged = await shop.db.many(
      sql(`select actor_id, changes, data from events where subject_id = $1 and type = 'user.updated'`, [ada.id]),
    );
    expect(logged).toEqual([{ actor_id: ada.id, changes: {}, data: { fields: ['first_name', 'address'] } }]);
  });
});

describe('which mails somebody wants', () => {
  it('is all of them, until they say otherwise', async () => {
    const ada = await newPerson(shop);
    expect((await ada.get('/api/profile/notifications')).json).toEqual({ orders: true, price_alerts: true });
    const put = await ada.send('PUT', '/api/profile/notifications', { orders: false, price_alerts: true });
    expect(put.json).toEqual({ orders: false, price_alerts: true });
    expect((await stored(ada.id)).notifications).toEqual({ orders: false });
    expect((await ada.get('/api/profile/notifications')).json).toEqual(put.json);
    expect((await ada.send('PUT', '/api/profile/notifications', {})).json.orders).toBe(true);
  });

  it('is no event where it changes nothing, and is said sixty times in ten minutes', async () => {
    const ada = await newPerson(limited);
    const say = (body: object) => ada.send('PUT', '/api/profile/notifications', body);
    for (const body of [
      {},
      { orders: true },
      { orders: false },
      { orders: false },
      { orders: false, price_alerts: true },
    ])
      expect((await say(body)).status).toBe(200);
    const logged = await shop.db.many(
      sql(`select data from events where subject_id = $1 and type = 'user.updated'`, [ada.id]),
    );
    expect(logged).toEqual([{ data: { fields: ['notifications'] } }]);
    expect((await say({})).headers.get('ratelimit-limit')).toBe('60');
  });

  it('has more for staff, which others cannot name', async () => {
    const ada = await newPerson(shop);
    const staff = await newPerson(shop, { role: 'staff' });
    const refused = await ada.send('PUT', '/api/profile/notifications', { orders: true, imports: false });
    expect([refused.status, faultsOf(refused)]).toEqual([400, ['imports']]);
    const put = await staff.send('PUT', '/api/profile/notifications', { imports: false });
    expect(put.json).toEqual({
      orders: true,
      price_alerts: true,
      product_changes: true,
      imports: false,
      low_stock: true,
      failed_jobs: true,
    });
    expect((await staff.send('PUT', '/api/profile/notifications', { gossip: true })).status).toBe(400);
  });
});

describe('erasing an account', () => {
  it('takes the password, and leaves nothing of the person', async () => {
    const ada = await newPerson(shop);
    await ada.send('PATCH', '/api/profile', {
      first_name: 'Ada',
      last_name: 'Lovelace',
      phone: '+44 20 7946 0958',
      address: { line1: '12 St James’s Square', city: 'London', country: 'GB' },
      date_of_birth: '1990-12-10',
    });
    await ada.send('PUT', '/api/profile/notifications', { orders: false });
    await forgot(ada.email);
    const link = await tokenFrom(shop, ada.email, 'reset_password');
    const wrong = await ada.send('DELETE', '/api/profile', { password: 'not hers at all' });
    expect([wrong.status, wrong.json.code]).toEqual([403, 'wrong_password']);
    expect((await ada.send('DELETE', '/api/profile')).status).toBe(400);

    expect((await ada.send('DELETE', '/api/profile', { password: PASSWORD })).status).toBe(204);
    const row = await stored(ada.id);
    expect(row).toMatchObject({
      email: null,
      username: `erased:${ada.id.slice(-12)}`,
      password_hash: null,
      first_name: '',
      last_name: '',
      phone: '',
      address: null,
      date_of_birth: null,
      notifications: {},
      otp_secret: null,
      erased_at: expect.any(Date),
      token_epoch: 1,
    });
    for (const table of ['sessions', 'one_time_tokens', 'recovery_codes'])
      expect(await shop.db.many(sql(`select from ${table} where user_id = $1`, [ada.id]))).toEqual([]);
    expect(await mailsTo(shop, ada.email)).toEqual([]);
    expect(await shop.db.many(sql('select from emails where recipient_id = $1', [ada.id]))).toEqual([]);

    expect((await ada.get('/api/profile')).json.code).toBe('invalid_token');
    expect((await ada.renew()).json.code).toBe('invalid_token');
    expect((await ada.logIn()).json.code).toBe('invalid_credentials');
    expect((await reset(link)).json.code).toBe('link_expired');
    // The address and the name are free again.
    const again = { email: ada.email, username: ada.username, password: PASSWORD };
    expect((await shop.send('POST', '/api/auth/register', again)).status).toBe(201);
  });

  it('ends what other nodes believe within a second, and takes the browser’s cookie away', async () => {
    const node = await startTestShop({ clock, databaseUrl: shop.directUrl });
    try {
      const ada = await newPerson(shop);
      const cookie = await browserOf(shop, ada.id);
      const authorization = `Bearer ${ada.access}`;
      expect((await node.get('/api/profile', { cookie })).status).toBe(200);
      expect((await node.get('/api/profile', { authorization })).status).toBe(200);

      const session = await shop.get('/api/auth/session', { cookie });
      const csrf = session.headers.getSetCookie().map((each) => each.split(';', 1)[0]!);
      const headers = { cookie: [cookie, ...csrf].join('; '), 'x-csrf-token': session.headers.get('x-csrf-token')! };
      const erased = await shop.send('DELETE', '/api/profile', { password: PASSWORD }, headers);
      expect(erased.status).toBe(204);
      expect(erased.headers.getSetCookie().join()).toMatch(/__Host-vitrine_session=;.*Expires=Thu, 01 Jan 1970/);
      await eventually(async () => {
        expect((await node.get('/api/profile', { cookie })).status).toBe(401);
        expect((await node.get('/api/profile', { authorization })).status).toBe(401);
        expect((await node.get('/api/categories', { authorization })).status).toBe(401);
      }, 1_000);
    } finally {
      await node.stop();
    }
  });

  it('never takes the last superuser, not even when the last two go at once', async () => {
    const [ada, bob] = [await newPerson(shop, { role: 'superuser' }), await newPerson(shop, { role: 'superuser' })];
    const key = await ada.post('/api/api-keys', { name: 'export', scopes: ['users:read'] });
    const authorization = `Bearer ${key.json.key}`;
    expect((await shop.get('/api/users', { authorization })).status).toBe(200);
    const answers = await Promise.all(
      [ada, bob].map((each) => each.send('DELETE', '/api/profile', { password: PASSWORD })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
    expect(answers.find(({ status }) => status === 409)!.json.code).toBe('last_superuser');
    const last = answers[0]!.status === 409 ? ada : bob;
    expect((await last.get('/api/profile')).status).toBe(200);
    const mine = await shop.get('/api/users', { authorization });
    expect(mine.status).toBe(last === ada ? 200 : 401);

    const third = await newPerson(shop, { role: 'superuser' });
    expect((await last.send('DELETE', '/api/profile', { password: PASSWORD })).status).toBe(204);
    expect((await shop.get('/api/users', { authorization })).status).toBe(401);
    expect((await third.get('/api/api-keys')).json.items).toEqual([]);
    expect((await third.send('DELETE', '/api/profile', { password: PASSWORD })).json.code).toBe('last_superuser');
    await shop.db.run(sql(`update users set role = 'customer' where id = $1`, [third.id]));
  });
});
