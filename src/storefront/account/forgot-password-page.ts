import { html } from '../../kernel/html.ts';
import { forgotPassword, PASSWORD_RESETS } from '../../modules/accounts/index.ts';
import { ForgotPassword } from '../../modules/accounts/schemas.ts';
import { type Fields, invalid, judgeBy, type Refusal, readForm, refusalOf } from './fields.ts';
import { field } from './form.ts';
import { type AccountPage, goTo, type Registers, show } from './page.ts';

/** `/password/forgot`. It says the same whether or not there is such an account. */

const FIELDS: Fields<'email'> = {
  email: {
    label: 'E-mail address',
    ask: 'the e-mail address of your account',
    form: 'Enter an e-mail address that is written like name@example.com.',
  },
};
const judge = judgeBy(ForgotPassword, FIELDS);

function forgotPage(email: string, refusal: Refusal | null = null): AccountPage {
  return {
    title: 'Set a new password',
    body: (
      csrf,
    ) => html`<p>Tell us the e-mail address of your account, and we send you a link to choose another password.</p>
<form class="form" method="post" action="/password/forgot" novalidate>
${csrf}
${field({ name: 'email', label: FIELDS.email.label, type: 'email', value: email, autocomplete: 'email' }, refusal?.faults)}
<button>Send me the link</button>
</form>
<ul class="ways"><li><a href="/login">Back to log in</a></li></ul>`,
  };
}

const SENT: AccountPage = {
  title: 'Look into your mail',
  body: () => html`<p>If there is an account with that address, a link is on its way to it. It works once, for two hours.</p>
<p>Nothing there after some minutes? Look among the junk, or check the address for a slip.</p>
<ul class="ways"><li><a href="/password/forgot">Send another link</a></li><li><a href="/login">Back to log in</a></li></ul>`,
};

export const registerForgotPassword: Registers = (pages, shop) => {
  pages.get('/password/forgot', (request, reply) => show(shop, request, reply, forgotPage('')));

  pages.post('/password/forgot', { config: { limit: PASSWORD_RESETS } }, async (request, reply) => {
    const sent = readForm(request, ['email']);
    const refusal =
      invalid(judge(sent)) ?? (await refusalOf(FIELDS, sent, () => forgotPassword(shop.accounts, sent.email)));
    if (refusal) return show(shop, request, reply, forgotPage(sent.email, refusal), refusal);
    return goTo(reply, '/password/forgot/sent');
  });

  pages.get('/password/forgot/sent', (request, reply) => show(shop, request, reply, SENT));
};
