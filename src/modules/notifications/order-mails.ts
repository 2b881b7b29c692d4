import type { Subscriber } from '../../kernel/events.ts';
import { recipientFor } from '../accounts/index.ts';
import type { MailDeps } from './subscribers.ts';

/** Orders, to the customers who placed them and want to know. */
export function orderMails({ publicUrl, sendMail, linesOfOrder }: MailDeps): Subscriber {
  return {
    name: 'mails.orders',
    types: ['order.placed', 'order.status_changed'],
    async handle(tx, { type, subject_id, user_id, data }) {
      const to = user_id === null ? undefined : await recipientFor(tx, user_id, 'orders');
      if (!to) return;
      const number = String(data.number);
      const url = `${publicUrl}/orders/${encodeURIComponent(number)}`;
      if (type === 'order.status_changed')
        return sendMail(tx, {
          template: 'order_status_changed',
          to,
          data: { number, status: String(data.status), url },
        });
      const lines = await linesOfOrder(tx, subject_id);
      const total = `${String(data.total)} ${String(data.currency)}`;
      return sendMail(tx, { template: 'order_placed', to, data: { number, lines, total, url } });
    },
  };
}
