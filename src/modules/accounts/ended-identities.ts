import { prepare } from '../../kernel/db.ts';
import type { AccountsContext } from './context.ts';
import type { Identity } from './identity.ts';

const LIVE = prepare<{ id: string; epoch: number }>(
  `select s.id, u.token_epoch as epoch from sessions s join users u on u.id = s.user_id
   where s.id = any ($1::uuid[]) and s.revoked_at is null and s.expires_at > $2
     and u.disabled_at is null and u.erased_at is null
   union all
   select k.id, u.token_epoch from api_keys k join users u on u.id = k.created_by
   where k.id = any ($1::uuid[]) and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)
     and u.disabled_at is null and u.erased_at is null`,
);

/**
 * Those of the identities that hold no more, by the database: also for a session or an API key that has simply run out,
 * of which nobody is told. For what goes on longer than a request.
 */
export async function endedIdentities(
  { db, clock }: Pick<AccountsContext, 'db' | 'clock'>,
  identities: readonly Identity[],
): Promise<Identity[]> {
  const restsOn = ({ sessionId, apiKeyId }: Identity) => sessionId ?? apiKeyId!;
  const rows = await db.many(LIVE([[...new Set(identities.map(restsOn))], clock.now()]));
  const live = new Map(rows.map(({ id, epoch }) => [id, epoch]));
  return identities.filter((identity) => live.get(restsOn(identity)) !== identity.epoch);
}
