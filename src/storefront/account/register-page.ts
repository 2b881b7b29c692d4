import { html } from '../../kernel/html.ts';
import { judgePassword, REGISTRATIONS, readSessionUser, register } from '../../modules/accounts/index.ts';
import { Registration } from '../../modules/accounts/schemas.ts';
import { type Fault, type Fields, invalid, judgeBy, type Refusal, readForm, refusalOf } from './fields.ts';
import { field, hidden } from './form.ts';
import { type AccountPage, goTo, pageAt, type Registers, show } from './page.ts';
import { safePath } from './safe-path.ts';

/** `/register`. Whoever opens an account is logged in with it, and confirms the e-mail address when they come to it. */

type Name = 'email' | 'username' | 'password' | 'first_name' | 'last_name';

const FIELDS: Fields<Name> = {
  email: {
    label: 'E-mail address',
    ask: 'your e-mail address',
    form: 'Enter an e-mail address that is written like name@example.com.',
  },
  username: {
    label: 'Username',
    ask: 'a username',
    form: 'A username has letters, digits, full stops, hyphens and underscores, and begins with a letter or a digit.',
  },
  password: { label: 'Password', ask: 'a password' },
  first_name: { label: 'First name', ask: 'your first name' },
  last_name: { label: 'Last name', ask: 'your last name' },
};
const NAMES = Object.keys(FIELDS) as Name[];
const judgeFields = judgeBy(Registration, FIELDS);

/** The password too, so that one is told of everything at once. */
function judge(sent: Record<Name, string>): Fault[] {
  const weak = sent.password === '' ? null : judgePassword(sent.password, [sent.username, sent.email]);
  return [
    ...judgeFields(sent),
    ...(weak ? [{ field: 'password', message: `${FIELDS.password.label} ${weak.message}.` }] : []),
  ];
}

function registerPage(sent: Record<Name, string>, next: string | null, refusal: Refusal | null = null): AccountPage {
  const faults = refusal?.faults;
  return {
    title: 'Open an account',
    body: (csrf) => html`<form class="form" method="post" action="/register" novalidate>
${csrf}${hidden('next', next)}
${field({ name: 'email', label: FIELDS.email.label, type: 'email', value: sent.email, autocomplete: 'email' }, faults)}
${field({ name: 'username', label: FIELDS.username.label, value: sent.username, autocomplete: 'username', hint: 'You can log in with it in place of your e-mail address.' }, faults)}
${field({ name: 'password', label: FIELDS.password.label, type: 'password', autocomplete: 'new-password', hint: 'At least 10 characters; a few words in a row do well.' }, faults)}
<div class="pair">
${field({ name: 'first_name', label: FIELDS.first_name.label, value: sent.first_name, autocomplete: 'given-name', optional: true }, faults)}
${field({ name: 'last_name', label: FIELDS.last_name.label, value: sent.last_name, autocomplete: 'family-name', optional: true }, faults)}
</div>
<button>Open an account</button>
</form>
<ul class="ways"><li>You have an account? <a href="${pageAt('/login', { next })}">Log in</a></li></ul>`,
  };
}

export const registerRegister: Registers = (pages, shop) => {
  const { accounts } = shop;

  pages.get<{ Querystring: { next?: unknown } }>('/register', async (request, reply) => {
    const next = safePath(request.query.next);
    if (request.identity) return goTo(reply, next ?? '/profile');
    const empty = { email: '', username: '', password: '', first_name: '', last_name: '' };
    return show(shop, request, reply, registerPage(empty, next));
  });

  pages.post<{ Body: { next?: unknown } }>(
    '/register',
    { config: { limit: REGISTRATIONS } },
    async (request, reply) => {
      const next = safePath(request.body.next);
      if (request.identity) return goTo(reply, next ?? '/profile');
      const sent = readForm(request, NAMES);
      const refusal =
        invalid(judge(sent)) ??
        (await refusalOf(FIELDS, sent, async () => {
          const user = await register(accounts, sent);
          await accounts.browser.begin(request, reply, await readSessionUser(accounts, user.id), false);
        }));
      if (refusal) return show(shop, request, reply, registerPage(sent, next, refusal), refusal);
      return goTo(reply, next ?? pageAt('/profile', { done: 'registered' }));
    },
  );
};
