import type { Sql } from '../../kernel/db.ts';
import { countJobs, type JobRow, readJob, readJobs, readThroughput } from '../../kernel/jobs.ts';
import { invalidCursor, refuseDeep } from '../../kernel/paging.ts';
import { jobNotFound } from './errors.ts';
import type { Job, JobListQuery, JobPage } from './schemas.ts';

/** A page of jobs, the newest first, with how many there are and what is being done. Throws page_too_deep and invalid_cursor. */
export async function listJobs(target: Sql, query: JobListQuery): Promise<JobPage> {
  const { page = 1, page_size: size = 10, cursor, state, task } = query;
  refuseDeep(query);
  if (cursor !== undefined && !/^\d{1,18}$/.test(cursor))
    throw invalidCursor('Use next_cursor of the page before as it stands, with the same filters.');
  const [rows, counts, throughput] = await Promise.all([
    readJobs(
      target,
      { state, task },
      { before: cursor ?? null, limit: size + 1, offset: cursor === undefined ? (page - 1) * size : 0 },
    ),
    countJobs(target, task),
    readThroughput(target, task),
  ]);
  const items = rows.slice(0, size);
  const total = state ? counts[state] : Object.values(counts).reduce((sum, count) => sum + count, 0);
  return {
    items: items.map(present),
    page: cursor === undefined ? page : null,
    page_size: size,
    total,
    total_pages: Math.ceil(total / size),
    next_cursor: rows.length > size ? items.at(-1)!.id : null,
    counts,
    throughput,
  };
}

/** One job. Throws job_not_found. */
export async function findJob(target: Sql, id: string): Promise<Job> {
  const row = await readJob(target, id);
  if (!row) throw unknownJob();
  return present(row);
}

export function unknownJob() {
  return jobNotFound('There is no job with this id, or it was over long ago.');
}

function present(row: JobRow): Job {
  const { run_at, created_at, started_at, finished_at } = row;
  return {
    ...row,
    run_at: run_at?.toISOString() ?? null,
    created_at: created_at.toISOString(),
    started_at: started_at?.toISOString() ?? null,
    finished_at: finished_at?.toISOString() ?? null,
  };
}
