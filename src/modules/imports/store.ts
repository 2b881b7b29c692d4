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

/**
 * Keeps the quantities that are to follow the merge; they are applied even if this process dies after the commit. What an
 * earlier import has left for products that this one has counted is no longer true.
 */
export async function keepQuantities(tx: Tx, importId: string): Promise<void> {
  await tx.run(
    sql('delete from import_quantities q using staged s where q.product_id = s.existing_id and s.quantity is not null'),
  );
  await tx.run(
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

/** Ends an import that has not merged; false when it has, or was ended before. */
export async function finishImport(
  target: Sql,
  id: string,
  end: { status: 'failed' | 'cancelled'; error: ImportFailure | null; at: Date },
): Promise<boolean> {
  const ended = await target.run(
    build
      .updateTable('imports')
      .set({ status: end.status, error: end.error === null ? null : JSON.stringify(end.error), finished_at: end.at })
      .where('id', '=', id)
      .where('status', '=', 'running')
      .where('merged_at', 'is', null),
  );
  return ended === 1;
}

/** Holds the import for this transaction: as long as it is held, the process that reads the feed is alive. */
export async function ownImport(tx: Tx, id: string): Promise<void> {
  await tx.run(sql('select pg_advisory_xact_lock(hashtextextended($1, 0))', [id]));
}

/** Marks the import merged, with its counts; of the merge's transaction. */
export async function saveMerged(tx: Tx, id: string, counts: ImportCounts, at: Date): Promise<void> {
  await tx.run(
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
        merged_at: at,
      }))
      .where('id', '=', id),
  );
}

/** Completes a merged import that has no quantity left to apply; null when it has, or when somebody else did. */
export async function completeMerged(
  tx: Tx,
  id: string,
  at: Date,
): Promise<{ fileName: string; mode: string; createdBy: string | null; counts: ImportCounts } | null> {
  const row = await tx.maybe(
    build
      .updateTable('imports')
      .set({ status: 'completed', finished_at: at })
      .where('id', '=', id)
      .where('status', '=', 'running')
      .where('merged_at', 'is not', null)
      .where(({ not, exists, selectFrom }) =>
        not(exists(selectFrom('import_quantities').where('import_id', '=', id).select('import_id'))),
      )
      .returningAll(),
  );
  if (!row) return null;
  return {
    fileName: row.file_name,
    mode: row.mode,
    createdBy: row.created_by,
    counts: {
      read: row.count_read,
      created: row.count_created,
      updated: row.count_updated,
      unchanged: row.count_unchanged,
      existing: row.count_existing,
      rejected: row.count_rejected,
    },
  };
}

/** Imports that run, or seem to; the youngest may still be on their way to holding their lock. */
export async function staleImports(target: Sql): Promise<{ id: string; merged: boolean }[]> {
  return target.many(
    sql(
      `select id, merged_at is not null as merged from imports
       where status = 'running' and (merged_at is not null or created_at < now() - interval '1 minute')
       order by created_at`,
    ),
  );
}

/** Fails an import that nobody holds any more, and answers the name of its file; null when it is held or has ended. */
export async function failUnowned(tx: Tx, id: string, error: ImportFailure, at: Date): Promise<string | null> {
  const free = await tx.one(
    sql<{ free: boolean }>('select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as free', [id]),
  );
  if (!free.free || !(await finishImport(tx, id, { status: 'failed', error, at }))) return null;
  return (await tx.one(build.selectFrom('imports').select('file_name').where('id', '=', id))).file_name;
}

/** Who asked for the import; null when nobody did by name. */
export async function importedBy(target: Sql, id: string): Promise<string | null> {
  return (
    (await target.maybe(build.selectFrom('imports').select('created_by').where('id', '=', id)))?.created_by ?? null
  );
}
