import { type Sql, sql, type Tx } from '../../kernel/db.ts';
import type { ImportIssue } from './import-report.ts';

/** All SQL over import_issues. */

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

/** How many issues there are. */
export async function countIssues(target: Sql, importId: string): Promise<number> {
  const { total } = await target.one(
    sql<{ total: number }>('select count(*) as total from import_issues where import_id = $1', [importId]),
  );
  return total;
}

/** Issues in the order of the file's rows, after the one at `after`. */
export function issuesAfter(
  target: Sql,
  importId: string,
  { after, limit, offset = 0 }: { after: number; limit: number; offset?: number },
): Promise<(ImportIssue & { seq: number })[]> {
  return target.many(
    sql(
      `select seq, line, sku, field, code, message, rejected from import_issues
       where import_id = $1 and seq > $2 order by seq limit $3 offset $4`,
      [importId, after, limit, offset],
    ),
  );
}
