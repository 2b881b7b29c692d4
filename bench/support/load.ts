import { execFile } from 'node:child_process';
import { Agent, get } from 'node:http';
import { promisify } from 'node:util';

/** What wrk asks for; a script (Lua) says each request. */
type Load = { url: string; script?: string };

/** Requests per second that `url` answers to 32 connections, by wrk (a Debian package). Throws if any answer is an error. */
async function throughput({ url, script }: Load, seconds = 6): Promise<number> {
  const scripted = script === undefined ? [] : ['-s', script];
  const { stdout } = await promisify(execFile)('wrk', ['-t1', '-c32', `-d${seconds}s`, ...scripted, url]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`Errors under load from ${url}:\n${stdout}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
}

/** Requests per second of both by turns, so that a swing of the machine meets both: the medians. */
export function compare(one: string, other: string): Promise<{ one: number; other: number }> {
  return compareLoads({ url: one }, { url: other });
}

/** The same server under two scripts of requests. */
export function compareScripts(url: string, one: string, other: string): Promise<{ one: number; other: number }> {
  return compareLoads({ url, script: one }, { url, script: other });
}

async function compareLoads(one: Load, other: Load, rounds = 3): Promise<{ one: number; other: number }> {
  const seen: { one: number[]; other: number[] } = { one: [], other: [] };
  await throughput(one, 2);
  await throughput(other, 2);
  for (let i = 0; i < rounds; i++) {
    seen.other.push(await throughput(other));
    seen.one.push(await throughput(one));
  }
  return { one: median(seen.one), other: median(seen.other) };
}

export function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

export type Latencies = {
  count: number;
  p50: number;
  p99: number;
  max: number;
  byName: Map<string, { count: number; p99: number }>;
};

/**
 * Sends requests at a fixed rate, whether or not the ones before were answered, and measures each from the moment it
 * was due: a server that stalls cannot hide it by not being asked. Milliseconds. Throws on an answer that is no 2xx.
 */
export async function latenciesAt(
  rate: number,
  requests: readonly { name: string; url: string }[],
): Promise<Latencies> {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const began = performance.now();
  const taken: { name: string; ms: number }[] = [];
  await Promise.all(
    requests.map(
      ({ name, url }, i) =>
        new Promise<void>((resolve, reject) => {
          const due = began + (i * 1000) / rate;
          setTimeout(
            () => {
              get(url, { agent }, (response) => {
                response.resume();
                response.on('end', () => {
                  if (response.statusCode !== 200) return reject(new Error(`${response.statusCode} from ${url}`));
                  taken.push({ name, ms: performance.now() - due });
                  resolve();
                });
              }).on('error', reject);
            },
            Math.max(0, due - performance.now()),
          );
        }),
    ),
  );
  agent.destroy();
  const p99Of = (entries: { ms: number }[], share: number) =>
    entries.map(({ ms }) => ms).toSorted((a, b) => a - b)[
      Math.min(entries.length - 1, Math.floor(entries.length * share))
    ]!;
  const byName = new Map(
    [...Map.groupBy(taken, ({ name }) => name)].map(([name, entries]) => [
      name,
      { count: entries.length, p99: p99Of(entries, 0.99) },
    ]),
  );
  return { count: taken.length, p50: p99Of(taken, 0.5), p99: p99Of(taken, 0.99), max: p99Of(taken, 1), byName };
}
