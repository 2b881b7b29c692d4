import { html } from '../../kernel/html.ts';
import { MAILS_ASKED_FOR, verifyEmail } from '../../modules/accounts/index.ts';
import { readForm, refusalOf } from './fields.ts';
import { hidden } from './form.ts';
import { type AccountPage, goTo, pageAt, type Registers, show } from './page.ts';

/**
 * `/email/verify?token=…`, from the link in a mail. Programs that look into mails follow their links, so the link alone
 * confirms nothing: a person presses the button.
 */

function verifyPage(token: string): AccountPage {
  return {
    secret: true,
    title: 'Confirm your e-mail address',
    body: (csrf) => html`<p>Then we know that messages about your orders reach you.</p>
<form class="form" method="post" action="/email/verify">
${csrf}${hidden('token', token)}
<button>Confirm my address</button>
</form>`,
  };
}

const NO_LONGER: AccountPage = {
  secret: true,
  title: 'This link no longer works',
  body: () => html`<p>It was used before, is older than three days, or a newer one took its place. Your profile says whether your address is confirmed, and sends another link if it is not.</p>
<p><a class="button" href="/profile">Go to my profile</a></p>`,
};

export const registerVerifyEmail: Registers = (pages, shop) => {
  pages.get<{ Querystring: { token?: unknown } }>('/email/verify', (request, reply) => {
    const { token } = request.query;
    return show(shop, request, reply, typeof token === 'string' && token ? verifyPage(token) : NO_LONGER);
  });

  pages.post('/email/verify', { config: { limit: MAILS_ASKED_FOR } }, async (request, reply) => {
    const { token } = readForm(request, ['token']);
    const refusal = await refusalOf({}, {}, () => verifyEmail(shop.accounts, token));
    if (refusal) return show(shop, request, reply, NO_LONGER, { ...refusal, faults: [] });
    return goTo(reply, pageAt(request.identity ? '/profile' : '/login', { done: 'email_confirmed' }));
  });
};
