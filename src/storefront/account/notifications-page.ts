import { html } from '../../kernel/html.ts';
import {
  allow,
  changeNotificationSettings,
  identityOf,
  OWN_ACCOUNT,
  readNotificationSettings,
} from '../../modules/accounts/index.ts';
import type { NotificationSettings } from '../../modules/accounts/schemas.ts';
import { readForm } from './fields.ts';
import { checkbox } from './form.ts';
import { type AccountPage, goTo, pageAt, type Registers, show } from './page.ts';

/** `/profile/notifications`: which e-mails one wants. */

const WORDS: Readonly<Record<keyof NotificationSettings, [label: string, hint: string]>> = {
  orders: ['Your orders', 'When an order of yours is placed, shipped, delivered or cancelled.'],
  price_alerts: ['Price alerts', 'When an offer falls below the price that you asked to be told of.'],
  product_changes: ['Changes of products', 'For staff.'],
  imports: ['Imports', 'For staff: when one is finished, or has failed.'],
  low_stock: ['Low stock', 'For staff: when a product runs out.'],
  failed_jobs: ['Failed jobs', 'For staff: when work in the background has failed for good.'],
};

/** Those that this person can be sent, in the order in which they are shown. */
const namesOf = (settings: NotificationSettings) =>
  (Object.keys(WORDS) as (keyof NotificationSettings)[]).filter((name) => settings[name] !== undefined);

function notificationsPage(settings: NotificationSettings): AccountPage {
  return {
    title: 'E-mails',
    entry: '/profile/notifications',
    body: (
      csrf,
    ) => html`<p class="lead">Choose what we write to you about. Messages about the account itself, such as a changed password, are always sent.</p>
<form class="form" method="post" action="/profile/notifications">
${csrf}
<fieldset class="checks"><legend class="visually-hidden">E-mails about</legend>
${namesOf(settings).map((name) => checkbox({ name, label: WORDS[name][0], hint: WORDS[name][1], checked: settings[name] === true }))}
</fieldset>
<button>Save</button>
</form>`,
  };
}

export const registerNotifications: Registers = (pages, shop) => {
  const { accounts } = shop;

  pages.get('/profile/notifications', { config: allow('user') }, async (request, reply) => {
    const settings = await readNotificationSettings(accounts, identityOf(request).userId);
    return show(shop, request, reply, notificationsPage(settings));
  });

  pages.post('/profile/notifications', { config: { ...allow('user'), limit: OWN_ACCOUNT } }, async (request, reply) => {
    const { userId } = identityOf(request);
    const names = namesOf(await readNotificationSettings(accounts, userId));
    const sent = readForm(request, names);
    // A box that is not ticked is not sent.
    const wanted = Object.fromEntries(names.map((name) => [name, sent[name] === 'on']));
    await changeNotificationSettings(accounts, userId, wanted);
    return goTo(reply, pageAt('/profile/notifications', { done: 'saved' }));
  });
};
