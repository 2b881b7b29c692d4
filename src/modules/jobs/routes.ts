import Type from 'typebox';
import type { Http } from '../../kernel/http/index.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { allow, identityOf } from '../accounts/index.ts';
import { findJob, listJobs } from './list-jobs.ts';
import { Job, JobId, JobListQuery, JobPage } from './schemas.ts';
import { cancelJob, retryJob } from './steer-job.ts';

const tags = ['Jobs'];
const NO_STORE = { 'cache-control': 'no-store' };
const READ = allow('superuser', 'jobs:read');
const WRITE = allow('superuser', 'jobs:write');

export function registerJobRoutes(app: Http, kernel: Kernel): void {
  const { db } = kernel;
  app.addSchema(Job);

  app.get(
    '/api/jobs',
    {
      schema: {
        summary: 'List jobs: what waits, runs, was given up and was done',
        description: 'The newest first.',
        tags,
        querystring: JobListQuery,
        response: { 200: JobPage },
      },
      config: READ,
    },
    async (request, reply) => reply.headers(NO_STORE).send(await listJobs(db, request.query)),
  );

  app.get(
    '/api/jobs/:id',
    { schema: { summary: 'A job', tags, params: JobId, response: { 200: Type.Ref('Job') } }, config: READ },
    async (request, reply) => reply.headers(NO_STORE).send(await findJob(db, request.params.id)),
  );

  app.post(
    '/api/jobs/:id/retry',
    {
      schema: {
        summary: 'Run a failed or waiting job now',
        description: 'A failed one gets all its attempts again. 409 `job_running` or `job_finished` otherwise.',
        tags,
        params: JobId,
        response: { 200: Type.Ref('Job') },
      },
      config: WRITE,
    },
    async (request, reply) =>
      reply.headers(NO_STORE).send(await retryJob(kernel, request.params.id, identityOf(request).userId)),
  );

  app.post(
    '/api/jobs/:id/cancel',
    {
      schema: {
        summary: 'Cancel a job',
        description:
          'A queued or failed one is removed (200). A running one is asked to stop (202): it ends as cancelled when it heeds that, and as done when it does not. 409 `job_finished` otherwise.',
        tags,
        params: JobId,
        response: { 200: Type.Ref('Job'), 202: Type.Ref('Job') },
      },
      config: WRITE,
    },
    async (request, reply) => {
      const { asked, job } = await cancelJob(kernel, request.params.id, identityOf(request).userId);
      return reply
        .code(asked ? 202 : 200)
        .headers(NO_STORE)
        .send(job);
    },
  );
}
