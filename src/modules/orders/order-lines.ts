import { prepare, type Sql } from '../../kernel/db.ts';
import { formatMoney } from '../../kernel/money.ts';

const LINES = prepare<{ name: string; quantity: number; line_total: number; currency: string }>(
  `select i.name, i.quantity, i.line_total, o.currency
   from orders o join order_items i on i.order_id = o.id where o.id = $1 order by i.position`,
);

/** What was ordered, for messages: the amounts with their currency. None when there is no such order. */
export async function linesOfOrder(
  target: Sql,
  orderId: string,
): Promise<{ name: string; quantity: number; total: string }[]> {
  const lines = await target.many(LINES([orderId]));
  return lines.map(({ name, quantity, line_total, currency }) => ({
    name,
    quantity,
    total: `${formatMoney(line_total, currency)} ${currency}`,
  }));
}
