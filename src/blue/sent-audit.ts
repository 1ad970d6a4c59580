/** The audit trail's entry for an action that Blue accepted. Pure. */

import type { AuditEvent } from '../audit/audit-event.ts';
import { unreachable } from '../kernel/assert.ts';
import type { Action } from './action.ts';
import type { ActualMember, ActualMembership, ActualState } from './actual-state.ts';

/** @param before What was known of Blue when it was sent. */
export function acceptedEvent(action: Action, before: ActualState): AuditEvent {
  const subject = action.userId;
  switch (action.kind) {
    case 'inviteToOrganization': {
      const { address, level, workspaces } = action;
      return { action: 'blue.invited', subject, after: { workspaces, level, customRole: null, address } };
    }
    case 'inviteToWorkspace': {
      const isMember = before.members.some(({ address }) => address === action.address);
      // Blue adds somebody of the organization at once.
      const what = isMember ? 'blue.added' : 'blue.invited';
      return { action: what, subject, after: { ...given(action), address: action.address } };
    }
    case 'setLevel': {
      const member = memberOf(action, before);
      const row = member?.memberships.find(({ workspace }) => workspace === action.workspace);
      const after = { ...given(action), address: member?.address ?? null };
      return { action: 'blue.level_changed', subject, before: row === undefined ? null : heldIn(row), after };
    }
    case 'removeFromWorkspace':
    case 'removeFromOrganization':
      return removedEvent(action, before);
    case 'cancelInvitation':
    case 'resendInvitation':
      return invitationEvent(action, before);
    default:
      return unreachable(action);
  }
}

type Removal = Extract<Action, { kind: 'removeFromWorkspace' | 'removeFromOrganization' }>;

/** Out of the organization is out of all its workspaces. */
function removedEvent(action: Removal, before: ActualState): AuditEvent {
  const member = memberOf(action, before);
  const scope = action.kind === 'removeFromOrganization' ? 'organization' : 'workspace';
  const lost = (member?.memberships ?? []).filter(
    ({ workspace }) => action.kind === 'removeFromOrganization' || workspace === action.workspace,
  );
  const workspaces =
    action.kind === 'removeFromWorkspace' ? [action.workspace] : lost.map(({ workspace }) => workspace);
  const after = { scope, workspaces, address: member?.address ?? null };
  return { action: 'blue.removed', subject: action.userId, before: lost.map(heldIn), after };
}

function invitationEvent(
  action: Extract<Action, { kind: 'cancelInvitation' | 'resendInvitation' }>,
  before: ActualState,
): AuditEvent {
  const invitation = before.invitations.find(({ id }) => id === action.invitationId);
  const { level = null, address = null } = invitation ?? {};
  return {
    action: action.kind === 'cancelInvitation' ? 'blue.invitation_cancelled' : 'blue.invitation_resent',
    subject: action.userId,
    after: { workspaces: [action.workspace], level, address },
  };
}

function memberOf(
  { blueUserId }: { blueUserId: string },
  { members }: ActualState,
): ActualMember | undefined {
  return members.find((member) => member.blueUserId === blueUserId);
}

function given({
  workspace,
  level,
  customRole,
}: Extract<Action, { kind: 'inviteToWorkspace' | 'setLevel' }>) {
  return { workspaces: [workspace], level, customRole: customRole?.name ?? null };
}

function heldIn({ workspace, level, customRole }: ActualMembership) {
  return { workspaces: [workspace], level, customRole };
}
