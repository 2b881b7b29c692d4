import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, startTestShop, type TestShop } from '../../../tests/support/shop.ts';
import { sql } from '../../kernel/db.ts';
import { faultsOf, formOf, logIn, noticeOf, registered, titleOf, type Visitor, visitor } from '../account/testing.ts';
import { linesOf, newsOf, putIn, totalOf } from './testing.ts';

/** "Add to cart" and the cart's page, as a browser without script uses them. */

const HOSTILE = `"><script>alert('x')</script><b onclick=alert(1)>`;

let shop: TestShop;
let staff: Caller;

beforeAll(async () => {
  shop = await startTestShop();
  staff = await shop.as('staff');
});
afterAll(() => shop.stop());

let made = 0;
async function product(fields: Record<string, unknown> = {}): Promise<{ id: string; slug: string; name: string }> {
  const answer = await staff.post('/api/products', { name: `Mug ${++made}`, price: '10.00', stock: 10, ...fields });
  expect([answer.status, answer.text]).toEqual([201, expect.anything()]);
  return answer.json;
}
const patch = async (id: string, fields: object) =>
  expect((await staff.patch(`/api/products/${id}`, fields)).status).toBe(200);
const countOf = (one: Visitor) => one.cookies.get('__Host-vitrine_cart_count');

async function withOne(fields: Record<string, unknown> = {}, quantity = 1) {
  const one = visitor(shop.url);
  const thing = await product(fields);
  expect((await putIn(one, thing.id, quantity)).status).toBe(303);
  return { one, thing };
}

describe('on a product’s page', () => {
  const buyOf = async (fields: Record<string, unknown>) => {
    const { slug } = await product(fields);
    const page = await visitor(shop.url).open(`/products/${slug}`);
    expect(page.status).toBe(200);
    return /<(form|div) class="buy".*?<\/\1>/s.exec(page.text)![0];
  };

  it('one says how many, at most as many as there are, and the form is the same for everybody', async () => {
    const form = await buyOf({ stock: 3 });
    expect(form).toMatch(/<input id="quantity"[^>]* min="1" max="3" value="1"/);
    expect(form).toContain('<button>Add to cart</button>');
    expect(form).not.toContain('_csrf');
    expect(await buyOf({ stock: 500 })).toContain('max="99"');
    expect(await buyOf({ stock: null, availability: 'in_stock' })).toContain('max="99"');
  });

  it('what is not there yet is ordered beforehand, what is gone says so', async () => {
    expect(await buyOf({ stock: null, availability: 'preorder' })).toContain('<button>Preorder</button>');
    for (const fields of [{ stock: 0 }, { stock: null, availability: 'out_of_stock' }])
      expect(await buyOf(fields)).toBe('<div class="buy"><button type="button" disabled>Sold out</button></div>');
  });

  it('a preorder of which all are promised can be ordered no more', async () => {
    const { id, slug } = await product({ stock: 1, availability: 'preorder' });
    const one = visitor(shop.url);
    expect((await one.open(`/products/${slug}`)).text).toContain('It can be ordered before it arrives.');
    await staff.post(`/api/products/${id}/stock`, { delta: -1, reason: 'correction' });
    const page = await one.open(`/products/${slug}`);
    expect(page.text).toContain('As many as can be ordered have been.');
    expect(page.text).toContain('disabled>Sold out</button>');
  });
});

describe('adding', () => {
  it('leads to the cart, which says what was added, and every page can know how much is in it', async () => {
    const one = visitor(shop.url);
    const { id, name } = await product();
    const sent = await putIn(one, id, 2);
    expect([sent.status, sent.location]).toEqual([303, expect.stringMatching(/^\/cart\?added=[\da-f-]{36}$/)]);
    const page = await one.open(sent.location!);
    expect(titleOf(page)).toBe('Your cart');
    expect(newsOf(page)).toBe(`In your cart now: ${name}.`);
    expect(linesOf(page)).toEqual([
      { name, about: ['$10.00 each'], quantity: '2', total: '$20.00', amber: [], id: expect.any(String) },
    ]);
    expect([totalOf(page), countOf(one)]).toEqual(['$20.00', '2']);
    // Said once: the address of the cart itself says nothing.
    expect(newsOf(await one.open('/cart'))).toBe('');
    const cookie = one.setCookies.find((text) => text.includes('cart_count'))!;
    expect(cookie).not.toContain('HttpOnly');
  });

  it('goes onto the line that is there', async () => {
    const { one, thing } = await withOne();
    await putIn(one, thing.id, 3);
    expect(linesOf(await one.open('/cart')).map(({ quantity }) => quantity)).toEqual(['4']);
  });

  it('more than there are is refused in words, and the cart stays', async () => {
    const { one, thing } = await withOne({ stock: 3 }, 2);
    const page = await putIn(one, thing.id, 2);
    expect([page.status, titleOf(page)]).toEqual([409, 'Your cart']);
    expect(faultsOf(page)).toEqual([expect.stringMatching(/^Only 3 are left, and 2 are in the cart already/)]);
    expect(linesOf(page)[0]!.quantity).toBe('2');
  });

  it.each(['', '0', '-1', '1.5', 'abc', '1000', '99999999999999999999', '1e1', ' 1 1'])(
    'a number that is none (%j) is refused in words',
    async (quantity) => {
      const one = visitor(shop.url);
      const page = await putIn(one, (await product()).id, quantity);
      expect([page.status, faultsOf(page)]).toEqual([400, ['Enter how many you want, from 1 to 999.']]);
      expect(linesOf(page)).toEqual([]);
    },
  );

  it.each(['', 'nonsense', HOSTILE, '0190a000-0000-7000-8000-000000000000'])(
    'so is what is not sold (%j)',
    async (id) => {
      const page = await putIn(visitor(shop.url), id);
      expect([page.status, faultsOf(page)]).toEqual([
        404,
        ['There is no product with this id, or it is not sold any more.'],
      ]);
    },
  );
});

describe('a form of a page that is kept for everybody', () => {
  const send = async (one: Visitor, headers: Record<string, string>) => {
    const { id } = await product();
    const page = await one.request(
      'POST',
      '/cart/items',
      new URLSearchParams({ product_id: id, quantity: '1' }),
      headers,
    );
    return page.status;
  };
  const OURS = { origin: 'https://shop.example' };

  it('is taken from this shop’s own pages alone, as browsers say where a form comes from', async () => {
    const { one } = await withOne();
    expect(await send(one, OURS)).toBe(303);
    expect(await send(one, { 'sec-fetch-site': 'same-origin' })).toBe(303);
    for (const headers of [
      { origin: 'https://elsewhere.example' },
      { origin: 'null' },
      { origin: '' },
      { origin: 'https://shop.example.evil.example' },
      { origin: 'http://shop.example' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
      // What a page says of itself counts more than how near it is.
      { origin: 'https://elsewhere.example', 'sec-fetch-site': 'same-origin' },
    ] as Record<string, string>[])
      expect([headers, await send(one, headers)]).toEqual([headers, 403]);
    expect(linesOf(await one.open('/cart'))).toHaveLength(3);
  });

  it('what says neither is no browser, and speaks for nobody', async () => {
    const { one } = await withOne();
    expect(await send(one, {})).toBe(403);
    expect(await send((await registered(shop.url)).one, {})).toBe(403);
    expect(await send(visitor(shop.url), {})).toBe(303);
    expect(await send(visitor(shop.url), { origin: 'https://elsewhere.example' })).toBe(403);
  });

  it('says what happened, and leads back', async () => {
    const { one } = await withOne();
    const page = await one.request('POST', '/cart/items', new URLSearchParams(), { origin: 'null' });
    expect(titleOf(page)).toBe('Please send the form once more');
    expect((await one.request('GET', '/cart/items')).location).toBe('/cart');
  });

  it('all other forms need their token as before', async () => {
    const { one } = await withOne();
    const { id } = linesOf(await one.open('/cart'))[0]!;
    for (const path of [`/cart/items/${id}`, `/cart/items/${id}/remove`])
      expect((await one.request('POST', path, new URLSearchParams({ quantity: '5' }), OURS)).status).toBe(403);
    expect(linesOf(await one.open('/cart'))[0]!.quantity).toBe('1');
  });
});

describe('the cart', () => {
  it('that is empty says what to do first', async () => {
    const page = await visitor(shop.url).open('/cart');
    expect([page.status, linesOf(page)]).toEqual([200, []]);
    expect(page.text).toContain('<a class="button" href="/products">See all products</a>');
    expect(page.text).not.toContain('Check out');
  });

  it('tells which of several of that name a line is', async () => {
    const { one } = await withOne({ name: 'Shirt, White', color: 'White', size: 'L' });
    expect(linesOf(await one.open('/cart'))[0]!.about).toEqual(['L', '$10.00']);
  });

  it('is changed by its buttons: less, more, a number, none', async () => {
    const { one } = await withOne({ stock: 5 }, 2);
    const now = async () => {
      const [line] = linesOf(await one.open('/cart'));
      return line ? Number(line.quantity) : 0;
    };
    const { id } = linesOf(await one.open('/cart'))[0]!;
    const change = async (values: Record<string, string>, button?: string) =>
      one.send(await one.open('/cart'), `/cart/items/${id}`, values, button);
    await change({}, 'more');
    expect(await now()).toBe(3);
    await change({}, 'less');
    expect(await now()).toBe(2);
    await change({ quantity: '5' });
    expect(await now()).toBe(5);
    const refused = await change({ quantity: '6' });
    expect([refused.status, faultsOf(refused), linesOf(refused)[0]!.amber]).toEqual([
      409,
      ['Only 5 are left, and you want 6.'],
      ['Only 5 are left, and you want 6.'],
    ]);
    expect(refused.text).toContain(`<a href="#quantity-${id}">Only 5 are left`);
    expect(refused.text).toMatch(new RegExp(`<input id="quantity-${id}"[^>]* aria-invalid="true"`));
    expect(faultsOf(await change({ quantity: 'many' }))).toEqual(['Enter how many you want, from 1 to 999.']);
    expect(await now()).toBe(5);
    const emptied = await change({ quantity: '0' });
    expect(newsOf(emptied)).toMatch(/^Taken out: Mug/);
    expect(await now()).toBe(0);
    expect(countOf(one)).toBeUndefined();
  });

  it('what is taken out can be put back as it was', async () => {
    const { one, thing } = await withOne({}, 4);
    const page = await one.open('/cart');
    const removed = await one.send(page, `/cart/items/${linesOf(page)[0]!.id}/remove`);
    expect([linesOf(removed), newsOf(removed)]).toEqual([[], `Taken out: ${thing.name}.`]);
    const form = formOf(removed, '/cart/items');
    expect(Object.fromEntries(form)).toEqual({ product_id: thing.id, quantity: '4' });
    await putIn(one, form.get('product_id')!, form.get('quantity')!);
    expect(linesOf(await one.open('/cart'))[0]).toMatchObject({ name: thing.name, quantity: '4' });
    // Once more, and it was sold out in the meantime.
    const again = await one.open('/cart');
    await staff.post(`/api/products/${thing.id}/stock`, { delta: -10, reason: 'loss' });
    const gone = await one.send(again, `/cart/items/${linesOf(again)[0]!.id}/remove`);
    expect(newsOf(gone)).toBe(`Taken out: ${thing.name}.`);
    expect(gone.text).not.toContain('Undo');
  });

  it('what was taken out is said once, to whoever did it, and by no address', async () => {
    const { one, thing } = await withOne({}, 4);
    const page = await one.open('/cart');
    const sent = await one.submit(page, `/cart/items/${linesOf(page)[0]!.id}/remove`);
    expect([sent.status, sent.location]).toEqual([303, '/cart']);
    const cookie = one.setCookies.find((text) => text.includes('cart_removed'))!;
    expect(cookie).toMatch(
      /^__Host-vitrine_cart_removed=[\w.-]+; Max-Age=60; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect(newsOf(await one.open('/cart'))).toBe(`Taken out: ${thing.name}.`);
    expect(newsOf(await one.open('/cart'))).toBe('');
    expect(newsOf(await one.open(`/cart?removed=${thing.id}&quantity=999`))).toBe('');
  });

  it('a note of a removal that is damaged, or of what is in the cart again, says nothing', async () => {
    const { one, thing } = await withOne();
    for (const note of [
      '',
      'x',
      `${thing.id}`,
      `${thing.id}.0`,
      `${thing.id}.1`,
      '0190a000-0000-7000-8000-000000000000.1',
    ]) {
      one.cookies.set('__Host-vitrine_cart_removed', note);
      const page = await one.open('/cart');
      expect([note, page.status, newsOf(page)]).toEqual([note, 200, '']);
    }
  });

  it('the token of a guest is in no header of a page, where scripts could read it', async () => {
    const one = visitor(shop.url);
    const { id } = await product();
    const pages = [await one.open('/cart'), await putIn(one, id)];
    const page = await one.open('/cart');
    pages.push(page, await one.submit(page, `/cart/items/${linesOf(page)[0]!.id}`, { quantity: '2' }));
    for (const each of pages) expect([each.path, each.headers.get('x-cart-token')]).toEqual([each.path, null]);
    expect(one.cookies.get('__Host-vitrine_cart')).toMatch(/^[\w-]{36}\./);
    expect(one.setCookies.find((text) => text.startsWith('__Host-vitrine_cart='))).toContain('; HttpOnly;');
    // Programs need it.
    expect((await one.request('GET', '/api/cart')).headers.get('x-cart-token')).not.toBeNull();
  });

  it('a line that another tab has taken out is no fault', async () => {
    const { one } = await withOne();
    const page = await one.open('/cart');
    const { id } = linesOf(page)[0]!;
    await one.send(page, `/cart/items/${id}/remove`);
    for (const action of [`/cart/items/${id}`, `/cart/items/${id}/remove`])
      expect([action, (await one.submit(page, action)).location]).toEqual([action, '/cart']);
  });

  it('is nobody else’s', async () => {
    const { one } = await withOne();
    const { one: other } = await withOne();
    const theirs = linesOf(await one.open('/cart'))[0]!;
    const page = await other.open('/cart');
    const csrf = formOf(page, `/cart/items/${linesOf(page)[0]!.id}`).get('_csrf')!;
    for (const path of [`/cart/items/${theirs.id}`, `/cart/items/${theirs.id}/remove`])
      await other.request('POST', path, new URLSearchParams({ _csrf: csrf, quantity: '9' }));
    expect(linesOf(await one.open('/cart'))).toEqual([theirs]);
  });

  it('says at each line what has changed since, and leads on only when all can be had', async () => {
    const one = visitor(shop.url);
    const [dearer, cheaper, fewer, sold, gone] = await Promise.all(Array.from({ length: 5 }, () => product()));
    for (const { id } of [dearer!, cheaper!, fewer!, sold!, gone!]) await putIn(one, id, 4);
    await patch(dearer!.id, { price: '12.50' });
    await patch(cheaper!.id, { price: '9.00' });
    const before = await one.open('/cart');
    expect(before.text).toContain('<a class="button" href="/checkout">Check out</a>');
    await staff.post(`/api/products/${fewer!.id}/stock`, { delta: -7, reason: 'loss' });
    await staff.post(`/api/products/${sold!.id}/stock`, { delta: -10, reason: 'loss' });
    await patch(gone!.id, { active: false });
    const page = await one.open('/cart');
    const lines = linesOf(page);
    expect(lines.map(({ amber }) => amber)).toEqual([
      ['The price has gone up from $10.00 to $12.50.'],
      ['The price has come down from $10.00 to $9.00.'],
      ['Only 3 left.'],
      ['This has sold out.'],
      ['This is no longer sold.'],
    ]);
    expect(lines.map(({ total }) => total)).toEqual(['$50.00', '$36.00', '$40.00', '$40.00', '']);
    expect(lines.map(({ quantity }) => quantity)).toEqual(['4', '4', '4', null, null]);
    expect(page.text).toContain('disabled aria-describedby="not-ready">Check out</button>');
    expect(page.text).not.toContain('href="/checkout"');

    // Each has its way out.
    const taken = await one.send(page, `/cart/items/${lines[2]!.id}`, { quantity: '3' });
    expect(linesOf(taken)[2]).toMatchObject({ quantity: '3', amber: [] });
    for (const { id } of lines.slice(3)) await one.send(await one.open('/cart'), `/cart/items/${id}/remove`);
    expect((await one.open('/cart')).text).toContain('href="/checkout"');
  });

  it('offers to take what is left, in one press', async () => {
    const { one, thing } = await withOne({}, 4);
    await staff.post(`/api/products/${thing.id}/stock`, { delta: -9, reason: 'loss' });
    const page = await one.open('/cart');
    const { id } = linesOf(page)[0]!;
    expect(page.text).toMatch(/<input type="hidden" name="quantity" value="1">\s*<button [^>]*>Take one/);
    expect(page.text.indexOf(`id="take-${id}"`)).toBeGreaterThan(0);
  });

  it('is kept by nobody and found by no search', async () => {
    const { one } = await withOne();
    const { headers, text } = await one.open('/cart');
    expect([headers.get('cache-control'), headers.get('etag')]).toEqual(['no-store', null]);
    expect(text).toContain('<meta name="robots" content="noindex');
    expect(text).toMatch(/<a class="cart-link" href="\/cart" aria-current="true">/);
    expect(text).not.toMatch(/\sstyle=|\son\w+=/);
  });

  it('shows what anybody has written as text', async () => {
    const { one, thing } = await withOne({ name: HOSTILE, color: HOSTILE.slice(0, 40) });
    const sent = await putIn(one, thing.id, 2);
    for (const path of [sent.location!, '/cart', `/products/${thing.slug}`]) {
      const { text } = await one.open(path);
      expect(text).toContain('&lt;script&gt;');
      expect(text).not.toMatch(/<script>|<b onclick|alert\('x'\)<\/script>/);
    }
    const page = await one.open('/cart');
    const removed = await one.send(page, `/cart/items/${linesOf(page)[0]!.id}/remove`);
    expect(newsOf(removed)).toBe(`Taken out: ${HOSTILE}.`);
    expect(removed.text).not.toMatch(/<script>|<b onclick/);
  });

  it.each([`added=${encodeURIComponent(HOSTILE)}`, 'added=a&added=b', `done=${encodeURIComponent(HOSTILE)}`])(
    'nobody can have it say something by its address: ?%.50s',
    async (query) => {
      const { one } = await withOne();
      const page = await one.open(`/cart?${query}`);
      expect([page.status, newsOf(page), noticeOf(page)]).toEqual([200, '', '']);
      expect(page.text).not.toContain(HOSTILE);
    },
  );

  it('an API key has no cart here', async () => {
    const boss = await shop.as('superuser');
    const made = await boss.post('/api/api-keys', { name: 'k', scopes: ['users:read'] });
    const page = await visitor(shop.url).request('GET', '/cart', undefined, {
      authorization: `Bearer ${made.json.key}`,
    });
    expect(page.status).toBe(403);
  });
});

describe('logging in', () => {
  it('keeps what a guest has gathered, and adds it to what was there; logging out leaves no count', async () => {
    const mug = await product();
    const { one: before, username } = await registered(shop.url);
    await putIn(before, mug.id, 2);
    const { one } = await withOne();
    await putIn(one, mug.id);
    expect(countOf(one)).toBeUndefined();
    await one.open('/cart');
    expect(countOf(one)).toBe('2');
    await logIn(one, username);
    expect(countOf(one)).toBe('4');
    const page = await one.open('/cart');
    expect(linesOf(page).map(({ quantity }) => quantity)).toEqual(['3', '1']);
    await one.submit(page.text.includes('action="/logout"') ? page : await one.open('/profile'), '/logout');
    expect(countOf(one)).toBeUndefined();
    expect(linesOf(await one.open('/cart'))).toEqual([]);
  });

  it('registering keeps it too', async () => {
    const { one, thing } = await withOne({}, 3);
    const name = `kept-${Date.now()}`;
    const form = { email: `${name}@example.com`, username: name, password: 'correct horse battery' };
    const page = await one.send(await one.open('/register?next=/cart'), '/register', form);
    expect(page.path).toBe('/cart');
    expect(linesOf(page)[0]).toMatchObject({ name: thing.name, quantity: '3' });
    expect(page.text).not.toContain('You log in, or open an account');
    expect(
      (
        await shop.db.many(
          sql('select from carts where is_guest and id in (select cart_id from cart_items where product_id = $1)', [
            thing.id,
          ]),
        )
      ).length,
    ).toBe(0);
  });
});

describe('one address', () => {
  it('puts into carts, changes and orders again only so often', async () => {
    const limited = await startTestShop({
      databaseUrl: shop.directUrl,
      env: { RATE_LIMIT: 'on', TRUST_PROXY: 'true' },
    });
    try {
      const { one } = await registered(shop.url);
      const { id } = await product({ stock: 2_000 });
      await putIn(one, id);
      const [line] = linesOf(await one.open('/cart'));
      const csrf = formOf(await one.open('/cart'), `/cart/items/${line!.id}`).get('_csrf')!;
      const cookie = [...one.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const leftOf = async (path: string, address: string) => {
        const answer = await fetch(limited.url + path, {
          method: 'POST',
          redirect: 'manual',
          headers: { cookie, 'x-forwarded-for': address },
          body: new URLSearchParams({ _csrf: csrf, quantity: '1' }),
        });
        await answer.text();
        return [answer.status, Number(answer.headers.get('ratelimit-limit'))];
      };
      const again = '/orders/482-1937-065/again';
      expect(await leftOf(again, '198.51.100.1')).toEqual([404, 30]);
      for (let i = 1; i < 30; i++) await leftOf(again, '198.51.100.1');
      expect(await leftOf(again, '198.51.100.1')).toEqual([429, 30]);
      expect(await leftOf(again, '198.51.100.2')).toEqual([404, 30]);
      expect(await leftOf(`/cart/items/${line!.id}`, '198.51.100.1')).toEqual([303, 600]);
      expect(await leftOf(`/cart/items/${line!.id}/remove`, '198.51.100.1')).toEqual([303, 600]);
    } finally {
      await limited.stop();
    }
  });
});
