import { readConfig } from '../../src/kernel/config.ts';
import { startJobs } from '../../src/kernel/jobs.ts';
import { createKernel } from '../../src/kernel/kernel.ts';
import { createNotifications } from '../../src/modules/notifications/index.ts';

/** A process that sends mail until it is killed. */
const config = readConfig(process.env);
const kernel = await createKernel({ config, databaseUrl: config.DATABASE_URL!, applicationName: 'mail process' });
const { jobs } = createNotifications(kernel, { publicUrl: config.PUBLIC_URL! });
await startJobs({ url: kernel.directUrl, jobs, concurrency: 1, log: kernel.log });
process.send!('ready');
