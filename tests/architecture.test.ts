import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkBoundaries } from '../scripts/boundaries.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);

describe('imports flow one way', () => {
  it('breaks no boundary, having looked at every file', async () => {
    const { modules, violations } = await checkBoundaries(ROOT);
    expect(violations).toEqual([]);
    // Under a compiler it cannot drive, the tool sees no module at all and is content with that.
    expect(modules).toBeGreaterThanOrEqual(sources.length);
  });

  describe('and a planted violation is found', () => {
    let copy: string;
    beforeAll(() => {
      copy = mkdtempSync(join(tmpdir(), 'vitrine-boundaries-'));
      cpSync(join(ROOT, 'src'), join(copy, 'src'), { recursive: true });
      cpSync(join(ROOT, 'tsconfig.json'), join(copy, 'tsconfig.json'));
      cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'));
      symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    });
    afterAll(() => rmSync(copy, { recursive: true, force: true }));

    const planted: [string, string, string][] = [
      ['src/kernel/planted.ts', '../modules/catalogue/index.ts', 'kernel-knows-no-business'],
      ['src/modules/catalogue/planted.ts', '../imports/index.ts', 'catalogue-uses-only-the-faces-listed'],
      ['src/modules/imports/planted.ts', '../catalogue/stock.ts', 'imports-uses-only-the-faces-listed'],
      ['src/modules/imports/planted.ts', '../../storefront/index.ts', 'arrows-do-not-turn-back-into-storefront'],
      ['src/storefront/planted.ts', '../modules/catalogue/list-products.ts', 'storefront-reads-faces'],
      ['src/modules/unlisted/planted.ts', './other.ts', 'every-module-is-listed'],
    ];
    it.each(planted)('%s importing %s breaks %s', async (file, target, rule) => {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      writeFileSync(join(copy, file), `import '${target}';\n`);
      if (target === './other.ts') writeFileSync(join(copy, dirname(file), 'other.ts'), 'export {};\n');
      try {
        const { violations } = await checkBoundaries(copy);
        expect(violations.map((violation) => violation.split(':')[0])).toContain(rule);
      } finally {
        rmSync(join(copy, file));
      }
    });
  });
});

describe('one obvious place', () => {
  const textOf = (file: string) => readFileSync(join(ROOT, 'src', file), 'utf8');

  it('only config.ts reads the environment', () => {
    const readers = sources.filter(
      (file) => !file.endsWith('.test.ts') && /process\.env/.test(textOf(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')),
    );
    expect(readers).toEqual(['kernel/config.ts']);
  });

  describe('stock and its ledger', () => {
    const writes =
      /\b(insert\s+into|update|delete\s+from|merge\s+into|copy|truncate(\s+table)?)\s+(only\s+)?("?\w+"?\.)?"?(stock|stock_movements)\b|(insertInto|updateTable|deleteFrom|mergeInto)\(\s*['"](stock|stock_movements)['"]/i;
    const shipped = sources
      .filter((file) => !file.endsWith('.test.ts'))
      .map((file) => ({ place: `src/${file}`, text: textOf(file) }));
    /** Each function that migrations define, and what of them stands outside of any. */
    const migrations = readdirSync(join(ROOT, 'migrations'))
      .filter((file) => /^\d{4}_/.test(file))
      .flatMap((file) => partsOf(file, readFileSync(join(ROOT, 'migrations', file), 'utf8')));
    const places = [...shipped, ...migrations];
    const placesWith = (pattern: RegExp) => places.filter(({ text }) => pattern.test(text)).map(({ place }) => place);

    function partsOf(file: string, text: string): { place: string; text: string }[] {
      const functions: { place: string; text: string }[] = [];
      const rest = text
        .replace(/^\s*--.*$/gm, '')
        .replace(/create (?:or replace )?function (\w+)\(([\s\S]*?)\$\$;/gi, (_, name: string, definition: string) => {
          functions.push({ place: `${file}: ${name}`, text: definition });
          return '';
        });
      return [...functions, { place: file, text: rest }];
    }

    it('are written by change_stock() alone', () => {
      for (const text of [
        'update stock set on_hand = 1',
        'insert into public.stock_movements',
        "build.insertInto('stock_movements')",
      ])
        expect(writes.test(text)).toBe(true);
      expect(placesWith(writes)).toEqual(['0002_catalogue.sql: change_stock']);
    });

    it('are moved by callers that are known: imports, people, and whoever orders, in one statement', () => {
      expect(placesWith(/\bchange_stock\((?!\))/)).toEqual([
        'src/modules/catalogue/merge.ts',
        'src/modules/catalogue/stock.ts',
        '0016_orders.sql: sell_products',
      ]);
      expect(placesWith(/\bsell_products\(/)).toEqual(['0016_orders.sql: place_order']);
      expect(placesWith(/\bplace_order\(/)).toEqual(['src/modules/orders/place-order.ts']);
      const definitions = migrations.filter(({ place }) => /: (change_stock|sell_products|place_order)$/.test(place));
      expect(definitions.map(({ place }) => place)).toEqual([
        '0002_catalogue.sql: change_stock',
        '0016_orders.sql: sell_products',
        '0016_orders.sql: place_order',
      ]);
    });
  });
});
