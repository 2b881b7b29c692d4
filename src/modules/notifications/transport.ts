import { createTransport as createPool } from 'nodemailer';
import type { Sender, SmtpServer } from '../../kernel/config.ts';

/**
 * The mail server, over Nodemailer's pool. Each call of send() is one try: the pool itself repeats nothing, since every
 * try is recorded before it begins.
 */

export type Outgoing = {
  to: string;
  subject: string;
  text: string;
  html: string | null;
  messageId: string;
  date: Date;
  attachments: readonly { fileName: string; contentType: string; content: Buffer }[];
};

export type Transport = {
  /** Resolves when the server has accepted the message. Throws MailFault. */
  send(message: Outgoing, signal: AbortSignal): Promise<void>;
  close(): void;
};

/** Why a message was not sent, as a sentence for superusers. */
export class MailFault extends Error {
  override name = 'MailFault';
  /** Whether trying again would end the same. */
  readonly isPermanent: boolean;
  constructor(message: string, isPermanent: boolean) {
    super(message);
    this.isPermanent = isPermanent;
  }
}

/** In milliseconds. */
export type Timeouts = {
  connect: number;
  greeting: number;
  /** How long the server may say nothing in the middle of a conversation. */
  silence: number;
  /** For a whole try, however busily the server talks. */
  whole: number;
};

export const TIMEOUTS: Timeouts = { connect: 10_000, greeting: 10_000, silence: 30_000, whole: 120_000 };

/** Messages that are sent at the same time. */
export const CONNECTIONS = 4;

const IDLE_MS = 30_000;
const LONGEST_REASON = 500;

type SmtpError = Error & { code?: string; command?: string; response?: string; responseCode?: number };

/** Connects when the first message is sent. */
export function createTransport(server: SmtpServer, from: Sender, timeouts: Timeouts): Transport {
  const pool = createPool({
    pool: true,
    host: server.host,
    port: server.port,
    secure: server.secure,
    requireTLS: server.requireTLS,
    ignoreTLS: server.ignoreTLS,
    tls: {
      rejectUnauthorized: server.rejectUnauthorized,
      ...(server.servername ? { servername: server.servername } : {}),
    },
    ...(server.name ? { name: server.name } : {}),
    ...(server.auth ? { auth: { ...server.auth }, forceAuth: true } : {}),
    maxConnections: CONNECTIONS,
    maxRequeues: 0,
    // Before the server tires of it: a connection that it closes costs the next message a try.
    idleTimeout: IDLE_MS,
    connectionTimeout: timeouts.connect,
    dnsTimeout: timeouts.connect,
    greetingTimeout: timeouts.greeting,
    socketTimeout: timeouts.silence,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send({ to, subject, text, html, messageId, date, attachments }, signal) {
      // Nodemailer would drop them, and write to somebody else.
      if (/[<>]/.test(to)) throw new MailFault('No message can be sent to such an address.', true);
      try {
        await pool.sendMail({
          // As objects, addresses are taken as they stand and never read as lists.
          from: { ...from },
          to: { name: '', address: to },
          envelope: { from: { name: '', address: from.address }, to: [{ name: '', address: to }] },
          subject,
          text,
          ...(html === null ? {} : { html }),
          messageId,
          date,
          // Nobody's absence note answers it (RFC 3834, 5).
          headers: { 'Auto-Submitted': 'auto-generated' },
          xMailer: false,
          attachments: attachments.map(({ fileName, contentType, content }) => ({
            filename: fileName,
            contentType,
            content,
          })),
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeouts.whole)]),
        });
      } catch (error) {
        throw faultOf(error as SmtpError, server, timeouts);
      }
    },
    close: () => pool.close({ force: true }),
  };
}

function faultOf(error: SmtpError, server: SmtpServer, timeouts: Timeouts): MailFault {
  const said = error.response === undefined ? null : `The mail server answered “${error.response}”`;
  const reason =
    error.code === 'EABORT'
      ? (error.cause as Error | undefined)?.name === 'TimeoutError'
        ? `The mail server took longer than ${timeouts.whole / 1_000} seconds.`
        : 'It was broken off, because the program was asked to stop.'
      : said === null
        ? error.message
        : `${said}${error.command ? ` to ${error.command}` : ''}.`;
  return new MailFault(withoutSecrets(reason, server), isPermanent(error));
}

/**
 * A 5xx about the recipient or the message stays one (RFC 5321, 4.2.1), as does an address that cannot be said. About the
 * log-in, the sender or the session it is a matter of the settings, which somebody mends while messages wait.
 */
function isPermanent({ code, command, responseCode }: SmtpError): boolean {
  if (code === 'EMESSAGE') return responseCode === undefined || isRefusal(responseCode);
  return code === 'EENVELOPE' && command !== 'MAIL FROM' && (responseCode === undefined || isRefusal(responseCode));
}

/** 503, a bad sequence of commands, says nothing of the message. */
function isRefusal(responseCode: number): boolean {
  return responseCode >= 500 && responseCode <= 599 && responseCode !== 503;
}

/** A server may repeat what it was sent. */
function withoutSecrets(text: string, { auth }: SmtpServer): string {
  const base64 = (plain: string) => Buffer.from(plain).toString('base64');
  const secrets = auth
    ? [auth.pass, base64(auth.pass), base64(`\0${auth.user}\0${auth.pass}`)].filter((secret) => secret !== '')
    : [];
  const line = secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text).replace(/[\p{Cc}\s]+/gu, ' ');
  return line.length <= LONGEST_REASON ? line : `${line.slice(0, LONGEST_REASON - 1)}…`;
}
