import { describe, expect, it } from 'vitest';
import { build, estimateRows, prepare, sql } from './db.ts';
import { testKernelHere } from './testing/index.ts';

describe('a transaction', () => {
  it('keeps everything or nothing, and tells of its commit only then', async () => {
    const { db } = await testKernelHere();
    const told: string[] = [];
    const insert = (name: string) => build.insertInto('shop_settings').values({ name, value: 'x' });
    await db.transaction(async (tx) => {
      await tx.run(insert('kept'));
      tx.afterCommit(() => told.push('kept'));
      expect(told).toEqual([]);
    });
    await expect(
      db.transaction(async (tx) => {
        await tx.run(insert('lost'));
        tx.afterCommit(() => told.push('lost'));
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect((await db.many(sql<{ name: string }>('select name from shop_settings'))).map((row) => row.name)).toEqual([
      'kept',
    ]);
    expect(told).toEqual(['kept']);
  });

  it('does not pass for committed when a statement failed and its error was swallowed', async () => {
    const { db } = await testKernelHere();
    await expect(
      db.transaction(async (tx) => {
        await tx.run(build.insertInto('shop_settings').values({ name: 'a', value: 'x' }));
        await tx.run(sql('select 1 / 0')).catch(() => {});
      }),
    ).rejects.toThrow(/rolled back/);
    expect(await db.maybe(sql('select from shop_settings'))).toBeUndefined();
  });

  it('limits its statements by the time it is given', async () => {
    const { db } = await testKernelHere();
    await expect(db.transaction((tx) => tx.run(sql('select pg_sleep(5)')), { timeoutMs: 50 })).rejects.toMatchObject({
      code: '57014',
    });
    // The limit was the transaction's own.
    expect((await db.one(sql<{ ms: string }>("select current_setting('statement_timeout') as ms"))).ms).toBe('30s');
  });

  it('gives its connection back when the database ends it', async () => {
    const { db } = await testKernelHere();
    await expect(
      db.transaction(async (tx) => {
        const { pid } = await tx.one(sql<{ pid: number }>('select pg_backend_pid() as pid'));
        await db.run(sql('select pg_terminate_backend($1)', [pid]));
        await tx.run(sql('select 1'));
      }),
    ).rejects.toThrow();
    expect((await db.one(sql<{ one: number }>('select 1 as one'))).one).toBe(1);
  });
});

describe('queries', () => {
  it('give exact integers or fail', async () => {
    const { db } = await testKernelHere();
    expect((await db.one(sql<{ n: number }>('select 9007199254740991::bigint as n'))).n).toBe(Number.MAX_SAFE_INTEGER);
    await expect(db.one(sql('select 9007199254740992::bigint as n'))).rejects.toThrow(/too large/);
  });

  it('are prepared by name, in session mode alone', async () => {
    const statement = prepare<{ n: number }>('select $1::int as n');
    const prepared = sql<{ count: number }>(
      "select count(*) as count from pg_prepared_statements where statement = 'select $1::int as n'",
    );
    for (const [mode, count] of [
      ['session', 1],
      ['transaction', 0],
    ] as const) {
      const { db } = await testKernelHere({
        env: { DATABASE_POOL_SIZE: '2', DATABASE_POOL_MODE: mode },
      });
      await db.transaction(async (tx) => {
        expect((await tx.one(statement([7]))).n).toBe(7);
        expect((await tx.one(prepared)).count).toBe(count);
      });
    }
  });

  it('can be estimated without being run', async () => {
    const { db } = await testKernelHere();
    expect(await estimateRows(db, sql('select pg_sleep(60) from generate_series(1, 500)'))).toBe(500);
  });
});
