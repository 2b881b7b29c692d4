import { Command, InvalidArgumentError, Option } from 'commander';
import { VERSION } from './app.ts';
import { type ImportOptions, importFile } from './cli/import.ts';
import { start } from './cli/start.ts';
import { createUserFromShell, type UserOptions } from './cli/user.ts';
import { ConfigError, loadConfig } from './kernel/config.ts';
import { EmbeddedPostgresError } from './kernel/embedded-postgres.ts';
import { AppError } from './kernel/errors.ts';
import { MigrationError } from './kernel/migrate.ts';
import { ROLES } from './modules/accounts/index.ts';
import { openShop, ShopError } from './shop.ts';

/** What people are told goes to stderr; stdout is for what a command answers. */
const say = (sentence: string) => void process.stderr.write(`${sentence}\n`);

const program = new Command('vitrine')
  .description('The shop and its tools. Settings come from the environment or a .env file.')
  .version(VERSION);

program
  .command('start')
  .description('open the shop: database, jobs and web server')
  .action(async () => start(loadConfig(), say));

program
  .command('migrate')
  .description('bring the database to this version and stop')
  .action(async () => {
    const shop = await openShop(loadConfig(), { say });
    await shop.close();
    say('The database is up to date.');
  });

program
  .command('seed')
  .description('put the demonstration catalogue into an empty shop')
  .action(async () => {
    const { seedDemo } = await import('./demo/seed.ts');
    const shop = await openShop(loadConfig(), { say });
    try {
      const seeded = await seedDemo(shop, say);
      if (!seeded) say('There are products already; nothing was changed.');
    } finally {
      await shop.close();
    }
  });

program
  .command('import')
  .description('import a Google Merchant feed (RSS 2.0 or Atom, plain or gzip)')
  .argument('<file>', 'the feed')
  .addOption(
    new Option('--mode <mode>', 'create: existing products are left alone; upsert: they are updated')
      .choices(['create', 'upsert'])
      .default('create'),
  )
  .option('--dry-run', 'read, check and count, but change nothing', false)
  .option('--json', 'print the summary as JSON', false)
  .option('--issues <file>', 'write every issue to a CSV file')
  .action(async (file: string, options: ImportOptions) => {
    process.exitCode = await importFile(loadConfig(), file, options, say);
  });

program
  .command('user')
  .description('users')
  .command('create')
  .description('make a user; without --password-stdin a password is made up and printed once')
  .requiredOption('--email <address>', 'their e-mail address')
  .option('--username <name>', 'the part of the address before its @ when left out')
  .addOption(new Option('--role <role>', 'what they may do').choices(ROLES).default('customer'))
  .option('--first-name <name>')
  .option('--last-name <name>')
  .option('--password-stdin', 'read the password from the first line of stdin', false)
  .option('--json', 'print the user as JSON', false)
  .action(async (options: UserOptions) => createUserFromShell(loadConfig(), options, say));

program
  .command('openapi')
  .description('print the OpenAPI document of the API')
  .action(async () => {
    const { createWeb } = await import('./app.ts');
    const shop = await openShop(loadConfig(), { say });
    try {
      const web = await createWeb(shop, shop);
      process.stdout.write(`${JSON.stringify(web.swagger(), null, 2)}\n`);
      await web.close();
    } finally {
      await shop.close();
    }
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof ConfigError)
    say(`The configuration is not valid:\n${error.faults.map((fault) => `  ${fault}`).join('\n')}`);
  else if (
    error instanceof ShopError ||
    error instanceof EmbeddedPostgresError ||
    error instanceof MigrationError ||
    error instanceof InvalidArgumentError
  )
    say(error.message);
  else if (error instanceof AppError)
    say([error.message, ...(error.details.errors ?? []).map((fault) => `  ${fault.path} ${fault.message}`)].join('\n'));
  else if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED')
    say('The database of DATABASE_URL cannot be reached. Is it running, and is the address right?');
  else say(`Something went wrong that should not have:\n${(error as Error).stack}`);
  process.exitCode = 1;
}
// Whatever still hangs (a socket of a client, a timer) must not keep a finished command alive.
process.exit();
