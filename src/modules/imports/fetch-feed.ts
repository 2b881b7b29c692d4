import type { Kernel } from '../../kernel/kernel.ts';
import { failure, ImportRefused } from './import-report.ts';
import { saveFetched, type TakenImport } from './store.ts';

/** What an import may be; a feed of ten million products has about this size. */
export const MAX_FEED_BYTES = 2 * 1024 ** 3;

const TIMEOUT_MS = 3_600_000;
const ACCEPT = 'application/xml, text/xml, application/gzip, */*;q=0.5';

/** The key under which an import's feed is stored. */
export function feedKey(id: string): string {
  return `imports/${id}`;
}

/** Fetches the feed into the blob store and answers its key, so that a later run need not ask for it again. */
export async function fetchFeed(
  { db, outbound, blobs }: Pick<Kernel, 'db' | 'outbound' | 'blobs'>,
  { id, source_url }: TakenImport,
  signal: AbortSignal | undefined,
): Promise<string> {
  const answer = await outbound.get(source_url!, {
    maxBytes: MAX_FEED_BYTES,
    timeoutMs: TIMEOUT_MS,
    accept: ACCEPT,
    ...(signal ? { signal } : {}),
  });
  if (answer.status !== 200) {
    answer.body.destroy();
    throw new ImportRefused(
      failure(
        'remote_status',
        `${new URL(answer.url).host} answered with status ${answer.status} in place of the feed.`,
      ),
    );
  }
  const blobKey = feedKey(id);
  const stored = await blobs.put(blobKey, answer.body);
  await saveFetched(db, id, { blobKey, ...stored });
  return blobKey;
}
