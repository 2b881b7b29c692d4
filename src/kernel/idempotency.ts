import type { Tx } from './db.ts';
import { defineError } from './errors.ts';

/**
 * Idempotency keys: what was asked for under a key is done once, however often it is sent.
 *
 * A request claims its key before it does anything. The claim is settled in the transaction of what is done: either its
 * answer is kept there (`keep`), so that a repetition gets it even when the process died before it could be sent, or, where the
 * answer is only made afterwards, `events.append` notes that it is done (state `applied`), so that it is never done
 * twice. A refusal frees the key. A claim whose process has died is taken over after its lease; should that process be
 * alive after all, its transaction fails.
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
}
