/** Where the time comes from. The core never asks for it: use cases read a Clock once and hand the instant down. */

export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };
