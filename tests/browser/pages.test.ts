import AxeBuilder from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../../src/kernel/db.ts';
import { startTestShop, type TestShop } from '../support/shop.ts';
import { hasBrowser, launchBrowser, scrollThrough, visit } from './browser.ts';

/** The pages in a real browser: what it complains about, whether everybody can use them, with script and without. */

const PHONE = { width: 390, height: 844 };
const WIDE = { width: 1440, height: 900 };

const PAGES: Record<string, string> = {
  'the front page': '/',
  'the list': '/products',
  'a search with filters': '/products?search=shirt&color=White&price_min=10&price_max=nonsense',
  'a search without results': '/products?search=qqqqqqq',
  'a page too far': '/products?page=99999',
  'a category': '/categories/clothing',
  'a product with variants': '/products/oxford-shirt-white-l',
  'an address without a page': '/no/such/page',
};

describe.skipIf(!hasBrowser())('in a browser', () => {
  let shop: TestShop;
  let browser: Browser;

  beforeAll(async () => {
    [shop, browser] = await Promise.all([startTestShop({ demo: true }), launchBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.stop();
  });

  const open = async (path: string, options: Parameters<typeof visit>[2], use: (page: Page) => Promise<void>) => {
    const { page, complaints, close } = await visit(browser, shop.url, options);
    try {
      await page.goto(path, { waitUntil: 'networkidle' });
      await use(page);
      expect(complaints).toEqual([]);
    } finally {
      await close();
    }
  };

  for (const [name, path] of Object.entries(PAGES)) {
    for (const [size, viewport] of Object.entries({ phone: PHONE, 'wide screen': WIDE })) {
      it(`${name} on a ${size} breaks no rule, asks nobody else, and stands still`, () =>
        open(path, { viewport }, async (page) => {
          await scrollThrough(page);
          const found = await page.evaluate(() => ({
            violations: window.violations,
            shift: window.shift,
            beyond: Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth),
            broken: [...document.images].filter((image) => image.naturalWidth === 0).map((image) => image.src),
            font: document.fonts.check('16px "Inter Variable"'),
          }));
          expect(found).toEqual({ violations: [], shift: 0, beyond: 0, broken: [], font: true });
        }));

      it.each(['light', 'dark'] as const)(`${name} on a ${size} can be used by everybody: %s`, (colorScheme) =>
        open(path, { viewport, colorScheme }, async (page) => {
          // What is folded away must be as good as what is seen.
          await page.evaluate(() => {
            for (const details of document.querySelectorAll('details')) details.open = true;
          });
          const { violations } = await new AxeBuilder({ page })
            .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
            .analyze();
          expect(
            violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`),
          ).toEqual([]);
        }),
      );
    }
  }

  it('an old address of a product leads to the new one', async () => {
    const { json } = await shop.get('/api/products/oxford-shirt-white-l');
    await shop.db.run(
      sql("insert into retired_product_slugs (slug, product_id, retired_at) values ('oxford-1', $1, now())", [json.id]),
    );
    await open('/products/oxford-1?utm_source=mail', {}, async (page) => {
      expect(new URL(page.url()).pathname).toBe('/products/oxford-shirt-white-l');
    });
  });

  describe('without script', () => {
    const plain = { javaScriptEnabled: false, viewport: WIDE };

    it('one can search, filter, sort and turn pages', () =>
      open('/', plain, async (page) => {
        await page.getByRole('searchbox').fill('shirt');
        await page.getByRole('searchbox').press('Enter');
        expect(new URL(page.url()).search).toBe('?search=shirt');
        await page.getByRole('checkbox', { name: 'Tidewick' }).check();
        await page.getByLabel('To', { exact: true }).fill('100');
        await page.getByRole('button', { name: 'Show products' }).click();
        expect(new URL(page.url()).searchParams.getAll('brand')).toEqual(['Tidewick']);
        await page.getByRole('combobox').selectOption('price');
        await page.getByRole('button', { name: 'Sort' }).click();
        const { searchParams } = new URL(page.url());
        expect([
          searchParams.get('search'),
          searchParams.get('brand'),
          searchParams.get('price_max'),
          searchParams.get('ordering'),
        ]).toEqual(['shirt', 'Tidewick', '100.00', 'price']);
        await page.getByRole('link', { name: 'Remove Tidewick' }).click();
        expect(new URL(page.url()).searchParams.has('brand')).toBe(false);
        await page.goto('/products');
        await page.getByRole('link', { name: 'Next' }).click();
        expect(new URL(page.url()).search).toBe('?page=2');
      }));

    it('one can choose another variant, and look at its other pictures', () =>
      open('/products/oxford-shirt-white-l', plain, async (page) => {
        await page.getByRole('link', { name: 'Pale Blue' }).click();
        expect(new URL(page.url()).pathname).toBe('/products/oxford-shirt-pale-blue-l');
        await page.getByRole('link', { name: 'Show picture 2' }).click();
        await expect
          .poll(() => page.locator('.strip').evaluate((strip) => Math.round(strip.scrollLeft / strip.clientWidth)))
          .toBe(1);
      }));

    it('the menu and the filters unfold on a phone', () =>
      open('/products', { ...plain, viewport: PHONE }, async (page) => {
        const filters = page.getByRole('checkbox', { name: 'In stock only' });
        expect(await filters.isVisible()).toBe(false);
        await page.getByText('Filter', { exact: true }).click();
        expect(await filters.isVisible()).toBe(true);
        await page.getByText('Menu', { exact: true }).click();
        await page.getByRole('navigation', { name: 'Departments' }).getByRole('link', { name: 'Shoes' }).click();
        expect(new URL(page.url()).pathname).toBe('/categories/shoes');
      }));
  });

  describe('with script', () => {
    it('a filter applies as it is chosen, in place, and the way back is kept', () =>
      open('/categories/clothing', { viewport: WIDE }, async (page) => {
        await page.evaluate(() => {
          document.body.dataset.same = 'page';
          scrollTo(0, 200);
        });
        await page.getByRole('checkbox', { name: 'Navy' }).check();
        await page.waitForURL('**/categories/clothing?color=Navy');
        expect(await page.locator('.count').textContent()).toBe('5 products');
        const now = await page.evaluate(() => ({
          same: document.body.dataset.same,
          y: scrollY,
          focus: (document.activeElement as HTMLInputElement).value,
        }));
        expect(now).toEqual({ same: 'page', y: 200, focus: 'Navy' });
        await page.goBack();
        await expect.poll(() => page.locator('.count').textContent()).toBe('62 products');
        expect(await page.getByRole('checkbox', { name: 'Navy' }).isChecked()).toBe(false);
      }));

    it('the filters stay unfolded on a phone while one chooses', () =>
      open('/categories/clothing', { viewport: PHONE }, async (page) => {
        await page.getByText('Filter', { exact: true }).click();
        await page.getByRole('checkbox', { name: 'In stock only' }).check();
        await page.waitForURL('**?in_stock=true');
        expect(await page.getByRole('checkbox', { name: 'In stock only' }).isVisible()).toBe(true);
      }));

    it('a small picture shows the large one without moving the page', () =>
      open('/products/oxford-shirt-white-l', { viewport: WIDE }, async (page) => {
        await page.evaluate(() => scrollTo(0, 120));
        const third = page.getByRole('link', { name: 'Show picture 3' });
        await third.click();
        await expect.poll(() => third.getAttribute('aria-current')).toBe('true');
        expect(await page.evaluate(() => [scrollY, location.hash])).toEqual([120, '']);
      }));
  });
});
