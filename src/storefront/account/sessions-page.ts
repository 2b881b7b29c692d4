import { html, type SafeHtml } from '../../kernel/html.ts';
import {
  allow,
  describeDevice,
  endOtherSessions,
  endOwnSession,
  identityOf,
  listSessions,
  type SessionRow,
} from '../../modules/accounts/index.ts';
import { IdParam } from '../../modules/accounts/schemas.ts';
import { ago, day } from './dates.ts';
import { refusalOf } from './fields.ts';
import { type AccountPage, formPage, goTo, pageAt, type Registers, show } from './page.ts';

/** `/profile/sessions`: where one is logged in, and out again from a distance. */

function sessionsPage(
  sessions: readonly SessionRow[],
  current: string | null,
  { now, timeZone }: { now: Date; timeZone: string },
): AccountPage {
  const others = sessions.filter(({ id }) => id !== current);
  const row = (session: SessionRow, csrf: SafeHtml) => {
    const device = describeDevice(session.user_agent);
    const isCurrent = session.id === current;
    return html`<tr>
<th scope="row"><bdi>${device}</bdi>${session.kind === 'token' && html` <span class="note">by a program</span>`}</th>
<td><span class="cell">Logged in </span><time datetime="${session.created_at.toISOString()}">${day(session.created_at, timeZone)}</time></td>
<td>${isCurrent ? html`<strong>This device</strong>` : html`<span class="cell">Last used </span><time datetime="${session.last_used_at.toISOString()}">${ago(session.last_used_at, now)}</time>`}</td>
<td>${
      !isCurrent &&
      html`<form method="post" action="/profile/sessions/${session.id}/end">${csrf}<button class="quiet small">Log out<span class="visually-hidden"> ${device}</span></button></form>`
    }</td>
</tr>`;
  };
  return {
    title: 'Devices',
    entry: '/profile/sessions',
    body: (
      csrf,
    ) => html`<p class="lead">Where you are logged in. If you do not know one of these, log it out and <a href="/profile/security">change your password</a>.</p>
<table class="devices">
<thead><tr><th scope="col">Device</th><th scope="col">Logged in</th><th scope="col">Last used</th><td></td></tr></thead>
<tbody>${[...sessions.filter(({ id }) => id === current), ...others].map((session) => row(session, csrf))}</tbody>
</table>
${others.length > 1 && html`<form method="post" action="/profile/sessions/end-others">${csrf}<button class="quiet">Log out everywhere else</button></form>`}`,
  };
}

export const registerSessions: Registers = (pages, shop) => {
  const { accounts, config } = shop;

  pages.get('/profile/sessions', { config: allow('user') }, async (request, reply) => {
    const { userId, sessionId } = identityOf(request);
    const sessions = await listSessions(accounts, userId);
    const page = sessionsPage(sessions, sessionId, { now: accounts.clock.now(), timeZone: config.TIME_ZONE });
    return show(shop, request, reply, page);
  });

  formPage(pages, '/profile/sessions/:id/end', '/profile/sessions');
  pages.post(
    '/profile/sessions/:id/end',
    { config: allow('user'), schema: { params: IdParam } },
    async (request, reply) => {
      // One that has ended already is what was asked for.
      await refusalOf({}, {}, () => endOwnSession(accounts, identityOf(request).userId, request.params.id));
      return goTo(reply, pageAt('/profile/sessions', { done: 'session_ended' }));
    },
  );

  formPage(pages, '/profile/sessions/end-others', '/profile/sessions');
  pages.post('/profile/sessions/end-others', { config: allow('user') }, async (request, reply) => {
    await endOtherSessions(accounts, identityOf(request));
    return goTo(reply, pageAt('/profile/sessions', { done: 'others_ended' }));
  });
};
