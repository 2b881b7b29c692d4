import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { generateFeed } from '../../src/modules/imports/feed/generate.ts';

/** The path of a generated feed of `count` items. The same count and seed give the same bytes; another seed gives
 * other SKUs. */
export async function feedFile(folder: string, count: number, seed = 1): Promise<string> {
  const path = join(folder, `feed-${count}-${seed}.xml`);
  if (existsSync(path)) return path;
  const file = createWriteStream(path);
  for (const chunk of generateFeed(count, { seed, currency: 'USD' }))
    if (!file.write(chunk.replaceAll('SKU-', `S${seed}-`))) await once(file, 'drain');
  file.end();
  await once(file, 'finish');
  return path;
}
