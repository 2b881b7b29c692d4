import type { Mail, MailTemplate } from '../accounts/index.ts';

/** What each message says. */
type Words = { subject: string; lines: string[] };

const TEMPLATES: Readonly<Record<MailTemplate, (data: Record<string, string>, shop: string) => Words>> = {
  verify_email: ({ url, hours }, shop) => ({
    subject: `Confirm your e-mail address for ${shop}`,
    lines: [
      `Somebody, hopefully you, gave this address to ${shop}. Confirm it here:`,
      url!,
      `The link works for ${hours} hours. If it was not you, do nothing.`,
    ],
  }),
  reset_password: ({ url, hours }, shop) => ({
    subject: `Set a new password for ${shop}`,
    lines: [
      `Somebody, hopefully you, asked for a new password at ${shop}. Choose it here:`,
      url!,
      `The link works once, for ${hours} hours. If it was not you, do nothing: your password stays as it is.`,
    ],
  }),
  password_changed: ({ url }, shop) => ({
    subject: `Your password for ${shop} was changed`,
    lines: [
      `The password of your account at ${shop} was changed just now.`,
      'If it was not you, set a new one at once:',
      url!,
    ],
  }),
  email_changed: ({ url }, shop) => ({
    subject: `Your e-mail address at ${shop} was changed`,
    lines: [
      `Your account at ${shop} has another e-mail address now, and messages go there.`,
      'If it was not you, write to the shop:',
      url!,
    ],
  }),
  second_factor_on: ({ url }, shop) => ({
    subject: `Your account at ${shop} has a second factor now`,
    lines: [
      `From now on, logging in at ${shop} takes a code of your authenticator app besides your password.`,
      'If it was not you who set it up, write to the shop at once:',
      url!,
    ],
  }),
  second_factor_off: ({ url }, shop) => ({
    subject: `Your account at ${shop} has no second factor any more`,
    lines: [
      `From now on, your password alone is enough to log in at ${shop}.`,
      'If it was not you who turned the second factor off, set a new password at once:',
      url!,
    ],
  }),
};

export function compose({ template, data }: Mail, shop: string): { subject: string; text: string } {
  const { subject, lines } = TEMPLATES[template](data, shop);
  return { subject, text: `${lines.join('\n\n')}\n\n${shop}\n` };
}
