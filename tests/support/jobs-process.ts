import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase, sql } from '../../src/kernel/db.ts';
import { defineJob, startJobs } from '../../src/kernel/jobs.ts';
import { createLogger } from '../../src/kernel/log.ts';

/** A process that works on jobs, to be stopped, paused and killed. Each run of a job leaves a row in `runs`. */

const [url, times] = process.argv.slice(2) as [string, string];
const log = createLogger('silent');
const db = openDatabase({ url, poolSize: 2, namedStatements: true, log });
const note = (job: string, what: string) =>
  db.run(sql('insert into runs (job, pid, what) values ($1, $2, $3)', [job, process.pid, what]));

const jobs = [
  // Ends after a while, and sooner when it is asked to.
  defineJob<{ ms: number }>({
    name: 'test.heeds',
    async run({ ms }, { signal }) {
      await note('heeds', 'begun');
      await sleep(ms, undefined, { signal });
      await note('heeds', 'done');
    },
  }),
  // Ends when it does.
  defineJob<{ ms: number }>({
    name: 'test.deaf',
    async run({ ms }) {
      await note('deaf', 'begun');
      await sleep(ms);
      await note('deaf', 'done');
    },
  }),
  // Needs no database.
  defineJob<{ ms: number }>({ name: 'test.quick', run: ({ ms }) => sleep(ms) }),
  defineJob({
    name: 'test.kills',
    async run() {
      await note('kills', 'begun');
      process.kill(process.pid, 'SIGKILL');
      await sleep(60_000);
    },
  }),
];

const workers = await startJobs({ url, jobs, concurrency: 2, log, times: JSON.parse(times) as object });
process.once('SIGTERM', async () => {
  await workers.stop();
  await db.close();
  process.exit(0);
});
process.stdout.write('ready\n');
