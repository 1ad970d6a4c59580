/** Reading the organization, its workspaces, custom roles and activity (API docs, query-organization and others). */

import { type Call, ownOrganization } from './call.ts';
import { blueError } from './errors.ts';
import type { ActivityRecord } from './types.ts';
import { customRoleView, organizationView, pageInfo, userView, type View, workspaceView } from './views.ts';

export function company(args: { id?: string | null }, call: Call): View {
  ownOrganization(call.world, call.caller, args.id ?? call.organization);
  return organizationView(call);
}

interface WorkspaceFilter {
  companyIds: string[];
  ids?: string[] | null;
  archived?: boolean | null;
  search?: string | null;
  inProject?: boolean | null;
}

/** Only the caller's own workspaces, unless an OWNER asks for the others with `inProject: false`. */
export function projectList(args: { filter: WorkspaceFilter; skip: number; take: number }, call: Call): View {
  const { filter, skip, take } = args;
  for (const id of filter.companyIds) ownOrganization(call.world, call.caller, id);
  if (filter.inProject === false && call.caller.companyLevel !== 'OWNER') throw blueError('FORBIDDEN');
  const wantOwn = filter.inProject !== false;
  const found = call.world.workspaces.filter((one) => {
    const isIn = call.world.membership(call.caller.id, one.id) !== undefined;
    const named = filter.ids == null || filter.ids.includes(one.id);
    const matches = one.name.toLowerCase().includes(filter.search?.toLowerCase() ?? '');
    return (
      isIn === wantOwn && named && matches && (filter.archived == null || one.archived === filter.archived)
    );
  });
  const items = found.slice(skip, skip + take).map((one) => workspaceView(call, one));
  return { items, totalCount: found.length, pageInfo: pageInfo(found.length, skip, take) };
}

/** `projectId` wins over `projectIds`; workspaces the caller is not in are silently left out. */
export function projectUserRoles(
  { filter }: { filter: { projectId?: string | null; projectIds?: (string | null)[] | null } },
  call: Call,
): View[] {
  const ids = filter.projectId == null ? (filter.projectIds ?? []) : [filter.projectId];
  const own = call.world.workspaces.filter(
    ({ id }) => ids.includes(id) && call.world.membership(call.caller.id, id) !== undefined,
  );
  return own.flatMap((workspace) =>
    workspace.customRoles.map((role) => customRoleView(call, workspace, role)),
  );
}

interface ActivityArgs {
  companyId?: string | null;
  projectId?: string | null;
  categories?: string[] | null;
  first: number;
  after?: string | null;
  skip?: number | null;
  orderBy: 'createdAt_ASC' | 'createdAt_DESC';
}

export function activityList(args: ActivityArgs, call: Call): View {
  if (args.companyId != null) ownOrganization(call.world, call.caller, args.companyId);
  const found = call.world.activity.filter(
    (one) =>
      (args.categories == null || args.categories.includes(one.category)) &&
      (args.projectId == null || one.workspaceId === args.projectId),
  );
  if (args.orderBy === 'createdAt_DESC') found.reverse();
  const start = args.after == null ? (args.skip ?? 0) : found.findIndex((one) => one.id === args.after) + 1;
  const page = found.slice(start, start + args.first);
  return {
    activities: page.map((one) => activityView(call, one)),
    totalCount: page.length,
    pageInfo: pageInfo(found.length, start, args.first),
  };
}

function activityView(call: Call, one: ActivityRecord): View {
  const { world } = call;
  const by = world.people.get(one.byId);
  const affected = one.affectedId === null ? undefined : world.people.get(one.affectedId);
  const workspace = one.workspaceId === null ? undefined : world.workspace(one.workspaceId);
  return {
    id: one.id,
    uid: one.id,
    category: one.category,
    createdAt: one.at,
    createdBy: () => by && userView(call, by),
    affectedBy: () => affected && userView(call, affected),
    inviteeEmail: one.inviteeEmail,
    project: () => workspace && workspaceView(call, workspace),
    company: () => organizationView(call),
  };
}
