/** `inviteUser` in its two flows, and listing, renewing and cancelling invitations (API docs, invite-user). */

import { administers, type Call, headerWorkspace, ownOrganization } from './call.ts';
import { blueError, seatsFull } from './errors.ts';
import type { AccessLevel, WorkspaceRecord } from './types.ts';
import { invitationView, type View } from './views.ts';

interface InviteInput {
  email: string;
  accessLevel: AccessLevel;
  projectId?: string | null;
  projectIds?: string[] | null;
  companyId?: string | null;
  roleId?: string | null;
}

const everyLevel: readonly AccessLevel[] = [
  'OWNER',
  'ADMIN',
  'MEMBER',
  'CLIENT',
  'COMMENT_ONLY',
  'VIEW_ONLY',
];

/** What a caller of each workspace level may hand out in the workspace flow. */
export const assignable: Readonly<Record<AccessLevel, readonly AccessLevel[]>> = {
  OWNER: everyLevel,
  ADMIN: everyLevel.slice(1),
  MEMBER: everyLevel.slice(2),
  CLIENT: ['CLIENT'],
  COMMENT_ONLY: [],
  VIEW_ONLY: [],
};

export function inviteUser({ input }: { input: InviteInput }, call: Call): boolean {
  const workspaces = invitedWorkspaces(input, call);
  checkInvitation(input, workspaces, call);
  const email = input.email.toLowerCase();
  const person = call.world.personByEmail(email);
  for (const { id } of workspaces) {
    if (person !== undefined && person.companyLevel !== null) {
      call.world.join(person.id, id, input.accessLevel, input.roleId ?? null);
      record(call, 'ADD_USER_TO_PROJECT', email, id, person.id);
    } else {
      const fields = { level: input.accessLevel, roleId: input.roleId ?? null, invitedById: call.caller.id };
      call.world.invite({ email, workspaceId: id, ...fields });
      record(call, 'CREATE_INVITATION', email, id);
    }
  }
  return true;
}

/** `companyId` alone selects the organization flow, silently; in the workspace flow the header names the workspace. */
function invitedWorkspaces(input: InviteInput, call: Call): WorkspaceRecord[] {
  if (input.companyId != null) {
    ownOrganization(call.world, call.caller, input.companyId);
    if (call.caller.companyLevel !== 'OWNER') throw blueError('FORBIDDEN');
    return (input.projectIds ?? []).map((id) => knownWorkspace(call, id));
  }
  if (input.projectId == null) throw blueError('BAD_USER_INPUT', 'projectId or companyId is required');
  const workspace = headerWorkspace(call);
  const own = call.world.membership(call.caller.id, workspace.id)?.level;
  if (own === undefined || !assignable[own].includes(input.accessLevel)) throw blueError('FORBIDDEN');
  return [workspace];
}

/** All checks come before the first effect, so a refused invitation leaves no trace. */
function checkInvitation(input: InviteInput, workspaces: WorkspaceRecord[], call: Call): void {
  const { world, caller } = call;
  const email = input.email.toLowerCase();
  if (email === caller.email.toLowerCase()) throw blueError('ADD_SELF');
  const person = world.personByEmail(email);
  for (const workspace of workspaces) {
    if (person !== undefined && world.membership(person.id, workspace.id) !== undefined) {
      throw blueError('USER_ALREADY_IN_THE_PROJECT');
    }
    checkRole(workspace, input.roleId);
  }
  if (world.lacksSeat(email, input.accessLevel)) {
    const { userLimit } = world.organization;
    throw seatsFull(userLimit ?? 0, userLimit ?? 0);
  }
}

/** @throws PROJECT_USER_ROLE_NOT_FOUND for a role of another workspace. */
export function checkRole(workspace: WorkspaceRecord, roleId: string | null | undefined): void {
  if (roleId == null) return;
  const own = workspace.customRoles.some(({ id }) => id === roleId);
  if (!own) throw blueError('PROJECT_USER_ROLE_NOT_FOUND');
}

/** Without `projectId` the header's workspace: a list of the whole organization is not documented. */
export function invitations(args: { projectId?: string | null }, call: Call): View[] {
  const workspace = args.projectId == null ? headerWorkspace(call) : knownWorkspace(call, args.projectId);
  if (!seesInvitations(call, workspace.id)) throw blueError('FORBIDDEN');
  const own = call.world.invitations.filter((one) => one.workspaceId === workspace.id);
  return own.map((one) => invitationView(call, one));
}

export function resendInvitation({ id }: { id: string }, call: Call): View {
  const one = ownInvitation(id, call);
  one.updatedAt = call.world.now();
  one.expiredAt = call.world.invitationEnd();
  return invitationView(call, one);
}

export function cancelInvitation({ id }: { id: string }, call: Call): boolean {
  const one = ownInvitation(id, call);
  call.world.cancel(id);
  record(call, 'CANCEL_INVITATION', one.email, one.workspaceId);
  return true;
}

function ownInvitation(id: string, call: Call) {
  const one = call.world.invitations.find((candidate) => candidate.id === id);
  if (one === undefined) throw blueError('INVITATION_NOT_FOUND');
  if (!seesInvitations(call, one.workspaceId)) throw blueError('FORBIDDEN');
  return one;
}

function seesInvitations(call: Call, workspaceId: string): boolean {
  return call.caller.companyLevel === 'OWNER' || administers(call, workspaceId);
}

function knownWorkspace(call: Call, idOrSlug: string): WorkspaceRecord {
  const workspace = call.world.workspace(idOrSlug);
  if (workspace === undefined) throw blueError('PROJECT_NOT_FOUND');
  return workspace;
}

function record(
  call: Call,
  category: string,
  inviteeEmail: string,
  workspaceId: string,
  affectedId?: string,
): void {
  const affected = affectedId === undefined ? {} : { affectedId };
  call.world.record({ category, byId: call.caller.id, inviteeEmail, workspaceId, ...affected });
}
