import Type from 'typebox';
import { type Database, sql } from '../db.ts';
import type { Http } from './index.ts';
import { API_HEADERS } from './security-headers.ts';

const READY_MS = 2_000;

/** `/health/live`: the process answers. `/health/ready`: the stores that it needs do too. */
export function registerHealthRoutes(app: Http, db: Database): void {
  const response = {
    200: Type.Object({ status: Type.String() }),
    503: Type.Object({ status: Type.String(), reason: Type.String() }),
  };

  app.get('/health/live', { schema: { response: { 200: response[200] } } }, async (_request, reply) => {
    reply.headers({ ...API_HEADERS, 'cache-control': 'no-store' });
    return { status: 'live' };
  });

  app.get('/health/ready', { schema: { response } }, async (_request, reply) => {
    reply.headers({ ...API_HEADERS, 'cache-control': 'no-store' });
    let timer: NodeJS.Timeout | undefined;
    try {
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new Error('late')), READY_MS);
      });
      await Promise.race([db.one(sql('select 1')), late]);
      return { status: 'ready' };
    } catch {
      reply.code(503).header('retry-after', '2');
      return { status: 'not_ready', reason: 'The database does not answer.' };
    } finally {
      clearTimeout(timer);
    }
  });
}
