import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listMix, readVocabulary, searchMix } from './mix.ts';
import type { Bench } from './support/database.ts';
import { compareScripts, latenciesAt } from './support/load.ts';
import { type Server, startServer } from './support/processes.ts';
import { report } from './support/report.ts';

/**
 * What identity costs: a cached read with a token, and reads while people log in, whose passwords take a core to hash.
 */
const TOKENS = 1_000;
const LOG_INS_AT_ONCE = 16;
const READS_PER_SECOND = 50;
const PASSWORD = 'securepassword123';

export async function benchAccounts(bench: Bench, url: string): Promise<void> {
  const server = await startServer('support/shop-server.ts', [url, 'cached']);
  try {
    await post(server, '/api/auth/register', { email: 'reader@example.com', username: 'reader', password: PASSWORD });
    await benchTokens(bench, server);
    await benchReadsDuringLogIns(bench, url, server);
  } finally {
    await server.stop();
  }
}

async function post<T>(server: Server, path: string, body: object): Promise<T> {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${response.status} from ${path}: ${await response.text()}`);
  return (await response.json()) as T;
}

const logIn = (server: Server) =>
  post<{ access: string }>(server, '/api/auth/token', { username: 'reader', password: PASSWORD });

async function benchTokens(bench: Bench, server: Server): Promise<void> {
  const tokens: string[] = [];
  while (tokens.length < TOKENS)
    tokens.push(...(await Promise.all(Array.from({ length: 20 }, async () => (await logIn(server)).access))));
  const script = (name: string, headers: string[]) => {
    const file = join(bench.folder, `${name}.lua`);
    writeFileSync(file, requestsInTurn('/api/products', headers));
    return file;
  };
  const { one, other } = await compareScripts(
    server.url,
    script(
      'with-token',
      tokens.map((token) => `["authorization"] = "Bearer ${token}"`),
    ),
    script(
      'without-token',
      tokens.map(() => ''),
    ),
  );
  report({
    what: `cached list with a token, ${TOKENS.toLocaleString('en')} of them`,
    measured: `${Math.round(one)}/s`,
    limit: `without ${Math.round(other)}/s`,
    ratio: one / other,
    target: '≥ 0.7',
    met: one >= 0.7 * other,
  });
}

/** A wrk script that sends one request for each of the header tables, made beforehand, over and over. */
function requestsInTurn(path: string, headers: string[]): string {
  return `local requests = {}
local n = 0
init = function()
  for i, headers in ipairs({ ${headers.map((header) => `{${header}}`).join(', ')} }) do
    requests[i] = wrk.format("GET", "${path}", headers)
  end
end
request = function()
  n = n % #requests + 1
  return requests[n]
end
`;
}

async function benchReadsDuringLogIns(bench: Bench, url: string, server: Server): Promise<void> {
  const vocabulary = await readVocabulary(bench, url);
  const lists = listMix(vocabulary, 3_000);
  const searches = searchMix(vocabulary, 3_000);
  const reads = lists.map((list, i) => (i % 10 === 9 ? searches[i]! : list));
  const run = (from: number, to: number) =>
    latenciesAt(
      READS_PER_SECOND,
      reads.slice(from, to).map(({ name, path }) => ({ name, url: server.url + path })),
    );
  await run(0, 500);
  const quiet = await run(500, 1_500);
  let over = false;
  let logIns = 0;
  const people = Array.from({ length: LOG_INS_AT_ONCE }, async () => {
    while (!over) {
      await logIn(server);
      logIns += 1;
    }
  });
  const began = performance.now();
  const busy = await run(1_500, 2_500);
  over = true;
  await Promise.all(people);
  const perSecond = logIns / ((performance.now() - began) / 1_000);
  console.log(
    `  quiet p50 ${quiet.p50.toFixed(1)} ms, p99 ${quiet.p99.toFixed(1)} ms; with ${perSecond.toFixed(0)} log-ins/s p50 ${busy.p50.toFixed(1)} ms, p99 ${busy.p99.toFixed(1)} ms`,
  );
  report({
    what: `reads while ${LOG_INS_AT_ONCE} at once log in, ${READS_PER_SECOND}/s, p99`,
    measured: `${busy.p99.toFixed(1)} ms`,
    limit: `quiet ${quiet.p99.toFixed(1)} ms`,
    ratio: busy.p99 / quiet.p99,
    target: '≤ 3',
    met: busy.p99 <= 3 * quiet.p99,
  });
}
