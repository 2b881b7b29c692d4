import AxeBuilder from '@axe-core/playwright';
import { generateSync } from 'otplib';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nextName, PASSWORD, registered, type Visitor } from '../../src/storefront/account/testing.ts';
import { startTestShop, type TestShop } from '../support/shop.ts';
import { hasBrowser, launchBrowser, lookAt, visit } from './browser.ts';

/** The pages about oneself in a real browser: with script and without, by keyboard alone, in two tabs. */

const SIZES = { phone: { width: 390, height: 844 }, 'wide screen': { width: 1440, height: 900 } };
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

describe.skipIf(!hasBrowser())('accounts in a browser', () => {
  let shop: TestShop;
  let browser: Browser;

  beforeAll(async () => {
    [shop, browser] = await Promise.all([
      startTestShop({ demo: true, env: { PUBLIC_URL: 'http://shop.example' } }),
      launchBrowser(),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.stop();
  });

  const open = async (
    path: string,
    options: BrowserContextOptions,
    use: (page: Page) => Promise<void>,
    as?: Visitor,
  ) => {
    const { page, complaints, close } = await visit(browser, shop.url, options);
    try {
      if (as) await page.context().addCookies([...as.cookies].map(([name, value]) => ({ name, value, url: shop.url })));
      await page.goto(path);
      await use(page);
      expect(complaints).toEqual([]);
    } finally {
      await close();
    }
  };

  /** Whether everybody can use the page as it stands now, light and dark. */
  const judge = async (page: Page) => {
    expect(await lookAt(page)).toEqual({ violations: [], shift: 0, beyond: 0, broken: [], font: true });
    const unfold = (open: boolean) =>
      page.evaluate((open) => {
        for (const details of document.querySelectorAll('details')) details.open = open;
      }, open);
    await unfold(true);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const axe = new AxeBuilder({ page }).setLegacyMode();
      const { violations, passes } = await (colorScheme === 'light'
        ? axe.withTags(RULES)
        : axe.withRules(['color-contrast', 'link-in-text-block'])
      ).analyze();
      expect(passes.length).toBeGreaterThan(0);
      expect(
        violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`),
      ).toEqual([]);
    }
    await unfold(false);
  };

  const path = (page: Page) => new URL(page.url()).pathname;
  const headed = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor();

  describe.each(Object.entries(SIZES))('on a %s', (_, viewport) => {
    it.each([
      '/login?done=erased',
      '/register',
      '/password/forgot',
      '/password/reset?token=t',
      '/email/verify?token=t',
    ])('%s breaks no rule, stands still, and serves everybody', (address) =>
      open(address, { viewport, colorScheme: 'light' }, judge),
    );

    it.each([
      '/profile?done=saved',
      '/profile/security',
      '/profile/sessions',
      '/profile/notifications',
      '/profile/delete',
    ])('%s does too, for whoever is logged in', async (address) => {
      const { one } = await registered(shop.url);
      await open(address, { viewport, colorScheme: 'light' }, judge, one);
    });

    it('so do the pages of the second factor', async () => {
      const { one } = await registered(shop.url);
      await open(
        '/profile/security',
        { viewport, colorScheme: 'light' },
        async (page) => {
          await page.getByRole('button', { name: 'Set up a second factor' }).click();
          await page.getByRole('textbox', { name: 'Code' }).fill('000000');
          await page.getByRole('button', { name: 'Switch it on' }).click();
          await page.getByText('There is a problem').waitFor();
          await judge(page);
          const secret = (await page.locator('.key').textContent())!.replaceAll(' ', '');
          await page.getByRole('textbox', { name: 'Code' }).fill(generateSync({ secret }));
          await page.getByRole('button', { name: 'Switch it on' }).click();
          await headed(page, 'Keep these recovery codes');
          await judge(page);
          await page.getByRole('link', { name: 'I have kept them' }).click();
          await page.getByRole('link', { name: 'Manage the second factor' }).click();
          await headed(page, 'Second factor');
          await judge(page);
        },
        one,
      );
    });

    it('what is wrong is told in a summary that has the focus and leads to the fields', () =>
      open('/register', { viewport, colorScheme: 'light' }, async (page) => {
        await page.getByLabel('E-mail address').fill('nonsense');
        await page.getByRole('button', { name: 'Open an account' }).click();
        const summary = page.getByRole('alert');
        await expect.poll(() => summary.evaluate((element) => element === document.activeElement)).toBe(true);
        await judge(page);
        await summary.getByRole('link', { name: 'Enter a username.' }).click();
        const username = page.getByLabel('Username');
        expect(await username.evaluate((element) => element === document.activeElement)).toBe(true);
        expect(await username.getAttribute('aria-invalid')).toBe('true');
        expect(await page.title()).toMatch(/^Error: /);
      }));
  });

  it('by keyboard alone one finds the way in, and out again', async () => {
    const { username } = await registered(shop.url);
    await open('/', { viewport: SIZES['wide screen'] }, async (page) => {
      const focused = () =>
        page.evaluate(() => document.activeElement?.textContent?.trim() || document.activeElement?.id);
      const tabTo = async (name: string) => {
        for (let i = 0; i < 40; i++) {
          await page.keyboard.press('Tab');
          if ((await focused()) === name) return;
        }
        throw new Error(`Forty steps, and never at ${name}.`);
      };
      await tabTo('Account');
      await page.keyboard.press('Enter');
      await headed(page, 'Log in');
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('Skip to the content');
      await page.keyboard.press('Enter');
      await page.keyboard.press('Tab');
      await page.keyboard.type(username);
      await page.keyboard.press('Tab');
      await page.keyboard.type(PASSWORD);
      await page.keyboard.press('Enter');
      await headed(page, 'Your details');
      await tabTo('Log out');
      await page.keyboard.press('Enter');
      await page.waitForURL((url) => url.pathname === '/');
    });
  });

  it('a password can be looked at, and is sent as what it is', () =>
    open('/login', {}, async (page) => {
      const password = page.getByLabel('Password', { exact: true });
      await password.fill('seen');
      await page.getByRole('button', { name: 'Show password' }).click();
      expect(await password.getAttribute('type')).toBe('text');
      await page.getByRole('button', { name: 'Hide password' }).click();
      expect(await password.getAttribute('type')).toBe('password');
      await page.getByRole('button', { name: 'Show password' }).click();
      await page.getByLabel('E-mail or username').fill('nobody');
      const types = page.evaluate(
        () =>
          new Promise((resolve) =>
            document.querySelector<HTMLFormElement>('.form')!.addEventListener('submit', (event) => {
              event.preventDefault();
              resolve(document.querySelector<HTMLInputElement>('#password')!.type);
            }),
          ),
      );
      await page.getByRole('button', { name: 'Log in' }).click();
      expect(await types).toBe('password');
    }));

  it('without script one opens an account, changes it, sets up a second factor, and logs in with it', () =>
    open('/register?next=/profile/security', { javaScriptEnabled: false, viewport: SIZES.phone }, async (page) => {
      const name = nextName();
      await page.getByLabel('E-mail address').fill(`${name}@example.com`);
      await page.getByLabel('Username').fill(name);
      await page.getByLabel('Password').fill(PASSWORD);
      await page.getByRole('button', { name: 'Open an account' }).click();
      await headed(page, 'Security');

      await page.getByRole('link', { name: 'Details' }).click();
      await page.getByLabel('First name').fill('Ada');
      await page.getByLabel('Country').selectOption('United Kingdom');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Your changes are saved.').waitFor();
      expect(await page.getByLabel('First name').inputValue()).toBe('Ada');

      await page.getByLabel('E-mail address').fill(`moved-${name}@example.com`);
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('link', { name: 'Enter your current password.' }).click();
      await page.keyboard.type(PASSWORD);
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Your changes are saved.').waitFor();
      expect(await page.getByLabel('E-mail address').inputValue()).toBe(`moved-${name}@example.com`);

      await page.getByRole('link', { name: 'Security' }).click();
      await page.getByRole('button', { name: 'Set up a second factor' }).click();
      const secret = (await page.locator('.key').textContent())!.replaceAll(' ', '');
      expect((await page.getByRole('img', { name: /QR code/ }).boundingBox())!.width).toBeGreaterThan(200);
      await page.getByRole('textbox', { name: 'Code' }).fill(generateSync({ secret }));
      await page.getByRole('button', { name: 'Switch it on' }).click();
      const recovery = await page.locator('.codes code').first().textContent();
      await page.getByRole('button', { name: 'Log out' }).click();
      expect(path(page)).toBe('/');

      await page.getByRole('link', { name: 'Account' }).click();
      await page.getByLabel('E-mail or username').fill(name);
      await page.getByLabel('Password').fill(PASSWORD);
      await page.getByRole('button', { name: 'Log in' }).click();
      await headed(page, 'Enter your code');
      // Loading it again sends no password once more.
      await page.reload();
      await page.getByText('I cannot use my app').click();
      await page.getByLabel('Recovery code').fill(recovery!);
      await page.getByRole('button', { name: 'Log in' }).click();
      await headed(page, 'Your details');
    }));

  it('logging out in one tab ends the other, and the way back shows nothing any more', async () => {
    const { one, username } = await registered(shop.url);
    await open(
      '/profile',
      {},
      async (page) => {
        const other = await page.context().newPage();
        await other.goto('/profile');
        await other.getByRole('button', { name: 'Log out' }).click();
        await other.waitForURL((url) => url.pathname === '/');
        await other.goBack();
        await headed(other, 'Log in');
        expect(await other.content()).not.toContain(username);
        await page.getByRole('button', { name: 'Save' }).click();
        await headed(page, 'Log in');
        expect(new URL(page.url()).search).toBe('?next=%2Fprofile');
      },
      one,
    );
  });
});
