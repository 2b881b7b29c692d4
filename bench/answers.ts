import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './support/database.ts';
import { compare } from './support/load.ts';
import { startServer } from './support/processes.ts';
import { report } from './support/report.ts';

/**
 * Requests per second of a list and a product, out of the cache against Fastify returning the same bytes as a constant,
 * and made anew for each request against Fastify with the bare statements, prepared.
 */
export async function benchAnswers(bench: Bench, url: string): Promise<void> {
  const [sample] = await bench.query<{ id: string }>(url, 'select id from products order by id offset 5000 limit 1');
  const paths = { list: '/api/products', detail: `/api/products/${sample!.id}` };

  const cached = await startServer('support/shop-server.ts', [url, 'cached']);
  for (const [name, path] of Object.entries(paths)) {
    const file = join(bench.folder, `${name}.json`);
    writeFileSync(file, Buffer.from(await (await fetch(cached.url + path)).arrayBuffer()));
    const constant = await startServer('support/limit-server.ts', ['constant', file]);
    const { one, other } = await compare(cached.url + path, `${constant.url}/`);
    await constant.stop();
    report({
      what: `cached ${name}`,
      measured: `${Math.round(one)}/s`,
      limit: `Fastify, constant ${Math.round(other)}/s`,
      ratio: one / other,
      target: '≥ 0.9',
      met: one >= 0.9 * other,
    });
  }
  await cached.stop();

  const uncached = await startServer('support/shop-server.ts', [url, 'uncached']);
  for (const [name, path] of Object.entries(paths)) {
    const file = join(bench.folder, `${name}.sql.json`);
    writeFileSync(file, JSON.stringify(BARE[name as keyof typeof BARE](sample!.id)));
    const bare = await startServer('support/limit-server.ts', ['query', url, file]);
    const { one, other } = await compare(uncached.url + path, `${bare.url}/`);
    await bare.stop();
    report({
      what: `uncached ${name}`,
      measured: `${Math.round(one)}/s`,
      limit: `Fastify, bare statements ${Math.round(other)}/s`,
      ratio: one / other,
      target: '≥ 0.6',
      met: one >= 0.6 * other,
    });
  }
  await uncached.stop();
}

const COLUMNS = `p.id, p.sku, p.slug, p.name, p.price, p.sale_price, p.effective_price, p.featured, p.active, p.availability,
  p.category_id, p.brand, p.gender, p.condition, p.color, p.size, p.age_group, p.material, p.gtin, p.mpn, p.group_id, p.image,
  p.offers_count, p.lowest_offer, p.offers_in_stock, p.owner_id, p.version, p.created_at, p.updated_at, s.on_hand`;
const VISIBLE = 'p.visible';

/** What the same answers take at least: a page with its total, a product with its texts and siblings. */
const BARE = {
  list: () => [
    { text: `select count(*) from (select from products p where ${VISIBLE} limit 10001) m`, values: [] },
    {
      text: `select ${COLUMNS} from products p left join stock s on s.product_id = p.id where ${VISIBLE} order by p.created_at desc, p.id desc limit 11`,
      values: [],
    },
  ],
  detail: (id: string) => [
    {
      text: `select ${COLUMNS} from products p left join stock s on s.product_id = p.id
             where p.group_id = (select group_id from products where id = $1) and p.id <> $1 and ${VISIBLE} order by p.id limit 200`,
      values: [id],
    },
    {
      text: `select ${COLUMNS}, t.description, t.attributes from products p left join stock s on s.product_id = p.id
             join product_texts t on t.product_id = p.id where p.id = $1 and ${VISIBLE}`,
      values: [id],
    },
  ],
};
