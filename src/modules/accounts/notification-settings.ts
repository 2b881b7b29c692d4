import { isDeepStrictEqual } from 'node:util';
import { sql } from '../../kernel/db.ts';
import { validationFailed } from '../../kernel/http/index.ts';
import type { AccountsContext } from './context.ts';
import { userNotFound } from './errors.ts';
import { hasRole, type Role } from './identity.ts';
import { NOTIFICATIONS, type NotificationChange, type NotificationSettings, STAFF_NOTIFICATIONS } from './schemas.ts';

/** Which mails somebody wants: all of them, until they say otherwise. What is stored is what they do not want. */

type Row = { role: Role; notifications: Partial<Record<string, boolean>> };

const keysFor = (role: Role) =>
  hasRole({ role }, 'staff') ? [...NOTIFICATIONS, ...STAFF_NOTIFICATIONS] : NOTIFICATIONS;

function settingsOf({ role, notifications }: Row): NotificationSettings {
  return Object.fromEntries(keysFor(role).map((key) => [key, notifications[key] ?? true])) as NotificationSettings;
}

const COLUMNS = 'role, notifications';

export async function readNotificationSettings(
  { db }: Pick<AccountsContext, 'db'>,
  userId: string,
): Promise<NotificationSettings> {
  const row = await db.maybe(sql<Row>(`select ${COLUMNS} from users where id = $1 and erased_at is null`, [userId]));
  if (!row) throw userNotFound('This account has been erased.');
  return settingsOf(row);
}

/**
 * Sets all of them: one that is left out is wanted. What changes nothing is no event. Throws validation_failed for what is only sent
 * to staff.
 */
export async function changeNotificationSettings(
  { db, events, clock }: AccountsContext,
  userId: string,
  settings: NotificationChange,
): Promise<NotificationSettings> {
  const { after, changed } = await db.transaction(async (tx) => {
    const row = await tx.maybe(
      sql<Row>(`select ${COLUMNS} from users where id = $1 and erased_at is null for update`, [userId]),
    );
    if (!row) throw userNotFound('This account has been erased.');
    const keys: readonly string[] = keysFor(row.role);
    const unknown = Object.keys(settings).filter((key) => !keys.includes(key));
    if (unknown.length > 0)
      throw validationFailed('Some of these messages are only sent to staff.', {
        errors: unknown.map((path) => ({ path, message: 'is not known here' })),
      });
    const unwanted = Object.fromEntries(Object.entries(settings).filter(([, wanted]) => wanted === false));
    const before = settingsOf(row);
    const after = settingsOf({ role: row.role, notifications: unwanted });
    if (isDeepStrictEqual(before, after)) return { after, changed: false };
    await tx.run(
      sql('update users set notifications = $2, updated_at = $3 where id = $1', [
        userId,
        JSON.stringify(unwanted),
        clock.now(),
      ]),
    );
    await events.append(tx, {
      type: 'user.updated',
      subject: { type: 'user', id: userId },
      actorId: userId,
      data: { fields: ['notifications'] },
      userId,
    });
    return { after, changed: true };
  });
  if (changed) await events.flush();
  return after;
}
