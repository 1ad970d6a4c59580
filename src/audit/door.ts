/** The door a write came through: who asks, for which tenant, when, and under which request. */

import type { TenantId } from '../kernel/ids.ts';
import type { Actor } from './audit-event.ts';

/** Of an edit request, as it was begun: another one of the same request begins at another time. */
export interface Approval {
  requestId: string;
  begunAt: Date;
}

export interface Door {
  tenantId: TenantId;
  actor: Actor;
  /** The instant of the whole write: the core is handed this one and reads no clock. */
  now: Date;
  /** Answered as `x-request-id`; null for what nobody asked for. */
  requestId: string | null;
  /** The edit request that is approved by it: what that replaces must not have changed since it was asked for. */
  approval?: Approval;
  /** How many people are decided for at a time; left out: as many as `limits.peoplePerDecision` says. */
  peoplePerDecision?: number;
}
