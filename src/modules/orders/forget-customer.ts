import { sql, type Tx } from '../../kernel/db.ts';

/** Empties what orders say of a person who is erased, and drops their cart; the orders stay. */
export async function forgetCustomer(tx: Tx, userId: string): Promise<void> {
  await tx.run(sql("update orders set shipping_address = null, note = '' where user_id = $1", [userId]));
  await tx.run(sql('delete from carts where id = $1', [userId]));
}
