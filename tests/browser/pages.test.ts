import AxeBuilder from '@axe-core/playwright';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../../src/kernel/db.ts';
import { startTestShop, type TestShop } from '../support/shop.ts';
import { hasBrowser, launchBrowser, lookAt, visit } from './browser.ts';

/** The pages in a real browser: what it complains about, whether everybody can use them, with script and without. */

const SIZES = { phone: { width: 390, height: 844 }, 'wide screen': { width: 1440, height: 900 } };

const PAGES: Record<string, string> = {
  'the front page': '/',
  'the list': '/products?page=2',
  'a search with filters': '/products?search=shirt&color=White&price_min=10&price_max=nonsense',
  'a search without results': '/products?search=qqqqqqq',
  'a page too far back': '/products?page=99999',
  'a category': '/categories/clothing',
  'a product with variants': '/products/oxford-shirt-white-l',
  'an address without a page': '/no/such/page',
};

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

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

  const open = async (path: string, options: BrowserContextOptions, use: (page: Page) => Promise<void>) => {
    const { page, complaints, close } = await visit(browser, shop.url, options);
    try {
      await page.goto(path);
      await use(page);
      expect(complaints).toEqual([]);
    } finally {
      await close();
    }
  };

  const faultsOf = async (axe: AxeBuilder) => {
    // Without the isolation that frames need, of which there are none, it takes half the time.
    const { violations, passes } = await axe.setLegacyMode().analyze();
    expect(passes.length).toBeGreaterThan(0);
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
  };

  for (const [name, path] of Object.entries(PAGES)) {
    it.each(Object.entries(SIZES))(
      `${name} on a %s breaks no rule, asks nobody else, stands still, and serves everybody, light and dark`,
      (_, viewport) =>
        open(path, { viewport, colorScheme: 'light' }, async (page) => {
          expect(await lookAt(page)).toEqual({ violations: [], shift: 0, beyond: 0, broken: [], font: true });
          // What is folded away must be as good as what is seen.
          await page.evaluate(() => {
            for (const details of document.querySelectorAll('details')) details.open = true;
          });
          expect(await faultsOf(new AxeBuilder({ page }).withTags(RULES))).toEqual([]);
          await page.emulateMedia({ colorScheme: 'dark' });
          expect(await faultsOf(new AxeBuilder({ page }).withRules(['color-contrast', 'link-in-text-block']))).toEqual(
            [],
          );
        }),
    );
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
    const plain = { javaScriptEnabled: false, viewport: SIZES['wide screen'] };

    it('one can search, filter, sort and turn pages', () =>
      open('/', plain, async (page) => {
        await page.getByRole('searchbox').fill('shirt');
        await page.getByRole('searchbox').press('Enter');
        expect(new URL(page.url()).search).toBe('?search=shirt');
        await page.getByRole('checkbox', { name: 'Tidewick' }).check();
        await page.getByLabel('To', { exact: true }).fill('100');
        await page.getByRole('button', { name: 'Show products' }).click();
        expect(await page.getByRole('checkbox', { name: 'Tidewick' }).isChecked()).toBe(true);
        await page.getByRole('combobox').selectOption('price');
        await page.getByRole('button', { name: 'Sort' }).click();
        const asked = new URL(page.url()).searchParams;
        expect(['search', 'brand', 'price_max', 'ordering'].map((name) => asked.get(name))).toEqual([
          'shirt',
          'Tidewick',
          '100.00',
          'price',
        ]);
        await page.getByRole('link', { name: 'Remove Tidewick' }).click();
        expect(new URL(page.url()).search).toBe('?search=shirt&price_max=100.00&ordering=price');
        await page.goto('/products');
        await page.getByRole('link', { name: 'Next' }).click();
        expect(new URL(page.url()).search).toBe('?page=2');
      }));

    it('one can choose another variant, and look at its other pictures', () =>
      open('/products/oxford-shirt-white-l', plain, async (page) => {
        await page.getByRole('link', { name: 'Pale Blue' }).click();
        expect(new URL(page.url()).pathname).toBe('/products/oxford-shirt-pale-blue-l');
        await page.getByRole('link', { name: 'Show picture 2' }).click();
        const left = async (picture: string) => (await page.locator(picture).boundingBox())!.x;
        const strip = await left('.strip');
        await expect.poll(() => left('#picture-2')).toBeCloseTo(strip, 0);
      }));

    it('the menu and the filters unfold on a phone', () =>
      open('/products', { ...plain, viewport: SIZES.phone }, async (page) => {
        const inStock = page.getByRole('checkbox', { name: 'In stock only' });
        expect(await inStock.isVisible()).toBe(false);
        await page.getByText('Filter', { exact: true }).click();
        expect(await inStock.isVisible()).toBe(true);
        await page.getByText('Menu', { exact: true }).click();
        await page.getByRole('navigation', { name: 'Departments' }).getByRole('link', { name: 'Shoes' }).click();
        expect(new URL(page.url()).pathname).toBe('/categories/shoes');
      }));
  });

  describe('with script', () => {
    it('a filter applies as it is chosen, in place, and the way back is kept', () =>
      open('/categories/clothing', { viewport: SIZES['wide screen'] }, async (page) => {
        const count = page.locator('.count');
        const before = await count.textContent();
        await page.evaluate(() => {
          document.body.dataset.same = 'page';
          scrollTo(0, 200);
        });
        await page.getByRole('checkbox', { name: 'Navy' }).check();
        await page.waitForURL((url) => url.search === '?color=Navy');
        expect(await count.textContent()).toBe('5 products');
        expect(
          await page.evaluate(() => [
            document.body.dataset.same,
            scrollY,
            (document.activeElement as HTMLInputElement).value,
          ]),
        ).toEqual(['page', 200, 'Navy']);
        await page.goBack();
        await expect.poll(() => count.textContent()).toBe(before);
        expect(await page.getByRole('checkbox', { name: 'Navy' }).isChecked()).toBe(false);
      }));

    it('the filters stay unfolded on a phone while one chooses', () =>
      open('/categories/clothing', { viewport: SIZES.phone }, async (page) => {
        await page.getByText('Filter', { exact: true }).click();
        const inStock = page.getByRole('checkbox', { name: 'In stock only' });
        await inStock.check();
        await page.waitForURL((url) => url.search === '?in_stock=true');
        expect(await inStock.isVisible()).toBe(true);
      }));

    it('a small picture shows the large one without moving the page', () =>
      open('/products/oxford-shirt-white-l', { viewport: SIZES['wide screen'] }, async (page) => {
        await page.evaluate(() => scrollTo(0, 120));
        const third = page.getByRole('link', { name: 'Show picture 3' });
        await third.click();
        await expect.poll(() => third.getAttribute('aria-current')).toBe('true');
        expect(await page.evaluate(() => [scrollY, location.hash])).toEqual([120, '']);
      }));
  });
});
