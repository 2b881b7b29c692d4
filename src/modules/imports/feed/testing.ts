/** Reads a whole feed into arrays, for tests. */
import type { StagedItem } from '../../catalogue/index.ts';
import { FeedError, type FeedIssue, type FeedSummary, readFeed } from './read-feed.ts';

export type Outcome = {
  items: StagedItem[];
  issues: FeedIssue[];
  summary: FeedSummary | null;
  error: FeedError | null;
};

export async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What readFeed makes of `feed`, in chunks of `chunkSize` bytes; errors other than FeedError are thrown. */
export async function readAll(
  feed: string | Uint8Array,
  options: { currency?: string; now?: string; chunkSize?: number } = {},
): Promise<Outcome> {
  const bytes = typeof feed === 'string' ? Buffer.from(feed) : feed;
  const outcome: Outcome = { items: [], issues: [], summary: null, error: null };
  const sink = {
    item: (item: StagedItem) => void outcome.items.push(item),
    issue: (issue: FeedIssue) => void outcome.issues.push(issue),
    drained: () => {},
  };
  const shop = { currency: options.currency ?? 'USD', now: new Date(options.now ?? '2026-06-01T12:00:00Z') };
  try {
    outcome.summary = await readFeed(chunksOf(bytes, options.chunkSize ?? 100_000), shop, sink);
  } catch (error) {
    if (!(error instanceof FeedError)) throw error;
    outcome.error = error;
  }
  return outcome;
}

export const rss = (items: string, root = 'xmlns:g="http://base.google.com/ns/1.0"') =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" ${root}><channel><title>x</title>\n${items}\n</channel></rss>`;

/** An item of `fields`, with an id, a title and, unless they have one, a price. */
export function item(fields: string): string {
  const hasPrice = fields.replace(/<g:shipping>.*?<\/g:shipping>/gs, '').includes('price>');
  const price = hasPrice ? '' : '<g:price>10.00 USD</g:price>';
  return `<item><g:id>a1</g:id><g:title>Thing</g:title>${price}${fields}</item>`;
}

/** The outcome of a feed of one item made of `fields`. */
export async function readOne(fields: string, options: { currency?: string; now?: string } = {}) {
  const { items, issues, error } = await readAll(rss(item(fields)), options);
  if (error) throw error;
  return { item: items[0] ?? null, issues, codes: issues.map(({ code }) => code) };
}
