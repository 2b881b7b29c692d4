import { type Sql, sql } from '../db.ts';
import type { Job } from './definition.ts';
import { KEYED } from './replaced.ts';

export type EnqueueOptions = {
  /** Not before this time; at once when left out. */
  at?: Date;
  /**
   * Of jobs with one key at most one waits: a later one takes its place, payload and time included. One that runs
   * already runs on beside it, and is not tried again: the later one does the work.
   */
  key?: string;
};

/**
 * Adds jobs in one statement. It notifies the workers, and a NOTIFY makes commits queue behind one another: business
 * transactions append an event instead, and the relay adds its subscribers' jobs; or enqueue after their commit, with
 * something that looks for what a crash in between has left.
 */
export async function enqueue<Payload extends object>(
  target: Sql,
  job: Job<Payload>,
  payloads: readonly Payload[],
  { at, key }: EnqueueOptions = {},
): Promise<void> {
  if (payloads.length === 0) return;
  await target.run(
    sql(
      `select 1 from graphile_worker.add_jobs(array(
         select json_populate_record(null::graphile_worker.job_spec,
           json_build_object('identifier', $1::text, 'payload', payload, 'max_attempts', $3::int, 'run_at', $4::timestamptz,
             'job_key', $5::text, 'flags', $6::text[]))
         from json_array_elements($2::json) as payload))`,
      [job.name, JSON.stringify(payloads), job.maxAttempts ?? 25, at ?? null, key ?? null, key ? [KEYED] : null],
    ),
  );
}
