/** Where the time comes from. The core never asks for it: use cases read a Clock once and hand the instant down. */

export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** How far a clock was moved. */
export interface ClockSetting {
  /** Milliseconds on top of the system's clock. */
  offsetMs: number;
  /** Of two settings the one with the higher revision is the newer. */
  revision: number;
}

/** Runs as the system's clock does, ahead of it or behind: what an operator moves where TEST_CLOCK is on. */
export class MovedClock implements Clock {
  #setting: ClockSetting = { offsetMs: 0, revision: 0 };

  now(): Date {
    return new Date(Date.now() + this.#setting.offsetMs);
  }

  /** A setting that was read before the newest one is old news. */
  follow(setting: ClockSetting): void {
    if (setting.revision > this.#setting.revision) this.#setting = setting;
  }
}
