import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { FeedIssue, FeedSummary } from './feed/read-feed.ts';
import type { ImportFailure, ImportProgress } from './import-report.ts';
import type { ParseInput, ParseMessage } from './parse-worker.ts';

/** The file as a whole was refused. */
export class FeedRefused extends Error {
  readonly failure: ImportFailure;
  constructor(failure: ImportFailure) {
    super(failure.message);
    this.name = 'FeedRefused';
    this.failure = failure;
  }
}

/**
 * Reads the feed in a worker thread into `copy`, the stream of COPY_STAGED, and ends it. Throws FeedRefused, or the
 * signal's reason; then the stream is destroyed, and the transaction it belongs to has to be given up.
 */
export async function parseFeed(
  input: ParseInput,
  copy: NodeJS.WritableStream & { destroy(error?: Error): void },
  tell: {
    issues(issues: FeedIssue[]): Promise<void>;
    progress(progress: Omit<ImportProgress, 'phase' | 'sizeBytes'>): void;
  },
  signal?: AbortSignal,
): Promise<FeedSummary> {
  const worker = new Worker(new URL('./parse-worker.ts', import.meta.url), {
    workerData: input,
    // Left alone, the nursery grows with the file and peak memory with it; beyond this it gains no speed.
    resourceLimits: { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 12 },
  });
  const stop = () => void worker.terminate();
  signal?.addEventListener('abort', stop, { once: true });
  let bytes = 0;
  try {
    const summary = await new Promise<FeedSummary>((resolve, reject) => {
      const take = async (message: ParseMessage) => {
        if (message.type === 'done') return resolve(message.summary);
        if (message.type === 'refused') return reject(new FeedRefused(message.error));
        bytes = Math.max(bytes, message.bytesRead);
        tell.progress({ bytesRead: bytes, rows: message.rows });
        if (message.issues.length > 0) await tell.issues(message.issues);
        const { buffer, byteLength } = message.lines;
        if (byteLength > 0 && !copy.write(Buffer.from(buffer, 0, byteLength))) await once(copy, 'drain');
        worker.postMessage('taken');
      };
      // One after the other: COPY wants its chunks in order, and the last message must not overtake them.
      let queue = Promise.resolve();
      worker.on('message', (message: ParseMessage) => {
        queue = queue.then(() => take(message)).catch(reject);
      });
      worker.on('error', reject);
      worker.on('exit', () => {
        queue = queue.then(() =>
          reject(signal?.reason ?? new Error('The thread that reads the feed ended before the feed.')),
        );
      });
      copy.on('error', reject);
    });
    copy.end();
    await once(copy, 'finish');
    return summary;
  } catch (error) {
    copy.destroy(error as Error);
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
    await worker.terminate();
  }
}
