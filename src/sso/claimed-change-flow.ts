/** What a login changes of the groups that its connection claimed for somebody. */

import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { ClaimedChange } from '../provisioning/claimed-groups-flow.ts';
import { selectLinkGroups } from '../provisioning/claimed-groups-store.ts';
import type { Connection } from './connection.ts';
import { type ClaimedGroups, differenceOf } from './core/claimed-groups.ts';

/** undefined: nothing. Where the connection's directory pushes groups, those alone count, and what was claimed goes. */
export async function findClaimedChange(
  tx: TenantTransaction,
  { id: connectionId, directoryId }: Connection,
  subject: string,
  groups: ClaimedGroups,
): Promise<ClaimedChange | undefined> {
  if (groups === 'unknown') return undefined;
  const { groups: before, isPushed } = await selectLinkGroups(tx, { connectionId, subject, directoryId });
  const after = isPushed ? [] : groups;
  const changed = differenceOf(before ?? [], after);
  return changed.length === 0 ? undefined : { before, after, changed };
}
