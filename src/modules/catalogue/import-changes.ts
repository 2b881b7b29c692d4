import { prepare, type Sql } from '../../kernel/db.ts';
import type { FieldChange, LoggedEvent } from '../../kernel/events.ts';

type Row = {
  id: number;
  product_id: string;
  sku: string;
  slug: string | null;
  name: string | null;
  at: Date;
  action: string;
  version: number;
  actor_id: string | null;
  changes: Record<string, FieldChange>;
};

const ROWS = prepare<Row>(
  `select c.id, c.product_id, c.sku, p.slug, p.name, c.at, c.action, c.version, c.actor_id, c.changes
   from product_changes c left join products p on p.id = c.product_id
   where c.import_id = $1 and c.id > $2 and c.action = any ($4) order by c.id limit $3`,
);

/** What an import does to a product. */
const ACTIONS = ['created', 'updated'] as const;

/**
 * What an import changed, product by product, in the shape of events, which the log spares its readers: their positions
 * are those of the rows. `types` says which are wanted.
 */
export async function importChanges(
  target: Sql,
  importId: string,
  { after, limit, types }: { after: number; limit: number; types: (type: string) => boolean },
): Promise<Omit<LoggedEvent, 'event_id'>[]> {
  const actions = ACTIONS.filter((action) => types(`product.${action}`));
  const rows = await target.many(ROWS([importId, after, limit, actions]));
  return rows.map(({ id, product_id, sku, slug, name, at, action, version, actor_id, changes }) => ({
    position: id,
    type: `product.${action}`,
    occurred_at: at,
    actor_id,
    subject_type: 'product',
    subject_id: product_id,
    changes,
    data: { sku, slug, name, version, import_id: importId },
    user_id: null,
  }));
}
