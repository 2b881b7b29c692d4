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
  await benchLatency(url, { what: 'changes', rate: 500, sockets: 50, limitMs: 25, seconds: 10 });
  await benchLatency(url, { what: 'whole product updates', rate: 500, sockets: 50, limitMs: 25, seconds: 10 });
  await benchLatency(url, { what: 'changes', rate: 20, sockets: 1_000, limitMs: 50, seconds: 10 });
  await benchFanOut(url, { sockets: 1_000, messages: 200 });
  await benchFanOut(url, { sockets: 5_000, messages: 50 });
}

async function benchLatency(
  url: string,
  {
    what,
    rate,
    sockets,
    limitMs,
    seconds,
  }: { what: 'changes' | 'whole product updates'; rate: number; sockets: number; limitMs: number; seconds: number },
  rounds = 3,
): Promise<void> {
  const whole = what !== 'changes';
  const server = await startObedient('support/live-server.ts', [url]);
  const [address, token] = server.first.split(' ') as [string, string];
  const clients = await startObedient('support/sockets.ts', [address, PATH, token, String(sockets)]);
  const run = async (changes: number) => {
    await clients.ask({ prices: changes });
    const [committed, seen] = await Promise.all([
      server.ask<Record<string, string>>({ changes, rate, whole }),
      clients.hear<Record<string, number[]>>(),
    ]);
    const latencies = Object.entries(seen).flatMap(([price, times]) => {
      const at = committed[price];
      if (at === undefined) throw new Error(`A change to ${price} was seen that nobody made.`);
      return times.map((time) => (time - Number(at)) / 1e6);
    });
    latencies.sort((a, b) => a - b);
    const quantile = (share: number) =>
      latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]!;
    return { p50: quantile(0.5), p99: quantile(0.99) };
  };
  await run(rate * 3);
  const seen: { p50: number; p99: number }[] = [];
  for (let i = 0; i < rounds; i++) seen.push(await run(rate * seconds));
  await clients.stop();
  await server.stop();
  console.log(`  ${seen.map(({ p50, p99 }) => `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)} ms`).join('; ')}`);
  const p99 = median(seen.map((each) => each.p99));
  report({
    what: `events from commit to socket, ${rate} ${what}/s, ${sockets.toLocaleString('en')} sockets, p99`,
    measured: `${p99.toFixed(1)} ms`,
    limit: `${limitMs} ms`,
    ratio: p99 / limitMs,
    target: '≤ 1',
    met: p99 <= limitMs,
  });
}

/** Messages per second to all sockets; ours are events committed one after another, from the first commit on. */
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
