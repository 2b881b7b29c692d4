import Type from 'typebox';
import { type Http, validationFailed } from '../../kernel/http/index.ts';
import { PAGING, PageOf } from '../../kernel/paging.ts';
import { allow, identityOf } from './access.ts';
import { type ApiKey, createApiKey, listApiKeys, revokeApiKey } from './api-keys.ts';
import { SCOPES } from './identity.ts';
import type { Accounts } from './index.ts';
import { Id, IdParam, Line, nullable, RoleName, strict, Time } from './schemas.ts';
import { changeUser, listUsers, readUser, type User } from './users.ts';

const NO_STORE = { 'cache-control': 'no-store' };
const Nothing = Type.Null({ description: 'Done.' });

const UserShape = Type.Object(
  {
    id: Id,
    email: nullable(Type.String()),
    email_verified: Type.Boolean(),
    username: Type.String(),
    first_name: Type.String(),
    last_name: Type.String(),
    role: RoleName,
    disabled: Type.Boolean(),
    second_factor: Type.Boolean(),
    created_at: Time,
    last_login_at: nullable(Time),
  },
  strict,
);
const UserQuery = Type.Object(
  {
    ...PAGING,
    search: Type.Optional(Type.String({ maxLength: 200, description: 'In usernames, names and e-mail addresses.' })),
    role: Type.Optional(RoleName),
    disabled: Type.Optional(Type.Boolean()),
  },
  strict,
);
const UserChange = Type.Object(
  {
    role: Type.Optional(RoleName),
    disabled: Type.Optional(Type.Boolean()),
    second_factor: Type.Optional(Type.Literal(false, { description: 'Takes it away, from somebody who has lost it.' })),
  },
  { ...strict, minProperties: 1 },
);

const ScopeName = Type.Enum([...SCOPES]);
const apiKey = {
  id: Id,
  name: Type.String(),
  hint: Type.String({ description: 'How the key begins.' }),
  scopes: Type.Array(ScopeName),
  created_by: Type.Object({ id: Id, username: Type.String() }, strict),
  created_at: Time,
  expires_at: nullable(Time),
  last_used_at: nullable(Time),
};
const NewApiKey = Type.Object(
  {
    name: Type.Intersect([Line(100), Type.String({ minLength: 1, pattern: '\\S' })]),
    scopes: Type.Array(ScopeName, { minItems: 1, maxItems: SCOPES.length, uniqueItems: true }),
    expires_at: Type.Optional(nullable(Time)),
  },
  strict,
);

/** Users and API keys, for superusers. */
export function registerAdminRoutes(app: Http, accounts: Accounts): void {
  const users = ['Users'];
  app.get(
    '/api/users',
    {
      schema: { summary: 'List users', tags: users, querystring: UserQuery, response: { 200: PageOf(UserShape) } },
      config: allow('superuser', 'users:read'),
    },
    async (request, reply) => {
      const page = await listUsers(accounts, request.query);
      return reply.headers(NO_STORE).send({ ...page, items: page.items.map(presentUser) });
    },
  );
  app.get(
    '/api/users/:id',
    {
      schema: { summary: 'A user', tags: users, params: IdParam, response: { 200: UserShape } },
      config: allow('superuser', 'users:read'),
    },
    async (request, reply) => reply.headers(NO_STORE).send(presentUser(await readUser(accounts, request.params.id))),
  );
  app.patch(
    '/api/users/:id',
    {
      schema: {
        summary: 'Give a user another role, disable or enable them, lift a second factor',
        description:
          'It holds at once: access tokens that they have are refused, and a disabled user is logged out. An API key can ' +
          'neither change staff nor make somebody staff.',
        tags: users,
        params: IdParam,
        body: UserChange,
        response: { 200: UserShape },
      },
      config: allow('superuser', 'users:write'),
    },
    async (request, reply) => {
      const user = await changeUser(accounts, identityOf(request), request.params.id, request.body);
      return reply.headers(NO_STORE).send(presentUser(user));
    },
  );

  const keys = ['API keys'];
  app.get(
    '/api/api-keys',
    {
      schema: {
        summary: 'List API keys',
        tags: keys,
        querystring: Type.Object(PAGING, strict),
        response: { 200: PageOf(Type.Object(apiKey, strict)) },
      },
      config: allow('superuser'),
    },
    async (request, reply) => {
      const page = await listApiKeys(accounts, request.query);
      return reply.headers(NO_STORE).send({ ...page, items: page.items.map(presentApiKey) });
    },
  );
  app.post(
    '/api/api-keys',
    {
      schema: {
        summary: 'Make an API key',
        description: 'The key itself is in this answer and in no other. It acts in the name of whoever made it.',
        tags: keys,
        body: NewApiKey,
        response: { 201: Type.Object({ ...apiKey, key: Type.String() }, strict) },
      },
      config: allow('superuser'),
    },
    async (request, reply) => {
      const { name, scopes, expires_at } = request.body;
      const expires = expires_at === undefined || expires_at === null ? null : new Date(expires_at);
      if (expires !== null && !(expires > accounts.clock.now()))
        throw validationFailed('A key that has expired is of no use.', {
          errors: [{ path: 'expires_at', message: 'must be a time to come' }],
        });
      const { key, ...made } = await createApiKey(accounts, identityOf(request).userId, {
        name: name.trim(),
        scopes,
        expires_at: expires,
      });
      return reply
        .code(201)
        .headers(NO_STORE)
        .send({ ...presentApiKey(made), key });
    },
  );
  app.delete(
    '/api/api-keys/:id',
    {
      schema: { summary: 'Revoke an API key', tags: keys, params: IdParam, response: { 204: Nothing } },
      config: allow('superuser'),
    },
    async (request, reply) => {
      await revokeApiKey(accounts, identityOf(request).userId, request.params.id);
      return reply.code(204).send(null);
    },
  );
}

function presentUser(user: User) {
  return {
    ...user,
    created_at: user.created_at.toISOString(),
    last_login_at: user.last_login_at?.toISOString() ?? null,
  };
}

function presentApiKey(key: ApiKey) {
  return {
    ...key,
    created_at: key.created_at.toISOString(),
    expires_at: key.expires_at?.toISOString() ?? null,
    last_used_at: key.last_used_at?.toISOString() ?? null,
  };
}
