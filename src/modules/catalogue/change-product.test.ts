import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../../kernel/db.ts';
import { newId } from '../../kernel/ids.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { testKernel } from '../../kernel/testing/index.ts';
import { changeProduct, readChange } from './change-product.ts';
import { createProduct } from './create-product.ts';
import { diffFields, FIELD_NAMES, type GivenFields, type ProductFields } from './product-fields.ts';
import { lockProduct } from './stored-product.ts';
import type { ProductEdit } from './write-schemas.ts';

const actor = { userId: newId(), role: 'staff' } as const;
let kernel: Kernel;
beforeAll(async () => {
  kernel = await testKernel();
});
afterAll(() => kernel.close());

const make = (fields: GivenFields = {}) =>
  createProduct(kernel, actor, { name: 'Changing', price: '10', ...fields }, async () => []);
const change = (id: string, edit: ProductEdit, replace = false) =>
  changeProduct(kernel, actor, id, readChange(edit, 'USD', { replace, version: null }));

/** As the API spells it, field by field. */
async function spelled(id: string): Promise<Record<string, unknown>> {
  const stored = await kernel.db.transaction((tx) => lockProduct(tx, id));
  const changes = diffFields({}, stored as ProductFields, 'USD');
  return Object.fromEntries(FIELD_NAMES.map((name) => [name, changes[name]?.to ?? null]));
}

async function categories(names: string[]): Promise<string[]> {
  const ids = names.map(() => newId());
  await kernel.db.run(
    sql(
      `insert into categories (id, slug, name, created_at, updated_at)
       select id, id::text, name, now(), now() from unnest($1::uuid[], $2::text[]) c (id, name)`,
      [ids, names],
    ),
  );
  return ids;
}

describe('what a change leaves behind', () => {
  it('replayed, the history of any changes is the product, and so are its texts, slugs and prices', async () => {
    const shelves = await categories(['Upper', 'Lower']);
    const word = fc.constantFrom('red', 'oak', 'tall', 'Bär', '5', '');
    const money = fc.constantFrom('1', '2.5', '9.99', '10', '20');
    const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
    const edit = fc.record(
      {
        name: fc.constantFrom('Stool', 'Stool ', 'Bench', 'Box no. 5'),
        slug: fc.integer({ min: 0, max: 3 }),
        sku: fc.integer({ min: 0, max: 3 }),
        description: word,
        price: money,
        sale_price: optional(money),
        featured: fc.boolean(),
        active: fc.boolean(),
        availability: fc.constantFrom('in_stock', 'out_of_stock', 'preorder'),
        category_id: optional(fc.constantFrom(...shelves)),
        brand: optional(word),
        color: optional(word),
        condition: optional(fc.constantFrom('new', 'used')),
        gtin: optional(fc.constantFrom('96385074', '4006381333931')),
        attributes: fc.dictionary(fc.constantFrom('a', 'b'), fc.oneof(word, fc.nat(2), fc.constant(null)), {
          maxKeys: 2,
        }),
        stock: fc.nat(3),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 8 }), async (edits) => {
        const id = await make();
        for (const { slug, sku, stock, ...fields } of edits) {
          const whole: ProductEdit = { ...fields };
          if (slug !== undefined) whole.slug = `of-${id.slice(-12)}-${slug}`;
          if (sku !== undefined) whole.sku = `sku ${id} ${sku}`;
          if (stock !== undefined) {
            const row = await kernel.db.maybe(
              sql<{ on_hand: number }>('select on_hand from stock where product_id = $1', [id]),
            );
            Object.assign(whole, { stock, expected_stock: row?.on_hand ?? null });
          }
          await change(id, whole).catch((error: { code?: string }) => expect(error.code).toBe('validation_failed'));
        }

        const history = await kernel.db.many(
          sql<{ version: number; sku: string; changes: Record<string, { from: unknown; to: unknown }> }>(
            'select version, sku, changes from product_changes where product_id = $1 order by id',
            [id],
          ),
        );
        const replayed: Record<string, unknown> = Object.fromEntries(FIELD_NAMES.map((name) => [name, null]));
        for (const { changes } of history)
          for (const [name, { from, to }] of Object.entries(changes)) {
            expect(replayed[name]).toEqual(from);
            expect(to).not.toEqual(from);
            replayed[name] = to;
          }
        const product = await spelled(id);
        expect(replayed).toEqual(product);
        expect(history.map((row) => row.version)).toEqual(history.map((_, i) => i + 1));
        expect(history.at(-1)!.sku).toBe(product.sku);

        const beside = await kernel.db.one(
          sql<Record<string, unknown>>(
            `select p.version, p.visible = t.visible as seen_alike,
               t.title = search_title(p.name, p.sku, p.gtin, p.mpn, search_label(p.brand, path_names(p.category_id))) as title,
               not exists (select from retired_product_slugs r where r.slug = p.slug) as slug_is_its_own,
               (select (h.price, h.sale_price) is not distinct from (p.price, p.sale_price) from price_history h
                where h.product_id = p.id order by h.valid_from desc limit 1) as priced,
               not exists (select from unnest(t.title) w where length(w.lexeme) between 3 and 40 and w.lexeme !~ '[0-9]'
                 and w.lexeme not in (select word from search_words)) as words,
               coalesce((select s.on_hand from stock s where s.product_id = p.id), 0) =
                 (select coalesce(sum(m.delta), 0) from stock_movements m where m.product_id = p.id) as ledger
             from products p join product_texts t on t.product_id = p.id where p.id = $1`,
            [id],
          ),
        );
        expect(beside).toEqual({
          version: history.length,
          seen_alike: true,
          title: true,
          slug_is_its_own: true,
          priced: true,
          words: true,
          ledger: true,
        });
        const slugs = history.flatMap(({ changes }) => (changes.slug ? [changes.slug.to] : []));
        const retired = await kernel.db.many(
          sql<{ slug: string }>('select slug from retired_product_slugs where product_id = $1', [id]),
        );
        expect(new Set(retired.map((row) => row.slug))).toEqual(new Set(slugs.filter((slug) => slug !== product.slug)));

        const events = await kernel.db.many(
          sql<{ changes: object }>(
            "select changes from events where subject_id = $1 and type like 'product.%' order by position",
            [id],
          ),
        );
        expect(events.map((event) => event.changes)).toEqual(history.map((row) => row.changes));
        await kernel.db.run(sql('delete from products where id = $1', [id]));
      }),
      { numRuns: 40 },
    );
  });

  it('waits for a category that is being renamed, so that neither title is made of an old name', async () => {
    const [shelf] = (await categories(['Beforehand'])) as [string];
    const id = await make({ category_id: shelf });
    // Somebody who is about to add its new word holds the change up after its title is written.
    const wordIsHeld = Promise.withResolvers<void>();
    const letGo = Promise.withResolvers<void>();
    const holder = kernel.db.transaction(async (tx) => {
      await tx.run(sql("insert into search_words values ('rewritten')"));
      wordIsHeld.resolve();
      await letGo.promise;
    });
    await wordIsHeld.promise;
    let changed: Promise<unknown> = Promise.resolve();
    await kernel.db.transaction(async (tx) => {
      await tx.run(sql("update categories set name = 'Afterwards' where id = $1", [shelf]));
      changed = change(id, { name: 'Rewritten' });
      await sleep(200);
      const retitled = tx.run(
        sql(
          `update product_texts t set title = search_title(p.name, p.sku, null, null, search_label(p.brand, path_names(p.category_id)))
           from products p where p.id = t.product_id and p.category_id = $1`,
          [shelf],
        ),
      );
      await sleep(200);
      letGo.resolve();
      await retitled;
    });
    await Promise.all([changed, holder]);
    const { title } = await kernel.db.one(
      sql<{ title: string }>('select title::text from product_texts where product_id = $1', [id]),
    );
    expect(title).toMatch(/'afterward/);
    expect(title).toMatch(/'rewritten/);
    expect(title).not.toMatch(/'beforehand/);
  });

  it('touches no text when a price changes, and no row when nothing does', async () => {
    const id = await make();
    const places = () =>
      kernel.db.one(
        sql(
          'select p.xmin::text as row, t.xmin::text as texts from products p join product_texts t on t.product_id = p.id where p.id = $1',
          [id],
        ),
      );
    const before = (await places()) as { row: string; texts: string };
    await change(id, { price: '10.00', name: 'Changing' });
    expect(await places()).toEqual(before);
    await change(id, { price: '11' });
    const after = (await places()) as { row: string; texts: string };
    expect(after.texts).toBe(before.texts);
    expect(after.row).not.toBe(before.row);
  });
});
