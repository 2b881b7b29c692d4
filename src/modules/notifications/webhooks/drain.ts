import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '../../../kernel/db.ts';
import { AppError } from '../../../kernel/errors.ts';
import type { LoggedEvent } from '../../../kernel/events.ts';
import { newId } from '../../../kernel/ids.ts';
import { failWaiting, SECRET } from './endpoints.ts';
import type { WebhooksContext } from './index.ts';
import { bodyOf } from './message.ts';
import { retryAfter } from './pauses.ts';
import { type Outcome, recordAttempt, TARGET, type Target, TURN_MS } from './record.ts';
import { signedHeaders } from './signature.ts';

/**
 * Sends what is due to one endpoint. At most one drain has the endpoint's turn, which is a lease: one that dies lets it run
 * out, and what it had sent and not recorded is sent again under the same webhook-id. A turn goes
 *
 *   flowing   no failure since the last success: up to AT_ONCE requests at a time, what is due longest first;
 *   probing   after a failure, once its pause is over: one request alone, so that whatever waits does not fall upon a
 *             receiver that is down. The one tried least, and of those the newest: a kind of event that the receiver
 *             refuses each time must not stand before the others for ever. Delivered: flowing. Failed: over;
 *   over      nothing is due, or the endpoint pauses, was switched off, deleted or taken over, or the turn was long.
 *
 * Nothing that happens meanwhile is missed: whoever comes while the turn is another's goes away, and so what is due is
 * looked for once more after the turn was given back.
 */

const TIMEOUT_MS = 15_000;
const AT_ONCE = 8;
const FETCHED = 100;
/** Others wait for the lane's workers too. */
const LONGEST_TURN_MS = 30_000;
/** For what became due while a slow answer is awaited. */
const LOOK_AGAIN_MS = 500;

type Options = { signal: AbortSignal; timeoutMs?: number };

/** Answers when to drain it next: null when nothing waits, or when others see to it. */
export async function drainEndpoint(
  context: WebhooksContext,
  endpointId: string,
  { signal, timeoutMs = TIMEOUT_MS }: Options,
): Promise<Date | null> {
  const { db, clock } = context;
  const until = clock.now().getTime() + LONGEST_TURN_MS;
  for (;;) {
    const target = await takeTurn(context, endpointId);
    if (!target) {
      await failWaitingWhenOff(context, endpointId);
      return null;
    }
    try {
      await sendWhatIsDue(context, target, { signal, timeoutMs, until });
    } finally {
      await db.run(
        sql('update webhook_endpoints set drain_id = null, drained_until = null where id = $1 and drain_id = $2', [
          endpointId,
          target.drain_id,
        ]),
      );
    }
    const next = await nextTime(context, endpointId);
    const now = clock.now();
    if (next === null || next > now || signal.aborted || now.getTime() >= until) return next;
  }
}

function takeTurn({ db, clock }: WebhooksContext, endpointId: string): Promise<Target | undefined> {
  const now = clock.now();
  return db.maybe(
    sql<Target>(
      `update webhook_endpoints set drain_id = $2, drained_until = $3
       where id = $1 and active and (drained_until is null or drained_until <= $4) and (retry_at is null or retry_at <= $4)
       returning ${TARGET}`,
      [endpointId, newId(), new Date(now.getTime() + TURN_MS), now],
    ),
  );
}

/** What was being made for it at the very moment when it was switched off. */
async function failWaitingWhenOff({ db }: WebhooksContext, endpointId: string): Promise<void> {
  if (await db.maybe(sql('select from webhook_endpoints where id = $1 and not active', [endpointId])))
    await failWaiting(db, endpointId);
}

async function nextTime({ db }: WebhooksContext, endpointId: string): Promise<Date | null> {
  const row = await db.maybe(
    sql<{ next: Date | null }>(
      `select greatest(w.retry_at, (
         select next_attempt_at from webhook_deliveries where endpoint_id = w.id and state = 'pending'
         order by next_attempt_at limit 1
       )) as next
       from webhook_endpoints w
       where id = $1 and active and exists (select from webhook_deliveries where endpoint_id = w.id and state = 'pending')`,
      [endpointId],
    ),
  );
  return row?.next ?? null;
}

async function sendWhatIsDue(
  context: WebhooksContext,
  first: Target,
  { signal, timeoutMs, until }: Required<Options> & { until: number },
): Promise<void> {
  const { clock } = context;
  const running = new Map<string, Promise<void>>();
  let target: Target | undefined = first;
  let waiting: Due[] = [];
  let fault: unknown;
  const mayGoOn = (is: Target | undefined): is is Target => {
    if (fault !== undefined) throw fault;
    const now = clock.now();
    if (!is?.active || is.drain_id !== first.drain_id) return false;
    return !signal.aborted && now.getTime() < until && (is.retry_at === null || is.retry_at <= now);
  };
  const hasRoom = ({ failures }: Target) => running.size < (failures > 0 ? 1 : AT_ONCE);
  const start = (delivery: Due, to: Target) => {
    const work = attempt(context, to, delivery, { signal, timeoutMs })
      .then((outcome) => outcome && recordAttempt(context, to, delivery, outcome))
      .then((after) => {
        target = after;
        if (after === undefined || after.failures > 0) waiting = [];
      })
      .catch((error: unknown) => {
        fault = error;
      })
      .finally(() => running.delete(delivery.id));
    running.set(delivery.id, work);
  };
  try {
    while (mayGoOn(target)) {
      if (hasRoom(target) && waiting.length === 0) waiting = await due(context, target, [...running.keys()]);
      // It may have changed while that was read.
      while (mayGoOn(target) && hasRoom(target)) {
        const delivery = waiting.shift();
        if (!delivery) break;
        start(delivery, target);
      }
      if (running.size === 0) return;
      const again = mayGoOn(target) && hasRoom(target);
      await Promise.race([...running.values(), ...(again ? [sleep(LOOK_AGAIN_MS)] : [])]);
    }
  } finally {
    await Promise.all(running.values());
  }
  if (fault !== undefined) throw fault;
}

type Due = { id: string; attempts: number; event_id: string } & (
  | LoggedEvent
  | { [K in keyof Omit<LoggedEvent, 'event_id'>]: null }
);

/** Deliveries that are due, with their events; of one that is no longer in the log only the id. */
function due({ db, clock }: WebhooksContext, { id, failures }: Target, except: readonly string[]): Promise<Due[]> {
  const [order, limit] = failures > 0 ? ['d.attempts, d.position desc', 1] : ['d.next_attempt_at, d.position', FETCHED];
  return db.many(
    sql<Due>(
      `select d.id, d.attempts, d.event_id, e.position, e.type, e.occurred_at, e.actor_id, e.subject_type, e.subject_id,
         e.changes, e.data, e.user_id
       from (
         select id, attempts, event_id, position, next_attempt_at from webhook_deliveries d
         where endpoint_id = $1 and state = 'pending' and next_attempt_at <= $2 and id <> all ($3)
         order by ${order} limit ${limit}
       ) d left join events e on e.position = d.position
       order by ${order}`,
      [id, clock.now(), except],
    ),
  );
}

/** Sends one delivery. Undefined when it was interrupted: that was no attempt. */
async function attempt(
  { clock, outbound, secrets }: WebhooksContext,
  target: Target,
  delivery: Due,
  { signal, timeoutMs }: Required<Options>,
): Promise<Outcome | undefined> {
  const startedAt = clock.now();
  const began = performance.now();
  const outcome = { startedAt, status: null, response: null, notBefore: null };
  if (delivery.position === null)
    return { ...outcome, durationMs: 0, error: 'The event is no longer in the log.', isImpossible: true };
  const { previous_secret: previous, previous_secret_until: until } = target;
  const keys = [target.secret, ...(previous !== null && until !== null && until > startedAt ? [previous] : [])];
  const body = bodyOf(delivery);
  const signed = signedHeaders(
    keys.map((key) => secrets.decrypt(SECRET, key)),
    { id: delivery.event_id, at: startedAt, body },
  );
  const headers = { ...signed, 'content-type': 'application/json' };
  const durationMs = () => Math.round(performance.now() - began);
  try {
    const answer = await outbound.post(target.url, { headers, body, timeoutMs, signal });
    return {
      startedAt,
      durationMs: durationMs(),
      status: answer.status,
      error: errorOf(answer.status),
      response: storable(answer.text),
      notBefore: answer.status === 429 || answer.status === 503 ? retryAfter(answer.retryAfter, clock.now()) : null,
    };
  } catch (error) {
    if (signal.aborted) return undefined;
    if (!(error instanceof AppError)) throw error;
    const text =
      error.code === 'remote_timeout' ? `It did not answer within ${timeoutMs / 1_000} seconds.` : error.message;
    return { ...outcome, durationMs: durationMs(), error: text };
  }
}

function errorOf(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400)
    return `It answered ${status}. Redirects are not followed: give the address that it leads to.`;
  return `It answered ${status}.`;
}

/** PostgreSQL stores no NUL. */
function storable(text: string): string {
  return text.replaceAll('\0', '\ufffd');
}
