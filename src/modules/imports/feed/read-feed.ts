/**
 * Reads a Google Merchant feed: bytes in, products and issues out, in memory that does not grow with the file. The
 * way: blocks.ts (gzip, equal blocks), encoding.ts (text), xml.ts (elements, guarded), item-reader.ts (items),
 * item-mapper.ts (products). No database, no network, no clock.
 */
import type { StagedItem } from '../../catalogue/index.ts';
import { readBlocks } from './blocks.ts';
import { createDecoder, type Decoder, detectEncoding, UndecodableError } from './encoding.ts';
import type { FeedIssue } from './issue.ts';
import { createItemMapper } from './item-mapper.ts';
import { createItemReader } from './item-reader.ts';
import { createXmlReader, type XmlReader } from './xml.ts';

export { FeedError, type FeedIssue } from './issue.ts';

/** Items of the feed: `read` is the sum of the other two. */
export type FeedSummary = { read: number; accepted: number; rejected: number };

/** Takes what is read. If one of its functions throws, reading ends with that error. */
export interface FeedSink {
  item(item: StagedItem): void;
  issue(issue: FeedIssue): void;
  /**
   * Called after each 64 KiB of content, and awaited: what it returns holds back the reading. `bytesRead` counts bytes
   * of the file as stored (packed ones when it is gzip), `read` items.
   */
  drained(progress: { bytesRead: number; read: number }): Promise<void> | void;
}

/**
 * Reads an RSS or Atom feed, plain or gzip, for a shop of `currency` (ISO 4217). `now` decides which sale prices are
 * running. Items reach the sink before the file has proved well-formed: only its return says that all of it is.
 *
 * @throws FeedError when the file as a whole is refused; `signal`'s reason; errors of the source and of the sink
 */
export async function readFeed(
  source: AsyncIterable<Uint8Array>,
  options: { currency: string; now: Date },
  sink: FeedSink,
  signal?: AbortSignal,
): Promise<FeedSummary> {
  const summary: FeedSummary = { read: 0, accepted: 0, rejected: 0 };
  const map = createItemMapper(options, (issue) => sink.issue(issue));
  const xml = createXmlReader((place) =>
    createItemReader(place, (raw) => {
      summary.read += 1;
      const item = map(raw);
      if (item === null) {
        summary.rejected += 1;
        return;
      }
      summary.accepted += 1;
      sink.item(item);
    }),
  );
  let bytesRead = 0;
  let decoder: Decoder | null = null;

  signal?.throwIfAborted();
  for await (const block of readBlocks(source, (count) => (bytesRead += count))) {
    decoder ??= createDecoder(detectEncoding(block));
    writeDecoded(xml, decoder, block);
    await sink.drained({ bytesRead, read: summary.read });
    signal?.throwIfAborted();
  }
  if (decoder !== null) writeDecoded(xml, decoder);
  xml.end();
  return summary;
}

/** Without a block: the file's end. What comes before undecodable bytes is read first, as its faults are the earlier. */
function writeDecoded(xml: XmlReader, decoder: Decoder, block?: Uint8Array): void {
  let text: string;
  try {
    text = decoder.decode(block);
  } catch (error) {
    if (!(error instanceof UndecodableError)) throw error;
    xml.write(error.before);
    const advice = 'Save the feed in UTF-8, or declare the encoding that it is in.';
    xml.refuseNext('encoding_invalid', `The bytes that stand here are no text in ${decoder.label}. ${advice}`);
  }
  xml.write(text);
}
