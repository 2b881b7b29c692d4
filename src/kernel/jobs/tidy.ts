import { type Database, sql } from '../db.ts';
import { defineJob, type Job } from './definition.ts';

/** Drops what was kept of jobs for looking at: the newest 10,000 single ones of a week, and figures of 30 days. */
export function defineTidyJob(db: Database): Job<object> {
  return defineJob<object>({
    name: 'jobs.tidy',
    cron: '*/5 * * * *',
    async run() {
      await db.run(
        sql(`delete from finished_jobs where finished_at < now() - interval '7 days'
               or id < (select id from finished_jobs order by id desc offset 9999 limit 1)`),
      );
      await db.run(sql("delete from job_throughput where minute < now() - interval '30 days'"));
      await db.run(
        sql(`delete from job_failures_told t
             where not exists (select from graphile_worker._private_jobs j where j.id = t.job_id)`),
      );
    },
  });
}
