/** The connection that a path names. */

import { type ConnectionId, parseId } from '../kernel/ids.ts';
import { unknownConnection } from '../sso/connection-flow.ts';

/** @throws Fault `not_found` for what is no id. */
export function connectionIdOf(text: string): ConnectionId {
  const id = parseId<ConnectionId>(text);
  if (id === undefined) throw unknownConnection(text);
  return id;
}
