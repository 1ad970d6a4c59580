/** From actions to Blue's mutations, batched by workspace, and the known state after one of them succeeded. Pure. */

import { unreachable } from '../kernel/assert.ts';
import type { Action } from './action.ts';
import type { ActualInvitation, ActualMember, ActualState } from './actual-state.ts';
import type { Mutation } from './mutation.ts';

export interface Batch {
  /** Undefined: no workspace's header is needed. */
  readonly workspace: string | undefined;
  /** The actions and their mutations, index by index. */
  readonly actions: readonly Action[];
  readonly mutations: readonly Mutation[];
}

/** Blue API docs, invite-user. */
const invitationMs = 7 * 24 * 60 * 60 * 1000;

/**
 * Batches for `BlueClient.mutate`, at most `sizeMax` mutations each. Give it the actions of one phase: an upgrade must
 * not stand in the request of the downgrade it depends on.
 */
export function toBatches(actions: readonly Action[], organizationId: string, sizeMax: number): Batch[] {
  return [...Map.groupBy(actions, headerOf)].flatMap(([workspace, group]) => {
    const batches: Batch[] = [];
    for (let at = 0; at < group.length; at += sizeMax) {
      const part = group.slice(at, at + sizeMax);
      batches.push({
        workspace,
        actions: part,
        mutations: part.map((one) => toMutation(one, organizationId)),
      });
    }
    return batches;
  });
}

function headerOf(action: Action): string | undefined {
  return 'workspace' in action ? action.workspace : undefined;
}

function toMutation(action: Action, organizationId: string): Mutation {
  switch (action.kind) {
    case 'inviteToOrganization': {
      const { address: email, level: accessLevel, workspaces: projectIds } = action;
      return {
        operation: 'inviteUser',
        input: { email, accessLevel, companyId: organizationId, projectIds },
      };
    }
    case 'inviteToWorkspace': {
      const { address: email, level: accessLevel, workspace: projectId, customRole } = action;
      const role = customRole === null ? {} : { roleId: customRole.id };
      return { operation: 'inviteUser', input: { email, accessLevel, projectId, ...role } };
    }
    case 'setLevel': {
      const { blueUserId: userId, level: accessLevel, customRole } = action;
      // Whether a left-out role id drops a custom role is not documented; null says it outright.
      const roleId = customRole?.id ?? null;
      return { operation: 'updateProjectAccessLevel', input: { userId, accessLevel, roleId } };
    }
    case 'removeFromWorkspace':
      return {
        operation: 'removeProjectUser',
        input: { projectId: action.workspace, userId: action.blueUserId },
      };
    case 'removeFromOrganization':
      return {
        operation: 'removeCompanyUser',
        input: { companyId: organizationId, userId: action.blueUserId },
      };
    case 'cancelInvitation':
    case 'resendInvitation':
      return { operation: action.kind, id: action.invitationId };
    default:
      return unreachable(action);
  }
}

/** What Blue is known to be after `action` succeeded at `now`, so that a batch needs no reading in between. */
export function afterAction(state: ActualState, action: Action, now: Date): ActualState {
  switch (action.kind) {
    case 'inviteToOrganization': {
      const { address, level, workspaces } = action;
      const fresh = workspaces.map((workspace) => unread({ address, workspace, level }, now));
      return { ...state, invitations: [...state.invitations, ...fresh] };
    }
    case 'inviteToWorkspace':
      return afterWorkspaceInvitation(state, action, now);
    case 'setLevel': {
      const { workspace, level } = action;
      const row = { workspace, level, customRole: action.customRole?.name ?? null };
      return withMember(state, action.blueUserId, (one) => ({
        ...one,
        memberships: [...without(one, workspace), row],
      }));
    }
    case 'removeFromWorkspace':
      return withMember(state, action.blueUserId, (one) => ({
        ...one,
        memberships: without(one, action.workspace),
      }));
    case 'removeFromOrganization':
      return { ...state, members: state.members.filter((one) => one.blueUserId !== action.blueUserId) };
    case 'cancelInvitation':
      return { ...state, invitations: state.invitations.filter(({ id }) => id !== action.invitationId) };
    case 'resendInvitation': {
      const expiresAt = new Date(now.getTime() + invitationMs);
      const renewed = state.invitations.map((one) =>
        one.id === action.invitationId ? { ...one, expiresAt } : one,
      );
      return { ...state, invitations: renewed };
    }
    default:
      return unreachable(action);
  }
}

function afterWorkspaceInvitation(
  state: ActualState,
  { address, workspace, level, customRole }: Extract<Action, { kind: 'inviteToWorkspace' }>,
  now: Date,
): ActualState {
  const member = state.members.find((one) => one.address === address);
  if (member === undefined) {
    return { ...state, invitations: [...state.invitations, unread({ address, workspace, level }, now)] };
  }
  const row = { workspace, level, customRole: customRole?.name ?? null };
  return withMember(state, member.blueUserId, (one) => ({ ...one, memberships: [...one.memberships, row] }));
}

/** An invitation as it must be by now; its id is for reading only. */
function unread(
  fields: Pick<ActualInvitation, 'address' | 'workspace' | 'level'>,
  now: Date,
): ActualInvitation {
  return { ...fields, id: null, expiresAt: new Date(now.getTime() + invitationMs) };
}

function without({ memberships }: ActualMember, workspace: string) {
  return memberships.filter((row) => row.workspace !== workspace);
}

function withMember(
  state: ActualState,
  blueUserId: string,
  change: (member: ActualMember) => ActualMember,
): ActualState {
  return {
    ...state,
    members: state.members.map((one) => (one.blueUserId === blueUserId ? change(one) : one)),
  };
}
