import { generateSync } from 'otplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { eventually, fakeClock } from '../src/kernel/testing/index.ts';
import { browserOf, elsewhere, mailsTo, newPerson, PASSWORD, type Person, tokenFrom } from './support/person.ts';
import { startTestShop, type TestShop } from './support/shop.ts';

/** The second factor, from the first code to the last, over real sockets. */

const STEP = 30_000;

const clock = fakeClock('2026-03-01T12:00:00.000Z');
let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop({ clock });
});
afterAll(() => shop.stop());

/** What an authenticator app shows, this many steps from now. */
const codeOf = (secret: string, steps = 0) =>
  generateSync({ secret, epoch: Math.floor((clock.now().getTime() + steps * STEP) / 1_000) });
/** A code that is none of those around now. */
function wrongCode(secret: string): string {
  const right = [-2, -1, 0, 1, 2].map((steps) => codeOf(secret, steps));
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !right.includes(code))!;
}

async function enroll(person: Person): Promise<string> {
  const answer = await person.post('/api/auth/otp/enroll');
  expect(answer.status).toBe(200);
  return answer.json.secret;
}

/** Somebody with a second factor, whose access token has been refreshed since; the next code is not used yet. */
async function withSecondFactor(role?: 'staff' | 'superuser') {
  const person = await newPerson(shop, role ? { role } : {});
  const secret = await enroll(person);
  const confirmed = await person.post('/api/auth/otp/confirm', { otp: codeOf(secret) });
  expect(confirmed.status).toBe(200);
  await person.renew();
  clock.advance(STEP);
  return { person, secret, codes: confirmed.json.recovery_codes as string[] };
}

describe('setting up a second factor', () => {
  it('gives a secret as text, URI and QR code, on which nothing depends yet', async () => {
    const ada = await newPerson(shop);
    const { json, headers } = await ada.post('/api/auth/otp/enroll');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(json.secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(json.otpauth_uri).toBe(`otpauth://totp/Vitrine:${ada.username}?secret=${json.secret}&issuer=Vitrine`);
    expect(json.qr_svg).toMatch(/^<svg [^>]*>.*<\/svg>$/);
    expect((await ada.get('/api/auth/otp')).json).toEqual({ enabled: false, recovery_codes_left: 0 });
    expect((await ada.logIn()).status).toBe(200);
    const { otp_secret: sealed } = await shop.db.one(
      sql<{ otp_secret: Buffer }>('select otp_secret from users where id = $1', [ada.id]),
    );
    expect(sealed.toString('latin1')).not.toContain(json.secret);
    expect(shop.secrets.decrypt('second factor', sealed)).toBe(json.secret);
  });

  it('is turned on by a code of the latest secret, and answers ten recovery codes', async () => {
    const ada = await newPerson(shop);
    expect((await ada.post('/api/auth/otp/confirm', { otp: '123456' })).json.code).toBe('second_factor_off');
    const replaced = await enroll(ada);
    const secret = await enroll(ada);
    for (const otp of [codeOf(replaced), wrongCode(secret), codeOf(secret, 2), codeOf(secret, -2), 'abcdef', '12345']) {
      const wrong = await ada.post('/api/auth/otp/confirm', { otp });
      expect([wrong.status, wrong.json.code], otp).toEqual([400, 'otp_wrong']);
    }
    const other = await elsewhere(shop, ada);
    const cookie = await browserOf(shop, ada.id);

    const otp = codeOf(secret);
    const confirmed = await ada.post('/api/auth/otp/confirm', { otp: `${otp.slice(0, 3)} ${otp.slice(3)}` });
    expect(confirmed.status).toBe(200);
    const codes: string[] = confirmed.json.recovery_codes;
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){2}$/);

    // The access token from before knows nothing of it; the session goes on by a refresh, the others have ended.
    expect((await ada.get('/api/profile')).json.code).toBe('invalid_token');
    expect((await ada.renew()).status).toBe(200);
    expect((await ada.get('/api/profile')).json.second_factor).toBe(true);
    expect((await ada.get('/api/auth/otp')).json).toEqual({ enabled: true, recovery_codes_left: 10 });
    expect((await other.get('/api/profile')).status).toBe(401);
    expect((await shop.get('/api/profile', { cookie })).status).toBe(401);
    expect((await ada.get('/api/auth/sessions')).json.items).toMatchObject([{ current: true, second_factor: true }]);
    expect(await mailsTo(shop, ada.email, 'second_factor_on')).toHaveLength(1);

    expect((await ada.post('/api/auth/otp/enroll')).json.code).toBe('second_factor_on');
    expect((await ada.post('/api/auth/otp/confirm', { otp: codeOf(secret, 1) })).json.code).toBe('second_factor_on');
  });

  it('lets a browser go on without logging in again', async () => {
    const ada = await newPerson(shop);
    const secret = await enroll(ada);
    const cookie = await browserOf(shop, ada.id);
    const session = await shop.get('/api/auth/session', { cookie });
    const csrf = session.headers.getSetCookie().map((each) => each.split(';', 1)[0]!);
    const headers = { cookie: [cookie, ...csrf].join('; '), 'x-csrf-token': session.headers.get('x-csrf-token')! };
    const confirmed = await shop.send('POST', '/api/auth/otp/confirm', { otp: codeOf(secret) }, headers);
    expect(confirmed.status).toBe(200);
    expect((await shop.get('/api/profile', { cookie })).json.second_factor).toBe(true);
    expect((await ada.get('/api/profile')).status).toBe(401);
  });
});

describe('logging in with a second factor', () => {
  it('takes a code once, of this time step or one beside it', async () => {
    const { person, secret } = await withSecondFactor();
    expect((await person.logIn()).json.code).toBe('otp_required');
    expect((await person.logIn({ password: 'not the right one', otp: codeOf(secret) })).json.code).toBe(
      'invalid_credentials',
    );
    // The code of the step before turned it on, and was used by that.
    for (const otp of [
      codeOf(secret, -1),
      wrongCode(secret),
      codeOf(secret, -2),
      codeOf(secret, 2),
      '',
      'a'.repeat(40),
    ])
      expect((await person.logIn({ otp })).status, otp).toBe(401);
    expect((await person.logIn({ otp: codeOf(secret) })).status).toBe(200);
    expect((await person.logIn({ otp: codeOf(secret) })).json.code).toBe('invalid_credentials');
    expect((await person.logIn({ otp: codeOf(secret, 1) })).status).toBe(200);
    clock.advance(STEP);
    expect((await person.logIn({ otp: codeOf(secret) })).json.code).toBe('invalid_credentials');
    clock.advance(2 * STEP);
    expect((await person.logIn({ otp: codeOf(secret, -1) })).status).toBe(200);
  });

  it('lets one of twenty in who come with the same code at once', async () => {
    const { person, secret, codes } = await withSecondFactor();
    for (const otp of [codeOf(secret), codes[0]!]) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => person.logIn({ otp })));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(401)]);
    }
  });

  it('takes a recovery code in its place, once, however it is typed', async () => {
    const { person, codes } = await withSecondFactor();
    const other = await withSecondFactor();
    expect((await person.logIn({ otp: other.codes[0]! })).status).toBe(401);
    const typed = [codes[0]!, codes[1]!.toUpperCase(), codes[2]!.replaceAll('-', ' '), codes[3]!.replaceAll('-', '')];
    for (const otp of typed) {
      expect((await person.logIn({ otp })).status, otp).toBe(200);
      expect((await person.logIn({ otp })).status, otp).toBe(401);
    }
    expect((await person.get('/api/auth/otp')).json).toEqual({ enabled: true, recovery_codes_left: 6 });
  });
});

describe('turning a second factor off, or replacing its recovery codes', () => {
  it('takes the password and a code, both', async () => {
    const { person, secret, codes } = await withSecondFactor();
    for (const path of ['/api/auth/otp/disable', '/api/auth/otp/recovery-codes']) {
      const noPassword = await person.post(path, { password: 'not the right one', otp: codes[0] });
      expect([noPassword.status, noPassword.json.code]).toEqual([403, 'wrong_password']);
      const noCode = await person.post(path, { password: PASSWORD, otp: wrongCode(secret) });
      expect([noCode.status, noCode.json.code]).toEqual([400, 'otp_wrong']);
      expect((await person.post(path, { password: PASSWORD })).status).toBe(400);
    }
    // A code shown beside a wrong password is not used up.
    expect((await person.get('/api/auth/otp')).json).toEqual({ enabled: true, recovery_codes_left: 10 });

    const renewed = await person.post('/api/auth/otp/recovery-codes', { password: PASSWORD, otp: codes[0] });
    expect(renewed.json.recovery_codes).toHaveLength(10);
    expect((await person.logIn({ otp: codes[1]! })).status).toBe(401);
    expect((await person.logIn({ otp: renewed.json.recovery_codes[1] })).status).toBe(200);

    const off = await person.post('/api/auth/otp/disable', { password: PASSWORD, otp: codeOf(secret) });
    expect(off.status).toBe(204);
    expect((await person.get('/api/profile')).json.code).toBe('invalid_token');
    expect((await person.renew()).status).toBe(200);
    expect((await person.get('/api/auth/otp')).json).toEqual({ enabled: false, recovery_codes_left: 0 });
    expect((await person.get('/api/auth/sessions')).json.items[0].second_factor).toBe(false);
    expect((await person.logIn()).status).toBe(200);
    expect(await mailsTo(shop, person.email, 'second_factor_off')).toHaveLength(1);
    const again = await person.post('/api/auth/otp/disable', { password: PASSWORD, otp: codeOf(secret, 1) });
    expect(again.json.code).toBe('second_factor_off');
    expect((await person.post('/api/auth/otp/enroll')).status).toBe(200);
  });

  it('lets a stolen session guess ten times in a quarter of an hour', async () => {
    const limited = await startTestShop({ clock, databaseUrl: shop.directUrl, env: { RATE_LIMIT: 'on' } });
    try {
      const { person, secret } = await withSecondFactor();
      const onLimited = (path: string, body: unknown) =>
        limited.send('POST', path, body, { authorization: `Bearer ${person.access}` });
      const right = { password: PASSWORD, otp: codeOf(secret) };
      for (let n = 0; n < 10; n++) {
        const path = n % 2 ? '/api/auth/otp/disable' : '/api/auth/otp/recovery-codes';
        const wrong = await onLimited(path, { password: PASSWORD, otp: wrongCode(secret) });
        expect(wrong.json.code).toBe('otp_wrong');
      }
      const locked = await onLimited('/api/auth/otp/disable', right);
      expect([locked.status, locked.json.code]).toEqual([429, 'too_many_attempts']);

      const bob = await newPerson(shop);
      const his = await enroll(bob);
      const confirm = (otp: string) =>
        limited.send('POST', '/api/auth/otp/confirm', { otp }, { authorization: `Bearer ${bob.access}` });
      for (let n = 0; n < 10; n++) expect((await confirm(wrongCode(his))).json.code).toBe('otp_wrong');
      expect((await confirm(codeOf(his))).json.code).toBe('too_many_attempts');
      clock.advance(900_000 + 1);
      await bob.renew();
      expect((await confirm(codeOf(his))).status).toBe(200);
    } finally {
      await limited.stop();
    }
  });
});

describe('somebody who has lost a second factor', () => {
  it('is freed of it by a superuser, and logs in with the password alone', async () => {
    const { person, secret } = await withSecondFactor();
    expect((await person.logIn()).json.code).toBe('otp_required');
    const boss = await shop.as('superuser');
    expect((await boss.patch(`/api/users/${person.id}`, { second_factor: true })).status).toBe(400);
    const lifted = await boss.patch(`/api/users/${person.id}`, { second_factor: false });
    expect(lifted.json).toMatchObject({ id: person.id, second_factor: false, disabled: false });
    expect((await person.logIn()).status).toBe(200);
    expect((await person.get('/api/auth/otp')).json).toEqual({ enabled: false, recovery_codes_left: 0 });
    expect((await person.logIn({ otp: codeOf(secret) })).status).toBe(200);
  });

  it('keeps it through a new password by mail, unless it was set up before the address was proved', async () => {
    for (const proved of [true, false]) {
      const { person } = await withSecondFactor();
      if (proved) {
        const token = await tokenFrom(shop, person.email, 'verify_email');
        expect((await shop.send('POST', '/api/auth/email/verify', { token })).status).toBe(204);
      }
      await shop.send('POST', '/api/auth/password/forgot', { email: person.email });
      const token = await tokenFrom(shop, person.email, 'reset_password');
      const reset = await shop.send('POST', '/api/auth/password/reset', { token, password: 'a quite new password' });
      expect(reset.status).toBe(204);
      const logIn = await person.logIn({ password: 'a quite new password' });
      expect(logIn.json.code).toBe(proved ? 'otp_required' : undefined);
    }
  });
});

describe('a shop that demands a second factor of its staff', () => {
  let strict: TestShop;
  beforeAll(async () => {
    strict = await startTestShop({ clock, databaseUrl: shop.directUrl, env: { REQUIRE_STAFF_2FA: 'true' } });
  });
  afterAll(() => strict.stop());

  it.each(['staff', 'superuser'] as const)('lets %s set one up, and do nothing else as such before', async (role) => {
    const person = await newPerson(strict, { role });
    const tries: [string, string][] = [
      ['POST', '/api/categories'],
      ['PATCH', '/api/products'],
      ...(role === 'superuser' ? ([['GET', '/api/users']] as [string, string][]) : []),
    ];
    const codesOf = async () => {
      const answers = await Promise.all(tries.map(([method, path]) => person.send(method, path)));
      return answers.map(({ status, json }) => `${status} ${json?.code ?? ''}`);
    };
    expect(await codesOf()).toEqual(tries.map(() => '403 second_factor_required'));
    expect((await person.get('/api/profile')).status).toBe(200);
    const secret = await enroll(person);
    expect(await codesOf()).toEqual(tries.map(() => '403 second_factor_required'));
    expect((await person.post('/api/auth/otp/confirm', { otp: codeOf(secret) })).status).toBe(200);
    await person.renew();
    const after = await codesOf();
    expect(after).not.toContain('403 second_factor_required');
    expect(after.slice(0, 2)).toEqual(['400 validation_failed', '400 validation_failed']);

    // Turned off, the right goes with it, on every node.
    clock.advance(STEP);
    const off = await person.post('/api/auth/otp/disable', { password: PASSWORD, otp: codeOf(secret) });
    expect(off.status).toBe(204);
    await person.renew();
    expect(await codesOf()).toEqual(tries.map(() => '403 second_factor_required'));
  });

  it('demands none of customers, and takes a log-in that has used one', async () => {
    expect((await (await newPerson(strict)).get('/api/profile')).status).toBe(200);
    const { person, secret } = await withSecondFactor('superuser');
    const pair = await strict.send('POST', '/api/auth/token', {
      username: person.username,
      password: PASSWORD,
      otp: codeOf(secret),
    });
    const authorization = `Bearer ${pair.json.access}`;
    expect((await strict.get('/api/users', { authorization })).status).toBe(200);
    await eventually(async () => {
      const before = await strict.get('/api/users', { authorization: `Bearer ${person.access}` });
      expect(before.status).toBe(200);
    });
  });
});
