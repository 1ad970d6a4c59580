/** Edits of what decisions rest on, as they are asked for, and what a preview of one tells. */

import type { MappingDraftId, MappingId, UserId } from '../kernel/ids.ts';
import type { RoleEntry } from '../licensing/catalogue.ts';
import type { ContractDraft } from '../licensing/contract.ts';
import type { Impact, PersonImpact } from '../licensing/impact.ts';
import type { Pin } from '../licensing/pin.ts';
import type { SubPoolDraft } from '../licensing/sub-pool.ts';
import type { Settings } from '../tenants/settings.ts';
import type { Intake } from './intake.ts';
import type { MappingDraft } from './mapping-draft.ts';
import type { LineDraft } from './prospect.ts';

export type MappingEdit =
  | { op: 'create'; id: MappingId; mapping: MappingDraft }
  | { op: 'update'; id: MappingId; mapping: MappingDraft }
  | { op: 'delete'; id: MappingId }
  | { op: 'reorder'; ids: readonly MappingId[] };

export interface PinDraft extends Pin {
  reason: string;
}

/** Each as its own write takes it. */
export type Edit =
  | MappingEdit
  | { op: 'draft'; id: MappingDraftId; rebase: boolean }
  | { op: 'rollback'; version: number }
  | { op: 'contract'; contract: ContractDraft }
  | { op: 'amendment'; line: LineDraft }
  | { op: 'withdrawal'; lineId: string }
  | { op: 'pin'; userId: UserId; pin: PinDraft }
  | { op: 'unpin'; userId: UserId }
  | { op: 'import'; people: readonly Intake[] }
  | { op: 'adopt'; blueUserIds: readonly string[] }
  | { op: 'settings'; settings: Settings }
  | { op: 'subPool'; subPool: SubPoolDraft }
  | { op: 'removeSubPool'; name: string }
  | { op: 'defaultWorkspaces'; workspaces: readonly string[] }
  | { op: 'catalogue'; roles: readonly RoleEntry[] }
  | { op: 'settle' };

export interface Losses {
  /** People who would be without a seat that they have, or a role that comes to cost one, now or at a date that is known. */
  seatsLost: number;
  /** Of them those who keep it for now. */
  lostLater: number;
}

/** People who get something by the end of a batch, and who wait on. */
export interface PlanCounts {
  gained: number;
  queued: number;
}

/** By the department that the directory wrote last of each person. */
export interface ByDepartment {
  /** Those with most people, most first; null: whose department nobody wrote. */
  departments: readonly (PlanCounts & { department: string | null })[];
  /** All that are not among them. */
  others: PlanCounts & { departments: number };
}

export interface Preview extends Omit<Impact, 'people'>, Losses {
  /** How many more people would want a seat. */
  needed: number;
  /** Held. */
  seats: { before: number; after: number };
  /** Seats that are free now; null: unlimited. */
  available: number | null;
  /** A page of those for whom something is different. */
  people: (PersonImpact & { userName: string })[];
  /** null: of every edit but `settle`. */
  byDepartment: ByDepartment | null;
}
