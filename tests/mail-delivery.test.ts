import { fork } from 'node:child_process';
import fs from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import { defineJob, enqueue, type Job, startJobs } from '../src/kernel/jobs.ts';
import type { Kernel } from '../src/kernel/kernel.ts';
import { createLogger } from '../src/kernel/log.ts';
import { eventually, testKernelHere } from '../src/kernel/testing/index.ts';
import { createNotifications, type Notifications, readMail, retryMail } from '../src/modules/notifications/index.ts';
import type { Mail } from '../src/modules/notifications/mails.ts';
import { type Behaviour, startSmtp, type TestSmtp } from './support/smtp.ts';

/** Messages on their way to real mail servers, with all that befalls them there. */

const PUBLIC_URL = 'https://shop.example';
const URL_IN_MAIL = 'https://shop.example/email/verify?token=abc-DEF_123';
const QUICK = { connect: 500, greeting: 500, silence: 500, whole: 2_000 };

type Post = Kernel & { notifications: Notifications };

/** Writes and, with workers, sends. */
async function startPost(
  smtpUrl: string | null,
  { workers = true, env = {}, jobs = [] as readonly Job<never>[], timeouts = QUICK, log = createLogger('silent') } = {},
): Promise<Post> {
  const kernel = await testKernelHere({ env: { PUBLIC_URL, ...(smtpUrl ? { SMTP_URL: smtpUrl } : {}), ...env }, log });
  const notifications = createNotifications(kernel, { publicUrl: PUBLIC_URL, timeouts });
  onTestFinished(() => notifications.stop());
  const post = { ...kernel, notifications };
  if (workers) await work(post, jobs);
  return post;
}

async function work({ directUrl, notifications, log }: Post, jobs: readonly Job<never>[] = []): Promise<void> {
  const workers = await startJobs({ url: directUrl, jobs: [...notifications.jobs, ...jobs], concurrency: 1, log });
  onTestFinished(() => workers.stop());
}

const startBoth = async (behaviour: Behaviour = {}, options: Parameters<typeof startPost>[1] = {}) => {
  const smtp = await startSmtp(behaviour);
  return { smtp, post: await startPost(smtp.url, options) };
};

const VERIFY: Mail = {
  template: 'verify_email',
  to: { userId: '0190a000-0000-7000-8000-000000000001', email: 'ada@example.com' },
  data: { url: URL_IN_MAIL, hours: 48 },
};

async function write({ db, notifications }: Post, changes: Partial<Mail> = {}): Promise<string> {
  await db.transaction((tx) => notifications.sendMail(tx, { ...VERIFY, ...changes } as Mail));
  return (await db.one(sql<{ id: string }>('select id from emails order by id desc limit 1'))).id;
}

const stateOf = ({ notifications }: Post, id: string) => readMail(notifications.mailbox, id);

const reaches = (post: Post, id: string, state: string) =>
  eventually(async () => expect((await stateOf(post, id)).state).toBe(state), 15_000);

/** As if the time until the next try had passed. */
async function hurry({ db, notifications }: Post, id: string): Promise<void> {
  expect(await db.run(sql("update emails set next_try_at = now() where id = $1 and state = 'queued'", [id]))).toBe(1);
  notifications.mailbox.delivery.hasten(id);
}

/** As the sweep of each minute does, once what is left has been left for long. */
async function sweep({ db, notifications }: Post): Promise<void> {
  await db.run(
    sql("update emails set next_try_at = next_try_at - interval '10 minutes' where next_try_at is not null"),
  );
  await notifications.jobs.find(({ name }) => name === 'mail.sweep')!.run({} as never, {} as never);
}

const sendJobOf = ({ notifications }: Post) =>
  notifications.jobs.find(({ name }) => name === 'mail.send') as unknown as Job<{ id: string }>;

const idsOf = (smtp: TestSmtp) => smtp.accepted.map(({ mail }) => mail.messageId);

describe('a message', () => {
  it('comes from localhost where the shop has no domain, as on the machine of whoever tries it out', async () => {
    const { smtp, post } = await startBoth({}, { workers: false });
    const notifications = createNotifications(post, { publicUrl: 'http://127.0.0.1:8000', timeouts: QUICK });
    onTestFinished(() => notifications.stop());
    const here = { ...post, notifications };
    await work(here);
    const id = await write(here);
    await reaches(here, id, 'sent');
    expect(smtp.accepted[0]!.from).toBe('no-reply@localhost');
  });

  it('arrives as HTML and text with the link in both, from the shop, under an id of its own', async () => {
    const { smtp, post } = await startBoth();
    const id = await write(post);
    await reaches(post, id, 'sent');
    expect(smtp.accepted).toHaveLength(1);
    const { from, to, raw, mail } = smtp.accepted[0]!;
    expect([from, to]).toEqual(['no-reply@shop.example', ['ada@example.com']]);
    expect(raw).toMatch(/^Content-Type: multipart\/alternative/m);
    expect(mail).toMatchObject({
      from: { name: 'Vitrine', address: 'no-reply@shop.example' },
      to: [{ name: '', address: 'ada@example.com' }],
      subject: 'Confirm your e-mail address for Vitrine',
      messageId: `<${id}@shop.example>`,
    });
    expect(mail.text).toContain(`\n${URL_IN_MAIL}\n`);
    expect(mail.html).toContain(`href="${URL_IN_MAIL}"`);
    const header = (name: string) => mail.headers.find(({ key }) => key === name)?.value;
    expect(header('auto-submitted')).toBe('auto-generated');
    expect(Math.abs(Date.parse(mail.date!) - Date.now())).toBeLessThan(60_000);
    expect(raw).not.toMatch(/nodemailer/i);
    expect(await stateOf(post, id)).toMatchObject({
      state: 'sent',
      tries: 1,
      last_error: null,
      message_id: `<${id}@shop.example>`,
      sent_at: expect.any(Date),
    });
  });

  it('keeps every letter of names and subjects, and no line break of theirs', async () => {
    const env = { SHOP_NAME: 'Čaj & ☕ “Růže”, s.r.o.', MAIL_FROM: 'shop@example.com' };
    const { smtp, post } = await startBoth({}, { env });
    const reason = 'no <b>markup</b>\r\nBcc: eve@example.com\r\n\r\nGone';
    const fileName = 'žluťoučký\r\nBcc: eve@example.com\u2028.xml';
    const id = await write(post, {
      template: 'import_failed',
      data: { fileName, reason, line: 1, column: null },
    });
    await reaches(post, id, 'sent');
    const { mail, to, raw } = smtp.accepted[0]!;
    expect(to).toEqual(['ada@example.com']);
    expect(mail.from).toMatchObject({ name: env.SHOP_NAME, address: 'shop@example.com' });
    expect(mail.subject).toBe('Import of žluťoučký Bcc: eve@example.com .xml failed');
    expect(mail.bcc).toBeUndefined();
    expect(raw.split('\r\n\r\n', 1)[0]).not.toMatch(/^(bcc|x-)/im);
    expect(mail.html).toContain('&lt;b&gt;markup&lt;/b&gt;');
    expect(mail.messageId).toBe(`<${id}@example.com>`);
  });

  it('takes an address as one, whatever characters it has', async () => {
    const { smtp, post } = await startBoth();
    const to = (email: string): Partial<Mail> => ({ to: { ...VERIFY.to, email } });
    const odd = await write(post, to('a,b;c"d@example.com'));
    await reaches(post, odd, 'sent');
    expect(smtp.accepted[0]!.to).toEqual(['"a,b;c\\"d"@example.com']);
    expect(smtp.accepted[0]!.mail.to).toHaveLength(1);
    const disguised = await write(post, to('ada<eve@example.com'));
    await reaches(post, disguised, 'failed');
    expect((await stateOf(post, disguised)).last_error).toBe('No message can be sent to such an address.');
    expect(smtp.accepted).toHaveLength(1);
  });

  it('brings its files along, one file for several messages', async () => {
    const { smtp, post } = await startBoth();
    const csv = Buffer.from('sku,outcome\r\nä,created\r\n');
    const stored = new Map([['mails/one.csv', csv]]);
    vi.spyOn(post.blobs, 'get').mockImplementation(async (key) => {
      const content = stored.get(key);
      return content ? { stream: Readable.from([content]), bytes: content.length } : null;
    });
    const attachment = { fileName: 'výsledky.csv', contentType: 'text/csv; charset=utf-8', bytes: csv.length };
    const withFile = (blobKey: string) => ({ attachments: [{ ...attachment, blobKey }] }) as Partial<Mail>;
    const ids = [await write(post, withFile('mails/one.csv')), await write(post, withFile('mails/one.csv'))];
    const lost = await write(post, withFile('mails/none.csv'));
    for (const id of ids) await reaches(post, id, 'sent');
    await reaches(post, lost, 'failed');
    expect((await stateOf(post, lost)).last_error).toBe('The attached file výsledky.csv is gone.');
    for (const { mail } of smtp.accepted) {
      expect(mail.attachments).toHaveLength(1);
      const [file] = mail.attachments;
      expect([file!.filename, file!.mimeType]).toEqual(['výsledky.csv', 'text/csv']);
      expect(Buffer.from(file!.content as ArrayBuffer).equals(csv)).toBe(true);
    }
    expect(smtp.accepted).toHaveLength(2);
  });

  it('is not sent when its transaction rolls back, and not before it commits', async () => {
    const { smtp, post } = await startBoth();
    const broken = post.db.transaction(async (tx) => {
      await post.notifications.sendMail(tx, VERIFY);
      await new Promise((resolve) => setTimeout(resolve, 300));
      throw new Error('rolled back');
    });
    await expect(broken).rejects.toThrow('rolled back');
    await sweep(post);
    const id = await write(post);
    await reaches(post, id, 'sent');
    expect(idsOf(smtp)).toEqual([`<${id}@shop.example>`]);
    expect((await post.db.one(sql<{ n: number }>('select count(*) as n from emails'))).n).toBe(1);
  });

  it('is kept when there is no mail server, and sent by nothing but a retry', async () => {
    const post = await startPost(null, { workers: false });
    const id = await write(post);
    expect(await stateOf(post, id)).toMatchObject({ state: 'kept', tries: 0 });
    await expect(retryMail(post.notifications.mailbox, { userId: id, role: 'superuser' }, id)).rejects.toMatchObject({
      code: 'mail_not_set_up',
    });
    // The same shop, with a mail server from now on.
    const smtp = await startSmtp();
    const config = { ...post.config, ...(await startPost(smtp.url, { workers: false })).config };
    const later: Post = {
      ...post,
      config,
      notifications: createNotifications({ ...post, config }, { publicUrl: PUBLIC_URL }),
    };
    onTestFinished(() => later.notifications.stop());
    await work(later);
    await sweep(later);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect([(await stateOf(post, id)).state, smtp.accepted]).toEqual(['kept', []]);
    await retryMail(later.notifications.mailbox, { userId: id, role: 'superuser' }, id);
    await reaches(later, id, 'sent');
    expect(idsOf(smtp)).toEqual([`<${id}@shop.example>`]);
  });
});

describe('a mail server', () => {
  it('that answers 4xx and then 250 gets the message once, under the same id', async () => {
    const seen: string[] = [];
    const { smtp, post } = await startBoth({
      onData(n, raw) {
        seen.push(/^Message-ID: (.*)$/im.exec(raw)![1]!.trim());
        return n < 3 ? '451 4.7.1 Greylisted, come back later' : null;
      },
    });
    const id = await write(post);
    for (const tries of [1, 2]) {
      await eventually(async () => expect(await stateOf(post, id)).toMatchObject({ state: 'queued', tries }));
      const { last_error, next_try_at } = await stateOf(post, id);
      expect(last_error).toBe('The mail server answered “451 4.7.1 Greylisted, come back later” to DATA.');
      const seconds = (next_try_at!.getTime() - Date.now()) / 1_000;
      expect(seconds).toBeGreaterThan(tries === 1 ? 5 : 20);
      expect(seconds).toBeLessThan(tries === 1 ? 13 : 40);
      await hurry(post, id);
    }
    await reaches(post, id, 'sent');
    expect(await stateOf(post, id)).toMatchObject({ tries: 3, last_error: null });
    expect(new Set(seen)).toEqual(new Set([`<${id}@shop.example>`]));
    expect([seen.length, smtp.accepted.length]).toEqual([3, 1]);
  });

  it('that refuses the recipient for good is asked once, and its reason is kept', async () => {
    const { smtp, post } = await startBoth({ onRcpt: () => '550 5.1.1 No such user here' });
    const id = await write(post);
    await reaches(post, id, 'failed');
    expect(await stateOf(post, id)).toMatchObject({
      tries: 1,
      next_try_at: null,
      last_error: 'The mail server answered “550 5.1.1 No such user here” to RCPT TO.',
    });
    await sweep(post);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect([smtp.handed, (await stateOf(post, id)).tries]).toEqual([0, 1]);
  });

  it('that refuses the content for good is asked once; one that refuses the sender is asked again', async () => {
    const content = await startBoth({ onData: () => '554 5.7.1 Spam' });
    const refused = await write(content.post);
    await reaches(content.post, refused, 'failed');
    let mended = false;
    const sender = await startBoth({ onMail: () => (mended ? null : '550 5.7.1 Sender not verified') });
    const id = await write(sender.post);
    await eventually(async () => expect(await stateOf(sender.post, id)).toMatchObject({ state: 'queued', tries: 1 }));
    mended = true;
    await hurry(sender.post, id);
    await reaches(sender.post, id, 'sent');
  });

  it('that is not there is tried again and again, and given up in the end', async () => {
    const port = await new Promise<number>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const { port } = server.address() as { port: number };
        server.close(() => resolve(port));
      });
    });
    const post = await startPost(`smtp://127.0.0.1:${port}`);
    const id = await write(post);
    for (let tries = 1; tries <= 10; tries++) {
      await eventually(async () => expect(await stateOf(post, id)).toMatchObject({ state: 'queued', tries }));
      expect((await stateOf(post, id)).last_error).toMatch(/ECONNREFUSED/);
      await hurry(post, id);
    }
    await reaches(post, id, 'failed');
    expect((await stateOf(post, id)).tries).toBe(11);
  });

  it('that hangs up in the middle is tried again by the record, and not behind its back', async () => {
    const { smtp, post } = await startBoth({
      onData: (n) => (n === 1 ? new Promise<never>(() => smtp.hangUp()) : null),
    });
    const id = await write(post);
    await eventually(async () => expect(await stateOf(post, id)).toMatchObject({ state: 'queued', tries: 1 }));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(smtp.handed).toBe(1);
    await hurry(post, id);
    await reaches(post, id, 'sent');
    expect([smtp.handed, (await stateOf(post, id)).tries]).toEqual([2, 2]);
  });

  it('that hangs up at once is called once for each try', async () => {
    let calls = 0;
    const server = createServer((socket) => {
      calls++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const post = await startPost(`smtp://127.0.0.1:${(server.address() as { port: number }).port}`);
    const id = await write(post);
    await eventually(async () => expect(await stateOf(post, id)).toMatchObject({ state: 'queued', tries: 1 }), 15_000);
    expect(calls).toBe(1);
  });

  it.each(['says nothing', 'falls silent', 'never comes to an end'])(
    'that %s holds up nothing else, and no message for ever',
    async (how) => {
      const done: number[] = [];
      const other = defineJob<{ n: number }>({ name: 'test.other', run: async ({ n }) => void done.push(n) });
      const sockets: Socket[] = [];
      const hanging = createServer((socket) => {
        sockets.push(socket);
        socket.on('error', () => {});
        if (how === 'says nothing') return;
        socket.write('220 here\r\n');
        // EHLO is answered; then either nothing, or a line of an answer every so often.
        socket.once('data', () => {
          socket.write('250 here\r\n');
          if (how === 'never comes to an end')
            socket.once('data', () => {
              const timer = setInterval(() => socket.write('250-still here\r\n'), 100);
              socket.on('close', () => clearInterval(timer));
            });
        });
      });
      await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => {
        for (const socket of sockets) socket.destroy();
        hanging.close();
      });
      const { port } = hanging.address() as { port: number };
      const post = await startPost(`smtp://127.0.0.1:${port}`, { jobs: [other as Job<never>] });
      const ids: string[] = [];
      for (let i = 0; i < 6; i++) ids.push(await write(post));
      await eventually(() => expect(sockets.length).toBeGreaterThanOrEqual(4));
      const began = Date.now();
      await enqueue(
        post.db,
        other,
        [1, 2, 3].map((n) => ({ n })),
      );
      await eventually(() => expect(done.sort()).toEqual([1, 2, 3]));
      const states = await Promise.all(ids.map(async (id) => (await stateOf(post, id)).state));
      if (how === 'never comes to an end') expect(states).toContain('sending');
      expect(Date.now() - began).toBeLessThan(3_000);
      for (const id of ids)
        await eventually(
          async () => expect(await stateOf(post, id)).toMatchObject({ state: 'queued', tries: 1 }),
          15_000,
        );
      const { last_error } = await stateOf(post, ids[0]!);
      expect(last_error).toMatch(
        how === 'never comes to an end' ? /longer than 2 seconds/ : /time-?out|never received/i,
      );
    },
  );

  it('is told a password over TLS alone, and the log is not', async () => {
    let logged = '';
    vi.spyOn(fs, 'writeSync').mockImplementation(((_fd: number, text: string | Buffer) => {
      logged += String(text);
      return Buffer.byteLength(text);
    }) as typeof fs.writeSync);
    const log = createLogger('trace');
    const secret = 'hush-hush-9';
    const smtp = await startSmtp({
      options: { disabledCommands: [] },
      // Such servers are: they repeat what they were told.
      onLogIn: (_user, password) =>
        password === secret
          ? `535 5.7.8 Bad log-in ${password} ${Buffer.from(`\0apikey\0${secret}`).toString('base64')}`
          : null,
    });
    const url = (password: string, options: string) =>
      `smtp://apikey:${password}@127.0.0.1:${smtp.port}?requireTLS=true&${options}`;

    const right = await startPost(url('right-one', 'tls.rejectUnauthorized=false'), { log });
    const id = await write(right);
    await reaches(right, id, 'sent');
    expect(smtp.logIns).toEqual([['apikey', 'right-one']]);
    expect(smtp.accepted).toHaveLength(1);

    const wrong = await startPost(url(secret, 'tls.rejectUnauthorized=false'), { log });
    const refused = await write(wrong);
    // A wrong password is a matter of the settings, not of the message.
    await eventually(async () => expect(await stateOf(wrong, refused)).toMatchObject({ state: 'queued', tries: 1 }));
    const { last_error } = await stateOf(wrong, refused);
    expect(last_error).toBe('The mail server answered “535 5.7.8 Bad log-in … …” to AUTH PLAIN.');

    const unproven = await startPost(url(secret, ''), { log });
    const held = await write(unproven);
    await eventually(async () => expect(await stateOf(unproven, held)).toMatchObject({ state: 'queued', tries: 1 }));
    expect((await stateOf(unproven, held)).last_error).toMatch(/certificate/);
    expect(smtp.logIns).toHaveLength(2);

    const plain = await startSmtp({
      onLogIn: () => null,
      options: { disabledCommands: ['STARTTLS'], allowInsecureAuth: true },
    });
    const naked = await startPost(`smtp://apikey:${secret}@127.0.0.1:${plain.port}?requireTLS=true`, { log });
    const stays = await write(naked);
    await eventually(async () => expect(await stateOf(naked, stays)).toMatchObject({ state: 'queued', tries: 1 }));
    expect(plain.logIns).toEqual([]);
    expect(logged).toContain('an e-mail was not sent');
    for (const text of ['right-one', secret, 'ada@example.com', 'abc-DEF_123']) expect(logged).not.toContain(text);
  });
});

describe('a crash', () => {
  /** A process that sends, to be killed with -9. */
  async function startProcess({ directUrl }: Post, smtp: TestSmtp) {
    const child = fork(new URL('./support/mail-process.ts', import.meta.url), {
      env: {
        PATH: process.env.PATH,
        PUBLIC_URL,
        DATABASE_URL: directUrl,
        SECRET_KEY: 'a secret that only tests have, and all of them',
        SMTP_URL: smtp.url,
        LOG_LEVEL: 'silent',
        DATA_DIR: '/nonexistent',
      },
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', (code) => reject(new Error(`It ended with ${code}.`)));
    });
    return {
      async kill() {
        child.kill('SIGKILL');
        await ended;
      },
    };
  }

  it('before the server has accepted a message: it is sent once', async () => {
    let kill = async () => {};
    const smtp = await startSmtp({
      onData: async (n) => {
        if (n > 1) return null;
        await kill();
        return '451 Nobody is there to hear this';
      },
    });
    const post = await startPost(smtp.url, { workers: false });
    ({ kill } = await startProcess(post, smtp));
    const id = await write(post);
    await eventually(() => expect(smtp.handed).toBe(1));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await stateOf(post, id)).toMatchObject({ state: 'sending', tries: 1 });
    await work(post);
    // Not before the lease of the dead process has run out.
    await sendJobOf(post).run({ id }, { signal: new AbortController().signal, log: post.log, isLastAttempt: false });
    expect(smtp.handed).toBe(1);
    await sweep(post);
    await reaches(post, id, 'sent');
    expect(idsOf(smtp)).toEqual([`<${id}@shop.example>`]);
    expect((await stateOf(post, id)).tries).toBe(2);
  });

  it('between its acceptance and the record of it doubles it, under the same id', async () => {
    const smtp = await startSmtp();
    const post = await startPost(smtp.url, { workers: false });
    const { kill } = await startProcess(post, smtp);
    let id = '';
    // Whoever records that it was sent waits for this lock.
    await post.db.transaction(async (tx) => {
      id = await write(post);
      await eventually(async () => expect((await stateOf(post, id)).state).toBe('sending'));
      await tx.run(sql('select from emails where id = $1 for update', [id]));
      await eventually(async () => {
        const waiting = await post.db.many(
          sql("select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"),
        );
        expect(waiting).toHaveLength(1);
      });
      await kill();
      await post.db.run(
        sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'mail process'"),
      );
    });
    expect(smtp.accepted).toHaveLength(1);
    expect((await stateOf(post, id)).state).toBe('sending');
    await work(post);
    await sweep(post);
    await reaches(post, id, 'sent');
    expect(idsOf(smtp)).toEqual([`<${id}@shop.example>`, `<${id}@shop.example>`]);
  });

  it('after the commit and before anybody was told to send it: the sweep finds it', async () => {
    const { smtp, post } = await startBoth();
    vi.spyOn(post.notifications.mailbox.delivery, 'hasten').mockImplementation(() => {});
    const id = await write(post);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await stateOf(post, id)).toMatchObject({ state: 'queued', tries: 0 });
    await sweep(post);
    await reaches(post, id, 'sent');
    expect(idsOf(smtp)).toEqual([`<${id}@shop.example>`]);
  });
});

describe('several workers', () => {
  it('leave alone what another has taken over, once its lease had run out', async () => {
    let answerLate = (_answer: string) => {};
    const late = new Promise<string>((resolve) => {
      answerLate = resolve;
    });
    const timeouts = { connect: 500, greeting: 500, silence: 20_000, whole: 20_000 };
    const { smtp, post } = await startBoth({ onData: (n) => (n === 1 ? late : null) }, { timeouts });
    const id = await write(post);
    await eventually(() => expect(smtp.handed).toBe(1));
    await sweep(post);
    await reaches(post, id, 'sent');
    answerLate('554 Too late');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await stateOf(post, id)).toMatchObject({ state: 'sent', tries: 2, last_error: null });
  });

  it('send each message once, however often they are told to', async () => {
    const smtp = await startSmtp({ onData: () => new Promise((resolve) => setTimeout(resolve, 50, null)) });
    const post = await startPost(smtp.url, { workers: false });
    const other: Post = { ...post, notifications: createNotifications(post, { publicUrl: PUBLIC_URL }) };
    onTestFinished(() => other.notifications.stop());
    for (let i = 0; i < 30; i++) await write(post);
    const messages = await post.db.many(sql<{ id: string }>('select id from emails'));
    // Without their keys, so that one message has many jobs, one behind the other.
    await enqueue(
      post.db,
      sendJobOf(post),
      messages.flatMap((message) => [message, message, message]),
    );
    await Promise.all([work(post), work(other)]);
    await eventually(() => expect(smtp.accepted.length).toBeGreaterThanOrEqual(30), 15_000);
    await eventually(async () => {
      const left = await post.db.many(sql("select from graphile_worker.jobs where task_identifier = 'mail.send'"));
      expect(left).toEqual([]);
    }, 15_000);
    const all = idsOf(smtp);
    expect([all.length, new Set(all).size]).toEqual([30, 30]);
  });
});

afterEach(() => vi.restoreAllMocks());
