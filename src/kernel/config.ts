import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { isCurrency } from './money.ts';

/**
 * The configuration: environment (or a `.env` file, which the environment overrides) → a validated, frozen Config.
 * This file is the only reader of process.env. Every fault is told at once, each as a sentence.
 *
 * The table below is the one source: `.env.example` and the documentation are generated from it.
 */

type Variable<T> = {
  /** What it is for, in one or two sentences. */
  about: string;
  /** The default as a person reads it. */
  shown: string;
  fallback: T;
  /** Reads the text, or says what it should be by throwing an Error with the rest of "NAME …". */
  read(text: string): T;
};

const fault = (sentence: string): never => {
  throw new Error(sentence);
};

const text = (about: string, fallback: string, shown = fallback): Variable<string> => ({
  about,
  shown,
  fallback,
  read: (value) => value,
});

const optional = <T>(about: string, shown: string, read: (value: string) => T): Variable<T | null> => ({
  about,
  shown,
  fallback: null,
  read,
});

const integer = (about: string, fallback: number, min: number, max: number): Variable<number> => ({
  about,
  shown: String(fallback),
  fallback,
  read: (value) => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    return number >= min && number <= max ? number : fault(`must be a whole number from ${min} to ${max}.`);
  },
});

const oneOf = <const T extends string>(about: string, fallback: T, values: readonly T[]): Variable<T> => ({
  about,
  shown: fallback,
  fallback,
  read: (value) => values.find((v) => v === value) ?? fault(`must be one of ${values.join(', ')}.`),
});

const flag = (value: string): boolean => {
  if (['true', '1', 'yes', 'on'].includes(value.toLowerCase())) return true;
  if (['false', '0', 'no', 'off'].includes(value.toLowerCase())) return false;
  return fault('must be true or false.');
};

const list = (value: string): readonly string[] =>
  Object.freeze(
    value
      .split(',')
      .map((v) => v.trim())
      .filter(Boolean),
  );

const url = (protocols: readonly string[]) => (value: string) => {
  const parsed = URL.canParse(value) ? new URL(value) : null;
  return parsed && protocols.includes(parsed.protocol)
    ? value.replace(/\/+$/, '')
    : fault(`must be a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}.`);
};
/** The address has one @ with something before it, and a host behind it; more only a mail that arrives can tell. */
export const EMAIL_PATTERN = '^[^\\s@\\u0000-\\u001f]{1,64}@[^\\s@.,;:<>()\\[\\]]+(\\.[^\\s@.,;:<>()\\[\\]]+)+$';
const isEmail = (value: string) => value.length <= 254 && new RegExp(EMAIL_PATTERN, 'u').test(value);

const s3Url = (value: string) => {
  const parsed = URL.canParse(value) ? new URL(value) : null;
  const complete = parsed?.protocol === 's3:' && parsed.hostname && parsed.username && parsed.password;
  return complete && parsed.pathname.length > 1
    ? value
    : fault('must read s3://KEY:SECRET@host/bucket, with the key and the secret percent-encoded.');
};

/** A mail server, and how it is talked to. */
export type SmtpServer = {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (RFC 8314, 3.3); otherwise by STARTTLS. */
  readonly secure: boolean;
  /** Whether to send nothing at all without TLS. */
  readonly requireTLS: boolean;
  /** Whether to do without TLS although it is offered. */
  readonly ignoreTLS: boolean;
  /** Whether the certificate must be good. */
  readonly rejectUnauthorized: boolean;
  readonly servername: string | null;
  /** What this machine calls itself. */
  readonly name: string | null;
  readonly auth: { readonly user: string; readonly pass: string } | null;
};

const SMTP_FORM = 'must read smtp[s]://[user:password@]host[:port], the user and the password percent-encoded.';
const SMTP_OPTIONS = ['requireTLS', 'ignoreTLS', 'tls.rejectUnauthorized', 'tls.servername', 'name'];

/** Options have the names that Nodemailer gives them; none of them reads a file or starts a program. */
const isThisMachine = (host: string) => host === 'localhost' || host === '::1' || host.startsWith('127.');

const smtpUrl = (value: string): SmtpServer => {
  const parsed = URL.canParse(value) ? new URL(value) : fault(SMTP_FORM);
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  if (
    !/^smtps?:$/.test(parsed.protocol) ||
    !/^[\w.:-]+$/.test(host) ||
    /^\/./.test(parsed.pathname) ||
    parsed.hash !== ''
  )
    return fault(SMTP_FORM);
  const options = parsed.searchParams;
  for (const option of options.keys())
    if (!SMTP_OPTIONS.includes(option))
      return fault(`has the option ${option}, but takes only ${SMTP_OPTIONS.join(', ')}.`);
  const flagOf = (option: string, otherwise: boolean) => {
    const given = options.get(option);
    if (given === null) return otherwise;
    return given === 'true' || (given !== 'false' && fault(`has ${option}, which must be true or false.`));
  };
  let auth: SmtpServer['auth'] = null;
  try {
    if (parsed.username !== '' || parsed.password !== '')
      auth = { user: decodeURIComponent(parsed.username), pass: decodeURIComponent(parsed.password) };
  } catch {
    return fault(SMTP_FORM);
  }
  if (auth?.user === '' || auth?.pass === '') return fault('has a user without a password, or the other way round.');
  const secure = parsed.protocol === 'smtps:';
  const ignoreTLS = flagOf('ignoreTLS', false);
  return Object.freeze({
    host,
    port: Number(parsed.port || (secure ? 465 : 587)),
    secure,
    // Whoever stands in between could say that there is no TLS, and be told the password.
    requireTLS: flagOf('requireTLS', auth !== null && !secure && !isThisMachine(host) && !ignoreTLS),
    ignoreTLS,
    rejectUnauthorized: flagOf('tls.rejectUnauthorized', true),
    servername: options.get('tls.servername'),
    name: options.get('name'),
    auth,
  });
};

export type Sender = { readonly name: string; readonly address: string };

const sender = (value: string): Sender => {
  const [, name = '', address = value] = /^"?([^"<>]*?)"?\s*<([^<>]+)>$/.exec(value) ?? [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return isEmail(address) && !/[",;<>]/.test(address) && !/[\u0000-\u001f\u007f]/.test(name)
    ? Object.freeze({ name: name.trim(), address })
    : fault('must read shop@example.com or The Shop <shop@example.com>.');
};

const postgresUrl = url(['postgres:', 'postgresql:']);

export const VARIABLES = {
  HOST: text('The address it listens on. `0.0.0.0` or `::` for every interface.', '127.0.0.1'),
  PORT: integer('The port it listens on; 0 takes a free one.', 8000, 0, 65535),
  PUBLIC_URL: optional(
    'How the world calls this shop: the base of the links in feeds, the sitemap and structured data.',
    'derived from HOST and PORT',
    url(['http:', 'https:']),
  ),
  SHOP_NAME: text('The name on the pages.', 'Vitrine'),
  CURRENCY: {
    about: 'ISO 4217 code of the one currency that all prices are in. It cannot change once there are prices.',
    shown: 'USD',
    fallback: 'USD',
    read: (value: string) => (isCurrency(value) ? value : fault('must be an ISO 4217 currency code such as USD.')),
  },
  TIME_ZONE: {
    about: "IANA name of the shop's time zone: when a day begins and ends.",
    shown: 'UTC',
    fallback: 'UTC',
    read: (value: string) => {
      try {
        return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone;
      } catch {
        return fault('must be an IANA time zone such as Europe/Prague.');
      }
    },
  },
  DATA_DIR: text('Folder of the embedded database and of local files.', '.vitrine'),
  DATABASE_URL: optional(
    'PostgreSQL 15 or later, with the extensions pg_trgm, unaccent and fuzzystrmatch available.',
    'the embedded PostgreSQL in DATA_DIR',
    postgresUrl,
  ),
  DATABASE_DIRECT_URL: optional(
    'The database without a pooler in between, for LISTEN, migrations and workers; needed when DATABASE_POOL_MODE is `transaction`.',
    'DATABASE_URL',
    postgresUrl,
  ),
  DATABASE_POOL_MODE: oneOf(
    'What stands between this program and PostgreSQL: `transaction` when a pooler such as pgbouncer hands out a connection for each transaction.',
    'session',
    ['session', 'transaction'],
  ),
  DATABASE_POOL_SIZE: integer('The most connections that one process holds for its queries.', 10, 2, 200),
  BLOB_URL: optional(
    'Where uploaded files are kept: `s3://KEY:SECRET@host[:port]/bucket[/prefix][?region=…&tls=false]` for any store that speaks S3, the key and the secret percent-encoded.',
    'a folder in DATA_DIR',
    s3Url,
  ),
  SECRET_KEY: optional(
    'What tokens are signed and secrets encrypted with: at least 32 random characters, the same on every node. Needed when DATABASE_URL is set.',
    'made and kept in DATA_DIR',
    (value) => (value.length >= 32 ? value : fault('must have at least 32 characters.')),
  ),
  ADMIN_EMAIL: optional(
    'E-mail address of the first superuser, who is made at the first start; with ADMIN_PASSWORD.',
    'generated on the embedded database, and printed once',
    (value) => (isEmail(value) ? value : fault('must be an e-mail address.')),
  ),
  ADMIN_PASSWORD: optional(
    'Password of the first superuser.',
    'generated on the embedded database, and printed once',
    (value) => value,
  ),
  REQUIRE_STAFF_2FA: {
    about: 'Whether staff and superusers must log in with a second factor before they may do anything as such.',
    shown: 'false',
    fallback: false,
    read: flag,
  },
  RATE_LIMIT: {
    about: 'Whether requests, log-ins and registrations are limited by address; `off` also disables lock-out.',
    shown: 'on',
    fallback: true,
    read: flag,
  },
  ALLOW_PRIVATE_ADDRESSES: {
    about:
      'Whether the addresses of feeds, images and webhooks may lead to private hosts, such as those of an internal network.',
    shown: 'false',
    fallback: false,
    read: flag,
  },
  DEMO: optional(
    'Whether to fill an empty shop with a demonstration catalogue.',
    '`true` on the embedded database, else `false`',
    flag,
  ),
  ALLOWED_HOSTS: {
    about: 'Comma-separated host names it answers to, without port; anything else gets a 400.',
    shown: 'any',
    fallback: Object.freeze([]) as readonly string[],
    read: list,
  },
  CORS_ORIGINS: {
    about: 'Comma-separated origins whose scripts may call the API.',
    shown: 'none',
    fallback: Object.freeze([]) as readonly string[],
    read: list,
  },
  TRUST_PROXY: {
    about:
      'Whether a proxy in front of it sets `X-Forwarded-*` headers that may be believed: `true` for one, or how many stand in a row.',
    shown: 'false',
    fallback: 0,
    read: (value: string) => {
      if (/^[1-9]$/.test(value)) return Number(value);
      try {
        return flag(value) ? 1 : 0;
      } catch {
        return fault('must be true, false, or the number of proxies from 1 to 9.');
      }
    },
  },
  SMTP_URL: optional(
    'The mail server that messages are sent through: `smtp[s]://[user:password@]host[:port]`, the user and the password percent-encoded. `smtp:` is port 587 with STARTTLS, which is demanded when there is a password; `smtps:` is port 465. Options: `?requireTLS=…&ignoreTLS=…&tls.rejectUnauthorized=…&tls.servername=…&name=…`.',
    'none: messages are kept in the mailbox under /admin/mailbox',
    smtpUrl,
  ),
  MAIL_FROM: optional(
    'Whom messages come from: `shop@example.com`, which SHOP_NAME stands before, or `The Shop <shop@example.com>`. Needed when SMTP_URL is a server elsewhere and PUBLIC_URL names no domain.',
    '`SHOP_NAME <no-reply@HOST>` with the host of PUBLIC_URL, or localhost for a mail server on this machine',
    sender,
  ),
  LOW_STOCK: integer(
    "Staff are told by mail when a product's stock falls to this many or below; 0 tells nobody.",
    5,
    0,
    999_999_999,
  ),
  EVENT_RETENTION_DAYS: integer('Days for which events of the log can be read again.', 365, 1, 36500),
  LOG_LEVEL: oneOf('How much it logs.', 'info', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
} satisfies Record<string, Variable<unknown>>;

export type Settings = {
  readonly [K in keyof typeof VARIABLES]: ReturnType<(typeof VARIABLES)[K]['read']> | (typeof VARIABLES)[K]['fallback'];
};

export type Config = Settings & {
  /** True when the program runs its own PostgreSQL. */
  readonly embedded: boolean;
  readonly demo: boolean;
};

/** What is wrong with the environment: one sentence for each fault. */
export class ConfigError extends Error {
  readonly faults: readonly string[];
  constructor(faults: string[]) {
    super(faults.join('\n'));
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/** Reads and validates the environment given. Throws ConfigError with every fault in it. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const faults: string[] = [];
  const settings: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries<Variable<unknown>>(VARIABLES)) {
    const value = env[name]?.trim();
    try {
      settings[name] = value ? variable.read(value) : variable.fallback;
    } catch (error) {
      faults.push(`${name} ${(error as Error).message}`);
    }
  }
  const read = settings as Settings;
  if (read.DATABASE_POOL_MODE === 'transaction' && !read.DATABASE_DIRECT_URL)
    faults.push(
      'DATABASE_DIRECT_URL is needed when DATABASE_POOL_MODE is transaction: LISTEN does not work through such a pooler.',
    );
  if (read.DATABASE_DIRECT_URL && !read.DATABASE_URL)
    faults.push('DATABASE_DIRECT_URL is set but DATABASE_URL is not.');
  if (read.DATABASE_URL && !read.SECRET_KEY)
    faults.push(
      'SECRET_KEY is needed when DATABASE_URL is set: at least 32 random characters, the same on every node, such as `openssl rand -base64 32` prints.',
    );
  if ((read.ADMIN_EMAIL === null) !== (read.ADMIN_PASSWORD === null))
    faults.push('ADMIN_EMAIL and ADMIN_PASSWORD are set together or not at all.');
  if (read.SMTP_URL && !isThisMachine(read.SMTP_URL.host) && !read.MAIL_FROM && !namesDomain(read.PUBLIC_URL))
    faults.push(
      'MAIL_FROM is needed when SMTP_URL is a server elsewhere and PUBLIC_URL names no domain that messages could come from, such as https://shop.example.com.',
    );
  if (faults.length > 0) throw new ConfigError(faults);
  const embedded = read.DATABASE_URL === null;
  return Object.freeze({
    ...read,
    DATA_DIR: resolve(read.DATA_DIR),
    embedded,
    demo: read.DEMO ?? embedded,
  });
}

/** Whether the host of the URL is a domain, which an e-mail address can have, and no number or name of a machine. */
export function namesDomain(publicUrl: string | null): boolean {
  return (
    publicUrl !== null &&
    isEmail(`no-reply@${new URL(publicUrl).hostname}`) &&
    !/\.\d+$/.test(new URL(publicUrl).hostname)
  );
}

/** The configuration of this process: its environment over the `.env` file in its working folder. */
export function loadConfig(): Config {
  const file = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {};
  return readConfig({ ...file, ...process.env });
}

/** The folder that the person stood in: npm runs scripts from the project's, and says where it was called. */
export function callerFolder(): string {
  return process.env.INIT_CWD ?? process.cwd();
}

/** The text of `.env.example`. */
export function envExample(): string {
  const blocks = Object.entries<Variable<unknown>>(VARIABLES).map(
    ([name, variable]) => `# ${variable.about}\n# Default: ${variable.shown}\n#${name}=\n`,
  );
  return `# Generated from src/kernel/config.ts by \`npm run generate\`. Copy to .env and uncomment what you set.\n\n${blocks.join('\n')}`;
}
