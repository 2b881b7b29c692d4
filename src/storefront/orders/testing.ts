import type { Page, Visitor } from '../account/testing.ts';
import { plainText } from '../account/testing.ts';

/** For tests of carts and orders: what a browser does, and what stands on the pages. */

/** Presses "Add to cart" on a product's page, as a browser of today does. */
export function putIn(one: Visitor, productId: string, quantity: number | string = 1): Promise<Page> {
  const form = new URLSearchParams({ product_id: productId, quantity: String(quantity) });
  return one.request('POST', '/cart/items', form, { 'sec-fetch-site': 'same-origin' });
}

export type ShownLine = {
  name: string;
  about: string[];
  quantity: string | null;
  total: string;
  amber: string[];
  id: string;
};

/** The lines of a cart, of a checkout, or of an order, as they are shown. */
export function linesOf(page: Page): ShownLine[] {
  return [...page.text.matchAll(/<li class="line[^>]*>(.*?)<\/li>/gs)].map(([, line]) => {
    const all = (pattern: RegExp) => [...line!.matchAll(pattern)].map(([, text]) => plainText(text!));
    return {
      name: all(/class="line-name">(.*?)<\/(?:h2|p)>/gs)[0]!,
      about: all(/class="line-unit">(.*?)<\/p>/gs),
      quantity: /name="quantity" type="number"[^>]* value="(\d+)"/.exec(line!)?.[1] ?? null,
      total: all(/class="line-total">(.*?)<\/p>/gs)[0]!,
      amber: all(/class="line-change"[^>]*>(.*?)<\/p>/gs),
      id: /id="remove-([^"]*)"/.exec(line!)?.[1] ?? '',
    };
  });
}

export function totalOf(page: Page): string {
  return plainText(/class="sums-total"><dt>Total<\/dt><dd>(.*?)<\/dd>/.exec(page.text)?.[1] ?? '');
}

/** What stands above the cart about what was done just now. */
export function newsOf(page: Page): string {
  return plainText(/<div class="notice[^>]*>(?:<p>)?(.*?)<\/p>/s.exec(page.text)?.[1] ?? '');
}

export const ADDRESS = {
  name: 'Ada Lovelace',
  line1: '12 St James’s Square',
  postal_code: 'SW1Y 4JH',
  city: 'London',
  country: 'GB',
};
