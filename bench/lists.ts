import { listMix, type Query, readVocabulary, searchMix } from './mix.ts';
import type { Bench } from './support/database.ts';
import { type Latencies, latenciesAt } from './support/load.ts';
import { type Server, startServer } from './support/processes.ts';
import { report } from './support/report.ts';

/** Lists at a million products against ten thousand, and search at a million, with the cache off, at fixed rates. */

const LISTS_PER_SECOND = 40;
const SEARCHES_PER_SECOND = 10;

export async function benchLists(bench: Bench, small: string, large: string): Promise<void> {
  const seen: Latencies[] = [];
  for (const url of [small, large]) {
    const mix = listMix(await readVocabulary(bench, url), 1_600);
    const server = await startServer('support/shop-server.ts', [url, 'uncached']);
    await run(server, mix.slice(0, 300), LISTS_PER_SECOND);
    seen.push(await run(server, mix, LISTS_PER_SECOND));
    await server.stop();
  }
  const [few, many] = seen as [Latencies, Latencies];
  tell('lists, 10,000 products', few);
  tell('lists, 1,000,000 products', many);
  report({
    what: `lists by the orderings and filters, 1,000,000 products, ${LISTS_PER_SECOND}/s, p99`,
    measured: `${many.p99.toFixed(1)} ms`,
    limit: `10,000 products ${few.p99.toFixed(1)} ms`,
    ratio: many.p99 / few.p99,
    target: '≤ 3',
    met: many.p99 <= 3 * few.p99,
  });
}

export async function benchSearch(bench: Bench, large: string): Promise<void> {
  const mix = searchMix(await readVocabulary(bench, large), 600);
  const server = await startServer('support/shop-server.ts', [large, 'uncached']);
  await run(server, mix.slice(0, 150), SEARCHES_PER_SECOND);
  const seen = await run(server, mix, SEARCHES_PER_SECOND);
  await server.stop();
  tell('search and facets, 1,000,000 products', seen);
  report({
    what: `search and facets, 1,000,000 products, ${SEARCHES_PER_SECOND}/s, p99`,
    measured: `${seen.p99.toFixed(0)} ms`,
    limit: '150 ms',
    ratio: seen.p99 / 150,
    target: '≤ 1',
    met: seen.p99 <= 150,
  });
}

function run(server: Server, mix: Query[], rate: number): Promise<Latencies> {
  return latenciesAt(
    rate,
    mix.map(({ name, path }) => ({ name, url: server.url + path })),
  );
}

function tell(what: string, seen: Latencies): void {
  console.log(`  ${what}: p50 ${seen.p50.toFixed(1)} ms, p99 ${seen.p99.toFixed(1)} ms, max ${seen.max.toFixed(0)} ms`);
  for (const [name, { count, p99 }] of [...seen.byName].sort((a, b) => b[1].p99 - a[1].p99))
    console.log(`    ${name.padEnd(28)} ${String(count).padStart(4)} requests, p99 ${p99.toFixed(1)} ms`);
}
