import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** A real browser for tests, if the machine has one. Nothing is downloaded. */

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

const executable = PLACES.find((place) => existsSync(place));

/** Whether the tests can run; says so when they cannot. On CI they must. */
export function hasBrowser(): boolean {
  if (executable) return true;
  if (process.env.CI)
    throw new Error('No Chromium: these tests are never skipped on CI. Install the package chromium.');
  console.warn(
    'Skipped: the tests in a browser need Chromium, and there is none on this machine (apt-get install chromium).',
  );
  return false;
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: executable!,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

declare global {
  interface Window {
    violations: string[];
    shift: number;
  }
}

export type Visit = {
  page: Page;
  /** What the browser complained about, and requests to anywhere but the shop. */
  complaints: string[];
  close(): Promise<void>;
};

/** A fresh page in a profile of its own that writes down what must not happen. */
export async function visit(browser: Browser, baseURL: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ baseURL, reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    const isPageItself = message.location().url === page.url() && message.text().includes('Failed to load resource');
    if (['error', 'warning'].includes(message.type()) && !isPageItself) complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`script: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(baseURL) && !request.url().startsWith('data:'))
      complaints.push(`request: ${request.url()}`);
  });
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`));
  if (options.javaScriptEnabled !== false) {
    await page.addInitScript(() => {
      window.violations = [];
      window.shift = 0;
      document.addEventListener('securitypolicyviolation', (event) =>
        window.violations.push(`${event.violatedDirective} ${event.blockedURI}`),
      );
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          const { value, hadRecentInput } = entry as unknown as { value: number; hadRecentInput: boolean };
          if (!hadRecentInput) window.shift += value;
        }
      }).observe({ type: 'layout-shift', buffered: true });
    });
  }
  return { page, complaints, close: () => context.close() };
}

/** Scrolls to the end, so that whatever is loaded late is loaded. */
export async function scrollThrough(page: Page): Promise<void> {
  await page.evaluate(async () => {
    for (let y = 0; y < document.body.scrollHeight; y += innerHeight / 2) {
      scrollTo(0, y);
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  });
  await page.waitForLoadState('networkidle');
  await page.evaluate(() => Promise.all([...document.images].map((image) => image.decode())));
}
