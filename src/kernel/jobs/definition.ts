import type { Logger } from '../log.ts';

export type JobContext = {
  /** Aborted when the process is asked to stop, or the job to be cancelled: finish soon, or throw. */
  signal: AbortSignal;
  log: Logger;
  /**
   * Whether it is not tried again if it throws now: its attempts are spent, or it was cancelled. One that a stop
   * interrupts is always tried again.
   */
  readonly isLastAttempt: boolean;
};

/**
 * Workers of their own for jobs that wait on foreign hosts: however slow these are, the other jobs have theirs. Jobs
 * without a lane share the process's workers.
 */
export type Lane = { readonly name: string; readonly concurrency: number };

export type Job<Payload> = {
  readonly name: string;
  /** A payload holds ids and no more: superusers see it in the list of jobs. */
  run(payload: Payload, context: JobContext): Promise<void>;
  /** Tries before it is given up; 25 when left out, over about three days. */
  readonly maxAttempts?: number;
  readonly lane?: Lane;
  /**
   * Also run by itself at these times (crontab, UTC), with an empty payload; once, however many processes there are.
   * What runs once a day or more rarely is made up for when every process was down at its time.
   */
  readonly cron?: string;
};

export function defineJob<Payload extends object>(job: Job<Payload>): Job<Payload> {
  return job;
}
