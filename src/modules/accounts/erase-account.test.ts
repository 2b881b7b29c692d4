import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { sql } from '../../kernel/db.ts';
import { newId } from '../../kernel/ids.ts';
import { testKernelHere } from '../../kernel/testing/index.ts';
import { createAccounts, createUser, eraseAccount, type Identity } from './index.ts';

const PASSWORD = 'a long walk by the sea';

it('keeps one superuser when the last two go at the same moment', async () => {
  const kernel = await testKernelHere();
  let atOnce = 0;
  let both = () => {};
  const together = new Promise<void>((resolve) => {
    both = resolve;
  });
  const accounts = createAccounts(kernel, {
    sendMail: async () => {},
    // Late in the transaction: who gets here waits for the other, in vain if they are let in one by one.
    loggedIn: async () => {},
    loggedOut: () => {},
    forget: async () => {
      if (++atOnce === 2) both();
      await Promise.race([together, sleep(300)]);
    },
    publicUrl: 'https://shop.example',
  });
  const erasures = await Promise.all(
    ['ada', 'bob'].map(async (username) => {
      const user = { email: `${username}@example.com`, username, password: PASSWORD };
      const { id } = await createUser(accounts, { ...user, role: 'superuser' });
      const identity: Identity = {
        userId: id,
        role: 'superuser',
        sessionId: newId(),
        apiKeyId: null,
        scopes: null,
        secondFactor: false,
        epoch: 0,
      };
      return () => eraseAccount(accounts, identity, PASSWORD);
    }),
  );
  const outcomes = await Promise.allSettled(erasures.map((erase) => erase()));
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'last_superuser' } });
  const left = await kernel.db.many(sql(`select from users where role = 'superuser' and erased_at is null`));
  expect(left).toHaveLength(1);
});
