import { createReadStream } from 'node:fs';
import { newId } from '../../kernel/ids.ts';
import { type StagedItem, stageItem } from '../catalogue/staging.ts';
import { FeedError, type FeedIssue, type FeedSummary, readFeed } from './feed/read-feed.ts';
import type { ImportFailure } from './import-report.ts';

/**
 * The process that reads a feed, so that parsing a gigabyte delays no request (docs/adr/0008). Lines of COPY go to
 * stdout, which carries nothing else and holds the reading back when the database is slow; what there is to tell goes over
 * the IPC channel, one message at a time, each answered when it has been dealt with.
 */

/** The only argument, as JSON; `now` in ISO 8601. */
export type ParseInput = { path: string; currency: string; now: string; ownUrl: string | null };

export type ParseMessage =
  | { type: 'progress'; issues: FeedIssue[]; bytesRead: number; rows: number }
  | { type: 'done'; summary: FeedSummary }
  | { type: 'refused'; error: ImportFailure };

/** Larger ones are no faster, and some of each stage wait for the garbage collector. */
const CHUNK_CHARACTERS = 64 * 1024;

const input = JSON.parse(process.argv[2]!) as ParseInput;

// Whoever wanted the lines is gone. `process.exit` would wait for a read that the disk or a pipe never answers.
const leave = () => process.kill(process.pid, 'SIGKILL');
process.on('disconnect', leave);
process.stdout.on('error', leave);

let text = '';
let issues: FeedIssue[] = [];
let n = 0;
/** The chunk before this one: answered, and taken from stdout. */
let before: Promise<unknown> = Promise.resolve();

/** Tells and writes what there is, as soon as the chunk before it is gone. */
async function send({ bytesRead, read: rows }: { bytesRead: number; read: number }): Promise<void> {
  await before;
  const answered = new Promise<void>((resolve) => process.once('message', () => resolve()));
  const taken = new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
  before = Promise.all([answered, taken]);
  tell({ type: 'progress', issues, bytesRead, rows });
  text = '';
  issues = [];
}

function tell(message: ParseMessage, told = () => {}): void {
  process.send!(message, told);
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

async function read(): Promise<ParseMessage> {
  try {
    const summary = await readFeed(
      createReadStream(input.path),
      { currency: input.currency, now: new Date(input.now) },
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
    await send({ bytesRead: 0, read: summary.read });
    await before;
    return { type: 'done', summary };
  } catch (error) {
    if (!(error instanceof FeedError)) throw error;
    const { code, message, line, column } = error;
    return { type: 'refused', error: { code, message, line, column } };
  }
}

tell(await read(), () => process.exit());
