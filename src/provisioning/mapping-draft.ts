/** A mapping as it is written down, and as it is kept. */

import type { GroupId } from '../kernel/ids.ts';
import type { FallbackRole } from '../licensing/catalogue.ts';
import type { Approval, Mapping } from '../licensing/mapping.ts';

export interface MappingDraft {
  /** A group, by its id or what will be its name; or a value of SCIM `roles` or of the groups claim, whatever its case. */
  group:
    | { id: GroupId }
    | { displayName: string }
    | { externalId: string }
    | { roleValue: string }
    | { claim: string };
  role: string;
  workspaces: readonly string[];
  priority: number;
  fallbackRole: FallbackRole | null;
  validFrom: Date | null;
  validUntil: Date | null;
  mayPreempt: boolean;
  /** null: as the role has it. */
  approval: Approval | null;
}

/** A mapping as it is kept: bound to a group, or waiting for one by a name. */
export interface StoredMapping extends Mapping {
  groupDisplayName: string | null;
  groupExternalId: string | null;
}
