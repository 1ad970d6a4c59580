/** What the gateway wants of Blue, per person, and the tenant's settings that bear on it; data only. */

import type { Catalogue } from '../licensing/catalogue.ts';
import type { IsPaid, Level } from './level.ts';

/** The workspace of a role that counts for the seat and sends nothing to Blue (no default workspaces are set). */
export const nowhere = '*';

export interface DesiredRole {
  /** Blue's id of the workspace, or `nowhere`. */
  readonly workspace: string;
  readonly level: Level;
  /** A custom role's name; `level` is MEMBER then. */
  readonly customRole?: string;
}

export interface DesiredPerson {
  /** The gateway's id, handed back with actions and outcomes. */
  readonly userId: string;
  /** Lower-cased; null when the person has none. */
  readonly address: string | null;
  /** Blue's id once the person was matched: it outlives a change of address. */
  readonly blueUserId: string | null;
  /** Who is taken for the person without proof: another's proof counts for more. */
  readonly guessedBlueUserId: string | null;
  /** At most one a workspace. */
  readonly roles: readonly DesiredRole[];
  /** Workspaces besides those that the tenant manages in which the person was given roles: they are managed for the person. */
  readonly given: readonly string[];
  /** Inactive or deleted: roles don't matter then. */
  readonly leaving: boolean;
  /** On the list of `exclusions`, or was when the directory deleted the user. */
  readonly isExcluded: boolean;
}

/** What becomes of a leaver in Blue, which has no suspend. */
export type Deactivation = 'leave_workspaces' | 'view_only' | 'leave_organization';

export interface BlueSettings {
  /** Nothing is sent, and so nothing given. */
  readonly isObserving: boolean;
  readonly deactivation: Deactivation;
  /** Names and addresses of people who are never touched, folded. */
  readonly exclusions: ReadonlySet<string>;
  /** Every workspace that a mapping or default names or named: others are left alone, but where the person was given a role by a pin. */
  readonly managedWorkspaces: ReadonlySet<string>;
  /** People with a paid role that Blue may hold at any moment; null means unlimited. */
  readonly paidCeiling: number | null;
  readonly isPaid: IsPaid;
  /** What each role is in Blue. */
  readonly catalogue: Catalogue;
}
