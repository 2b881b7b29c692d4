import { type AddressInfo, createServer } from 'node:net';
import { createWeb } from '../app.ts';
import { seedDemo } from '../demo/seed.ts';
import type { Config } from '../kernel/config.ts';
import { enqueue, startJobs } from '../kernel/jobs.ts';
import { type FirstSuperuser, hasSuperuser, makeFirstSuperuser } from '../modules/accounts/index.ts';
import { derivedUrl, noteServedUrl, openShop, type Shop, ShopError } from '../shop.ts';

const JOBS_AT_ONCE = 4;

/** Starts the shop and resolves when it has been asked to stop and has stopped. */
export async function start(config: Config, say: (sentence: string) => void): Promise<void> {
  const PORT = await claimPort(config.HOST, config.PORT);
  const shop = await openShop({ ...config, PORT }, { say });
  let running: { stop(): Promise<void> } | undefined;
  try {
    running = await open(shop, say);
    await stopRequested();
    say('Stopping …');
  } finally {
    await running?.stop();
    await shop.close();
  }
}

async function open(shop: Shop, say: (sentence: string) => void): Promise<{ stop(): Promise<void> }> {
  const { config } = shop;
  const superuser = await makeFirstSuperuser(shop.accounts);
  if (config.demo) await seedDemo(shop, say);
  const web = await createWeb(shop, shop);
  try {
    await web.listen({ host: config.HOST, port: config.PORT });
  } catch (error) {
    throw portFault(error, config.HOST, config.PORT) ?? error;
  }
  const jobs = await startJobs({ url: shop.directUrl, jobs: shop.jobs, concurrency: JOBS_AT_ONCE, log: shop.log });
  await enqueue(shop.db, shop.imports.takeUpJob, [{}]);
  await noteServedUrl(shop);
  announce(shop, derivedUrl(config.HOST, config.PORT), superuser, say);
  if (!(await hasSuperuser(shop.accounts)))
    say(
      '  Nobody can run this shop yet. Make a superuser: npm run vitrine -- user create --role superuser --email you@example.com\n',
    );
  return {
    async stop() {
      await Promise.all([web.close(), jobs.stop()]);
    },
  };
}

function announce(
  { config }: Shop,
  url: string,
  superuser: FirstSuperuser | null,
  say: (sentence: string) => void,
): void {
  say(`
  ${config.SHOP_NAME} is open.

    Shop       ${config.PUBLIC_URL ?? url}/
    API        ${url}/docs/swagger   (reference: ${url}/docs/redoc)
    Feed       ${url}/feeds/google.xml
${config.SMTP_URL ? '' : `    Mail       ${url}/admin/mailbox   (kept there, and not sent, as long as SMTP_URL is not set)\n`}${superuser ? logInLines(superuser, url) : ''}
  ${config.embedded ? `Data is kept in ${config.DATA_DIR} by an embedded PostgreSQL. ` : ''}Press Ctrl-C to stop.`);
  if (config.embedded)
    say('  In production set DATABASE_URL and PUBLIC_URL; .env.example lists everything that can be set.');
  say('');
}

/** The password is told once, and only one that nobody has chosen. */
function logInLines({ email, username, password, generated }: FirstSuperuser, url: string): string {
  if (!generated) return `    Log in     ${url}/login   as ${email}\n`;
  return `    Log in     ${url}/login   as ${username}, password ${password}\n               (made up for you; it is shown this once)\n`;
}

/**
 * Before anything is started: a port that is taken is the commonest reason for a start to fail. Answers the port, which
 * for 0 is one that was free.
 */
async function claimPort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => reject(portFault(error, host, port) ?? error));
    probe.listen({ host, port }, () => {
      const claimed = (probe.address() as AddressInfo).port;
      probe.close(() => resolve(claimed));
    });
  });
}

function portFault(error: unknown, host: string, port: number): ShopError | null {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new ShopError(
        `Port ${port} is in use by another program. Stop that one, or choose another port: PORT=${port + 1} npm start`,
      );
    case 'EACCES':
      return new ShopError(`Port ${port} may not be opened by this user. Choose one above 1023, such as PORT=8000.`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ShopError(
        `HOST=${host} is no address of this machine. Use 127.0.0.1 for this machine alone, or 0.0.0.0 for every interface.`,
      );
    default:
      return null;
  }
}

/** A terminal, npm and the launcher may each pass the same Ctrl-C on: what comes within this time is one request. */
const SAME_REQUEST_MS = 1_000;

/** Resolves at the first request to stop; a second one ends the process at once. */
function stopRequested(): Promise<void> {
  return new Promise((resolve) => {
    let asked: number | undefined;
    const ask = () => {
      if (asked !== undefined && Date.now() - asked > SAME_REQUEST_MS) process.exit(130);
      asked ??= Date.now();
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ask);
    // The launcher holds the other end: when it is gone, nobody is left who could ask.
    process.on('disconnect', ask);
    process.channel?.unref();
  });
}
