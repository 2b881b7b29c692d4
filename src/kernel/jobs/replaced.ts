import { prepare } from '../db.ts';

/**
 * Jobs whose place was taken by a later one with their key while they ran. The library takes the key from such a job and
 * counts its attempts as spent: if its worker then died, or it threw, it would look like one that was given up, although
 * its successor does the work. So it ends instead, however its run ends, and is listed as cancelled.
 */

/**
 * A flag of every job that was enqueued with a key: one that has it and no key was replaced. The library takes the key of a
 * given-up one too, and of these people are to know: so the flag goes when the last attempt fails.
 */
export const KEYED = 'keyed';

/** Of an update that ends an attempt as failed, of a job that its worker still holds. */
export const SET_GIVEN_UP = `flags = case when key is not null and attempts >= max_attempts then flags - '${KEYED}' else flags end`;

export const IS_REPLACED = `key is null and coalesce(flags ? '${KEYED}', false)`;

export function wasReplaced(job: { key: string | null; flags: { [flag: string]: true } | null }): boolean {
  return job.key === null && job.flags?.[KEYED] === true;
}

/** Ends those jobs of the library that were replaced, of those that `condition` names. How often they ran is lost. */
export function endReplaced(condition: string): ReturnType<typeof prepare> {
  return prepare(
    `with gone as (
       delete from graphile_worker._private_jobs where (${condition}) and ${IS_REPLACED} returning *
     )
     insert into finished_jobs (id, task, payload, outcome, attempts, max_attempts, queued_at, finished_at, last_error)
     select g.id, k.identifier, g.payload, 'cancelled', 1, g.max_attempts, g.created_at, now(),
       'A later job with its key took its place.'
     from gone g join graphile_worker._private_tasks k on k.id = g.task_id
     on conflict (id) do nothing`,
  );
}
