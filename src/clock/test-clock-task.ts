/** Keeps this process's clock where an operator moved it, whichever process was asked to (TEST_CLOCK). */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { MovedClock } from '../kernel/clock.ts';
import { followMsMax } from './test-clock-flow.ts';
import { selectClockSetting } from './test-clock-store.ts';

/** Leaves more than half for the look itself and for a busy process. */
const intervalMs = followMsMax * 0.4;

export interface FollowedClock {
  clock: MovedClock;
  stop(): Promise<void>;
}

/** The clock stands right from the beginning. A look that fails is logged once, and tried again at the next. */
export async function followTestClock(database: Database, log: Logger): Promise<FollowedClock> {
  const clock = new MovedClock();
  const look = async () => clock.follow(await selectClockSetting(database));
  await look();
  log.warn({ now: clock.now() }, 'TEST_CLOCK is on: operators can move the clock');
  const stopping = new AbortController();
  const run = async () => {
    let isFollowing = true;
    while (await pause(stopping.signal)) {
      try {
        await look();
        isFollowing = true;
      } catch (err) {
        if (isFollowing) log.warn({ err }, 'whether the clock was moved could not be read');
        isFollowing = false;
      }
    }
  };
  const running = run();
  return {
    clock,
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

/** false: it was to stop. */
async function pause(signal: AbortSignal): Promise<boolean> {
  await sleep(intervalMs, undefined, { signal }).catch(() => {});
  return !signal.aborted;
}
