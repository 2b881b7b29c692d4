import { html } from '../../kernel/html.ts';
import { answerLost, type Idempotency, keyInUse, keyReused } from '../../kernel/idempotency.ts';
import { newId } from '../../kernel/ids.ts';
import { parseMoney } from '../../kernel/money.ts';
import { allow, changeProfile, type Identity, identityOf, readProfile } from '../../modules/accounts/index.ts';
import type { Address } from '../../modules/accounts/schemas.ts';
import { type Orders, placeOrder } from '../../modules/orders/index.ts';
import { invalid, type Refusal, readForm, refusalOf } from '../account/fields.ts';
import { checkbox, hidden, textarea } from '../account/form.ts';
import { type AccountPage, goTo, pageAt, type Registers, type Shop, show } from '../account/page.ts';
import { money } from '../format.ts';
import { productPath } from '../product-card.ts';
import {
  ADDRESS_LINES,
  addressFields,
  formOf,
  judgeOrder,
  ORDER_FIELDS,
  ORDER_NAMES,
  type OrderForm,
} from './address.ts';
import { plainLines } from './lines.ts';
import { type CartView, viewCart } from './view-cart.ts';
import { sums } from './words.ts';

/** `/checkout`: where it goes, what it costs, and the order itself. */

type Checkout = {
  cart: CartView;
  form: OrderForm;
  /** Whether the address is to be kept in the profile. */
  keep: boolean;
  /** Under which this form is sent: however often it is, one order comes of it. */
  key: string;
};

function checkoutPage({ cart, form, keep, key }: Checkout, refusal: Refusal | null = null): AccountPage {
  const { items, currency, total, item_count } = cart;
  const faults = refusal?.faults;
  const lines = items.map((item) => ({ ...item, ...(item.slug === null ? {} : { href: productPath(item.slug) }) }));
  return {
    title: 'Check out',
    isCart: true,
    wide: true,
    body: (csrf) => html`<form class="checkout" method="post" action="/checkout" novalidate>
${csrf}${hidden('key', key)}${hidden('expected_total', total)}
<div class="form">
<fieldset>
<legend>Where it goes</legend>
${addressFields(form, faults)}
${checkbox({ name: 'keep_address', label: 'Keep this address in my profile', checked: keep })}
</fieldset>
<fieldset>
<legend>Anything else</legend>
${textarea({ name: 'note', label: ORDER_FIELDS.note.label, value: form.note, hint: 'Where to leave it, or what to write on the card.', maxLength: 1_000, optional: true }, faults)}
</fieldset>
</div>
<section class="cart-sum" aria-labelledby="sum">
<h2 id="sum">Your order</h2>
${plainLines(lines, currency)}
${sums(cart, item_count)}
<button>Place the order</button>
<p class="hint"><a href="/cart">Change the cart</a></p>
</section>
</form>`,
  };
}

export function registerCheckout(orders: Orders, idempotency: Idempotency): Registers {
  return (pages, shop) => {
    pages.get('/checkout', { config: allow('user') }, async (request, reply) => {
      const { userId } = identityOf(request);
      const [profile, cart] = await Promise.all([readProfile(shop.accounts, userId), viewCart(orders, userId)]);
      if (!cart.ready) return goTo(reply, backToCart(cart));
      const form = formOf(profile);
      return show(shop, request, reply, checkoutPage({ cart, form, keep: form.line1 === '', key: newId() }));
    });

    pages.post('/checkout', { config: allow('user') }, async (request, reply) => {
      const identity = identityOf(request);
      const { key, expected_total, keep_address, ...sent } = readForm(request, [
        ...ORDER_NAMES,
        'keep_address',
        'key',
        'expected_total',
      ]);
      // A line break counts as one character, however browsers send it.
      const form = { ...sent, note: sent.note.replaceAll('\r\n', '\n') };
      const keep = keep_address === 'on';
      let path = '/orders';
      const before = isAmount(expected_total, orders) ? expected_total : null;
      const place = async () => {
        path = await orderOnce(orders, idempotency, identity.userId, { form, key, expected_total });
      };
      const refusal =
        invalid(judgeOrder(form)) ?? (before === null ? NOT_SHOWN : await refusalOf(ORDER_FIELDS, form, place));
      if (!refusal && keep) await keepAddress(shop, orders, identity, form);
      const cart = await viewCart(orders, identity.userId);
      orders.cartTokens.showCount(reply, cart.item_count);
      if (!refusal) return goTo(reply, path);
      // It was ordered before, by this very form.
      const isDone = refusal.code === keyReused.code || refusal.code === answerLost.code;
      if (!cart.ready) return goTo(reply, isDone ? '/orders' : backToCart(cart));
      const told = inWords(refusal, { cart, before });
      const page = checkoutPage({ cart, form, keep, key: isDone ? newId() : key }, told);
      return show(shop, request, reply, page, told);
    });
  };
}

/** A total that is no amount stood on no page of ours: whoever sends it is shown the one that there is. */
const NOT_SHOWN: Refusal = { code: 'price_changed', status: 409, headers: {}, faults: [] };

function isAmount(text: string, { config }: Orders): boolean {
  return parseMoney(text, config.CURRENCY, Number.MAX_SAFE_INTEGER) !== null;
}

/** The cart says at each line what is wrong with it. */
function backToCart({ items }: CartView): string {
  return items.length === 0 ? '/cart' : pageAt('/cart', { done: 'cart_changed' });
}

/** Orders what is in the cart, or finds what this form has ordered before; answers where the order is shown. */
async function orderOnce(
  orders: Orders,
  idempotency: Idempotency,
  userId: string,
  { form, key, expected_total }: { form: OrderForm; key: string; expected_total: string },
): Promise<string> {
  const held = await idempotency.claim({
    caller: `user:${userId}`,
    method: 'POST',
    path: '/checkout',
    // A form without one, which no page of ours has sent, is only itself.
    key: key || newId(),
    request: JSON.stringify([form, expected_total]),
  });
  if ('answer' in held) return held.answer.headers.location!;
  const { claim } = held;
  const shownAt = (number: string) => pageAt(`/orders/${number}`, { done: 'placed' });
  const { note, ...shipping_address } = form;
  try {
    const { number } = await placeOrder(orders, userId, {
      shipping_address,
      note,
      expected_total,
      keep: { claim, answer: ({ number }) => ({ status: 303, headers: { location: shownAt(number) }, body: '' }) },
    });
    return shownAt(number);
  } catch (error) {
    await claim.free();
    throw error;
  }
}

/** The order is placed, whatever becomes of this. */
async function keepAddress({ accounts }: Shop, { log }: Orders, identity: Identity, form: OrderForm): Promise<void> {
  const address = Object.fromEntries(ADDRESS_LINES.map((line) => [line, form[line]])) as Address;
  await changeProfile(accounts, identity, { address }).catch((error: unknown) =>
    log.error({ err: error }, 'the address of an order could not be kept in the profile'),
  );
}

/** Refusals that the checkout has words of its own for. */
function inWords(refusal: Refusal, { cart, before }: { cart: CartView; before: string | null }): Refusal {
  const say = (message: string): Refusal => ({ ...refusal, faults: [{ field: null, message }] });
  switch (refusal.code) {
    case 'price_changed': {
      const was = before === null ? '' : `was ${money(before, cart.currency)} and `;
      return say(
        `The total ${was}is ${money(cart.total, cart.currency)} now. Nothing is ordered yet: look at it, then place the order.`,
      );
    }
    case keyReused.code:
      return say(
        'This form has placed an order already, which is among your orders. What is in the cart now is not ordered yet.',
      );
    case keyInUse.code:
      return say('Your order is still being placed. Press the button again in a moment: it is not placed twice.');
    default:
      return refusal;
  }
}
