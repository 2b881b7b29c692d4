import type { Database, Sql } from '../../kernel/db.ts';
import { sql } from '../../kernel/db.ts';
import { invalidCursor, type Page, type Paging, readPage, refuseDeep } from '../../kernel/paging.ts';
import { importNotFound } from './errors.ts';
import type { ImportFailure, ImportIssue, ImportMode, ImportStatus } from './import-report.ts';
import { ISSUES_HEADER, issueLine } from './issues-csv.ts';
import { countIssues, issuesAfter } from './issues-store.ts';
import type { Import, IssuePage } from './schemas.ts';

export type { Import } from './schemas.ts';

/** What staff see of imports and of what was wrong in them. */

type Row = {
  id: string;
  status: ImportStatus;
  mode: ImportMode;
  file_name: string;
  size_bytes: number | null;
  bytes_read: number;
  count_read: number;
  count_created: number;
  count_updated: number;
  count_unchanged: number;
  count_existing: number;
  count_rejected: number;
  error: ImportFailure | null;
  user_id: string | null;
  username: string | null;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
};

const COLUMNS = `i.id, i.status, i.mode, i.file_name, i.size_bytes, i.bytes_read, i.count_read, i.count_created, i.count_updated,
  i.count_unchanged, i.count_existing, i.count_rejected, i.error, u.id as user_id, u.username, i.created_at, i.started_at,
  i.finished_at`;
const FROM = 'imports i left join users u on u.id = i.created_by';

function present(row: Row): Import {
  return {
    id: row.id,
    status: row.status,
    mode: row.mode,
    file_name: row.file_name,
    size_bytes: row.size_bytes,
    bytes_read: row.bytes_read,
    counts: {
      read: row.count_read,
      created: row.count_created,
      updated: row.count_updated,
      unchanged: row.count_unchanged,
      existing: row.count_existing,
      rejected: row.count_rejected,
    },
    error: row.error,
    created_by: row.user_id === null ? null : { id: row.user_id, username: row.username! },
    created_at: row.created_at.toISOString(),
    started_at: row.started_at?.toISOString() ?? null,
    finished_at: row.finished_at?.toISOString() ?? null,
  };
}

/** The newest first. Throws page_too_deep, invalid_cursor. */
export async function listImports(target: Sql, paging: Paging): Promise<Page<Import>> {
  const page = await readPage<Row>(target, { columns: COLUMNS, from: FROM, id: 'i.id', where: [], values: [] }, paging);
  return { ...page, items: page.items.map(present) };
}

/** Throws import_not_found. */
export async function findImport(target: Sql, id: string): Promise<Import> {
  const row = await target.maybe(sql<Row>(`select ${COLUMNS} from ${FROM} where i.id = $1`, [id]));
  if (!row) throw importNotFound('There is no import with this id.');
  return present(row);
}

/** In the order of the file's rows. Throws import_not_found, page_too_deep, invalid_cursor. */
export async function listIssues(target: Sql, importId: string, query: Paging): Promise<IssuePage> {
  const { page = 1, page_size: size = 10, cursor } = query;
  await findImport(target, importId);
  refuseDeep(query);
  if (cursor !== undefined && !/^[1-9]\d{0,8}$/.test(cursor))
    throw invalidCursor('Use next_cursor of the page before as it stands.');
  const slice = cursor === undefined ? { after: 0, offset: (page - 1) * size } : { after: Number(cursor), offset: 0 };
  const [found, total] = await Promise.all([
    issuesAfter(target, importId, { ...slice, limit: size + 1 }),
    countIssues(target, importId),
  ]);
  const items = found.slice(0, size);
  return {
    items: items.map(({ seq: _, ...issue }) => issue satisfies ImportIssue),
    page: cursor === undefined ? page : null,
    page_size: size,
    total,
    total_pages: Math.ceil(total / size),
    next_cursor: found.length > size ? String(items.at(-1)!.seq) : null,
  };
}

const LINES_AT_ONCE = 2_000;

/** All issues as CSV, some at a time. */
export async function* writeIssuesCsv(db: Database, importId: string): AsyncGenerator<string> {
  yield ISSUES_HEADER;
  for (let after = 0; ; ) {
    const issues = await issuesAfter(db, importId, { after, limit: LINES_AT_ONCE });
    if (issues.length > 0) yield issues.map(issueLine).join('');
    if (issues.length < LINES_AT_ONCE) return;
    after = issues.at(-1)!.seq;
  }
}
