import { benchAccounts } from './accounts.ts';
import { benchAnswers } from './answers.ts';
import { benchEvents } from './events.ts';
import { benchImport, importInto } from './import.ts';
import { benchLists, benchSearch } from './lists.ts';
import { benchLive } from './live.ts';
import { benchOrders } from './orders.ts';
import { benchReadsDuringImport } from './reads-during-import.ts';
import { startBench } from './support/database.ts';
import { feedFile } from './support/feed-file.ts';
import { report, table } from './support/report.ts';

/**
 * `npm run bench` measures every figure beside its limit in the same run; `npm run bench -- answers import` only these.
 * Parts: answers, accounts, events, live, orders, import, reads, million (about 30 minutes). Needs wrk and pgbench, of the Debian
 * packages wrk and postgresql.
 */
const PARTS = ['answers', 'accounts', 'events', 'live', 'orders', 'import', 'reads', 'million'] as const;
const asked = process.argv.slice(2);
const unknown = asked.filter((part) => !PARTS.some((known) => known === part));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')}. The parts are ${PARTS.join(', ')}.`);
  process.exit(2);
}
const wants = (part: (typeof PARTS)[number]) => asked.length === 0 || asked.includes(part);

const bench = await startBench();
try {
  const [version] = await bench.query<{ version: string }>(
    await bench.database('bench_version'),
    "select current_setting('server_version') as version",
  );
  let small: string | undefined;
  if (wants('answers') || wants('accounts') || wants('million')) {
    small = await bench.database('bench_small');
    await importInto(small, await feedFile(bench.folder, 10_000));
  }
  if (small && wants('answers')) await benchAnswers(bench, small);
  if (small && wants('accounts')) await benchAccounts(bench, small);
  if (wants('events')) await benchEvents(bench);
  if (wants('live')) await benchLive(bench);
  if (wants('orders')) await benchOrders(bench);
  const imported = wants('import') ? await benchImport(bench) : undefined;
  if (wants('reads')) {
    const url = await bench.database('bench_reads');
    await importInto(url, await feedFile(bench.folder, 100_000, 3));
    await benchReadsDuringImport(bench, url);
  }
  if (small && wants('million')) {
    const large = await bench.database('bench_large');
    const run = await importInto(large, await feedFile(bench.folder, 1_000_000));
    console.log(`  1,000,000 items in ${run.seconds.toFixed(0)} s ${JSON.stringify(run.phases)}, ${run.peakMb} MB`);
    const limit = imported?.peakMb ?? 300;
    report({
      what: 'peak memory of importing 1,000,000 items',
      measured: `${run.peakMb} MB`,
      limit: imported ? `100,000 items ${limit} MB` : '300 MB',
      ratio: run.peakMb / limit,
      target: '≤ 1',
      met: run.peakMb <= limit,
    });
    await benchLists(bench, small, large);
    await benchSearch(bench, large);
  }
  console.log(`\n${table(`Node ${process.versions.node}, PostgreSQL ${version!.version}`)}`);
} finally {
  await bench.stop();
}
