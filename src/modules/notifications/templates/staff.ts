import type { MailData, MailTemplate } from '../mails.ts';
import type { Letterhead, Words } from './words.ts';

type Staff = Exclude<
  MailTemplate,
  keyof import('../../accounts/index.ts').AccountMailData | 'order_placed' | 'order_status_changed'
>;
type Templates = { [T in Staff]: (data: MailData<T>, letterhead: Letterhead) => Words };

const soon = (): Words => ({ subject: '', blocks: [] });

export const STAFF_TEMPLATES: Templates = {
  product_changed: soon,
  products_digest: soon,
  import_finished: soon,
  import_failed: soon,
  low_stock: soon,
  job_failed: soon,
  webhook_disabled: soon,
};
