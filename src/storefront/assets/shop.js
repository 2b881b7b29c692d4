/* Pages work without this file. With it, filters apply as they are chosen, pictures change without the page moving, the
   cart is changed in place, and an order shows by itself what becomes of it. */

const list = () => document.querySelector('main:has([data-live])');

/** What a part of the filters is known by, before and after. */
const nameOf = (details) =>
  details.className + (details.closest('fieldset')?.querySelector('legend')?.textContent ?? '');

const selectorOf = ({ type, name, value }) => {
  if (!name) return null;
  const one = `[name="${CSS.escape(name)}"]`;
  return type === 'checkbox' || type === 'radio' ? `${one}[value="${CSS.escape(value)}"]` : one;
};

let running = new AbortController();

/** Puts the list at `url` in place of the one that stands; what was open stays so, and the focus where it was. */
async function show(url) {
  running.abort();
  running = new AbortController();
  list().setAttribute('aria-busy', 'true');
  const answer = await fetch(url, { signal: running.signal });
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const next = page.querySelector('main');
  const open = [...list().querySelectorAll('details[open]')].map(nameOf);
  const focused = list().contains(document.activeElement) && selectorOf(document.activeElement);
  for (const details of next.querySelectorAll('details')) details.open = open.includes(nameOf(details));
  list().replaceWith(document.adoptNode(next));
  document.title = page.title;
  if (focused) list().querySelector(focused)?.focus({ preventScroll: true });
}

document.addEventListener('change', ({ target }) => {
  const { form } = target;
  if (!form?.matches('[data-live]')) return;
  const chosen = [...new FormData(form)].filter(([, value]) => value !== '');
  const url = `${form.getAttribute('action')}?${new URLSearchParams(chosen)}`;
  show(url).then(
    () => history.pushState(null, '', url),
    (error) => error.name !== 'AbortError' && location.assign(url),
  );
});

addEventListener('popstate', () => list() && show(location.href).catch(() => location.reload()));

const strip = document.querySelector('.strip');
const thumbs = [...document.querySelectorAll('.thumbs a')];

/** The picture that is in view is marked among the small ones. */
function mark() {
  const shown = Math.round(strip.scrollLeft / strip.clientWidth);
  thumbs.forEach((thumb, index) => {
    if (index === shown) thumb.setAttribute('aria-current', 'true');
    else thumb.removeAttribute('aria-current');
  });
}

thumbs.forEach((thumb, index) => {
  thumb.addEventListener('click', (event) => {
    event.preventDefault();
    strip.scrollTo({ left: strip.children[index].offsetLeft - strip.offsetLeft });
  });
});

if (thumbs.length > 0) {
  strip.addEventListener('scroll', mark, { passive: true });
  mark();
}

/* A password can be looked at before it is sent. */
for (const input of document.querySelectorAll('.field input[type="password"]')) {
  const button = document.createElement('button');
  const label = document.querySelector(`label[for="${CSS.escape(input.id)}"]`).textContent.toLowerCase();
  const show = (shown) => {
    input.type = shown ? 'text' : 'password';
    button.textContent = shown ? 'Hide' : 'Show';
    button.setAttribute('aria-label', `${button.textContent} ${label}`);
  };
  button.type = 'button';
  button.className = 'reveal';
  button.addEventListener('click', () => show(input.type === 'password'));
  // Sent as what it is, or the browser would remember it like any other text.
  input.form.addEventListener('submit', () => show(false));
  input.after(button);
  show(false);
}

/* How much is in the cart stands in a cookie, since most pages are the same for everybody. */
function showCount() {
  const count = Number(/(?:^|; )(?:__Host-)?vitrine_cart_count=(\d+)/.exec(document.cookie)?.[1] ?? 0);
  const badge = document.querySelector('.cart-count');
  badge.textContent = count > 99 ? '99+' : count;
  badge.hidden = count === 0;
  document.querySelector('.cart-words').textContent = count === 0 ? '' : `(${count} in it)`;
}

showCount();
addEventListener('pageshow', ({ persisted }) => persisted && showCount());
document.addEventListener('visibilitychange', () => document.hidden || showCount());

/* Tells what has changed to those who do not see it. */
const voice = document.createElement('p');
voice.className = 'visually-hidden';
voice.setAttribute('role', 'status');
document.body.append(voice);

const read = async (answer) => new DOMParser().parseFromString(await answer.text(), 'text/html');

/** Puts an element in the place of another; whoever was in there is at the same control again, or at the first there is of `starts`. */
function replace(before, after, starts) {
  const at = document.activeElement;
  const isIn = before.contains(at);
  const href = at?.getAttribute('href');
  const same = at?.id ? `#${CSS.escape(at.id)}` : href ? `a[href="${CSS.escape(href)}"]` : null;
  before.replaceWith(document.adoptNode(after));
  if (!isIn) return;
  const next = same && after.querySelector(same);
  if (next && !next.disabled) return next.focus({ preventScroll: true });
  const target = starts.map((start) => after.querySelector(start)).find(Boolean);
  target.tabIndex = -1;
  target.focus();
}

/** Sends a form as the browser would, and answers the page that comes of it. */
async function send(action, body) {
  const answer = await fetch(action, { method: 'POST', body });
  if (answer.status >= 500) throw new Error(`${answer.status}`);
  return read(answer);
}

/** Lets the browser send it after all. */
function sendPlainly(form, body) {
  if (!form.isConnected) return location.reload();
  const fields = [...body].map(([name, value]) =>
    Object.assign(document.createElement('input'), { type: 'hidden', name, value }),
  );
  form.replaceChildren(...fields);
  form.submit();
}

/** A product goes into the cart, and one stays where one is. */
async function putIn(form) {
  const said = form.querySelector('[role="status"]');
  const body = new URLSearchParams(new FormData(form));
  // Pressed twice, it is meant once.
  if (form.ariaBusy === 'true') return;
  form.ariaBusy = 'true';
  try {
    const page = await send(form.action, body);
    const refused = page.querySelector('.summary li, .empty-page p:not(.status)')?.textContent;
    if (!refused && !page.querySelector('.notice')) throw new Error('an answer of another kind');
    const link = Object.assign(document.createElement('a'), { href: '/cart', textContent: 'View cart' });
    said.replaceChildren(...(refused ? [refused] : ['Added to your cart. ', link]));
    showCount();
  } catch {
    sendPlainly(form, body);
  }
  form.ariaBusy = null;
}

let changes = Promise.resolve();
let waiting = 0;

/** One change after the other, as they were made; the page is drawn anew when the last of them is done. */
function changeCart(form, button) {
  const number = form.elements.quantity;
  const step = { more: 1, less: -1 }[button?.value];
  if (step) number.value = Math.max(1, Number(number.value) + step);
  const body = new URLSearchParams(new FormData(form, step ? null : button));
  waiting += 1;
  document.querySelector('.cart').ariaBusy = 'true';
  changes = changes
    .then(() => send(form.action, body))
    .then((page) => {
      waiting -= 1;
      showCount();
      if (waiting > 0) return;
      const main = page.querySelector('main');
      document.title = page.title;
      replace(document.querySelector('main'), main, ['.summary', '.notice', 'h1']);
      // A refusal is an alert, which is heard by itself.
      voice.textContent = main.querySelector('.summary') ? '' : (main.querySelector('[data-say]')?.dataset.say ?? '');
    })
    .catch(() => sendPlainly(form, body));
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  const inCart = form.closest('.cart');
  if (!inCart && !form.matches('.buy')) return;
  event.preventDefault();
  if (inCart) changeCart(form, event.submitter);
  else putIn(form);
});

document.addEventListener('change', ({ target }) => {
  if (target.matches('.stepper input')) target.form.requestSubmit();
});

/**
 * Follows the notices to whoever looks at an order. Each that is about it has the page read again; so has every new connection,
 * and every return to the page, since a connection may have been dead for a while without anybody noticing.
 */
function follow({ number, live, after }) {
  let cursor = after;
  let tries = 0;
  let socket;
  let timer;

  async function refresh() {
    const answer = await fetch(location.pathname);
    // Logged out in the meantime: what is seen here is not for whoever looks now.
    if (answer.redirected) return location.reload();
    const [before, next] = [document.getElementById('order'), (await read(answer)).getElementById('order')];
    if (!answer.ok || Number(next.dataset.version) <= Number(before.dataset.version)) return;
    replace(before, next, ['#state']);
    voice.textContent = next.dataset.say;
  }
  const refreshOrWait = () => refresh().catch(() => {});

  function connect() {
    const address = new URL(live, location.href);
    address.protocol = address.protocol.replace('http', 'ws');
    if (cursor !== null) address.searchParams.set('after', cursor);
    let isOpen = false;
    socket = new WebSocket(address);
    socket.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      if (event.type === 'ready') {
        isOpen = true;
        if (tries > 0) refreshOrWait();
        tries = 0;
      } else if (event.order?.number === number) refreshOrWait();
      cursor = event.cursor;
    };
    socket.onclose = ({ code }) => {
      // Nobody says why a connection was refused: it may have been for a cursor of long ago.
      if (!isOpen || code === 4410) cursor = null;
      if (code === 1008) refreshOrWait();
      timer = setTimeout(connect, Math.min(30_000, 1_000 * 2 ** tries) * (0.5 + Math.random()));
      tries += 1;
    };
  }

  connect();
  document.addEventListener('visibilitychange', () => document.hidden || refreshOrWait());
  addEventListener('pagehide', () => {
    clearTimeout(timer);
    socket.onclose = null;
    socket.close();
  });
  addEventListener('pageshow', ({ persisted }) => {
    if (!persisted) return;
    refreshOrWait();
    connect();
  });
}

const order = document.getElementById('order');
if (order) follow(order.dataset);
