import type { MailData } from '../mails.ts';
import { number as inDigits, line } from './texts.ts';
import type { Letterhead, Words } from './words.ts';

type Orders = 'order_placed' | 'order_status_changed';
type Templates = { [T in Orders]: (data: MailData<T>, letterhead: Letterhead) => Words };

/** What became of the order, as it goes on after its number: `has been shipped`. */
const BECAME: Readonly<Record<string, string>> = {
  pending: 'is waiting to be shipped',
  shipped: 'has been shipped',
  delivered: 'has been delivered',
  cancelled: 'has been cancelled',
};

const reason = ({ shop, publicUrl }: Letterhead) =>
  `You get this because you ordered at ${shop}. Choose which messages you get: ${publicUrl}/profile/notifications`;

/** What is written to customers about their orders. */
export const ORDER_TEMPLATES: Templates = {
  order_placed: ({ number, lines, total, url }, letterhead) => ({
    subject: `Your order ${line(number)} at ${letterhead.shop}`,
    blocks: [
      'Thank you for your order. We have received it and will tell you when it is on its way.',
      {
        table: {
          head: ['Product', 'Quantity', 'Price'],
          rows: lines.map((one) => [line(one.name), inDigits(one.quantity), one.total]),
        },
      },
      {
        facts: [
          ['Order', number],
          ['Total', total],
        ],
      },
      { button: { label: 'See your order', url } },
    ],
    reason: reason(letterhead),
  }),
  order_status_changed({ number, status, url }, letterhead) {
    const became = BECAME[status] ?? `is now ${line(status)}`;
    return {
      subject: `Your order ${line(number)} ${became}`,
      blocks: [
        `Your order ${line(number)} at ${letterhead.shop} ${became}.`,
        { button: { label: 'See your order', url } },
      ],
      reason: reason(letterhead),
    };
  },
};
