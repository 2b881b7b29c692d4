/* Pages work without this file. With it, filters apply as they are chosen, and pictures change without the page moving. */

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
