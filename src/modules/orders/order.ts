/** What an order can be, and become. */
export const STATUSES = ['pending', 'shipped', 'delivered', 'cancelled'] as const;
export type Status = (typeof STATUSES)[number];

/** From each status those that may follow it. */
export const TRANSITIONS: Readonly<Record<Status, readonly Status[]>> = {
  pending: ['shipped', 'cancelled'],
  shipped: ['delivered'],
  delivered: [],
  cancelled: [],
};

export function mayBecome(from: Status, to: Status): boolean {
  return TRANSITIONS[from].includes(to);
}
