import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startOf, withLock } from './processes.ts';

let folder: string;
let children: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-lock-'));
  children = [];
});

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

const none = () => undefined;
const lock = () => join(folder, 'locks');

/** A process that has ended and whose parent does not reap it. */
async function zombie(): Promise<number> {
  const parent = spawn('sh', ['-c', 'sleep 0.5 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(parent);
  const [chunk] = await once(parent.stdout, 'data');
  const pid = Number(String(chunk));
  expect(startOf(pid)).toMatch(/^\d+$/);
  await expect.poll(() => startOf(pid), { timeout: 15_000 }).toBeUndefined();
  expect(() => process.kill(pid, 0)).not.toThrow();
  return pid;
}

test('a start time tells a process from a later one of the same number', async () => {
  expect(startOf(process.pid)).toBe(startOf(process.pid));
  const child = spawn('sleep', ['60']);
  children.push(child);
  expect(startOf(child.pid!)).not.toBe(startOf(process.pid));
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(startOf(child.pid!)).toBeUndefined();
});

test('one at a time holds the lock, among processes and within one', async () => {
  const code = `
    const { withLock } = await import(${JSON.stringify(new URL('./processes.ts', import.meta.url).href)});
    const { mkdirSync, rmdirSync } = await import('node:fs');
    const round = () => withLock(${JSON.stringify(lock())}, () => undefined, async () => {
      mkdirSync(${JSON.stringify(join(folder, 'busy'))}); // fails when another is here
      await new Promise((resolve) => setImmediate(resolve));
      rmdirSync(${JSON.stringify(join(folder, 'busy'))});
    });
    const until = Date.now() + 1500;
    let rounds = 0;
    const rounder = async () => { for (; Date.now() < until; rounds++) await round(); };
    await Promise.all([rounder(), rounder()]);
    if (rounds === 0) throw new Error('never had the lock');`;
  const results = [1, 2, 3].map(async () => {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', code],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    children.push(child);
    let words = '';
    child.stderr.on('data', (chunk) => {
      words += chunk;
    });
    await once(child, 'close');
    return words;
  });
  expect(await Promise.all(results)).toEqual(['', '', '']);
  expect(readdirSync(lock())).toEqual([]);
});

test('what dead holders left is no obstacle: a gone process, a zombie, a number in use again, no name of ours', async () => {
  mkdirSync(lock());
  const dead = spawn('true');
  await once(dead, 'exit');
  const undead = await zombie();
  const start = readFileSync(`/proc/${undead}/stat`, 'utf8').split(') ')[1]!.split(' ')[19];
  for (const name of [`${dead.pid}-1-a`, `${undead}-${start}-b`, `${process.ppid}-1-c`, '.DS_Store']) {
    writeFileSync(join(lock(), name), '');
  }
  expect(await withLock(lock(), none, async () => readdirSync(lock()))).toHaveLength(1);
  expect(readdirSync(lock())).toEqual([]);
});

test('a live holder is waited for, and named when that takes long', async () => {
  const holder = spawn('sleep', ['60']);
  children.push(holder);
  mkdirSync(lock());
  writeFileSync(join(lock(), `${holder.pid}-${startOf(holder.pid!)}-a`), '');
  const waitedFor: number[] = [];
  let held = false;
  const waiting = withLock(
    lock(),
    (pid) => waitedFor.push(pid),
    async () => {
      held = true;
    },
  );
  await expect.poll(() => waitedFor, { timeout: 15_000 }).toEqual([holder.pid]);
  expect(held).toBe(false);
  holder.kill('SIGKILL');
  await waiting;
  expect(held).toBe(true);
});

test('the lock is given back when the work fails', async () => {
  await expect(withLock(lock(), none, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(await withLock(lock(), none, async () => 'next')).toBe('next');
});
