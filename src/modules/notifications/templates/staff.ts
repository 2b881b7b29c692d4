import type { MailData, MailTemplate, ProductChange } from '../mails.ts';
import { count, line, number, shortTime, time } from './texts.ts';
import type { Letterhead, Words } from './words.ts';

type Staff = Exclude<
  MailTemplate,
  keyof import('../../accounts/index.ts').AccountMailData | 'order_placed' | 'order_status_changed'
>;
type Templates = { [T in Staff]: (data: MailData<T>, letterhead: Letterhead) => Words };

const optOut = ({ shop, publicUrl }: Letterhead) =>
  `You get this because you are on the staff of ${shop}. Choose which messages you get: ${publicUrl}/profile/notifications`;

const by = (actor: string | null) => actor ?? 'somebody whose account is gone';

/** What one line of a table tells of a change. */
function inOneLine({ action, changes }: ProductChange): string {
  if (action === 'created') return 'Created';
  return line(changes.map(({ field, text }) => `${field}: ${text}`).join('; '), 300);
}

/** How many of all are shown, when it is not all of them. */
const more = (total: number, shown: number, one: string): string[] =>
  total > shown ? [`And ${count(total - shown, `more ${one}`)}.`] : [];

/** Whether their lines tell anything: in a feed that is one long line they are all the same. */
function tellsLines(outcomes: MailData<'import_finished'>['outcomes']): boolean {
  const lines = outcomes.flatMap(({ line: at }) => at ?? []);
  return lines.length === 1 || new Set(lines).size > 1;
}

/** What is written to the people who run the shop. */
export const STAFF_TEMPLATES: Templates = {
  product_changed: ({ actor, change }, letterhead) => ({
    subject: `${line(change.name)} was ${change.action}`,
    blocks: [
      `This product was ${change.action} by ${by(actor)}.`,
      {
        facts: [
          ['SKU', change.sku],
          ...change.changes.map(({ field, text }) => [field, text] as const),
          ['When', time(change.at, letterhead.timeZone)],
        ],
      },
      { button: { label: 'See the product', url: change.url } },
    ],
    reason: optOut(letterhead),
  }),
  products_digest: ({ actor, changes, total }, letterhead) => ({
    subject: `${count(total, 'more product change')} by ${by(actor)}`,
    blocks: [
      `Besides what you were told of one by one, ${by(actor)} made ${count(total, 'more product change')} within a few minutes.`,
      {
        table: {
          head: ['Product', 'SKU', 'What', 'When'],
          rows: changes.map((change) => [
            { text: line(change.name), url: change.url },
            change.sku,
            inOneLine(change),
            shortTime(change.at, letterhead.timeZone),
          ]),
        },
      },
      ...more(total, changes.length, 'change'),
    ],
    reason: optOut(letterhead),
  }),
  import_finished({ fileName, counts, outcomes, totalOutcomes, csvUrl, isAttached }, letterhead) {
    const name = line(fileName);
    const happened = (['created', 'updated', 'existing', 'rejected'] as const)
      .filter((one) => counts[one] > 0)
      .map((one) => `${number(counts[one])} ${one === 'existing' ? 'left as they were' : one}`);
    const all = `all ${count(totalOutcomes, 'outcome')} as CSV`;
    return {
      subject: `Import of ${name} finished: ${happened.length === 0 ? 'nothing changed' : happened.join(', ')}`,
      blocks: [
        `The import of ${name} is finished.`,
        {
          facts: [
            ['Items in the feed', number(counts.read)],
            ...(
              [
                ['Items rejected', counts.rejected],
                ['Products created', counts.created],
                ['Products updated', counts.updated],
                ['Products unchanged', counts.unchanged],
                ['Products left as they were', counts.existing],
              ] as const
            ).flatMap(([what, many]) => (many > 0 ? [[what, number(many)] as const] : [])),
          ],
        },
        ...(outcomes.length === 0
          ? []
          : [
              {
                heading:
                  totalOutcomes > outcomes.length
                    ? `The first ${outcomes.length} of ${count(totalOutcomes, 'outcome')}`
                    : 'What became of the items',
              },
              {
                table: {
                  head: ['Outcome', 'SKU', ...(tellsLines(outcomes) ? ['Line'] : []), 'Message'],
                  rows: outcomes.map(({ outcome, sku, line: at, message }) => [
                    outcome === 'rejected' ? { text: outcome, isBad: true } : outcome,
                    line(sku ?? ''),
                    ...(tellsLines(outcomes) ? [at === null ? '' : String(at)] : []),
                    line(message, 300),
                  ]),
                },
              },
              isAttached
                ? { note: `The attached file has ${all}. It can also be downloaded: ${csvUrl}` }
                : `The file with ${all} is too large to be attached.`,
              ...(isAttached ? [] : [{ button: { label: 'Download the outcomes', url: csvUrl } }]),
            ]),
      ],
      reason: optOut(letterhead),
    };
  },
  import_failed({ fileName, reason, line: at, column }, letterhead) {
    const place = [at === null ? [] : `line ${at}`, column === null ? [] : `column ${column}`].flat().join(', ');
    return {
      subject: `Import of ${line(fileName)} failed`,
      blocks: [
        `The import of ${line(fileName)} failed, and changed nothing in the catalogue.`,
        { facts: [['Reason', line(reason, 500)], ...(place === '' ? [] : [['Where', place] as const])] },
      ],
      reason: optOut(letterhead),
    };
  },
  low_stock({ products, total, threshold }, letterhead) {
    const [first] = products;
    if (first && total === 1)
      return {
        subject: `Low stock: ${line(first.name)} (${first.stock} left)`,
        blocks: [
          `The stock of “${line(first.name)}” has fallen to ${first.stock}.`,
          {
            facts: [
              ['SKU', first.sku],
              ['In stock', String(first.stock)],
              ['You are told at', `${threshold} or fewer`],
            ],
          },
          { button: { label: 'See the product', url: first.url } },
        ],
        reason: optOut(letterhead),
      };
    return {
      subject: `Low stock: ${count(total, 'product')}`,
      blocks: [
        `The stock of ${count(total, 'product')} has fallen to ${threshold} or fewer.`,
        {
          table: {
            head: ['Product', 'SKU', 'In stock'],
            rows: products.map(({ name, sku, stock, url }) => [{ text: line(name), url }, sku, String(stock)]),
          },
        },
        ...more(total, products.length, 'product'),
      ],
      reason: optOut(letterhead),
    };
  },
  job_failed: ({ jobs, total }, letterhead) => ({
    subject:
      total === 1 && jobs[0]
        ? `A background job was given up: ${jobs[0].task}`
        : `${count(total, 'background job')} were given up`,
    blocks: [
      total === 1 && jobs[0]
        ? `This job failed too often and will not be tried again unless a superuser retries it by POST /api/jobs/${jobs[0].id}/retry.`
        : 'These jobs failed too often and will not be tried again unless a superuser retries them by POST /api/jobs/{id}/retry.',
      {
        table: {
          head: ['Job', 'Id', 'Tries', 'Last error'],
          rows: jobs.map(({ id, task, attempts, error }) => [task, id, String(attempts), error]),
        },
      },
      ...more(total, jobs.length, 'job'),
    ],
    reason: optOut(letterhead),
  }),
  webhook_disabled: ({ url, reason, failingSince, lastError }, letterhead) => ({
    subject:
      reason === 'gone'
        ? 'A webhook was disabled: its endpoint is gone'
        : 'A webhook was disabled after failing for a day',
    blocks: [
      `A webhook was disabled: ${
        reason === 'gone'
          ? 'its endpoint answered 410, which says that it is gone for good'
          : 'for a day its endpoint has taken no delivery'
      }. Nothing more is sent to it until a superuser enables it again.`,
      {
        facts: [
          ['Endpoint', line(url, 300)],
          ...(reason === 'gone' ? [] : [['Failing since', time(failingSince, letterhead.timeZone)] as const]),
          ['Last error', line(lastError, 300)],
        ],
      },
    ],
    reason: `You get this because you are a superuser of ${letterhead.shop}.`,
  }),
};
