import { LRUCache } from 'lru-cache';
import { networkOf } from './address.ts';

/**
 * How often one address may ask, counted in fixed windows in this process's memory. It is asked in front of the router,
 * for prepared answers too (ADR 2), so it has to cost next to nothing.
 */

/** `name` says what is counted together; `most` of it in `seconds`. */
export type Limit = { readonly name: string; readonly most: number; readonly seconds: number };

export type Taken = {
  allowed: boolean;
  /** `ratelimit-*` fields as names and values in turn (draft-ietf-httpapi-ratelimit-headers, the form most clients know). */
  head: string[];
  retryAfter: number;
};

/** Everything that one address asks for: fifty a second, kept up for a minute. */
export const ALL_REQUESTS: Limit = { name: 'requests', most: 3_000, seconds: 60 };

const ADDRESSES_COUNTED = 50_000;

export type Limits = { take(limit: Limit, address: string): Taken };

export function createLimits(now: () => number = Date.now): Limits {
  const windows = new LRUCache<string, { count: number; ends: number }>({ max: ADDRESSES_COUNTED });
  return {
    take({ name, most, seconds }, address) {
      const key = `${name} ${networkOf(address)}`;
      const at = now();
      let window = windows.get(key);
      if (!window || window.ends <= at) {
        window = { count: 0, ends: at + seconds * 1_000 };
        windows.set(key, window);
      }
      window.count += 1;
      const left = Math.max(1, Math.ceil((window.ends - at) / 1_000));
      return {
        allowed: window.count <= most,
        retryAfter: left,
        head: [
          'ratelimit-limit',
          String(most),
          'ratelimit-remaining',
          String(Math.max(0, most - window.count)),
          'ratelimit-reset',
          String(left),
        ],
      };
    },
  };
}
