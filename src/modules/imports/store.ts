import { build, type Sql, sql, type Tx } from '../../kernel/db.ts';
import type { ImportCounts, ImportFailure, ImportIssue, ImportMode } from './import-report.ts';

/** All SQL over the imports' own tables. */

export async function insertImport(
  target: Sql,
  row: { id: string; mode: ImportMode; fileName: string; sizeBytes: number; createdBy: string | null; at: Date },
): Promise<void> {
  await target.run(
    build.insertInto('imports').values({
      id: row.id,
      status: 'running',
      mode: row.mode,
      file_name: row.fileName,
      size_bytes: row.sizeBytes,
      created_by: row.createdBy,
      created_at: row.at,
      started_at: row.at,
    }),
  );
}

/** Appends issues after those already there; `from` is how many these are. */
export async function insertIssues(
  target: Sql,
  importId: string,
  issues: readonly ImportIssue[],
  from: number,
): Promise<void> {
  const texts = (value: (issue: ImportIssue) => unknown) => issues.map(value);
  await target.run(
    sql(
      `insert into import_issues (import_id, seq, line, sku, field, code, message, rejected)
       select $1, $2::int + n, line, sku, field, code, message, rejected
       from unnest($3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[]) with ordinality
         as i (line, sku, field, code, message, rejected, n)`,
      [
        importId,
        from,
        texts((i) => i.line),
        texts((i) => i.sku),
        texts((i) => i.field),
        texts((i) => i.code),
        texts((i) => i.message),
        texts((i) => i.rejected),
      ],
    ),
  );
}

const EXISTING = {
  field: 'id',
  code: 'already_exists',
  message:
    'A product with this id is in the catalogue already and was left as it is. Import in mode upsert to update it.',
  rejected: false,
};

/** The issues of rows whose SKU was there before, some at a time, out of the merge's own table. */
export async function* existingIssues(tx: Tx, batch = 10_000): AsyncGenerator<ImportIssue[]> {
  for (let after = 0; ; ) {
    const rows = await tx.many(
      sql<{ n: number; line: number; sku: string }>(
        'select n, line, sku from staged where existing_id is not null and n > $1 order by n limit $2',
        [after, batch],
      ),
    );
    if (rows.length > 0) yield rows.map(({ line, sku }) => ({ ...EXISTING, line, sku }));
    if (rows.length < batch) return;
    after = rows.at(-1)!.n;
  }
}

/** Reports the rows whose SKU was there before; of the merge's transaction, whose table it reads. */
export async function reportExisting(tx: Tx, importId: string, from: number): Promise<void> {
  await tx.run(
    sql(
      `insert into import_issues (import_id, seq, line, sku, field, code, message, rejected)
       select $1, $2::int + row_number() over (order by n), line, sku, $3, $4, $5, $6
       from staged where existing_id is not null`,
      [importId, from, EXISTING.field, EXISTING.code, EXISTING.message, EXISTING.rejected],
    ),
  );
}

/** Keeps the quantities that are to follow the merge; they are applied even if this process dies after the commit. */
export async function keepQuantities(tx: Tx, importId: string): Promise<number> {
  return tx.run(
    sql(
      'insert into import_quantities (import_id, product_id, quantity) select $1, product_id, quantity from staged_quantities',
      [importId],
    ),
  );
}

/** The next quantities in the order of ids, locked for this transaction. */
export async function nextQuantities(
  tx: Tx,
  importId: string,
  limit: number,
): Promise<{ product_id: string; quantity: number }[]> {
  return tx.many(
    sql(
      `select product_id, quantity from import_quantities where import_id = $1
       order by product_id limit $2 for update skip locked`,
      [importId, limit],
    ),
  );
}

export async function dropQuantities(tx: Tx, importId: string, productIds: readonly string[]): Promise<void> {
  await tx.run(
    sql('delete from import_quantities where import_id = $1 and product_id = any ($2)', [importId, productIds]),
  );
}

export async function finishImport(
  target: Sql,
  id: string,
  end: { status: 'completed' | 'failed' | 'cancelled'; counts: ImportCounts; error: ImportFailure | null; at: Date },
): Promise<void> {
  await saveCounts(target, id, end.counts);
  await target.run(
    build
      .updateTable('imports')
      .set({ status: end.status, error: end.error === null ? null : JSON.stringify(end.error), finished_at: end.at })
      .where('id', '=', id),
  );
}

export async function saveCounts(target: Sql, id: string, counts: ImportCounts): Promise<void> {
  await target.run(
    build
      .updateTable('imports')
      .set((field) => ({
        count_read: counts.read,
        count_created: counts.created,
        count_updated: counts.updated,
        count_unchanged: counts.unchanged,
        count_existing: counts.existing,
        count_rejected: counts.rejected,
        bytes_read: field.ref('size_bytes').$notNull(),
      }))
      .where('id', '=', id),
  );
}

/** Imports whose quantities were left by a process that died after the merge. */
export async function unfinishedImports(target: Sql): Promise<{ id: string }[]> {
  return target.many(sql('select distinct import_id as id from import_quantities'));
}
