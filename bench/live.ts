import { importInto } from './import.ts';
import type { Bench } from './support/database.ts';
import { feedFile } from './support/feed-file.ts';
import { median } from './support/load.ts';
import { type Obedient, startObedient } from './support/processes.ts';
import { report } from './support/report.ts';

/** The live feed: from a change's commit to everybody's socket, and what it costs to tell many. */

const PATH = '/ws/products';

export async function benchLive(bench: Bench): Promise<void> {
  const url = await bench.database('bench_live');
  await importInto(url, await feedFile(bench.folder, 10_000));
  await benchLatency(url, { rate: 500, sockets: 50, limitMs: 25, seconds: 20 });
  await benchLatency(url, { rate: 20, sockets: 1_000, limitMs: 50, seconds: 20 });
  await benchFanOut(url, { sockets: 1_000, messages: 200 });
  await benchFanOut(url, { sockets: 5_000, messages: 50 });
}

async function benchLatency(
  url: string,
  { rate, sockets, limitMs, seconds }: { rate: number; sockets: number; limitMs: number; seconds: number },
): Promise<void> {
  const server = await startObedient('support/live-server.ts', [url]);
  const [address, token] = server.first.split(' ') as [string, string];
  const clients = await startObedient('support/sockets.ts', [address, PATH, token, String(sockets)]);
  const run = async (changes: number) => {
    await clients.ask({ prices: changes });
    const [committed, seen] = await Promise.all([
      server.ask<Record<string, string>>({ changes, rate }),
      clients.hear<Record<string, string[]>>(),
    ]);
    return Object.entries(seen).flatMap(([price, times]) => {
      const at = committed[price];
      if (at === undefined) throw new Error(`A change to ${price} was seen that nobody made.`);
      return times.map((time) => Number(BigInt(time) - BigInt(at)) / 1e6);
    });
  };
  await run(rate * 3);
  const latencies = (await run(rate * seconds)).toSorted((a, b) => a - b);
  await clients.stop();
  await server.stop();
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]!;
  console.log(`  p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms, max ${at(1).toFixed(1)} ms`);
  report({
    what: `events from commit to socket, ${rate} changes/s, ${sockets.toLocaleString('en')} sockets, p99`,
    measured: `${at(0.99).toFixed(1)} ms`,
    limit: `${limitMs} ms`,
    ratio: at(0.99) / limitMs,
    target: '≤ 1',
    met: at(0.99) <= limitMs,
  });
}

/** Messages per second to all sockets; ours from the commit of the events, relay and drawing included. */
async function benchFanOut(
  url: string,
  { sockets, messages }: { sockets: number; messages: number },
  rounds = 3,
): Promise<void> {
  const shop = await startObedient('support/live-server.ts', [url]);
  const bare = await startObedient('support/bare-broadcast.ts', []);
  const clientsOf = async (server: Obedient) => {
    const [address, token] = server.first.split(' ') as [string, string];
    return startObedient('support/sockets.ts', [address, PATH, token, String(sockets)]);
  };
  const shopClients = await clientsOf(shop);
  const bareClients = await clientsOf(bare);
  const round = async (server: Obedient, clients: Obedient, order: object) => {
    await clients.ask({ frames: messages });
    const [{ at: from }, { at: to, last }] = await Promise.all([
      server.ask<{ at: string }>({ burst: messages, ...order }),
      clients.hear<{ at: string; last: string }>(),
    ]);
    return { perSecond: (messages * sockets * 1e9) / Number(BigInt(to) - BigInt(from)), last };
  };
  const seen = { shop: [] as number[], bare: [] as number[] };
  for (let i = 0; i <= rounds; i++) {
    const one = await round(shop, shopClients, {});
    const other = await round(bare, bareClients, { message: one.last });
    // The first round warms both up.
    if (i === 0) continue;
    seen.shop.push(one.perSecond);
    seen.bare.push(other.perSecond);
  }
  for (const each of [shopClients, bareClients, shop, bare]) await each.stop();
  const [one, other] = [median(seen.shop), median(seen.bare)];
  report({
    what: `fan-out to ${sockets.toLocaleString('en')} sockets, messages`,
    measured: `${Math.round(one)}/s`,
    limit: `bare ws ${Math.round(other)}/s`,
    ratio: one / other,
    target: '≥ 0.7',
    met: one >= 0.7 * other,
  });
}
