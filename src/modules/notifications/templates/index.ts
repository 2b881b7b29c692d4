import type { Mail, MailData, MailTemplate } from '../mails.ts';
import { ACCOUNT_TEMPLATES } from './accounts.ts';
import { ORDER_TEMPLATES } from './orders.ts';
import { STAFF_TEMPLATES } from './staff.ts';
import type { Letterhead, Words } from './words.ts';

const TEMPLATES: { [T in MailTemplate]: (data: MailData<T>, letterhead: Letterhead) => Words } = {
  ...ACCOUNT_TEMPLATES,
  ...ORDER_TEMPLATES,
  ...STAFF_TEMPLATES,
};

/** What a message says. */
export function wordsOf(mail: Pick<Mail, 'template' | 'data'>, letterhead: Letterhead): Words {
  const template = TEMPLATES[mail.template] as (data: Mail['data'], letterhead: Letterhead) => Words;
  return template(mail.data, letterhead);
}
