import AxeBuilder from '@axe-core/playwright';
import type { Browser, BrowserContextOptions, Page, WebSocketRoute } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../../src/kernel/db.ts';
import { nextName, PASSWORD, registered, type Visitor } from '../../src/storefront/account/testing.ts';
import { ADDRESS, putIn } from '../../src/storefront/orders/testing.ts';
import { type Caller, startTestShop, type TestShop } from '../support/shop.ts';
import { hasBrowser, launchBrowser, lookAt, visit } from './browser.ts';

/** From a product to an order that has arrived, in a real browser: with script and without, and with what goes wrong on the way. */

const SIZES = { phone: { width: 390, height: 844 }, 'wide screen': { width: 1440, height: 900 } };
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const SHIRT = '/products/oxford-shirt-white-l';

describe.skipIf(!hasBrowser())('buying in a browser', () => {
  let shop: TestShop;
  let browser: Browser;
  let staff: Caller;

  beforeAll(async () => {
    [shop, browser] = await Promise.all([
      startTestShop({ demo: true, env: { PUBLIC_URL: 'http://shop.example' } }),
      launchBrowser(),
    ]);
    staff = await shop.as('staff');
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.stop();
  });

  type Options = BrowserContextOptions & { as?: Visitor; mayFail?: boolean };

  const open = async (path: string, { as, mayFail, ...options }: Options, use: (page: Page) => Promise<void>) => {
    const { page, complaints, close } = await visit(browser, shop.url, options);
    try {
      if (as) await page.context().addCookies([...as.cookies].map(([name, value]) => ({ name, value, url: shop.url })));
      await page.goto(path);
      await use(page);
      // What was refused, or cut on purpose, is told by the browser too.
      if (!mayFail) expect(complaints).toEqual([]);
      expect(complaints.filter((text) => !text.startsWith('console:'))).toEqual([]);
    } finally {
      await close();
    }
  };

  let made = 0;
  const product = async (fields: object = {}): Promise<{ id: string; slug: string; name: string }> => {
    const answer = await staff.post('/api/products', { name: `Jug ${++made}`, price: '10.00', stock: 20, ...fields });
    expect(answer.status).toBe(201);
    return answer.json;
  };
  /** Somebody who is logged in, with this in the cart. */
  const buyer = async (...things: readonly { id: string }[]): Promise<Visitor & { username: string }> => {
    const { one, username } = await registered(shop.url);
    for (const { id } of things) expect((await putIn(one, id, 2)).status).toBe(303);
    return Object.assign(one, { username });
  };
  const ordersOf = (username: string) =>
    shop.db.many(
      sql<{ number: string; status: string; total: number }>(
        'select o.number, o.status, o.total from orders o join users u on u.id = o.user_id where u.username = $1',
        [username],
      ),
    );
  /** Somebody who has ordered something. */
  const withOrder = async () => {
    const one = await buyer(await product());
    const sent = await one.submit(await one.open('/checkout'), '/checkout', ADDRESS);
    const number = /\/orders\/([\d-]+)/.exec(sent.location!)![1]!;
    return { one, number, path: `/orders/${number}` };
  };
  const become = async (number: string, status: string) =>
    expect((await staff.patch(`/api/orders/${number}/status`, { status })).status).toBe(200);

  const headed = (page: Page, name: string | RegExp) => page.getByRole('heading', { level: 1, name }).waitFor();
  const countIn = (page: Page) => page.locator('.cart-count').textContent();
  const focused = (page: Page) => page.evaluate(() => document.activeElement?.id || document.activeElement?.className);
  const fillAddress = async (page: Page) => {
    await page.getByLabel('Name', { exact: true }).fill(ADDRESS.name);
    await page.getByLabel('Street and number').fill(ADDRESS.line1);
    await page.getByLabel('City').fill(ADDRESS.city);
    await page.getByLabel('Country').selectOption(ADDRESS.country);
  };

  const FINE = { violations: [], shift: 0, beyond: 0, broken: [] as string[], font: true };
  /** Whether everybody can use the page as it stands now, light and dark. */
  const judge = async (page: Page, fine: object = FINE) => {
    expect([page.url(), await lookAt(page)]).toEqual([page.url(), fine]);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const axe = new AxeBuilder({ page }).setLegacyMode();
      const { violations, passes } = await (colorScheme === 'light'
        ? axe.withTags(RULES)
        : axe.withRules(['color-contrast', 'link-in-text-block'])
      ).analyze();
      expect(passes.length).toBeGreaterThan(0);
      expect([
        page.url(),
        violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`),
      ]).toEqual([page.url(), []]);
    }
    await page.emulateMedia({ colorScheme: 'light' });
  };

  describe.each(Object.entries(SIZES))('on a %s', (_, viewport) => {
    it('the cart and the checkout break no rule, stand still, and serve everybody', async () => {
      const long = await product({ name: `Donaudampfschifffahrtsgesellschaft ${'mug '.repeat(20)}`, color: 'Teal' });
      const few = await product();
      const sold = await product();
      const one = await buyer(long, few, sold);
      await open('/checkout', { viewport, as: one, mayFail: true }, async (page) => {
        expect(await lookAt(page)).toEqual(FINE);
        await page.getByRole('button', { name: 'Place the order' }).click();
        await page.getByText('There are problems').waitFor();
        await judge(page);
        await staff.patch(`/api/products/${long.id}`, { price: '12.00' });
        await staff.post(`/api/products/${few.id}/stock`, { delta: -19, reason: 'loss' });
        await staff.post(`/api/products/${sold.id}/stock`, { delta: -20, reason: 'loss' });
        await page.goto('/checkout');
        await page.getByText('Change what is marked').first().waitFor();
        await judge(page);
        await page.getByRole('button', { name: 'Take one' }).click();
        await page.getByText('Only 1 left.').waitFor({ state: 'detached' });
        await page.getByRole('button', { name: `Remove ${long.name.trim()}` }).click();
        await page.getByText('Taken out').waitFor();
        // It was pressed, so that things move is no surprise.
        await judge(page, { ...FINE, shift: expect.any(Number) });
      });
    });

    it('so do the pages of orders', async () => {
      const { one, path } = await withOrder();
      await open(path, { viewport, as: one }, async (page) => {
        await judge(page);
        await page.goto('/orders');
        await judge(page);
        if (viewport === SIZES.phone) {
          const topOf = async (name: string) => (await page.locator('.account-menu').getByText(name).boundingBox())!.y;
          expect(await topOf('Log out')).toBe(await topOf('Orders'));
        }
        await page.goto(`${path}/cancel`);
        await judge(page);
        await page.getByRole('button', { name: 'Cancel the order' }).click();
        await page.getByText('The order is cancelled.').waitFor();
        expect(await lookAt(page)).toEqual(FINE);
      });
    });

    it('so do the empty ones, and a product that has just gone into the cart', async () => {
      const one = await buyer();
      await open('/cart', { viewport, as: one }, async (page) => {
        await judge(page);
        await page.goto('/orders');
        expect(await lookAt(page)).toEqual(FINE);
        await page.goto(SHIRT);
        await page.getByRole('button', { name: 'Add to cart' }).click();
        await page.getByText('Added to your cart').waitFor();
        await judge(page);
      });
    });
  });

  it('with script one stays on the page while buying, changes the cart in place, and logs in on the way', async () => {
    const jug = await product();
    const { username } = await registered(shop.url);
    await open(SHIRT, { viewport: SIZES['wide screen'] }, async (page) => {
      await page.evaluate(() => {
        document.body.dataset.same = 'page';
      });
      const stays = async () => expect(await page.evaluate(() => document.body.dataset.same)).toBe('page');
      expect(await page.locator('.cart-count').isVisible()).toBe(false);
      await page.getByLabel('Quantity').fill('2');
      await page.getByRole('button', { name: 'Add to cart' }).dblclick();
      await expect
        .poll(() => page.getByRole('status').filter({ hasText: 'Added' }).textContent())
        .toBe('Added to your cart. View cart');
      // Pressed twice, it was meant once.
      expect(await countIn(page)).toBe('2');
      expect(await page.getByRole('link', { name: 'Cart (2 in it)' }).isVisible()).toBe(true);
      await stays();
      await page.goto(`/products/${jug.slug}`);
      expect(await countIn(page)).toBe('2');
      await page.getByRole('button', { name: 'Add to cart' }).click();
      await page.getByRole('link', { name: 'View cart' }).click();
      await headed(page, 'Your cart');

      await page.evaluate(() => {
        document.body.dataset.same = 'page';
      });
      const total = page.locator('.sums-total dd');
      expect(await total.textContent()).toBe('$166.00');
      const more = page.getByRole('button', { name: `One more of ${jug.name}` });
      // As quickly as anybody can: nothing is lost, and the focus stays.
      await more.focus();
      for (let i = 0; i < 4; i++) await page.keyboard.press('Enter');
      await expect.poll(() => total.textContent()).toBe('$206.00');
      expect(await page.getByLabel(`How many of ${jug.name}`).inputValue()).toBe('5');
      expect(await focused(page)).toMatch(/^more-/);
      expect(await countIn(page)).toBe('7');
      expect(await page.locator('body > [role="status"]').textContent()).toBe('7 items, $206.00 together.');
      await page.getByLabel(`How many of ${jug.name}`).fill('3');
      await page.keyboard.press('Enter');
      await expect.poll(() => total.textContent()).toBe('$186.00');
      await page.getByRole('button', { name: `Remove ${jug.name}` }).click();
      const undo = page.getByRole('button', { name: 'Undo' });
      await undo.waitFor();
      expect(await focused(page)).toContain('notice');
      await undo.click();
      await expect.poll(() => total.textContent()).toBe('$186.00');
      await stays();

      await page.getByRole('link', { name: 'Check out' }).click();
      await headed(page, 'Log in');
      await page.getByLabel('E-mail or username').fill(username);
      await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
      await page.getByRole('button', { name: 'Log in' }).click();
      await headed(page, 'Check out');
      expect(await total.textContent()).toBe('$186.00');
      await fillAddress(page);
      await page.getByRole('button', { name: 'Place the order' }).click();
      await page.getByText('Thank you: your order is placed.').waitFor();
      expect(await total.textContent()).toBe('$186.00');
      expect(await page.locator('.cart-count').isVisible()).toBe(false);
    });
    expect(await ordersOf(username)).toMatchObject([{ status: 'pending', total: 18_600 }]);
  });

  it('without script the same way is gone by forms', async () => {
    const jug = await product();
    const name = nextName();
    await open(`/products/${jug.slug}`, { javaScriptEnabled: false, viewport: SIZES.phone }, async (page) => {
      await page.getByLabel('Quantity').fill('2');
      await page.getByRole('button', { name: 'Add to cart' }).click();
      await page.getByText(`In your cart now: ${jug.name}.`).waitFor();
      const quantity = page.getByLabel(`How many of ${jug.name}`);
      await page.getByRole('button', { name: `One more of ${jug.name}` }).click();
      expect(await quantity.inputValue()).toBe('3');
      await page.getByRole('button', { name: `One less of ${jug.name}` }).click();
      expect(await quantity.inputValue()).toBe('2');
      await quantity.fill('5');
      await quantity.press('Enter');
      expect(await page.locator('.sums-total dd').textContent()).toBe('$50.00');
      await quantity.fill('4');
      await page.getByRole('button', { name: /^Update/ }).click();
      expect(await page.locator('.sums-total dd').textContent()).toBe('$40.00');
      await page.getByRole('button', { name: /^Remove/ }).click();
      await page.getByRole('button', { name: 'Undo' }).click();
      expect(await quantity.inputValue()).toBe('4');
      await page.getByRole('link', { name: 'Check out' }).click();
      await page.getByRole('link', { name: 'Open an account' }).click();
      await page.getByLabel('E-mail address').fill(`${name}@example.com`);
      await page.getByLabel('Username').fill(name);
      await page.getByLabel('Password').fill(PASSWORD);
      await page.getByRole('button', { name: 'Open an account' }).click();
      await headed(page, 'Check out');
      await page.getByRole('button', { name: 'Place the order' }).click();
      await page.getByRole('link', { name: 'Enter a street and number.' }).click();
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('line1');
      await fillAddress(page);
      await page.getByRole('button', { name: 'Place the order' }).click();
      await page.getByText('Thank you: your order is placed.').waitFor();
      await page.getByRole('link', { name: 'Orders', exact: true }).click();
      await headed(page, 'Your orders');
      await page.getByRole('link', { name: /^\d{3}-\d{4}-\d{3}$/ }).click();
      await page.getByRole('link', { name: 'Cancel this order' }).click();
      await page.getByRole('button', { name: 'Cancel the order' }).click();
      await page.getByText('The order is cancelled.').waitFor();
    });
    expect(await ordersOf(name)).toMatchObject([{ status: 'cancelled', total: 4_000 }]);
  });

  it('a checkout pressed twice is one order', async () => {
    const one = await buyer(await product());
    await open('/checkout', { as: one }, async (page) => {
      await fillAddress(page);
      let posts = 0;
      page.on('request', (request) => {
        if (request.method() === 'POST') posts += 1;
      });
      // Chromium drops the first of two clicks; what it sends twice when it repeats a request looks like this.
      await page.evaluate(() => {
        const form = document.querySelector<HTMLFormElement>('.checkout')!;
        const body = new FormData(form) as unknown as Iterable<[string, string]>;
        void fetch(form.action, { method: 'POST', body: new URLSearchParams([...body]) });
      });
      await page.getByRole('button', { name: 'Place the order' }).dblclick();
      await page.getByText('Thank you: your order is placed.').waitFor();
      expect(posts).toBeGreaterThanOrEqual(2);
    });
    expect(await ordersOf(one.username)).toHaveLength(1);
  });

  it('a price that changes between cart and checkout is seen before anything is ordered', async () => {
    const jug = await product();
    const one = await buyer(jug);
    await open('/checkout', { as: one, mayFail: true }, async (page) => {
      await fillAddress(page);
      await staff.patch(`/api/products/${jug.id}`, { price: '11.50' });
      await page.getByRole('button', { name: 'Place the order' }).click();
      await page.getByText('The total was $20.00 and is $23.00 now.').waitFor();
      expect(await page.locator('.line-change').textContent()).toBe('The price has gone up from $10.00 to $11.50.');
      expect(await ordersOf(one.username)).toEqual([]);
      await page.getByRole('button', { name: 'Place the order' }).click();
      await headed(page, /^Order/);
      expect(await page.locator('.sums-total dd').textContent()).toBe('$23.00');
    });
  });

  it('what is refused is said in place; where script fails, the browser sends the form itself', async () => {
    const jug = await product({ stock: 3 });
    await open(`/products/${jug.slug}`, { mayFail: true }, async (page) => {
      await page.getByLabel('Quantity').fill('4');
      await page.getByRole('button', { name: 'Add to cart' }).click();
      await page.getByRole('status').filter({ hasText: 'Only 3 are left' }).waitFor();
      expect(await page.locator('.cart-count').isVisible()).toBe(false);
      await page.getByLabel('Quantity').fill('2');
      await page.route('**/cart/items', (route) =>
        route.request().isNavigationRequest() ? route.continue() : route.abort(),
      );
      await page.getByRole('button', { name: 'Add to cart' }).click();
      await page.getByText(`In your cart now: ${jug.name}.`).waitFor();
      const quantity = page.getByLabel(`How many of ${jug.name}`);
      await quantity.fill('9');
      await page.keyboard.press('Tab');
      await page.getByRole('alert').getByText('Only 3 are left, and you want 9.').waitFor();
      expect(await quantity.inputValue()).toBe('2');
      await page.route('**/cart/items/*', (route) =>
        route.request().isNavigationRequest() ? route.continue() : route.abort(),
      );
      await page.getByRole('button', { name: `One more of ${jug.name}` }).click();
      await expect.poll(() => quantity.inputValue()).toBe('3');
    });
  });

  describe('an order that is looked at', () => {
    it('shows by itself what becomes of it, and says so', async () => {
      const { one, number, path } = await withOrder();
      const other = await withOrder();
      await open(path, { as: one, viewport: SIZES.phone }, async (page) => {
        await page.evaluate(() => {
          document.body.dataset.same = 'page';
        });
        const cancel = page.getByRole('link', { name: 'Cancel this order' });
        await cancel.focus();
        await become(other.number, 'shipped');
        await become(number, 'shipped');
        await page.getByText('It is on its way to you.', { exact: true }).waitFor();
        expect(await cancel.count()).toBe(0);
        // What had the focus is gone: it is now where that is said.
        expect(await focused(page)).toBe('state');
        expect(await page.locator('body > [role="status"]').textContent()).toBe(
          `Order ${number}: Shipped. It is on its way to you.`,
        );
        await become(number, 'delivered');
        await page.getByText('It has arrived.', { exact: true }).waitFor();
        expect(await page.evaluate(() => [document.body.dataset.same, window.shift])).toEqual(['page', 0]);
      });
    });

    it('misses nothing while its connection is away, and goes on from where it was', async () => {
      const { one, number, path } = await withOrder();
      const asked: string[] = [];
      const heard: string[] = [];
      let held: WebSocketRoute | undefined;
      await open('/orders', { as: one }, async (page) => {
        await page.routeWebSocket(/\/ws\/notifications\//, (route) => {
          asked.push(new URL(route.url()).search);
          if (asked.length === 2) return void route.close({ code: 1011 });
          const server = route.connectToServer();
          if (asked.length === 1) {
            held = route;
            server.onMessage((message) => {
              route.send(message);
              heard.push(JSON.parse(String(message)).type);
            });
          }
        });
        await page.goto(path);
        await expect.poll(() => heard).toEqual(['ready']);
        const seen = await page.locator('#order').getAttribute('data-after');
        await held!.close({ code: 1013 });
        await become(number, 'shipped');
        await page.getByText('It is on its way to you.', { exact: true }).waitFor();
        expect(asked.slice(0, 2)).toEqual([`?after=${seen}`, `?after=${seen}`]);
        expect(asked).toHaveLength(3);
      });
    });

    it('looks again when one comes back to it', async () => {
      const { one, number, path } = await withOrder();
      await open('/orders', { as: one }, async (page) => {
        // A connection that is dead without anybody having noticed.
        await page.routeWebSocket(/\/ws\/notifications\//, () => {});
        await page.goto(path);
        await become(number, 'shipped');
        await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
        await page.getByText('It is on its way to you.', { exact: true }).waitFor();
      });
    });

    it('is left when one logs out elsewhere', async () => {
      const { one, path } = await withOrder();
      await open(path, { as: one, mayFail: true }, async (page) => {
        const other = await page.context().newPage();
        await other.goto('/profile');
        await other.getByRole('button', { name: 'Log out' }).click();
        await other.waitForURL((url) => url.pathname === '/');
        await headed(page, 'Log in');
      });
    });
  });
});
