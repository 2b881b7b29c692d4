import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { FeedIssue, FeedSummary } from './feed/read-feed.ts';
import { type ImportProgress, ImportRefused } from './import-report.ts';
import type { ParseInput, ParseMessage } from './parse-process.ts';

/** As much of what a process says of its own end as its error tells. */
const WORDS_CHARACTERS = 4_000;

type Tell = {
  issues(issues: FeedIssue[]): Promise<void>;
  progress(progress: Omit<ImportProgress, 'phase' | 'sizeBytes'>): void;
};

/**
 * Reads the feed in a process of its own into `copy`, the stream of COPY_STAGED, and ends it. Throws ImportRefused, the
 * signal's reason, or an error of that process; then the stream is destroyed, and the transaction it belongs to has to be
 * given up. When this is over, so is the process.
 */
export async function parseFeed(
  input: Omit<ParseInput, 'now'> & { now: Date },
  copy: NodeJS.WritableStream & { destroy(error?: Error): void },
  tell: Tell,
  signal?: AbortSignal,
): Promise<FeedSummary> {
  // PostgreSQL answers a COPY that was given up with an error, when nobody listens any more.
  copy.on('error', () => {});
  try {
    signal?.throwIfAborted();
    const child = startProcess({ ...input, now: input.now.toISOString() });
    return await readInto(child, copy, tell, signal);
  } catch (error) {
    const reason = signal?.aborted ? signal.reason : error;
    copy.destroy(reason);
    throw reason;
  }
}

function startProcess(input: ParseInput): ChildProcess {
  const cache = getCompileCacheDir();
  return fork(new URL('./parse-process.ts', import.meta.url), [JSON.stringify(input)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Left alone, the nursery grows with the file and peak memory with it; beyond this it gains no speed.
    execArgv: ['--max-old-space-size=192', '--max-semi-space-size=4', '--disable-warning=ExperimentalWarning'],
    // What parses strangers' files holds no secrets: nothing of the shop's environment, and Node needs none of it. The
    // folder is where Node keeps this file's own name and version; from there it starts in half the time.
    env: cache ? { NODE_COMPILE_CACHE: dirname(cache) } : {},
  });
}

async function readInto(
  child: ChildProcess,
  copy: NodeJS.WritableStream,
  tell: Tell,
  signal: AbortSignal | undefined,
): Promise<FeedSummary> {
  const outcome = Promise.withResolvers<FeedSummary>();
  // It may fail before the pipeline below comes to look at it.
  outcome.promise.catch(() => {});
  let isOver = false;
  const fail = (error: unknown) => {
    isOver = true;
    outcome.reject(error);
    child.kill('SIGKILL');
  };

  let bytes = 0;
  const take = async (message: ParseMessage) => {
    if (isOver) return;
    if (message.type === 'done') return outcome.resolve(message.summary);
    if (message.type === 'refused') return fail(new ImportRefused(message.error));
    bytes = Math.max(bytes, message.bytesRead);
    tell.progress({ bytesRead: bytes, rows: message.rows });
    if (message.issues.length > 0) await tell.issues(message.issues);
    // Whether it is still there to be answered, its end tells.
    child.send('taken', () => {});
  };
  // One after the other: what the process said last must not be overtaken by its end.
  let queue = Promise.resolve();
  child.on('message', (message) => {
    queue = queue.then(() => take(message as ParseMessage)).catch(fail);
  });
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    words = (words + part).slice(0, WORDS_CHARACTERS);
  });
  child.on('error', fail);
  // Emitted when the process has ended and all that it sent has been read.
  const closed = new Promise<void>((resolve) => {
    child.once('close', (code, killedBy) => {
      queue = queue.then(() =>
        fail(new Error(`The process that reads the feed ended before the feed (${killedBy ?? code}). ${words}`.trim())),
      );
      resolve();
    });
  });
  const stop = () => fail(signal!.reason);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    await once(child, 'spawn');
    await pipeline(
      child.stdout!,
      // Only now, when it has said that the feed is whole, COPY may be ended.
      async function* (lines) {
        yield* lines;
        await outcome.promise;
      },
      copy,
      signal ? { signal } : {},
    );
    return await outcome.promise;
  } finally {
    signal?.removeEventListener('abort', stop);
    fail(new Error('The feed is no longer read.'));
    await closed;
    await queue;
  }
}
