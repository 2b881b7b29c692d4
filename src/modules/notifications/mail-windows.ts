import { prepare, sql, type Tx } from '../../kernel/db.ts';
import { type LoggedEvent, readEvents } from '../../kernel/events.ts';
import { defineJob, enqueue, type Job } from '../../kernel/jobs.ts';
import type { Kernel } from '../../kernel/kernel.ts';

/**
 * What is told one by one, but not without end: of one kind of event and one actor three within five minutes. The further
 * ones are gathered and told in one message when the five minutes are over.
 *
 * A window is a row, which a delivery holds until it commits: however many of them run at once and in whatever order,
 * they count one after another. The fourth brings the job that writes the digest along, in the same transaction; that job
 * takes the row away, so that nothing can be gathered any more for a digest that is written. What is gathered are
 * positions in the event log, so a message tells no more than the log does.
 *
 * Time is when a change is handled, not when it was made: a backlog of an hour comes as one digest too.
 */

const WINDOW_MS = 300_000;
const SINGLES = 3;
const NOBODY = '00000000-0000-0000-0000-000000000000';

const COUNT_IN = prepare<{ began_at: Date; changes: number }>(
  `insert into mail_windows as w (kind, actor_id, began_at, changes) values ($1, $2, $3, 1)
   on conflict (kind, actor_id) do update
     set began_at = case when w.began_at <= $4 then excluded.began_at else w.began_at end,
         changes = case when w.began_at <= $4 then 1 else w.changes + 1 end
   returning began_at, changes`,
);

type Digest = { actorId: string; beganAt: string };

export type MailWindow = {
  /** Counts an event in. True when it is to be told by itself, false when it was gathered. */
  isSingle(tx: Tx, event: LoggedEvent): Promise<boolean>;
  readonly job: Job<Digest>;
};

export function defineMailWindow(
  { db, clock }: Pick<Kernel, 'db' | 'clock'>,
  {
    kind,
    listed,
    tell,
  }: {
    kind: string;
    /** The most events that the digest lists. */
    listed: number;
    /** Writes the digest: those that are listed, and how many there are in all. */
    tell(tx: Tx, digest: { actorId: string; events: readonly LoggedEvent[]; total: number }): Promise<void>;
  },
): MailWindow {
  const job = defineJob<Digest>({
    name: `mails.${kind}_digest`,
    run: ({ actorId, beganAt }) =>
      db.transaction(async (tx) => {
        const key = [kind, actorId, new Date(beganAt)];
        // Whoever still gathers for this window is waited for here.
        await tx.run(sql('delete from mail_windows where kind = $1 and actor_id = $2 and began_at = $3', key));
        const gathered = await tx.many(
          sql<{ position: number }>(
            'delete from mail_digests where kind = $1 and actor_id = $2 and began_at = $3 returning position',
            key,
          ),
        );
        const positions = gathered.map(({ position }) => position).sort((a, b) => a - b);
        const events: LoggedEvent[] = [];
        for (const position of positions.slice(0, listed)) {
          const [event] = await readEvents(tx, { after: position - 1, limit: 1 });
          if (event?.position === position) events.push(event);
        }
        if (events.length > 0) await tell(tx, { actorId, events, total: positions.length });
      }),
  });

  return {
    job,
    async isSingle(tx, { actor_id, position }) {
      const actorId = actor_id ?? NOBODY;
      const now = clock.now();
      const window = await tx.one(COUNT_IN([kind, actorId, now, new Date(now.getTime() - WINDOW_MS)]));
      if (window.changes <= SINGLES) return true;
      await tx.run(
        sql('insert into mail_digests (kind, actor_id, began_at, position) values ($1, $2, $3, $4)', [
          kind,
          actorId,
          window.began_at,
          position,
        ]),
      );
      if (window.changes === SINGLES + 1)
        await enqueue(tx, job, [{ actorId, beganAt: window.began_at.toISOString() }], {
          at: new Date(window.began_at.getTime() + WINDOW_MS),
        });
      return false;
    },
  };
}
