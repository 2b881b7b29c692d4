import { html } from '../../kernel/html.ts';
import { allow, beginLogIn, finishLogIn, LOG_INS, logInPending } from '../../modules/accounts/index.ts';
import { type Fields, missing, type Refusal, readForm, refusalOf } from './fields.ts';
import { field, hidden } from './form.ts';
import { type AccountPage, formPage, goTo, pageAt, type Registers, show } from './page.ts';
import { safePath } from './safe-path.ts';

/** `/login`, and `/login/code` when the second factor is due. `next` is where the person was going. */

const FIELDS: Fields<'login' | 'password'> = {
  login: { label: 'E-mail or username', ask: 'your e-mail address or username' },
  password: { label: 'Password', ask: 'your password' },
};
const CODE_FIELDS: Fields<'code' | 'recovery_code'> = {
  code: { label: 'Code', ask: 'the code that your app shows' },
  recovery_code: { label: 'Recovery code', ask: 'a recovery code' },
};

function logInPage(login: string, next: string | null, refusal: Refusal | null = null): AccountPage {
  return {
    title: 'Log in',
    body: (csrf) => html`<form class="form" method="post" action="/login" novalidate>
${csrf}${hidden('next', next)}
${field({ name: 'login', label: FIELDS.login.label, value: login, autocomplete: 'username' }, refusal?.faults)}
${field({ name: 'password', label: FIELDS.password.label, type: 'password', autocomplete: 'current-password' }, refusal?.faults)}
<button>Log in</button>
</form>
<ul class="ways">
<li><a href="/password/forgot">I forgot my password</a></li>
<li>New here? <a href="${pageAt('/register', { next })}">Open an account</a></li>
</ul>`,
  };
}

function codePage(next: string | null, refusal: Refusal | null = null): AccountPage {
  // A phone shows digits for the one, letters for the other.
  const recovering = refusal?.faults.some((fault) => fault.field === 'recovery_code');
  return {
    title: 'Enter your code',
    body: (csrf) => html`<form class="form" method="post" action="/login/code" novalidate>
${csrf}${hidden('next', next)}
${field({ name: 'code', label: CODE_FIELDS.code.label, hint: 'The six digits that your authenticator app shows now.', autocomplete: 'one-time-code', inputmode: 'numeric', focus: refusal === null }, refusal?.faults)}
<details${recovering && html` open`}>
<summary>I cannot use my app</summary>
${field({ name: 'recovery_code', label: CODE_FIELDS.recovery_code.label, hint: 'One of those that you kept when you set up the second factor. Each works once.', autocomplete: 'off', optional: true }, refusal?.faults)}
</details>
<button>Log in</button>
</form>
<ul class="ways"><li><a href="${pageAt('/login', { next })}">Log in as somebody else</a></li></ul>`,
  };
}

export const registerLogIn: Registers = (pages, shop) => {
  const { accounts } = shop;
  const nextOf = (given: unknown) => safePath((given as { next?: unknown } | undefined)?.next);
  const after = (next: string | null) => next ?? '/profile';

  pages.get('/login', async (request, reply) => {
    const next = nextOf(request.query);
    if (request.identity) return goTo(reply, after(next));
    return show(shop, request, reply, logInPage('', next));
  });

  pages.post('/login', { config: { limit: LOG_INS } }, async (request, reply) => {
    const next = nextOf(request.body);
    const sent = readForm(request, ['login', 'password']);
    let codeIsDue = false;
    const refusal =
      missing(sent, FIELDS, ['login', 'password']) ??
      (await refusalOf(FIELDS, sent, async () => {
        ({ codeIsDue } = await beginLogIn(accounts, request, reply, sent));
      }));
    if (refusal) return show(shop, request, reply, logInPage(sent.login, next, refusal), refusal);
    return goTo(reply, codeIsDue ? pageAt('/login/code', { next }) : after(next));
  });

  pages.get('/login/code', async (request, reply) => {
    const next = nextOf(request.query);
    if (request.identity) return goTo(reply, after(next));
    if (!logInPending(accounts, request)) return goTo(reply, pageAt('/login', { next }));
    return show(shop, request, reply, codePage(next));
  });

  pages.post('/login/code', { config: { limit: LOG_INS } }, async (request, reply) => {
    const next = nextOf(request.body);
    const sent = readForm(request, ['code', 'recovery_code']);
    const given = sent.recovery_code === '' ? 'code' : 'recovery_code';
    let finished = false;
    const refusal =
      sent[given] === ''
        ? missing(sent, CODE_FIELDS, ['code'])
        : await refusalOf(CODE_FIELDS, sent, async () => {
            finished = await finishLogIn(accounts, request, reply, sent[given]);
          });
    if (!refusal) return goTo(reply, finished ? after(next) : pageAt('/login', { next, done: 'log_in_again' }));
    const field = refusal.status === 429 ? null : given;
    const told = { ...refusal, faults: refusal.faults.map(({ message }) => ({ field, message })) };
    return show(shop, request, reply, codePage(next, told), told);
  });

  formPage(pages, '/logout', '/profile');
  pages.post('/logout', { config: allow('user') }, async (request, reply) => {
    await accounts.browser.logOut(request, reply);
    return goTo(reply, '/');
  });
};
