/**
 * Processes that come and go: who is alive, and a lock between them that a killed holder cannot leave behind.
 *
 * A pid alone proves nothing, since it is used again (in a container soon, and by the same program); together with the
 * process's start time it is unique. A killed process whose parent does not reap it stays as a zombie that still answers
 * `kill(pid, 0)`: it counts as gone.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from './error.ts';

const hasProc = existsSync('/proc/self/stat');

/** When the process started, as an opaque word; undefined when there is no such process or it is a zombie. */
export function startOf(pid: number): string | undefined {
  if (!hasProc) {
    const [state, ...start] = ps(pid, 'state=,lstart=').split(/\s+/);
    return !state || state.startsWith('Z') ? undefined : start.join('').replaceAll(':', '');
  }
  const stat = readProc(pid, 'stat');
  // The second field is the program's name in brackets and may hold anything; state and start are fields 3 and 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return stat === '' || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

/** Whether the process is a PostgreSQL server or backend working in the cluster `data`. */
export function isPostgresOf(pid: number, data: string): boolean {
  if (!hasProc) {
    const command = ps(pid, 'command=');
    return command.includes('postgres') && command.includes(data);
  }
  if (readProc(pid, 'comm').trim() !== 'postgres') return false;
  try {
    // PostgreSQL changes into its data folder, and the kernel keeps this link right even when the folder is renamed.
    const [working, wanted] = [statSync(`/proc/${pid}/cwd`), statSync(data)];
    return working.dev === wanted.dev && working.ino === wanted.ino;
  } catch {
    return false;
  }
}

/** All processes of the cluster, where the system can list them (Linux); elsewhere none. */
export function postgresProcesses(data: string): number[] {
  if (!hasProc) return [];
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && isPostgresOf(pid, data));
}

/**
 * Runs `work` while no other holder of the lock `folder` does, in this process or another on the machine.
 *
 * Each contender announces itself by a file named after its process and start, then looks at the others: if one of them
 * is alive it withdraws and tries again. Of two contenders the later to announce sees the earlier, so never do both go
 * on. A dead process's file is ignored and removed by whoever sees it; as no other process can ever have its name, unlike
 * a single lock file that is taken over, removing it can never remove a live holder's.
 *
 * `onWait` is told the holder's pid once when it takes longer than a second. There is no time-out: a holder that lives is
 * at work, and one that dies is noticed.
 */
export async function withLock<T>(folder: string, onWait: (pid: number) => void, work: () => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const mine = join(folder, `${process.pid}-${startOf(process.pid)}-${randomBytes(6).toString('hex')}`);
  const began = Date.now();
  let told = false;
  for (;;) {
    let holder = liveHolder(folder, mine);
    if (holder === undefined) {
      writeFileSync(mine, '');
      holder = liveHolder(folder, mine);
      if (holder === undefined) break;
      rmSync(mine, { force: true });
    }
    if (!told && Date.now() - began > 1000) {
      told = true;
      onWait(holder);
    }
    await sleep(5 + Math.random() * 20);
  }
  try {
    return await work();
  } finally {
    rmSync(mine, { force: true });
  }
}

function liveHolder(folder: string, mine: string): number | undefined {
  for (const name of readdirSync(folder)) {
    if (name === basename(mine)) continue;
    const [pid, start] = name.split('-');
    if (start !== undefined && startOf(Number(pid)) === start) return Number(pid);
    rmSync(join(folder, name), { force: true });
  }
  return undefined;
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return '';
    throw error;
  }
}

function ps(pid: number, columns: string): string {
  try {
    return execFileSync('ps', ['-ww', '-o', columns, '-p', String(pid)], {
      encoding: 'utf8',
      // Start times are written in local time, which would jump with daylight saving.
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return '';
  }
}
