import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const fileOf = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** Runs a script of this folder in a process of its own and answers the JSON of its last line. */
export async function runScript<T>(name: string, args: string[], env: Record<string, string> = {}): Promise<T> {
  const child = spawn(process.execPath, [fileOf(name), ...args], {
    env: { ...process.env, LOG_LEVEL: 'error', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let last = '';
  for await (const line of createInterface({ input: child.stdout })) if (line.trim()) last = line;
  if (child.exitCode === null) await once(child, 'exit');
  if (child.exitCode !== 0) throw new Error(`${name} ended with code ${child.exitCode}`);
  return JSON.parse(last) as T;
}

export type Server = { url: string; pid: number; stop(): Promise<void> };

/** Starts a script that prints its address in its first line. */
export async function startServer(name: string, args: string[], env: Record<string, string> = {}): Promise<Server> {
  const child: ChildProcess = spawn(process.execPath, [fileOf(name), ...args], {
    env: { ...process.env, LOG_LEVEL: 'error', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout! }), 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error(`${name} ended before it listened`))),
  ])) as [string];
  return {
    url: line,
    pid: child.pid!,
    async stop() {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

export type Obedient = {
  first: string;
  ask<T>(order: object): Promise<T>;
  hear<T>(): Promise<T>;
  stop(): Promise<void>;
};

/** Starts a script that prints a first line and then answers orders, lines of JSON both. */
export async function startObedient(name: string, args: string[]): Promise<Obedient> {
  const child = spawn(process.execPath, [fileOf(name), ...args], {
    env: { ...process.env, LOG_LEVEL: 'error' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${name} ended before it answered`);
    return value;
  };
  const hear = async <T>() => JSON.parse(await next()) as T;
  return {
    first: await next(),
    hear,
    async ask(order) {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      return hear();
    },
    async stop() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}
