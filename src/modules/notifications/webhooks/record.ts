import { sql, type Tx } from '../../../kernel/db.ts';
import { superusers } from '../../accounts/index.ts';
import { failWaiting, shownUrl } from './endpoints.ts';
import type { WebhooksContext } from './index.ts';
import { DAY, pauseOfDelivery, pauseOfEndpoint } from './pauses.ts';

/** An endpoint as whoever sends to it needs to know it. */
export type Target = {
  id: string;
  url: string;
  active: boolean;
  secret: Buffer;
  previous_secret: Buffer | null;
  previous_secret_until: Date | null;
  failures: number;
  failing_since: Date | null;
  retry_at: Date | null;
  drain_id: string | null;
};
export const TARGET = `id, url, active, secret, previous_secret, previous_secret_until, failures, failing_since, retry_at, drain_id`;

/** What became of one attempt. */
export type Outcome = {
  startedAt: Date;
  durationMs: number;
  /** Null when there was no answer. */
  status: number | null;
  /** A sentence; null when it was delivered. */
  error: string | null;
  response: string | null;
  /** The receiver asked for nothing more before this. */
  notBefore: Date | null;
  /** It cannot be sent at all: no attempt, and no fault of the receiver. */
  isImpossible?: boolean;
};

const GONE = 410;

/** How long a drain that records nothing keeps its turn: longer than an attempt takes. */
export const TURN_MS = 60_000;

type Attempt = { id: string; attempts: number };

/**
 * Writes down an attempt, for the delivery and for its endpoint; answers the endpoint as it is then, undefined when it was
 * deleted. `target` is the endpoint as it was when the attempt began: of attempts that began together only the first
 * failure counts, their successes end no pause that it began, and what became of a request to an address that was changed
 * meanwhile says nothing about the new one.
 */
export async function recordAttempt(
  context: WebhooksContext,
  target: Target,
  delivery: Attempt,
  outcome: Outcome,
): Promise<Target | undefined> {
  return context.db.transaction(async (tx) => {
    const now = context.clock.now();
    // The endpoint first: whoever touches both does so in this order.
    const after =
      (outcome.isImpossible ? undefined : await noteOnEndpoint(tx, target, outcome, now)) ??
      (await tx.maybe(sql<Target>(`select ${TARGET} from webhook_endpoints where id = $1`, [target.id])));
    if (!after) return undefined;
    if (outcome.error === null) await noteDelivered(tx, delivery, outcome, now);
    else await noteFailed(tx, delivery, outcome, now);
    const concerns = after.url === target.url && after.active && !outcome.isImpossible;
    const reason = concerns ? reasonToDisable(after, outcome, now) : null;
    if (reason === null) return after;
    await disable(context, tx, after, reason, outcome.error!, now);
    return { ...after, active: false };
  });
}

function noteOnEndpoint(tx: Tx, target: Target, outcome: Outcome, now: Date): Promise<Target | undefined> {
  const keepsTurn = 'drained_until = case when drain_id = $4 then $5 else drained_until end';
  const turn = [target.drain_id, new Date(now.getTime() + TURN_MS)];
  const whose = [target.id, target.url, target.failures];
  if (outcome.error === null)
    return tx.maybe(
      sql<Target>(
        `update webhook_endpoints set ${keepsTurn}, last_success_at = $6, failing_since = null,
           failures = case when failures = $3 then 0 else failures end,
           retry_at = case when failures = $3 then null else retry_at end
         where id = $1 and url = $2 returning ${TARGET}`,
        [...whose, ...turn, now],
      ),
    );
  return tx.maybe(
    sql<Target>(
      `update webhook_endpoints set ${keepsTurn},
         failing_since = coalesce(failing_since, greatest($6::timestamptz, last_success_at)),
         failures = case when failures = $3 then failures + 1 else failures end,
         retry_at = greatest(retry_at, case when failures = $3 then $7::timestamptz end, $8::timestamptz)
       where id = $1 and url = $2 returning ${TARGET}`,
      [
        ...whose,
        ...turn,
        outcome.startedAt,
        new Date(now.getTime() + pauseOfEndpoint(target.failures + 1)),
        outcome.notBefore,
      ],
    ),
  );
}

async function noteDelivered(tx: Tx, { id }: Attempt, outcome: Outcome, now: Date): Promise<void> {
  await tx.run(
    sql(
      `update webhook_deliveries set state = 'delivered', attempts = attempts + 1, next_attempt_at = null, delivered_at = $2,
         last_status = $3, last_error = null, last_response = $4, duration_ms = $5
       where id = $1`,
      [id, now, outcome.status, outcome.response, outcome.durationMs],
    ),
  );
}

/** The last attempt is a day after the first; one that fails then, or later, has failed for good. */
async function noteFailed(tx: Tx, { id, attempts }: Attempt, outcome: Outcome, now: Date): Promise<void> {
  const { startedAt, notBefore, isImpossible = false } = outcome;
  const next = Math.max(now.getTime() + pauseOfDelivery(attempts + 1), notBefore?.getTime() ?? 0);
  await tx.run(
    sql(
      `update webhook_deliveries set
         state = case when ends then 'failed' else 'pending' end,
         next_attempt_at = case when not ends then least($2, until) end,
         give_up_at = until, attempts = attempts + $3, last_status = $4, last_error = $5, last_response = $6, duration_ms = $7
       from (
         select id as of, coalesce(give_up_at, $8) as until, $9 or coalesce(give_up_at <= $10, false) as ends
         from webhook_deliveries where id = $1 and state = 'pending' for no key update
       ) judged
       where id = of`,
      [
        id,
        new Date(next),
        isImpossible ? 0 : 1,
        outcome.status,
        outcome.error,
        outcome.response,
        outcome.durationMs,
        new Date(startedAt.getTime() + DAY),
        isImpossible,
        startedAt,
      ],
    ),
  );
}

type Reason = 'failing' | 'gone';

function reasonToDisable({ failing_since }: Target, { status }: Outcome, now: Date): Reason | null {
  if (status === GONE) return 'gone';
  return failing_since !== null && now.getTime() - failing_since.getTime() >= DAY ? 'failing' : null;
}

/** Switches an endpoint off that cannot be reached, and tells the superusers. */
async function disable(
  { events, sendMail }: WebhooksContext,
  tx: Tx,
  { id, url, failing_since }: Target,
  reason: Reason,
  lastError: string,
  now: Date,
): Promise<void> {
  await tx.run(
    sql(
      'update webhook_endpoints set active = false, disabled_at = $2, disabled_reason = $3, updated_at = $2 where id = $1',
      [id, now, reason],
    ),
  );
  await failWaiting(tx, id);
  await events.append(tx, {
    type: 'webhook.disabled',
    subject: { type: 'webhook', id },
    changes: { active: { from: true, to: false } },
    data: { url: shownUrl(url), reason },
  });
  for (const to of await superusers(tx))
    await sendMail(tx, {
      template: 'webhook_disabled',
      to,
      data: { url, reason, failingSince: failing_since ?? now, lastError },
    });
}
