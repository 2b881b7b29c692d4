import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { buy } from '../../../tests/support/buying.ts';
import { newProduct, stockOf } from '../../../tests/support/ordering.ts';
import { type Caller, startTestShop, type TestShop } from '../../../tests/support/shop.ts';
import { sql } from '../../kernel/db.ts';
import { changeStatus } from './change-status.ts';

let shop: TestShop;
let staff: Caller;
let buyer: Caller;

beforeAll(async () => {
  shop = await startTestShop();
  [staff, buyer] = [await shop.as('staff'), await shop.as('customer')];
});
afterAll(() => shop.stop());

const actor = ({ userId }: Caller, role: 'staff' | 'customer') => ({ userId, role });

it('lets a customer cancel, and nothing else, whichever way they come', async () => {
  const { id } = await buy(buyer, [[await newProduct(staff), 1]]);
  for (const status of ['shipped', 'delivered', 'pending'] as const)
    await expect(changeStatus(shop.orders, actor(buyer, 'customer'), id, status)).rejects.toMatchObject({
      code: 'forbidden',
    });
  expect(await changeStatus(shop.orders, actor(buyer, 'customer'), id, 'cancelled')).toMatchObject({ version: 2 });
});

describe('a change that PostgreSQL ends as one of two that waited for each other', () => {
  /** Has this many changes from here on end like that, once they have given stock back. */
  async function plant(times: number): Promise<void> {
    // A sequence is not rolled back, so that it knows of what was.
    await shop.db.run(sql('create sequence planted'));
    await shop.db.run(
      sql(`create function planted() returns trigger language plpgsql as $$
        begin
          if nextval('planted') <= ${times} then raise exception 'planted' using errcode = '40P01'; end if;
          return new;
        end $$`),
    );
    await shop.db.run(sql('create trigger planted before insert on outbox for each row execute function planted()'));
    onTestFinished(async () => {
      await shop.db.run(sql('drop function planted cascade'));
      await shop.db.run(sql('drop sequence planted'));
    });
  }

  it('is made again', async () => {
    const lamp = await newProduct(staff);
    const { id } = await buy(buyer, [[lamp, 3]]);
    await plant(2);
    expect(await changeStatus(shop.orders, actor(staff, 'staff'), id, 'cancelled')).toMatchObject({ version: 2 });
    expect(await stockOf(shop, lamp.id)).toBe(10);
  });

  it('but not without end', async () => {
    const lamp = await newProduct(staff);
    const { id } = await buy(buyer, [[lamp, 3]]);
    await plant(3);
    await expect(changeStatus(shop.orders, actor(staff, 'staff'), id, 'cancelled')).rejects.toMatchObject({
      code: 'orders_busy',
      status: 503,
    });
    expect((await buyer.get(`/api/orders/${id}`)).json).toMatchObject({ status: 'pending', version: 1 });
    expect(await stockOf(shop, lamp.id)).toBe(7);
  });
});
