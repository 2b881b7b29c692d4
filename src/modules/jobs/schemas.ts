import Type, { type Static } from 'typebox';
import { JOB_STATES } from '../../kernel/jobs.ts';
import { PAGING, PageOf } from '../../kernel/paging.ts';

const State = Type.Enum([...JOB_STATES], {
  description:
    '`queued` waits for its time or a worker, `failed` has spent its attempts and is kept until somebody retries or cancels it.',
});
const Time = Type.String({ format: 'date-time' });
const OrNull = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const Job = Type.Object(
  {
    id: Type.String(),
    task: Type.String(),
    state: State,
    payload: Type.Unknown({ description: 'What it was given: ids, nothing secret.' }),
    attempts: Type.Integer({ description: 'How often it was begun; a running one counts.' }),
    max_attempts: Type.Integer(),
    run_at: OrNull(Type.String({ format: 'date-time', description: 'When a queued one is due.' })),
    created_at: Time,
    started_at: OrNull(Time),
    finished_at: OrNull(Time),
    duration_ms: OrNull(Type.Integer()),
    last_error: OrNull(Type.String({ description: 'Of the last run that failed, cut to 2,000 characters.' })),
    cancel_requested: Type.Boolean({ description: 'A running one was asked to stop.' }),
    worker_alive: OrNull(
      Type.Boolean({
        description:
          'Whether the worker of a running one gives signs of life. Otherwise another takes it over within a minute.',
      }),
    ),
  },
  { $id: 'Job', additionalProperties: false },
);
export type Job = Static<typeof Job>;

/** The library's ids: numbers of up to 19 digits. */
const Id = Type.String({ pattern: '^[1-9][0-9]{0,17}$' });
export const JobId = Type.Object({ id: Id }, { additionalProperties: false });

export const JobListQuery = Type.Object(
  {
    ...PAGING,
    state: Type.Optional(State),
    task: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'As it stands.' })),
  },
  { additionalProperties: false },
);
export type JobListQuery = Static<typeof JobListQuery>;

const Done = Type.Object({ done: Type.Integer(), failed: Type.Integer() }, { additionalProperties: false });
const Throughput = Type.Object(
  {
    task: Type.String(),
    last_minute: Done,
    last_hour: Done,
    average_ms: OrNull(Type.Number()),
  },
  { additionalProperties: false },
);

export const JobPage = Type.Object(
  {
    ...PageOf(Type.Ref('Job')).properties,
    counts: Type.Object(
      {
        queued: Type.Integer(),
        running: Type.Integer(),
        failed: Type.Integer(),
        done: Type.Integer(),
        cancelled: Type.Integer(),
      },
      {
        additionalProperties: false,
        description:
          'How many are listed in each state, of the task asked for. Done and cancelled ones are kept for a week, the newest 10,000; when very many are done at once, some of them.',
      },
    ),
    throughput: Type.Array(Throughput, {
      description:
        'Every run of the last full minute and of the last hour. `failed` are runs that ended in an error, whether or not the job was tried again.',
    }),
  },
  { additionalProperties: false },
);
export type JobPage = Static<typeof JobPage>;
