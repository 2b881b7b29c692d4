import { expect } from 'vitest';
import { sql } from '../../src/kernel/db.ts';
import { type Role, readSessionUser } from '../../src/modules/accounts/index.ts';
import { startCookieSession } from '../../src/modules/accounts/sessions.ts';
import { MAILBOX } from '../../src/modules/notifications/index.ts';
import type { Answer, TestShop } from './shop.ts';

export const PASSWORD = 'a long walk by the sea';

let made = 0;

/** Somebody who registered, and logs in with a password as anybody does. */
export type Person = {
  id: string;
  username: string;
  email: string;
  /** The latest pair of tokens. */
  access: string;
  refresh: string;
  send(method: string, path: string, body?: unknown): Promise<Answer>;
  get(path: string): Promise<Answer>;
  post(path: string, body?: unknown): Promise<Answer>;
  logIn(more?: { password?: string; otp?: string }): Promise<Answer>;
  /** Exchanges the refresh token. */
  renew(): Promise<Answer>;
};

export async function newPerson(shop: TestShop, { role = 'customer' as Role } = {}): Promise<Person> {
  const username = `person-${made++}-${Math.random().toString(36).slice(2, 8)}`;
  const email = `${username}@example.com`;
  const registered = await shop.send('POST', '/api/auth/register', { email, username, password: PASSWORD });
  expect(registered.status).toBe(201);
  if (role !== 'customer') await shop.db.run(sql('update users set role = $2 where email = $1', [email, role]));
  const keep = (answer: Answer) => {
    if (answer.status === 200) Object.assign(person, { access: answer.json.access, refresh: answer.json.refresh });
    return answer;
  };
  const person: Person = {
    id: registered.json.id,
    username,
    email,
    access: '',
    refresh: '',
    send: (method, path, body) => shop.send(method, path, body, { authorization: `Bearer ${person.access}` }),
    get: (path) => person.send('GET', path),
    post: (path, body) => person.send('POST', path, body),
    logIn: async (more) => keep(await shop.send('POST', '/api/auth/token', { username, password: PASSWORD, ...more })),
    renew: async () => keep(await shop.send('POST', '/api/auth/token/refresh', { refresh: person.refresh })),
  };
  expect((await person.logIn()).status).toBe(200);
  return person;
}

/** A further session of the person, as a program has it. */
export async function elsewhere(shop: TestShop, { username }: Person): Promise<{ get(path: string): Promise<Answer> }> {
  const pair = await shop.send('POST', '/api/auth/token', { username, password: PASSWORD });
  expect(pair.status).toBe(200);
  return { get: (path) => shop.get(path, { authorization: `Bearer ${pair.json.access}` }) };
}

/** The cookie of a browser that the person is logged in with. */
export async function browserOf(shop: TestShop, userId: string): Promise<string> {
  const origin = { address: '127.0.0.1', userAgent: 'test' };
  const user = await readSessionUser(shop.accounts, userId);
  const value = await shop.db.transaction((tx) =>
    startCookieSession(shop.accounts, tx, user, { origin, secondFactor: false }),
  );
  return `__Host-vitrine_session=${value}`;
}

export type ReceivedMail = { template: string; recipient: string; subject: string; text: string };

/** What was sent to an address, the oldest first. */
export async function mailsTo(shop: TestShop, address: string, template?: string): Promise<ReceivedMail[]> {
  const rows = await shop.db.many(
    sql<Omit<ReceivedMail, 'text'> & { body: Buffer }>(
      `select template, recipient, subject, body from emails
       where recipient = $1 and ($2::text is null or template = $2) order by created_at, id`,
      [address, template ?? null],
    ),
  );
  return rows.map(({ body, ...mail }) => ({ ...mail, text: shop.secrets.decrypt(MAILBOX, body) }));
}

/** The token of the link in the last mail of this kind. */
export async function tokenFrom(shop: TestShop, address: string, template: string): Promise<string> {
  const mail = (await mailsTo(shop, address, template)).at(-1);
  return /[?&]token=([\w-]+)/.exec(mail!.text)![1]!;
}
