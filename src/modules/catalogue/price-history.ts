import { prepare, type Sql } from '../../kernel/db.ts';
import { formatMoney } from '../../kernel/money.ts';
import type { PriceHistory } from './write-schemas.ts';

type Row = { valid_from: Date; price: number; sale_price: number | null };
type Lowest = { price: number; opened: Date; began: Date };

const MAX_ITEMS = 1_000;
const ITEMS = prepare<Row>(
  `select valid_from, price, sale_price from price_history where product_id = $1 order by valid_from desc limit ${MAX_ITEMS}`,
);

/**
 * The prior price of Directive 98/6/EC, Article 6a (as amended by Directive (EU) 2019/2161): the lowest price that was
 * applied during the 30 days before the reduction.
 *
 * The reduction that runs now began with the first of the prices, up to the present one, that all were sale prices: one
 * that is increased step by step is one reduction (Article 6a(5)), and its prior price stays what it was before the
 * first step. The price in force when the 30 days opened was applied during them and counts; one that ended at that very
 * moment does not. Of a product that is younger (Article 6a(4)) all prices count, from its first one on.
 */
const LOWEST = prepare<Lowest>(
  `with reduction as (
     select min(valid_from) as began from price_history
     where product_id = $1 and valid_from > coalesce(
       (select max(valid_from) from price_history where product_id = $1 and sale_price is null), '-infinity')
   ), days as (
     select r.began, coalesce(
       (select max(h.valid_from) from price_history h
        where h.product_id = $1 and h.valid_from <= r.began - interval '720 hours'), '-infinity') as first
     from reduction r
   )
   select min(coalesce(h.sale_price, h.price)) as price,
          greatest(d.began - interval '720 hours', min(h.valid_from)) as opened, d.began
   from days d join price_history h on h.product_id = $1 and h.valid_from >= d.first and h.valid_from < d.began
   group by d.began`,
);

/** A product's own price over time, and what the current reduction has to be compared with. */
export async function priceHistory(db: Sql, productId: string, currency: string): Promise<PriceHistory> {
  const [rows, lowest] = await Promise.all([db.many(ITEMS([productId])), db.maybe(LOWEST([productId]))]);
  const money = (minor: number) => formatMoney(minor, currency);
  return {
    currency,
    items: rows.map(({ valid_from, price, sale_price }) => ({
      valid_from: valid_from.toISOString(),
      price: money(price),
      sale_price: sale_price === null ? null : money(sale_price),
      effective_price: money(sale_price ?? price),
    })),
    lowest_30_days: lowest
      ? { price: money(lowest.price), from: lowest.opened.toISOString(), to: lowest.began.toISOString() }
      : null,
  };
}
