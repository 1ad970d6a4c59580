/** Verifies the trail: walks its seals in their order, and compares each with what it covers, in short transactions. */

import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { Signer } from '../kernel/signer.ts';
import { readRoleSets } from '../provisioning/role-set-store.ts';
import {
  type AuditSeal,
  type Break,
  breakOfKept,
  type Checkpoint,
  follow,
  type ReadSeal,
  sealText,
} from './audit-seal.ts';
import { countUnsealed, selectReadSeals, selectSeal } from './seal-store.ts';

/** How far a walk has come: the last seal that was verified (0: none), and how many entries it and those before have. */
export interface Place {
  number: number;
  entries: number;
}

export interface VerifyRequest {
  tenantId: TenantId;
  /** Where an earlier call ended. */
  from: Place;
  /** What somebody kept of a seal; its hash vouches for the seals up to it, whoever signed them. */
  kept: Checkpoint | undefined;
  /** Asked after each transaction: the walk ends there. */
  isOver: () => boolean;
}

export interface Verification {
  /** undefined: all that was looked at holds. */
  broken: Break | undefined;
  place: Place;
  /** The last that was verified. */
  seal: AuditSeal | undefined;
  /** Whether there is nothing behind it to look at. */
  isEnd: boolean;
  /** Entries without a seal. */
  unsealed: number;
}

export async function verifyTrail(
  database: Database,
  signer: Signer,
  { tenantId, from, kept, isOver }: VerifyRequest,
): Promise<Verification> {
  const first = await inTenant(database, tenantId, async (tx) => ({
    seal: await selectSeal(tx, from.number),
    kept: kept && breakOfKept(kept, await selectSeal(tx, kept.number)),
    unsealed: await countUnsealed(tx),
  }));
  const vouched = kept === undefined || first.kept !== undefined ? 0 : kept.number;
  const isSigned = (seal: ReadSeal) =>
    seal.number <= vouched || signer.isSigned(sealText(tenantId, seal), seal.mac);
  let { seal } = first;
  // Where that one is gone, the walk begins again.
  let entries = seal === undefined ? 0 : from.entries;
  for (;;) {
    const after = seal?.number ?? 0;
    const seals = await inTenant(database, tenantId, (tx) => selectReadSeals(tx, after));
    const { good, broken } = follow(seals, seal, isSigned);
    seal = good.at(-1) ?? seal;
    for (const one of good) entries += one.entries;
    const isEnd = seals.length === 0;
    if (broken === undefined && !isEnd && !isOver()) continue;
    const found = broken ?? first.kept ?? (isEnd ? await breakOfRoles(database, tenantId) : undefined);
    const place = { number: seal?.number ?? 0, entries };
    return { broken: found, place, seal, isEnd, unsealed: first.unsealed };
  }
}

/** Entries name sets of roles by ids that follow from the roles. */
async function breakOfRoles(database: Database, tenantId: TenantId): Promise<Break | undefined> {
  for (let after: string | undefined = '00000000-0000-0000-0000-000000000000'; after !== undefined; ) {
    const from: string = after;
    const { changed, next } = await inTenant(database, tenantId, (tx) => readRoleSets(tx, from));
    const nothing = { seal: null, from: null, to: null, entries: null, found: null };
    if (changed !== undefined) return { why: 'roles', ...nothing, roleSet: changed };
    after = next;
  }
  return undefined;
}
