import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../src/kernel/db.ts';
import type { NewEvent } from '../src/kernel/events.ts';
import { newId } from '../src/kernel/ids.ts';
import { deliverAgain, deliverEvents, writtenMails } from './support/mails.ts';
import { type Caller, startTestShop, type TestShop } from './support/shop.ts';

/** What customers are written to about their orders. */

let shop: TestShop;
let customer: Caller;

beforeAll(async () => {
  shop = await startTestShop();
  await shop.as('staff');
});
afterAll(() => shop.stop());
beforeEach(async () => {
  await shop.db.run(sql('delete from emails'));
  customer = await shop.as('customer');
});

const order = (type: string, data: Record<string, unknown>, more: Partial<NewEvent> = {}): NewEvent => ({
  type,
  subject: { type: 'order', id: newId() },
  actorId: null,
  userId: customer.userId,
  data: { number: 'V-1001', ...data },
  ...more,
});

async function happens(event: NewEvent): Promise<void> {
  await shop.db.transaction((tx) => shop.events.append(tx, event));
  await deliverEvents(shop);
}

describe('an order', () => {
  it('is told to the customer when it is placed, with its total and where it is shown', async () => {
    await happens(order('order.placed', { status: 'pending', total: '59.98', currency: 'USD' }));
    const [mail, ...more] = await writtenMails(shop);
    expect(more).toEqual([]);
    expect(mail).toMatchObject({ recipient_id: customer.userId, subject: 'Your order V-1001 at Vitrine' });
    expect(mail!.text).toContain('59.98 USD');
    expect(mail!.text).toContain('https://shop.example/orders/V-1001');
    expect(mail!.text).toContain('https://shop.example/profile/notifications');
  });

  it.each([
    ['shipped', 'Your order V-1001 has been shipped'],
    ['delivered', 'Your order V-1001 has been delivered'],
    ['cancelled', 'Your order V-1001 has been cancelled'],
    ['on_hold', 'Your order V-1001 is now on_hold'],
  ])('is told to the customer when it is %s', async (status, subject) => {
    await happens(order('order.status_changed', { status }));
    expect(await writtenMails(shop)).toMatchObject([{ recipient_id: customer.userId, subject }]);
  });

  it('is not told to whom opted out, is disabled, or is no customer of ours any more', async () => {
    await customer.put('/api/profile/notifications', { orders: false });
    await happens(order('order.placed', { status: 'pending' }));
    customer = await shop.as('customer');
    await shop.db.run(sql('update users set disabled_at = now() where id = $1', [customer.userId]));
    await happens(order('order.status_changed', { status: 'shipped' }));
    await happens(order('order.placed', { status: 'pending' }, { userId: null }));
    await happens(order('order.placed', { status: 'pending' }, { userId: newId() }));
    expect(await writtenMails(shop)).toEqual([]);
  });

  it('is told once, however often its event is delivered', async () => {
    await happens(order('order.placed', { status: 'pending' }));
    const { position } = await shop.db.one(sql<{ position: number }>('select max(position) as position from events'));
    await deliverAgain(shop, position, 'mails.orders');
    expect(await writtenMails(shop)).toHaveLength(1);
  });
});
