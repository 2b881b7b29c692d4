import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { checkBoundaries } from './boundaries.ts';

/** Format, lint, types, boundaries, unused code: all of them run, then the result is told. `--fast` leaves out the slow. */
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const fast = process.argv.includes('--fast');

const failed: string[] = [];
const run = (name: string, command: string, args: string[]) => {
  const began = Date.now();
  const { status } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' });
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  if (status !== 0) failed.push(name);
};

run('format and lint', 'biome', ['check', '--error-on-warnings', '.']);
run('types', 'tsc', ['--noEmit']);
run('types of the browser tests', 'tsc', ['--noEmit', '-p', 'tests/browser']);
if (!fast) {
  const { modules, violations } = await checkBoundaries(ROOT);
  for (const violation of violations) console.error(violation);
  const good = modules > 0 && violations.length === 0;
  console.log(`${good ? 'ok    ' : 'FAILED'} boundaries (${modules} modules)`);
  if (!good) failed.push('boundaries');
  run('unused code and dependencies', 'knip', []);
}

if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(', ')}.`);
  process.exitCode = 1;
}
