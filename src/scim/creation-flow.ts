/**
 * A POST whose answer was never delivered may be repeated: the second is answered with what the first one made. A
 * creation is written down in its own transaction and forgotten once its answer is out (contract: 10 minutes).
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { inTenant } from '../db/tenant-transaction.ts';
import { digest } from '../kernel/digest.ts';
import { Fault } from '../kernel/fault.ts';
import { parseId, type TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { type Creation, selectUnanswered } from '../provisioning/creation-store.ts';
import type { Asking } from './resource-flow.ts';

/** What this process knows of the answers to creations. */
export interface Creations {
  /** Its answer is under way. */
  begin(tenantId: TenantId, id: string): void;
  /** Nothing was made. */
  abandon(id: string): void;
  /** `elsewhere`: another process answers it, or answered before it died. */
  fateOf(id: string): 'answered' | 'lost' | 'elsewhere';
}

/** After so long an answer that another process was to give has been given, or never will be. */
const settledMs = 1000;

export interface CreationSteps<Id extends string, Made> {
  /** Tells apart what is asked for. */
  readonly draft: unknown;
  readonly id: Id;
  create(creation: Creation<Id>): Promise<Made>;
  /** undefined: it is no longer there. */
  find(id: Id): Promise<Made | undefined>;
}

/** @throws Fault as `create`; `conflict` unless the same was asked for before by this directory and not answered. */
export async function createOnce<Id extends string, Made>(
  asking: Asking,
  { draft, id, create, find }: CreationSteps<Id, Made>,
): Promise<Made> {
  const { creations, caller } = asking;
  const draftHash = digest(JSON.stringify(draft));
  creations.begin(caller.tenantId, id);
  try {
    return await create({ id, draftHash });
  } catch (error) {
    creations.abandon(id);
    if (!(error instanceof Fault) || error.code !== 'conflict') throw error;
    const lost = await findLost<Id>(asking, draftHash);
    const made = lost === undefined ? undefined : await find(lost);
    if (made === undefined || lost === undefined) throw error;
    creations.begin(caller.tenantId, lost);
    return made;
  }
}

async function findLost<Id extends string>(asking: Asking, draftHash: string): Promise<Id | undefined> {
  const { creations, door } = asking;
  const [first] = await readUnanswered(asking, draftHash);
  if (first === undefined || creations.fateOf(first.id) === 'answered') return undefined;
  const waitMs = settledMs - (door.now.getTime() - first.createdAt.getTime());
  if (creations.fateOf(first.id) === 'lost' || waitMs <= 0) return parseId<Id>(first.id);
  await sleep(Math.min(waitMs, settledMs));
  const [second] = await readUnanswered(asking, draftHash);
  return second === undefined ? undefined : parseId<Id>(second.id);
}

function readUnanswered({ database, caller, door }: Asking, draftHash: string) {
  const since = new Date(door.now.getTime() - limits.lostAnswerMs);
  return inTenant(database, caller.tenantId, (tx) =>
    selectUnanswered(tx, caller.directoryId, draftHash, since),
  );
}
