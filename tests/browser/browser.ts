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
    throw new Error('There is no Chromium, and on CI these tests are never skipped. Install the package chromium.');
  console.warn('Skipped: these tests need Chromium, and there is none on this machine (apt-get install chromium).');
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

/** Run in the page before anything else: writes down what its policy refused and how far things moved by themselves. */
function watch(): void {
  window.violations = [];
  window.shift = 0;
  document.addEventListener('securitypolicyviolation', (event) =>
    window.violations.push(`${event.violatedDirective} ${event.blockedURI}`),
  );
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) {
      if (!entry.hadRecentInput) window.shift += entry.value;
    }
  }).observe({ type: 'layout-shift', buffered: true } as unknown as PerformanceObserverInit);
}

/** Goes down the whole page, so that what is loaded late is loaded, and tells what should not be. */
async function look() {
  for (let y = 0; y < document.body.scrollHeight; y += innerHeight / 2) {
    scrollTo(0, y);
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  }
  const broken: string[] = [];
  for (const image of document.images) await image.decode().catch(() => broken.push(image.src));
  const { scrollWidth, clientWidth } = document.documentElement;
  return {
    violations: window.violations,
    shift: window.shift,
    beyond: Math.max(0, scrollWidth - clientWidth),
    broken,
    font: document.fonts.check('16px "Inter Variable"'),
  };
}

export function lookAt(page: Page): ReturnType<typeof look> {
  return page.evaluate(look);
}

export type Visit = {
  page: Page;
  /** What the browser complained about, and requests to anywhere but the shop. */
  complaints: string[];
  close(): Promise<void>;
};

/** A page in a fresh profile. */
export async function visit(browser: Browser, baseURL: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ baseURL, reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  // The first thing that is waited for in vain should say so itself, before the test's own time is up.
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    // A page that answers 404 is told as an error too.
    const isPageItself = message.location().url === page.url() && message.text().startsWith('Failed to load resource');
    if (['error', 'warning'].includes(message.type()) && !isPageItself) complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`script: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(`${baseURL}/`)) complaints.push(`request: ${request.url()}`);
  });
  if (options.javaScriptEnabled !== false) await page.addInitScript(watch);
  return { page, complaints, close: () => context.close() };
}
