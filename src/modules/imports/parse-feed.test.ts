import { execFileSync, spawn } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import {
  closeSync,
  constants,
  createWriteStream,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  type WriteStream,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventually } from '../../kernel/testing/index.ts';
import type { FeedIssue } from './feed/read-feed.ts';
import { parseFeed } from './parse-feed.ts';

/** The process that reads a feed: what it is given, what it gives, and that it never stays behind. */

let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vitrine-parse-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const HEAD = '<?xml version="1.0"?><rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>';
const TAIL = '</channel></rss>';
const item = (n: number, price = '1 USD') =>
  `<item><g:id>i${n}</g:id><g:title>Thing ${n}</g:title><g:price>${price}</g:price></item>`;
const items = (count: number, price?: string) => Array.from({ length: count }, (_, n) => item(n, price)).join('');

function save(content: string): string {
  const path = join(folder, `feed-${files++}.xml`);
  writeFileSync(path, content);
  return path;
}

const READ_NOW = constants.O_RDONLY | constants.O_NONBLOCK;

/** A feed that does not end until the test ends it. */
const pipes: { path: string; pipe: WriteStream }[] = [];
function endless(content: string): { path: string; taken: () => number } {
  const path = join(folder, `feed-${files++}.xml`);
  execFileSync('mkfifo', [path]);
  const pipe = createWriteStream(path);
  pipe.on('error', () => {});
  pipes.push({ path, pipe });
  let taken = 0;
  const write = () => {
    const part = content.slice(taken, taken + 65_536);
    if (part !== '')
      pipe.write(part, (error) => {
        if (error) return;
        taken += part.length;
        write();
      });
  };
  write();
  return { path, taken: () => taken };
}
afterEach(() => {
  for (const { path, pipe } of pipes.splice(0)) {
    // Nobody may have come to read: its opening would then keep one of the process's few threads for ever.
    if (pipe.pending && !pipe.destroyed) setTimeout(closeSync, 1_000, openSync(path, READ_NOW));
    pipe.destroy();
  }
});

class Copy extends Writable {
  text = '';
  override _write(chunk: Buffer, _: BufferEncoding, taken: (error?: Error) => void): void {
    this.text += chunk;
    taken();
  }
}

type Tell = Partial<Parameters<typeof parseFeed>[2]>;
const parse = (path: string, copy: Writable, tell: Tell = {}, signal?: AbortSignal) =>
  parseFeed(
    { path, currency: 'USD', now: new Date(), ownUrl: null },
    copy,
    { issues: async () => {}, progress: () => {}, ...tell },
    signal,
  );

/** The process that reads this file, by /proc. */
function readerOf(path: string): number | undefined {
  const isReader = (pid: string) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return line.includes('parse-process.ts') && line.includes(path);
    } catch {
      return false;
    }
  };
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isReader(name));
  return pid === undefined ? undefined : Number(pid);
}

async function started(path: string): Promise<number> {
  let pid: number | undefined;
  await eventually(() => {
    pid = readerOf(path);
    expect(pid).toBeDefined();
  });
  return pid!;
}

/** Not even as a zombie. */
const exists = (pid: number) => existsSync(`/proc/${pid}`);

/** What it rejects with, told before anybody awaits it. */
const failure = (parsing: Promise<unknown>): Promise<Error> =>
  parsing.then(
    () => Promise.reject(new Error('The feed was read.')),
    (error: Error) => error,
  );

describe('a feed that is read', () => {
  it('is in COPY line by line, and its issues and summary are told; then nobody listens or waits any more', async () => {
    const copy = new Copy();
    const issues: string[] = [];
    const path = save(HEAD + items(3_000) + item(3_000, 'free') + TAIL);
    const { signal } = new AbortController();
    const tell = {
      issues: async (told: FeedIssue[]) => {
        issues.push(...told.map(({ code }) => code));
      },
    };
    const summary = await parse(path, copy, tell, signal);
    expect(summary).toEqual({ read: 3_001, accepted: 3_000, rejected: 1 });
    expect(issues).toEqual(['price_invalid']);
    expect(copy.writableFinished).toBe(true);
    const lines = copy.text.split('\n');
    expect(lines).toHaveLength(3_001);
    expect(lines.slice(0, 3_000).map((line) => line.split('\t')[3])).toEqual(
      Array.from({ length: 3_000 }, (_, n) => `i${n}`),
    );
    expect(readerOf(path)).toBeUndefined();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('is held back while the database takes nothing', async () => {
    const content = HEAD + items(200_000);
    const { path, taken } = endless(content);
    const { signal, abort } = aborter();
    const failed = failure(parse(path, new Writable({ write() {} }), {}, signal));
    await eventually(() => expect(taken()).toBeGreaterThan(100_000));
    await sleep(1_000);
    expect(taken()).toBeLessThan(content.length / 4);
    abort(new Error('enough'));
    expect((await failed).message).toBe('enough');
  });

  it('is held back while its issues are written, one batch after the other', async () => {
    const content = HEAD + items(200_000, 'free');
    const { path, taken } = endless(content);
    const { signal, abort } = aborter();
    let batches = 0;
    const gate = Promise.withResolvers<void>();
    const issues = async () => {
      batches += 1;
      await gate.promise;
    };
    const failed = failure(parse(path, new Copy(), { issues }, signal));
    await eventually(() => expect(batches).toBe(1));
    await sleep(1_000);
    expect(batches).toBe(1);
    expect(taken()).toBeLessThan(content.length / 4);
    abort(new Error('enough'));
    gate.resolve();
    expect((await failed).message).toBe('enough');
    expect(batches).toBe(1);
  });
});

function aborter() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: (reason: Error) => controller.abort(reason) };
}

describe('the process', () => {
  it('has nothing of the shop’s environment', async () => {
    vi.stubEnv('SECRET_KEY', 'a secret that no reader of feeds needs');
    vi.stubEnv('DATABASE_URL', 'postgres://somebody:password@127.0.0.1/shop');
    try {
      const { path } = endless(HEAD);
      const { signal, abort } = aborter();
      const failed = failure(parse(path, new Copy(), {}, signal));
      const pid = await started(path);
      const names = readFileSync(`/proc/${pid}/environ`, 'utf8')
        .split('\0')
        .map((entry) => entry.split('=')[0]);
      expect(names).toContain('NODE_CHANNEL_FD');
      expect(names.filter((name) => name && !name.startsWith('NODE_'))).toEqual([]);
      abort(new Error('enough'));
      await failed;
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('is gone when reading has been aborted, and COPY is given up', async () => {
    const { path } = endless(HEAD + items(20_000));
    const copy = new Copy();
    const { signal, abort } = aborter();
    const failed = failure(parse(path, copy, {}, signal));
    const pid = await started(path);
    await eventually(() => expect(copy.text).not.toBe(''));
    const reason = new Error('nobody wants it');
    abort(reason);
    expect(await failed).toBe(reason);
    expect(exists(pid)).toBe(false);
    expect([copy.destroyed, copy.writableFinished]).toEqual([true, false]);
  });

  it('is not even begun for what was aborted before', async () => {
    const { path } = endless(HEAD);
    const copy = new Copy();
    const reason = new Error('nobody wants it');
    expect(await failure(parse(path, copy, {}, AbortSignal.abort(reason)))).toBe(reason);
    expect(readerOf(path)).toBeUndefined();
    expect(copy.destroyed).toBe(true);
  });

  it('killed by somebody else is an error, and COPY is given up', async () => {
    const { path } = endless(HEAD + items(20_000));
    const copy = new Copy();
    const failed = failure(parse(path, copy));
    const pid = await started(path);
    await eventually(() => expect(copy.text).not.toBe(''));
    process.kill(pid, 'SIGKILL');
    expect((await failed).message).toMatch(/ended before the feed \(SIGKILL\)/);
    expect(exists(pid)).toBe(false);
    expect([copy.destroyed, copy.writableFinished]).toEqual([true, false]);
  });

  it('that fails tells why', async () => {
    const copy = new Copy();
    expect((await failure(parse(join(folder, 'missing.xml'), copy))).message).toMatch(/\(1\).*ENOENT/s);
    expect(copy.destroyed).toBe(true);
  });

  it('is gone when the database has failed, in COPY or with issues', async () => {
    const { path } = endless(HEAD + items(20_000));
    const broken = new Error('no database');
    const copy = new Writable({ write: (_chunk, _encoding, taken) => taken(broken) });
    expect(await failure(parse(path, copy))).toBe(broken);
    expect(readerOf(path)).toBeUndefined();

    const wrong = endless(HEAD + items(20_000, 'free'));
    const other = new Copy();
    expect(await failure(parse(wrong.path, other, { issues: () => Promise.reject(broken) }))).toBe(broken);
    expect(readerOf(wrong.path)).toBeUndefined();
    expect(other.destroyed).toBe(true);
  });

  it.each(['as soon as it is there', 'while it waits for the file'])(
    'ends by itself when its parent is killed, %s',
    async (when) => {
      const { path, taken } = endless(HEAD);
      const script = `import { Writable } from 'node:stream';
      import { parseFeed } from ${JSON.stringify(new URL('./parse-feed.ts', import.meta.url).href)};
      await parseFeed({ path: ${JSON.stringify(path)}, currency: 'USD', now: new Date(), ownUrl: null },
        new Writable({ write() {} }), { issues: async () => {}, progress() {} });`;
      const { NODE_OPTIONS: _, ...env } = process.env;
      const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { env, stdio: 'ignore' });
      await started(path);
      if (when.startsWith('while')) await eventually(() => expect(taken()).toBeGreaterThan(0), 15_000);
      parent.kill('SIGKILL');
      await once(parent, 'exit');
      await eventually(() => expect(readerOf(path)).toBeUndefined(), 15_000);
    },
  );
});
