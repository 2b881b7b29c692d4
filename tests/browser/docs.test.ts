import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestShop, type TestShop } from '../support/shop.ts';
import { hasBrowser, launchBrowser, visit } from './browser.ts';

/** The API's documentation in a real browser: it is drawn by scripts of others, which must ask nobody else for anything. */

describe.skipIf(!hasBrowser())('the documentation in a browser', () => {
  let shop: TestShop;
  let browser: Browser;

  beforeAll(async () => {
    [shop, browser] = await Promise.all([startTestShop(), launchBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.stop();
  });

  it.each([
    ['Swagger UI', '/docs/swagger', 'List products'],
    ['Redoc', '/docs/redoc', 'List products'],
    ['the list of errors', '/docs/errors', 'validation_failed'],
  ])('%s shows itself, breaks no rule and asks nobody else', async (_, path, text) => {
    const { page, complaints, close } = await visit(browser, shop.url, {});
    try {
      await page.goto(path);
      await page.getByText(text).filter({ visible: true }).first().waitFor({ timeout: 15_000 });
      expect(await page.evaluate(() => window.violations)).toEqual([]);
      expect(complaints).toEqual([]);
    } finally {
      await close();
    }
  });
});
