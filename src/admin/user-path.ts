/** The user that a path names. */

import { Fault } from '../kernel/fault.ts';
import { parseId, type UserId } from '../kernel/ids.ts';

/** @throws Fault `not_found` for what is no id. */
export function userIdOf(text: string): UserId {
  const id = parseId<UserId>(text);
  if (id === undefined) throw new Fault('not_found', `There is no user ${text}.`);
  return id;
}
