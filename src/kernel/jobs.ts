/**
 * Work that outlives the request that caused it, over graphile-worker: jobs are rows beside the data, retried with
 * growing pauses until their attempts are spent. A job may run twice (a worker can die after its effect), so every
 * handler is idempotent.
 */

export { defineJob, type Job, type JobContext } from './jobs/definition.ts';
export { enqueue } from './jobs/enqueue.ts';
export { defineFailureWatch, type FailedJob } from './jobs/failures.ts';
export { wasCancelled } from './jobs/perform.ts';
export { countJobs, JOB_STATES, type JobRow, readJob, readJobs, readThroughput } from './jobs/states.ts';
export { cancelJob, retryJob } from './jobs/steer.ts';
export { defineTidyJob } from './jobs/tidy.ts';
export { startJobs, type Workers } from './jobs/workers.ts';
