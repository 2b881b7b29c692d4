/** The time as the program sees it. Only this file asks the machine; tests hand in a clock of their own. */
export type Clock = { now(): Date };

export const systemClock: Clock = { now: () => new Date() };
