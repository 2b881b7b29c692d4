import type { Database, Query, Statement } from '../../src/kernel/db.ts';
import { type Orders, placeOrder } from '../../src/modules/orders/index.ts';
import { idOf, sqlIdOf } from './buyers.ts';

/** The statements of a checkout as a script of pgbench. */

/** The number of the product in line `j` of buyer `n`'s cart, in SQL and in pgbench's arithmetic, which here are the same. */
export type ProductOf = (n: string, j: string | number) => string;

type Recorded = { statements: Statement[]; order: { id: string; number: string }; buyer: string };

/** The statements that an order is placed by, as they were sent. */
export async function recordOrder(orders: Orders, buyer: string): Promise<Recorded> {
  const statements: Statement[] = [];
  const recorded = <A extends keyof Database>(name: A) => {
    const run = orders.db[name] as (query: Query<unknown>) => Promise<unknown>;
    return (query: Query<unknown>) => {
      if ('text' in query) statements.push(query);
      return run(query);
    };
  };
  const db = {
    ...orders.db,
    ...Object.fromEntries((['many', 'maybe', 'one', 'run'] as const).map((name) => [name, recorded(name)])),
  };
  const order = await placeOrder({ ...orders, db }, buyer, {});
  return { statements, order, buyer };
}

/**
 * As a script of pgbench: each value by what it is, so that every transaction is another buyer's, with other products and an
 * order of its own; what is the same for all (an address, names, what is told of it) stands in it as one was seen to say it.
 */
export function asScript(
  { statements, order, buyer }: Recorded,
  { lines, productOf }: { lines: number; productOf: ProductOf },
): string {
  const products = Array.from({ length: lines }, (_, j) => sqlIdOf('product', `:product${j}`)).join(', ');
  const sqlOf = (value: unknown): string => {
    if (value === null) return 'null';
    if (value === buyer) return sqlIdOf('buyer', ':buyer');
    if (value === order.id) return sqlIdOf('order', ':nth');
    if (value === order.number) return ':number';
    if (value instanceof Date) return 'now()';
    if (Array.isArray(value)) {
      if (value.some((each) => String(each).startsWith(idOf('product', 0).slice(0, 8)))) return `array[${products}]`;
      return quoted(`{${value.map((each) => (each === null ? 'null' : JSON.stringify(String(each)))).join(',')}}`);
    }
    if (typeof value === 'number') return String(value);
    if (/^[\da-f]{8}-[\da-f]{4}-7/.test(String(value))) return sqlIdOf('event', ':nth');
    return quoted(String(value));
  };
  return [
    '\\set nth :from + :done * :callers + :client_id',
    '\\set done :done + 1',
    '\\set buyer :nth',
    '\\set number 1000000000 + :nth * 2654435761 % 9000000000',
    ...Array.from({ length: lines }, (_, j) => `\\set product${j} ${productOf(':buyer', j)}`),
    ...statements.map(({ text, values }) => `${text.replace(/\$(\d+)/g, (_, n) => sqlOf(values[Number(n) - 1]))};`),
    '',
  ].join('\n');
}

/** pgbench takes `:name` for a variable even within quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''").replaceAll(':', ': ')}'`;
}
