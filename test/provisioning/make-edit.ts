/** Makes random edits through every flow. */

import { sql } from 'kysely';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { importPeople } from '../../src/imports/import-flow.ts';
import { Fault } from '../../src/kernel/fault.ts';
import type { UserId } from '../../src/kernel/ids.ts';
import { giveVerdict } from '../../src/provisioning/approval-flow.ts';
import { addLine, putContract } from '../../src/provisioning/contract-flow.ts';
import { removeMapping, reorderMappings, replaceMapping } from '../../src/provisioning/mapping-flow.ts';
import { releaseHold, removePin, setPin } from '../../src/provisioning/pin-flow.ts';
import { keepSeat, noteActivity, undoReclaim } from '../../src/provisioning/reclaim-flow.ts';
import { putSettings } from '../../src/provisioning/settings-flow.ts';
import { settleBatch } from '../../src/provisioning/settle-flow.ts';
import { letThrough } from '../../src/provisioning/staged-flow.ts';
import { putSubPool, removeSubPool } from '../../src/provisioning/sub-pool-flow.ts';
import { noteUnmanagedPaid } from '../../src/provisioning/unmanaged-flow.ts';
import type { TestWorld } from '../support/tenants.ts';
import { adoptDrift } from './adopt-drift.ts';
import { emailsOf, nameOf, pick, rolesOf, rotated, withOne } from './choices.ts';
import { contractOf, draftOf, fileOf, lineOf, pinOf, settingsOf } from './drafts.ts';
import type { Edit } from './edits.ts';
import { logIn } from './log-in.ts';
import { decideRequest, isKept } from './second-person.ts';
import { type State, seatsOf } from './state.ts';

/** Makes the edit; answers false when it names what does not exist, or was refused as a caller would be told. */
export async function make(world: TestWorld, state: State, edit: Edit, step: number): Promise<boolean> {
  try {
    if (await isKept(world, state, edit)) return false;
    return await attempt(world, state, edit, step);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (['conflict', 'no_seat', 'above_breaker'].includes(error.code)) return false;
    if (error.code === 'invalid' && error.field === 'reserved') return false;
    // A line that would be outside of the contract, or leave another one there.
    const isOfLines = ['putContract', 'addLine', 'decideRequest'].includes(edit.kind);
    if (isOfLines && error.code === 'invalid') return false;
    throw error;
  }
}

async function attempt(world: TestWorld, state: State, edit: Edit, step: number): Promise<boolean> {
  const { database, door } = world;
  const users = (chosen: number[]): UserId[] => chosen.flatMap((n) => pick(state.users, n)?.id ?? []);
  switch (edit.kind) {
    case 'createUser': {
      const roles = rolesOf(edit.role);
      await world.user(`user${step}`, { active: edit.active, ...emailsOf(edit.address), ...roles });
      return true;
    }
    case 'setActive':
      return await withOne(state.users, edit.user, ({ id }) => world.revise(id, { active: edit.active }));
    case 'setAddress':
      return await withOne(state.users, edit.user, ({ id }) => world.revise(id, emailsOf(edit.address)));
    case 'removeUser':
      return await withOne(state.users, edit.user, ({ id }) => world.remove(id));
    case 'createGroup':
      await world.group(nameOf(edit.name), users(edit.members));
      return true;
    case 'editGroup': {
      const { clear, group } = edit;
      const members = { clear, add: users(edit.add), remove: users(edit.remove) };
      const door = edit.moves ? world.directoryDoor : world.door;
      return await withOne(state.groups, group, ({ id }) => world.editGroup(id, members, undefined, door));
    }
    case 'renameGroup':
      return await withOne(state.groups, edit.group, ({ id }) => world.editGroup(id, {}, nameOf(edit.name)));
    case 'removeGroup':
      return await withOne(state.groups, edit.group, ({ id }) => world.removeGroup(id));
    case 'createMapping':
      await world.map(draftOf(world, state, edit));
      return true;
    case 'replaceMapping':
      return await withOne(state.mappings, edit.mapping, ({ id }) =>
        replaceMapping(database, door, id, draftOf(world, state, edit)),
      );
    case 'removeMapping':
      return await withOne(state.mappings, edit.mapping, ({ id }) => removeMapping(database, door, id));
    case 'reorderMappings':
      await reorderMappings(
        database,
        door,
        rotated(state.mappings, edit.by).map(({ id }) => id),
      );
      return true;
    case 'putContract': {
      await putContract(database, door, contractOf(world, edit));
      return true;
    }
    case 'addLine': {
      await addLine(database, door, lineOf(world, edit));
      return true;
    }
    case 'setRoles':
      return await withOne(state.users, edit.user, ({ id }) =>
        world.revise(id, { roles: [], ...rolesOf(edit.role) }),
      );
    case 'setPin':
      return await withOne(state.users, edit.user, async ({ id, active }) => {
        if (active) await setPin(database, door, id, pinOf(world, edit));
      });
    case 'removePin':
      return await withOne(state.pins, edit.user, ({ user_id }) => removePin(database, door, user_id));
    case 'releaseHold': {
      const kept = state.decisions.filter((row) => row.kept_until !== null);
      return await withOne(kept, edit.user, ({ user_id }) => releaseHold(database, door, user_id));
    }
    case 'putSettings':
      await putSettings(database, door, settingsOf(state, edit));
      return true;
    case 'putSubPool': {
      const { kind: _, ...draft } = edit;
      await putSubPool(database, door, draft);
      return true;
    }
    case 'removeSubPool':
      return await withOne(state.sub_pools, edit.subPool, ({ name }) => removeSubPool(database, door, name));
    case 'settleBatch':
      await settleBatch(database, door);
      return true;
    case 'importPeople':
      await importPeople(database, door, fileOf(world, state, edit, step));
      return true;
    case 'noteUnmanaged':
      await noteUnmanagedPaid(database, door, edit.count - state.pool.unmanaged_paid);
      return true;
    case 'adopt':
      return await adoptDrift(world, edit, step);
    case 'giveVerdict': {
      const asking = state.decisions.filter((row) => row.approval !== null);
      const word = { isGranted: edit.isGranted, reason: null };
      return await withOne(asking, edit.user, ({ user_id: id }) => giveVerdict(database, door, id, word));
    }
    case 'signOn': {
      // Whoever lost an idle seat has a reason to.
      const people = state.reclaimed.size > 0 ? [...state.reclaimed] : state.users.map(({ id }) => id);
      return await withOne(people, edit.user, (id) => signOn(world, id));
    }
    case 'logIn':
      return await logIn(world, edit.subject, edit.groups);
    case 'keepSeat': {
      const seated = seatsOf(state, 'held', 'overage').map((row) => row.user_id);
      return await withOne([...state.reclaimed, ...seated], edit.user, (id) => keepSeat(database, door, id));
    }
    case 'undoReclaim':
      return await withOne([...state.reclaimed], edit.user, (id) => undoReclaim(database, door, id));
    case 'letThrough':
      await letThrough(database, door);
      return true;
    case 'putBack':
      return await withOne(state.groups, edit.group, ({ id }) =>
        world.editGroup(id, { add: [...state.staged] }),
      );
    case 'decideRequest':
      return await withOne(state.requests, edit.request, (id) =>
        decideRequest(world, id, edit.isApproved, (asked) => attempt(world, state, asked, step)),
      );
    case 'passTime':
      world.pass(edit.hours * 3_600_000);
      return true;
  }
}

async function signOn(world: TestWorld, id: UserId): Promise<void> {
  await inTenant(world.database, world.tenantId, async (tx) =>
    tx.send(
      sql`update users set last_sign_in_at = ${world.now} where tenant_id = ${tx.tenantId} and id = ${id}`,
    ),
  );
  await noteActivity(world.database, world.door);
}
