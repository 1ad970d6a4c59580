/** Reading people, changing their levels and removing them (API docs, list-users, remove-user). */

import { administers, type Call, headerWorkspace, ownOrganization } from './call.ts';
import { blueError } from './errors.ts';
import { assignable, checkRole } from './invitations.ts';
import type { AccessLevel, Person } from './types.ts';
import { pageInfo, userView, type View } from './views.ts';

/** Fixed on the server; `first`, `last`, `after`, `before` and `orderBy` are accepted and ignored. */
export const userPageSize = 200;

interface ListArgs {
  search?: string | null;
  skip?: number | null;
}

export function currentUser(_args: unknown, call: Call): View {
  return userView(call, call.caller);
}

export function user({ id }: { id: string }, call: Call): View {
  return userView(call, knownPerson(call, id));
}

export function companyUserList(
  args: ListArgs & { companyId: string; notInProjectId?: string | null },
  call: Call,
): View {
  const { world, caller } = call;
  ownOrganization(world, caller, args.companyId);
  const members = [...world.people.values()].filter(({ companyLevel }) => companyLevel !== null);
  const visible = members.filter((one) => caller.companyLevel === 'OWNER' || sharesWorkspace(call, one));
  const outside = world.workspace(args.notInProjectId ?? '');
  const asked = outside ? visible.filter((one) => !world.membership(one.id, outside.id)) : visible;
  return userPage(asked, args, call);
}

export function projectUserList(args: ListArgs & { projectId: string }, call: Call): View {
  const workspace = call.world.workspace(args.projectId);
  if (workspace === undefined) throw blueError('PROJECT_NOT_FOUND');
  if (!call.world.membership(call.caller.id, workspace.id)) throw blueError('FORBIDDEN');
  const members = [...call.world.people.values()].filter((one) =>
    call.world.membership(one.id, workspace.id),
  );
  return userPage(members, args, call);
}

/** `search` looks at the names only, never at the address. */
function userPage(people: Person[], args: ListArgs, call: Call): View {
  const text = args.search?.toLowerCase() ?? '';
  const found = people.filter((one) => `${one.firstName} ${one.lastName}`.toLowerCase().includes(text));
  found.sort((a, b) => a.firstName.localeCompare(b.firstName) || a.id.localeCompare(b.id));
  const skip = args.skip ?? 0;
  const users = found.slice(skip, skip + userPageSize).map((one) => userView(call, one));
  return { users, totalCount: found.length, pageInfo: pageInfo(found.length, skip, userPageSize) };
}

function sharesWorkspace(call: Call, person: Person): boolean {
  const own = call.world.membershipsOf(call.caller.id);
  return own.some((row) => call.world.membership(person.id, row.workspaceId) !== undefined);
}

interface LevelInput {
  userId: string;
  accessLevel: AccessLevel;
  roleId?: string | null;
}

/**
 * Blue documents neither the rights nor the exact errors of this call; assumed here: an administrator's right,
 * OWNERs can't be changed, `roleId: null` clears a custom role and a left-out one keeps it.
 */
export function updateProjectAccessLevel({ input }: { input: LevelInput }, call: Call): boolean {
  const workspace = headerWorkspace(call);
  if (input.userId === call.caller.id) throw blueError('UPDATE_LEVEL_SELF');
  const own = call.world.membership(call.caller.id, workspace.id)?.level;
  if (!administers(call, workspace.id) || own === undefined) throw blueError('FORBIDDEN');
  const row = call.world.membership(input.userId, workspace.id);
  if (row === undefined) throw blueError('USER_NOT_IN_PROJECT');
  if (row.level === 'OWNER' || !assignable[own].includes(input.accessLevel)) throw blueError('FORBIDDEN');
  checkRole(workspace, input.roleId);
  const isOwner = call.world.people.get(input.userId)?.companyLevel === 'OWNER';
  row.level = isOwner ? 'ADMIN' : input.accessLevel;
  if (row.level !== 'MEMBER') row.roleId = null;
  else if (input.roleId !== undefined) row.roleId = input.roleId;
  record(call, 'UPDATE_PROJECT_ACCESS_LEVEL', input.userId, workspace.id);
  return true;
}

/** The organization comes from the header, as the input names none. */
export function updateCompanyAccessLevel({ input }: { input: LevelInput }, call: Call): boolean {
  ownOrganization(call.world, call.caller, call.organization);
  if (input.userId === call.caller.id) throw blueError('UPDATE_LEVEL_SELF');
  if (input.accessLevel === 'OWNER') throw blueError('UPDATE_COMPANY_LEVEL_TO_OWNER');
  const { companyLevel } = call.caller;
  if (companyLevel !== 'OWNER' && companyLevel !== 'ADMIN') throw blueError('FORBIDDEN');
  const person = call.world.people.get(input.userId);
  if (person === undefined || person.companyLevel === null) throw blueError('USER_NOT_IN_COMPANY');
  if (person.companyLevel === 'OWNER') throw blueError('FORBIDDEN');
  person.companyLevel = input.accessLevel;
  record(call, 'UPDATE_COMPANY_ACCESS_LEVEL', input.userId);
  return true;
}

/** Takes the workspace's id only, never its slug, and needs no workspace header. */
export function removeProjectUser(
  { input }: { input: { projectId: string; userId: string } },
  call: Call,
): View {
  const workspace = call.world.workspaces.find(({ id }) => id === input.projectId);
  if (workspace === undefined) throw blueError('PROJECT_NOT_FOUND');
  const person = knownPerson(call, input.userId);
  if (person.id === call.caller.id) throw blueError('REMOVE_SELF');
  const row = call.world.membership(person.id, workspace.id);
  if (!administers(call, workspace.id) || row === undefined || row.level === 'OWNER') {
    throw blueError('FORBIDDEN');
  }
  call.world.leaveWorkspace(person.id, workspace.id);
  record(call, 'REMOVE_USER_FROM_PROJECT', person.id, workspace.id);
  return { success: true, operationId: null };
}

export function removeCompanyUser(
  { input }: { input: { companyId: string; userId: string } },
  call: Call,
): boolean {
  ownOrganization(call.world, call.caller, input.companyId);
  if (call.caller.companyLevel !== 'OWNER') throw blueError('FORBIDDEN');
  const person = knownPerson(call, input.userId);
  if (person.id === call.caller.id) throw blueError('REMOVE_SELF');
  if (person.companyLevel === null) throw blueError('FORBIDDEN');
  call.world.leaveOrganization(person);
  record(call, 'REMOVE_USER_FROM_COMPANY', person.id);
  return true;
}

function knownPerson(call: Call, id: string): Person {
  const person = call.world.people.get(id);
  if (person === undefined) throw blueError('USER_NOT_FOUND');
  return person;
}

function record(call: Call, category: string, affectedId: string, workspaceId?: string): void {
  const place = workspaceId === undefined ? {} : { workspaceId };
  call.world.record({ category, byId: call.caller.id, affectedId, ...place });
}
