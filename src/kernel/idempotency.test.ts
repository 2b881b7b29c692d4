import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase, type Sql, sql } from './db.ts';
import type { AppError } from './errors.ts';
import { readEvents } from './events.ts';
import { type Answer, type Claim, createIdempotency, type Keyed, noteDone, onBehalfOf } from './idempotency.ts';
import type { JobContext } from './jobs.ts';
import type { Kernel } from './kernel.ts';
import { fakeClock, testKernelHere } from './testing/index.ts';

const DAY_MS = 86_400_000;

const asked = (fields: Partial<Keyed> = {}): Keyed => ({
  caller: 'user:1',
  method: 'POST',
  path: '/api/things',
  key: 'a key',
  request: '{"n":1}',
  ...fields,
});
const answer = (body: string): Answer => ({ status: 201, headers: { location: '/api/things/1' }, body });

async function claimed({ idempotency }: Kernel, fields: Partial<Keyed> = {}): Promise<Claim> {
  const outcome = await idempotency.claim(asked(fields));
  if (!('claim' in outcome)) throw new Error('It was answered before.');
  return outcome.claim;
}

/** What a request under the key is told, if it is not let in. */
async function told({ idempotency }: Kernel, fields: Partial<Keyed> = {}): Promise<Answer | string> {
  try {
    const outcome = await idempotency.claim(asked(fields));
    return 'claim' in outcome ? 'it may do it' : outcome.answer;
  } catch (error) {
    return (error as AppError).code;
  }
}

const stateOf = async (target: Sql) =>
  (await target.many(sql<{ state: string }>('select state from idempotency_keys'))).map(({ state }) => state);

/** As if the process that holds the claims had not been heard of for half a minute. */
const passLeases = ({ db }: Kernel) =>
  db.run(sql("update idempotency_keys set lease_until = now() - interval '1 second'"));

const things = async ({ db }: Kernel) =>
  (await db.many(sql<{ name: string }>('select name from things order by name'))).map(({ name }) => name);
const makeThings = ({ db }: Kernel) => db.run(sql('create table things (name text)'));
const make = (target: Sql, name: string) => target.run(sql('insert into things values ($1)', [name]));

describe('a key', () => {
  it('is claimed once; then it says what was answered', async () => {
    const kernel = await testKernelHere();
    const claim = await claimed(kernel);
    await claim.settle(answer('{"id":1}'));
    expect(await told(kernel)).toEqual(answer('{"id":1}'));
    expect(await told(kernel)).toEqual(answer('{"id":1}'));
  });

  it('is claimed by one of twenty who come at once, and the others get its answer', async () => {
    const kernel = await testKernelHere();
    // Each has looked before the first has written.
    await kernel.db.run(
      sql(`create function dawdle() returns trigger language plpgsql as $$
           begin perform pg_sleep(0.1); return new; end $$;
           create trigger dawdle before insert on idempotency_keys for each row execute function dawdle()`),
    );
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const outcome = await kernel.idempotency.claim(asked());
        if (!('claim' in outcome)) return outcome.answer;
        await sleep(100);
        await outcome.claim.settle(answer('mine'));
        return 'done';
      }),
    );
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome !== 'done')).toEqual(Array(19).fill(answer('mine')));
  });

  it('stands for one request: another one is refused, also while the first runs or when it died', async () => {
    const kernel = await testKernelHere();
    const claim = await claimed(kernel);
    const other = { request: '{"n":2}' };
    expect(await told(kernel, other)).toBe('idempotency_key_reused');
    await passLeases(kernel);
    expect(await told(kernel, other)).toBe('idempotency_key_reused');
    await claim.settle(answer(''));
    expect(await told(kernel, other)).toBe('idempotency_key_reused');
  });

  it.each<Partial<Keyed>>([
    { caller: 'user:2' },
    { caller: 'key:1' },
    { method: 'PUT' },
    { path: '/api/things/1' },
    { key: 'another key' },
  ])('is the caller’s own, for a method and a path: %o is another', async (fields) => {
    const kernel = await testKernelHere();
    await (await claimed(kernel)).settle(answer('first'));
    const claim = await claimed(kernel, { ...fields, request: 'something else' });
    await claim.settle(answer('second'));
    expect(await told(kernel)).toEqual(answer('first'));
    expect(await told(kernel, { ...fields, request: 'something else' })).toEqual(answer('second'));
  });

  it('does not run together with what stands beside it', async () => {
    const kernel = await testKernelHere();
    await claimed(kernel, { path: '/api/things', key: '1","2' });
    expect(await told(kernel, { path: '/api/things","1', key: '2' })).toBe('it may do it');
  });

  it('is free again when what it was used for was refused', async () => {
    const kernel = await testKernelHere();
    const claim = await claimed(kernel);
    const waiting = told(kernel);
    await sleep(150);
    await claim.free();
    expect(await waiting).toBe('it may do it');
    expect(await stateOf(kernel.db)).toEqual(['running']);
  });

  it('is forgotten after 24 hours', async () => {
    const clock = fakeClock();
    const kernel = await testKernelHere({ clock });
    await (await claimed(kernel)).settle(answer('of yesterday'));
    const done = await claimed(kernel, { key: 'done, and not answered' });
    await kernel.db.transaction((tx) => done.note(tx));
    await done.free();
    clock.advance(DAY_MS - 1);
    expect(await told(kernel)).toEqual(answer('of yesterday'));
    expect(await told(kernel, { key: 'done, and not answered' })).toBe('idempotency_answer_lost');
    clock.advance(1);
    const again = await claimed(kernel, { request: 'something else' });
    await again.settle(answer('of today'));
    expect(await told(kernel, { request: 'something else' })).toEqual(answer('of today'));
    expect(await told(kernel, { key: 'done, and not answered' })).toBe('it may do it');
  });

  it('and its answer are dropped a day later, by a job', async () => {
    const clock = fakeClock();
    const kernel = await testKernelHere({ clock });
    await (await claimed(kernel)).settle(answer(''));
    clock.advance(1);
    await (await claimed(kernel, { key: 'a later one' })).settle(answer(''));
    clock.advance(DAY_MS - 1);
    for (const job of kernel.idempotency.jobs) await job.run({} as never, {} as JobContext);
    expect(await stateOf(kernel.db)).toHaveLength(1);
    expect(await told(kernel, { key: 'a later one' })).toEqual(answer(''));
  });

  it('is stored as hashes, and its answer encrypted', async () => {
    const kernel = await testKernelHere();
    const fields = { caller: 'user:ada', path: '/api/ada', key: 'the key of ada', request: 'what ada wants' };
    await (await claimed(kernel, fields)).settle(answer('vk_whatonlyadamaysee'));
    const [row] = await kernel.db.many(
      sql<Record<string, unknown>>('select k.*, k::text as text from idempotency_keys k'),
    );
    const stored = Object.values(row!).map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : value));
    expect(JSON.stringify(stored)).not.toMatch(/ada|vk_/);
    expect(await told(kernel, fields)).toEqual(answer('vk_whatonlyadamaysee'));
  });
});

describe('whoever comes while the first still runs', () => {
  it('waits for its answer', async () => {
    const kernel = await testKernelHere();
    const claim = await claimed(kernel);
    const waiting = told(kernel);
    await sleep(400);
    await claim.settle(answer('at last'));
    expect(await waiting).toEqual(answer('at last'));
  });

  it('waits for 5 s, holds no connection meanwhile, and is told to come again', async () => {
    const kernel = await testKernelHere({ env: { DATABASE_POOL_SIZE: '2' } });
    const claim = await claimed(kernel);
    await passLeases(kernel);
    const [noted, allTold] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    // It holds one of the two connections, and the row: nobody else may wait for that, not even to take it over.
    const running = kernel.db.transaction(async (tx) => {
      await claim.note(tx);
      noted.resolve();
      await allTold.promise;
    });
    await noted.promise;
    const begun = performance.now();
    const outcomes = await Promise.all([told(kernel), told(kernel), told(kernel), told(kernel)]);
    expect(outcomes).toEqual(Array(4).fill('idempotency_key_in_use'));
    expect(performance.now() - begun).toBeGreaterThan(4_900);
    allTold.resolve();
    await running;
  });
});

describe('a claim', () => {
  it('is taken over from a process that died before it did anything', async () => {
    const kernel = await testKernelHere();
    await claimed(kernel);
    await passLeases(kernel);
    await (await claimed(kernel)).settle(answer('by the second'));
    expect(await told(kernel)).toEqual(answer('by the second'));
  });

  it('that was taken over lets nothing be committed, noted or kept', async () => {
    const kernel = await testKernelHere();
    await makeThings(kernel);
    const first = await claimed(kernel);
    await passLeases(kernel);
    const second = await claimed(kernel);
    await first.free();
    const doing = (settle: (claim: Claim, tx: Parameters<Claim['note']>[0]) => Promise<void>) => (claim: Claim) =>
      kernel.db.transaction(async (tx) => {
        await make(tx, claim === first ? 'first' : 'second');
        await settle(claim, tx);
      });
    const noted = doing((claim, tx) => claim.note(tx));
    const kept = doing((claim, tx) => claim.keep(tx, answer('')));
    await expect(noted(first)).rejects.toMatchObject({ code: 'idempotency_key_in_use' });
    await expect(kept(first)).rejects.toMatchObject({ code: 'VT002' });
    await noted(second);
    await expect(noted(first)).rejects.toMatchObject({ code: 'idempotency_key_in_use' });
    await expect(first.settle(answer('of the first'))).rejects.toMatchObject({ code: 'VT002' });
    await first.free();
    expect(await things(kernel)).toEqual(['second']);
    await second.settle(answer('of the second'));
    expect(await told(kernel)).toEqual(answer('of the second'));
  });

  it('is not taken over from who is just committing, however long ago it began', async () => {
    const kernel = await testKernelHere();
    await makeThings(kernel);
    const first = await claimed(kernel);
    await passLeases(kernel);
    let waiting: Promise<Answer | string> | undefined;
    await kernel.db.transaction(async (tx) => {
      await make(tx, 'first');
      await first.note(tx);
      waiting = told(kernel);
      await sleep(300);
    });
    await first.settle(answer('of the first'));
    expect(await waiting).toEqual(answer('of the first'));
    expect(await things(kernel)).toEqual(['first']);
  });

  it('whose thing is done, and whose process died before it could answer, is never done again', async () => {
    const kernel = await testKernelHere();
    const claim = await claimed(kernel);
    await kernel.db.transaction((tx) => claim.note(tx));
    await passLeases(kernel);
    expect(await told(kernel)).toBe('idempotency_answer_lost');
    expect(await told(kernel, { request: 'something else' })).toBe('idempotency_key_reused');
  });

  it('is not given free when something was done before the refusal, and that is said at once', async () => {
    const kernel = await testKernelHere();
    const claim = await claimed(kernel);
    await kernel.db.transaction((tx) => claim.note(tx));
    await claim.free();
    const begun = performance.now();
    expect(await told(kernel)).toBe('idempotency_answer_lost');
    expect(performance.now() - begun).toBeLessThan(1_000);
  });

  it('is settled or not with the transaction that notes it', async () => {
    const kernel = await testKernelHere();
    const claim = await claimed(kernel);
    const failing = kernel.db.transaction(async (tx) => {
      await claim.note(tx);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await stateOf(kernel.db)).toEqual(['running']);
    await claim.free();
    expect(await stateOf(kernel.db)).toEqual([]);
  });

  it('may be noted by several transactions, also after its answer is kept', async () => {
    const kernel = await testKernelHere();
    const claim = await claimed(kernel);
    await kernel.db.transaction((tx) => claim.note(tx));
    await kernel.db.transaction((tx) => claim.note(tx));
    await kernel.db.transaction((tx) => claim.keep(tx, answer('kept')));
    await kernel.db.transaction((tx) => claim.note(tx));
    expect(await told(kernel)).toEqual(answer('kept'));
  });
});

describe('an answer that is kept with what it answers', () => {
  const statement = 'select keep_answer($1, $2, $3, $4, $5)';

  it('is there without anybody having settled it, and stays as it was kept', async () => {
    const kernel = await testKernelHere();
    const one = await claimed(kernel);
    await kernel.db.transaction((tx) => one.keep(tx, answer('kept')));
    expect(await told(kernel)).toEqual(answer('kept'));
    await one.settle(answer('made later'));
    await one.free();
    expect(await told(kernel)).toEqual(answer('kept'));

    const other = await claimed(kernel, { key: 'b' });
    await kernel.db.run(sql(statement, other.kept(answer('kept by a statement'))));
    await other.settle(answer('made later'));
    expect(await told(kernel, { key: 'b' })).toEqual(answer('kept by a statement'));
  });

  it('is not there when the transaction rolled back', async () => {
    const kernel = await testKernelHere();
    const claim = await claimed(kernel);
    const failing = kernel.db.transaction(async (tx) => {
      await claim.keep(tx, answer('of what never was'));
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await stateOf(kernel.db)).toEqual(['running']);
    await claim.settle(answer('of what was'));
    expect(await told(kernel)).toEqual(answer('of what was'));
  });
});

describe('what runs on behalf of a request', () => {
  const event = { type: 'thing.made', subject: { type: 'thing', id: '1' } };

  it('notes by its events that it is done, and fails when the claim was lost', async () => {
    const kernel = await testKernelHere();
    const { db, events } = kernel;
    const holder = { claim: await claimed(kernel) };
    const append = () => db.transaction((tx) => events.append(tx, event));
    await onBehalfOf(holder, append);
    expect(await stateOf(db)).toEqual(['applied']);

    holder.claim = await claimed(kernel, { key: 'b' });
    await passLeases(kernel);
    await claimed(kernel, { key: 'b' });
    await expect(onBehalfOf(holder, append)).rejects.toMatchObject({ code: 'idempotency_key_in_use' });
    await events.flush();
    expect(await readEvents(db, { after: 0, limit: 10 })).toHaveLength(1);
  });

  it('finds a claim that is made while it runs, and none any more once that is over', async () => {
    const kernel = await testKernelHere();
    const { db } = kernel;
    const note = () => db.transaction((tx) => noteDone(tx));
    const holder: { claim: Claim | null } = { claim: null };
    await onBehalfOf(holder, async () => {
      await note();
      holder.claim = await claimed(kernel);
      await note();
    });
    expect(await stateOf(db)).toEqual(['applied']);

    await onBehalfOf(holder, async () => {
      holder.claim = await claimed(kernel, { key: 'b' });
      holder.claim = null;
      await note();
    });
    expect((await stateOf(db)).sort()).toEqual(['applied', 'running']);
  });

  it('is apart from what runs for others at the same time, and from what runs for nobody', async () => {
    const kernel = await testKernelHere();
    const { db, events } = kernel;
    const mine = { claim: await claimed(kernel) };
    const theirs = { claim: await claimed(kernel, { key: 'b' }) };
    const work = async (acts: boolean) => {
      await sleep(20);
      if (acts) await db.transaction((tx) => events.append(tx, event));
    };
    await Promise.all([
      onBehalfOf(mine, () => work(false)),
      onBehalfOf(theirs, () => work(true)),
      db.transaction((tx) => events.append(tx, event)),
    ]);
    await passLeases(kernel);
    expect(await told(kernel)).toBe('it may do it');
    expect(await told(kernel, { key: 'b' })).toBe('idempotency_answer_lost');
  });
});

it('waits for the disk with answers, not with claims', async () => {
  const kernel = await testKernelHere();
  const db = openDatabase({ url: kernel.directUrl, poolSize: 1, namedStatements: true, log: kernel.log });
  onTestFinished(() => db.close());
  await db.run(
    sql(`create table seen (setting text);
         create function see() returns trigger language plpgsql as $$
         begin insert into seen values (tg_op || ' ' || current_setting('synchronous_commit')); return null; end $$;
         create trigger see after insert or update or delete on idempotency_keys for each row execute function see();
         set synchronous_commit = 'on'`),
  );
  const idempotency = createIdempotency({ ...kernel, db });
  const claim = async () => (await idempotency.claim(asked())) as { claim: Claim };
  await (await claim()).claim.free();
  await (await claim()).claim.settle(answer(''));
  const seen = await db.many(sql<{ setting: string }>('select setting from seen'));
  expect(seen.map(({ setting }) => setting)).toEqual(['INSERT off', 'DELETE off', 'INSERT off', 'UPDATE on']);
});
