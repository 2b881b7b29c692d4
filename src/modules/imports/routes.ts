import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import multipart from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { chooseEncoding } from '../../kernel/http/encoding.ts';
import { API_HEADERS, allowTime, badRequest, claimForm, type Http } from '../../kernel/http/index.ts';
import { allow, identityOf } from '../accounts/index.ts';
import type { Catalogue } from '../catalogue/index.ts';
import { acceptUpload, acceptUrl } from './accept-import.ts';
import { cancelImport } from './end-import.ts';
import { writeGoogleFeed } from './export-feed.ts';
import type { Imports } from './index.ts';
import { findImport, listImports, listIssues, writeIssuesCsv } from './list-imports.ts';
import { listOutcomes, readOutcomes } from './outcomes.ts';
import {
  Import,
  ImportFromUrl,
  ImportId,
  ImportListQuery,
  ImportPage,
  ImportUpload,
  IssueListQuery,
  IssuePage,
  OutcomePage,
} from './schemas.ts';
import { receiveFeed, UPLOAD_LIMITS } from './upload.ts';

/** Two gigabytes over a line of five megabits a second. */
const UPLOAD_TIME_MS = 3_600_000;

const tags = ['Imports'];
const NO_STORE = { 'cache-control': 'no-store' };
const READ = allow('staff', 'imports:read');
const WRITE = allow('staff', 'imports:write');

export function registerImportRoutes(
  app: Http,
  imports: Imports,
  catalogue: Catalogue,
  shop: { name: string; url: string; currency: string },
): void {
  app.addSchema(Import);
  registerFeed(app, catalogue, shop);
  registerUpload(app, imports);
  const { db } = imports;

  app.get(
    '/api/imports',
    {
      schema: { summary: 'List imports', tags, querystring: ImportListQuery, response: { 200: ImportPage } },
      config: READ,
    },
    async (request, reply) => reply.headers(NO_STORE).send(await listImports(db, request.query)),
  );

  app.get(
    '/api/imports/:id',
    {
      schema: { summary: 'An import', tags, params: ImportId, response: { 200: Type.Ref('Import') } },
      config: READ,
    },
    async (request, reply) => reply.headers(NO_STORE).send(await findImport(db, request.params.id)),
  );

  app.get(
    '/api/imports/:id/issues',
    {
      schema: {
        summary: 'What was wrong with rows of an import’s feed',
        tags,
        params: ImportId,
        querystring: IssueListQuery,
        response: {
          200: {
            description: 'A page of issues, or all of them as CSV.',
            content: { 'application/json': { schema: IssuePage }, 'text/csv': { schema: Type.String() } },
          },
        },
      },
      config: READ,
    },
    async (request, reply) => {
      const { id } = request.params;
      reply.headers(NO_STORE);
      if (request.query.format !== 'csv') return reply.send(await listIssues(db, id, request.query));
      await findImport(db, id);
      return reply
        .headers(API_HEADERS)
        .header('content-type', 'text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="import-${id}-issues.csv"`)
        .send(Readable.from(writeIssuesCsv(db, id)) as unknown as string);
    },
  );

  app.get(
    '/api/imports/:id/outcomes',
    {
      schema: {
        summary: 'What became of the rows of an import’s feed',
        description:
          'Those that were not taken first. Rows that changed nothing are told by `counts.unchanged` of the import alone.',
        tags,
        params: ImportId,
        querystring: IssueListQuery,
        response: {
          200: {
            description: 'A page of outcomes, or all of them as CSV.',
            content: { 'application/json': { schema: OutcomePage }, 'text/csv': { schema: Type.String() } },
          },
        },
      },
      config: READ,
    },
    async (request, reply) => {
      const { id } = request.params;
      reply.headers(NO_STORE);
      if (request.query.format !== 'csv') return reply.send(await listOutcomes(db, id, request.query));
      await findImport(db, id);
      return reply
        .headers(API_HEADERS)
        .header('content-type', 'text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="import-${id}-outcomes.csv"`)
        .send(Readable.from(csvOf(readOutcomes(db, id))) as unknown as string);
    },
  );

  app.post(
    '/api/imports/:id/cancel',
    {
      schema: {
        summary: 'Cancel an import',
        description: 'Until its merge has committed; then 409 `import_not_cancellable`. Nothing of it is applied.',
        tags,
        params: ImportId,
        response: { 200: Type.Ref('Import') },
      },
      config: WRITE,
    },
    async (request, reply) =>
      reply.headers(NO_STORE).send(await cancelImport(imports, request.params.id, identityOf(request).userId)),
  );
}

async function* csvOf(batches: AsyncIterable<{ csv: string }>): AsyncGenerator<string> {
  for await (const { csv } of batches) yield csv;
}

function registerUpload(app: Http, imports: Imports): void {
  // Within a scope of its own: no other route takes forms of this kind by this.
  app.register(async (scope) => {
    await scope.register(multipart, { limits: UPLOAD_LIMITS, throwFileSizeLimit: false });
    scope.post(
      '/api/imports',
      {
        schema: {
          summary: 'Import a feed: upload it, or name its address',
          tags,
          body: {
            content: {
              'application/json': { schema: ImportFromUrl },
              'multipart/form-data': { schema: ImportUpload },
            },
          },
          response: { 202: Type.Ref('Import') },
        },
        // A form is judged as it is read.
        validatorCompiler: (route) =>
          route.contentType === 'multipart/form-data' ? () => true : app.validatorCompiler!(route),
        config: WRITE,
      },
      async (request, reply) => {
        const accepted = await accept(imports, request);
        return reply
          .code(202)
          .headers({ ...NO_STORE, location: `/api/imports/${accepted.id}` })
          .send(accepted);
      },
    );
  });
}

async function accept(imports: Imports, request: FastifyRequest): Promise<Import> {
  const { userId } = identityOf(request);
  if (!request.isMultipart()) {
    if (request.mediaType !== 'application/json')
      throw badRequest('Send the feed as multipart/form-data, or its address as JSON.');
    return acceptUrl(imports, userId, request.body as ImportFromUrl);
  }
  allowTime(request, UPLOAD_TIME_MS);
  try {
    return await acceptUpload(imports, userId, async (key) => {
      const received = await receiveFeed(request.parts(), imports.blobs, key);
      const { mode, fileName, sha256 } = received;
      await claimForm(request, () => ({ mode, file: { name: fileName, sha256 } }));
      return received;
    });
  } catch (error) {
    // What is still on its way is read to its end, or the answer would be lost with the connection.
    request.raw.unpipe();
    request.raw.resume();
    throw error;
  }
}

function registerFeed(app: Http, catalogue: Catalogue, shop: { name: string; url: string; currency: string }): void {
  app.get('/feeds/google.xml', (request, reply) => {
    const feed = Readable.from(writeGoogleFeed(catalogue, shop));
    reply
      .headers(API_HEADERS)
      .header('content-type', 'application/xml; charset=utf-8')
      .header('vary', 'accept-encoding');
    // Read by machines that nearly all take gzip, and too large to be kept: compressed as it goes.
    if (chooseEncoding(request.headers['accept-encoding']) === 'identity') return reply.send(feed);
    const packed = createGzip();
    feed.on('error', (error) => packed.destroy(error));
    return reply.header('content-encoding', 'gzip').send(feed.pipe(packed));
  });
}
