import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build, sql } from '../src/kernel/db.ts';
import { newId } from '../src/kernel/ids.ts';
import { hashToken } from '../src/kernel/secrets.ts';
import { fakeClock } from '../src/kernel/testing/index.ts';
import { SCOPES } from '../src/modules/accounts/index.ts';
import { type Caller, startTestShop, type TestShop } from './support/shop.ts';

/**
 * Who may call what: every route of the API by every kind of caller, over real sockets. The table is written by hand, as
 * the contract has it, and not read from the routes: a route that is not in it, or that lets in somebody else, fails.
 */

type Level = 'anyone' | 'user' | 'seller' | 'staff' | 'superuser';
type Row = {
  level: Level;
  /** The scope that an API key needs; without one no key is taken, but where anyone may ask. */
  scope?: string;
  /** For a stream, which would never end: what makes it refuse whom it has let in. */
  query?: string;
  /** A body that is judged good, where what follows it matters: whose product it is. */
  body?: () => unknown;
};

const anyone: Row = { level: 'anyone' };
const user: Row = { level: 'user' };
const picture = () => {
  const form = new FormData();
  form.set('file', new Blob(['no picture']), 'a.png');
  return form;
};
const catalogue = (level: Level, body?: () => unknown): Row => ({
  level,
  scope: 'catalogue:write',
  ...(body ? { body } : {}),
});

const TABLE: Readonly<Record<string, Row>> = {
  'POST /api/auth/register': anyone,
  'POST /api/auth/token': anyone,
  'POST /api/auth/token/refresh': anyone,
  'POST /api/auth/logout': user,
  'GET /api/auth/session': user,
  'GET /api/auth/sessions': user,
  'DELETE /api/auth/sessions/{id}': user,
  'POST /api/auth/password/forgot': anyone,
  'POST /api/auth/password/reset': anyone,
  'POST /api/auth/password/change': user,
  'POST /api/auth/email/verify': anyone,
  'POST /api/auth/email/resend': user,
  'GET /api/auth/otp': user,
  'POST /api/auth/otp/enroll': user,
  'POST /api/auth/otp/confirm': user,
  'POST /api/auth/otp/disable': user,
  'POST /api/auth/otp/recovery-codes': user,
  'GET /api/profile': user,
  'PUT /api/profile': user,
  'PATCH /api/profile': user,
  'DELETE /api/profile': user,
  'GET /api/profile/notifications': user,
  'PUT /api/profile/notifications': user,
  'GET /api/profile/orders': user,
  'GET /api/orders': { level: 'user', scope: 'orders:read' },
  'POST /api/orders': { level: 'user', scope: 'orders:write' },
  'GET /api/orders/{id}': { level: 'user', scope: 'orders:read' },
  'PATCH /api/orders/{id}/status': { level: 'staff', scope: 'orders:write' },
  'POST /api/orders/{id}/cancel': { level: 'user', scope: 'orders:write' },
  'GET /api/users': { level: 'superuser', scope: 'users:read' },
  'GET /api/users/{id}': { level: 'superuser', scope: 'users:read' },
  'PATCH /api/users/{id}': { level: 'superuser', scope: 'users:write' },
  'GET /api/api-keys': { level: 'superuser' },
  'POST /api/api-keys': { level: 'superuser' },
  'DELETE /api/api-keys/{id}': { level: 'superuser' },
  'GET /api/webhooks': { level: 'superuser', scope: 'webhooks:read' },
  'POST /api/webhooks': { level: 'superuser', scope: 'webhooks:write' },
  'GET /api/webhooks/{id}': { level: 'superuser', scope: 'webhooks:read' },
  'PATCH /api/webhooks/{id}': { level: 'superuser', scope: 'webhooks:write' },
  'DELETE /api/webhooks/{id}': { level: 'superuser', scope: 'webhooks:write' },
  'GET /api/webhooks/{id}/deliveries': { level: 'superuser', scope: 'webhooks:read' },
  'POST /api/webhook-deliveries/{id}/retry': { level: 'superuser', scope: 'webhooks:write' },
  'GET /api/emails': { level: 'superuser', scope: 'emails:read' },
  'GET /api/emails/{id}': { level: 'superuser', scope: 'emails:read' },
  'GET /api/emails/{id}/attachments/{n}': { level: 'superuser', scope: 'emails:read' },
  'POST /api/emails/{id}/retry': { level: 'superuser', scope: 'emails:write' },
  'GET /api/jobs': { level: 'superuser', scope: 'jobs:read' },
  'GET /api/jobs/{id}': { level: 'superuser', scope: 'jobs:read' },
  'POST /api/jobs/{id}/retry': { level: 'superuser', scope: 'jobs:write' },
  'POST /api/jobs/{id}/cancel': { level: 'superuser', scope: 'jobs:write' },
  'GET /api/products': anyone,
  'GET /api/products/featured': anyone,
  'GET /api/products/filters': anyone,
  'GET /api/products/{key}': anyone,
  'GET /api/products/{key}/price-history': anyone,
  'GET /api/products/{key}/history': { level: 'staff', scope: 'catalogue:read' },
  'POST /api/products': catalogue('seller'),
  'PATCH /api/products': catalogue('staff'),
  'PUT /api/products/{key}': catalogue('seller', () => ({ name: 'A thing', price: '1.00' })),
  'PATCH /api/products/{key}': catalogue('seller', () => ({ name: 'A thing' })),
  'DELETE /api/products/{key}': catalogue('seller'),
  'POST /api/products/{key}/restore': catalogue('staff'),
  'GET /api/products/{key}/stock': { level: 'staff', scope: 'catalogue:read' },
  'POST /api/products/{key}/stock': catalogue('staff'),
  'POST /api/products/{id}/images': catalogue('seller', picture),
  'PUT /api/products/{id}/images/order': catalogue('seller', () => ({ ids: [newId()] })),
  'DELETE /api/products/{id}/images/{image_id}': catalogue('seller'),
  'GET /api/categories': anyone,
  'GET /api/categories/{key}': anyone,
  'GET /api/categories/{key}/products': anyone,
  'POST /api/categories': catalogue('staff'),
  'PUT /api/categories/{key}': catalogue('staff'),
  'PATCH /api/categories/{key}': catalogue('staff'),
  'DELETE /api/categories/{key}': catalogue('staff'),
  'PUT /api/categories/{id}/image': catalogue('staff'),
  'DELETE /api/categories/{id}/image': catalogue('staff'),
  'GET /api/cart': { level: 'anyone', scope: 'orders:read' },
  'DELETE /api/cart': { level: 'anyone', scope: 'orders:write' },
  'POST /api/cart/items': { level: 'anyone', scope: 'orders:write' },
  'PUT /api/cart/items/{id}': { level: 'anyone', scope: 'orders:write' },
  'DELETE /api/cart/items/{id}': { level: 'anyone', scope: 'orders:write' },
  'GET /api/events': { level: 'staff', scope: 'events:read' },
  'GET /api/events/stream': { level: 'staff', scope: 'events:read', query: '?after=9007199254740991' },
  'POST /api/imports': { level: 'staff', scope: 'imports:write' },
  'GET /api/imports': { level: 'staff', scope: 'imports:read' },
  'GET /api/imports/{id}': { level: 'staff', scope: 'imports:read' },
  'GET /api/imports/{id}/issues': { level: 'staff', scope: 'imports:read' },
  'GET /api/imports/{id}/outcomes': { level: 'staff', scope: 'imports:read' },
  'POST /api/imports/{id}/cancel': { level: 'staff', scope: 'imports:write' },
};

/** What everybody may read and no description lists. */
const UNDESCRIBED: Readonly<Record<string, Row>> = { 'GET /api/openapi.json': anyone };

const LEVELS: readonly Level[] = ['anyone', 'user', 'seller', 'staff', 'superuser'];
const rank = (level: Level) => LEVELS.indexOf(level);

let shop: TestShop;
let boss: Caller;
const clock = fakeClock('2026-03-01T12:00:00.000Z');

beforeAll(async () => {
  shop = await startTestShop({ clock });
  boss = await shop.as('superuser');
});
afterAll(() => shop.stop());

async function productOf(ownerId: string | null): Promise<string> {
  const id = newId();
  await shop.db.run(
    build.insertInto('products').values({
      id,
      sku: id,
      slug: `p-${id}`,
      name: 'A thing',
      price: 100,
      availability: 'in_stock',
      owner_id: ownerId,
      created_at: clock.now(),
      updated_at: clock.now(),
    }),
  );
  await shop.db.run(
    sql("insert into product_texts (product_id, visible, title) values ($1, true, to_tsvector('vitrine', 'thing'))", [
      id,
    ]),
  );
  return id;
}

async function keyWith(scopes: readonly string[]): Promise<Record<string, string>> {
  const key = `vk_${newId()}`;
  await shop.db.run(
    build.insertInto('api_keys').values({
      id: newId(),
      name: 'test',
      hint: key.slice(0, 9),
      hash: hashToken(key),
      scopes: [...scopes],
      created_by: boss.userId,
      created_at: clock.now(),
    }),
  );
  return { authorization: `Bearer ${key}` };
}

/** Sends the request that the row stands for to a thing of its own; `ownerId` is whose the product is. */
async function call(route: string, row: Row, headers: Record<string, string>, ownerId: string | null = null) {
  const [method, template] = route.split(' ') as [string, string];
  const id = template.startsWith('/api/products/') ? await productOf(ownerId) : newId();
  const path = template.replace(/\{(key|id)\}/, id).replace('{image_id}', newId()) + (row.query ?? '');
  const body = method === 'GET' || method === 'DELETE' ? undefined : (row.body?.() ?? undefined);
  const answer = await shop.send(method, path, body, headers);
  return { status: answer.status, code: answer.json?.code as string | undefined };
}

const PASSES = 'passes';
const verdict = ({ status, code }: { status: number; code: string | undefined }) =>
  status === 401 || status === 403 ? `${status} ${code}` : PASSES;

describe('the table of permissions', () => {
  it('has every route of the API, and no other', () => {
    const { paths } = shop.http.swagger() as { paths: Record<string, Record<string, unknown>> };
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(Object.keys(TABLE).sort());
  });

  describe.each(Object.entries({ ...TABLE, ...UNDESCRIBED }))('%s', (route, row) => {
    const { level, scope } = row;
    const isAtLeast = (role: Level) => rank(role) >= rank(level);

    it('by nobody', async () => {
      expect(verdict(await call(route, row, {}))).toBe(level === 'anyone' ? PASSES : '401 unauthenticated');
    });

    it.each(['customer', 'seller', 'staff', 'superuser'] as const)('by a %s', async (role) => {
      const caller = await shop.as(role);
      const owner = role === 'seller' ? caller.userId : null;
      const allowed = isAtLeast(role === 'customer' ? 'user' : role);
      expect(verdict(await call(route, row, caller.headers, owner))).toBe(allowed ? PASSES : '403 forbidden');
    });

    if (level === 'seller' && route.includes('{'))
      it('by a seller on another’s product, and on nobody’s', async () => {
        const caller = await shop.as('seller');
        const other = await shop.as('seller');
        for (const owner of [other.userId, null])
          expect(verdict(await call(route, row, caller.headers, owner))).toBe('403 forbidden');
      });

    it('by a session that was revoked', async () => {
      const caller = await shop.as('superuser');
      await caller.post('/api/auth/logout');
      expect(verdict(await call(route, row, caller.headers))).toBe('401 invalid_token');
    });

    it('by a token that has expired', async () => {
      const caller = await shop.as('superuser');
      clock.advance(901_000);
      expect(verdict(await call(route, row, caller.headers))).toBe('401 invalid_token');
    });

    it('by an API key without the scope, and with it alone', async () => {
      const others = await keyWith(SCOPES.filter((other) => other !== scope));
      const isOpen = level === 'anyone' && scope === undefined;
      expect(verdict(await call(route, row, others))).toBe(isOpen ? PASSES : '403 insufficient_scope');
      if (scope !== undefined) expect(verdict(await call(route, row, await keyWith([scope])))).toBe(PASSES);
    });

    if (route.startsWith('GET '))
      it('by HEAD as by GET', async () => {
        const { status } = await call(route.replace('GET', 'HEAD'), row, {});
        expect(status === 401).toBe(level !== 'anyone');
      });
  });
});
