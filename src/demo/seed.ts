import { finished } from 'node:stream/promises';
import { sql } from '../kernel/db.ts';
import { newId } from '../kernel/ids.ts';
import type { Kernel } from '../kernel/kernel.ts';
import {
  COPY_STAGED,
  CREATE_STAGING,
  drawingKey,
  dressProducts,
  mergeStaged,
  stageItem,
} from '../modules/catalogue/index.ts';
import { demoItems } from './catalogue.ts';

/**
 * Puts the demonstration catalogue into an empty shop, by the way that every import goes. Answers whether it did: a
 * shop with any product is left alone.
 */
export async function seedDemo(
  kernel: Pick<Kernel, 'db' | 'config' | 'clock' | 'events'>,
  say: (sentence: string) => void,
): Promise<boolean> {
  const { db, config, clock, events } = kernel;
  if (await db.maybe(sql('select from products limit 1'))) return false;
  say('Filling the shop with a demonstration catalogue …');
  const items = demoItems(config.CURRENCY);
  const at = clock.now();
  const importId = newId();
  await db.transaction(async (tx) => {
    await tx.run(sql(CREATE_STAGING));
    const copy = tx.copyFrom(COPY_STAGED);
    for (const [i, { featured: _, drawings, ...item }] of items.entries()) {
      copy.write(stageItem({ ...item, line: i + 1 }, i + 1, newId(), drawingKey(drawings[0]!)));
    }
    copy.end();
    await finished(copy as NodeJS.WritableStream);
    await mergeStaged(tx, { mode: 'create', importId, currency: config.CURRENCY, now: clock.now, actorId: null });
    await dressProducts(
      tx,
      items.map(({ sku, featured, drawings }) => ({
        sku,
        featured,
        images: drawings.map((drawing) => ({ key: drawingKey(drawing), width: 800, height: 1000 })),
      })),
      at,
    );
    await events.append(tx, {
      type: 'import.completed',
      subject: { type: 'import', id: importId },
      data: { demonstration: true, products: items.length },
    });
  });
  await db.run(sql('analyze products, product_texts'));
  return true;
}
