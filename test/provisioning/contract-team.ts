/** A tenant whose contract changes: three seats in 2026, and five people who ask for one. */

import type { Database } from '../../src/db/database.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { UserId } from '../../src/kernel/ids.ts';
import type { ContractLine } from '../../src/licensing/contract.ts';
import { addLine } from '../../src/provisioning/contract-flow.ts';
import { settleDue } from '../../src/provisioning/settle-flow.ts';
import { selectUserView } from '../../src/provisioning/user-view-store.ts';
import { newWorld } from '../support/tenants.ts';
import { readState, seatsOf } from './state.ts';

export const nothing = { endsOn: null, setsSeats: false, paidSeats: null, tier: null, contractEndsOn: null };
export const noted = { reason: 'agreed', documentReference: null };

export type ContractTeam = Awaited<ReturnType<typeof newContractTeam>>;

/** They come to their group one a second: 0, 1 and 2 hold. */
export async function newContractTeam(database: Database) {
  const world = await newWorld(database, new Date('2026-03-10T12:00:00Z'));
  await world.contract({ paidSeats: 3 });
  const staff = await world.group('Staff');
  await world.map({ group: { id: staff }, priority: 10 });
  const people: UserId[] = [];
  for (let n = 0; n < 5; n += 1) {
    world.pass(1000);
    const id = await world.user(`p${n}@example.com`);
    people.push(id);
    await world.editGroup(staff, { add: [id] });
  }
  return {
    ...{ world, staff, people },
    amend: (effectiveOn: string, change: Partial<ContractLine>) =>
      addLine(database, world.door, {
        ...nothing,
        ...noted,
        kind: 'amendment',
        effectiveOn,
        setsSeats: 'paidSeats' in change,
        ...change,
      }),
    holders: async () => {
      const rows = seatsOf(await readState(world), 'held');
      return rows.map((row) => people.indexOf(row.user_id)).sort((a, b) => a - b);
    },
    /** As the task does when a date has come. */
    goTo: async (instant: string) => {
      world.now = new Date(instant);
      await settleDue(database, world.now, 100);
    },
    told: async (n: number) => {
      const id = people[n] as UserId;
      const view = await inTenant(database, world.tenantId, (tx) => selectUserView(tx, id, world.now));
      return [view?.seat.state, view?.seat.reason, view?.decision?.effective.map(({ role }) => role).join()];
    },
  };
}
