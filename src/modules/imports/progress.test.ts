import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { sql } from '../../kernel/db.ts';
import { newId } from '../../kernel/ids.ts';
import { eventually, testKernelHere } from '../../kernel/testing/index.ts';
import { PROGRESS_TOPIC, watchProgress } from './progress.ts';
import { insertImport } from './store.ts';

it('tells how far each running import is, at most twice a second and the last of it too, while somebody asks', async () => {
  const kernel = await testKernelHere();
  const { db, bus, clock } = kernel;
  const ids = [newId(), newId()];
  for (const id of ids)
    await insertImport(db, {
      ...{
        id,
        status: 'running',
        mode: 'create',
        fileName: 'feed.xml',
        createdBy: null,
        at: clock.now(),
        sizeBytes: 1_000,
      },
    });
  const told: { at: number; id: string; bytes: number; phase: string }[] = [];
  let isAsked = false;
  const watch = watchProgress(kernel, {
    isAsked: () => isAsked,
    tell: ({ import: { id, bytes_read: bytes, phase } }) => told.push({ at: performance.now(), id, bytes, phase }),
  });
  onTestFinished(() => watch.stop());
  const advance = async (bytes: number) => {
    await db.run(sql('update imports set bytes_read = $1', [bytes]));
    await bus.publish(PROGRESS_TOPIC);
  };

  await advance(1);
  await sleep(100);
  expect(told).toEqual([]);

  isAsked = true;
  const began = performance.now();
  let bytes = 1;
  while (performance.now() - began < 1_300) {
    bytes += 1;
    await advance(bytes);
    await sleep(20);
  }
  await advance(1_000);
  await eventually(() => expect(told.at(-1)).toMatchObject({ bytes: 1_000, phase: 'merging' }));
  for (const id of ids) {
    const times = told.filter((one) => one.id === id).map(({ at }) => at);
    expect(times.length).toBeGreaterThanOrEqual(3);
    for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeGreaterThan(450);
  }
  // What has not moved is not told again.
  const count = told.length;
  await bus.publish(PROGRESS_TOPIC);
  await sleep(700);
  expect(told.length).toBe(count);
});
