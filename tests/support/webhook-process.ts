import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/kernel/config.ts';
import { createKernel } from '../../src/kernel/kernel.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { drainEndpoint } from '../../src/modules/notifications/webhooks/drain.ts';

/** A process that sends what is due to a webhook, to be killed. Its environment is a shop's, its argument the webhook. */

const config = readConfig(process.env);
const kernel = await createKernel({ config, databaseUrl: config.DATABASE_URL!, log: createLogger(config.LOG_LEVEL) });
const { webhooks } = createApp(kernel, 'https://shop.example');
await drainEndpoint(webhooks, process.argv[2]!, { signal: new AbortController().signal });
