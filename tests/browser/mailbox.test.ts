import AxeBuilder from '@axe-core/playwright';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../../src/kernel/db.ts';
import { createNotifications, readMail } from '../../src/modules/notifications/index.ts';
import type { Mail } from '../../src/modules/notifications/mails.ts';
import { browserOf } from '../support/person.ts';
import { startTestShop, type TestShop } from '../support/shop.ts';
import { hasBrowser, launchBrowser, lookAt, visit } from './browser.ts';

/** The mailbox and the messages themselves, as a real browser shows them. */

const SIZES = { phone: { width: 390, height: 844 }, 'wide screen': { width: 1440, height: 900 } };
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const to = {
  userId: '0190a000-0000-7000-8000-000000000001',
  email: 'a.very.long.address.of.somebody@mail.example.com',
};

const MAILS: Mail[] = [
  {
    template: 'verify_email',
    to,
    data: { url: `https://shop.example/email/verify?token=${'x'.repeat(43)}`, hours: 48 },
  },
  {
    template: 'import_finished',
    to,
    data: {
      fileName: 'a-very-long-name-of-a-file-without-any-space-in-it-at-all-2026-11-21.xml',
      counts: { read: 12_010, created: 312, updated: 1_204, unchanged: 10_488, existing: 0, rejected: 6 },
      outcomes: [
        {
          outcome: 'rejected',
          sku: `HF-${'LONG'.repeat(12)}`,
          line: 10,
          message: 'The price “12,00 €” is not an amount such as 12.00 USD. Write it with a point.',
        },
        { outcome: 'created', sku: 'HF-1', line: 12, message: '' },
      ],
      totalOutcomes: 1_522,
      csvUrl: 'https://shop.example/api/imports/0190a000-0000-7000-8000-000000000001/outcomes?format=csv',
      isAttached: true,
    },
  },
  {
    template: 'products_digest',
    to,
    data: {
      actor: 'ada',
      changes: [
        {
          action: 'updated',
          name: 'A name so long that it takes more than one line of a phone and of a table',
          sku: `HF-${'LONG'.repeat(12)}`,
          url: 'https://shop.example/products/a-name-so-long',
          changes: [{ field: 'Price', text: '19.99 USD → 17.99 USD' }],
          at: new Date('2026-11-21T12:00:00Z'),
        },
      ],
      total: 5,
    },
  },
];

describe.skipIf(!hasBrowser())('the mailbox in a browser', () => {
  let shop: TestShop;
  let browser: Browser;
  let session: string;
  let ids: string[];

  beforeAll(async () => {
    [shop, browser] = await Promise.all([
      startTestShop({ env: { PUBLIC_URL: 'http://shop.example' } }),
      launchBrowser(),
    ]);
    const boss = await shop.as('superuser');
    session = (await browserOf(shop, boss.userId)).split('=')[1]!;
    const { sendMail } = createNotifications(shop, { publicUrl: 'https://shop.example' });
    for (const mail of MAILS) await shop.db.transaction((tx) => sendMail(tx, mail));
    ids = (await shop.db.many(sql<{ id: string }>('select id from emails order by id'))).map(({ id }) => id);
    await shop.db.run(
      sql(
        "update emails set state = 'failed', tries = 11, last_tried_at = now(), last_error = $2, message_id = $3 where id = $1",
        [ids[1], 'The mail server answered “550 5.1.1 No such user here” to RCPT TO.', `<${ids[1]}@shop.example>`],
      ),
    );
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.stop();
  });

  const open = async (path: string, options: BrowserContextOptions, use: (page: Page) => Promise<void>) => {
    const { page, complaints, close } = await visit(browser, shop.url, options);
    try {
      await page.context().addCookies([{ name: 'vitrine_session', value: session, url: shop.url }]);
      await page.goto(path);
      await use(page);
      // What the frame of a message refuses is the script of these tests that watches for violations.
      expect(complaints.filter((text) => !text.includes("the document's frame is sandboxed"))).toEqual([]);
    } finally {
      await close();
    }
  };

  const judge = async (page: Page, rules = RULES) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const axe = new AxeBuilder({ page }).setLegacyMode();
      const { violations, passes } = await (colorScheme === 'light'
        ? axe.withTags(rules)
        : axe.withRules(['color-contrast', 'link-in-text-block'])
      ).analyze();
      expect(passes.length).toBeGreaterThan(0);
      expect(
        violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`),
      ).toEqual([]);
    }
  };

  describe.each(Object.entries(SIZES))('on a %s', (_, viewport) => {
    it.each([
      ['the list', () => '/admin/mailbox'],
      ['no message', () => '/admin/mailbox?state=sent'],
      ['a message', () => `/admin/mailbox/${ids[1]}`],
      ['its text', () => `/admin/mailbox/${ids[1]}?as=text`],
    ])('%s breaks no rule, stands still, and serves everybody', (_name, address) =>
      open(address(), { viewport, colorScheme: 'light' }, async (page) => {
        expect(await lookAt(page)).toEqual({ violations: [], shift: 0, beyond: 0, broken: [], font: true });
        await judge(page);
      }),
    );

    it.each([0, 1, 2])('message %i fits, and asks for nothing from anywhere', (n) =>
      open(`/admin/mailbox/${ids[n]}/html`, { viewport, colorScheme: 'light' }, async (page) => {
        const asked: string[] = [];
        page.on('request', (request) => asked.push(request.url()));
        await page.reload();
        expect(asked).toEqual([`${shop.url}/admin/mailbox/${ids[n]}/html`]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width);
        const { width } = (await page.locator('body > table table').first().boundingBox())!;
        expect(width).toBeLessThanOrEqual(600);
      }),
    );
  });

  it.each([0, 1, 2])('message %i is read by everybody, light and dark', async (n) => {
    const page = await browser.newPage({ viewport: SIZES.phone });
    const { html } = await readMail(shop.mailbox, ids[n]!);
    await page.setContent(html!);
    // A message is no page: it needs no landmarks.
    await judge(
      page,
      RULES.filter((rule) => rule !== 'best-practice'),
    );
    await page.close();
  });

  it('shows the message in its frame, whose links lead out of it', () =>
    open(`/admin/mailbox/${ids[0]}`, { viewport: SIZES['wide screen'] }, async (page) => {
      const frame = page.frameLocator('iframe');
      const link = frame.getByRole('link', { name: 'Confirm my address' });
      await link.waitFor();
      expect(await link.getAttribute('href')).toContain('https://shop.example/email/verify?token=');
      const [opened] = await Promise.all([page.context().waitForEvent('page'), link.click()]);
      await opened.close();
      await page.getByRole('link', { name: 'As plain text' }).click();
      await page.getByText('Confirm my address:').waitFor();
    }));
});
