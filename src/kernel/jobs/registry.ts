import { type Database, prepare, type Sql, sql } from '../db.ts';
import type { Logger } from '../log.ts';
import { endReplaced, SET_GIVEN_UP } from './replaced.ts';

/**
 * Which workers live. Each says so in `job_workers`, by the database's clock; each looks now and then for jobs that one
 * which no longer does has left, and frees them. The library itself would take four hours. A process that was only
 * paused comes back by its next beat; what it was doing may by then be done twice.
 */

type JobId = number | string;

export interface Registry {
  /** A pool of workers begins: `id` is what it locks jobs by. */
  join(id: string): Promise<void>;
  /**
   * It has ended. What it still holds is freed at once, or by a later sweep if that throws; of that, `unbegun` are jobs
   * which it had only fetched: they come back as if they had never been taken.
   */
  leave(id: string, unbegun: readonly JobId[]): Promise<void>;
  beat(): Promise<void>;
  sweep(): Promise<void>;
}

const BEAT = prepare(
  `insert into job_workers (pool_id) select unnest($1::text[])
   on conflict (pool_id) do update set beat_at = now()`,
);

// A pool without a row: one that died before its first beat, or of a version that knew no beats.
const DEAD = prepare<{ id: string }>(
  `select distinct j.locked_by as id
   from graphile_worker._private_jobs j left join job_workers w on w.pool_id = j.locked_by
   where j.locked_at is not null and coalesce(w.beat_at, j.locked_at) < now() - $1 * interval '1 ms'
     and j.locked_by <> all ($2::text[])`,
);

// The attempt stays counted, so that a job which takes its worker down each time is given up in the end. It may have
// taken down its neighbours too, which were fetched with it: those that have been through this before come back at
// different times. The library keeps no error of a run that never ended.
const EXPLAIN = prepare(
  `update graphile_worker._private_jobs
   set last_error = $2, ${SET_GIVEN_UP},
       run_at = case when attempts > 1 then now() + random() * exp(least(attempts, 10)) * interval '1 second' else run_at end
   where locked_by = any ($1::text[])`,
);
const FREE = prepare('select graphile_worker.force_unlock_workers($1::text[])');

const GIVE_BACK = prepare(
  `update graphile_worker._private_jobs
   set locked_by = null, locked_at = null, attempts = greatest(0, attempts - 1)
   where locked_by = $1 and id = any ($2::bigint[])`,
);

// Of workers that died, and those that were replaced at the very moment that they failed.
const END_REPLACED = endReplaced('locked_at is null and not is_available');

// Jobs that were to be cancelled and came back from their worker instead: it died, or they failed at that very moment.
const CANCEL_LEFT = prepare(
  `with gone as (
     delete from graphile_worker._private_jobs
     where id = any (array(select job_id from job_cancellations)) and locked_at is null returning *
   )
   insert into finished_jobs (id, task, payload, outcome, attempts, max_attempts, queued_at, finished_at, last_error)
   select g.id, k.identifier, g.payload, 'cancelled', g.attempts, g.max_attempts, g.created_at, now(), g.last_error
   from gone g join graphile_worker._private_tasks k on k.id = g.task_id
   on conflict (id) do nothing`,
);
const FORGET_CANCELLATIONS = prepare(
  `delete from job_cancellations c
   where not exists (select from graphile_worker._private_jobs j where j.id = c.job_id)`,
);

async function free(target: Sql, ids: readonly string[], why: string): Promise<number> {
  const jobs = await target.run(EXPLAIN([ids, why]));
  await target.run(FREE([ids]));
  return jobs;
}

export function createRegistry({ db, deadMs, log }: { db: Database; deadMs: number; log: Logger }): Registry {
  const own = new Set<string>();
  /** Those that could not sign off yet, as when the database was away, and what they had fetched and not begun. */
  const ended = new Map<string, readonly JobId[]>();
  const beat = async () => {
    if (own.size > 0) await db.run(BEAT([[...own]]));
  };
  const leave: Registry['leave'] = async (id, unbegun) => {
    own.delete(id);
    ended.set(id, unbegun);
    await db.transaction(async (tx) => {
      await tx.run(GIVE_BACK([id, unbegun]));
      await free(tx, [id], 'Its worker was stopped before it was done.');
      await tx.run(sql('delete from job_workers where pool_id = $1', [id]));
    });
    ended.delete(id);
  };
  return {
    beat,
    async join(id) {
      own.add(id);
      await beat();
    },
    leave,
    async sweep() {
      for (const [id, unbegun] of ended) await leave(id, unbegun);
      const dead = (await db.many(DEAD([deadMs, [...own]]))).map((row) => row.id);
      if (dead.length > 0) {
        const jobs = await db.transaction((tx) =>
          free(tx, dead, 'The worker that had taken it died before it was done.'),
        );
        log.warn({ workers: dead, jobs }, 'jobs of dead workers were freed');
      }
      await db.run(sql("delete from job_workers where beat_at < now() - $1 * interval '1 ms'", [deadMs]));
      await db.run(END_REPLACED([]));
      if (await db.maybe(sql('select from job_cancellations limit 1'))) {
        await db.run(CANCEL_LEFT([]));
        await db.run(FORGET_CANCELLATIONS([]));
      }
    },
  };
}
