import { html } from '../../kernel/html.ts';
import {
  allow,
  confirmSecondFactor,
  disableSecondFactor,
  enrollSecondFactor,
  identityOf,
  newRecoveryCodes,
  OTP_CODES,
  pendingEnrolment,
  secondFactorState,
} from '../../modules/accounts/index.ts';
import { type Fields, missing, type Refusal, readForm, refusalOf } from './fields.ts';
import { field } from './form.ts';
import { type AccountPage, goTo, pageAt, type Registers, show } from './page.ts';
import { qrCode } from './qr-code.ts';

/**
 * `/profile/security/second-factor`: its set-up (scan, confirm by a code, keep the recovery codes), and when it is on, new
 * recovery codes and the way out.
 */

const PATH = '/profile/security/second-factor';

const FIELDS: Fields<'otp' | 'password'> = {
  otp: { label: 'Code', ask: 'the code that your app shows' },
  password: { label: 'Password', ask: 'your password' },
};

/** What each button needs; all others need both. */
const NEEDED: Readonly<Record<string, readonly ('otp' | 'password')[]>> = { start: [], confirm: ['otp'] };

function setUpPage(
  { secret, otpauth_uri }: { secret: string; otpauth_uri: string },
  refusal: Refusal | null = null,
): AccountPage {
  return {
    title: 'Set up a second factor',
    entry: '/profile/security',
    body: (csrf) => html`<ol class="steps">
<li><h2>Scan this with your authenticator app</h2>
<p>Any will do: the one in your password manager, Aegis, Google Authenticator.</p>
${qrCode(otpauth_uri, 'QR code for your authenticator app')}
<p>No camera? Type this key into the app: <code class="key">${secret.replace(/(.{4})(?=.)/g, '$1 ')}</code></p></li>
<li><h2>Enter the code that it shows</h2>
<form class="form" method="post" action="${PATH}" novalidate>
${csrf}
${field({ name: 'otp', label: FIELDS.otp.label, hint: 'Six digits, new every 30 seconds.', autocomplete: 'one-time-code', inputmode: 'numeric' }, refusal?.faults)}
<p class="hint">All your other devices will be logged out.</p>
<button name="do" value="confirm">Switch it on</button>
</form></li>
</ol>
<p><a href="/profile/security">Not now</a></p>`,
  };
}

function managePage(codesLeft: number, refusal: Refusal | null = null): AccountPage {
  return {
    title: 'Second factor',
    entry: '/profile/security',
    body: (
      csrf,
    ) => html`<p>It is on, and you have ${codesLeft} of 10 recovery codes left. New ones take the place of the old. Both of these need your password and a code.</p>
<form class="form" method="post" action="${PATH}" novalidate>
${csrf}
${field({ name: 'password', label: FIELDS.password.label, type: 'password', autocomplete: 'current-password' }, refusal?.faults)}
${field({ name: 'otp', label: FIELDS.otp.label, hint: 'Of your authenticator app, or one of your recovery codes.', autocomplete: 'one-time-code' }, refusal?.faults)}
<div class="buttons">
<button name="do" value="codes">Make new recovery codes</button>
<button class="danger" name="do" value="off">Switch it off</button>
</div>
</form>
<p><a href="/profile/security">Leave it as it is</a></p>`,
  };
}

function codesPage(codes: readonly string[]): AccountPage {
  return {
    title: 'Keep these recovery codes',
    entry: '/profile/security',
    body: () => html`<p>Should you lose your phone, each of them logs you in once in place of a code. <strong>They are shown this one time.</strong> Keep them where your password is not.</p>
<ul class="codes">${codes.map((code) => html`<li><code>${code}</code></li>\n`)}</ul>
<p><a class="button" href="/profile/security">I have kept them</a></p>`,
  };
}

export const registerSecondFactor: Registers = (pages, shop) => {
  const { accounts } = shop;

  /** The page as it is now; null where there is nothing to show: neither on nor being set up. */
  const pageOf = async (userId: string, refusal: Refusal | null = null): Promise<AccountPage | null> => {
    const { enabled, recovery_codes_left } = await secondFactorState(accounts, userId);
    if (enabled) return managePage(recovery_codes_left, refusal);
    const enrolment = await pendingEnrolment(accounts, { userId });
    return enrolment && setUpPage(enrolment, refusal);
  };

  pages.get(PATH, { config: allow('user') }, async (request, reply) => {
    const page = await pageOf(identityOf(request).userId);
    return page ? show(shop, request, reply, page) : goTo(reply, '/profile/security');
  });

  pages.post(PATH, { config: { ...allow('user'), limit: OTP_CODES } }, async (request, reply) => {
    const identity = identityOf(request);
    const sent = readForm(request, ['do', 'otp', 'password']);
    const { do: what, otp, password } = sent;
    const needed = Object.hasOwn(NEEDED, what) ? NEEDED[what]! : (['password', 'otp'] as const);
    let codes: string[] | undefined;
    const refusal =
      missing(sent, FIELDS, needed) ??
      (await refusalOf(FIELDS, sent, async () => {
        if (what === 'start') await enrollSecondFactor(accounts, identity);
        else if (what === 'confirm') ({ recovery_codes: codes } = await confirmSecondFactor(accounts, identity, otp));
        else if (what === 'codes')
          ({ recovery_codes: codes } = await newRecoveryCodes(accounts, identity, { password, otp }));
        else if (what === 'off') await disableSecondFactor(accounts, identity, { password, otp });
      }));
    if (refusal) {
      const page = await pageOf(identity.userId, refusal);
      return page ? show(shop, request, reply, page, refusal) : goTo(reply, '/profile/security');
    }
    // Shown once: they are stored hashed, so there is no page that could show them again.
    if (codes) return show(shop, request, reply, codesPage(codes));
    return goTo(reply, what === 'off' ? pageAt('/profile/security', { done: 'second_factor_off' }) : PATH);
  });
};
