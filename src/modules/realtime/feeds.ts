import { type EventQuery, type LoggedEvent, matchesTypes } from '../../kernel/events.ts';
import { validationFailed } from '../../kernel/http/index.ts';

/** Which events somebody follows. */
export type Feed =
  | {
      kind: 'log';
      /** `product.*` for all that begin with `product.`; null for every one. */
      types: readonly string[] | null;
    }
  | {
      /** The notices to one user. */
      kind: 'notices';
      userId: string;
      /** Whether it is told who of the staff did something; otherwise only what the user did themself. */
      namesStaff: boolean;
      /** Whether it is told how much is in stock, which is for staff. */
      tellsStock: boolean;
    };

/** What `/ws/products` is about. An import is told of by its end alone, once its quantities are applied too. */
export const PRODUCT_FEED: readonly string[] = [
  'product.*',
  'stock.*',
  'image.*',
  'category.*',
  'offer.*',
  'order.*',
  'import.completed',
  'import.failed',
  'import.cancelled',
];

/** Those of the feed's types that were asked for, as `a.*,b.c`. Throws validation_failed when there is none. */
export function narrowTypes(feed: readonly string[] | null, asked: string | undefined): readonly string[] | null {
  if (asked === undefined) return feed;
  const wanted = [...new Set(asked.split(','))].sort();
  if (!feed) return wanted.includes('*') ? null : wanted;
  const stem = (pattern: string) => pattern.replace(/\*$/, '');
  const both = wanted.flatMap((one) =>
    feed.flatMap((of) => {
      if (matchesTypes(stem(one), [of])) return one;
      return matchesTypes(stem(of), [one]) ? of : [];
    }),
  );
  if (both.length === 0)
    throw validationFailed('Some fields are not valid.', {
      errors: [{ path: 'types', message: `must name some of ${feed.join(', ')}` }],
    });
  return [...new Set(both)];
}

export function isIn(feed: Feed, event: Pick<LoggedEvent, 'type' | 'user_id'>): boolean {
  if (feed.kind === 'notices') return event.user_id === feed.userId;
  return !feed.types || matchesTypes(event.type, feed.types);
}

/** How the log is asked for the feed's events. */
export function queryOf(feed: Feed, range: { after: number; limit: number }): EventQuery {
  if (feed.kind === 'notices') return { ...range, userId: feed.userId };
  return feed.types ? { ...range, types: feed.types } : range;
}
