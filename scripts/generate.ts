import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { envExample } from '../src/kernel/config.ts';
import { startEmbeddedPostgres } from '../src/kernel/embedded-postgres.ts';
import { createLogger } from '../src/kernel/log.ts';
import { migrate } from '../src/kernel/migrate.ts';
import { describeSql, describeTypes } from './describe-schema.ts';

/**
 * Makes what is generated: `.env.example` from the configuration's table, `migrations/schema.sql` and
 * `src/kernel/tables.ts` from a freshly migrated database. A test fails when one of them is out of date.
 */
const dataDir = mkdtempSync(join(tmpdir(), 'vitrine-generate-'));
// Started as root, the server runs as another user, who must be able to enter the folder.
chmodSync(dataDir, 0o755);
const postgres = await startEmbeddedPostgres({ dataDir, log: () => {}, settings: { fsync: 'off' } });
try {
  await migrate(postgres.url, createLogger('warn'));
  const client = new pg.Client({ connectionString: postgres.url });
  // What goes wrong before it is ended is told by its own error, not by the server's stop.
  client.on('error', () => {});
  await client.connect();
  const files: Record<string, string> = {
    '.env.example': envExample(),
    'migrations/schema.sql': await describeSql(client),
    'src/kernel/tables.ts': await describeTypes(client),
  };
  await client.end();
  for (const [file, text] of Object.entries(files)) {
    const path = new URL(`../${file}`, import.meta.url);
    let before = '';
    try {
      before = readFileSync(path, 'utf8');
    } catch {
      // It is made for the first time.
    }
    if (before !== text) writeFileSync(path, text);
    console.log(`${before === text ? 'unchanged' : 'written  '} ${file}`);
  }
} finally {
  await postgres.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
