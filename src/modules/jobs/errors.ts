import { defineError } from '../../kernel/errors.ts';

export const jobNotFound = defineError('job_not_found', 404, 'Job not found');
export const jobRunning = defineError('job_running', 409, 'The job is running');
export const jobFinished = defineError('job_finished', 409, 'The job is over');
