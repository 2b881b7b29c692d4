import Type from 'typebox';
import { sql } from '../../kernel/db.ts';
import { defineError } from '../../kernel/errors.ts';
import type { Http } from '../../kernel/http/index.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { PAGING, PageOf, readPage } from '../../kernel/paging.ts';
import { allow, identityOf } from '../accounts/index.ts';
import { MAILBOX } from './index.ts';

const emailNotFound = defineError('email_not_found', 404, 'E-mail not found');

const NO_STORE = { 'cache-control': 'no-store' };
const strict = { additionalProperties: false } as const;
const email = {
  id: Type.String({ format: 'uuid' }),
  template: Type.String(),
  to: Type.String(),
  subject: Type.String(),
  state: Type.Enum(['queued', 'sent', 'failed']),
  created_at: Type.String({ format: 'date-time' }),
};

type Row = { id: string; template: string; to: string; subject: string; state: 'queued' | 'sent' | 'failed'; at: Date };

const COLUMNS = 'e.id, e.template, e.recipient as "to", e.subject, e.state, e.created_at as at';

/** The mailbox: what was written to whom. */
export function registerNotificationRoutes(app: Http, { db, secrets }: Pick<Kernel, 'db' | 'secrets'>): void {
  const tags = ['E-mails'];
  const config = allow('superuser', 'emails:read');
  const present = ({ at, ...row }: Row) => ({ ...row, created_at: at.toISOString() });

  app.get(
    '/api/emails',
    {
      schema: {
        summary: 'List e-mails, the newest first',
        tags,
        querystring: Type.Object(PAGING, strict),
        response: { 200: PageOf(Type.Object(email, strict)) },
      },
      config,
    },
    async (request, reply) => {
      const question = { columns: COLUMNS, from: 'emails e', id: 'e.id', where: [], values: [] };
      const page = await readPage<Row>(db, question, request.query);
      return reply.headers(NO_STORE).send({ ...page, items: page.items.map(present) });
    },
  );

  app.get(
    '/api/emails/:id',
    {
      schema: {
        summary: 'An e-mail with its text',
        description: 'To an API key, links that let their reader into an account are told without their token.',
        tags,
        params: Type.Object({ id: Type.String({ format: 'uuid' }) }, strict),
        response: { 200: Type.Object({ ...email, text: Type.String() }, strict) },
      },
      config,
    },
    async (request, reply) => {
      const row = await db.maybe(
        sql<Row & { body: Buffer }>(`select ${COLUMNS}, e.body from emails e where e.id = $1`, [request.params.id]),
      );
      if (!row) throw emailNotFound('There is no e-mail with this id.');
      const { body, ...mail } = row;
      const text = secrets.decrypt(MAILBOX, body);
      const told = identityOf(request).scopes === null ? text : text.replace(/([?&]token=)[\w-]+/g, '$1…');
      return reply.headers(NO_STORE).send({ ...present(mail), text: told });
    },
  );
}
