/**
 * Turns the names of a change of members into people: ids alone, or with parking also the names that a directory has
 * for people, who may not have arrived yet.
 */

import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { MemberEdit } from '../directory/group.ts';
import { groupAmong } from '../directory/group-store.ts';
import type { DirectoryId, GroupId, UserId } from '../kernel/ids.ts';
import {
  isTooLong,
  type SettledMembers,
  settleParking,
  settleStrictly,
  unknownAmong,
  unknownMember,
} from './member-names.ts';
import { isParkingOn, refuseCrowd, resolveNames, selectStillParked } from './parking-store.ts';

export interface NamedMembers {
  /** undefined: the group is being made. */
  id?: GroupId | undefined;
  directoryId: DirectoryId;
  edit: MemberEdit;
  /** Unknown members wait for their people; `arrival`: of those to add only who still waits joins. */
  parking?: boolean | 'arrival' | undefined;
}

/** With parking the people behind the names are looked up; without, no statement is sent. */
export async function settleMembers(
  tx: TenantTransaction,
  { id, directoryId, edit, parking = false }: NamedMembers,
  known: ReadonlySet<UserId>,
): Promise<SettledMembers> {
  if (parking === false) {
    const [missing] = unknownAmong(edit.add, known);
    if (missing !== undefined) throw unknownMember(missing, (await groupAmong(tx, [missing])) !== undefined);
    return settleStrictly(edit);
  }
  const isArrival = parking === 'arrival' && id !== undefined;
  const waiting = isArrival ? { ...edit, add: await selectStillParked(tx, id, edit.add) } : edit;
  const names = [...unknownAmong(waiting.add, known), ...unknownAmong(edit.remove, new Set())];
  const settled = settleParking(waiting, known, await resolveNames(tx, directoryId, names));
  const { forget = [], park } = settled;
  if (!isArrival && park.length > 0) await refuseVain(tx, park);
  await refuseCrowd(tx, { groupId: id, forget, park });
  return settled;
}

/** Who never arrives has no reason to wait: a group, and a name that no person can have. Nor does anybody any more. */
async function refuseVain(tx: TenantTransaction, names: readonly string[]): Promise<void> {
  const tooLong = names.find(isTooLong);
  if (tooLong !== undefined) throw unknownMember(tooLong, false);
  const [group, isOn] = await Promise.all([groupAmong(tx, names), isParkingOn(tx)]);
  if (group !== undefined) throw unknownMember(group, true);
  if (!isOn) throw unknownMember(names[0] ?? '', false);
}
