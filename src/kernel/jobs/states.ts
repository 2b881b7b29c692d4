import { prepare, type Sql, sql } from '../db.ts';

/** Jobs as people look at them: those that the library holds, and the newest of those that are over. */

export const JOB_STATES = ['queued', 'running', 'failed', 'done', 'cancelled'] as const;
export type JobState = (typeof JOB_STATES)[number];

export type JobRow = {
  id: string;
  task: string;
  state: JobState;
  payload: unknown;
  attempts: number;
  max_attempts: number;
  /** When a waiting one is due. */
  run_at: Date | null;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  duration_ms: number | null;
  last_error: string | null;
  cancel_requested: boolean;
  /** Whether the worker that holds a running one gives signs of life; null when none does. */
  worker_alive: boolean | null;
};

export type JobFilter = { state?: JobState | undefined; task?: string | undefined };
export type JobCounts = { [state in JobState]: number };
export type TaskThroughput = {
  task: string;
  last_minute: { done: number; failed: number };
  last_hour: { done: number; failed: number };
  average_ms: number | null;
};

/** The longest piece of an error that is answered: it may hold a whole page that a foreign host sent. */
const ERROR_LENGTH = 2_000;

// The library's public view has neither payloads nor what a job is locked by.
const DETAILS = `
  select p.id::text, coalesce(k.identifier, f.task) as task,
    case when j.id is null then f.outcome when j.locked_at is not null then 'running'
         when j.is_available then 'queued' else 'failed' end as state,
    coalesce(j.payload::jsonb, f.payload) as payload,
    coalesce(j.attempts, f.attempts) as attempts, coalesce(j.max_attempts, f.max_attempts) as max_attempts,
    case when j.is_available then j.run_at end as run_at, coalesce(j.created_at, f.queued_at) as created_at,
    case when j.id is null then f.finished_at - f.duration_ms * interval '1 ms' else j.locked_at end as started_at,
    case when j.id is null then f.finished_at end as finished_at, case when j.id is null then f.duration_ms end as duration_ms,
    left(case when j.id is null then f.last_error else j.last_error end, ${ERROR_LENGTH}) as last_error,
    j.locked_at is not null and c.job_id is not null as cancel_requested,
    case when j.locked_at is not null then w.beat_at is not null and w.beat_at > now() - interval '30 s' end as worker_alive
  from page p
    left join graphile_worker._private_jobs j on j.id = p.id
    left join graphile_worker._private_tasks k on k.id = j.task_id
    left join finished_jobs f on f.id = p.id and j.id is null
    left join job_cancellations c on c.job_id = p.id
    left join job_workers w on w.pool_id = j.locked_by
  order by p.id desc`;

const ONE = prepare<JobRow>(
  `with page as (select id from graphile_worker._private_jobs where id = $1
                 union select id from finished_jobs where id = $1) ${DETAILS}`,
);

const OPEN: Readonly<Record<string, string>> = {
  queued: 'j.is_available',
  running: 'j.locked_at is not null',
  failed: 'j.locked_at is null and not j.is_available',
};
const OF_TASK =
  '($1::text is null or j.task_id = (select id from graphile_worker._private_tasks where identifier = $1))';

/** One job, or undefined when there is none by this id, or it was over long ago. */
export function readJob(target: Sql, id: string): Promise<JobRow | undefined> {
  return target.maybe(ONE([id]));
}

/** Jobs by their id, the newest first: `limit` of them, after the id `before` (all when null) and `offset` more. */
export function readJobs(
  target: Sql,
  { state, task }: JobFilter,
  { before, limit, offset }: { before: string | null; limit: number; offset: number },
): Promise<JobRow[]> {
  const parts: string[] = [];
  if (!state || OPEN[state])
    parts.push(
      `(select j.id from graphile_worker._private_jobs j
        where ${state ? OPEN[state] : 'true'} and ${OF_TASK} and ($2::bigint is null or j.id < $2) order by j.id desc limit $3)`,
    );
  if (!state || !OPEN[state])
    parts.push(
      `(select f.id from finished_jobs f
        where ${state ? `f.outcome = '${state}'` : 'true'} and ($1::text is null or f.task = $1)
          and ($2::bigint is null or f.id < $2) order by f.id desc limit $3)`,
    );
  return target.many(
    sql<JobRow>(
      `with page as (select id from (${parts.join(' union ')}) found order by id desc limit $4 offset $5) ${DETAILS}`,
      [task ?? null, before, offset + limit, limit, offset],
    ),
  );
}

const COUNT_OPEN = prepare<{ queued: number; running: number; failed: number }>(
  `select count(*) filter (where ${OPEN.queued}) as queued, count(*) filter (where ${OPEN.running}) as running,
          count(*) filter (where ${OPEN.failed}) as failed
   from graphile_worker._private_jobs j where ${OF_TASK}`,
);
const COUNT_FINISHED = prepare<{ done: number; cancelled: number }>(
  `select count(*) filter (where outcome = 'done') as done, count(*) filter (where outcome = 'cancelled') as cancelled
   from finished_jobs where $1::text is null or task = $1`,
);

/** How many jobs are listed in each state. A hundred thousand that wait are counted in some 40 ms. */
export async function countJobs(target: Sql, task?: string): Promise<JobCounts> {
  const [open, finished] = await Promise.all([
    target.one(COUNT_OPEN([task ?? null])),
    target.one(COUNT_FINISHED([task ?? null])),
  ]);
  return { ...open, ...finished };
}

const THROUGHPUT = prepare<{
  task: string;
  minute_done: number;
  minute_failed: number;
  done: number;
  failed: number;
  average_ms: number | null;
}>(
  `select task,
     coalesce(sum(done) filter (where minute = date_trunc('minute', now()) - interval '1 minute'), 0)::int8 as minute_done,
     coalesce(sum(failed) filter (where minute = date_trunc('minute', now()) - interval '1 minute'), 0)::int8 as minute_failed,
     sum(done)::int8 as done, sum(failed)::int8 as failed,
     (sum(total_ms) / nullif(sum(done) + sum(failed), 0))::float8 as average_ms
   from job_throughput
   where minute > date_trunc('minute', now()) - interval '60 minutes' and ($1::text is null or task = $1)
   group by task order by task`,
);

/** What the workers of all processes did in the last full minute and in the last hour, task by task. */
export async function readThroughput(target: Sql, task?: string): Promise<TaskThroughput[]> {
  const rows = await target.many(THROUGHPUT([task ?? null]));
  return rows.map((row) => ({
    task: row.task,
    last_minute: { done: row.minute_done, failed: row.minute_failed },
    last_hour: { done: row.done, failed: row.failed },
    average_ms: row.average_ms === null ? null : Math.round(row.average_ms * 10) / 10,
  }));
}
