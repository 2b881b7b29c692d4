import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../../kernel/db.ts';
import { newId } from '../../kernel/ids.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { testKernel } from '../../kernel/testing/index.ts';
import { changeStock, type StockChange } from './stock.ts';

let kernel: Kernel;
beforeAll(async () => {
  kernel = await testKernel();
});
afterAll(() => kernel.close());

async function products(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, newId);
  await kernel.db.run(
    sql(
      "insert into products (id, sku, slug, name, price, availability, created_at, updated_at) select id, id::text, id::text, 'x', 1, 'in_stock', now(), now() from unnest($1::uuid[]) id",
      [ids],
    ),
  );
  return ids;
}

const why = { reason: 'adjustment', reference: null, actorId: null, at: new Date() } as const;
const change = (changes: StockChange[]) => kernel.db.transaction((tx) => changeStock(tx, changes, why));

async function ledgerBalances(ids: string[]): Promise<boolean> {
  const rows = await kernel.db.many(
    sql<{ right: boolean }>(
      `select s.on_hand = (select coalesce(sum(delta), 0) from stock_movements m where m.product_id = s.product_id)
          and s.on_hand = (select on_hand from stock_movements m where m.product_id = s.product_id order by id desc limit 1) as right
       from stock s where product_id = any ($1)`,
      [ids],
    ),
  );
  return rows.every((row) => row.right);
}

describe('stock', () => {
  it('begins to be counted by a target, moves by deltas, and never goes below zero', async () => {
    const [id] = (await products(1)) as [string];
    expect(await change([{ productId: id, delta: 5 }])).toEqual([{ product_id: id, on_hand: null, moved: false }]);
    expect(await change([{ productId: id, target: 5 }])).toEqual([{ product_id: id, on_hand: 5, moved: true }]);
    expect(await change([{ productId: id, delta: -6 }])).toEqual([{ product_id: id, on_hand: 5, moved: false }]);
    expect(await change([{ productId: id, delta: -5 }])).toEqual([{ product_id: id, on_hand: 0, moved: true }]);
    expect(await ledgerBalances([id])).toBe(true);
  });

  it('writes no movement where nothing moves, but one where counting begins at zero', async () => {
    const [id] = (await products(1)) as [string];
    await change([{ productId: id, target: 0 }]);
    await change([{ productId: id, target: 0 }]);
    expect(
      (await kernel.db.one(sql<{ n: number }>('select count(*) as n from stock_movements where product_id = $1', [id])))
        .n,
    ).toBe(1);
  });

  it('cannot go below zero behind its back either', async () => {
    const [id] = (await products(1)) as [string];
    await change([{ productId: id, target: 1 }]);
    await expect(kernel.db.run(sql('update stock set on_hand = -1 where product_id = $1', [id]))).rejects.toThrow(
      /stock_not_negative/,
    );
  });

  it('sells exactly what is there to many who come at once', async () => {
    const [id] = (await products(1)) as [string];
    await change([{ productId: id, target: 10 }]);
    const sold = await Promise.all(Array.from({ length: 60 }, () => change([{ productId: id, delta: -1 }])));
    expect(sold.filter(([move]) => move!.moved).length).toBe(10);
    expect(await ledgerBalances([id])).toBe(true);
  });

  it('never deadlocks over the same products in other orders', async () => {
    const ids = await products(20);
    await change(ids.map((productId) => ({ productId, target: 1_000 })));
    await Promise.all(
      Array.from({ length: 60 }, (_, i) => {
        const order = ids.toSorted(
          (a, b) =>
            ((Number.parseInt(a.slice(-4), 16) * (i + 1)) % 97) - ((Number.parseInt(b.slice(-4), 16) * (i + 1)) % 97),
        );
        return change(order.map((productId) => ({ productId, delta: -1 })));
      }),
    );
    const rows = await kernel.db.many(
      sql<{ on_hand: number }>('select on_hand from stock where product_id = any ($1)', [ids]),
    );
    expect(rows.map((row) => row.on_hand)).toEqual(Array(20).fill(940));
    expect(await ledgerBalances(ids)).toBe(true);
  });

  it('is the sum of its ledger after any changes', async () => {
    const ids = await products(5);
    const one = fc.record({ at: fc.nat(4), delta: fc.option(fc.integer({ min: -20, max: 20 })), target: fc.nat(50) });
    await fc.assert(
      fc.asyncProperty(fc.array(one, { maxLength: 8 }), async (changes) => {
        const byProduct = new Map(
          changes.map(({ at, delta, target }) => [
            ids[at]!,
            delta === null ? { productId: ids[at]!, target } : { productId: ids[at]!, delta },
          ]),
        );
        await change([...byProduct.values()]);
        expect(await ledgerBalances(ids)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});
