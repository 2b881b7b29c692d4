import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/kernel/config.ts';
import { createKernel } from '../../src/kernel/kernel.ts';

/** Imports a feed in a process of its own, as the CLI does: `import-once.ts <url> <feed> <mode>`; answers time and peak memory. */
const [databaseUrl, path, mode] = process.argv.slice(2) as [string, string, 'create' | 'upsert'];
const config = readConfig({ DATABASE_URL: databaseUrl, LOG_LEVEL: 'error' });
const kernel = await createKernel({ config, databaseUrl });
await kernel.events.start();
const phases: Record<string, number> = {};
const began = performance.now();
const report = await createApp(kernel).imports.run({
  path,
  mode,
  ownUrl: null,
  onProgress({ phase }) {
    phases[phase] ??= Math.round(performance.now() - began) / 1000;
  },
});
await kernel.close();
console.log(
  JSON.stringify({
    seconds: report.seconds,
    counts: report.counts,
    status: report.status,
    phases,
    peakMb: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
);
