/** What a path of the admin API says of a directory and what belongs to it. */

import { Fault } from '../kernel/fault.ts';
import { type DirectoryId, parseId } from '../kernel/ids.ts';

/** An id that nobody has. */
export const nobody = '00000000-0000-0000-0000-000000000000';

/** @throws Fault `not_found` for what is no id. */
export function directoryIdOf(text: string): DirectoryId {
  const id = parseId<DirectoryId>(text);
  if (id === undefined) throw unknownDirectory(text);
  return id;
}

export function unknownDirectory(id: string): Fault {
  return new Fault('not_found', `There is no directory ${id}.`);
}
