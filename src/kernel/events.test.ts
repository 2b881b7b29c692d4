import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sql } from './db.ts';
import { type LoggedEvent, readEvents, type Subscriber } from './events.ts';
import { startJobs } from './jobs.ts';
import { cloneDatabase, eventually, fakeClock, testKernel, testKernelHere } from './testing/index.ts';

const made = (n: number) => ({ type: 'thing.made', subject: { type: 'thing', id: String(n) }, data: { n } });

describe('the event log', () => {
  it('holds an event if and only if its transaction committed', async () => {
    const { db, events } = await testKernelHere();
    await db.transaction((tx) => events.append(tx, made(1)));
    await expect(
      db.transaction(async (tx) => {
        await events.append(tx, made(2));
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await events.flush();
    expect((await readEvents(db, { after: 0, limit: 1_000 })).map((event) => event.subject_id)).toEqual(['1']);
  });

  it('numbers what commits late after what committed before, without a gap, and delays nobody else', async () => {
    const { db, events } = await testKernelHere();
    const seen: LoggedEvent[] = [];
    events.follow((event) => seen.push(event));
    let release!: () => void;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = db.transaction(async (tx) => {
      await events.append(tx, made(0));
      await held;
    });
    await sleep(20);
    await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        await sleep(Math.random() * 30);
        await db.transaction((tx) => events.append(tx, made(i + 1)));
      }),
    );
    await eventually(() => expect(seen.length).toBe(40));
    release();
    await slow;
    await eventually(() => expect(seen.length).toBe(41));
    expect(seen.at(-1)?.subject_id).toBe('0');
    expect(seen.map((event) => event.position)).toEqual(Array.from({ length: 41 }, (_, i) => i + 1));
  });

  it('lets two processes relay at once without a gap or a repeat, and both follow', async () => {
    const database = await cloneDatabase();
    const [one, two] = [
      await testKernel({ databaseUrl: database.url }),
      await testKernel({ databaseUrl: database.url }),
    ];
    onTestFinished(async () => {
      await one.close();
      await two.close();
      await database.drop();
    });
    const seen = { one: [] as number[], two: [] as number[] };
    one.events.follow((event) => seen.one.push(event.position));
    two.events.follow((event) => seen.two.push(event.position));
    await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        (i % 2 ? one : two).db.transaction((tx) => (i % 2 ? one : two).events.append(tx, made(i))),
      ),
    );
    const all = Array.from({ length: 200 }, (_, i) => i + 1);
    await eventually(() => expect(seen).toEqual({ one: all, two: all }));
    const ids = (await readEvents(one.db, { after: 0, limit: 1_000 }))
      .map((event) => Number(event.subject_id))
      .sort((a, b) => a - b);
    expect(ids).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  it('reaches a follower within a second even when every message of the bus is lost', async () => {
    const deaf = await testKernelHere();
    const database = deaf.directUrl;
    const other = await testKernel({ databaseUrl: database });
    onTestFinished(() => other.close());
    await deaf.bus.close();
    const seen: number[] = [];
    deaf.events.follow((event) => seen.push(event.position));
    await other.db.transaction((tx) => other.events.append(tx, made(1)));
    await eventually(() => expect(seen).toEqual([1]), 1_000);
  });

  it('forgets what is older than it has to keep', async () => {
    const clock = fakeClock('2026-01-01T00:00:00.000Z');
    const { db, events, log } = await testKernelHere({ clock, env: { EVENT_RETENTION_DAYS: '30' } });
    await db.transaction((tx) => events.append(tx, made(1)));
    await events.flush();
    clock.advance(29 * 86_400_000);
    await db.transaction((tx) => events.append(tx, made(2)));
    await events.flush();
    const expire = events.jobs.find((job) => job.name === 'events.expire')!;
    const run = () => expire.run({} as never, { signal: AbortSignal.timeout(1_000), log, isLastAttempt: false });
    await run();
    expect((await readEvents(db, { after: 0, limit: 1_000 })).map((event) => event.subject_id)).toEqual(['1', '2']);
    clock.advance(2 * 86_400_000);
    await run();
    expect((await readEvents(db, { after: 0, limit: 1_000 })).map((event) => event.subject_id)).toEqual(['2']);
    // Positions go on where they were.
    await db.transaction((tx) => events.append(tx, made(3)));
    await events.flush();
    expect((await readEvents(db, { after: 0, limit: 1_000 })).map((event) => event.position)).toEqual([2, 3]);
  });

  it('delivers to each subscriber by job, once in effect, and a failing one holds up nobody', async () => {
    const handled: string[] = [];
    let failures = 0;
    const subscribers: Subscriber[] = [
      {
        name: 'good',
        types: ['thing.made'],
        async handle(tx, event) {
          await tx.run(
            sql("insert into shop_settings (name, value) values ($1, 'x')", [`handled ${event.subject_id}`]),
          );
          handled.push(event.subject_id);
        },
      },
      {
        name: 'bad',
        types: ['thing.made'],
        async handle() {
          failures += 1;
          throw new Error('always');
        },
      },
    ];
    const kernel = await testKernelHere();
    for (const subscriber of subscribers) kernel.events.subscribe(subscriber);
    const jobs = await startJobs({ url: kernel.directUrl, jobs: kernel.events.jobs, concurrency: 2, log: kernel.log });
    onTestFinished(() => jobs.stop());
    for (let i = 0; i < 5; i++) await kernel.db.transaction((tx) => kernel.events.append(tx, made(i)));
    await eventually(() => expect(handled.toSorted()).toEqual(['0', '1', '2', '3', '4']), 10_000);
    await eventually(() => expect(failures).toBeGreaterThanOrEqual(5));
    // The same delivery again, as after a worker's death between effect and completion.
    const deliver = kernel.events.jobs.find((job) => job.name === 'events.deliver')!;
    await deliver.run({ position: 1, subscriber: 'good' } as never, {
      signal: AbortSignal.timeout(1_000),
      isLastAttempt: false,
      log: kernel.log,
    });
    expect(handled.length).toBe(5);
  });
});
