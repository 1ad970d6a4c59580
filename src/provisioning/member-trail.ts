/** What the trail tells of a change of members: of several requests that were carried out as one, to each its own. Pure. */

import type { AuditEvent } from '../audit/audit-event.ts';
import type { GroupId, UserId } from '../kernel/ids.ts';

/** By who asked for each person to be added. */
export type Requests = ReadonlyMap<UserId, string | null>;

/**
 * @param decided What was decided by it; what became of people whom nobody named is told of the first request.
 * @param requests undefined: there was one.
 */
export function memberTrail(
  groupId: GroupId,
  { added, removed }: { added: readonly UserId[]; removed: readonly UserId[] },
  decided: readonly AuditEvent[],
  requests: Requests | undefined,
): AuditEvent[] {
  const changed = { action: 'group.members_changed', subject: groupId };
  if (requests === undefined) {
    const isChanged = added.length + removed.length > 0;
    return [...(isChanged ? [{ ...changed, after: { added, removed } }] : []), ...decided];
  }
  return [
    ...added.map((id) => ({ ...changed, after: { added: [id], removed }, requestId: requests.get(id) })),
    ...decided.map((event) => ({ ...event, requestId: requests.get(event.subject as UserId) })),
  ];
}
