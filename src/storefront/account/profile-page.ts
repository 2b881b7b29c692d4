import { html, type SafeHtml } from '../../kernel/html.ts';
import {
  allow,
  changeProfile,
  identityOf,
  MAILS_ASKED_FOR,
  OWN_ACCOUNT,
  type Profile,
  readProfile,
  resendVerification,
} from '../../modules/accounts/index.ts';
import type { Address } from '../../modules/accounts/schemas.ts';
import { COUNTRIES } from './countries.ts';
import { type Fields, type Refusal, readForm, refusalOf } from './fields.ts';
import { field, select } from './form.ts';
import { type AccountPage, formPage, goTo, pageAt, type Registers, show } from './page.ts';

/** `/profile`: who one is, and where things are sent. */

const LINES = ['line1', 'line2', 'city', 'region', 'postal_code', 'country'] as const satisfies (keyof Address)[];
const PLAIN = ['email', 'username', 'first_name', 'last_name', 'phone', 'date_of_birth'] as const;
type Name = (typeof PLAIN)[number] | `address.${(typeof LINES)[number]}`;
const NAMES: readonly Name[] = [...PLAIN, ...LINES.map((line) => `address.${line}` as const)];

const FIELDS: Fields<Name | 'current_password'> = {
  email: { label: 'E-mail address', ask: 'your e-mail address' },
  current_password: { label: 'Current password', ask: 'your current password' },
  username: { label: 'Username', ask: 'a username' },
  first_name: { label: 'First name', ask: 'your first name' },
  last_name: { label: 'Last name', ask: 'your last name' },
  phone: { label: 'Phone', ask: 'your phone number' },
  date_of_birth: { label: 'Date of birth', ask: 'your date of birth' },
  'address.line1': { label: 'Street and number', ask: 'a street' },
  'address.line2': { label: 'Second line of the address', ask: 'a flat or floor' },
  'address.city': { label: 'City', ask: 'a city' },
  'address.region': { label: 'State or region', ask: 'a region' },
  'address.postal_code': { label: 'Postal code', ask: 'a postal code' },
  'address.country': { label: 'Country', ask: 'a country' },
};
const AUTOCOMPLETE: Readonly<Record<Name, string>> = {
  email: 'email',
  username: 'username',
  first_name: 'given-name',
  last_name: 'family-name',
  phone: 'tel',
  date_of_birth: 'bday',
  'address.line1': 'address-line1',
  'address.line2': 'address-line2',
  'address.city': 'address-level2',
  'address.region': 'address-level1',
  'address.postal_code': 'postal-code',
  'address.country': 'country',
};

function sentAs({ address, ...profile }: Profile): Record<Name, string> {
  const plain = PLAIN.map((name) => [name, profile[name] ?? ''] as const);
  const lines = LINES.map((line) => [`address.${line}`, address?.[line] ?? ''] as const);
  return Object.fromEntries([...plain, ...lines]) as Record<Name, string>;
}

function profilePage(profile: Profile, sent: Record<Name, string>, refusal: Refusal | null = null): AccountPage {
  const input = (name: Name, type: 'text' | 'email' | 'tel' | 'date' = 'text') =>
    field(
      {
        name,
        label: FIELDS[name].label,
        type,
        value: sent[name],
        autocomplete: AUTOCOMPLETE[name],
        optional: name !== 'email' && name !== 'username' && 'unsaid',
      },
      refusal?.faults,
    );
  return {
    title: 'Your details',
    entry: '/profile',
    body: (csrf) => html`${!profile.email_verified && confirmation(profile.email, csrf)}
<form class="form" method="post" action="/profile" novalidate>
${csrf}
<p class="hint">Only the e-mail address and the username are needed.</p>
<fieldset>
<legend>You</legend>
<div class="pair">${input('first_name')}${input('last_name')}</div>
${input('email', 'email')}
${field({ name: 'current_password', label: FIELDS.current_password.label, type: 'password', autocomplete: 'current-password', hint: 'Only needed to change the e-mail address.', optional: 'unsaid' }, refusal?.faults)}
${input('username')}
<div class="pair">${input('phone', 'tel')}${input('date_of_birth', 'date')}</div>
</fieldset>
<fieldset>
<legend>Address</legend>
${input('address.line1')}
${input('address.line2')}
<div class="pair pair-uneven">${input('address.postal_code')}${input('address.city')}</div>
${input('address.region')}
${select({ name: 'address.country', label: FIELDS['address.country'].label, value: sent['address.country'], autocomplete: 'country', options: [['', ''], ...COUNTRIES], optional: 'unsaid' }, refusal?.faults)}
</fieldset>
<button>Save</button>
</form>
<section class="leave"><h2>Leaving</h2>
<p>You can <a href="/profile/delete">erase your account</a> and what the shop knows of you.</p></section>`,
  };
}

function confirmation(email: string, csrf: SafeHtml): SafeHtml {
  return html`<div class="fault">
<p>Your address <strong><bdi>${email}</bdi></strong> is not confirmed yet. Follow the link in the e-mail that we have sent there.</p>
<form method="post" action="/profile/confirmation">${csrf}<button class="quiet small">Send it again</button></form>
</div>`;
}

export const registerProfile: Registers = (pages, shop) => {
  const { accounts } = shop;

  pages.get('/profile', { config: allow('user') }, async (request, reply) => {
    const profile = await readProfile(accounts, identityOf(request).userId);
    return show(shop, request, reply, profilePage(profile, sentAs(profile)));
  });

  pages.post('/profile', { config: { ...allow('user'), limit: OWN_ACCOUNT } }, async (request, reply) => {
    const identity = identityOf(request);
    const before = await readProfile(accounts, identity.userId);
    const sent = readForm(request, [...NAMES, 'current_password']);
    const refusal = await refusalOf(FIELDS, sent, async () => {
      const { email, current_password, username, first_name, last_name, phone } = sent;
      const address = Object.fromEntries(LINES.map((line) => [line, sent[`address.${line}`]])) as Address;
      const date_of_birth = sent.date_of_birth || null;
      await changeProfile(accounts, identity, {
        email,
        current_password,
        username,
        first_name,
        last_name,
        phone,
        address,
        date_of_birth,
      });
    });
    if (refusal) return show(shop, request, reply, profilePage(before, sent, refusal), refusal);
    return goTo(reply, pageAt('/profile', { done: 'saved' }));
  });

  formPage(pages, '/profile/confirmation', '/profile');
  pages.post(
    '/profile/confirmation',
    { config: { ...allow('user'), limit: MAILS_ASKED_FOR } },
    async (request, reply) => {
      const { userId } = identityOf(request);
      const refusal = await refusalOf({}, {}, () => resendVerification(accounts, userId));
      if (!refusal) return goTo(reply, pageAt('/profile', { done: 'confirmation_sent' }));
      const profile = await readProfile(accounts, userId);
      return show(shop, request, reply, profilePage(profile, sentAs(profile)), refusal);
    },
  );
};
