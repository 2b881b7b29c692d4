import type { Sql } from '../../kernel/db.ts';
import { defineFailureWatch, type Job } from '../../kernel/jobs.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { tellFailedJobs } from './failed-job-mails.ts';
import { importMails } from './import-mails.ts';
import type { Notifications } from './index.ts';
import { lowStockMails } from './low-stock-mails.ts';
import type { MailData } from './mails.ts';
import { orderMails } from './order-mails.ts';
import { productMails } from './product-mails.ts';

/**
 * What messages need to know of other modules' things, handed over by the composition root. It is read in the
 * transaction that the message is written in, so that none waits for a second connection.
 */
export type Sources = {
  publicUrl: string;
  /** The names of a category and those above it, from the root down; none when it is gone. */
  categoryNames(target: Sql, id: string): Promise<readonly string[]>;
  /** What became of the rows of an import's feed, some at a time, each time with their lines of CSV. */
  importOutcomes(
    target: Sql,
    importId: string,
  ): AsyncIterable<{ outcomes: MailData<'import_finished'>['outcomes']; csv: string }>;
  /** Products whose stock an import let fall from above the threshold: the first of them, and how many. */
  fallenByImport(
    target: Sql,
    importId: string,
    options: { threshold: number; limit: number },
  ): Promise<{ products: { name: string; sku: string; slug: string; stock: number }[]; total: number }>;
  /** What products are called now, by their ids; those that are archived or gone are missing. */
  namesOfProducts(
    target: Sql,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, { name: string; sku: string; slug: string }>>;
  /** What was ordered, each line with what it cost and the currency; none when there is no such order. */
  linesOfOrder(target: Sql, orderId: string): Promise<MailData<'order_placed'>['lines']>;
};

/** What the messages of this module are made with. */
export type MailDeps = Pick<Kernel, 'db' | 'clock' | 'config' | 'blobs'> & Pick<Notifications, 'sendMail'> & Sources;

/**
 * Has messages written about what happens: to staff, and to customers about their orders. The jobs see to what is
 * written later.
 */
export function subscribeMails(
  kernel: Kernel,
  { sendMail }: Notifications,
  sources: Sources,
): { jobs: readonly Job<never>[] } {
  const deps: MailDeps = { ...kernel, ...sources, sendMail };
  const products = productMails(deps);
  const lowStock = lowStockMails(deps);
  for (const subscriber of [products.subscriber, importMails(deps), lowStock.subscriber, orderMails(deps)])
    kernel.events.subscribe(subscriber);
  const failureWatch = defineFailureWatch(kernel.db, (tx, jobs) => tellFailedJobs({ sendMail }, tx, jobs));
  return { jobs: [products.window.job, lowStock.window.job, failureWatch] };
}
