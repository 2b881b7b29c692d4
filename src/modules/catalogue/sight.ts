import { demandAccess, forbidden, hasRole, type Identity } from '../accounts/index.ts';
import { PUBLIC, type Within } from './list-query.ts';
import type { State } from './schemas.ts';

/** What somebody sees of products: what the public does, that and one's own whatever its state, or everything. */
export type Sight = 'public' | 'all' | { ownerId: string };

/** Whose products are seen beyond the public ones; null for everybody's. */
export function ownerOf(sight: Exclude<Sight, 'public'>): string | null {
  return sight === 'all' ? null : sight.ownerId;
}

/**
 * How far a reader sees: on routes that are open to anyone, which demand nothing, and so must judge themselves what an API
 * key is for.
 */
export function sightOf(identity: Identity | null): Sight {
  if (!identity || (identity.scopes && !identity.scopes.includes('catalogue:read'))) return 'public';
  if (hasRole(identity, 'staff')) return 'all';
  return hasRole(identity, 'seller') ? { ownerId: identity.userId } : 'public';
}

/** The same, for what the public may not ask for. Throws what a route for sellers and staff does. */
export function demandSight(identity: Identity | null): Exclude<Sight, 'public'> {
  demandAccess(identity, 'seller', 'catalogue:read');
  return sightOf(identity) as Exclude<Sight, 'public'>;
}

/**
 * Which products somebody asks for by `state` and `owner`: the public's own list when by neither. A seller sees no
 * hidden product but its own. Throws what a route for sellers and staff does.
 */
export function readWithin(
  { state = 'visible', owner }: { state?: State | undefined; owner?: string | undefined },
  identity: Identity | null,
): Within {
  if (state === 'visible' && owner === undefined) return PUBLIC;
  const sight = demandSight(identity);
  const asked = owner === 'me' ? identity!.userId : owner?.toLowerCase();
  if (sight === 'all' || state === 'visible') return { state, ownerId: asked };
  if (asked !== undefined && asked !== sight.ownerId)
    throw forbidden("A seller sees no other seller's hidden products. Leave `owner` out, or ask with state=visible.");
  return { state, ownerId: sight.ownerId };
}
