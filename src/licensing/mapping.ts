/** The rule "who is in this group has this role in these workspaces", and the order among such rules. */

import type { GroupId, MappingId } from '../kernel/ids.ts';
import type { Breaker } from './breaker.ts';
import type { Catalogue, FallbackRole } from './catalogue.ts';

export interface Mapping {
  id: MappingId;
  /** Unique in the tenant; 1 beats 2. */
  priority: number;
  /** null until a group of the awaited name exists: then nobody is in it; and where a value is named instead. */
  groupId: GroupId | null;
  /** A value the identity provider pushes in SCIM `roles`, folded. */
  roleValue: string | null;
  /** A value of the groups claim of single sign-on, folded. */
  claimValue: string | null;
  role: string;
  /** Workspace ids, or exactly `["*"]`: the tenant's default workspaces. */
  workspaces: readonly string[];
  /** Instead of the contract's, when the role is paid and no seat is free. */
  fallbackRole: FallbackRole | null;
  /** It counts from then on; null: from ever. */
  validFrom: Date | null;
  /** It no longer counts from then on; null: for good. */
  validUntil: Date | null;
  /** Order `strict`: a claim by it may take the seat of one of lower priority. */
  mayPreempt: boolean;
  /** null: as the role has it. */
  approval: Approval | null;
  /** Whose share of the seats its claims are served from; null: the common rest. */
  subPool: string | null;
}

/**
 * Who gives a seat: nobody in particular; somebody, for each claim (`manual`); or somebody, where none is free when it is
 * claimed (`when_full`).
 */
export const approvals = ['automatic', 'manual', 'when_full'] as const;
export type Approval = (typeof approvals)[number];

/** In which order claims are served: the time of a claim counts (`sticky`), or the priority alone (`strict`). */
export type SeatOrder = 'sticky' | 'strict';
/** When free seats are given: at once, at the end of a batch of changes, or when an administrator says so. */
export type Settlement = 'immediate' | 'cycle' | 'staged';

/** What a tenant has decided about roles and seats. */
export interface Rules {
  /** Best priority first. */
  mappings: readonly Mapping[];
  /** The version by which the tenant is decided for. */
  catalogue: Catalogue;
  /** What `*` stands for. */
  defaultWorkspaces: readonly string[];
  /** Of people whom no mapping names and who have none of their own; `none`: nothing. */
  defaultRole: string;
  order: SeatOrder;
  settlement: Settlement;
  /** How long a place is kept for somebody who moves; 0: not at all. */
  holdMinutes: number;
  /** How long places are kept for the members of a mapped group that was deleted. */
  tombstoneHours: number;
  /** By role, of claims by mappings that say nothing of it. */
  approvals: Readonly<Record<string, Approval>>;
  /** How long somebody is told before the seat goes to a better claim (order `strict`). */
  noticeHours: number;
  /** null: no change is asked about. */
  breaker: Breaker | null;
}

export const everyDefaultWorkspace = '*';

/** With no default workspaces `*` stays as it is: a role that counts for the seat and sends nothing to Blue. */
export function workspacesOf(
  { workspaces }: Pick<Mapping, 'workspaces'>,
  { defaultWorkspaces }: Pick<Rules, 'defaultWorkspaces'>,
): readonly string[] {
  const isDefault = workspaces.includes(everyDefaultWorkspace);
  return isDefault && defaultWorkspaces.length > 0 ? defaultWorkspaces : workspaces;
}

export function isValid({ validFrom, validUntil }: Mapping, now: Date): boolean {
  return (validFrom === null || validFrom <= now) && (validUntil === null || now < validUntil);
}

/** The next instant at which a mapping begins or ceases to count. */
export function nextValidity(mappings: readonly Mapping[], now: Date): Date | undefined {
  const later = mappings
    .flatMap(({ validFrom, validUntil }) => [validFrom, validUntil])
    .filter((at) => at !== null && now < at) as Date[];
  return later.length === 0 ? undefined : new Date(Math.min(...later.map((at) => at.getTime())));
}
