import { type Sql, sql } from '../../kernel/db.ts';
import type { Recipient } from './context.ts';
import type { NotificationKey } from './schemas.ts';

/** Whom to write to: people who can still log in, and have not said that they do not want such messages. */

const CAN_BE_WRITTEN_TO = 'disabled_at is null and erased_at is null';
const WANTS = `coalesce((notifications ->> $1)::boolean, true)`;
const COLUMNS = 'id as "userId", email';

/** The staff and superusers who want messages of this kind. */
export function staffWanting(target: Sql, key: NotificationKey): Promise<Recipient[]> {
  return target.many(
    sql(
      `select ${COLUMNS} from users where role in ('staff', 'superuser') and ${CAN_BE_WRITTEN_TO} and ${WANTS} order by id`,
      [key],
    ),
  );
}

/** Every superuser, for what they are told whether they want it or not. */
export function superusers(target: Sql): Promise<Recipient[]> {
  return target.many(
    sql(`select ${COLUMNS} from users where role = 'superuser' and ${CAN_BE_WRITTEN_TO} order by id`, []),
  );
}

/** Somebody, if they want messages of this kind; undefined otherwise, and when there is nobody any more. */
export function recipientFor(target: Sql, userId: string, key: NotificationKey): Promise<Recipient | undefined> {
  return target.maybe(
    sql(`select ${COLUMNS} from users where id = $2 and ${CAN_BE_WRITTEN_TO} and ${WANTS}`, [key, userId]),
  );
}
