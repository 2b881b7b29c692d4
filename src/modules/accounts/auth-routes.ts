import Type from 'typebox';
import { sql } from '../../kernel/db.ts';
import { type Http, validationFailed } from '../../kernel/http/index.ts';
import { allow, identityOf } from './access.ts';
import { originOf } from './browser.ts';
import { describeDevice } from './device.ts';
import type { Role } from './identity.ts';
import type { Accounts } from './index.ts';
import { LOG_INS, REFRESHES, REGISTRATIONS } from './limits.ts';
import { checkCredentials } from './log-in.ts';
import { register } from './register.ts';
import {
  CurrentSession,
  IdParam,
  LogIn,
  Refresh,
  RegisteredUser,
  Registration,
  SessionList,
  TokenPair,
} from './schemas.ts';
import { endOwnSession, endSession, listSessions, refreshTokens, startTokenSession } from './sessions.ts';

const tags = ['Accounts'];
const NO_STORE = { 'cache-control': 'no-store' };
const Nothing = Type.Null({ description: 'Done.' });

/** Registration, log-in and sessions. */
export function registerAuthRoutes(app: Http, accounts: Accounts): void {
  const { db, tokens, csrf } = accounts;

  app.post(
    '/api/auth/register',
    {
      schema: { summary: 'Register a customer', tags, body: Registration, response: { 201: RegisteredUser } },
      config: { ...allow('anyone'), limit: REGISTRATIONS },
    },
    async (request, reply) =>
      reply
        .code(201)
        .headers(NO_STORE)
        .send(await register(accounts, request.body)),
  );

  app.post(
    '/api/auth/token',
    {
      schema: { summary: 'Log in', tags, body: LogIn, response: { 200: TokenPair } },
      config: { ...allow('anyone'), limit: LOG_INS },
    },
    async (request, reply) => {
      const { email, username, password, otp } = request.body;
      const login = email ?? username;
      if (login === undefined || (email !== undefined && username !== undefined))
        throw validationFailed('Say who you are by email or by username, one of them.', {
          errors: [{ path: 'email', message: 'is required, or username in its place' }],
        });
      const origin = originOf(request);
      const { user, secondFactor } = await checkCredentials(accounts, { login, password, otp }, origin);
      const pair = await db.transaction((tx) =>
        startTokenSession(accounts, tokens, tx, user, { origin, secondFactor }),
      );
      await accounts.loggedIn(request, reply, user.id);
      return reply.headers(NO_STORE).send(pair);
    },
  );

  app.post(
    '/api/auth/token/refresh',
    {
      schema: {
        summary: 'Exchange a refresh token for a new pair',
        description: 'A refresh token works once. Used again, it ends the whole session.',
        tags,
        body: Refresh,
        response: { 200: TokenPair },
      },
      config: { ...allow('anyone'), limit: REFRESHES },
    },
    async (request, reply) => reply.headers(NO_STORE).send(await refreshTokens(accounts, tokens, request.body.refresh)),
  );

  app.post(
    '/api/auth/logout',
    {
      schema: { summary: 'Log out: end this session', tags, response: { 204: Nothing } },
      config: allow('user'),
    },
    async (request, reply) => {
      if (accounts.browser.cookie(request) !== undefined) await accounts.browser.logOut(request, reply);
      else await endSession(accounts, identityOf(request).sessionId!);
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/api/auth/session',
    {
      schema: {
        summary: 'Who I am',
        description:
          'For a browser, the header `X-CSRF-Token` of the answer has the token that its unsafe requests must send.',
        tags,
        response: { 200: CurrentSession },
      },
      config: allow('user'),
    },
    async (request, reply) => {
      const { userId, sessionId } = identityOf(request);
      const row = await db.one(
        sql<{ email: string; username: string; role: Role; expires_at: Date | null }>(
          `select u.email, u.username, u.role, s.expires_at
           from users u left join sessions s on s.id = $2 where u.id = $1`,
          [userId, sessionId],
        ),
      );
      if (accounts.browser.cookie(request) !== undefined) reply.header('x-csrf-token', csrf.token(request, reply));
      return reply.headers(NO_STORE).send({
        id: userId,
        email: row.email,
        username: row.username,
        role: row.role,
        session_id: sessionId,
        expires_at: row.expires_at?.toISOString() ?? null,
      });
    },
  );

  app.get(
    '/api/auth/sessions',
    { schema: { summary: 'Where I am logged in', tags, response: { 200: SessionList } }, config: allow('user') },
    async (request, reply) => {
      const { userId, sessionId } = identityOf(request);
      const items = (await listSessions(accounts, userId)).map(({ user_agent, ...row }) => ({
        ...row,
        device: describeDevice(user_agent),
        current: row.id === sessionId,
        created_at: row.created_at.toISOString(),
        last_used_at: row.last_used_at.toISOString(),
        expires_at: row.expires_at.toISOString(),
      }));
      return reply.headers(NO_STORE).send({ items });
    },
  );

  app.delete(
    '/api/auth/sessions/:id',
    {
      schema: { summary: 'End a session of mine', tags, params: IdParam, response: { 204: Nothing } },
      config: allow('user'),
    },
    async (request, reply) => {
      await endOwnSession(accounts, identityOf(request).userId, request.params.id);
      return reply.code(204).send(null);
    },
  );
}
