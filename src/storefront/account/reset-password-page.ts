import { html } from '../../kernel/html.ts';
import { NEW_PASSWORDS, resetPassword } from '../../modules/accounts/index.ts';
import { type Fields, missing, type Refusal, readForm, refusalOf } from './fields.ts';
import { field, hidden } from './form.ts';
import { type AccountPage, goTo, pageAt, type Registers, show } from './page.ts';

/**
 * `/password/reset?token=…`, from the link in a mail. Afterwards one logs in as always, with the second factor if there is
 * one (OWASP, "Forgot Password Cheat Sheet"): a mailbox alone opens no account that has one.
 */

const FIELDS: Fields<'password'> = { password: { label: 'New password', ask: 'a new password' } };

function resetPage(token: string, refusal: Refusal | null = null): AccountPage {
  return {
    secret: true,
    title: 'Choose a new password',
    body: (csrf) => html`<form class="form" method="post" action="/password/reset" novalidate>
${csrf}${hidden('token', token)}
${field({ name: 'password', label: FIELDS.password.label, type: 'password', autocomplete: 'new-password', hint: 'At least 10 characters; a few words in a row do well.' }, refusal?.faults)}
<p class="hint">You will be logged out everywhere.</p>
<button>Set the password</button>
</form>`,
  };
}

const NO_LONGER: AccountPage = {
  secret: true,
  title: 'This link no longer works',
  body: () => html`<p>It was used before, is older than two hours, or a newer one took its place.</p>
<p><a class="button" href="/password/forgot">Send me a new link</a></p>`,
};

export const registerResetPassword: Registers = (pages, shop) => {
  pages.get<{ Querystring: { token?: unknown } }>('/password/reset', (request, reply) => {
    const { token } = request.query;
    return show(shop, request, reply, typeof token === 'string' && token ? resetPage(token) : NO_LONGER);
  });

  pages.post('/password/reset', { config: { limit: NEW_PASSWORDS } }, async (request, reply) => {
    const sent = readForm(request, ['token', 'password']);
    const refusal =
      missing(sent, FIELDS, ['password']) ??
      (await refusalOf(FIELDS, sent, () =>
        resetPassword(shop.accounts, sent, { address: request.ip, devices: shop.accounts.browser.devices(request) }),
      ));
    if (!refusal) return goTo(reply, pageAt('/login', { done: 'password_set' }));
    if (refusal.code === 'link_expired') return show(shop, request, reply, NO_LONGER, { ...refusal, faults: [] });
    return show(shop, request, reply, resetPage(sent.token, refusal), refusal);
  });
};
