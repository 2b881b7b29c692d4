import { importInto } from './import.ts';
import { listMix, readVocabulary, searchMix } from './mix.ts';
import type { Bench } from './support/database.ts';
import { feedFile } from './support/feed-file.ts';
import { latenciesAt } from './support/load.ts';
import { startServer } from './support/processes.ts';
import { report } from './support/report.ts';

/**
 * Reads at a fixed rate, from a server as it runs (cache and all), on its own and while another process imports 100,000
 * new items into the same database.
 */
const READS_PER_SECOND = 50;

export async function benchReadsDuringImport(bench: Bench, url: string): Promise<void> {
  const vocabulary = await readVocabulary(bench, url);
  const ids = await bench.query<{ id: string }>(
    url,
    'select id from products tablesample system (2) repeatable (1) limit 500',
  );
  const lists = listMix(vocabulary, 4_000);
  const searches = searchMix(vocabulary, 4_000);
  // Six lists and three products for one search.
  const reads = Array.from({ length: 4_000 }, (_, i) =>
    i % 10 === 9
      ? searches[i]!
      : i % 10 >= 6
        ? { name: 'product', path: `/api/products/${ids[i % ids.length]!.id}` }
        : lists[i]!,
  );
  const server = await startServer('support/shop-server.ts', [url, 'cached']);
  const run = (from: number, to: number) =>
    latenciesAt(
      READS_PER_SECOND,
      reads.slice(from, to).map(({ name, path }) => ({ name, url: server.url + path })),
    );
  await run(0, 500);
  const quiet = await run(500, 1_500);
  const feed = await feedFile(bench.folder, 100_000, 2);
  let over = false;
  const importing = importInto(url, feed).finally(() => {
    over = true;
  });
  const busy: Awaited<ReturnType<typeof run>>[] = [];
  for (let from = 1_500; !over && from < reads.length; from += 250) busy.push(await run(from, from + 250));
  const { seconds } = await importing;
  await server.stop();
  // The slices are of one size: the worst of their 99th percentiles bounds that of all.
  const p99 = Math.max(...busy.map((slice) => slice.p99));
  console.log(
    `  quiet p50 ${quiet.p50.toFixed(1)} ms, p99 ${quiet.p99.toFixed(1)} ms; p99 by 5 s of an import of ${seconds.toFixed(0)} s: ${busy.map((slice) => slice.p99.toFixed(0)).join(', ')} ms`,
  );
  report({
    what: `reads while 100,000 items are imported, ${READS_PER_SECOND}/s, p99`,
    measured: `${p99.toFixed(1)} ms`,
    limit: `quiet ${quiet.p99.toFixed(1)} ms`,
    ratio: p99 / quiet.p99,
    target: '≤ 3',
    met: p99 <= 3 * quiet.p99,
  });
}
