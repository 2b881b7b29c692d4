import { sql, type Tx } from '../../kernel/db.ts';
import { defineJob, type Job } from '../../kernel/jobs.ts';
import type { Kernel } from '../../kernel/kernel.ts';

const KEPT_DAYS = 90;
const AT_ONCE = 1_000;
/** Blobs elsewhere are not the messages' own, and stay. */
const OWN_FILES = 'mails/';

/** Deletes messages; `condition` is over their table, its values from $1 on. Answers how many. */
export async function deleteMails(tx: Pick<Tx, 'one'>, condition: string, values: readonly unknown[]): Promise<number> {
  const { gone } = await tx.one(
    sql<{ gone: number }>(
      `with gone as (
         delete from emails where ${condition} returning attachments
       ), noted as (
         insert into unused_mail_files (blob_key)
         select distinct file ->> 'blob_key' from gone, jsonb_array_elements(attachments) file
         where file ->> 'blob_key' like '${OWN_FILES}%'
         on conflict do nothing
       )
       select count(*) as gone from gone`,
      values,
    ),
  );
  return gone;
}

/** Drops old messages, and then the files that no message has any more. */
export function tidyMails({ db, blobs, clock }: Pick<Kernel, 'db' | 'blobs' | 'clock'>): Job<never> {
  return defineJob({
    name: 'mail.tidy',
    cron: '41 3 * * *',
    async run() {
      const before = new Date(clock.now().getTime() - KEPT_DAYS * 86_400_000);
      const old = 'id in (select id from emails where created_at < $1 order by created_at limit $2)';
      while ((await deleteMails(db, old, [before, AT_ONCE])) === AT_ONCE);
      await db.transaction(async (tx) => {
        const files = await tx.many(
          sql<{ key: string; isUsed: boolean }>(
            `select blob_key as key, exists (select from emails
               where attachments <> '[]' and attachments @> jsonb_build_array(jsonb_build_object('blob_key', blob_key))
             ) as "isUsed" from unused_mail_files for update skip locked`,
          ),
        );
        await blobs.remove(files.filter(({ isUsed }) => !isUsed).map(({ key }) => key));
        await tx.run(sql('delete from unused_mail_files where blob_key = any ($1)', [files.map(({ key }) => key)]));
      });
    },
  });
}
