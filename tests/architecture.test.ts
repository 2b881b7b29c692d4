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

  it('stock and its ledger are written by change_stock() alone', () => {
    const writes =
      /\b(insert\s+into|update|delete\s+from|merge\s+into|copy|truncate)\s+(only\s+)?(stock|stock_movements)\b|(insertInto|updateTable|deleteFrom|mergeInto)\(\s*['"](stock|stock_movements)['"]/i;
    expect(writes.test('update stock set on_hand = 1')).toBe(true);
    expect(writes.test("build.insertInto('stock_movements')")).toBe(true);
    expect(sources.filter((file) => !file.endsWith('.test.ts') && writes.test(textOf(file)))).toEqual([]);
    const migrations = readdirSync(join(ROOT, 'migrations')).filter((file) => /^\d{4}_/.test(file));
    const outside = migrations.filter((file) =>
      writes.test(
        readFileSync(join(ROOT, 'migrations', file), 'utf8').replace(
          /create function change_stock\([\s\S]*?\n\$\$;/,
          '',
        ),
      ),
    );
    expect(outside).toEqual([]);
  });
});
