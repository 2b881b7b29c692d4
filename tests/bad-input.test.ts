import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { startTestShop } from './support/shop.ts';

test('probe', async () => {
  const shop = await startTestShop({ demo: true });
  writeFileSync('/tmp/openapi.json', JSON.stringify((await shop.get('/api/openapi.json')).json, null, 1));
  const first = (await shop.get('/api/products?page_size=2')).json;
  for (const p of [
    'page_size=Infinity',
    'page=1000001',
    'page_size=101',
    'page_size=1e2',
    `page_size=Infinity&cursor=${first.next_cursor}`,
    `page_size=1e400&cursor=${first.next_cursor}`,
    'page=-Infinity',
    'page=1e999',
  ]) {
    const a = await shop.get('/api/products?' + p);
    console.log(p, a.status, a.text.slice(0, 300));
  }
  const r = await shop.importText((await shop.get('/feeds/google.xml')).text, 'upsert');
  console.log(r.counts);
  console.log(
    JSON.stringify(
      (
        await shop.db.many<any>({
          text: "select * from product_changes where action='updated' order by id limit 2",
          values: [],
        })
      ).map((x) => x.changes),
    ),
  );
  const a = await shop.get('/api/products/filters');
  console.log(a.text.slice(0, 3000));
  await shop.stop();
}, 120000);
