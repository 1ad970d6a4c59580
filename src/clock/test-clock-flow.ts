/** Moves the gateway's clock, and does at once what the new time asks for (TEST_CLOCK). */

import { setTimeout as sleep } from 'node:timers/promises';
import { raiseAlerts } from '../alerts/alert-flow.ts';
import type { Database } from '../db/database.ts';
import { type MovedClock, systemClock } from '../kernel/clock.ts';
import { lookAgain, reclaimDue } from '../provisioning/reclaim-flow.ts';
import { settle, settleDue } from '../provisioning/settle-flow.ts';
import { listTenants } from '../tenants/credential-store.ts';
import { writeClockOffset } from './test-clock-store.ts';

const tenantsAtOnce = 100;
/** What is still due then is due again at every look, and does not hold up the answer. */
const looksMax = 1000;
/** After a move every process has followed by then. */
export const followMsMax = 250;

/**
 * Puts the clock to an instant from which it goes on running. When this ends all processes have followed, and what is due
 * by then is done, and told in alerts.
 *
 * @param clock This process's: it follows at once.
 * @param to null: real time.
 * @throws AggregateError of the tenants that could not be settled. The clock was moved; the same move again tries them again.
 */
export async function moveClock(database: Database, clock: MovedClock, to: Date | null): Promise<void> {
  const offsetMs = to === null ? 0 : to.getTime() - systemClock.now().getTime();
  const setting = await writeClockOffset(database, offsetMs);
  clock.follow(setting);
  // Before anybody is decided for: who still went by the time before could decide otherwise afterwards.
  await sleep(followMsMax);
  // Also where the offset is the same: a move that failed half-way is made again.
  if (offsetMs <= setting.offsetMsBefore) await settleEveryone(database, clock);
  for (
    let look = 0;
    look < looksMax && (await settleDue(database, clock.now(), tenantsAtOnce)) > 0;
    look += 1
  );
  const times = () => ({ now: clock.now(), realNow: systemClock.now() });
  while ((await reclaimDue(database, times(), tenantsAtOnce)) > 0);
  // Not until there is none: whose seats change meanwhile is found again and again.
  while ((await raiseAlerts(database, clock.now(), tenantsAtOnce)) === tenantsAtOnce);
}

/** Where the time went back, a date that had come is ahead again: nothing is due, and yet what it brought no longer holds. */
async function settleEveryone(database: Database, clock: MovedClock): Promise<void> {
  const failures: unknown[] = [];
  const actor = { kind: 'system', rule: 'clock moved' } as const;
  for (let after: string | undefined = ''; after !== undefined; ) {
    const tenants = await listTenants(database, after, tenantsAtOnce);
    for (const { id: tenantId } of tenants) {
      const door = { tenantId, actor, now: clock.now(), requestId: null };
      await settle(database, door)
        .then(() => lookAgain(database, door))
        .catch((error: unknown) => failures.push(error));
    }
    after = tenants.at(-1)?.slug;
  }
  if (failures.length > 0) {
    throw new AggregateError(failures, `${failures.length} tenants could not be settled`);
  }
}
