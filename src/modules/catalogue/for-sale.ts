import { prepare, type Sql } from '../../kernel/db.ts';
import { STOCK_JOIN } from './conditions.ts';
import { imageUrl } from './present.ts';
import type { ProductRow } from './store-rows.ts';
import { VISIBLE } from './store-rows.ts';

/** A product as a cart and an order see it. */
export type ForSale = {
  id: string;
  sku: string;
  slug: string;
  name: string;
  /** Key of its picture; imageUrl says where that is. */
  image: string | null;
  image_url: string;
  /** What one costs now, in minor units. */
  unit_price: number;
  /** Goes up with every change but those of stock and offers. */
  version: number;
  /** Whether its stock is counted: then no more can be sold than there is, otherwise any number while it is available. */
  tracked: boolean;
  /** How many can be sold now; null for any number. */
  left: number | null;
};

type Row = Pick<
  ProductRow,
  'id' | 'sku' | 'slug' | 'name' | 'image' | 'effective_price' | 'version' | 'availability' | 'on_hand'
>;

// As a subquery the array is of unknown length, so that one plan serves all; otherwise each call would be planned anew.
const READ = prepare<Row>(
  `select p.id, p.sku, p.slug, p.name, p.image, p.effective_price, p.version, p.availability, s.on_hand
   from products p ${STOCK_JOIN} where p.id = any (array(select unnest($1::uuid[]))) and ${VISIBLE}`,
);

/**
 * Those of the products that the public sees, by id; one that is hidden, archived or gone is missing. A preorder and a
 * backorder are sold before they are there, so what is not tracked is out of reach only when it is out of stock.
 */
export async function readForSale(target: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, ForSale>> {
  if (ids.length === 0) return new Map();
  const rows = await target.many(READ([ids]));
  return new Map(
    rows.map(({ effective_price, availability, on_hand, ...row }) => [
      row.id,
      {
        ...row,
        image_url: imageUrl(row.image, 'list'),
        unit_price: effective_price,
        tracked: on_hand !== null,
        left: on_hand ?? (availability === 'out_of_stock' ? 0 : null),
      },
    ]),
  );
}
