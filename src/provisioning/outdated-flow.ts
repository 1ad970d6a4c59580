/** Refuses an approved edit by which what others changed since it was asked for would be overwritten unseen. */

import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { Fault } from '../kernel/fault.ts';
import { type EditRequest, selectEditRequest } from './edit-request-store.ts';
import { selectChangeSince } from './outdated-store.ts';
import { outdated } from './replaced.ts';

/** The refusal of a request whose subject was changed since; undefined: it stands as it was. */
export async function outdatednessOf(
  tx: TenantTransaction,
  { id, replaces }: Pick<EditRequest, 'id' | 'replaces'>,
): Promise<Fault | undefined> {
  if (replaces === null) return undefined;
  const change = await selectChangeSince(tx, id, replaces);
  return change === undefined ? undefined : outdated(replaces, change);
}

/** Under the pool's lock, which whoever changes it has too. @throws Fault `conflict`. */
export async function refuseOutdated(tx: TenantTransaction, editRequestId: string): Promise<void> {
  const request = await selectEditRequest(tx, editRequestId);
  const refusal = request === undefined ? undefined : await outdatednessOf(tx, request);
  if (refusal !== undefined) throw refusal;
}
