import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { feedOf, startTestShop, type TestShop } from '../../tests/support/shop.ts';
import { sql } from '../kernel/db.ts';

/** The pages over a real catalogue, as a browser without script gets them. */

const HOSTILE = `"><script>alert('x')</script>`;
const BRANDS = ['Kobo', 'Norrland'];

let shop: TestShop;

beforeAll(async () => {
  shop = await startTestShop();
  const mugs = Array.from({ length: 60 }, (_, i) => ({
    id: `mug-${i}`,
    title: `Mug number ${i}`,
    price: `${10 + i}.00 USD`,
    availability: i === 0 ? 'out_of_stock' : 'in_stock',
    brand: BRANDS[i % 2]!,
    color: i % 3 === 0 ? 'Teal' : 'Rust',
    product_type: 'Kitchen > Mugs',
  }));
  const sweaters = ['S', 'M', 'L'].map((size) => ({
    id: `sweater-${size}`,
    title: 'Merino Sweater',
    price: '80.00 USD',
    sale_price: '60.00 USD',
    availability: 'in_stock',
    brand: 'Kobo',
    color: 'Teal',
    size,
    item_group_id: 'sweater',
    product_type: 'Clothing > Tops',
    description: 'Warm.\n\n- Soft\n- Grey',
  }));
  const hostile = {
    id: 'hostile',
    title: HOSTILE,
    price: '5.00 USD',
    availability: 'in_stock',
    brand: HOSTILE,
    product_type: `Clothing > ${HOSTILE}`,
  };
  await shop.importText(feedOf([...mugs, ...sweaters, hostile]));
});
afterAll(() => shop.stop());

const page = async (path: string, status = 200) => {
  const answer = await shop.get(path);
  expect([path, answer.status, answer.headers.get('content-type')]).toEqual([path, status, 'text/html; charset=utf-8']);
  return answer.text;
};
const linksOf = (text: string) =>
  [...text.matchAll(/<a [^>]*href="([^"]*)"/g)].map((match) => match[1]!.replaceAll('&amp;', '&'));
const canonicalOf = (text: string) => /<link rel="canonical" href="([^"]*)">/.exec(text)?.[1]?.replaceAll('&amp;', '&');
const productsOf = (text: string) => [...text.matchAll(/<h3><a href="\/products\/([^"]*)"/g)].map((match) => match[1]);

describe('every page', () => {
  it.each(['/', '/products', '/products?search=mug', '/products/mug-number-3', '/categories/kitchen', '/nothing-here'])(
    '%s shows what feeds say as text, and sets its policy',
    async (path) => {
      const answer = await shop.get(path);
      expect(answer.text).not.toContain('<script>');
      expect(answer.text).not.toMatch(/\sstyle=|\son\w+="/);
      const policy = answer.headers.get('content-security-policy');
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain('unsafe');
    },
  );

  it('leads nowhere that does not answer', async () => {
    const seen = new Set<string>();
    const queue = ['/'];
    while (queue.length > 0 && seen.size < 60) {
      const path = queue.shift()!;
      if (seen.has(path)) continue;
      seen.add(path);
      const { status, text, headers } = await shop.get(path);
      expect([path, status]).toEqual([path, expect.toBeOneOf([200, 302, 303])]);
      if (!headers.get('content-type')?.startsWith('text/html') || path.startsWith('/docs')) continue;
      const linked = [
        ...linksOf(text),
        ...[...text.matchAll(/(?:src|href)="(\/(?:assets|media)\/[^"]*)"/g)].map((match) => match[1]!),
      ];
      queue.push(...linked.filter((href) => href.startsWith('/') && !seen.has(href)));
    }
    expect(seen.size).toBeGreaterThan(40);
  });
});

describe('the front page', () => {
  it('shows departments and what is new, and its one address', async () => {
    const text = await page('/?utm_source=mail');
    expect(text).toContain('64 things to look at');
    expect(linksOf(text)).toEqual(expect.arrayContaining(['/products', '/categories/kitchen', '/categories/clothing']));
    expect(canonicalOf(text)).toBe('https://shop.example/');
  });

  it('of an empty shop says what to do', async () => {
    const empty = await startTestShop();
    try {
      expect((await empty.get('/')).text).toContain('npm run vitrine -- import feed.xml');
      expect((await empty.get('/products')).text).toContain('Nothing here yet');
      await empty.importText(feedOf([{ id: '1', title: 'First', price: '1.00 USD' }]));
      expect((await empty.get('/')).text).toContain('One thing to look at');
    } finally {
      await empty.stop();
    }
  });
});

describe('the list', () => {
  it('is one cached page, however its address is written', async () => {
    const [one, other] = await Promise.all([
      shop.get('/products?brand=Kobo&color=Teal&utm_source=x'),
      shop.get('/products/?gclid=1&color=Teal&page=1&brand=Kobo&brand=&search='),
    ]);
    expect(one.headers.get('etag')).toBe(other.headers.get('etag'));
    expect(canonicalOf(one.text)).toBe('https://shop.example/products?brand=Kobo&color=Teal');
    expect(one.text).toContain('noindex');
    expect((await shop.get('/products')).text).not.toContain('noindex');
  });

  it('offers what narrows it, with counts, each facet apart from itself', async () => {
    const text = await page('/products?brand=Kobo&category=mugs');
    const option = (value: string) =>
      new RegExp(`<input type="\\w+" name="\\w+" value="${value}"( checked)?>.*?option-count">(\\d+)<`, 's')
        .exec(text)
        ?.slice(1);
    expect(option('Kobo')).toEqual([' checked', '30']);
    expect(option('Norrland')).toEqual([undefined, '30']);
    expect(option('Teal')).toEqual([undefined, '10']);
    expect(option('mugs')).toEqual([' checked', '30']);
    expect(text).toContain('<p class="count" role="status">30 products</p>');
    expect(linksOf(text)).toEqual(
      expect.arrayContaining(['/products?category=mugs', '/products?brand=Kobo', '/products']),
    );
  });

  it('goes on from page to page, and says so to crawlers', async () => {
    const text = await page('/products?category=mugs&page=2');
    expect(productsOf(text)).toHaveLength(24);
    expect(text).toContain('<link rel="prev" href="/products?category=mugs">');
    expect(text).toContain('<link rel="next" href="/products?category=mugs&amp;page=3">');
    expect(text).toMatch(/aria-label="Page 2" aria-current="page"/);
    // A category alone has a page of its own.
    expect(canonicalOf(text)).toBe('https://shop.example/categories/mugs?page=2');
    expect(productsOf(await page('/products?category=mugs&page=3'))).toHaveLength(12);
  });

  it('has a way back from where there is nothing', async () => {
    expect(linksOf(await page('/products?category=mugs&page=9', 404))).toContain('/products?category=mugs&page=3');
    expect(linksOf(await page('/products?search=mug&page=99999999', 404))).toContain('/products?search=mug');
    expect(await page('/products?search=qqqqqq')).toContain('Nothing matches <q>qqqqqq</q>');
  });

  it('orders and narrows', async () => {
    expect(productsOf(await page('/products?category=mugs&ordering=-price&in_stock=true'))[0]).toBe('mug-number-59');
    expect(productsOf(await page('/products?category=mugs&price_min=12&price_max=13.50'))).toEqual([
      'mug-number-3',
      'mug-number-2',
    ]);
    const all = await page('/products?category=mugs&ordering=price');
    expect(all).toMatch(/Sold out<\/span>.*mug-number-0/s);
    expect(productsOf(await page('/products?category=mugs&ordering=price&in_stock=true'))[0]).toBe('mug-number-1');
  });

  it.each([
    'page=abc',
    'page=-1',
    'page=1e9',
    'price_min=foo&price_max=',
    'price_min=99999999999999999999',
    `search=${'x'.repeat(10_000)}`,
    `search=${encodeURIComponent(`'"\\%_():*&|!<>`)}`,
    'search=%F0%9F%98%80',
    'search=%E2%80%AE%EF%BF%BF',
    'search[]=x&brand[a]=b',
    'category=no-such',
    `brand=${'b'.repeat(300)}`,
    Array.from({ length: 80 }, (_, i) => `brand=b${i}`).join('&'),
    'ordering=relevance',
    'ordering=price;drop',
    'in_stock=maybe',
    '&&==&?',
  ])('takes ?%.60s without a fault', async (query) => {
    await page(`/products?${query}`);
    await page(`/categories/kitchen?${query}`);
  });

  it('tells a price that is none, and keeps the rest', async () => {
    const text = await page('/products?price_min=foo&brand=Kobo');
    expect(text).toContain('The price “from” was left out');
    expect(text).toContain('33 products');
    expect(await page('/products?brand=Kobo')).not.toContain('left out');
  });

  it('refuses a NUL as the API does, but in words for people', async () => {
    expect(await page('/products?search=%00', 400)).toContain('That did not work');
  });
});

describe('a category', () => {
  it('shows the way to it, what it holds, and the same list within', async () => {
    const text = await page('/categories/kitchen');
    expect(text).toMatch(/<ol>\s*<li><a href="\/">.*Shop.*<li aria-current="page"><bdi>Kitchen/s);
    expect(linksOf(text)).toContain('/categories/mugs');
    expect(text).toContain('60 products');
    expect(text).toContain('<form id="filters" action="/categories/kitchen"');
    // The path says the category; a second one in the query is not looked at.
    expect(canonicalOf(await page('/categories/mugs?category=clothing&page=2'))).toBe(
      'https://shop.example/categories/mugs?page=2',
    );
    expect(linksOf(await page('/categories/mugs?brand=Kobo'))).toContain('/categories/mugs?brand=Kobo&page=2');
  });

  it('that is not there is a page that says so', async () => {
    expect(await page('/categories/no-such', 404)).toContain('There is no such department');
  });
});

describe('a product', () => {
  it('shows its family, its saving and where it stands', async () => {
    const text = await page('/products/merino-sweater-teal-m');
    expect(text).toContain('You save $20.00 (25%)');
    expect(linksOf(text)).toEqual(
      expect.arrayContaining([
        '/products/merino-sweater-teal-s',
        '/products/merino-sweater-teal-l',
        '/categories/tops',
        '/products?brand=Kobo',
      ]),
    );
    expect(text).toMatch(/<li dir="auto">Soft<\/li><li dir="auto">Grey<\/li>/);
    expect(text).toMatch(/aria-current="true"><bdi>M<\/bdi>/);
  });

  it('shows others of its category, never its own family', async () => {
    const mug = await page('/products/mug-number-5');
    expect(mug).toContain('More in Mugs');
    expect(productsOf(mug)).toHaveLength(4);
    expect(productsOf(mug)).not.toContain('mug-number-5');
    // Neither its category nor the one above holds a row of others: its brand does.
    const sweater = await page('/products/merino-sweater-teal-m');
    expect(sweater).toContain('More from Kobo');
    expect(productsOf(sweater).join()).not.toContain('sweater');
  });

  it('has one address: its id and its old slugs lead there', async () => {
    const { json } = await shop.get('/api/products/mug-number-7');
    await shop.db.run(
      sql("insert into retired_product_slugs (slug, product_id, retired_at) values ('old-mug', $1, now())", [json.id]),
    );
    for (const path of [`/products/${json.id}`, '/products/old-mug', '/products/old-mug/?utm_source=x']) {
      const answer = await shop.get(path);
      expect([answer.status, answer.headers.get('location')]).toEqual([301, '/products/mug-number-7']);
    }
    const { json: category } = await shop.get('/api/categories/mugs');
    const answer = await shop.get(`/categories/${category.id}?brand=Kobo&utm_source=x`);
    expect([answer.status, answer.headers.get('location')]).toEqual([301, '/categories/mugs?brand=Kobo']);
  });

  it('is seen as it is now, and answers 304 while it stays so', async () => {
    const before = await shop.get('/products/mug-number-8');
    expect((await shop.get('/products/mug-number-8', { 'if-none-match': before.headers.get('etag')! })).status).toBe(
      304,
    );
    await shop.importText(
      feedOf([
        {
          id: 'mug-8',
          title: 'Mug number 8',
          price: '777.00 USD',
          availability: 'in_stock',
          brand: 'Kobo',
          product_type: 'Kitchen > Mugs',
        },
      ]),
      'upsert',
    );
    const after = await shop.get('/products/mug-number-8', { 'if-none-match': before.headers.get('etag')! });
    expect(after.status).toBe(200);
    expect(after.text).toContain('$777.00');
    expect(await page('/products?ordering=-price')).toContain('$777.00');
  });

  it.each([
    '/products/no-such',
    '/products/00000000-0000-7000-8000-000000000000',
    '/products/%F0%9F%98%80',
    `/products/${'x'.repeat(300)}`,
  ])('%.60s is not there, and the page says so', async (path) => {
    expect(await page(path, 404)).toContain('This product is not here');
  });
});

describe('errors', () => {
  it('are pages with their status, and are not kept', async () => {
    const answer = await shop.get('/no/such/page');
    expect(answer.text).toContain('There is nothing at this address');
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([404, 'no-store']);
    const posted = await fetch(`${shop.url}/products`, { method: 'POST' });
    expect([posted.status, posted.headers.get('allow'), posted.headers.get('content-type')]).toEqual([
      405,
      'GET, HEAD',
      'text/html; charset=utf-8',
    ]);
  });
});

describe('files', () => {
  it('are kept for good under names that hold their content', async () => {
    const text = await page('/');
    const paths = [...new Set(text.match(/\/assets\/[\w.-]+/g))];
    expect(paths.map((path) => path.replace(/\.\w{12}\./, '.')).sort()).toEqual([
      '/assets/icon.svg',
      '/assets/inter-latin.woff2',
      '/assets/shop.css',
      '/assets/shop.js',
    ]);
    for (const path of paths) {
      const { status, headers } = await shop.get(path);
      expect([path, status, headers.get('cache-control')]).toEqual([path, 200, 'public, max-age=31536000, immutable']);
    }
    const css = (await shop.get(paths.find((path) => path.endsWith('.css'))!)).text;
    const fonts = css.match(/url\([^)]*\)/g)!;
    for (const font of fonts)
      expect((await shop.get(font.slice(4, -1).replace(/["']/g, ''))).headers.get('content-type')).toBe('font/woff2');
    expect(fonts).toHaveLength(2);
    expect((await shop.get('/assets/shop.css')).status).toBe(404);
    expect((await shop.get('/favicon.svg')).headers.get('content-type')).toBe('image/svg+xml');
  });

  it('for crawlers name every page', async () => {
    const robots = (await shop.get('/robots.txt')).text;
    expect(robots).toContain('Sitemap: https://shop.example/sitemap.xml');
    expect(robots).toContain('Disallow: /*&brand=');
    const { text, headers } = await shop.get('/sitemap.xml');
    expect(headers.get('content-type')).toBe('application/xml; charset=utf-8');
    const urls = [...text.matchAll(/<loc>([^<]*)<\/loc>/g)].map((match) => match[1]!);
    expect(urls).toEqual(
      expect.arrayContaining([
        'https://shop.example/',
        'https://shop.example/categories/mugs',
        'https://shop.example/products/mug-number-0',
      ]),
    );
    expect(urls.filter((url) => url.includes('/products/'))).toHaveLength(64);
    for (const url of urls) expect((await shop.get(new URL(url).pathname)).status).toBe(200);
  });
});
