import { type Database, prepare, type Tx } from '../db.ts';
import { defineJob, type Job } from './definition.ts';
import { IS_REPLACED } from './replaced.ts';

/** A job whose attempts are spent. `lastError` is null when its worker died in the last of them. */
export type FailedJob = { id: string; task: string; attempts: number; lastError: string | null };

const AT_ONCE = 1_000;

// The job library has no public way to its dead letters that names the task and the time. The note is the claim: of two
// that look at once, the second waits for the first's row and then finds nothing new in it.
const CLAIM = prepare<FailedJob>(
  `with given_up as (
     select j.id, j.task_id, j.attempts, j.last_error, j.run_at
     from graphile_worker._private_jobs j left join job_failures_told t on t.job_id = j.id
     where j.locked_at is null and not j.is_available and t.run_at is distinct from j.run_at
       and not (${IS_REPLACED})
     order by j.id limit ${AT_ONCE}
   ), claimed as (
     insert into job_failures_told as t (job_id, run_at) select id, run_at from given_up
     on conflict (job_id) do update set run_at = excluded.run_at where t.run_at <> excluded.run_at
     returning job_id
   )
   select g.id::text, k.identifier as task, g.attempts, g.last_error as "lastError"
   from claimed c join given_up g on g.id = c.job_id join graphile_worker._private_tasks k on k.id = g.task_id
   order by g.id`,
);

/**
 * Hands every job that was given up to `tell`, within a minute and exactly once: that it was told is noted in the
 * transaction that `tell` writes in. One that was retried and given up again is told again. At most 1,000 at a time.
 */
export function defineFailureWatch(
  db: Database,
  tell: (tx: Tx, jobs: readonly FailedJob[]) => Promise<void>,
): Job<object> {
  return defineJob<object>({
    name: 'jobs.tell_failures',
    cron: '* * * * *',
    async run() {
      for (;;) {
        const told = await db.transaction(async (tx) => {
          const jobs = await tx.many(CLAIM([]));
          if (jobs.length > 0) await tell(tx, jobs);
          return jobs.length;
        });
        if (told < AT_ONCE) return;
      }
    },
  });
}
