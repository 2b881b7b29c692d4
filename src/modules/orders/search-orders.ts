import { type Sql, sql } from '../../kernel/db.ts';
import { isUuid } from '../../kernel/ids.ts';
import { DEEPEST, invalidCursor, type Page, type Paging, refuseDeep } from '../../kernel/paging.ts';
import { searchWords, toQueryText } from '../catalogue/index.ts';
import { readOrderNumberStart } from './number.ts';

/**
 * Orders that are not simply walked: of a time, or that words lead to in one of three ways, which are the beginning of a
 * number, the words of what was ordered, and the customer. Each way finds its newest 10,001 by an index of its own, and
 * those are then merged.
 *
 * Joined by `or` no index serves, so that all orders are walked; and a planner that sees the limit of a page takes a word
 * that nobody ever bought for one that the next order has, and a month long ago for yesterday. At 200,000 orders of three
 * lines that takes 0.8 to 4 s, against at most 0.4 s like this, and 10 to 100 ms for most.
 */

/** What a client looks for: `text`, or anything when it is empty, and `where` over `values`, numbered from $1. */
type Question = { text: string; where: readonly string[]; values: readonly unknown[]; customersToo: boolean };

/** Usernames are no shorter, and fewer letters begin too many. */
const LEAST_OF_A_NAME = 3;

/** A page of ids, the newest first. Throws page_too_deep, invalid_cursor. */
export async function searchOrders(target: Sql, question: Question, paging: Paging): Promise<Page<{ id: string }>> {
  const { page = 1, page_size: size = 10, cursor } = paging;
  refuseDeep(paging);
  if (cursor !== undefined && !isUuid(cursor))
    throw invalidCursor('Use next_cursor of the page before as it stands, with the same filters.');
  const [found, { total }] = await Promise.all([
    readFound(target, question, { size, cursor, offset: cursor === undefined ? (page - 1) * size : 0 }),
    cursor === undefined ? { total: null } : readFound(target, question, { size: 0, cursor: undefined, offset: 0 }),
  ]);
  const count = Math.min(total ?? found.total, DEEPEST + 1);
  const items = found.ids.slice(0, size).map((id) => ({ id }));
  return {
    items,
    page: cursor === undefined ? page : null,
    page_size: size,
    total: count,
    total_pages: Math.ceil(count / size),
    ...(count > DEEPEST ? { total_is_estimate: true } : {}),
    next_cursor: found.ids.length > size ? items.at(-1)!.id : null,
  };
}

type Slice = { size: number; cursor: string | undefined; offset: number };

async function readFound(
  target: Sql,
  { text, where, values: given, customersToo }: Question,
  { size, cursor, offset }: Slice,
): Promise<{ ids: string[]; total: number }> {
  const values = [...given];
  const add = (value: unknown) => `$${values.push(value)}`;
  const common = cursor === undefined ? where : [...where, `o.id < ${add(cursor)}::uuid`];
  const ways = waysTo(text, customersToo, add).map(
    (way) =>
      `(select o.id from orders o where ${[...common, way].join(' and ')} order by o.id desc limit ${DEEPEST + 1})`,
  );
  if (ways.length === 0) return { ids: [], total: 0 };
  return target.one(
    sql<{ ids: string[]; total: number }>(
      `with found as materialized (${ways.join(' union ')})
       select array(select id from found order by id desc limit ${size + 1} offset ${offset}) as ids,
         (select count(*) from found) as total`,
      values,
    ),
  );
}

/** Conditions over `orders o`; none when nothing can be looked for. */
function waysTo(text: string, customersToo: boolean, add: (value: unknown) => string): string[] {
  if (text === '') return ['true'];
  const ways: string[] = [];
  const number = readOrderNumberStart(text);
  if (number !== null) ways.push(`o.number like ${add(`${number}%`)}`);
  const words = searchWords(text);
  // By the product: an order is also found by what the thing was called when others bought it.
  if (words.length > 0)
    ways.push(
      `exists (select from order_items i join sold_names s on s.product_id = i.product_id
         where i.order_id = o.id and s.words @@ to_tsquery('vitrine', ${add(toQueryText(words))}))`,
    );
  if (customersToo && text.length >= LEAST_OF_A_NAME) {
    const start = `lower(${add(`${text.replace(/[\\%_]/g, '\\$&')}%`)})`;
    ways.push(
      `o.user_id in (select u.id from users u
         where u.erased_at is null and (lower(u.username) like ${start} or lower(u.email) like ${start}))`,
    );
  }
  return ways;
}
