import { sql } from '../../src/kernel/db.ts';
import { startJobs } from '../../src/kernel/jobs.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { eventually } from '../../src/kernel/testing/index.ts';
import { MAILBOX } from '../../src/modules/notifications/index.ts';

/** What tests look at of the messages that were written. */

export type Written = {
  template: string;
  recipient_id: string;
  subject: string;
  /** As plain text, its lines folded. */
  text: string;
  attachments: { file_name: string; content_type: string; blob_key: string; bytes: number }[];
};

/** In the order in which they were written. */
export async function writtenMails(
  { db, secrets }: Pick<Kernel, 'db' | 'secrets'>,
  template?: string,
): Promise<Written[]> {
  const rows = await db.many(
    sql<Omit<Written, 'text'> & { body: Buffer }>(
      `select template, recipient_id, subject, body, attachments from emails
       where $1::text is null or template = $1 order by created_at, id`,
      [template ?? null],
    ),
  );
  return rows.map(({ body, ...row }) => ({ ...row, text: secrets.decrypt(MAILBOX, body).replace(/\s+/g, ' ') }));
}

/** Has every event that there is handed to its subscribers. */
export async function deliverEvents({ db, events, directUrl, log }: Kernel): Promise<void> {
  await events.flush();
  const worker = await startJobs({ url: directUrl, jobs: events.jobs, concurrency: 4, log });
  try {
    await eventually(async () => {
      const waiting = await db.many(
        sql<{ last_error: string | null }>(
          "select last_error from graphile_worker.jobs where task_identifier = 'events.deliver'",
        ),
      );
      if (waiting.length > 0) throw new Error(`${waiting.length} events are not delivered: ${waiting[0]!.last_error}`);
    }, 15_000);
  } finally {
    await worker.stop();
  }
}

/** Hands an event to a subscriber once more, as after a crash of the worker that had done it. */
export async function deliverAgain({ events }: Kernel, position: number, subscriber: string): Promise<void> {
  const deliver = events.jobs.find(({ name }) => name === 'events.deliver')!;
  await deliver.run({ position, subscriber } as never, {} as never);
}
