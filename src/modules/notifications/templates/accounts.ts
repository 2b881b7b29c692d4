import type { AccountMailData } from '../../accounts/index.ts';
import type { Letterhead, Words } from './words.ts';

type Templates = { [T in keyof AccountMailData]: (data: AccountMailData[T], letterhead: Letterhead) => Words };

const aboutYou = (shop: string) =>
  `You get this because this address is that of an account at ${shop}. Messages that keep it safe are always sent.`;

/** What the messages about somebody's own account say. They go to its owner, who cannot opt out of them. */
export const ACCOUNT_TEMPLATES: Templates = {
  verify_email: ({ url, hours }, { shop }) => ({
    subject: `Confirm your e-mail address for ${shop}`,
    blocks: [
      `Somebody, hopefully you, gave this address to ${shop}. Confirm it here:`,
      { button: { label: 'Confirm my address', url } },
      `The link works for ${hours} hours. If it was not you, do nothing.`,
    ],
    reason: `You get this because somebody gave this address to ${shop}.`,
  }),
  reset_password: ({ url, hours }, { shop }) => ({
    subject: `Set a new password for ${shop}`,
    blocks: [
      `Somebody, hopefully you, asked for a new password at ${shop}. Choose it here:`,
      { button: { label: 'Choose a new password', url } },
      `The link works once, for ${hours} hours. If it was not you, do nothing: your password stays as it is.`,
    ],
    reason: aboutYou(shop),
  }),
  password_changed: ({ url }, { shop }) => ({
    subject: `Your password for ${shop} was changed`,
    blocks: [
      `The password of your account at ${shop} was changed just now.`,
      'If it was not you, set a new one at once:',
      { button: { label: 'Set a new password', url } },
    ],
    reason: aboutYou(shop),
  }),
  email_changed: ({ url }, { shop }) => ({
    subject: `Your e-mail address at ${shop} was changed`,
    blocks: [
      `Your account at ${shop} has another e-mail address now, and messages go there.`,
      'If it was not you, write to the shop:',
      { button: { label: `Go to ${shop}`, url } },
    ],
    reason: `You get this because this address was that of your account at ${shop} until now.`,
  }),
  second_factor_on: ({ url }, { shop }) => ({
    subject: `Your account at ${shop} has a second factor now`,
    blocks: [
      `From now on, logging in at ${shop} takes a code of your authenticator app besides your password.`,
      'If it was not you who set it up, write to the shop at once:',
      { button: { label: `Go to ${shop}`, url } },
    ],
    reason: aboutYou(shop),
  }),
  second_factor_off: ({ url }, { shop }) => ({
    subject: `Your account at ${shop} has no second factor any more`,
    blocks: [
      `From now on, your password alone is enough to log in at ${shop}.`,
      'If it was not you who turned the second factor off, set a new password at once:',
      { button: { label: 'Set a new password', url } },
    ],
    reason: aboutYou(shop),
  }),
};
