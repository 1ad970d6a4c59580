/** One step of bringing Blue to what is wanted, and what a person's state in Blue is called; data only. */

import type { Level } from './level.ts';

/** `down` steps take away and free seats; `up` steps give and may use one: never both in one request. */
export type Phase = 'down' | 'up';

interface Step {
  readonly userId: string;
  readonly phase: Phase;
}

export type Action =
  /** A new person: one invitation a workspace, but one mail, for all roles of one level. */
  | (Step & {
      readonly kind: 'inviteToOrganization';
      readonly address: string;
      readonly level: Level;
      readonly workspaces: readonly string[];
    })
  /** A new person's custom role, or a workspace for somebody who is in the organization (added at once). */
  | (Step & {
      readonly kind: 'inviteToWorkspace';
      readonly address: string;
      readonly workspace: string;
      readonly level: Level;
      readonly customRole: CustomRole | null;
    })
  | (Step & {
      readonly kind: 'setLevel';
      readonly blueUserId: string;
      readonly workspace: string;
      readonly level: Level;
      readonly customRole: CustomRole | null;
    })
  | (Step & { readonly kind: 'removeFromWorkspace'; readonly blueUserId: string; readonly workspace: string })
  | (Step & { readonly kind: 'removeFromOrganization'; readonly blueUserId: string })
  | (Step & {
      readonly kind: 'cancelInvitation' | 'resendInvitation';
      readonly invitationId: string;
      readonly workspace: string;
    });

export interface CustomRole {
  readonly id: string;
  readonly name: string;
}

/** Why a person's state is what it is; Blue's own code where it has one for the case. */
export type OutcomeCode =
  | 'NO_EMAIL'
  | 'DUPLICATE_EMAIL'
  /** The organization's owner, the gateway's own user, or on the exclusion list. */
  | 'PROTECTED'
  /** Blue hides addresses from this token, so nobody can be looked up. */
  | 'EMAIL_NOT_PERMITTED'
  | 'PROJECT_NOT_FOUND'
  | 'PROJECT_USER_ROLE_NOT_FOUND'
  /** A workspace's own OWNER can be neither changed nor removed. */
  | 'WORKSPACE_OWNER'
  /** The paid role waits until Blue holds fewer paid people. */
  | 'SEATS_IN_BLUE'
  /** An invitation was just sent, and its id must be read before it can be changed. */
  | 'INVITATION_UNREAD'
  /** Deactivated under `view_only`: can still read. */
  | 'VIEW_ONLY';

export interface Outcome {
  readonly userId: string;
  /** Of Blue as it is known now; `waiting` while something is still to be sent. */
  readonly state: 'none' | 'waiting' | 'invited' | 'active' | 'refused' | 'removed';
  readonly code?: OutcomeCode;
  /** The workspace the code is about. */
  readonly detail?: string;
  /** Set once the person is matched: the caller keeps it. */
  readonly blueUserId: string | null;
}
