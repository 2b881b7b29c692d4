import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Tx } from '../../kernel/db.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Revocations } from './revocations.ts';

/** Whom a message goes to. */
export type Recipient = { userId: string; email: string };

/** What the messages of accounts fill in, by template. */
export type AccountMailData = {
  verify_email: { url: string; hours: number };
  reset_password: { url: string; hours: number };
  password_changed: { url: string };
  email_changed: { url: string };
  second_factor_on: { url: string };
  second_factor_off: { url: string };
};

/** A message to one person, by the template that words it. */
export type AccountMail = {
  [T in keyof AccountMailData]: { template: T; to: Recipient; data: AccountMailData[T] };
}[keyof AccountMailData];

/** What the use cases of accounts work with. */
export type AccountsContext = Pick<Kernel, 'db' | 'events' | 'clock' | 'secrets' | 'config'> & {
  readonly revocations: Revocations;
  /** Puts a message into the mailbox, in the transaction of what it tells of. */
  readonly sendMail: (tx: Tx, mail: AccountMail) => Promise<void>;
  /** Has the other modules delete what they know of somebody who is erased, in that transaction. */
  readonly forget: (tx: Tx, userId: string) => Promise<void>;
  /** Told of everybody who logs in, before the answer; it must not fail. */
  readonly loggedIn: (request: FastifyRequest, reply: FastifyReply, userId: string) => Promise<void>;
  /** Told of every browser that logs out, before the answer. */
  readonly loggedOut: (reply: FastifyReply) => void;
  /** How the world calls the shop, for links in messages. */
  readonly publicUrl: string;
};
