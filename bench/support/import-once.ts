import { readFileSync } from 'node:fs';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/kernel/config.ts';
import { createKernel } from '../../src/kernel/kernel.ts';

/**
 * Imports a feed in a process of its own, as the CLI does: `import-once.ts <url> <feed> <mode>`; answers time and peak memory.
 *
 * The peak is that of what this process and the one that reads the feed have resident together, looked at 50 times a
 * second (in /proc, so on Linux only): the pages of each, and those of files, which are Node itself and shared, once.
 */
const [databaseUrl, path, mode] = process.argv.slice(2) as [string, string, 'create' | 'upsert'];
const config = readConfig({
  DATABASE_URL: databaseUrl,
  LOG_LEVEL: 'error',
  SECRET_KEY: 'a secret that only this measurement has',
});
let peak = 0;
const sampling = setInterval(() => {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').match(/\d+/g) ?? [];
  const resident = [process.pid, ...children.map(Number)].map(residentOf);
  const own = resident.reduce((sum, { all, ofFiles }) => sum + all - ofFiles, 0);
  peak = Math.max(peak, own + Math.max(...resident.map(({ ofFiles }) => ofFiles)));
}, 20);
const kernel = await createKernel({ config, databaseUrl });
await kernel.events.start();
const phases: Record<string, number> = {};
const began = performance.now();
const report = await createApp(kernel, 'https://shop.example').imports.run({
  path,
  mode,
  ownUrl: null,
  onProgress({ phase }) {
    phases[phase] ??= Math.round(performance.now() - began) / 1000;
  },
});
await kernel.close();
clearInterval(sampling);
console.log(
  JSON.stringify({
    seconds: report.seconds,
    counts: report.counts,
    status: report.status,
    phases,
    peakMb: Math.round(Math.max(peak, process.resourceUsage().maxRSS) / 1024),
  }),
);

/** In KiB; nothing for a process that has just ended. */
function residentOf(pid: number): { all: number; ofFiles: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    return { all: read('VmRSS'), ofFiles: read('RssFile') };
  } catch {
    return { all: 0, ofFiles: 0 };
  }
}
