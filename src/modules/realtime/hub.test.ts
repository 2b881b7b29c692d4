import { describe, expect, it } from 'vitest';
import type { Database } from '../../kernel/db.ts';
import type { Events, LoggedEvent } from '../../kernel/events.ts';
import { createLogger } from '../../kernel/log.ts';
import { eventually } from '../../kernel/testing/index.ts';
import { createCatchUp } from './catch-up.ts';
import { type Client, createHub } from './hub.ts';
import type { Message } from './messages.ts';
import { createNames, type Names } from './names.ts';

const event = (position: number, changes: Partial<LoggedEvent> = {}): LoggedEvent => ({
  position,
  event_id: String(position),
  type: 'product.updated',
  occurred_at: new Date('2026-01-01T00:00:00.000Z'),
  actor_id: 'a',
  subject_type: 'thing',
  subject_id: String(position),
  changes: {},
  data: {},
  user_id: null,
  ...changes,
});

/** A hub over a log that is told by hand. */
function hubOver(names: Names) {
  let show: (event: LoggedEvent) => void = () => {};
  const events = {
    follow(handler: typeof show) {
      show = handler;
    },
    position: () => 0,
  } as Events;
  const hub = createHub({ events, names, log: createLogger('silent') });
  hub.start();
  return {
    hub,
    show(...positions: number[]) {
      for (const position of positions) show(event(position));
    },
    showEvent: (one: LoggedEvent) => show(one),
  };
}

function client(position: number, feed: Client['feed'] = { kind: 'log', types: null }) {
  const got: number[] = [];
  const closed: number[] = [];
  const it: Client = {
    identity: {} as Client['identity'],
    feed,
    wantsProgress: false,
    position,
    wire: {
      send(messages: readonly Message[]) {
        got.push(...messages.map(({ forSockets }) => JSON.parse(String(forSockets)).cursor));
      },
      waiting: () => 0,
      drained: async () => {},
      isOpen: () => closed.length === 0,
      close: (code) => void closed.push(code),
      cut() {},
      prod() {},
    },
  };
  return { it, got, closed };
}

const known: Names = { forget() {}, of: () => new Map([['a', 'anna']]) };

describe('the hub', () => {
  it('takes in whoever is not behind it, and repeats nothing to whoever is ahead', async () => {
    const { hub, show } = hubOver(known);
    show(1, 2, 3);
    await eventually(() => expect(hub.told()).toBe(3));
    const [behind, level, ahead] = [client(2), client(3), client(5)];
    expect([behind, level, ahead].map(({ it }) => hub.join(it))).toEqual([false, true, true]);
    show(4, 5);
    show(6);
    show(7);
    await eventually(() => expect(hub.told()).toBe(7));
    expect([behind.got, level.got, ahead.got]).toEqual([[], [4, 5, 6, 7], [6, 7]]);
    hub.leave(level.it);
    show(8);
    await eventually(() => expect(ahead.got).toEqual([6, 7, 8]));
    expect(level.got).toEqual([4, 5, 6, 7]);
  });

  it('keeps the order though names come late, and lets nobody in between a batch and its telling', async () => {
    const waiting: ((names: ReadonlyMap<string, string>) => void)[] = [];
    const { hub, show } = hubOver({ forget() {}, of: () => new Promise((resolve) => waiting.push(resolve)) });
    const first = client(0);
    hub.join(first.it);
    show(1, 2);
    await eventually(() => expect(waiting.length).toBe(1));
    show(3);
    const [late, early] = [client(2), client(1)];
    expect([hub.join(late.it), hub.join(early.it)]).toEqual([true, true]);
    expect(hub.told()).toBe(0);
    waiting.shift()!(new Map());
    await eventually(() => expect(waiting.length).toBe(1));
    expect([first.got, late.got, early.got]).toEqual([[1, 2], [], [2]]);
    waiting.shift()!(new Map());
    await eventually(() => expect(hub.told()).toBe(3));
    expect([first.got, late.got, early.got]).toEqual([[1, 2, 3], [3], [2, 3]]);
  });

  it('closes those who could not be told, rather than leave a gap', async () => {
    const { hub, show, showEvent } = hubOver(known);
    const one = client(0);
    hub.join(one.it);
    showEvent(event(1, { occurred_at: new Date(Number.NaN) }));
    await eventually(() => expect(one.closed).toEqual([1011]));
    const next = client(1);
    hub.join(next.it);
    show(2);
    await eventually(() => expect(next.got).toEqual([2]));
  });
});

describe('whoever catches up', () => {
  it('gets what was told live while the log was read for them', async () => {
    const { hub, show } = hubOver(known);
    show(1, 2, 3);
    await eventually(() => expect(hub.told()).toBe(3));
    let reads = 0;
    const db = {
      async many() {
        reads += 1;
        if (reads > 1) return [event(4), event(5)];
        // This read began before they were committed, and ends when they have been told.
        show(4, 5);
        await eventually(() => expect(hub.told()).toBe(5));
        return [event(2), event(3)];
      },
      one: async () => ({ head: 5, expiredThrough: 0 }),
    } as unknown as Database;
    const late = client(1);
    await createCatchUp({ db, hub, names: known, log: createLogger('silent') })(late.it);
    show(6);
    await eventually(() => expect(late.got).toEqual([2, 3, 4, 5, 6]));
  });
});

describe('names', () => {
  it('are asked for again once something happened to their owner, whether or not anybody follows', async () => {
    let name = 'anna';
    const { hub, showEvent } = hubOver(createNames(async () => new Map([['a', name]])));
    const names = () => {
      const one = client(0);
      const shown: string[] = [];
      one.it.wire.send = (messages) =>
        void shown.push(...messages.map(({ forSockets }) => JSON.parse(String(forSockets)).actor.username));
      return { one, shown };
    };
    const first = names();
    hub.join(first.one.it);
    showEvent(event(1));
    await eventually(() => expect(first.shown).toEqual(['anna']));
    hub.leave(first.one.it);
    name = 'erased';
    showEvent(event(2, { type: 'user.erased', subject_type: 'user', subject_id: 'a' }));
    await eventually(() => expect(hub.told()).toBe(2));
    const second = names();
    second.one.it.position = 2;
    hub.join(second.one.it);
    showEvent(event(3));
    await eventually(() => expect(second.shown).toEqual(['erased']));
  });
});
