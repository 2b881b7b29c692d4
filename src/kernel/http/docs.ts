import { readFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { errorListPage } from './error-list.ts';
import type { Http } from './index.ts';
import { PAGE_HEADERS } from './security-headers.ts';

/**
 * The API's description, made of the schemas that validate, and two pages that show it. All of their scripts and styles
 * are served from here; what these two need that no other page may (styles made by script, a worker) is allowed for
 * `/docs/` alone.
 */

const DOCS_HEADERS = {
  ...PAGE_HEADERS,
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
    "connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
};

/** To be called before the routes that it describes. */
export async function describeApi(app: Http, shop: { name: string; version: string }): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: `${shop.name} API`,
        version: shop.version,
        description:
          'JSON in `snake_case`; money as decimal strings beside an ISO 4217 currency; times in RFC 3339, UTC; errors as ' +
          'problem documents (RFC 9457) whose `code` is stable. Unknown query parameters and body fields are refused.',
      },
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: 'An access token from `POST /api/auth/token`, or an API key (`vk_…`).',
          },
          cookie: {
            type: 'apiKey',
            in: 'cookie',
            name: 'vitrine_session',
            description:
              'The session of a browser that logged in at `/login`. Behind HTTPS the name begins with `__Host-`. Unsafe ' +
              'methods also need the header `X-CSRF-Token`, which `GET /api/auth/session` answers.',
          },
        },
      },
    },
    refResolver: {
      buildLocalReference: (schema, _base, _fragment, i) =>
        typeof schema.$id === 'string' ? schema.$id : `Schema${i}`,
    },
  });
}

/** To be called when all routes that are described stand. */
export async function registerDocs(app: Http): Promise<void> {
  app.get('/api/openapi.json', { config: { access: 'anyone' }, schema: { hide: true } as object }, (request, reply) =>
    app.answers.answer(request, reply, 'openapi', async () => ({
      body: JSON.stringify(app.swagger()),
      contentType: 'application/json; charset=utf-8',
      tags: [],
    })),
  );

  await app.register(async (docs) => {
    docs.addHook('onSend', async (_request, reply) => {
      reply.headers(DOCS_HEADERS);
    });
    await docs.register(swaggerUi, { routePrefix: '/docs/swagger', staticCSP: false, uiConfig: { deepLinking: true } });
  });

  const bundle = readFileSync(new URL('./vendor/redoc.standalone.js', import.meta.url));
  const page = (html: string) => ({
    body: html,
    contentType: 'text/html; charset=utf-8',
    tags: [],
    headers: DOCS_HEADERS,
  });
  app.get('/docs/redoc', (request, reply) => app.answers.answer(request, reply, 'docs:redoc', async () => page(REDOC)));
  app.get('/docs/redoc/redoc.js', (request, reply) =>
    app.answers.answer(request, reply, 'docs:redoc.js', async () => ({
      body: bundle,
      contentType: 'text/javascript; charset=utf-8',
      tags: [],
    })),
  );
  app.get('/docs/redoc/start.js', (request, reply) =>
    app.answers.answer(request, reply, 'docs:redoc-start', async () => ({
      body: REDOC_START,
      contentType: 'text/javascript; charset=utf-8',
      tags: [],
    })),
  );
  app.get('/docs/errors', (request, reply) =>
    app.answers.answer(request, reply, 'docs:errors', async () => page(errorListPage())),
  );
}

const REDOC = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>API reference</title><link rel="icon" href="/favicon.svg"></head>
<body><div id="redoc"></div><script src="/docs/redoc/redoc.js"></script><script src="/docs/redoc/start.js"></script></body></html>`;

const REDOC_START = `Redoc.init('/api/openapi.json', { hideDownloadButton: false, disableSearch: true }, document.getElementById('redoc'));`;
