import { build, type Database, type Sql, sql, type Tx } from '../../kernel/db.ts';
import type { ImportCounts, ImportFailure, ImportMode } from './import-report.ts';

/** All SQL over imports and import_quantities; that over issues is in issues-store.ts. */

export type NewImport = {
  id: string;
  status: 'queued' | 'running';
  mode: ImportMode;
  fileName: string;
  createdBy: string | null;
  at: Date;
  sizeBytes?: number;
  sha256?: string;
  blobKey?: string;
  sourceUrl?: string;
};

export async function insertImport(target: Sql, row: NewImport): Promise<void> {
  await target.run(
    build.insertInto('imports').values({
      id: row.id,
      status: row.status,
      mode: row.mode,
      file_name: row.fileName,
      size_bytes: row.sizeBytes ?? null,
      sha256: row.sha256 ?? null,
      blob_key: row.blobKey ?? null,
      source_url: row.sourceUrl ?? null,
      created_by: row.createdBy,
      created_at: row.at,
      started_at: row.status === 'running' ? row.at : null,
    }),
  );
}

/** The lock that says that somebody is at this import; held by the transaction that reads and merges it. */
const LOCK = 'hashtextextended($1::text, 0)';

/** Holds the import for this transaction, which may then also wait; false when somebody else does. */
export async function ownImport(tx: Tx, id: string): Promise<boolean> {
  const { owned } = await tx.one(
    sql<{ owned: boolean }>(
      `select pg_try_advisory_xact_lock(${LOCK}) as owned, set_config('idle_in_transaction_session_timeout', '0', true)`,
      [id],
    ),
  );
  return owned;
}

/** Whether nobody was at the import just now. */
export async function isUnowned(target: Sql, id: string): Promise<boolean> {
  const { free } = await target.one(sql<{ free: boolean }>(`select pg_try_advisory_xact_lock(${LOCK}) as free`, [id]));
  return free;
}

/** Ends the statement that the import's owner is in; a merge may take minutes. */
export async function cancelStatement(target: Sql, id: string): Promise<void> {
  await target.run(
    sql(
      `select pg_cancel_backend(pid) from pg_locks
       where locktype = 'advisory' and granted and objsubid = 1
         and database = (select oid from pg_database where datname = current_database())
         and (classid::bigint << 32) | objid::bigint = ${LOCK}`,
      [id],
    ),
  );
}

export type TakenImport = {
  id: string;
  mode: ImportMode;
  file_name: string;
  created_by: string | null;
  source_url: string | null;
  blob_key: string | null;
  attempts: number;
};

/** Begins a run from the start; whoever calls it owns the import. Null when there is nothing to run any more. */
export async function takeImport(db: Database, id: string, at: Date): Promise<TakenImport | null> {
  return db.transaction(async (tx) => {
    const taken = await tx.maybe(
      sql<TakenImport>(
        `update imports set status = 'running', started_at = coalesce(started_at, $2), attempts = attempts + 1,
           bytes_read = 0, count_read = 0, count_rejected = 0
         where id = $1 and status in ('queued', 'running') and merged_at is null
         returning id, mode, file_name, created_by, source_url, blob_key, attempts`,
        [id, at],
      ),
    );
    if (!taken) return null;
    await tx.run(sql('delete from import_issues where import_id = $1', [id]));
    return taken;
  });
}

/** Puts an import back into the queue, its run counted or not; false when it had merged or ended. */
export async function releaseImport(
  target: Sql,
  id: string,
  attempt: number,
  { counted }: { counted: boolean },
): Promise<boolean> {
  const released = await target.run(
    sql(
      `update imports set status = 'queued', attempts = attempts - $3::int, bytes_read = 0, count_read = 0, count_rejected = 0
       where id = $1 and attempts = $2 and status = 'running' and merged_at is null`,
      [id, attempt, counted ? 0 : 1],
    ),
  );
  return released === 1;
}

/** Notes where the fetched feed is kept. */
export async function saveFetched(
  target: Sql,
  id: string,
  fetched: { blobKey: string; bytes: number; sha256: string },
): Promise<void> {
  await target.run(
    sql('update imports set blob_key = $2, size_bytes = $3, sha256 = $4 where id = $1', [
      id,
      fetched.blobKey,
      fetched.bytes,
      fetched.sha256,
    ]),
  );
}

export type RunProgress = { bytesRead: number; read: number; rejected: number };

/** Shows how far the run is; false when it is no longer wanted. */
export async function noteProgress(
  target: Sql,
  id: string,
  attempt: number,
  { bytesRead, read, rejected }: RunProgress,
): Promise<boolean> {
  const { wanted } = await target.one(
    sql<{ wanted: boolean }>(
      `with noted as (
         update imports set bytes_read = $3, count_read = $4, count_rejected = $5
         where id = $1 and attempts = $2 and status = 'running' and merged_at is null
           and (bytes_read, count_read, count_rejected) is distinct from ($3, $4, $5)
       )
       select exists (select from imports where id = $1 and attempts = $2 and status = 'running') as wanted`,
      [id, attempt, bytesRead, read, rejected],
    ),
  );
  return wanted;
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

/**
 * Ends an import that has not merged; false when it has, or was ended before, or is another run's by now. What its counts
 * would tell of was not applied.
 */
export async function finishImport(
  target: Sql,
  id: string,
  end: { status: 'failed' | 'cancelled'; error: ImportFailure | null; at: Date; attempt?: number },
): Promise<{ fileName: string; createdBy: string | null } | null> {
  const ended = await target.maybe(
    sql<{ fileName: string; createdBy: string | null }>(
      `update imports set status = $2, error = $3, finished_at = $4, count_read = 0, count_rejected = 0
       where id = $1 and status in ('queued', 'running') and merged_at is null and attempts = coalesce($5::int, attempts)
       returning file_name as "fileName", created_by as "createdBy"`,
      [id, end.status, end.error && JSON.stringify(end.error), end.at, end.attempt ?? null],
    ),
  );
  return ended ?? null;
}

/**
 * Marks the import merged, with its counts; of the merge's transaction. False when it was cancelled, or is another run's
 * by now. Between this and the commit a cancellation waits for the row, and then finds that it comes too late.
 */
export async function saveMerged(
  tx: Tx,
  id: string,
  attempt: number,
  counts: ImportCounts,
  { bytes, at }: { bytes: number; at: Date },
): Promise<boolean> {
  const saved = await tx.run(
    build
      .updateTable('imports')
      .set({
        count_read: counts.read,
        count_created: counts.created,
        count_updated: counts.updated,
        count_unchanged: counts.unchanged,
        count_existing: counts.existing,
        count_rejected: counts.rejected,
        bytes_read: bytes,
        merged_at: at,
      })
      .where('id', '=', id)
      .where('attempts', '=', attempt)
      .where('status', '=', 'running'),
  );
  return saved === 1;
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

export type UnfinishedImport = { id: string; merged: boolean; stored: boolean };

/** Imports that wait or run, or seem to; `stored` ones can be run by whoever finds them. */
export function unfinishedImports(target: Sql): Promise<UnfinishedImport[]> {
  return target.many(
    sql(
      `select id, merged_at is not null as merged, blob_key is not null or source_url is not null as stored
       from imports where status in ('queued', 'running') order by id`,
    ),
  );
}

/** Whether the import has merged, and only its quantities can still be to follow. */
export async function isMerged(target: Sql, id: string): Promise<boolean> {
  const found = sql("select from imports where id = $1 and status = 'running' and merged_at is not null", [id]);
  return (await target.maybe(found)) !== undefined;
}

export type RunningImport = {
  id: string;
  merged: boolean;
  bytes_read: number;
  size_bytes: number | null;
  counts: ImportCounts;
};

/** How far those are that run. */
export function runningImports(target: Sql): Promise<RunningImport[]> {
  return target.many(
    sql(
      `select id, merged_at is not null as merged, bytes_read, size_bytes,
         json_build_object('read', count_read, 'created', count_created, 'updated', count_updated,
           'unchanged', count_unchanged, 'existing', count_existing, 'rejected', count_rejected) as counts
       from imports where status = 'running' order by id`,
    ),
  );
}

/** The import that has waited longest, but for this one. */
export async function nextQueued(target: Sql, but: string): Promise<string | undefined> {
  const found = sql<{ id: string }>("select id from imports where status = 'queued' and id <> $1 order by id limit 1", [
    but,
  ]);
  return (await target.maybe(found))?.id;
}

/** Ended before `before`, with their feed still stored. */
export function storedFeeds(target: Sql, before: Date, limit: number): Promise<{ id: string; blob_key: string }[]> {
  return target.many(
    sql(
      'select id, blob_key from imports where blob_key is not null and finished_at < $1 order by finished_at limit $2',
      [before, limit],
    ),
  );
}

export async function forgetFeeds(target: Sql, ids: readonly string[]): Promise<void> {
  await target.run(sql('update imports set blob_key = null where id = any ($1)', [ids]));
}

/** Who asked for the import; null when nobody did by name. */
export async function importedBy(target: Sql, id: string): Promise<string | null> {
  return (
    (await target.maybe(build.selectFrom('imports').select('created_by').where('id', '=', id)))?.created_by ?? null
  );
}

/** Where the shop was last served (src/shop.ts notes it). */
export async function servedUrl(target: Sql): Promise<string | undefined> {
  return (await target.maybe(sql<{ value: string }>("select value from shop_settings where name = 'served_url'")))
    ?.value;
}
