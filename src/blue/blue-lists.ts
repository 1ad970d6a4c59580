/** What Blue says of itself: the queries, and what their answers mean. Pure; an answer of another shape is a ShapeError. */

import {
  dateOf,
  type Fields,
  fieldsOf,
  listOf,
  numberOf,
  optionalTextOf,
  textOf,
  wordOf,
} from './answer-shape.ts';
import { type HeldLevel, heldLevels } from './level.ts';

export interface BlueIdentity {
  /** The token's own user. */
  readonly selfUserId: string;
  readonly organizationId: string;
  readonly organizationName: string;
  /** What its address in Blue's application is made of; without one there is only no link. */
  readonly organizationSlug: string | null;
  readonly ownerUserId: string | null;
  /** The token's level: only OWNER sees addresses and memberships and may invite for the organization. */
  readonly level: HeldLevel;
}

export interface BlueMember {
  readonly blueUserId: string;
  /** Lower-cased; null when Blue answers an empty address, which means "not permitted". */
  readonly address: string | null;
  readonly fullName: string;
  readonly organizationLevel: HeldLevel | null;
  readonly lastActiveAt: Date | null;
  readonly memberships: readonly BlueMembership[];
}

export interface BlueMembership {
  readonly workspace: string;
  readonly level: HeldLevel;
  /** The role's name. */
  readonly customRole: string | null;
}

export interface BlueInvitation {
  readonly id: string;
  /** Lower-cased. */
  readonly address: string;
  readonly workspace: string;
  readonly level: HeldLevel;
  readonly expiresAt: Date;
}

export interface BlueWorkspace {
  readonly id: string;
  readonly name: string;
  /** As the organization's. */
  readonly slug: string | null;
}

export interface BlueCustomRole {
  readonly id: string;
  readonly name: string;
  readonly workspace: string;
}

export const identityQuery = `query Gateway($id: String) {
  currentUser { id }
  company(id: $id) { id name slug accessLevel owner { id } }
}`;

export const membersQuery = `query Gateway($id: String!, $skip: Int) {
  companyUserList(companyId: $id, skip: $skip) {
    totalCount
    pageInfo { hasNextPage }
    users {
      id email fullName isAgent lastActiveAt
      companyLevel(companyId: $id)
      workspaceMemberships(companyId: $id) { id accessLevel customRole }
    }
  }
}`;

export const invitationsQuery = `query Gateway($id: String) {
  invitations(projectId: $id) { id email accessLevel expiredAt project { id } }
}`;

export const workspacesQuery = `query Gateway($id: String!, $skip: Int, $take: Int) {
  projectList(filter: { companyIds: [$id], archived: false }, sort: [id_ASC], skip: $skip, take: $take) {
    items { id name slug }
    pageInfo { hasNextPage }
  }
}`;

export const rolesQuery = `query Gateway($ids: [String]) {
  projectUserRoles(filter: { projectIds: $ids }) { id name project { id } }
}`;

/** Of a list that comes in parts. */
export interface Page<T> {
  readonly items: T[];
  readonly hasNext: boolean;
  /** As the server counts, before anything is left out. */
  readonly size: number;
}

/** With the ids of all on the page, and how many there are on all pages. */
export interface MembersPage extends Page<BlueMember> {
  readonly ids: readonly string[];
  readonly total: number;
}

export function identityOf(data: Fields): BlueIdentity {
  const company = fieldsOf(data.company, 'company');
  return {
    selfUserId: textOf(fieldsOf(data.currentUser, 'currentUser'), 'id'),
    organizationId: textOf(company, 'id'),
    organizationName: textOf(company, 'name'),
    organizationSlug: optionalTextOf(company, 'slug'),
    ownerUserId: company.owner == null ? null : textOf(fieldsOf(company.owner, 'owner'), 'id'),
    level: wordOf(company, 'accessLevel', heldLevels),
  };
}

/** Without AI agents' accounts. */
export function membersOf(data: Fields): MembersPage {
  const list = fieldsOf(data.companyUserList, 'companyUserList');
  const users = listOf(list.users, 'users', (user) => user);
  return {
    items: users.filter(({ isAgent }) => isAgent !== true).map(memberOf),
    ids: users.map((user) => textOf(user, 'id')),
    total: numberOf(list, 'totalCount'),
    hasNext: hasNext(list),
    size: users.length,
  };
}

function memberOf(user: Fields): BlueMember {
  return {
    blueUserId: textOf(user, 'id'),
    address: textOf(user, 'email').toLowerCase() || null,
    fullName: textOf(user, 'fullName'),
    organizationLevel: user.companyLevel == null ? null : wordOf(user, 'companyLevel', heldLevels),
    lastActiveAt: user.lastActiveAt == null ? null : dateOf(user, 'lastActiveAt'),
    memberships: listOf(user.workspaceMemberships, 'workspaceMemberships', (one) => ({
      workspace: textOf(one, 'id'),
      level: wordOf(one, 'accessLevel', heldLevels),
      customRole: optionalTextOf(one, 'customRole'),
    })),
  };
}

export function invitationsOf(data: Fields): BlueInvitation[] {
  return listOf(data.invitations, 'invitations', (one) => ({
    id: textOf(one, 'id'),
    address: textOf(one, 'email').toLowerCase(),
    workspace: textOf(fieldsOf(one.project, 'project'), 'id'),
    level: wordOf(one, 'accessLevel', heldLevels),
    expiresAt: dateOf(one, 'expiredAt'),
  }));
}

export function workspacesOf(data: Fields): Page<BlueWorkspace> {
  const list = fieldsOf(data.projectList, 'projectList');
  const items = listOf(list.items, 'items', (one) => ({
    id: textOf(one, 'id'),
    name: textOf(one, 'name'),
    slug: optionalTextOf(one, 'slug'),
  }));
  return { items, hasNext: hasNext(list), size: items.length };
}

export function customRolesOf(data: Fields): BlueCustomRole[] {
  return listOf(data.projectUserRoles, 'projectUserRoles', (one) => ({
    id: textOf(one, 'id'),
    name: textOf(one, 'name'),
    workspace: textOf(fieldsOf(one.project, 'project'), 'id'),
  }));
}

function hasNext(list: Fields): boolean {
  return fieldsOf(list.pageInfo, 'pageInfo').hasNextPage === true;
}
