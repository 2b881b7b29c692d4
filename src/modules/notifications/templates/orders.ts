import type { MailData } from '../mails.ts';
import type { Letterhead, Words } from './words.ts';

type Orders = 'order_placed' | 'order_status_changed';
type Templates = { [T in Orders]: (data: MailData<T>, letterhead: Letterhead) => Words };

const soon = (): Words => ({ subject: '', blocks: [] });

export const ORDER_TEMPLATES: Templates = { order_placed: soon, order_status_changed: soon };
