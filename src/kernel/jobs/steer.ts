import { prepare, sql, type Tx } from '../db.ts';
import { KEYED } from './replaced.ts';

/** What people do to a single job. Both go through the library's own functions where it has them. */

type Elsewhere = { outcome: 'finished' } | { outcome: 'unknown' };
export type Retried = { outcome: 'retried'; task: string } | { outcome: 'running' } | Elsewhere;
export type Cancelled = { outcome: 'cancelled' | 'asked'; task: string } | { outcome: 'asked_before' } | Elsewhere;

const TAKE = prepare<{ task: string; running: boolean; given_up: boolean }>(
  `select k.identifier as task, j.locked_at is not null as running, j.attempts >= j.max_attempts as given_up
   from graphile_worker._private_jobs j join graphile_worker._private_tasks k on k.id = j.task_id
   where j.id = $1 for update of j`,
);

const MARK_AGAIN = prepare(
  `update graphile_worker._private_jobs set flags = '{"${KEYED}": true}' where id = $1 and key is not null`,
);

/** Runs it now: a given-up one with all its attempts again, a waiting one without waiting longer. */
export async function retryJob(tx: Tx, id: string): Promise<Retried> {
  const job = await tx.maybe(TAKE([id]));
  if (!job) return whereIs(tx, id);
  if (job.running) return { outcome: 'running' };
  await tx.run(
    sql('select from graphile_worker.reschedule_jobs(array[$1::bigint], run_at => now(), attempts => $2)', [
      id,
      job.given_up ? 0 : null,
    ]),
  );
  if (job.given_up) await tx.run(MARK_AGAIN([id]));
  await tx.run(sql('delete from job_cancellations where job_id = $1', [id]));
  return { outcome: 'retried', task: job.task };
}

/** Removes it, or asks the worker that runs it to stop. */
export async function cancelJob(tx: Tx, id: string): Promise<Cancelled> {
  const job = await tx.maybe(TAKE([id]));
  if (!job) return whereIs(tx, id);
  const { task } = job;
  if (job.running) {
    const asked = await tx.run(sql('insert into job_cancellations (job_id) values ($1) on conflict do nothing', [id]));
    return asked === 1 ? { outcome: 'asked', task } : { outcome: 'asked_before' };
  }
  await tx.run(
    sql(
      `insert into finished_jobs (id, task, payload, outcome, attempts, max_attempts, queued_at, finished_at, last_error)
       select id, $2, payload, 'cancelled', attempts, max_attempts, created_at, now(), last_error
       from graphile_worker.complete_jobs(array[$1::bigint])
       on conflict (id) do nothing`,
      [id, task],
    ),
  );
  return { outcome: 'cancelled', task };
}

async function whereIs(tx: Tx, id: string): Promise<Elsewhere> {
  const finished = await tx.maybe(sql('select from finished_jobs where id = $1', [id]));
  return { outcome: finished ? 'finished' : 'unknown' };
}
