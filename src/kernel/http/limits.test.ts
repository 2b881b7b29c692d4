import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { addressOf, bareAddress, networkOf } from './address.ts';
import { createLimits } from './limits.ts';

const request = (peer: string, forwarded?: string | string[]) =>
  ({ socket: { remoteAddress: peer }, headers: { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage;

describe('where a request comes from', () => {
  it('is its peer, whatever it says, when no proxy is trusted', () => {
    expect(addressOf(request('203.0.113.1', '198.51.100.1'), 0)).toBe('203.0.113.1');
  });

  it('is what the outermost trusted proxy saw, and nothing that the client wrote before it', () => {
    expect(addressOf(request('10.0.0.1', '192.0.2.66, 198.51.100.1'), 1)).toBe('198.51.100.1');
    expect(addressOf(request('10.0.0.1', '192.0.2.66, 198.51.100.1, 10.0.0.2'), 2)).toBe('198.51.100.1');
    expect(addressOf(request('10.0.0.1', ['192.0.2.66', '198.51.100.1']), 1)).toBe('198.51.100.1');
    expect(addressOf(request('10.0.0.1'), 1)).toBe('10.0.0.1');
    expect(addressOf(request('10.0.0.1', '198.51.100.1'), 3)).toBe('198.51.100.1');
  });

  it('has no port and no brackets, however a proxy writes it', () => {
    expect(addressOf(request('10.0.0.1', '192.0.2.66, 198.51.100.1:5678'), 1)).toBe('198.51.100.1');
    expect(addressOf(request('10.0.0.1', '[2001:db8::1]:443, [2001:db8::2]:444'), 2)).toBe('2001:db8::1');
    expect(addressOf(request('10.0.0.1', '198.51.100.1:5678'), 3)).toBe('198.51.100.1');
    expect(addressOf(request('10.0.0.1', ' , '), 1)).toBe('10.0.0.1');
  });

  it.each([
    ['1.2.3.4', '1.2.3.4'],
    [' 1.2.3.4:5678 ', '1.2.3.4'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
    ['', ''],
    ['unknown', 'unknown'],
    ['name:80', 'name:80'],
  ])('%j is %j', (text, address) => {
    expect(bareAddress(text)).toBe(address);
  });

  it.each([
    ['198.51.100.1', '198.51.100.1'],
    ['::ffff:198.51.100.1', '198.51.100.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:0DB8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['198.51.100.1:2000', '198.51.100.1'],
    ['[::ffff:198.51.100.1]:2000', '198.51.100.1'],
    ['[2001:db8:1:2::3]:2000', '2001:db8:1:2::/64'],
    ['nonsense', 'nonsense'],
  ])('%s counts as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe('limits', () => {
  const limit = { name: 'things', most: 3, seconds: 60 };

  it('let that many in, tell what is left, and begin anew when the window ends', () => {
    let now = 1_000_000;
    const limits = createLimits(() => now);
    const takes = Array.from({ length: 5 }, () => limits.take(limit, '198.51.100.1'));
    expect(takes.map(({ allowed }) => allowed)).toEqual([true, true, true, false, false]);
    expect(takes[0]!.head).toEqual(['ratelimit-limit', '3', 'ratelimit-remaining', '2', 'ratelimit-reset', '60']);
    expect(takes[4]!.head[3]).toBe('0');
    now += 59_500;
    expect(limits.take(limit, '198.51.100.1')).toMatchObject({ allowed: false, retryAfter: 1 });
    now += 500;
    expect(limits.take(limit, '198.51.100.1').allowed).toBe(true);
  });

  it('count addresses, and what is limited, apart', () => {
    const limits = createLimits();
    for (let i = 0; i < 4; i++) limits.take(limit, '198.51.100.1');
    expect(limits.take(limit, '198.51.100.2').allowed).toBe(true);
    expect(limits.take({ ...limit, name: 'others' }, '198.51.100.1').allowed).toBe(true);
    expect(limits.take(limit, '::ffff:198.51.100.1').allowed).toBe(false);
  });
});
