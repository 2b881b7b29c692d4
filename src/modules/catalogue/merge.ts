import { sql, type Tx } from '../../kernel/db.ts';
import { newId } from '../../kernel/ids.ts';
import { currencyDigits } from '../../kernel/money.ts';
import { slugify } from './slug.ts';

/**
 * Merges what stands in the temporary table `staged` into the catalogue, set-based, inside the caller's transaction:
 * new products with their texts, price, ledger and history; in mode `upsert` also what differs in those that are there.
 *
 * Text indexes cost most (three quarters of an insert), so texts stand in a table of their own and are written only
 * when they differ: a feed that changes nothing but prices touches no text index. Quantities of products that were
 * there before are left in the temporary table `staged_quantities`: taking them here would hold the rows that
 * checkouts wait for until a merge of a million products commits.
 */

export type MergeCounts = { created: number; updated: number; unchanged: number; existing: number };
export type Superseded = { line: number; sku: string; by: number };

/** `now` is asked when the merge begins, after whichever it had to wait for: prices hold from then. */
type MergeRequest = Omit<MergeOptions, 'at'> & { now: () => Date };
type MergeOptions = { mode: 'create' | 'upsert'; importId: string; currency: string; at: Date; actorId: string | null };

/** One merge at a time: two that create the same SKU would otherwise meet at its unique index. */
export const MERGE_LOCK = 0x6d657267;

/** Attributes that say where a row came from. A feed of our own that comes back has none; what we knew then stays. */
const SOURCE_ATTRIBUTES = ['link', 'mobile_link', 'image_link', 'additional_image_link'];

export async function mergeStaged(
  tx: Tx,
  { now, ...request }: MergeRequest,
): Promise<{ counts: MergeCounts; superseded: Superseded[] }> {
  await tx.run(sql('select pg_advisory_xact_lock($1)', [MERGE_LOCK]));
  const options: MergeOptions = { ...request, at: now() };
  const superseded = await dropSuperseded(tx);
  await tx.run(sql('analyze staged'));
  await tx.run(sql('update staged s set existing_id = p.id from products p where p.sku = s.sku'));
  // Where stock is counted it says itself whether there is any, whatever a row without a quantity says.
  await tx.run(
    sql(`update staged s set availability = 'in_stock' from stock k
         where k.product_id = s.existing_id and s.availability = 'out_of_stock'`),
  );
  await resolveCategories(tx, options);
  const created = await insertNew(tx, options);
  const { total } = await tx.one(
    sql<{ total: number }>('select count(*) as total from staged where existing_id is not null'),
  );
  const updated = options.mode === 'upsert' ? await updateExisting(tx, options) : 0;
  await addWords(
    tx,
    `select t.title from product_texts t join staged s on s.id = t.product_id where s.existing_id is null
     ${options.mode === 'upsert' ? 'union all select t.title from product_texts t join staged_changes x on x.id = t.product_id where x.differs' : ''}`,
  );
  return {
    counts: {
      created,
      updated,
      unchanged: options.mode === 'upsert' ? total - updated : 0,
      existing: options.mode === 'create' ? total : 0,
    },
    superseded,
  };
}

/** Of rows with one SKU the last wins; the earlier ones are taken out and reported. */
async function dropSuperseded(tx: Tx): Promise<Superseded[]> {
  return tx.many(
    sql<Superseded>(`
      with again as (select sku, max(n) as last from staged group by sku having count(*) > 1),
      dropped as (delete from staged s using again a where s.sku = a.sku and s.n < a.last returning s.n, s.line, s.sku, a.last)
      select d.line, d.sku, s.line as by from dropped d join staged s on s.n = d.last order by d.n`),
  );
}

type NewCategory = {
  id: string;
  parent_id: string | null;
  name: string;
  slug: string;
  position: number;
  depth: number;
};
type ResolvedPath = { path: string; category_id: string; names: string };

/**
 * Makes the categories that the rows name and that are not there, parents first, and notes each path's category. Holds
 * all categories, so that until the merge commits none is renamed, moved or deleted whose names go into titles here.
 */
async function resolveCategories(tx: Tx, { mode, at }: MergeOptions): Promise<void> {
  const paths = (
    await tx.many(
      sql<{ path: string }>(
        `select category_path as path from staged ${mode === 'create' ? 'where existing_id is null' : ''}
         group by category_path order by min(n)`,
      ),
    )
  ).map((row) => row.path);
  let resolved = await addCategories(tx, paths, at);
  // Somebody made one of them just now: it is there to be seen the next time.
  while (resolved === null) resolved = await addCategories(tx, paths, at);
  await tx.run(
    sql(
      'create temporary table staged_paths (path text primary key, category_id uuid not null, names text not null) on commit drop',
    ),
  );
  await tx.run(
    sql(
      `insert into staged_paths select path, category_id, names from jsonb_to_recordset($1)
         as c (path text, category_id uuid, names text)`,
      [JSON.stringify(resolved)],
    ),
  );
  await tx.run(sql('analyze staged_paths'));
}

/** Null when a category that it made was there already, made by somebody else since the tree was read. */
async function addCategories(tx: Tx, paths: readonly string[], at: Date): Promise<ResolvedPath[] | null> {
  const known = await tx.many(
    sql<{ id: string; parent_id: string | null; name: string; slug: string }>(
      'select id, parent_id, name, slug from categories order by id for key share',
    ),
  );
  const retired = await tx.many(sql<{ slug: string }>('select slug from retired_category_slugs'));
  const keyOf = (parent: string | null, name: string) => `${parent ?? ''}/${name}`;
  const byName = new Map(known.map((row) => [keyOf(row.parent_id, row.name), row.id]));
  const siblings = new Map<string | null, number>();
  const addSibling = (parent: string | null) => {
    const position = siblings.get(parent) ?? 0;
    siblings.set(parent, position + 1);
    return position;
  };
  for (const row of known) addSibling(row.parent_id);
  const slugs = new Set([...known, ...retired].map((row) => row.slug));
  const made: NewCategory[] = [];
  const resolved: ResolvedPath[] = [];
  for (const path of paths) {
    const names = JSON.parse(path) as string[];
    let parent: string | null = null;
    for (const [depth, name] of names.entries()) {
      let id = byName.get(keyOf(parent, name));
      if (!id) {
        id = newId();
        const slug = freeSlug(names.slice(0, depth + 1), slugs);
        made.push({ id, parent_id: parent, name, slug, position: addSibling(parent), depth });
        byName.set(keyOf(parent, name), id);
      }
      parent = id;
    }
    if (parent !== null) resolved.push({ path, category_id: parent, names: names.join(' ') });
  }
  for (const level of Map.groupBy(made, ({ depth }) => depth).values()) {
    const inserted = await tx.run(
      sql(
        `insert into categories (id, slug, name, parent_id, position, created_at, updated_at)
         select id, slug, name, parent_id, position, $2, $2 from jsonb_to_recordset($1)
           as c (id uuid, slug text, name text, parent_id uuid, position integer)
         on conflict do nothing`,
        [JSON.stringify(level), at],
      ),
    );
    if (inserted < level.length) return null;
  }
  return resolved;
}

/** The name's slug; with its ancestors' in front when another category has it, and a number when those do too. */
export function freeSlug(names: readonly string[], taken: Set<string>): string {
  const candidates = names.map((_, i) => slugify(names.slice(names.length - 1 - i).join(' '))).filter(Boolean);
  // A name in another script leaves nothing.
  if (candidates.length === 0) candidates.push('category');
  const base = candidates.at(-1)!;
  let slug = candidates.find((candidate) => !taken.has(candidate));
  for (let n = 2; slug === undefined; n++) if (!taken.has(`${base}-${n}`)) slug = `${base}-${n}`;
  taken.add(slug);
  return slug;
}

const COPIED =
  'sku, name, price, sale_price, availability, brand, gender, condition, color, size, age_group, material, gtin, mpn, group_id, image';

async function insertNew(tx: Tx, { importId, at, actorId }: MergeOptions): Promise<number> {
  const created = await tx.run(
    sql(
      `insert into products (id, slug, category_id, created_at, updated_at, ${COPIED})
       select s.id,
              case when s.n = f.first and p.id is null and r.slug is null then s.slug_base
                   else s.slug_base || '-' || right(s.id::text, 10) end,
              c.category_id, $1, $1, ${COPIED.replace(/\w+/g, 's.$&')}
       from staged s
       join (select slug_base, min(n) as first from staged where existing_id is null group by slug_base) f on f.slug_base = s.slug_base
       left join products p on p.slug = s.slug_base
       left join retired_product_slugs r on r.slug = s.slug_base
       left join staged_paths c on c.path = s.category_path
       where s.existing_id is null
       order by s.n`,
      [at],
    ),
  );
  if (created === 0) return 0;
  await tx.run(
    sql(`with labels as materialized (
           select k.brand, k.category_path, search_label(k.brand, c.names) as label
           from (select distinct brand, category_path from staged where existing_id is null) k
           left join staged_paths c on c.path = k.category_path
         )
         insert into product_texts (product_id, visible, title, description, attributes)
         select s.id, true, search_title(s.name, s.sku, s.gtin, s.mpn, l.label), s.description, s.attributes
         from staged s join labels l on l.category_path = s.category_path and coalesce(l.brand, '') = coalesce(s.brand, '')
         where s.existing_id is null order by s.n`),
  );
  await tx.run(
    sql(
      `insert into price_history (product_id, valid_from, price, sale_price, import_id, actor_id)
       select id, $1, price, sale_price, $2, $3 from staged where existing_id is null order by n`,
      [at, importId, actorId],
    ),
  );
  await tx.run(
    sql(
      `insert into product_changes (product_id, sku, at, action, version, import_id, actor_id)
       select id, sku, $1, 'created', 1, $2, $3 from staged where existing_id is null order by n`,
      [at, importId, actorId],
    ),
  );
  // New products are nobody's yet, so their stock goes in with them; the rule that only change_stock() writes it holds.
  await tx.run(
    sql(
      `select count(*) from change_stock(
         (select array_agg(id order by n) from staged where existing_id is null and quantity is not null), null,
         (select array_agg(quantity order by n) from staged where existing_id is null and quantity is not null),
         'import', $1, $2, $3)`,
      [importId, actorId, at],
    ),
  );
  return created;
}

/**
 * Adds the words of titles to those that misspelt ones are corrected to; `titles` is a query of them. Words with digits
 * are numbers of models and parts, never what a slip was meant for.
 *
 * The last thing that a transaction locks, and once: who adds a word waits for another who is about to add it, so one that
 * went on to lock a product then could wait for whom it keeps waiting.
 */
export async function addWords(tx: Tx, titles: string, values: readonly unknown[] = []): Promise<void> {
  await tx.run(
    sql(
      `insert into search_words (word)
       select distinct w.lexeme from (${titles}) t, unnest(t.title) w
       where length(w.lexeme) between 3 and 40 and w.lexeme !~ '[0-9]'
       order by 1
       on conflict do nothing`,
      values,
    ),
  );
}

/** The fields that an import may change, in the API's names, as SQL over the stored `p`, `t` and the staged `s`, `c`. */
function comparedFields(digits: number): { field: string; from: string; to: string }[] {
  const money = (column: string) => `round(${column} / power(10::numeric, ${digits}), ${digits})::text`;
  const plain = [
    'name',
    'availability',
    'brand',
    'gender',
    'condition',
    'color',
    'size',
    'age_group',
    'material',
    'gtin',
    'mpn',
    'group_id',
  ];
  return [
    ...plain.map((field) => ({ field, from: `p.${field}`, to: `s.${field}` })),
    { field: 'price', from: money('p.price'), to: money('s.price') },
    { field: 'sale_price', from: money('p.sale_price'), to: money('s.sale_price') },
    { field: 'category_id', from: 'p.category_id', to: 'coalesce(c.category_id, p.category_id)' },
    { field: 'description', from: 't.description', to: 's.description' },
    { field: 'attributes', from: 't.attributes', to: KEPT_ATTRIBUTES },
  ];
}

// Further images belong to the main one: a feed that names that one, and no others, has no others any more.
const KEPT_ATTRIBUTES = `(jsonb_strip_nulls(jsonb_build_object(${SOURCE_ATTRIBUTES.map((name) => `'${name}', t.attributes -> '${name}'`).join(', ')}))
  - case when s.attributes ? 'image_link' then 'additional_image_link' else '' end || s.attributes)`;

async function updateExisting(tx: Tx, { importId, currency, at, actorId }: MergeOptions): Promise<number> {
  const fields = comparedFields(currencyDigits(currency));
  const pairs = fields.map(({ field, from, to }) => `('${field}', to_jsonb(${from}), to_jsonb(${to}))`).join(', ');
  await tx.run(
    sql(`
      create temporary table staged_changes on commit drop as
      select p.id, s.n, c.category_id, c.names, d.differs, d.texts, q.quantity
      from staged s
      join products p on p.id = s.existing_id
      join product_texts t on t.product_id = p.id
      left join staged_paths c on c.path = s.category_path
      left join stock k on k.product_id = p.id
      cross join lateral (select
        (${fields
          .filter(isColumn)
          .map(({ from }) => from)
          .join(', ')}) is distinct from (${fields
          .filter(isColumn)
          .map(({ to }) => to)
          .join(', ')}) as columns,
        (t.description, t.attributes) is distinct from (s.description, ${KEPT_ATTRIBUTES}) as texts
      ) e
      cross join lateral (select e.columns or e.texts as differs, e.texts) d
      cross join lateral (select case when s.quantity is distinct from k.on_hand then s.quantity end as quantity) q
      where d.differs or q.quantity is not null`),
  );
  await tx.run(sql('alter table staged_changes add primary key (id)'));
  await tx.run(sql('analyze staged_changes'));
  await tx.run(
    sql(
      `insert into product_changes (product_id, sku, at, action, version, changes, import_id, actor_id)
       select p.id, p.sku, $1, 'updated', p.version + 1,
              (select jsonb_object_agg(v.field, jsonb_build_object('from', v.before, 'to', v.after))
               from (values ${pairs}) v (field, before, after) where v.before is distinct from v.after), $2, $3
       from staged_changes x
       join staged s on s.n = x.n
       join products p on p.id = x.id
       join product_texts t on t.product_id = p.id
       left join staged_paths c on c.path = s.category_path
       where x.differs
       order by x.n`,
      [at, importId, actorId],
    ),
  );
  await tx.run(
    sql(
      `insert into price_history (product_id, valid_from, price, sale_price, import_id, actor_id)
       select p.id, $1, s.price, s.sale_price, $2, $3
       from staged_changes x join staged s on s.n = x.n join products p on p.id = x.id
       where (p.price, p.sale_price) is distinct from (s.price, s.sale_price)
       on conflict (product_id, valid_from) do update set price = excluded.price, sale_price = excluded.sale_price`,
      [at, importId, actorId],
    ),
  );
  // Texts first: what stands in the title is compared with the row as it was.
  await tx.run(
    sql(`
      update product_texts t
      set title = search_title(s.name, s.sku, s.gtin, s.mpn, search_label(s.brand, coalesce(x.names, path_names(p.category_id)))),
          description = s.description,
          attributes = ${KEPT_ATTRIBUTES}
      from staged_changes x join staged s on s.n = x.n join products p on p.id = x.id
      where t.product_id = x.id
        and (x.texts or (p.name, p.gtin, p.mpn, p.brand, p.category_id)
          is distinct from (s.name, s.gtin, s.mpn, s.brand, coalesce(x.category_id, p.category_id)))`),
  );
  const set = [
    'name',
    'price',
    'sale_price',
    'availability',
    'brand',
    'gender',
    'condition',
    'color',
    'size',
    'age_group',
    'material',
    'gtin',
    'mpn',
    'group_id',
  ];
  await tx.run(
    sql(
      `update products p
       set ${set.map((column) => `${column} = s.${column}`).join(', ')},
           category_id = coalesce(x.category_id, p.category_id), version = p.version + 1, updated_at = $1
       from staged_changes x join staged s on s.n = x.n
       where p.id = x.id and x.differs`,
      [at],
    ),
  );
  await tx.run(
    sql(`create temporary table staged_quantities on commit drop as
         select id as product_id, quantity from staged_changes where quantity is not null`),
  );
  return (await tx.one(sql<{ total: number }>('select count(*) as total from staged_changes'))).total;
}

function isColumn({ field }: { field: string }): boolean {
  return field !== 'description' && field !== 'attributes';
}
