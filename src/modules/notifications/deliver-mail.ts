import { buffer } from 'node:stream/consumers';
import { namesDomain, type Sender } from '../../kernel/config.ts';
import { sql } from '../../kernel/db.ts';
import { defineJob, enqueue, type Job } from '../../kernel/jobs.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { MAILBOX, type StoredAttachment } from './mailbox.ts';
import {
  CONNECTIONS,
  createTransport,
  MailFault,
  type Outgoing,
  TIMEOUTS,
  type Timeouts,
  type Transport,
} from './transport.ts';

/**
 * Messages from the table to the mail server, at least once. How far each has come is in its row and nowhere else:
 *
 *   queued ──claim──► sending ──accepted──► sent
 *     ▲                  │ ├──refused for good, or given up──► failed
 *     └──to be tried again │
 *                          └──its process died: the lease runs out, and it may be claimed again
 *
 * A claim is committed before a word is said to the server, and counts as a try; its number fences off whoever had the
 * message before. So one process at a time is at a message, and it is doubled only if the process dies, or the connection
 * breaks, after the server has accepted it and before that is recorded. Then both copies have the same Message-ID.
 *
 * The row also says when it is due. Jobs only bring about that somebody looks, one at the due time; a sweep of each
 * minute makes up for those that a crash has left out. Were the due time the job's own, a sweep could not tell a message
 * that waits for its next try from one that nobody thinks of any more.
 */

export type Delivery = {
  readonly jobs: readonly Job<never>[];
  /** Whether there is a mail server to send through. */
  readonly isSetUp: boolean;
  /** Has a message sent that is queued and committed. What fails here, the sweep makes up for. */
  hasten(id: string): void;
  /** Waits for what hasten() has begun, and closes the connections. */
  stop(): Promise<void>;
};

/** Longer than a try may take, and what is done before and after it. */
const LEASE_SECONDS = 300;
/** After the first, the second … failure; after the last of them a message is given up, about a day old. */
const RETRY_AFTER_SECONDS = [10, 30, 120, 300, 900, 3_600, 10_800, 21_600, 21_600, 21_600];
/** Of those pauses, so that messages that failed together do not all come back together. */
const JITTER = 0.2;
const SWEPT_AT_ONCE = 500;

type Claimed = {
  recipient: string;
  subject: string;
  body: Buffer;
  html: Buffer | null;
  attachments: StoredAttachment[];
  message_id: string;
  tries: number;
};

export function createDelivery(
  { db, clock, config, secrets, blobs, log }: Pick<Kernel, 'db' | 'clock' | 'config' | 'secrets' | 'blobs' | 'log'>,
  { publicUrl, timeouts = TIMEOUTS }: { publicUrl: string; timeouts?: Timeouts },
): Delivery {
  const server = config.SMTP_URL;
  const from = senderOf(config.MAIL_FROM, config.SHOP_NAME, publicUrl);
  const host = from.address.slice(from.address.lastIndexOf('@') + 1);
  let transport: Transport | undefined;
  const enqueuing = new Set<Promise<void>>();

  /** Undefined when it is not due: sent by somebody else, in their hands, or waiting. */
  const claim = (id: string) =>
    db.maybe(
      sql<Claimed>(
        `update emails set state = 'sending', tries = tries + 1, last_tried_at = $2,
           next_try_at = now() + make_interval(secs => $3), message_id = coalesce(message_id, '<' || id || '@' || $4 || '>')
         where id = $1 and next_try_at <= now()
         returning recipient, subject, body, html, attachments, message_id, tries`,
        [id, clock.now(), LEASE_SECONDS, host],
      ),
    );

  const compose = async (mail: Claimed): Promise<Outgoing> => ({
    to: mail.recipient,
    subject: mail.subject,
    text: secrets.decrypt(MAILBOX, mail.body),
    html: mail.html && secrets.decrypt(MAILBOX, mail.html),
    messageId: mail.message_id,
    date: clock.now(),
    attachments: await Promise.all(
      mail.attachments.map(async ({ file_name: fileName, content_type: contentType, blob_key }) => {
        const blob = await blobs.get(blob_key);
        if (!blob) throw new MailFault(`The attached file ${fileName} is gone.`, true);
        return { fileName, contentType, content: await buffer(blob.stream) };
      }),
    ),
  });

  const attempt = async (mail: Claimed, signal: AbortSignal) => {
    if (!server) throw new MailFault('SMTP_URL is not set where it was to be sent.', false);
    const message = await compose(mail);
    transport ??= createTransport(server, from, timeouts);
    await transport.send(message, signal);
  };

  /** When it is due again; null when it is not tried any more. */
  const recordFault = async (id: string, tries: number, fault: Error): Promise<Date | null> => {
    const pause = RETRY_AFTER_SECONDS[tries - 1];
    const isOver = pause === undefined || (fault instanceof MailFault && fault.isPermanent);
    const seconds = (pause ?? 0) * (1 + JITTER * (2 * Math.random() - 1));
    const row = await db.maybe(
      sql<{ due: Date | null }>(
        `update emails set state = $4, last_error = $3,
           next_try_at = case when $4 = 'queued' then date_trunc('milliseconds', now()) + make_interval(secs => $5) end
         where id = $1 and state = 'sending' and tries = $2 returning next_try_at as due`,
        [id, tries, fault.message, isOver ? 'failed' : 'queued', Math.round(seconds)],
      ),
    );
    return row?.due ?? null;
  };

  const sendJob = defineJob<{ id: string }>({
    name: 'mail.send',
    lane: { name: 'mail', concurrency: CONNECTIONS },
    async run({ id }, { signal }) {
      const mail = await claim(id);
      if (!mail) return;
      try {
        await attempt(mail, signal);
      } catch (error) {
        const fault = error as Error;
        const due = await recordFault(id, mail.tries, fault);
        // Without the reason, which may hold an address: it is in the mailbox.
        log.warn({ email_id: id, tries: mail.tries, due }, 'an e-mail was not sent');
        if (due) await look(id, due);
        return;
      }
      await db.run(
        sql(
          `update emails set state = 'sent', sent_at = $3, next_try_at = null, last_error = null
           where id = $1 and state = 'sending' and tries = $2`,
          [id, mail.tries, clock.now()],
        ),
      );
    },
  });

  /** Waiting jobs for one message are one job. */
  const look = (id: string, at?: Date) => enqueue(db, sendJob, [{ id }], { key: `mail:${id}`, ...(at ? { at } : {}) });

  const sweepJob = defineJob({
    name: 'mail.sweep',
    cron: '* * * * *',
    async run() {
      const left = await db.many(
        sql<{ id: string; due: Date }>(
          `select id, next_try_at as due from emails where next_try_at < now() - interval '1 minute'
           order by next_try_at limit $1`,
          [SWEPT_AT_ONCE],
        ),
      );
      // With their own time, which keeps the place in the queue of those that had a job after all.
      for (const { id, due } of left) await look(id, due);
    },
  });

  return {
    jobs: [sendJob, sweepJob],
    isSetUp: server !== null,
    hasten(id) {
      const done: Promise<void> = look(id)
        .catch((error: unknown) => log.warn({ err: error, email_id: id }, 'an e-mail waits for the sweep'))
        .finally(() => enqueuing.delete(done));
      enqueuing.add(done);
    },
    async stop() {
      await Promise.all(enqueuing);
      transport?.close();
    },
  };
}

/** Whom messages come from where nobody says; only read by mail servers where PUBLIC_URL names a domain. */
function senderOf(given: Sender | null, shop: string, publicUrl: string): Sender {
  if (given) return { name: given.name || shop, address: given.address };
  return { name: shop, address: `no-reply@${namesDomain(publicUrl) ? new URL(publicUrl).hostname : 'localhost'}` };
}
