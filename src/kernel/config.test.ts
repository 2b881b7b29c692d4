import { describe, expect, it } from 'vitest';
import { ConfigError, envExample, readConfig, VARIABLES } from './config.ts';

const faultsOf = (env: Record<string, string>) => {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).faults;
  }
};

describe('the configuration', () => {
  it('needs nothing: an empty environment is the embedded demonstration shop', () => {
    const config = readConfig({});
    expect(config).toMatchObject({ HOST: '127.0.0.1', PORT: 8000, CURRENCY: 'USD', embedded: true, demo: true });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('fills no real database with a demonstration unless asked to', () => {
    const DATABASE_URL = 'postgresql://localhost/shop';
    const SECRET_KEY = 'x'.repeat(32);
    expect(readConfig({ DATABASE_URL, SECRET_KEY })).toMatchObject({ embedded: false, demo: false });
    expect(readConfig({ DATABASE_URL, SECRET_KEY, DEMO: 'yes' }).demo).toBe(true);
    expect(readConfig({ DEMO: 'false' }).demo).toBe(false);
  });

  it('tells every fault at once, each by its name', () => {
    const faults = faultsOf({
      PORT: '99999',
      CURRENCY: 'XYZ',
      TIME_ZONE: 'Mars/Olympus',
      DATABASE_URL: 'mysql://x',
      LOG_LEVEL: 'loud',
      TRUST_PROXY: 'maybe',
    });
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual(
      ['CURRENCY', 'TIME_ZONE', 'DATABASE_URL', 'TRUST_PROXY', 'LOG_LEVEL', 'PORT'].toSorted(
        (a, b) => Object.keys(VARIABLES).indexOf(a) - Object.keys(VARIABLES).indexOf(b),
      ),
    );
    for (const fault of faults) expect(fault).toMatch(/^[A-Z_]+ must .+\.$/);
  });

  it('takes an empty value for none', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: ' ' })).toMatchObject({ PORT: 8000, embedded: true });
  });

  it('knows which settings need one another', () => {
    expect(faultsOf({ DATABASE_URL: 'postgres://a/b', DATABASE_POOL_MODE: 'transaction' })[0]).toMatch(
      /^DATABASE_DIRECT_URL is needed/,
    );
    expect(faultsOf({ DATABASE_DIRECT_URL: 'postgres://a/b' })[0]).toMatch(/^DATABASE_DIRECT_URL is set/);
  });

  it('asks for a secret wherever nodes could share a database, and for one that cannot be guessed', () => {
    expect(faultsOf({ DATABASE_URL: 'postgres://a/b' })).toEqual([expect.stringMatching(/^SECRET_KEY is needed/)]);
    expect(faultsOf({ SECRET_KEY: 'short' })).toEqual([expect.stringMatching(/^SECRET_KEY must have at least 32/)]);
    expect(faultsOf({ ADMIN_EMAIL: 'a@example.com' })[0]).toMatch(/^ADMIN_EMAIL and ADMIN_PASSWORD/);
    expect(faultsOf({ ADMIN_EMAIL: 'nobody', ADMIN_PASSWORD: 'x' })[0]).toMatch(/^ADMIN_EMAIL must be/);
    expect(faultsOf({ BLOB_URL: 's3://bucket' })[0]).toMatch(/^BLOB_URL must read/);
  });

  it('reads how mail is sent, and says what is wrong with it', () => {
    const PUBLIC_URL = 'https://shop.example';
    const smtp = (SMTP_URL: string) => readConfig({ SMTP_URL, PUBLIC_URL }).SMTP_URL!;
    expect(smtp('smtp://apikey:p%40ss%2Fw%3A@smtp.sendgrid.net')).toEqual({
      host: 'smtp.sendgrid.net',
      port: 587,
      secure: false,
      requireTLS: true,
      ignoreTLS: false,
      rejectUnauthorized: true,
      servername: null,
      name: null,
      auth: { user: 'apikey', pass: 'p@ss/w:' },
    });
    expect(smtp('smtps://mail.example')).toMatchObject({ port: 465, secure: true, requireTLS: false, auth: null });
    expect(smtp('smtp://[::1]:2525')).toMatchObject({ host: '::1', port: 2525, requireTLS: false });
    expect(smtp('smtp://u:p@127.0.0.1:25').requireTLS).toBe(false);
    expect(smtp('smtp://u:p@mail.example/?ignoreTLS=true')).toMatchObject({ requireTLS: false, ignoreTLS: true });
    expect(
      smtp('smtps://mail.example?tls.rejectUnauthorized=false&tls.servername=other.example&name=shop.example'),
    ).toMatchObject({ rejectUnauthorized: false, servername: 'other.example', name: 'shop.example' });

    const faultOf = (SMTP_URL: string) => faultsOf({ SMTP_URL, PUBLIC_URL })[0];
    for (const url of ['mail.example', 'http://mail.example', 'smtp://', 'smtp://mail.example/inbox', 'smtp://%:a@h'])
      expect(faultOf(url), url).toMatch(/^SMTP_URL must read smtp/);
    for (const option of ['sendmail=true', 'path=/bin/sh', 'tls.ca=/etc/passwd', 'proxy=http://x', 'pool=false'])
      expect(faultOf(`smtp://mail.example?${option}`), option).toMatch(/^SMTP_URL has the option .* takes only/);
    expect(faultOf('smtp://mail.example?requireTLS=maybe')).toMatch(/must be true or false/);
    expect(faultOf('smtp://user@mail.example')).toMatch(/without a password/);
    // A fault tells none of the secret.
    expect(faultOf('smtp://user:hush@mail.example?x=1')).not.toContain('hush');
  });

  it('reads whom mail comes from, and needs to know when nothing else says', () => {
    const from = (MAIL_FROM: string) => readConfig({ MAIL_FROM }).MAIL_FROM!;
    expect(from('shop@example.com')).toEqual({ name: '', address: 'shop@example.com' });
    expect(from('Čaj & Co. <shop@example.com>')).toEqual({ name: 'Čaj & Co.', address: 'shop@example.com' });
    expect(from('"The Shop" <shop@example.com>')).toEqual({ name: 'The Shop', address: 'shop@example.com' });
    expect(from('Acme, Inc. <shop@example.com>').name).toBe('Acme, Inc.');
    for (const MAIL_FROM of ['nobody', 'a@example.com, b@example.com', 'X <>', 'A\nBcc: b <a@example.com>'])
      expect(faultsOf({ MAIL_FROM })[0], MAIL_FROM).toMatch(/^MAIL_FROM must read/);
    const SMTP_URL = 'smtp://mail.example';
    for (const PUBLIC_URL of ['', 'http://localhost:8000', 'http://192.0.2.1', 'http://[::1]:8000'])
      expect(faultsOf({ SMTP_URL, PUBLIC_URL })[0], PUBLIC_URL).toMatch(/^MAIL_FROM is needed/);
    expect(readConfig({ SMTP_URL, PUBLIC_URL: 'https://shop.example' }).MAIL_FROM).toBeNull();
    // A mail catcher of whoever tries it out.
    for (const here of ['smtp://localhost:1025', 'smtp://127.0.0.1:1025', 'smtp://[::1]:1025'])
      expect(readConfig({ SMTP_URL: here }).MAIL_FROM, here).toBeNull();
    expect(readConfig({ SMTP_URL, MAIL_FROM: 'a@example.com' }).SMTP_URL).not.toBeNull();
  });

  it('believes no proxy unless told how many there are', () => {
    expect(readConfig({}).TRUST_PROXY).toBe(0);
    expect(readConfig({ TRUST_PROXY: 'true' }).TRUST_PROXY).toBe(1);
    expect(readConfig({ TRUST_PROXY: '2' }).TRUST_PROXY).toBe(2);
    expect(faultsOf({ TRUST_PROXY: '0.5' })[0]).toMatch(/^TRUST_PROXY must be/);
  });

  it('reads lists and addresses', () => {
    expect(readConfig({ ALLOWED_HOSTS: 'a.example, b.example ,', PUBLIC_URL: 'https://shop.example/' })).toMatchObject({
      ALLOWED_HOSTS: ['a.example', 'b.example'],
      PUBLIC_URL: 'https://shop.example',
    });
  });

  it('names every variable in the example', () => {
    for (const name of Object.keys(VARIABLES)) expect(envExample()).toContain(`\n#${name}=\n`);
  });
});
