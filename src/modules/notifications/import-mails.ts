import type { Tx } from '../../kernel/db.ts';
import type { Subscriber } from '../../kernel/events.ts';
import { staffWanting } from '../accounts/index.ts';
import type { Attachment, MailData } from './mails.ts';
import type { MailDeps } from './subscribers.ts';

/**
 * What came of an import, to every admin who wants to know: one message each, whatever it changed. A cancelled one is no
 * news to whoever cancelled it.
 */

/** How many outcomes the message itself shows. */
const SHOWN = 100;
/** How many bytes of them go along as a file; of more there is only the link. */
const ATTACHED_BYTES = 5_000_000;

type Counts = MailData<'import_finished'>['counts'];

export function importMails(deps: MailDeps, attachUpTo = ATTACHED_BYTES): Subscriber {
  const { sendMail, publicUrl } = deps;
  return {
    name: 'mails.imports',
    types: ['import.completed', 'import.failed'],
    wanted: async (target) => (await staffWanting(target, 'imports')).length > 0,
    async handle(tx, { type, subject_id: id, data }) {
      const staff = await staffWanting(tx, 'imports');
      // The demonstration catalogue is put in by nobody, from no file.
      if (staff.length === 0 || data.demonstration === true) return;
      const fileName = String(data.file_name);
      if (type === 'import.failed') {
        const error = data.error as { message: string; line: number | null; column: number | null };
        const told = { fileName, reason: error.message, line: error.line, column: error.column };
        for (const to of staff) await sendMail(tx, { template: 'import_failed', to, data: told });
        return;
      }
      const counts = data.counts as Counts;
      const { outcomes, attachment, total } = await gatherOutcomes(deps, tx, { id, fileName }, attachUpTo);
      const told = {
        fileName,
        counts,
        outcomes,
        totalOutcomes: total ?? counts.created + counts.updated + counts.existing + counts.rejected,
        csvUrl: `${publicUrl}/api/imports/${id}/outcomes?format=csv`,
        isAttached: attachment !== null,
      };
      for (const to of staff)
        await sendMail(tx, {
          template: 'import_finished',
          to,
          data: told,
          ...(attachment ? { attachments: [attachment] } : {}),
        });
    },
  };
}

type Gathered = {
  outcomes: MailData<'import_finished'>['outcomes'];
  /** Null when there is nothing to attach, or too much. */
  attachment: Attachment | null;
  /** How many there are; null when they were not read to the end. */
  total: number | null;
};

/**
 * Reads outcomes until there is more of them than is attached, and stores the file under a name made from the import's
 * id: done again after a crash, it takes the place of the same file. No more is ever held than what may be attached.
 */
async function gatherOutcomes(
  { blobs, importOutcomes }: MailDeps,
  tx: Tx,
  { id, fileName }: { id: string; fileName: string },
  attachUpTo: number,
): Promise<Gathered> {
  const first: Gathered['outcomes'][number][] = [];
  const chunks: Buffer[] = [];
  let bytes = 0;
  let total = 0;
  for await (const { outcomes, csv } of importOutcomes(tx, id)) {
    first.push(...outcomes.slice(0, SHOWN - first.length));
    total += outcomes.length;
    const chunk = Buffer.from(csv);
    bytes += chunk.length;
    if (bytes > attachUpTo) return { outcomes: first, attachment: null, total: null };
    chunks.push(chunk);
  }
  if (total === 0) return { outcomes: [], attachment: null, total };
  const blobKey = `mails/import-${id}-outcomes.csv`;
  const contentType = 'text/csv; charset=utf-8';
  await blobs.put(blobKey, Buffer.concat(chunks), { contentType });
  const name = fileName
    .replace(/\.(xml|gz|xml\.gz)$/i, '')
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .slice(0, 60);
  return {
    outcomes: first,
    attachment: { fileName: `${name}-outcomes.csv`, contentType, blobKey, bytes },
    total,
  };
}
