/**
 * What was done just now, told on the page that one is sent to afterwards. The address holds a word of this list and no
 * more, so that nobody can put words of theirs into the shop's mouth.
 */
const NOTICES = {
  registered: 'Welcome: your account is open.',
  saved: 'Your changes are saved.',
  confirmation_sent: 'We have sent you another e-mail. Only the link in the newest one works.',
  email_confirmed: 'Your e-mail address is confirmed.',
  password_changed: 'Your password is changed. Wherever else you were logged in, you are logged out.',
  password_set: 'Your new password is set, and you are logged out everywhere. Log in with it.',
  second_factor_off: 'The second factor is switched off: your password alone logs you in.',
  session_ended: 'That device is logged out.',
  others_ended: 'All other devices are logged out.',
  log_in_again: 'That took longer than five minutes. Please log in again.',
  mail_queued: 'The message will be sent now.',
  placed: 'Thank you: your order is placed.',
  order_cancelled: 'The order is cancelled.',
  ordered_again: 'What you ordered then is in your cart again.',
  ordered_again_partly: 'What can still be had of that order is in your cart again; the rest has sold out.',
  cart_changed: 'Something in your cart cannot be had as it is. Change what is marked, then check out.',
  erased: 'Your account is erased.',
} as const;

export type Notice = keyof typeof NOTICES;

export function noticeOf(query: unknown): string | null {
  const word = (query as { done?: unknown } | undefined)?.done;
  return typeof word === 'string' && Object.hasOwn(NOTICES, word) ? NOTICES[word as Notice] : null;
}
