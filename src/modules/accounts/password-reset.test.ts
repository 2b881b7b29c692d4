import { expect, it } from 'vitest';
import { type Database, type Sql, sql } from '../../kernel/db.ts';
import { testKernelHere } from '../../kernel/testing/index.ts';
import { createNotifications } from '../notifications/index.ts';
import { type Accounts, createAccounts, createUser, forgotPassword } from './index.ts';

/** Notes each statement that goes to the database, and whether it was in a transaction. */
function noting(db: Database, notes: string[]): Database {
  const noted = <S extends Sql>(target: S, where: string): S =>
    new Proxy(target, {
      get(from, name) {
        if (['many', 'maybe', 'one', 'run'].includes(String(name))) notes.push(where);
        return Reflect.get(from, name);
      },
    });
  const transaction: Database['transaction'] = (work, options) =>
    db.transaction((tx) => work(noted(tx, 'in a transaction')), options);
  return noted({ ...db, transaction }, 'alone');
}

it('goes to the database as often, and writes, whether or not the address has an account', async () => {
  const kernel = await testKernelHere({ env: { RATE_LIMIT: 'on' } });
  const accounts = createAccounts(kernel, {
    ...createNotifications(kernel, { publicUrl: 'https://shop.example' }),
    forget: async () => {},
    loggedIn: async () => {},
    loggedOut: () => {},
    publicUrl: 'https://shop.example',
  });
  const user = { username: 'ada', password: 'a long walk by the sea', role: 'customer' } as const;
  await createUser(accounts, { ...user, email: 'ada@example.com' });
  const { id } = await createUser(accounts, { ...user, username: 'bob', email: 'bob@example.com' });
  await kernel.db.run(sql('update users set disabled_at = now() where id = $1', [id]));

  const traceOf = async (email: string) => {
    const notes: string[] = [];
    const watched: Accounts = { ...accounts, db: noting(kernel.db, notes) };
    const written = async () =>
      (await kernel.db.one(sql<{ n: number }>('select coalesce(sum(failures), 0)::integer as n from login_failures')))
        .n;
    const before = await written();
    const began = performance.now();
    await forgotPassword(watched, email);
    const ms = performance.now() - began;
    // Timers may fire a millisecond early; on a busy machine they fire late.
    expect(ms).toBeGreaterThan(98);
    return { notes, counted: (await written()) - before };
  };
  const known = await traceOf('ada@example.com');
  expect(known.notes).toHaveLength(5);
  expect(known.counted).toBe(1);
  expect(await traceOf('nobody@example.com')).toEqual(known);
  expect(await traceOf('bob@example.com')).toEqual(known);
  // Also once no more is sent.
  for (let n = 0; n < 4; n++) expect(await traceOf('ada@example.com')).toEqual(known);
  const sent = await kernel.db.many(sql(`select from emails where template = 'reset_password'`));
  expect(sent).toHaveLength(3);
});
