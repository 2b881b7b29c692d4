import type { Limit } from '../../kernel/http/index.ts';

/**
 * How often one address may do what costs others something: guessing, hashing, filling the shop with accounts or mailboxes
 * with messages. On top of the lock-out, which counts by account. Pages and API count together.
 */

/** Mails to other people, which strangers can cause. */
export const PASSWORD_RESETS: Limit = { name: 'password_reset', most: 10, seconds: 3_600 };
/** What costs the hashing of a password. */
export const NEW_PASSWORDS: Limit = { name: 'new_password', most: 30, seconds: 3_600 };
/** Links that are shown, and mails that are asked for by whoever is to get them. */
export const MAILS_ASKED_FOR: Limit = { name: 'email_proof', most: 30, seconds: 3_600 };
/** Changes of one's own account that cost a mail or the check of a password. */
export const OWN_ACCOUNT: Limit = { name: 'own_account', most: 60, seconds: 600 };
/** On top of what is counted for the session: guesses at codes. */
export const OTP_CODES: Limit = { name: 'otp', most: 30, seconds: 300 };
/** What an office behind one address may need of a morning, and a fiftieth of what it may read. */
export const LOG_INS: Limit = { name: 'log_in', most: 60, seconds: 60 };
export const REGISTRATIONS: Limit = { name: 'register', most: 60, seconds: 600 };
/** Each leaves a row for as long as its session lasts. */
export const REFRESHES: Limit = { name: 'refresh', most: 120, seconds: 60 };
