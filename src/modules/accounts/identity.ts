/** From least to most: each may do what the ones before it may. */
export const ROLES = ['customer', 'seller', 'staff', 'superuser'] as const;
export type Role = (typeof ROLES)[number];

/** What an API key can be made for. A route that names none of them takes no API key. */
export const SCOPES = [
  'catalogue:read',
  'catalogue:write',
  'imports:read',
  'imports:write',
  'orders:read',
  'orders:write',
  'users:read',
  'users:write',
  'emails:read',
  'emails:write',
  'events:read',
  'jobs:read',
  'jobs:write',
  'webhooks:read',
  'webhooks:write',
] as const;
export type Scope = (typeof SCOPES)[number];

/** Who is asking, and by what they proved it. */
export type Identity = {
  readonly userId: string;
  readonly role: Role;
  /** Null for an API key. */
  readonly sessionId: string | null;
  readonly apiKeyId: string | null;
  /** What an API key is limited to; null for a person. */
  readonly scopes: readonly Scope[] | null;
  /** Whether the log-in was completed by a second factor. */
  readonly secondFactor: boolean;
  /** The user's epoch when they proved it: once theirs is greater, they are not what they were. */
  readonly epoch: number;
  /** Staff who must use a second factor and have not: their role here is a customer's. */
  readonly awaitsSecondFactor?: boolean;
};

/** Who does something, as use cases need to know it. */
export type Actor = Pick<Identity, 'userId' | 'role'>;

export function hasRole(actor: Pick<Actor, 'role'>, least: Role): boolean {
  return ROLES.indexOf(actor.role) >= ROLES.indexOf(least);
}
