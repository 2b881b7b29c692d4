import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import type { Config } from '../kernel/config.ts';
import { createUser, type Role } from '../modules/accounts/index.ts';
import { openShop, ShopError } from '../shop.ts';

export type UserOptions = {
  email: string;
  username?: string;
  role: Role;
  firstName?: string;
  lastName?: string;
  passwordStdin: boolean;
  json: boolean;
};

/**
 * Makes a user of any role from the command line, whose right to do so is access to the machine. The password is read
 * from stdin, so that it stands in no list of processes and no history; otherwise one is made up and printed once.
 */
export async function createUserFromShell(
  config: Config,
  options: UserOptions,
  say: (sentence: string) => void,
): Promise<void> {
  const given = options.passwordStdin ? await firstLine() : undefined;
  if (given === '')
    throw new ShopError('--password-stdin was given, but no password came: echo … | vitrine user create …');
  const password = given ?? randomBytes(12).toString('base64url');
  const username = options.username ?? options.email.split('@', 1)[0]!.replace(/[^A-Za-z0-9._-]/g, '');
  const shop = await openShop(config, { say, applicationName: 'vitrine user' });
  try {
    const user = await createUser(shop.accounts, {
      email: options.email,
      username,
      password,
      role: options.role,
      verified: true,
      ...(options.firstName === undefined ? {} : { first_name: options.firstName }),
      ...(options.lastName === undefined ? {} : { last_name: options.lastName }),
    });
    await shop.events.flush();
    const made = given === undefined ? { ...user, password } : user;
    process.stdout.write(
      options.json
        ? `${JSON.stringify(made)}\n`
        : `Made the ${user.role} ${user.username} (${user.email}).\n${
            given === undefined ? `Password: ${password}\nIt is shown here and never again.\n` : ''
          }`,
    );
  } finally {
    await shop.close();
  }
}

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line;
  return '';
}
