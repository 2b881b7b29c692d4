import { readFileSync } from 'node:fs';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/kernel/config.ts';
import { createKernel } from '../../src/kernel/kernel.ts';

/**
 * Imports a feed in a process of its own, as the CLI does: `import-once.ts <url> <feed> <mode>`; answers time and peak memory.
 *
 * The peak is that of the sum of what this process and the one that reads the feed have resident, looked at 50 times a second
 * (in /proc, so on Linux only). Pages that both share, Node itself above all, count twice.
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
  const resident = children.map(Number).reduce((sum, pid) => sum + residentOf(pid), residentOf(process.pid));
  peak = Math.max(peak, resident);
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

/** In KiB; 0 for a process that has just ended. */
function residentOf(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
