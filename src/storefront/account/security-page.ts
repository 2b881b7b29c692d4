import { html, type SafeHtml } from '../../kernel/html.ts';
import {
  allow,
  changePassword,
  identityOf,
  NEW_PASSWORDS,
  readProfile,
  secondFactorState,
} from '../../modules/accounts/index.ts';
import { type Fields, missing, type Refusal, readForm, refusalOf } from './fields.ts';
import { field } from './form.ts';
import { type AccountPage, formPage, goTo, pageAt, type Registers, show } from './page.ts';

/** `/profile/security`: the password, and whether there is a second factor. */

const FIELDS: Fields<'current_password' | 'password'> = {
  current_password: { label: 'Current password', ask: 'your current password' },
  password: { label: 'New password', ask: 'a new password' },
};
const NAMES = ['current_password', 'password'] as const;

type State = { username: string; enabled: boolean; codesLeft: number; demanded: boolean };

function securityPage(state: State, refusal: Refusal | null = null): AccountPage {
  return {
    title: 'Security',
    entry: '/profile/security',
    body: (csrf) => html`<section aria-labelledby="password-title">
<h2 id="password-title">Password</h2>
<form class="form" method="post" action="/profile/security/password" novalidate>
${csrf}
<input type="text" autocomplete="username" value="${state.username}" readonly hidden>
${field({ name: 'current_password', label: FIELDS.current_password.label, type: 'password', autocomplete: 'current-password' }, refusal?.faults)}
${field({ name: 'password', label: FIELDS.password.label, type: 'password', autocomplete: 'new-password', hint: 'At least 10 characters; a few words in a row do well.' }, refusal?.faults)}
<p class="hint">All your other devices will be logged out.</p>
<button>Change the password</button>
</form>
</section>
<section aria-labelledby="factor-title">
<h2 id="factor-title">Second factor</h2>
${secondFactor(state, csrf)}
</section>`,
  };
}

function secondFactor({ enabled, codesLeft, demanded }: State, csrf: SafeHtml): SafeHtml {
  if (enabled)
    return html`<p>It is <strong>on</strong>: logging in takes your password and a code of your authenticator app.</p>
<p${codesLeft <= 2 && html` class="fault"`}>${codesLeft === 0 ? 'You have no recovery codes left.' : `You have ${codesLeft} recovery ${codesLeft === 1 ? 'code' : 'codes'} left.`}</p>
<p><a class="button quiet" href="/profile/security/second-factor">Manage the second factor</a></p>`;
  return html`${demanded && html`<p class="fault">This shop asks its staff for a second factor. Until you have one, you can do nothing as staff.</p>`}
<p>It is <strong>off</strong>: your password alone logs you in. With a second factor, logging in also takes a code that an app on your phone shows, so that a stolen password is of no use.</p>
<form method="post" action="/profile/security/second-factor">${csrf}
<button class="quiet" name="do" value="start">Set up a second factor</button>
</form>`;
}

export const registerSecurity: Registers = (pages, shop) => {
  const { accounts } = shop;

  const stateOf = async (request: Parameters<typeof identityOf>[0]): Promise<State> => {
    const { userId, awaitsSecondFactor = false } = identityOf(request);
    const [{ username }, { enabled, recovery_codes_left }] = await Promise.all([
      readProfile(accounts, userId),
      secondFactorState(accounts, userId),
    ]);
    return { username, enabled, codesLeft: recovery_codes_left, demanded: awaitsSecondFactor };
  };

  pages.get('/profile/security', { config: allow('user') }, async (request, reply) =>
    show(shop, request, reply, securityPage(await stateOf(request))),
  );

  formPage(pages, '/profile/security/password', '/profile/security');
  pages.post(
    '/profile/security/password',
    { config: { ...allow('user'), limit: NEW_PASSWORDS } },
    async (request, reply) => {
      const sent = readForm(request, NAMES);
      const refusal =
        missing(sent, FIELDS, NAMES) ??
        (await refusalOf(FIELDS, sent, () => changePassword(accounts, identityOf(request), sent)));
      if (refusal) return show(shop, request, reply, securityPage(await stateOf(request), refusal), refusal);
      return goTo(reply, pageAt('/profile/security', { done: 'password_changed' }));
    },
  );
};
