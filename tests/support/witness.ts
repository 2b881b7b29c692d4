import { sql } from '../../src/kernel/db.ts';
import type { Subscriber } from '../../src/kernel/events.ts';

/** Its effect is a row for each event, in a table that would hold two of the same. */
export const WITNESSED = 'create table witnessed (event_id uuid not null, position bigint not null)';

export const witness: Subscriber = {
  name: 'witness',
  types: ['thing.made'],
  async handle(tx, { event_id, position }) {
    await tx.run(sql('insert into witnessed (event_id, position) values ($1, $2)', [event_id, position]));
  },
};
