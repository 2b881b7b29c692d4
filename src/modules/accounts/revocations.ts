import { prepare } from '../../kernel/db.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Identity } from './identity.ts';

/**
 * What makes an access token wrong before it expires: its session was revoked, its API key too, or its user is not what
 * it was. Tokens are believed without asking the database, so each process keeps in memory what was revoked lately: a
 * revocation tells the others over the bus, and each also asks twice a second, should the message be lost. What was
 * revoked longer ago than anything is believed for is forgotten; a restart reads it all again.
 */

/** How long an access token is believed, in seconds. */
export const ACCESS_SECONDS = 900;

/** How long an answer of the database about a cookie or an API key is believed. */
export const KNOWN_MS = 60_000;

const TOPIC = 'revocations';
const POLL_MS = 500;
/** Remembered well beyond anything that could still be believed. */
const REMEMBERED_MS = ACCESS_SECONDS * 1_000 + 300_000;
/** A revocation carries the time at which its transaction began, and may commit this much later. */
const OVERLAP_MS = 60_000;

const LATELY = prepare<{ what: 'session' | 'key' | 'user'; id: string; epoch: number; at: Date }>(
  `select 'session' as what, id, 0 as epoch, revoked_at as at from sessions where revoked_at > $1
   union all select 'key', id, 0, revoked_at from api_keys where revoked_at > $1
   union all select 'user', id, token_epoch, epoch_changed_at from users where epoch_changed_at > $1`,
);
const NOW = prepare<{ now: Date }>('select now() as now');

export type Revocations = {
  /** Whether nothing that the identity rests on was revoked: its session or API key, and what its user was. */
  holds(identity: Identity): boolean;
  /** Calls `listener` whenever something more was revoked, for what outlives the request that was asked for it. */
  onChange(listener: () => void): void;
  /** To be called when something was revoked, after the commit: known here when it returns, elsewhere soon after. */
  spread(): Promise<void>;
  start(): Promise<void>;
  stop(): void;
};

export function createRevocations({ db, bus, log }: Pick<Kernel, 'db' | 'bus'> & { log: Logger }): Revocations {
  const revoked = new Map<string, number>();
  const epochs = new Map<string, { epoch: number; at: number }>();
  const listeners: (() => void)[] = [];
  /** By the database's clock. */
  let since = 0;
  let timer: NodeJS.Timeout | undefined;
  let unsubscribe: (() => void) | undefined;
  let looking: Promise<void> | undefined;

  const forgetOld = (now: number) => {
    for (const [id, at] of revoked) if (at < now - REMEMBERED_MS) revoked.delete(id);
    for (const [id, { at }] of epochs) if (at < now - REMEMBERED_MS) epochs.delete(id);
  };

  const look = async () => {
    const { now } = await db.one(NOW([]));
    const from = Math.max(since - OVERLAP_MS, now.getTime() - REMEMBERED_MS);
    let more = false;
    for (const { what, id, epoch, at } of await db.many(LATELY([new Date(from)]))) {
      const isKnown = what === 'user' ? (epochs.get(id)?.epoch ?? -1) >= epoch : revoked.has(id);
      if (isKnown) continue;
      more = true;
      if (what === 'user') epochs.set(id, { epoch, at: at.getTime() });
      else revoked.set(id, at.getTime());
    }
    since = now.getTime();
    forgetOld(since);
    if (more) for (const listener of listeners) listener();
  };

  /** One look at a time; who asks while one is under way may mean what it has already passed by, so waits for another. */
  const lookAgain = async () => {
    await looking?.catch(() => {});
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  };
  const watch = () => lookAgain().catch((error: unknown) => log.warn({ err: error }, 'revocations could not be read'));

  return {
    holds: ({ sessionId, apiKeyId, userId, epoch }) =>
      !revoked.has(sessionId ?? apiKeyId!) && (epochs.get(userId)?.epoch ?? epoch) <= epoch,
    onChange: (listener) => void listeners.push(listener),
    async spread() {
      await lookAgain();
      await bus.publish(TOPIC);
    },
    async start() {
      await look();
      unsubscribe = bus.subscribe(TOPIC, () => void watch());
      timer = setInterval(() => void watch(), POLL_MS);
      timer.unref();
    },
    stop() {
      clearInterval(timer);
      unsubscribe?.();
    },
  };
}
