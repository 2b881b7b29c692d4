import { type Sql, sql } from '../../../kernel/db.ts';
import { type Page, type Paging, readPage } from '../../../kernel/paging.ts';
import { webhookNotFound } from './errors.ts';
import type { WebhooksContext } from './index.ts';
import type { Webhook } from './schemas.ts';

/** Endpoints as superusers see them, and what those who change them share. */

/** What secrets are encrypted for. */
export const SECRET = 'webhook secret';

type Row = Omit<Webhook, TimeField | 'created_by'> & {
  created_by: { id: string; username: string };
} & { [T in TimeField]: T extends 'created_at' | 'updated_at' ? Date : Date | null };
type TimeField =
  | 'disabled_at'
  | 'failing_since'
  | 'retry_at'
  | 'last_success_at'
  | 'previous_secret_until'
  | 'created_at'
  | 'updated_at';

const COLUMNS = `w.id, w.url, w.types, w.description, w.active, w.disabled_at, w.disabled_reason, w.failing_since, w.failures,
  w.retry_at, w.last_success_at, w.previous_secret_until, w.created_at, w.updated_at,
  json_build_object('id', u.id, 'username', u.username) as created_by,
  (select count(*) from (
     select from webhook_deliveries d where d.endpoint_id = w.id and d.state = 'pending' limit 10001
   ) p) as pending_deliveries`;
const FROM = 'webhook_endpoints w join users u on u.id = w.created_by';

export async function listEndpoints({ db }: WebhooksContext, paging: Paging): Promise<Page<Webhook>> {
  const page = await readPage<Row>(db, { columns: COLUMNS, from: FROM, id: 'w.id', where: [], values: [] }, paging);
  return { ...page, items: page.items.map(present) };
}

/** Throws webhook_not_found. */
export async function readEndpoint({ db }: WebhooksContext, id: string): Promise<Webhook> {
  const row = await db.maybe(sql<Row>(`select ${COLUMNS} from ${FROM} where w.id = $1`, [id]));
  if (!row) throw notFound();
  return present(row);
}

/** An endpoint that is switched off has nothing waiting: what was not delivered has failed. */
export async function failWaiting(target: Sql, id: string): Promise<void> {
  await target.run(
    sql(
      `update webhook_deliveries
       set state = 'failed', next_attempt_at = null,
         last_error = coalesce(last_error || ' ', '') || 'The webhook was switched off before it was delivered.'
       where endpoint_id = $1 and state = 'pending'`,
      [id],
    ),
  );
}

/**
 * An address as all staff may see it in the log: its path and query may be what lets one in there, as with the hooks of
 * chats.
 */
export function shownUrl(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return pathname + search === '/' ? origin : `${origin}/…`;
}

export function notFound() {
  return webhookNotFound('There is no webhook with this id.');
}

function present(row: Row): Webhook {
  const text = (time: Date | null) => time?.toISOString() ?? null;
  return {
    ...row,
    disabled_at: text(row.disabled_at),
    failing_since: text(row.failing_since),
    retry_at: text(row.retry_at),
    last_success_at: text(row.last_success_at),
    previous_secret_until: text(row.previous_secret_until),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
