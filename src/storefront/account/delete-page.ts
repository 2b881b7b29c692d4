import { html } from '../../kernel/html.ts';
import { allow, eraseAccount, identityOf, OWN_ACCOUNT } from '../../modules/accounts/index.ts';
import { type Fields, missing, type Refusal, readForm, refusalOf } from './fields.ts';
import { field } from './form.ts';
import { type AccountPage, goTo, pageAt, type Registers, show } from './page.ts';

/** `/profile/delete`: the way out for good. */

const FIELDS: Fields<'password'> = { password: { label: 'Password', ask: 'your password' } };

function deletePage(refusal: Refusal | null = null): AccountPage {
  return {
    title: 'Erase your account',
    entry: '/profile',
    body: (csrf) => html`<ul class="bullets">
<li>Your name, addresses, phone number, date of birth and password are erased, and the messages we have sent you.</li>
<li>You are logged out everywhere, and cannot log in again.</li>
<li>Your orders stay in the shop’s books, as the law asks, without your name, your address or your notes.</li>
<li>An order that is still being prepared loses its address too and cannot reach you. <a href="/orders">Cancel it</a>, or wait until it has come.</li>
<li>Nobody can undo it: neither you nor the shop.</li>
</ul>
<form class="form" method="post" action="/profile/delete" novalidate>
${csrf}
${field({ name: 'password', label: FIELDS.password.label, type: 'password', autocomplete: 'current-password', hint: 'So that it is certainly you.' }, refusal?.faults)}
<div class="buttons"><button class="danger">Erase my account</button><a class="button quiet" href="/profile">Keep it</a></div>
</form>`,
  };
}

export const registerDelete: Registers = (pages, shop) => {
  const { accounts } = shop;

  pages.get('/profile/delete', { config: allow('user') }, (request, reply) => show(shop, request, reply, deletePage()));

  pages.post('/profile/delete', { config: { ...allow('user'), limit: OWN_ACCOUNT } }, async (request, reply) => {
    const sent = readForm(request, ['password']);
    const refusal =
      missing(sent, FIELDS, ['password']) ??
      (await refusalOf(FIELDS, sent, () => eraseAccount(accounts, identityOf(request), sent.password)));
    if (refusal) return show(shop, request, reply, deletePage(refusal), refusal);
    await accounts.browser.logOut(request, reply);
    return goTo(reply, pageAt('/login', { done: 'erased' }));
  });
};
