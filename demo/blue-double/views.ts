/** Records as the GraphQL types of the schema file: what a caller may see of them, nothing changes here. */

import { administers, type Call } from './call.ts';
import type { Membership, PendingInvitation, Person, WorkspaceRecord } from './types.ts';

/** A view's fields: values, or functions of the field's arguments (graphql-js default resolver). */
export type View = Record<string, unknown>;

export function userView(call: Call, person: Person): View {
  const { world } = call;
  const rows = world.membershipsOf(person.id);
  const workspaceRow = (id: string | null | undefined) => {
    const workspace = world.workspace(id ?? call.workspace ?? '');
    return workspace && rows.find((row) => row.workspaceId === workspace.id);
  };
  return {
    id: person.id,
    uid: person.id,
    username: person.email,
    email: seesEmail(call, person, rows) ? person.email : '',
    firstName: person.firstName,
    lastName: person.lastName,
    fullName: `${person.firstName} ${person.lastName}`,
    isEmailVerified: true,
    isAgent: person.isAgent,
    isOnline: false,
    lastActiveAt: person.lastActiveAt,
    createdAt: person.createdAt,
    updatedAt: person.createdAt,
    companyLevel: () => person.companyLevel,
    projectLevel: (args: { projectId?: string | null }) => workspaceRow(args.projectId)?.level,
    projectUserRole: (args: { projectId?: string | null }) => roleView(call, workspaceRow(args.projectId)),
    workspaceCount: rows.length,
    workspaceMemberships: () => membershipViews(call, person, rows),
  };
}

/** Organization OWNER, or OWNER or ADMIN of a workspace the person is in; everybody sees his own. */
function seesEmail(call: Call, person: Person, rows: Membership[]): boolean {
  if (call.caller.companyLevel === 'OWNER' || call.caller.id === person.id) return true;
  return rows.some((row) => administers(call, row.workspaceId));
}

function membershipViews(call: Call, person: Person, rows: Membership[]): View[] {
  if (call.caller.companyLevel !== 'OWNER' && call.caller.id !== person.id) return [];
  return rows.map((row) => {
    const workspace = call.world.workspace(row.workspaceId);
    return {
      id: row.workspaceId,
      name: workspace?.name,
      accessLevel: row.level,
      customRole: workspace?.customRoles.find(({ id }) => id === row.roleId)?.name,
      joinedAt: row.joinedAt,
    };
  });
}

function roleView(call: Call, row: Membership | undefined): View | null {
  const workspace = row && call.world.workspace(row.workspaceId);
  const role = workspace?.customRoles.find(({ id }) => id === row?.roleId);
  return workspace && role ? customRoleView(call, workspace, role) : null;
}

export function customRoleView(
  call: Call,
  workspace: WorkspaceRecord,
  role: { id: string; name: string },
): View {
  const createdAt = call.world.people.get(call.world.organization.ownerId)?.createdAt;
  return { ...role, uid: role.id, createdAt, project: () => workspaceView(call, workspace) };
}

export function workspaceView(call: Call, workspace: WorkspaceRecord): View {
  const { world } = call;
  const createdAt = world.people.get(world.organization.ownerId)?.createdAt;
  return {
    ...workspace,
    uid: workspace.id,
    isTemplate: false,
    accessLevel: (args: { userId?: string | null }) =>
      world.membership(args.userId ?? call.caller.id, workspace.id)?.level,
    company: () => organizationView(call),
    createdAt,
    updatedAt: createdAt,
  };
}

export function organizationView(call: Call): View {
  const { world } = call;
  const { organization } = world;
  const owner = world.people.get(organization.ownerId);
  const ownIn = world.workspaces.filter(({ archived }) => !archived);
  return {
    id: organization.id,
    uid: organization.id,
    name: organization.name,
    slug: organization.slug,
    owner: () => owner && userView(call, owner),
    accessLevel: call.caller.companyLevel,
    tier: 'scale',
    isLocked: false,
    isBanned: organization.isBanned,
    limits: {
      users: { used: world.paidPeople().size, limit: organization.userLimit },
      workspaces: { used: ownIn.length, limit: null },
    },
  };
}

export function invitationView(call: Call, one: PendingInvitation): View {
  const inviter = call.world.people.get(one.invitedById);
  const workspace = call.world.workspace(one.workspaceId);
  return {
    id: one.id,
    email: one.email,
    accessLevel: one.level,
    invitedBy: () => inviter && userView(call, inviter),
    createdAt: one.createdAt,
    updatedAt: one.updatedAt,
    expiredAt: one.expiredAt,
    project: () => workspace && workspaceView(call, workspace),
  };
}

/** `pageInfo` of both list styles (API docs, pagination-and-filtering). */
export function pageInfo(total: number, skip: number, perPage: number): View {
  return {
    totalItems: total,
    totalPages: Math.ceil(total / perPage),
    page: Math.floor(skip / perPage) + 1,
    perPage,
    hasNextPage: skip + perPage < total,
    hasPreviousPage: skip > 0,
  };
}
