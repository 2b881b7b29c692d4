import { readConfig } from '../../src/kernel/config.ts';
import { startJobs } from '../../src/kernel/jobs.ts';
import { createKernel } from '../../src/kernel/kernel.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { witness } from './witness.ts';

/** A process that relays events and works on the jobs that follow, to be killed. Its environment is a shop's. */

const config = readConfig(process.env);
const databaseUrl = config.DATABASE_URL!;
const log = createLogger(config.LOG_LEVEL);
const kernel = await createKernel({ config, databaseUrl, log });
kernel.events.subscribe(witness);
await kernel.events.start();
await startJobs({ url: databaseUrl, jobs: kernel.events.jobs, concurrency: 2, log });
process.stdout.write('ready\n');
