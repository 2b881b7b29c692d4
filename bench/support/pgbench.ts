import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';

/**
 * pgbench (of Debian’s package postgresql) runs statements as fast as the server does them, with a client that costs next
 * to nothing: what a shop in Node can be measured against.
 */

export type Script = {
  /** Where the script is written to. */
  path: string;
  text: string;
};

/** Whether there is one; says plainly what to do when there is none. */
export async function hasPgbench(): Promise<boolean> {
  try {
    await promisify(execFile)('pgbench', ['--version']);
    return true;
  } catch {
    console.log('  There is no pgbench here, so checkouts have no limit to stand beside: apt-get install postgresql');
    return false;
  }
}

/** Transactions per second of `clients`, each of which runs the script `each` times. Throws unless all of them succeed. */
export async function pgbench(
  url: string,
  { path, text }: Script,
  { clients, each, variables }: { clients: number; each: number; variables: Readonly<Record<string, number>> },
): Promise<number> {
  writeFileSync(path, text);
  const given = Object.entries(variables).flatMap(([name, value]) => ['-D', `${name}=${value}`]);
  const { stdout, stderr } = await promisify(execFile)('pgbench', [
    ...['-n', '-M', 'prepared', '-c', String(clients), '-j', '1', '-t', String(each), '-f', path],
    ...given,
    url,
  ]);
  if (!stdout.includes(`processed: ${clients * each}/${clients * each}`))
    throw new Error(`pgbench did not do all of it:\n${stderr}`);
  return Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1]);
}
