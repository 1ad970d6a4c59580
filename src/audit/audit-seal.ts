/** Seals over the trail: what their signature covers, and which of them is the first that no longer tells the truth. Pure. */

import type { TenantId } from '../kernel/ids.ts';

export interface AuditSeal {
  /** From 1 on, without a gap. */
  number: number;
  /** Its window ends here; as text, since they may be the greatest that PostgreSQL has. */
  xid: string;
  seq: string;
  afterSeq: string;
  topSeq: string;
  entries: number;
  sealedAt: Date;
  /** Of the entries up to here. */
  newestAt: Date;
  /** In hex, of the rows and of the seal before. */
  hash: string;
}

/** One that stands, beside what its window holds now. */
export interface ReadSeal extends AuditSeal {
  mac: string;
  found: number;
  foundHash: string;
}

/** What somebody keeps of a seal, outside: number and hash. */
export interface Checkpoint {
  number: number;
  hash: string;
}

/** content: entries were changed, added or taken away; mac: the seal was not made with this key; missing: the seal is gone; kept: it is not the one that was kept; roles: roles were changed that entries name. */
export const breakCauses = ['content', 'mac', 'missing', 'kept', 'roles'] as const;

export interface Break {
  why: (typeof breakCauses)[number];
  /** null: it is about no seal. */
  seal: number | null;
  /** Times of the newest entry before, and in it. */
  from: Date | null;
  to: Date | null;
  /** How many entries were sealed, and are there; null: not known. */
  entries: number | null;
  found: number | null;
  /** Id of the set whose roles were changed. */
  roleSet?: string;
}

export function sealText(tenantId: TenantId, seal: AuditSeal): string {
  const { number, xid, seq, afterSeq, topSeq, entries, sealedAt, newestAt, hash } = seal;
  return JSON.stringify([tenantId, number, xid, seq, afterSeq, topSeq, entries, sealedAt, newestAt, hash]);
}

/**
 * Those of the seals that follow `last` and hold, up to the first that does not.
 *
 * @param seals In their order.
 * @param isSigned Whether the signature is the gateway's.
 */
export function follow(
  seals: readonly ReadSeal[],
  last: AuditSeal | undefined,
  isSigned: (seal: ReadSeal) => boolean,
): { good: ReadSeal[]; broken: Break | undefined } {
  const good: ReadSeal[] = [];
  for (const seal of seals) {
    const broken = breakOf(seal, good.at(-1) ?? last, isSigned);
    if (broken !== undefined) return { good, broken };
    good.push(seal);
  }
  return { good, broken: undefined };
}

function breakOf(
  seal: ReadSeal,
  before: AuditSeal | undefined,
  isSigned: (seal: ReadSeal) => boolean,
): Break | undefined {
  const { number, entries, found, newestAt: to } = seal;
  const from = before?.newestAt ?? null;
  const next = (before?.number ?? 0) + 1;
  if (number !== next) return { why: 'missing', seal: next, from, to, entries: null, found: null };
  const window = { seal: number, from, to, entries, found };
  if (!isSigned(seal)) return { why: 'mac', ...window };
  return found === entries && seal.foundHash === seal.hash ? undefined : { why: 'content', ...window };
}

/** @param standing What now has the number. */
export function breakOfKept(kept: Checkpoint, standing: AuditSeal | undefined): Break | undefined {
  if (standing?.hash === kept.hash) return undefined;
  const { newestAt: to = null, entries = null } = standing ?? {};
  return { why: 'kept', seal: kept.number, from: null, to, entries, found: null };
}
