import { createReadStream } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { newId } from '../../kernel/ids.ts';
import { type StagedItem, stageItem } from '../catalogue/staging.ts';
import { FeedError, type FeedIssue, type FeedSummary, readFeed } from './feed/read-feed.ts';
import type { ImportFailure } from './import-report.ts';

/**
 * The thread that reads a feed, so that parsing a gigabyte delays no request. It sends lines of COPY in chunks and is
 * never more than a few of them ahead: each chunk is answered when the database has taken it.
 */

export type ParseInput = { path: string; currency: string; now: Date; ownUrl: string | null };

export type ParseMessage =
  | { type: 'chunk'; lines: Uint8Array<ArrayBuffer>; issues: FeedIssue[]; bytesRead: number; rows: number }
  | { type: 'done'; summary: FeedSummary }
  | { type: 'refused'; error: ImportFailure };

const CHUNK_CHARACTERS = 256 * 1024;
const CHUNKS_AHEAD = 4;

const port = parentPort!;
const input = workerData as ParseInput;

let text = '';
let issues: FeedIssue[] = [];
let n = 0;
let ahead = 0;
let resume: (() => void) | undefined;
port.on('message', () => {
  ahead -= 1;
  resume?.();
});

const encoder = new TextEncoder();

function send(progress: { bytesRead: number; read: number }): Promise<void> | void {
  const lines = encoder.encode(text);
  const message: ParseMessage = { type: 'chunk', lines, issues, bytesRead: progress.bytesRead, rows: progress.read };
  port.postMessage(message, [lines.buffer]);
  text = '';
  issues = [];
  ahead += 1;
  if (ahead >= CHUNKS_AHEAD)
    return new Promise((resolve) => {
      resume = resolve;
    });
}

const isOwn = (value: unknown) =>
  input.ownUrl !== null && typeof value === 'string' && value.startsWith(`${input.ownUrl}/`);

/** The link and pictures in a feed that this shop wrote are its own addresses, and no news about the product. */
function withoutOwnLinks(attributes: StagedItem['attributes']): StagedItem['attributes'] {
  if (!isOwn(attributes.link)) return attributes;
  const { link: _, image_link, additional_image_link, ...others } = attributes;
  const foreign = Array.isArray(additional_image_link) ? additional_image_link.filter((link) => !isOwn(link)) : [];
  return {
    ...others,
    ...(image_link === undefined || isOwn(image_link) ? {} : { image_link }),
    ...(foreign.length > 0 ? { additional_image_link: foreign } : {}),
  };
}

try {
  const summary = await readFeed(
    createReadStream(input.path, { highWaterMark: 256 * 1024 }),
    { currency: input.currency, now: input.now },
    {
      item(item) {
        n += 1;
        text += stageItem({ ...item, attributes: withoutOwnLinks(item.attributes) }, n, newId());
      },
      issue(issue) {
        issues.push(issue);
      },
      drained: (progress) => (text.length >= CHUNK_CHARACTERS || issues.length >= 1_000 ? send(progress) : undefined),
    },
  );
  if (text.length > 0 || issues.length > 0) await send({ bytesRead: 0, read: summary.read });
  port.postMessage({ type: 'done', summary } satisfies ParseMessage);
} catch (error) {
  if (!(error instanceof FeedError)) throw error;
  const { code, message, line, column } = error;
  port.postMessage({ type: 'refused', error: { code, message, line, column } } satisfies ParseMessage);
}
port.close();
