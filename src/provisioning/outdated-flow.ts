/** Refuses an approved edit by which what others changed since it was asked for would be overwritten unseen. */

import type { Approval, Door } from '../audit/door.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { type EditRequest, moveEditRequest, selectEditRequest } from './edit-request-store.ts';
import { selectChangeSince } from './outdated-store.ts';
import { begunSince, outdated } from './replaced.ts';

/** The refusal of a request whose subject was changed since; undefined: it stands as it was. */
export async function outdatednessOf(
  tx: TenantTransaction,
  { id, replaces, createdAt }: Pick<EditRequest, 'id' | 'replaces' | 'createdAt'>,
  now: Date,
): Promise<Fault | undefined> {
  if (replaces === null) return undefined;
  const begun = begunSince(replaces, createdAt, now);
  if (begun !== undefined) return begun;
  const change = await selectChangeSince(tx, id, replaces);
  return change === undefined ? undefined : outdated(replaces, change);
}

/**
 * In the transaction of the edit, under the pool's lock, which whoever changes what it replaces has too: the request is approved with the
 * edit itself, whatever fails after it.
 *
 * @throws Fault `conflict` where what it replaces was changed since it was asked for, or the request was decided otherwise since the
 *   approval was begun.
 */
export async function approveWithEdit(
  tx: TenantTransaction,
  { actor, now }: Door,
  { requestId, begunAt }: Approval,
): Promise<void> {
  const request = await selectEditRequest(tx, requestId);
  const isOurs = request?.decidedAt?.getTime() === begunAt.getTime();
  // By an earlier transaction of the same edit.
  if (isOurs && request.state === 'approved') return;
  if (!isOurs || request.state !== 'applying')
    throw new Fault('conflict', `The edit request ${requestId} was decided otherwise meanwhile.`);
  const refusal = await outdatednessOf(tx, request, now);
  if (refusal !== undefined) throw refusal;
  const { approvedBy: by = actor } = actor.kind === 'operator' || actor.kind === 'key' ? actor : {};
  await moveEditRequest(tx, requestId, 'applying', 'approved', { by, at: begunAt });
}
