import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from './clock.ts';
import { type Database, prepare, sql, type Tx } from './db.ts';
import { type AppError, defineError } from './errors.ts';
import { newId } from './ids.ts';
import { defineJob, type Job } from './jobs.ts';
import type { Secrets } from './secrets.ts';

/**
 * Idempotency keys: what was asked for under a key is done once, however often it is sent.
 *
 * A request claims its key before it does anything. The claim is settled in the transaction of what is done: either its
 * answer is kept there (`keep`), so that a repetition gets it even when the process died before it could be sent, or, where the
 * answer is only made afterwards, `noteDone` notes that it is done (state `applied`), so that it is never done twice;
 * `events.append` does so by itself. A refusal frees the key. A claim whose process has died is taken over after its lease;
 * should that process be alive after all, its transaction fails.
 *
 * What a key is used for, and by whom, is stored as keyed hashes; answers are encrypted, since some tell what is told only
 * once. All of it is kept for 24 hours.
 */
export const keyReused = defineError('idempotency_key_reused', 422, 'The idempotency key was used for something else');
export const keyInUse = defineError('idempotency_key_in_use', 409, 'The idempotency key is in use');
export const answerLost = defineError('idempotency_answer_lost', 409, 'It was done, but its answer was lost');

/** An answer as it is sent again. */
export type Answer = { status: number; headers: Readonly<Record<string, string>>; body: string };

/** What a key stands for: who uses it for what. The same words with another `request` are a reuse, and refused. */
export type Keyed = {
  /** `user:<id>`, `key:<id>`, `cart:<id>`. */
  caller: string;
  method: string;
  path: string;
  key: string;
  /** Everything that was asked, as text. */
  request: string;
};

export interface Claim {
  /**
   * The values of `keep_answer` (hash, claim, status, headers, body), for a statement that keeps the answer together with
   * what it answers.
   */
  kept(answer: Answer): readonly [Buffer, string, number, string, Buffer];
  /** Keeps the answer in the transaction of what it answers. */
  keep(tx: Tx, answer: Answer): Promise<void>;
  /** Notes in its transaction that it is done. Throws idempotency_key_in_use when the claim was lost to another request. */
  note(tx: Tx): Promise<void>;
  /** Keeps the answer of what is done; of what was kept with its transaction already, nothing. */
  settle(answer: Answer): Promise<void>;
  /** Gives the key free, since it was refused; not when what was asked is done. */
  free(): Promise<void>;
}

/** The values of `keep_answer` for what was sent without a key. */
export const NO_ANSWER = [null, null, null, null, null] as const;

export interface Idempotency {
  /**
   * Claims a key, or answers what was answered before. Throws idempotency_key_reused, idempotency_key_in_use after having
   * waited for 5 s, idempotency_answer_lost.
   */
  claim(keyed: Keyed): Promise<{ claim: Claim } | { answer: Answer }>;
  readonly jobs: readonly Job<never>[];
}

const WAIT_MS = 5_000;
/** How often whoever waits looks again, with as much again by chance. */
const LOOK_MS = 50;
const KEPT_MS = 24 * 3_600_000;
const LEASE = '30 seconds';

type Row = {
  claim: string;
  request: Buffer;
  state: 'running' | 'applied' | 'answered';
  /** Whether its lease has passed, by the database's clock. */
  lapsed: boolean;
  status: number;
  headers: Record<string, string>;
  body: Buffer;
};

const CLAIM = prepare<Row>(`select * from claim_key($1, $2, $3, $4, '${LEASE}')`);
const FREE = prepare('select free_key($1, $2)');
const KEEP = prepare('select keep_answer($1, $2, $3, $4, $5)');
const NOTE = prepare(
  `update idempotency_keys set state = case state when 'running' then 'applied' else state end
   where hash = $1 and claim = $2`,
);

export function createIdempotency({
  db,
  clock,
  secrets,
}: {
  db: Database;
  clock: Clock;
  secrets: Secrets;
}): Idempotency {
  const claimOf = (hash: Buffer, id: string): Claim => {
    let isKept = false;
    const valuesOf = ({ status, headers, body }: Answer) =>
      [hash, id, status, JSON.stringify(headers), secrets.encrypt('idempotency', body)] as const;
    return {
      kept(answer) {
        isKept = true;
        return valuesOf(answer);
      },
      async keep(tx, answer) {
        await tx.run(KEEP(valuesOf(answer)));
        tx.afterCommit(() => {
          isKept = true;
        });
      },
      async note(tx) {
        if ((await tx.run(NOTE([hash, id]))) === 0) throw claimLost();
      },
      async settle(answer) {
        if (!isKept) await db.run(KEEP(valuesOf(answer)));
      },
      async free() {
        await db.run(FREE([hash, id]));
      },
    };
  };

  return {
    async claim({ caller, method, path, key, request }) {
      const hash = secrets.hash('idempotency', JSON.stringify([caller, method, path, key]));
      const asked = secrets.hash('idempotency request', request);
      const id = newId();
      const until = performance.now() + WAIT_MS;
      for (;;) {
        const row = await db.maybe(CLAIM([hash, asked, id, clock.now()]));
        if (row?.claim === id) return { claim: claimOf(hash, id) };
        if (row && !row.request.equals(asked))
          throw keyReused('This key was sent with another request before. Send each request with a key of its own.');
        if (row?.state === 'answered')
          return {
            answer: { status: row.status, headers: row.headers, body: secrets.decrypt('idempotency', row.body) },
          };
        if (row?.state === 'applied' && row.lapsed)
          throw answerLost(
            'What you asked for under this key is done, but its answer was lost. Look for what came of it before you ask again.',
          );
        if (performance.now() >= until)
          throw keyInUse('A request with this key is still under way. Send it again in a moment, with the same key.', {
            headers: { 'retry-after': '1' },
          });
        await sleep(LOOK_MS * (1 + Math.random()));
      }
    },
    jobs: [
      defineJob({
        name: 'idempotency.tidy',
        cron: '23 * * * *',
        async run() {
          const old = new Date(clock.now().getTime() - KEPT_MS);
          await db.run(sql('delete from idempotency_keys where created_at <= $1', [old]));
        },
      }),
    ],
  };
}

/** What a request is told whose claim another one has taken over. `keep_answer` says it by VT002. */
export function claimLost(): AppError {
  return keyInUse(
    'This took so long that a repetition of it was begun in the meantime. Nothing of this one is done; send it again, with the same key.',
    { headers: { 'retry-after': '1' } },
  );
}

/** Holds the claim of the request on whose behalf code runs, once there is one. */
export type ClaimHolder = { claim: Claim | null };

const current = new AsyncLocalStorage<ClaimHolder>();

/** Runs `work`, and all that follows from it, on behalf of a request. */
export function onBehalfOf<T>(holder: ClaimHolder, work: () => T): T {
  return current.run(holder, work);
}

/**
 * To be called in the transaction of what a request asks for, where `events.append` is not: what came under a key is not
 * done again once this has committed. Throws idempotency_key_in_use.
 */
export async function noteDone(tx: Tx): Promise<void> {
  await current.getStore()?.claim?.note(tx);
}
