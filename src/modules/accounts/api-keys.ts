import { build, prepare, sql } from '../../kernel/db.ts';
import { newId } from '../../kernel/ids.ts';
import { type Page, type Paging, readPage } from '../../kernel/paging.ts';
import { hashToken, newToken } from '../../kernel/secrets.ts';
import type { AccountsContext } from './context.ts';
import { apiKeyNotFound } from './errors.ts';
import type { Identity, Role, Scope } from './identity.ts';

/** Keys for machines: hashed, limited to scopes, revocable. */

const PREFIX = 'vk_';
/** Of the key, enough to tell it from others and far too little to guess it by. */
const HINT_LENGTH = 9;

export function isApiKey(token: string): boolean {
  return token.startsWith(PREFIX);
}

type KeyRow = {
  id: string;
  scopes: Scope[];
  expires_at: Date | null;
  user_id: string;
  role: Role;
  token_epoch: number;
};

const FIND = prepare<KeyRow>(
  `select k.id, k.scopes, k.expires_at, u.id as user_id, u.role, u.token_epoch
   from api_keys k join users u on u.id = k.created_by
   where k.hash = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)
     and u.disabled_at is null and u.erased_at is null`,
);

/** An answer is believed for a minute, so this is asked at most that often for each key and process. */
const NOTE_USE = prepare('update api_keys set last_used_at = $2 where id = $1');

/**
 * Who an API key acts for, and within which limits. It acts in the name of whoever made it and may never do more than
 * that person may now: of somebody who is no longer a superuser, or no longer here, no key goes on working as before.
 */
export async function findApiKey(
  { db, clock }: AccountsContext,
  key: string,
): Promise<{ identity: Identity; expires: Date | null } | null> {
  const row = await db.maybe(FIND([hashToken(key), clock.now()]));
  if (!row) return null;
  await db.run(NOTE_USE([row.id, clock.now()]));
  return {
    identity: {
      userId: row.user_id,
      role: row.role,
      sessionId: null,
      apiKeyId: row.id,
      scopes: row.scopes,
      secondFactor: false,
      epoch: row.token_epoch,
    },
    expires: row.expires_at,
  };
}

export type ApiKey = {
  id: string;
  name: string;
  hint: string;
  scopes: Scope[];
  created_by: { id: string; username: string };
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
};

const COLUMNS = `k.id, k.name, k.hint, k.scopes, json_build_object('id', u.id, 'username', u.username) as created_by,
  k.created_at, k.expires_at, k.last_used_at`;
const FROM = 'api_keys k join users u on u.id = k.created_by';

/** The keys that work or have expired, the newest first; revoked ones are not among them. */
export function listApiKeys({ db }: AccountsContext, paging: Paging): Promise<Page<ApiKey>> {
  return readPage<ApiKey>(
    db,
    { columns: COLUMNS, from: FROM, id: 'k.id', where: ['k.revoked_at is null'], values: [] },
    paging,
  );
}

/** Makes a key; it is told here and never again. */
export async function createApiKey(
  { db, events, clock }: AccountsContext,
  actorId: string,
  { name, scopes, expires_at }: { name: string; scopes: readonly Scope[]; expires_at?: Date | null | undefined },
): Promise<ApiKey & { key: string }> {
  const { token, hash } = newToken(PREFIX);
  const id = newId();
  await db.transaction(async (tx) => {
    await tx.run(
      build.insertInto('api_keys').values({
        id,
        name,
        hint: token.slice(0, HINT_LENGTH),
        hash,
        scopes: [...new Set(scopes)],
        created_by: actorId,
        created_at: clock.now(),
        expires_at: expires_at ?? null,
      }),
    );
    await events.append(tx, {
      type: 'api_key.created',
      subject: { type: 'api_key', id },
      actorId,
      data: { name, scopes },
    });
  });
  await events.flush();
  const row = await db.one(sql<ApiKey>(`select ${COLUMNS} from ${FROM} where k.id = $1`, [id]));
  return { ...row, key: token };
}

/** Revokes a key: it is refused here at once, and everywhere within a second. Throws api_key_not_found. */
export async function revokeApiKey(context: AccountsContext, actorId: string, id: string): Promise<void> {
  const { db, events, revocations } = context;
  await db.transaction(async (tx) => {
    const row = await tx.maybe(
      sql<{ name: string }>(
        'update api_keys set revoked_at = now() where id = $1 and revoked_at is null returning name',
        [id],
      ),
    );
    if (!row) throw apiKeyNotFound('There is no API key with this id; it may have been revoked already.');
    await events.append(tx, {
      type: 'api_key.revoked',
      subject: { type: 'api_key', id },
      actorId,
      data: { name: row.name },
    });
  });
  await Promise.all([revocations.spread(), events.flush()]);
}
