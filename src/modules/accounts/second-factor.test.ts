import { generateSync } from 'otplib';
import { expect, it } from 'vitest';
import { sql } from '../../kernel/db.ts';
import { newId } from '../../kernel/ids.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { fakeClock, testKernelHere } from '../../kernel/testing/index.ts';
import {
  type Accounts,
  confirmSecondFactor,
  createAccounts,
  createUser,
  enrollSecondFactor,
  type Identity,
} from './index.ts';
import { useSecondFactor } from './second-factor.ts';

/** The secret and times of RFC 6238, appendix B; its codes have eight digits, of which these are the last six. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const VECTORS = [
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_111_111_111, '050471'],
  [1_234_567_890, '005924'],
  [2_000_000_000, '279037'],
  [20_000_000_000, '353130'],
] as const;

const clock = fakeClock();

async function somebody(kernel: Kernel): Promise<{ accounts: Accounts; userId: string }> {
  const accounts = createAccounts(kernel, {
    sendMail: async () => {},
    forget: async () => {},
    loggedIn: async () => {},
    loggedOut: () => {},
    publicUrl: 'https://shop.example',
  });
  const user = { email: 'ada@example.com', username: 'ada', password: 'a long walk by the sea' };
  const { id } = await createUser(accounts, { ...user, role: 'customer' });
  await kernel.db.run(
    sql('update users set otp_secret = $2, otp_confirmed_at = now() where id = $1', [
      id,
      kernel.secrets.encrypt('second factor', SECRET),
    ]),
  );
  return { accounts, userId: id };
}

it('takes the codes that RFC 6238 gives, each once, and never one of a step before', async () => {
  const kernel = await testKernelHere({ clock });
  const { accounts, userId } = await somebody(kernel);
  for (const [seconds, code] of VECTORS) {
    clock.set(new Date(seconds * 1_000).toISOString());
    expect(await useSecondFactor(accounts, userId, code), code).toBe(true);
    expect(await useSecondFactor(accounts, userId, code), code).toBe(false);
  }
  clock.set(new Date(1_234_567_890_000).toISOString());
  expect(await useSecondFactor(accounts, userId, '005924')).toBe(false);
});

it('takes a code for ninety seconds: its own step, the one before and the one after', async () => {
  const kernel = await testKernelHere({ clock });
  const { accounts, userId } = await somebody(kernel);
  const begins = 1_800_000_000;
  const code = generateSync({ secret: SECRET, epoch: begins });
  const taken = async (seconds: number) => {
    await kernel.db.run(sql('update users set otp_last_step = null where id = $1', [userId]));
    clock.set(new Date((begins + seconds) * 1_000).toISOString());
    return useSecondFactor(accounts, userId, code);
  };
  const outcomes = await [-31, -30, -1, 0, 29, 30, 59, 60].reduce<Promise<[number, boolean][]>>(
    async (before, seconds) => [...(await before), [seconds, await taken(seconds)]],
    Promise.resolve([]),
  );
  expect(outcomes).toEqual([
    [-31, false],
    [-30, true],
    [-1, true],
    [0, true],
    [29, true],
    [30, true],
    [59, true],
    [60, false],
  ]);
});

it('takes no code of somebody who has not confirmed theirs', async () => {
  const kernel = await testKernelHere({ clock });
  const { accounts, userId } = await somebody(kernel);
  await kernel.db.run(sql('update users set otp_confirmed_at = null where id = $1', [userId]));
  clock.set(new Date(59_000).toISOString());
  expect(await useSecondFactor(accounts, userId, '287082')).toBe(false);
});

it('confirms no secret but the one that the code is of, should another be asked for meanwhile', async () => {
  const kernel = await testKernelHere({ clock });
  const { accounts, userId } = await somebody(kernel);
  await kernel.db.run(sql('update users set otp_secret = null, otp_confirmed_at = null where id = $1', [userId]));
  const identity: Identity = {
    userId,
    role: 'customer',
    sessionId: newId(),
    apiKeyId: null,
    scopes: null,
    secondFactor: false,
    epoch: 0,
  };
  const { secret } = await enrollSecondFactor(accounts, identity);
  const transaction: Accounts['db']['transaction'] = async (work) => {
    await enrollSecondFactor(accounts, identity);
    return kernel.db.transaction(work);
  };
  const hindered = { ...accounts, db: { ...kernel.db, transaction } };
  const otp = generateSync({ secret, epoch: Math.floor(clock.now().getTime() / 1_000) });
  await expect(confirmSecondFactor(hindered, identity, otp)).rejects.toMatchObject({ code: 'otp_wrong' });
});
