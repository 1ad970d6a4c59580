/** Which people a change of members means: by their ids, and with parking by the names a directory has for them. */

import type { MemberEdit } from '../directory/group.ts';
import { type Fault, invalid } from '../kernel/fault.ts';
import { fold } from '../kernel/fold.ts';
import { parseId, type UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';

export interface SettledMembers {
  /** Sorted, so that concurrent writers meet rows in one order. */
  readonly add: readonly UserId[];
  readonly remove: readonly UserId[];
  /** Who is to wait. */
  readonly park: readonly string[];
  /** Who no longer waits; undefined: nobody can be waiting. */
  readonly forget: readonly string[] | 'all' | undefined;
}

/** The ids among names. */
export function idsAmong(names: readonly string[]): UserId[] {
  return sorted(names.flatMap((name) => parseId<UserId>(name) ?? []));
}

/** Names that are no id of a known user. */
export function unknownAmong(names: readonly string[], known: ReadonlySet<UserId>): string[] {
  return names.filter((name) => {
    const id = parseId<UserId>(name);
    return id === undefined || !known.has(id);
  });
}

/** Where every name to add is the id of a user. */
export function settleStrictly(edit: MemberEdit): SettledMembers {
  return { add: idsAmong(edit.add), remove: idsAmong(edit.remove), park: [], forget: undefined };
}

/** @param resolved The people behind names that are no ids. */
export function settleParking(
  edit: MemberEdit,
  known: ReadonlySet<UserId>,
  resolved: ReadonlyMap<string, UserId>,
): SettledMembers {
  const unknown = unknownAmong(edit.add, known);
  const named = (names: readonly string[]) => names.flatMap((name) => resolved.get(name) ?? []);
  return {
    add: sorted([...idsAmong(edit.add).filter((id) => known.has(id)), ...named(unknown)]),
    remove: sorted([...idsAmong(edit.remove), ...named(edit.remove)]),
    park: unknown.filter((name) => !resolved.has(name)),
    forget: edit.clear ? 'all' : [...unknown.filter((name) => resolved.has(name)), ...edit.remove],
  };
}

/** Nobody can have such an externalId or userName, so that nobody need be waited for. */
export function isTooLongToCome(name: string): boolean {
  return [name, fold(name)].some((text) => Buffer.byteLength(text) > limits.keyBytesMax);
}

function sorted(ids: readonly UserId[]): UserId[] {
  return [...new Set(ids)].sort();
}

/** Nothing of the request is done. */
export function unknownMember(id: string, isGroup: boolean): Fault {
  if (isGroup) {
    return invalid('invalidValue', `members: ${id} is a group: nested groups are not supported.`, 'members');
  }
  const shown = id.length <= 100 ? id : `${id.slice(0, 100)}…`;
  return invalid(
    'invalidValue',
    `members: there is no user "${shown}" here; nothing was changed.`,
    'members',
  );
}
