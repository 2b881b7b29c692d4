import { expect, it } from 'vitest';
import { createMemoryCache } from '../kernel/cache.ts';
import { createHttp } from '../kernel/http/index.ts';
import { createLogger } from '../kernel/log.ts';
import { testConfig } from '../kernel/testing/index.ts';
import type { Catalogue } from '../modules/catalogue/index.ts';
import { errorPage } from './error-page.ts';
import { registerSitemap } from './sitemap.ts';
import { exampleCategory } from './testing.ts';

/** More products than the catalogue gives at once; here that is three, since ten thousand rows would only take longer. */
it('a large sitemap is an index of files that hold every product once', async () => {
  const rows = Array.from({ length: 8 }, (_, i) => ({
    id: `0190a000-0000-7000-8000-00000000000${i}`,
    slug: `p&${i}`,
    updated_at: `2026-01-0${i + 1}T00:00:00.000Z`,
  }));
  const catalogue = {
    categories: async () => [exampleCategory()],
    sitemap: async (after: string | null) => rows.filter(({ id }) => after === null || id > after).slice(0, 3),
  } as unknown as Catalogue;
  const app = await createHttp({
    config: testConfig(),
    cache: createMemoryCache(),
    log: createLogger('silent'),
    errorPage: errorPage('Vitrine'),
  });
  registerSitemap(app, catalogue, 'https://shop.example');
  const locationsOf = async (url: string) => {
    const { body } = await app.inject(url);
    return [...body.matchAll(/<loc>([^<]*)<\/loc>/g)].map((match) => match[1]!);
  };
  try {
    const parts = await locationsOf('/sitemap.xml');
    expect(parts).toEqual([
      'https://shop.example/sitemap-pages.xml',
      'https://shop.example/sitemaps/start.xml',
      'https://shop.example/sitemaps/0190a000-0000-7000-8000-000000000002.xml',
      'https://shop.example/sitemaps/0190a000-0000-7000-8000-000000000005.xml',
    ]);
    expect((await app.inject('/sitemap.xml')).body).toContain('<lastmod>2026-01-08T00:00:00.000Z</lastmod>');
    const listed = (await Promise.all(parts.map((part) => locationsOf(new URL(part).pathname)))).flat();
    expect(listed.filter((url) => url.includes('/products/'))).toEqual(
      rows.map(({ slug }) => `https://shop.example/products/${encodeURIComponent(slug)}`),
    );
    expect(listed).toContain('https://shop.example/categories/mugs');
    for (const bad of ['/sitemaps/2.xml', '/sitemaps/start', `/sitemaps/${'-'.repeat(36)}.xml`])
      expect((await app.inject(bad)).statusCode).toBe(404);
  } finally {
    await app.close();
  }
});
