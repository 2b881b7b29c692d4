import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import pg from 'pg';

/**
 * What the shop is measured against: Fastify, bare. `limit-server.ts constant <file>` answers the file's bytes;
 * `limit-server.ts query <url> <file>` runs the statements in the file, prepared by name, and answers their rows.
 */
const [kind, first, second] = process.argv.slice(2) as [string, string, string];
const app = Fastify();

if (kind === 'constant') {
  const body = readFileSync(first, 'utf8');
  app.get('/', (_request, reply) => reply.type('application/json; charset=utf-8').send(body));
} else {
  pg.types.setTypeParser(pg.types.builtins.INT8, Number);
  const pool = new pg.Pool({ connectionString: first, max: 10 });
  const statements = (JSON.parse(readFileSync(second, 'utf8')) as { text: string; values: unknown[] }[]).map(
    (statement, i) => ({ ...statement, name: `s${i}` }),
  );
  app.get('/', async (_request, reply) => {
    const rows: unknown[] = [];
    for (const statement of statements) rows.push(...(await pool.query(statement)).rows);
    return reply.type('application/json; charset=utf-8').send(JSON.stringify({ items: rows }));
  });
}
await app.listen({ host: '127.0.0.1', port: 0 });
console.log(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`);
process.on('SIGTERM', () => process.exit());
