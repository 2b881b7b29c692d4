import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Sql, type Statement, sql } from './db.ts';
import {
  createEvents,
  type LoggedEvent,
  type NewEvent,
  readEvents,
  readEventsBefore,
  readLogEnds,
  type Subscriber,
} from './events.ts';
import { startJobs } from './jobs.ts';
import type { Kernel } from './kernel.ts';
import { cloneDatabase, eventually, fakeClock, testKernel, testKernelHere } from './testing/index.ts';

const made = (n: number) => ({ type: 'thing.made', subject: { type: 'thing', id: String(n) }, data: { n } });

const append = ({ db, events }: Kernel, event: NewEvent) => db.transaction((tx) => events.append(tx, event));

/** Puts many into the outbox at once, as if a relay had been away. */
const fill = ({ db }: Kernel, count: number, type = 'thing.made') =>
  db.run(
    sql(
      `insert into outbox (event_id, type, occurred_at, subject_type, subject_id)
       select gen_random_uuid(), $2, now(), 'thing', n::text from generate_series(1, $1) n`,
      [count, type],
    ),
  );

const subjects = async ({ db }: Kernel) =>
  (await readEvents(db, { after: 0, limit: 100_000 })).map((event) => event.subject_id);

const waitingJobs = ({ db }: Kernel) =>
  db.many(
    sql<{ position: number; subscriber: string }>(
      `select (payload ->> 'position')::int as position, payload ->> 'subscriber' as subscriber
       from graphile_worker._private_jobs order by 1, 2`,
    ),
  );

/** A second process of the same shop. */
async function anotherOf(kernel: Kernel): Promise<Kernel> {
  const other = await testKernel({ databaseUrl: kernel.directUrl });
  onTestFinished(() => other.close());
  return other;
}

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

describe('the relay', () => {
  it('drains 20,000 at once, in their order, and shows each to the followers once', async () => {
    const kernel = await testKernelHere();
    const seen: number[] = [];
    kernel.events.follow((event) => seen.push(Number(event.subject_id)));
    await fill(kernel, 20_000);
    await kernel.events.flush();
    expect(seen).toEqual(Array.from({ length: 20_000 }, (_, i) => i + 1));
    expect(await readLogEnds(kernel.db)).toEqual({ head: 20_000, expiredThrough: 0 });
  });

  it('answers a flush, and shows the caller’s event, however much is written meanwhile', async () => {
    const kernel = await testKernelHere();
    const other = await anotherOf(kernel);
    const seen = new Set<string>();
    kernel.events.follow((event) => seen.add(event.subject_id));
    let isOver = false;
    const writers = Array.from({ length: 12 }, async (_, i) => {
      while (!isOver) await append(i % 2 ? kernel : other, made(0));
    });
    const waits: number[] = [];
    for (let n = 1; n <= 20; n++) {
      const before = performance.now();
      await append(kernel, made(n));
      await kernel.events.flush();
      expect(seen).toContain(String(n));
      waits.push(performance.now() - before);
    }
    isOver = true;
    await Promise.all(writers);
    expect(Math.max(...waits)).toBeLessThan(2_000);
  });

  it('shows what it has moved although the other processes cannot be told', async () => {
    const kernel = await testKernelHere();
    await kernel.events.stop();
    const { db, bus, clock, log } = kernel;
    const publish = () => Promise.reject(new Error('no connection'));
    const events = createEvents({ db, bus: { ...bus, publish }, clock, log, retentionDays: 1 });
    const seen: string[] = [];
    events.follow((event) => seen.push(event.subject_id));
    await events.start();
    onTestFinished(() => events.stop());
    await events.flush();
    await fill(kernel, 1);
    await events.flush();
    expect(seen).toEqual(['1']);
  });

  it('goes on past a follower that throws, and shows the event to the others', async () => {
    const kernel = await testKernelHere();
    const seen: string[] = [];
    kernel.events.follow((event) => {
      if (event.subject_id === '2') throw new Error('not this one');
    });
    kernel.events.follow((event) => seen.push(event.subject_id));
    for (const n of [1, 2, 3]) await append(kernel, made(n));
    await kernel.events.flush();
    expect(seen).toEqual(['1', '2', '3']);
    expect(kernel.events.position()).toBe(3);
  });

  it('moves a batch whole or not at all when its connection is cut in the middle of it', async () => {
    const kernel = await testKernelHere();
    let cuts = 0;
    kernel.events.subscribe({
      name: 'cutter',
      types: ['thing.made'],
      async wanted(target) {
        const cut = `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and state = 'idle in transaction'`;
        if (cuts++ < 3) expect(await target.many(sql(cut))).toHaveLength(1);
        return true;
      },
      async handle() {},
    });
    const seen: string[] = [];
    kernel.events.follow((event) => seen.push(event.subject_id));
    await fill(kernel, 3);
    await kernel.events.flush();
    expect(seen).toEqual([]);
    expect(await subjects(kernel)).toEqual([]);
    await eventually(() => expect(seen).toEqual(['1', '2', '3']));
    expect(await subjects(kernel)).toEqual(['1', '2', '3']);
    expect((await waitingJobs(kernel)).map((job) => job.position)).toEqual([1, 2, 3]);
  });

  it('is not held up by one that is frozen in the middle of a batch', async () => {
    const kernel = await testKernelHere();
    const other = await anotherOf(kernel);
    let thaw!: () => void;
    const frozen = new Promise<boolean>((resolve) => {
      thaw = () => resolve(true);
    });
    onTestFinished(() => thaw());
    let hasBegun = false;
    kernel.events.subscribe({
      name: 'frozen',
      types: ['thing.made'],
      wanted() {
        hasBegun = true;
        return frozen;
      },
      async handle() {},
    });
    await other.events.stop();
    await append(kernel, made(1));
    await eventually(() => expect(hasBegun).toBe(true));
    await other.events.start();
    const seen: string[] = [];
    other.events.follow((event) => seen.push(event.subject_id));
    await append(other, made(2));
    await eventually(() => expect(seen).toEqual(['1', '2']), 8_000);
  });

  it('stops at once with a full outbox, whose events the next start shows', async () => {
    const kernel = await testKernelHere();
    const seen: number[] = [];
    kernel.events.follow((event) => seen.push(event.position));
    await fill(kernel, 30_000);
    const flushed = kernel.events.flush();
    await sleep(50);
    await kernel.events.stop();
    await flushed;
    const { head } = await readLogEnds(kernel.db);
    expect(head).toBeLessThan(30_000);
    await kernel.events.flush();
    expect((await readLogEnds(kernel.db)).head).toBe(head);
    seen.length = 0;
    await kernel.events.start();
    await kernel.events.flush();
    expect(seen).toEqual(Array.from({ length: 30_000 - head }, (_, i) => head + 1 + i));
  });

  it('begins to show after what stands in the log, with what has been committed but not moved', async () => {
    const kernel = await testKernelHere();
    await append(kernel, made(1));
    await kernel.events.flush();
    await kernel.events.stop();
    await append(kernel, made(2));
    const other = await anotherOf(kernel);
    const seen: string[] = [];
    other.events.follow((event) => seen.push(event.subject_id));
    await append(other, made(3));
    await other.events.flush();
    expect(seen).toEqual(['2', '3']);
  });
});

describe('an event', () => {
  it('may be as large as a megabyte and hold any text that is text', async () => {
    const kernel = await testKernelHere();
    const data = {
      large: 'x'.repeat(1_000_000),
      odd: '\u{1F6CD}\u200d \u202e\u0301 \uffff \u2028 \u0001 " \\ \\u0000 Ａ ß',
      'a "key"': [null, 1e21, -0.1, true, { '': [] }],
    };
    await append(kernel, { ...made(1), data, changes: { name: { from: null, to: data.odd } } });
    await append(kernel, made(2));
    await kernel.events.flush();
    const [event, next] = await readEvents(kernel.db, { after: 0, limit: 10 });
    expect(event).toMatchObject({ data, changes: { name: { from: null, to: data.odd } } });
    expect(next).toMatchObject({ subject_id: '2' });
  });

  it.each(['a \0 in it', 'half a \ud83d pair'])('that is no text (%j) is refused with its change', async (text) => {
    const kernel = await testKernelHere();
    const change = kernel.db.transaction(async (tx) => {
      await tx.run(sql("insert into shop_settings (name, value) values ('changed', 'yes')"));
      await kernel.events.append(tx, { ...made(1), data: { text } });
    });
    await expect(change).rejects.toMatchObject({ code: expect.stringMatching(/^22P0[25]$/) });
    await append(kernel, made(2));
    await kernel.events.flush();
    expect(await subjects(kernel)).toEqual(['2']);
    expect(await kernel.db.maybe(sql("select from shop_settings where name = 'changed'"))).toBeUndefined();
  });
});

describe('readers of the log', () => {
  it('ask for types as they stand, for all that begin alike, for every one, or for one user’s notices', async () => {
    const kernel = await testKernelHere();
    const [ann, ben] = ['00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000b'];
    const types = ['product.updated', 'product.created', 'productive', 'stock.adjusted', 'product.updated'];
    for (const [i, type] of types.entries())
      await append(kernel, {
        type,
        subject: { type: 'x', id: String(i + 1) },
        userId: [null, ann, ben, ann, null][i]!,
      });
    await kernel.events.flush();
    const positions = async (query: Partial<Parameters<typeof readEvents>[1]>) =>
      (await readEvents(kernel.db, { after: 0, limit: 100, ...query } as Parameters<typeof readEvents>[1])).map(
        (event) => event.position,
      );
    expect(await positions({ types: ['product.updated'] })).toEqual([1, 5]);
    expect(await positions({ types: ['product.*'] })).toEqual([1, 2, 5]);
    expect(await positions({ types: ['product.*', 'stock.adjusted'], after: 1 })).toEqual([2, 4, 5]);
    expect(await positions({ types: ['product.*', 'product.updated'], limit: 2 })).toEqual([1, 2]);
    expect(await positions({ types: ['*'] })).toEqual([1, 2, 3, 4, 5]);
    expect(await positions({ types: ['nothing.such', ''] })).toEqual([]);
    expect(await positions({ types: [] })).toEqual([]);
    const backwards = await readEventsBefore(kernel.db, {
      before: 5,
      limit: 2,
      types: ['product.*', 'stock.adjusted'],
    });
    expect(backwards.map((event) => event.position)).toEqual([4, 2]);
    expect(await positions({})).toEqual([1, 2, 3, 4, 5]);
    expect(await positions({ userId: ann })).toEqual([2, 4]);
    expect(await positions({ userId: ann, after: 2 })).toEqual([4]);
    expect(await positions({ userId: ben, limit: 1 })).toEqual([3]);
  });

  it('find a rare type, and one user’s notices, among 50,000 others by an index', async () => {
    const kernel = await testKernelHere();
    const userId = '00000000-0000-7000-8000-00000000000a';
    await fill(kernel, 25_000);
    await append(kernel, { type: 'rare.one', subject: { type: 'x', id: '1' }, userId });
    await fill(kernel, 25_000, 'thing.changed');
    await kernel.events.flush();
    await kernel.db.run(sql('vacuum analyze events'));
    for (const query of [{ types: ['rare.*'] }, { types: ['rare.one', 'thing.none'] }, { userId }]) {
      const statements: Statement[] = [];
      const recording: Sql = {
        ...kernel.db,
        many(statement) {
          statements.push(statement as Statement);
          return kernel.db.many(statement);
        },
      };
      expect((await readEvents(recording, { after: 0, limit: 1_000, ...query })).length).toBe(1);
      // Of two statements the second could see an event that the first could not, and one before it go unseen.
      expect(statements.length).toBe(1);
      for (const { text, values } of statements) {
        const plan = await kernel.db.one<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>({
          text: `explain (analyze, buffers, format json) ${text}`,
          values,
        });
        const told = JSON.stringify(plan);
        expect(told).not.toMatch(/"Seq Scan"/);
        const { 'Shared Hit Blocks': hit, 'Shared Read Blocks': read } = plan['QUERY PLAN'][0].Plan;
        expect(hit! + read!).toBeLessThan(40);
      }
    }
  });
});

describe('retention', () => {
  const DAY = 86_400_000;
  const clock = fakeClock('2026-01-01T00:00:00.000Z');
  const open = async () => {
    clock.set('2026-01-01T00:00:00.000Z');
    const kernel = await testKernelHere({ clock, env: { EVENT_RETENTION_DAYS: '30' } });
    const expire = kernel.events.jobs.find((job) => job.name === 'events.expire')!;
    return {
      kernel,
      expire: () =>
        expire.run({} as never, { signal: AbortSignal.timeout(1_000), log: kernel.log, isLastAttempt: false }),
      async at(day: number, n: number) {
        clock.set(new Date(Date.parse('2026-01-01T00:00:00.000Z') + day * DAY).toISOString());
        await append(kernel, made(n));
        await kernel.events.flush();
      },
      left: async () => ({
        positions: (await readEvents(kernel.db, { after: 0, limit: 100 })).map((event) => event.position),
        ...(await readLogEnds(kernel.db)),
      }),
    };
  };

  it('forgets what is older than it has to keep, says so, and positions go on', async () => {
    const { kernel, expire, at, left } = await open();
    await at(0, 1);
    await at(0, 2);
    await at(29, 3);
    await expire();
    expect(await left()).toEqual({ positions: [1, 2, 3], head: 3, expiredThrough: 0 });
    await at(31, 4);
    await expire();
    await expire();
    expect(await left()).toEqual({ positions: [3, 4], head: 4, expiredThrough: 2 });
    clock.advance(100 * DAY);
    await expire();
    expect(await left()).toEqual({ positions: [], head: 4, expiredThrough: 4 });
    await expire();
    expect(await left()).toEqual({ positions: [], head: 4, expiredThrough: 4 });
    await append(kernel, made(5));
    await kernel.events.flush();
    expect(await left()).toEqual({ positions: [5], head: 5, expiredThrough: 4 });
  });

  it('keeps an old event that was committed late until all before it are old: what goes is the log’s beginning', async () => {
    const { kernel, expire, at, left } = await open();
    let commit!: () => void;
    const late = kernel.db.transaction(async (tx) => {
      await kernel.events.append(tx, made(0));
      await new Promise<void>((resolve) => {
        commit = resolve;
      });
    });
    await sleep(20);
    await at(20, 1);
    commit();
    await late;
    await kernel.events.flush();
    clock.advance(15 * DAY);
    await expire();
    expect(await left()).toEqual({ positions: [1, 2], head: 2, expiredThrough: 0 });
    clock.advance(20 * DAY);
    await expire();
    expect(await left()).toEqual({ positions: [], head: 2, expiredThrough: 2 });
  });

  it('keeps no relay waiting, however long it takes', async () => {
    const { kernel, expire, at } = await open();
    await at(0, 1);
    clock.advance(40 * DAY);
    await kernel.db.run(
      sql(`create function dawdle() returns trigger language plpgsql as 'begin perform pg_sleep(1); return null; end'`),
    );
    await kernel.db.run(sql('create trigger dawdle after delete on events for each row execute function dawdle()'));
    const expiring = expire();
    await sleep(100);
    const before = performance.now();
    await append(kernel, made(2));
    await kernel.events.flush();
    expect(performance.now() - before).toBeLessThan(500);
    expect(kernel.events.position()).toBe(2);
    await expiring;
    expect(await readLogEnds(kernel.db)).toEqual({ head: 2, expiredThrough: 1 });
  });
});

describe('subscribers', () => {
  const quiet = { async handle() {} };

  it('get jobs for their own types, and none while they want nothing', async () => {
    const kernel = await testKernelHere();
    const setting = "select from shop_settings where name = 'wanted'";
    kernel.events.subscribe({
      ...quiet,
      name: 'choosy',
      types: ['thing.*'],
      wanted: async (tx) => (await tx.maybe(sql(setting))) !== undefined,
    });
    kernel.events.subscribe({ ...quiet, name: 'all', types: ['*'] });
    await append(kernel, made(1));
    await append(kernel, { ...made(2), type: 'other.made' });
    await kernel.events.flush();
    expect(await waitingJobs(kernel)).toEqual([
      { position: 1, subscriber: 'all' },
      { position: 2, subscriber: 'all' },
    ]);
    // From the very transaction on in which it begins to want something.
    await kernel.db.transaction(async (tx) => {
      await kernel.events.append(tx, made(3));
      await tx.run(sql("insert into shop_settings (name, value) values ('wanted', 'yes')"));
    });
    await kernel.events.flush();
    expect((await waitingJobs(kernel)).filter((job) => job.position === 3).map((job) => job.subscriber)).toEqual([
      'all',
      'choosy',
    ]);
  });

  it('that fail to say whether they want anything hold up no batch, and get their events', async () => {
    const kernel = await testKernelHere();
    kernel.events.subscribe({
      ...quiet,
      name: 'broken',
      types: ['thing.made'],
      wanted: async (tx) => (await tx.one(sql('select 1 / 0'))) !== undefined,
    });
    kernel.events.subscribe({
      ...quiet,
      name: 'broken too',
      types: ['thing.made'],
      wanted() {
        throw new Error('no idea');
      },
    });
    const seen: string[] = [];
    kernel.events.follow((event) => seen.push(event.subject_id));
    await append(kernel, made(1));
    await eventually(() => expect(seen).toEqual(['1']));
    await append(kernel, made(2));
    await eventually(() => expect(seen).toEqual(['1', '2']));
    expect(await waitingJobs(kernel)).toEqual(
      [1, 2].flatMap((position) => ['broken', 'broken too'].map((subscriber) => ({ position, subscriber }))),
    );
  });

  it('that always throw end in the dead letters, and block nothing behind them', async () => {
    const kernel = await testKernelHere();
    const handled = new Set<number>();
    const tried = new Set<number>();
    kernel.events.subscribe({
      name: 'hopeless',
      types: ['thing.made'],
      async handle(_, event) {
        tried.add(event.position);
        throw new Error('It never works.');
      },
    });
    kernel.events.subscribe({
      name: 'healthy',
      types: ['thing.made'],
      async handle(_, event) {
        handled.add(event.position);
      },
    });
    const jobs = await startJobs({ url: kernel.directUrl, jobs: kernel.events.jobs, concurrency: 2, log: kernel.log });
    onTestFinished(() => jobs.stop());
    const first = () =>
      kernel.db.maybe(
        sql<{ attempts: number; max_attempts: number; last_error: string | null; locked_at: Date | null }>(
          `select attempts, max_attempts, last_error, locked_at from graphile_worker._private_jobs
           where payload ->> 'subscriber' = 'hopeless' and payload ->> 'position' = '1'`,
        ),
      );
    let n = 0;
    const isDead = async () => {
      // Pauses between its tries are passed over; the others' are left to them.
      await kernel.db.run(
        sql(
          `update graphile_worker._private_jobs set run_at = now()
           where payload ->> 'subscriber' = 'hopeless' and payload ->> 'position' = '1' and locked_at is null`,
        ),
      );
      for (let i = 0; i < 5; i++) await append(kernel, made(n++));
      const job = await first();
      expect(job?.attempts).toBe(job?.max_attempts);
      expect(job?.locked_at).toBeNull();
    };
    await eventually(isDead, 25_000);
    while (n < 300) await append(kernel, made(n++));
    await eventually(() => expect([handled.size, tried.size]).toEqual([n, n]), 10_000);
    const job = await first();
    expect(job).toMatchObject({ attempts: job!.max_attempts, locked_at: null });
    expect(job!.last_error).toContain('It never works.');
  });
});
