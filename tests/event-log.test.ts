import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sql, type Tx } from '../src/kernel/db.ts';
import { readEvents, readLogEnds } from '../src/kernel/events.ts';
import { startJobs } from '../src/kernel/jobs.ts';
import { createKernel, type Kernel } from '../src/kernel/kernel.ts';
import { createLogger } from '../src/kernel/log.ts';
import { cloneDatabase, eventually, testConfig } from '../src/kernel/testing/index.ts';
import { WITNESSED, witness } from './support/witness.ts';

/** The event log under many writers, while the processes that relay are killed. */

const WRITERS = 50;
const WRITING_MS = 12_000;
const HELD_MS = 10_000;
const RELAYS = 3;
const LATE_MS = 3_000;

function startRelay(databaseUrl: string): ChildProcess {
  return spawn(process.execPath, [fileURLToPath(new URL('support/relay-process.ts', import.meta.url))], {
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: databaseUrl,
      DATABASE_POOL_SIZE: '4',
      SECRET_KEY: 'a secret that only tests have, and all of them',
      LOG_LEVEL: 'silent',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

const ready = (child: ChildProcess) => once(child.stdout!, 'data');

async function killed(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** A kernel that appends and reads but relays nothing. */
async function writingKernel(databaseUrl: string): Promise<Kernel> {
  const kernel = await createKernel({
    config: testConfig({ DATABASE_POOL_SIZE: String(WRITERS + 3) }),
    databaseUrl,
    log: createLogger('silent'),
  });
  await kernel.db.run(sql(WITNESSED));
  return kernel;
}

/** Notes when events first stand in the log, by their subjects. */
function watchLog({ db }: Kernel): { readonly seenAt: ReadonlyMap<string, number>; stop(): Promise<void> } {
  const seenAt = new Map<string, number>();
  let stopped = false;
  const watching = (async () => {
    for (let after = 0; !stopped; await sleep(20)) {
      const events = await readEvents(db, { after, limit: 10_000 });
      for (const event of events) if (!seenAt.has(event.subject_id)) seenAt.set(event.subject_id, Date.now());
      after = events.at(-1)?.position ?? after;
    }
  })();
  return {
    seenAt,
    stop() {
      stopped = true;
      return watching;
    },
  };
}

class ChangedMind extends Error {}

/** Writes until the time is over; one transaction in six is taken back. Fills `committed` with when each one committed. */
async function writeUntil(end: number, { db, events }: Kernel, writer: number, committed: Map<string, number>) {
  for (let n = 0; Date.now() < end; n++) {
    const subjects = Array.from({ length: 1 + (n % 3) }, (_, i) => `${writer}-${n}-${i}`);
    const append = async (tx: Tx, id: string) => {
      await events.append(tx, { type: 'thing.made', subject: { type: 'thing', id } });
      await sleep(Math.random() * 100);
    };
    try {
      await db.transaction(async (tx) => {
        for (const id of subjects) await append(tx, id);
        if (Math.random() < 1 / 6) throw new ChangedMind();
      });
      for (const id of subjects) committed.set(id, Date.now());
    } catch (error) {
      if (!(error instanceof ChangedMind)) throw error;
    }
    await sleep(Math.random() * 100);
  }
}

describe('50 writers, one transaction held open for 10 s, and a relay killed ten times', () => {
  it('lose and repeat nothing, skip no position, and delay only the held transaction’s events', async () => {
    const database = await cloneDatabase();
    const kernel = await writingKernel(database.url);
    const relays = Array.from({ length: RELAYS }, () => startRelay(database.url));
    const log = watchLog(kernel);
    onTestFinished(async () => {
      for (const relay of relays) relay.kill('SIGKILL');
      await log.stop();
      await kernel.close();
      await database.drop();
    });
    await Promise.all(relays.map(ready));

    const committed = new Map<string, number>();
    const end = Date.now() + WRITING_MS;
    const hold = kernel.db.transaction(async (tx) => {
      await kernel.events.append(tx, { type: 'thing.made', subject: { type: 'thing', id: 'held' } });
      await sleep(HELD_MS);
    });
    const kill = async () => {
      for (let i = 0; i < 10; i++) {
        await sleep(Math.random() * 1_500);
        const next = startRelay(database.url);
        await killed(relays.shift()!);
        relays.push(next);
        await ready(next);
      }
    };
    const holding = hold.then(() => committed.set('held', Date.now()));
    const [, countedWhileHeld] = await Promise.all([
      kill(),
      sleep(HELD_MS - 100).then(() => readLogEnds(kernel.db)),
      holding,
      ...Array.from({ length: WRITERS }, (_, i) => writeUntil(end, kernel, i, committed)),
    ]);

    // Every committed event once, none that was taken back, and no hole.
    await eventually(async () => {
      expect(await kernel.db.maybe(sql('select from outbox limit 1'))).toBeUndefined();
      expect(log.seenAt.size).toBe(committed.size);
    }, 10_000);
    const logged = await readEvents(kernel.db, { after: 0, limit: 1_000_000 });
    expect(logged.length).toBeGreaterThan(1_000);
    expect(logged.map((event) => event.position)).toEqual(logged.map((_, i) => i + 1));
    expect(logged.map((event) => event.subject_id).sort()).toEqual([...committed.keys()].sort());

    // What was not held was in the log soon after its commit, while the held transaction was open too.
    const lateness = [...committed].map(([id, at]) => log.seenAt.get(id)! - at);
    expect(Math.max(...lateness)).toBeLessThan(LATE_MS);
    const heldAt = logged.find((event) => event.subject_id === 'held')!.position;
    expect(heldAt).toBeGreaterThan(countedWhileHeld.head);
    expect(countedWhileHeld.head).toBeGreaterThan(committed.size / 2);

    // To the subscriber each came once in effect, though workers were killed between effect and completion.
    await Promise.all(relays.map(killed));
    await kernel.db.run(sql('update graphile_worker._private_jobs set locked_at = null, locked_by = null'));
    kernel.events.subscribe(witness);
    const jobs = await startJobs({ url: database.url, jobs: kernel.events.jobs, concurrency: 4, log: kernel.log });
    onTestFinished(() => jobs.stop());
    await eventually(async () => {
      expect(await kernel.db.maybe(sql('select from graphile_worker._private_jobs limit 1'))).toBeUndefined();
    }, 60_000);
    const effects = await kernel.db.many(sql<{ event_id: string }>('select event_id from witnessed order by position'));
    expect(effects.map((effect) => effect.event_id)).toEqual(logged.map((event) => event.event_id));
  }, 120_000);
});
