import pg from 'pg';

/**
 * Products, and buyers with filled carts, by SQL. Their ids are reckoned from numbers, so that a script of pgbench, which
 * knows nothing but numbers, can name them: the n-th has the id of its kind with 100,000,000,000 + n behind it.
 */
const KINDS = {
  buyer: '00000000',
  order: '10000000',
  product: '20000000',
  item: '30000000',
  event: '40000000',
} as const;
type Kind = keyof typeof KINDS;

const FIRST = 100_000_000_000;

export function idOf(kind: Kind, n: number): string {
  return `${KINDS[kind]}-0000-7000-8000-${FIRST + n}`;
}

/** The same in SQL, of an expression for n. */
export function sqlIdOf(kind: Kind, n: string): string {
  return `('${KINDS[kind]}-0000-7000-8000-' || (${FIRST} + ${n}))::uuid`;
}

/** Counted, with so many on hand that none runs out. */
export async function makeProducts(url: string, count: number): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(
      `insert into products (id, sku, slug, name, price, sale_price, availability, brand, condition, color, gtin, created_at, updated_at)
       select ${sqlIdOf('product', 'n')}, 'SKU-' || lpad(n::text, 7, '0'), 'a-thing-of-some-kind-' || n, 'A Thing of Some Kind, Number ' || n,
         1000 + n, case when n % 5 = 0 then 900 + n end, 'in_stock', 'Brand ' || n % 500, 'new', 'green', null, now(), now()
       from generate_series(0, $1::int - 1) n`,
      [count],
    );
    await client.query(
      `select change_stock(array_agg(id order by id), null, array_agg(1000000000), 'adjustment', 'the first count', null, now())
       from products`,
    );
    await client.query('vacuum analyze products, stock, stock_movements');
  });
}

/** Customers `from` to `from + count - 1`, without carts. */
export async function makeBuyers(url: string, { from, count }: { from: number; count: number }): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(
      `insert into users (id, email, username, password_hash, first_name, last_name, address, created_at, updated_at)
       select ${sqlIdOf('buyer', 'n')}, 'buyer' || n || '@shop.example', 'buyer-' || n, 'none that can be right', 'Ada', 'Byron',
         '{"line1": "12 St James''s Square", "line2": "", "city": "London", "region": "", "postal_code": "SW1Y 4JH", "country": "GB"}', now(), now()
       from generate_series($1::int, $1::int + $2::int - 1) n`,
      [from, count],
    );
    await client.query('vacuum analyze users');
  });
}

/** What there is enough of, numbered by their ids. */
const NUMBERED = `(
  select row_number() over (order by p.id) - 1 as nth, p.* from products p join stock s on s.product_id = p.id
  where p.visible and s.on_hand > 20
)`;

/**
 * As many orders as there are in a shop that has been open for a while, of buyers of their own: PostgreSQL keeps the plans that
 * it makes in an empty one, which are not those of a shop that sells.
 */
export async function makePastOrders(
  url: string,
  { from, count, products }: { from: number; count: number; products: number },
): Promise<void> {
  await makeBuyers(url, { from, count });
  await withClient(url, async (client) => {
    await client.query(
      `insert into orders (id, number, user_id, status, subtotal, total, currency, placed_at, updated_at)
       select ${sqlIdOf('order', 'n')}, 'past ' || n, ${sqlIdOf('buyer', 'n')}, 'delivered', 3000, 3000, 'USD', now(), now()
       from generate_series($1::int, $1::int + $2::int - 1) n`,
      [from, count],
    );
    await client.query(
      `insert into order_items (order_id, position, product_id, sku, name, unit_price, quantity, line_total, took_stock)
       select ${sqlIdOf('order', 'n')}, j, p.id, p.sku, p.name, 1000, 1, 1000, false
       from generate_series($1::bigint, $1::bigint + $2::int - 1) n cross join generate_series(1, 3) j
       join ${NUMBERED} p on p.nth = (n * 3 + j) % $3`,
      [from, count, products],
    );
    await client.query('vacuum analyze orders, order_items');
  });
}

/** Fills their carts, one of each. `productOf` is the number of the product in line `j` of buyer `n`'s cart, in SQL. */
export async function fillCarts(
  url: string,
  { from, count, lines, productOf }: { from: number; count: number; lines: number; productOf: string },
): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(
      `insert into carts (id, is_guest, created_at, updated_at)
       select ${sqlIdOf('buyer', 'n')}, false, now(), now() from generate_series($1::int, $1::int + $2::int - 1) n`,
      [from, count],
    );
    await client.query(
      `insert into cart_items (id, cart_id, product_id, quantity, sku, name, image, unit_price, added_at)
       select ${sqlIdOf('item', 'n * 10 + j')}, ${sqlIdOf('buyer', 'n')}, p.id, 1, p.sku, p.name, p.image, p.effective_price, now()
       from generate_series($1::bigint, $1::bigint + $2::int - 1) n cross join generate_series(0, $3::int - 1) j
       join ${NUMBERED} p on p.nth = ${productOf}`,
      [from, count, lines],
    );
    await client.query('vacuum analyze carts, cart_items');
  });
}

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
