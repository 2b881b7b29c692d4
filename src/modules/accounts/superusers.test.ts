import { describe, expect, it } from 'vitest';
import { sql } from '../../kernel/db.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { testKernelHere } from '../../kernel/testing/index.ts';
import { type Accounts, createAccounts, hasSuperuser, makeFirstSuperuser } from './index.ts';
import { checkCredentials } from './log-in.ts';
import { createUser } from './register.ts';

const origin = { address: '127.0.0.1', userAgent: 'test' };

function accountsOf(kernel: Kernel, config: Partial<Kernel['config']> = {}): Accounts {
  return createAccounts(
    { ...kernel, config: { ...kernel.config, ...config } },
    {
      sendMail: async () => {},
      forget: async () => {},
      loggedIn: async () => {},
      loggedOut: () => {},
      publicUrl: 'https://shop.example',
    },
  );
}

describe('the first superuser', () => {
  it('is the one that the configuration names, once', async () => {
    const kernel = await testKernelHere({
      env: { ADMIN_EMAIL: 'Ada.Lovelace@example.com', ADMIN_PASSWORD: 'a password of good length' },
    });
    const accounts = accountsOf(kernel);
    expect(await hasSuperuser(accounts)).toBe(false);
    expect(await makeFirstSuperuser(accounts)).toMatchObject({ username: 'Ada.Lovelace', generated: false });
    expect(await makeFirstSuperuser(accounts)).toBeNull();
    const login = { login: 'ada.lovelace@example.com', password: 'a password of good length' };
    expect((await checkCredentials(accounts, login, origin)).user.role).toBe('superuser');
  });

  it('is made up on the embedded database, and can log in with what was told', async () => {
    const kernel = await testKernelHere();
    const made = await makeFirstSuperuser(accountsOf(kernel, { embedded: true }));
    expect(made).toMatchObject({ username: 'admin', generated: true });
    const { user } = await checkCredentials(accountsOf(kernel), { login: 'admin', password: made!.password }, origin);
    expect(user.role).toBe('superuser');
  });

  it('is nobody on another database that does not name one', async () => {
    expect(await makeFirstSuperuser(accountsOf(await testKernelHere()))).toBeNull();
  });

  it('is one, however many nodes start at once', async () => {
    const kernel = await testKernelHere({
      env: { ADMIN_EMAIL: 'ada@example.com', ADMIN_PASSWORD: 'a password of good length' },
    });
    const made = await Promise.all(Array.from({ length: 4 }, () => makeFirstSuperuser(accountsOf(kernel))));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await kernel.db.many(sql("select from users where role = 'superuser'"))).toHaveLength(1);
  });

  it('is not made of an account that somebody else has registered with the address', async () => {
    const kernel = await testKernelHere({
      env: { ADMIN_EMAIL: 'ada@example.com', ADMIN_PASSWORD: 'a password of good length' },
    });
    const accounts = accountsOf(kernel);
    await createUser(accounts, {
      email: 'ada@example.com',
      username: 'someone',
      password: 'securepassword123',
      role: 'customer',
    });
    await expect(makeFirstSuperuser(accounts)).rejects.toMatchObject({ code: 'email_taken' });
  });

  it('needs a good password too', async () => {
    const kernel = await testKernelHere({ env: { ADMIN_EMAIL: 'ada@example.com', ADMIN_PASSWORD: 'password' } });
    await expect(makeFirstSuperuser(accountsOf(kernel))).rejects.toMatchObject({ code: 'validation_failed' });
  });
});
