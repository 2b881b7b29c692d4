import type { Database } from '../../../kernel/db.ts';
import { enqueue, type Job } from '../../../kernel/jobs.ts';
import type { Logger } from '../../../kernel/log.ts';

export type DrainJob = Job<{ endpoint: string }>;

/**
 * Has an endpoint's drain run soon. Under many events only one job is being added at a time for each endpoint, and one
 * more after it: idle → adding → (woken meanwhile) adding once more → idle. What is lost here the sweep finds.
 */
export function createWake(db: Database, log: Logger, drain: () => DrainJob): (endpointId: string) => void {
  /** The endpoints that a job is being added for, and whether they were woken again since. */
  const adding = new Map<string, boolean>();
  const add = async (id: string) => {
    try {
      do {
        adding.set(id, false);
        await enqueue(db, drain(), [{ endpoint: id }], { key: `webhooks.drain:${id}` });
      } while (adding.get(id));
    } catch (error) {
      log.warn({ err: error }, 'a webhook waits for the next sweep');
    } finally {
      adding.delete(id);
    }
  };
  return (id) => {
    if (adding.has(id)) adding.set(id, true);
    else void add(id);
  };
}
