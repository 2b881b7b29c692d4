-- What the job library's own tables do not keep: which workers live, what they did, who asked them to stop, and of which failures people were told.

create table job_workers (
  pool_id text primary key,
  started_at timestamptz not null default now(),
  beat_at timestamptz not null default now()
);
comment on table job_workers is 'The workers that take jobs (locked_by of a taken one); one whose last beat is old is dead, and its jobs are freed.';

create table finished_jobs (
  id bigint primary key,
  task text not null,
  payload jsonb not null,
  outcome text not null check (outcome in ('done', 'cancelled')),
  attempts integer not null,
  max_attempts integer not null,
  queued_at timestamptz not null,
  finished_at timestamptz not null,
  duration_ms integer,
  last_error text
);
comment on table finished_jobs is 'The newest jobs that were done or cancelled; a sample when very many are done at once (job_throughput counts all).';
comment on column finished_jobs.duration_ms is 'Of its last run; null when it was cancelled without one.';
create index finished_jobs_by_time on finished_jobs (finished_at);

create table job_throughput (
  task text not null,
  minute timestamptz not null,
  done bigint not null,
  failed bigint not null,
  total_ms bigint not null,
  primary key (minute, task)
);
comment on column job_throughput.failed is 'Runs that ended in an error, whether or not the job was tried again.';
comment on column job_throughput.total_ms is 'What all these runs took together.';

create table job_cancellations (
  job_id bigint primary key,
  asked_at timestamptz not null default now()
);
comment on table job_cancellations is 'Running jobs that were asked to stop; gone with their job.';

create table job_failures_told (
  job_id bigint primary key,
  run_at timestamptz not null
);
comment on table job_failures_told is 'Given-up jobs that people were told of. run_at is the job''s: given up once more it has another, and is told again.';
