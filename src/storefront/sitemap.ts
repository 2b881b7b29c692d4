import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Filled } from '../kernel/cache.ts';
import { escapeText } from '../kernel/html.ts';
import { type Http, notFound } from '../kernel/http/index.ts';
import { isUuid } from '../kernel/ids.ts';
import { CATALOGUE_TAG, type Catalogue } from '../modules/catalogue/index.ts';
import type { Category } from '../modules/catalogue/schemas.ts';
import { productPath } from './product-card.ts';

/**
 * The sitemap (sitemaps.org): one file as long as the catalogue gives all its products at once (10,000), else an index
 * of files. The name of each file holds the id that it begins after, so a file is one query however far down it stands,
 * no node has to remember anything, and names stay as they are while products are added behind.
 */

const XML = 'application/xml; charset=utf-8';
const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"';

type Row = { slug: string; updated_at: string; id: string };

export function registerSitemap(app: Http, catalogue: Catalogue, publicUrl: string): void {
  const answer = (request: FastifyRequest, reply: FastifyReply, key: string, fill: () => Promise<Filled>) =>
    app.answers.answer(request, reply, `page /${key}`, fill);

  app.get('/sitemap.xml', (request, reply) =>
    answer(request, reply, 'sitemap.xml', async () => {
      const first = await catalogue.sitemap(null);
      const second = first.length === 0 ? [] : await catalogue.sitemap(first.at(-1)!.id);
      if (second.length > 0) return index(catalogue, publicUrl, first, second);
      const pages = pageUrls(await catalogue.categories(), publicUrl);
      return { body: urlSet([...pages, ...productUrls(first, publicUrl)]), contentType: XML, tags: [CATALOGUE_TAG] };
    }),
  );

  app.get('/sitemap-pages.xml', (request, reply) =>
    answer(request, reply, 'sitemap-pages.xml', async () => ({
      body: urlSet(pageUrls(await catalogue.categories(), publicUrl)),
      contentType: XML,
      tags: [CATALOGUE_TAG],
    })),
  );

  app.get<{ Params: { after: string } }>('/sitemaps/:after', (request, reply) => {
    const after = /^(start|[\da-f-]{36})\.xml$/.exec(request.params.after)?.[1] ?? '';
    if (after !== 'start' && !isUuid(after)) throw notFound('There is no such part of the sitemap.');
    return answer(request, reply, `sitemaps/${after}`, async () => ({
      body: urlSet(productUrls(await catalogue.sitemap(after === 'start' ? null : after), publicUrl)),
      contentType: XML,
      tags: [CATALOGUE_TAG],
    }));
  });
}

/** Walks all ids, which takes about a second for a million: kept for the cache's hour, whatever changes meanwhile. */
async function index(catalogue: Catalogue, publicUrl: string, first: Row[], second: Row[]): Promise<Filled> {
  const part = (name: string, rows: Row[]) => {
    const latest = rows.reduce((max, row) => (row.updated_at > max ? row.updated_at : max), '');
    return `<sitemap><loc>${escapeText(`${publicUrl}/sitemaps/${name}.xml`)}</loc><lastmod>${latest}</lastmod></sitemap>`;
  };
  const parts = [`<sitemap><loc>${escapeText(`${publicUrl}/sitemap-pages.xml`)}</loc></sitemap>`, part('start', first)];
  let after = first.at(-1)!.id;
  for (let rows = second; rows.length > 0; rows = await catalogue.sitemap(after)) {
    parts.push(part(after, rows));
    after = rows.at(-1)!.id;
  }
  return {
    body: `${HEAD}<sitemapindex ${NAMESPACE}>\n${parts.join('\n')}\n</sitemapindex>\n`,
    contentType: XML,
    tags: [],
  };
}

function urlSet(urls: readonly string[]): string {
  return `${HEAD}<urlset ${NAMESPACE}>\n${urls.join('\n')}\n</urlset>\n`;
}

function pageUrls(tree: readonly Category[], publicUrl: string): string[] {
  const below = (category: Category): string[] => [
    `<url><loc>${escapeText(`${publicUrl}/categories/${encodeURIComponent(category.slug)}`)}</loc></url>`,
    ...category.children.flatMap(below),
  ];
  return [
    `<url><loc>${escapeText(`${publicUrl}/`)}</loc></url>`,
    `<url><loc>${escapeText(`${publicUrl}/products`)}</loc></url>`,
    ...tree.flatMap(below),
  ];
}

function productUrls(rows: readonly Row[], publicUrl: string): string[] {
  return rows.map(
    ({ slug, updated_at }) =>
      `<url><loc>${escapeText(publicUrl + productPath(slug))}</loc><lastmod>${updated_at}</lastmod></url>`,
  );
}

/** What crawlers may read: pages, but not the endless combinations of filters. */
export function robotsText(publicUrl: string): string {
  const parameters = [
    'search',
    'brand',
    'color',
    'size',
    'gender',
    'condition',
    'price_min',
    'price_max',
    'in_stock',
    'ordering',
  ];
  const combinations = parameters.flatMap((name) => [`Disallow: /*?${name}=`, `Disallow: /*&${name}=`]);
  return `User-agent: *\nDisallow: /api/\n${combinations.join('\n')}\nAllow: /\n\nSitemap: ${publicUrl}/sitemap.xml\n`;
}
