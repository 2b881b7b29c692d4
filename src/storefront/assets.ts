import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Filled } from '../kernel/cache.ts';

/**
 * The few files that pages need, held in memory. Each is served under a name that holds its content's hash, so that
 * browsers keep it for good and a changed file is another one. There is no build: the styles are joined as they stand.
 */

/** In the order in which they cascade. */
const STYLES = [
  'fonts',
  'base',
  'frame',
  'controls',
  'cards',
  'home',
  'list',
  'filters',
  'product',
  'account',
  'mailbox',
  'cart',
  'orders',
];

export type Assets = {
  css: string;
  script: string;
  icon: string;
  /** The font that nearly every page needs; fetched beside the styles instead of after them. */
  font: string;
  /** By file name, without the folder. */
  files: ReadonlyMap<string, Filled>;
};

const FOREVER = { 'cache-control': 'public, max-age=31536000, immutable' };

let loaded: Assets | undefined;

/** Reads the files when first asked for. */
export function assets(): Assets {
  loaded ??= load();
  return loaded;
}

function load(): Assets {
  const files = new Map<string, Filled>();
  const add = (name: string, extension: string, contentType: string, body: Buffer): string => {
    const file = `${name}.${createHash('sha256').update(body).digest('hex').slice(0, 12)}.${extension}`;
    files.set(file, { body, contentType, tags: [], headers: FOREVER });
    return `/assets/${file}`;
  };
  const own = (path: string) => readFileSync(new URL(`./assets/${path}`, import.meta.url));
  const inter = (subset: string) => {
    const path = fileURLToPath(
      import.meta.resolve(`@fontsource-variable/inter/files/inter-${subset}-wght-normal.woff2`),
    );
    return add(`inter-${subset}`, 'woff2', 'font/woff2', readFileSync(path));
  };
  const font = inter('latin');
  const fontExt = inter('latin-ext');
  const css = STYLES.map((name) => own(`styles/${name}.css`).toString('utf8'))
    .join('\n')
    .replace('inter-latin.woff2', font)
    .replace('inter-latin-ext.woff2', fontExt);
  return {
    css: add('shop', 'css', 'text/css; charset=utf-8', Buffer.from(css)),
    script: add('shop', 'js', 'text/javascript; charset=utf-8', own('shop.js')),
    icon: add('icon', 'svg', 'image/svg+xml', own('favicon.svg')),
    font,
    files,
  };
}
