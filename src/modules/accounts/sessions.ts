import { build, prepare, type Sql, sql, type Tx } from '../../kernel/db.ts';
import { newId } from '../../kernel/ids.ts';
import { hashToken, newToken } from '../../kernel/secrets.ts';
import type { AccountsContext } from './context.ts';
import { invalidCredentials, invalidToken, refreshReused, sessionNotFound } from './errors.ts';
import type { Identity, Role } from './identity.ts';
import { ACCESS_SECONDS } from './revocations.ts';
import type { AccessTokens } from './tokens.ts';

/**
 * Sessions: where somebody is logged in. A browser holds a cookie, a program an access token and a refresh token that is
 * spent by its first use. Both are stored hashed. A session that is not used for thirty days ends by itself.
 */

const SESSION_DAYS = 30;
export const SESSION_SECONDS = SESSION_DAYS * 86_400;
/** Uses are noted this coarsely, so that reading a page does not write a row. */
const NOTED_EVERY_MS = 3_600_000;
const MAX_USER_AGENT = 300;

/** Where a log-in comes from. */
export type Origin = { address: string; userAgent: string };

/** A user as they were when they proved who they are. */
export type SessionUser = { id: string; role: Role; token_epoch: number; password_hash: string | null };
export type TokenPair = { access: string; refresh: string; token_type: 'Bearer'; expires_in: number };

export type SessionRow = {
  id: string;
  kind: 'cookie' | 'token';
  user_agent: string;
  second_factor: boolean;
  created_at: Date;
  last_used_at: Date;
  expires_at: Date;
};

export function hashAddress({ secrets }: Pick<AccountsContext, 'secrets'>, address: string): Buffer {
  return secrets.hash('log-in address', address);
}

type NewSession = { origin: Origin; secondFactor: boolean };

/** Somebody who is logged in in more places has lost count of them. */
const MOST_SESSIONS = 2_000;

const INSERT = prepare(
  `insert into sessions (id, user_id, kind, cookie_hash, user_agent, address_hash, second_factor, created_at, last_used_at,
     expires_at)
   select $1, u.id, $2, $3, $4, $5, $6, $7, $7, $8 from users u
   where u.id = $9 and u.token_epoch = $10 and u.password_hash = $11 and u.disabled_at is null and u.erased_at is null
   for share of u`,
);
const END_OLDEST = prepare(
  `update sessions set revoked_at = now() where id in (
     select id from sessions where user_id = $1 and revoked_at is null
     order by last_used_at desc, id desc offset ${MOST_SESSIONS})`,
);

/**
 * Begins a session for somebody who is still what they were when they proved it: hashing a password takes a while, in
 * which it may have been changed, or the second factor set up, against this very log-in. Throws invalid_credentials.
 */
async function insertSession(
  { clock, secrets }: AccountsContext,
  tx: Sql,
  user: SessionUser,
  { origin, secondFactor }: NewSession,
  cookieHash: Buffer | null,
): Promise<string> {
  const id = newId();
  const now = clock.now();
  const begun = await tx.run(
    INSERT([
      id,
      cookieHash ? 'cookie' : 'token',
      cookieHash,
      origin.userAgent.slice(0, MAX_USER_AGENT),
      hashAddress({ secrets }, origin.address),
      secondFactor,
      now,
      new Date(now.getTime() + SESSION_SECONDS * 1_000),
      user.id,
      user.token_epoch,
      user.password_hash,
    ]),
  );
  if (begun === 0)
    throw invalidCredentials('Your password, your role or your second factor was changed just now. Log in again.', {
      headers: { 'www-authenticate': 'Bearer' },
    });
  await tx.run(END_OLDEST([user.id]));
  return id;
}

/** A user as they are now, for whoever has just proved who they are by other means than a password. */
export function readSessionUser({ db }: Pick<AccountsContext, 'db'>, id: string): Promise<SessionUser> {
  return db.one(sql<SessionUser>('select id, role, token_epoch, password_hash from users where id = $1', [id]));
}

/** A session of a browser: the value of its cookie. */
export async function startCookieSession(
  context: AccountsContext,
  tx: Tx,
  user: SessionUser,
  session: NewSession,
): Promise<string> {
  const { token, hash } = newToken();
  await insertSession(context, tx, user, session, hash);
  return token;
}

/** A session of a program: its first pair of tokens. */
export async function startTokenSession(
  context: AccountsContext,
  tokens: AccessTokens,
  tx: Tx,
  user: SessionUser,
  session: NewSession,
): Promise<TokenPair> {
  const sessionId = await insertSession(context, tx, user, session, null);
  return issuePair(context, tokens, tx, user, { id: sessionId, secondFactor: session.secondFactor });
}

async function issuePair(
  { clock }: AccountsContext,
  tokens: AccessTokens,
  tx: Tx,
  user: Omit<SessionUser, 'password_hash'>,
  session: { id: string; secondFactor: boolean },
): Promise<TokenPair> {
  const { token, hash } = newToken('vr_');
  const now = clock.now();
  await tx.run(
    build.insertInto('refresh_tokens').values({
      hash,
      session_id: session.id,
      created_at: now,
      expires_at: new Date(now.getTime() + SESSION_SECONDS * 1_000),
    }),
  );
  const access = tokens.issue({
    userId: user.id,
    sessionId: session.id,
    role: user.role,
    epoch: user.token_epoch,
    secondFactor: session.secondFactor,
  });
  return { access, refresh: token, token_type: 'Bearer', expires_in: ACCESS_SECONDS };
}

type RefreshRow = {
  session_id: string;
  spent: boolean;
  live: boolean;
  second_factor: boolean;
  user_id: string;
  role: Role;
  token_epoch: number;
};

/** Locked, so that of two who come with the same token at once the second finds it spent. */
const FIND_REFRESH = prepare<RefreshRow>(
  `select r.session_id, r.spent_at is not null as spent, s.second_factor, u.id as user_id, u.role, u.token_epoch,
     r.expires_at > $2 and s.revoked_at is null and u.disabled_at is null and u.erased_at is null as live
   from refresh_tokens r join sessions s on s.id = r.session_id join users u on u.id = s.user_id
   where r.hash = $1 for update of r`,
);

/**
 * A new pair for a refresh token, which is spent by it. A spent one that comes again was stolen at one time or another:
 * nobody can tell by whom, so the whole session ends (RFC 9700, 4.14.2). Throws invalid_token, refresh_reused.
 */
export async function refreshTokens(
  context: AccountsContext,
  tokens: AccessTokens,
  refresh: string,
): Promise<TokenPair> {
  const { db, events, clock, revocations } = context;
  const now = clock.now();
  const hash = hashToken(refresh);
  const outcome = await db.transaction(async (tx) => {
    const row = await tx.maybe(FIND_REFRESH([hash, now]));
    if (!row) return 'unknown';
    if (row.spent) {
      const ended = await revoke(tx, 'id', row.session_id);
      if (ended > 0)
        await events.append(tx, {
          type: 'user.refresh_reused',
          subject: { type: 'user', id: row.user_id },
          data: { session_id: row.session_id },
          userId: row.user_id,
        });
      return 'reused';
    }
    if (!row.live) return 'unknown';
    await tx.run(sql('update refresh_tokens set spent_at = $2 where hash = $1', [hash, now]));
    await tx.run(
      sql('update sessions set last_used_at = $2, expires_at = $3 where id = $1', [
        row.session_id,
        now,
        new Date(now.getTime() + SESSION_SECONDS * 1_000),
      ]),
    );
    return issuePair(
      context,
      tokens,
      tx,
      { id: row.user_id, role: row.role, token_epoch: row.token_epoch },
      { id: row.session_id, secondFactor: row.second_factor },
    );
  });
  if (outcome === 'unknown')
    throw invalidToken('The refresh token has expired, was revoked, or is none of ours. Log in again.');
  if (outcome === 'reused') {
    await Promise.all([revocations.spread(), events.flush()]);
    throw refreshReused(
      'This refresh token was used before, so somebody else may have it. The session has been ended; log in again.',
    );
  }
  return outcome;
}

/** Revokes by session or by user; answers how many sessions it ended. By the database's clock: see revocations.ts. */
async function revoke(target: Sql, by: 'id' | 'user_id', id: string, except: string | null = null): Promise<number> {
  return target.run(
    sql(`update sessions set revoked_at = now() where ${by} = $1 and revoked_at is null and id is distinct from $2`, [
      id,
      except,
    ]),
  );
}

/** Ends every session of the user, or all but one. To be followed by `revocations.spread()` after the commit. */
export function revokeSessionsOf(tx: Tx, userId: string, except: string | null = null): Promise<number> {
  return revoke(tx, 'user_id', userId, except);
}

/** Logs out: the session and all its tokens stop working, here at once and everywhere within a second. */
export async function endSession({ db, revocations }: AccountsContext, sessionId: string): Promise<void> {
  await revoke(db, 'id', sessionId);
  await revocations.spread();
}

/** Ends every session of one's own but the one that asks. */
export function endOtherSessions(
  context: AccountsContext,
  { userId, sessionId }: Pick<Identity, 'userId' | 'sessionId'>,
): Promise<number> {
  return endOwn(context, userId, (tx) => revoke(tx, 'user_id', userId, sessionId), { others_of: sessionId });
}

/** Ends a session of one's own; throws session_not_found for anybody else's. */
export async function endOwnSession(context: AccountsContext, userId: string, sessionId: string): Promise<void> {
  const ended = await endOwn(
    context,
    userId,
    async (tx) => {
      const mine = await tx.maybe(sql('select from sessions where id = $1 and user_id = $2', [sessionId, userId]));
      return mine ? revoke(tx, 'id', sessionId) : 0;
    },
    { session_id: sessionId },
  );
  if (ended === 0) throw sessionNotFound('You have no session with this id; it may have ended already.');
}

async function endOwn(
  { db, events, revocations }: AccountsContext,
  userId: string,
  end: (tx: Tx) => Promise<number>,
  which: Record<string, string | null>,
): Promise<number> {
  const ended = await db.transaction(async (tx) => {
    const sessions = await end(tx);
    if (sessions > 0)
      await events.append(tx, {
        type: 'user.sessions_ended',
        subject: { type: 'user', id: userId },
        actorId: userId,
        data: { sessions, ...which },
        userId,
      });
    return sessions;
  });
  await Promise.all([revocations.spread(), events.flush()]);
  return ended;
}

/** Where the user is logged in, the latest used first. */
export async function listSessions({ db, clock }: AccountsContext, userId: string): Promise<SessionRow[]> {
  return db.many(
    sql<SessionRow>(
      `select id, kind, user_agent, second_factor, created_at, last_used_at, expires_at from sessions
       where user_id = $1 and revoked_at is null and expires_at > $2 order by last_used_at desc, id desc limit 200`,
      [userId, clock.now()],
    ),
  );
}

type CookieRow = {
  id: string;
  user_id: string;
  role: Role;
  second_factor: boolean;
  last_used_at: Date;
  token_epoch: number;
};

const FIND_COOKIE = prepare<CookieRow>(
  `select s.id, s.user_id, u.role, s.second_factor, s.last_used_at, u.token_epoch
   from sessions s join users u on u.id = s.user_id
   where s.cookie_hash = $1 and s.revoked_at is null and s.expires_at > $2
     and u.disabled_at is null and u.erased_at is null`,
);

/** Who a cookie belongs to, as the database has it now; null when it belongs to nobody any more. */
export async function findCookieSession(
  { db, clock }: AccountsContext,
  cookie: string,
): Promise<{ identity: Identity } | null> {
  const now = clock.now();
  const row = await db.maybe(FIND_COOKIE([hashToken(cookie), now]));
  if (!row) return null;
  if (now.getTime() - row.last_used_at.getTime() > NOTED_EVERY_MS)
    await db.run(
      sql('update sessions set last_used_at = $2, expires_at = $3 where id = $1', [
        row.id,
        now,
        new Date(now.getTime() + SESSION_SECONDS * 1_000),
      ]),
    );
  return {
    identity: {
      userId: row.user_id,
      role: row.role,
      sessionId: row.id,
      apiKeyId: null,
      scopes: null,
      secondFactor: row.second_factor,
      epoch: row.token_epoch,
    },
  };
}
