/**
 * Blue's calls with types: who we are, the lists that say what is, and the mutations. It reads and sends; what should be
 * sent is decided in diff.ts.
 */

import {
  dateOf,
  type Fields,
  fieldsOf,
  listOf,
  numberOf,
  optionalTextOf,
  ShapeError,
  textOf,
  wordOf,
} from './answer-shape.ts';
import { type Answer, type BlueFailure, failureOf } from './blue-failure.ts';
import { BlueHttpClient, type BlueHttpOptions } from './blue-http-client.ts';
import { type HeldLevel, heldLevels } from './level.ts';
import {
  type GraphqlRequest,
  type Mutation,
  type MutationResult,
  mutationRequest,
  mutationResults,
} from './mutation.ts';

export interface BlueIdentity {
  /** The token's own user. */
  readonly selfUserId: string;
  readonly organizationId: string;
  readonly organizationName: string;
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
}

export interface BlueCustomRole {
  readonly id: string;
  readonly name: string;
  readonly workspace: string;
}

const identityQuery = `query Gateway($id: String) {
  currentUser { id }
  company(id: $id) { id name accessLevel owner { id } }
}`;

const membersQuery = `query Gateway($id: String!, $skip: Int) {
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

const invitationsQuery = `query Gateway($id: String) {
  invitations(projectId: $id) { id email accessLevel expiredAt project { id } }
}`;

const workspacesQuery = `query Gateway($id: String!, $skip: Int, $take: Int) {
  projectList(filter: { companyIds: [$id], archived: false }, sort: [id_ASC], skip: $skip, take: $take) {
    items { id name }
    pageInfo { hasNextPage }
  }
}`;

const rolesQuery = `query Gateway($ids: [String]) {
  projectUserRoles(filter: { projectIds: $ids }) { id name project { id } }
}`;

const workspacesPerPage = 100;
/** A list that never ends is not Blue's. */
const pagesMax = 5000;

interface Page<T> {
  readonly items: T[];
  readonly hasNext: boolean;
  /** As the server counts, before anything is left out. */
  readonly size: number;
}

export class BlueClient {
  readonly #http: BlueHttpClient;
  readonly #options: BlueHttpOptions;

  constructor(options: BlueHttpOptions) {
    this.#options = options;
    this.#http = new BlueHttpClient(options);
  }

  /** Milliseconds to wait before the next call, from what Blue said of its rate limits. */
  pace(): number {
    return this.#http.pace();
  }

  /** Waits as long as `pace` says. */
  paced(): Promise<void> {
    return this.#http.paced();
  }

  /** The connection test: whose token it is, and that the organization is his (Blue API docs, query-organization). */
  async identity(): Promise<Answer<BlueIdentity>> {
    const variables = { id: this.#options.organizationId };
    return this.#read({ query: identityQuery, variables }, undefined, (data) => {
      const company = fieldsOf(data.company, 'company');
      return {
        selfUserId: textOf(fieldsOf(data.currentUser, 'currentUser'), 'id'),
        organizationId: textOf(company, 'id'),
        organizationName: textOf(company, 'name'),
        ownerUserId: company.owner == null ? null : textOf(fieldsOf(company.owner, 'owner'), 'id'),
        level: wordOf(company, 'accessLevel', heldLevels),
      };
    });
  }

  /** Everybody in the organization, page by page, without AI agents' accounts (Blue API docs, list-users). */
  async listMembers(): Promise<Answer<BlueMember[]>> {
    const totals = new Set<number>();
    const seen = new Set<string>();
    const answer = await this.#pages(async (skip) => {
      const variables = { id: this.#options.organizationId, skip };
      return this.#read({ query: membersQuery, variables }, undefined, (data) => {
        const list = fieldsOf(data.companyUserList, 'companyUserList');
        const users = listOf(list.users, 'users', (user) => user);
        totals.add(numberOf(list, 'totalCount'));
        for (const user of users) seen.add(textOf(user, 'id'));
        const people = users.filter(({ isAgent }) => isAgent !== true).map(memberOf);
        return { items: people, hasNext: hasNext(list), size: users.length };
      });
    });
    // Pages are counted from the start of a list that others change: a shift would hide somebody.
    if (answer.ok && !(totals.size === 1 && totals.has(seen.size))) return { ok: false, failure: movedList };
    return answer;
  }

  /** The invitations of one workspace that nobody accepted yet, expired ones among them. */
  async listInvitations(workspaceId: string): Promise<Answer<BlueInvitation[]>> {
    const request = { query: invitationsQuery, variables: { id: workspaceId } };
    return this.#read(request, workspaceId, (data) =>
      listOf(data.invitations, 'invitations', (one) => ({
        id: textOf(one, 'id'),
        address: textOf(one, 'email').toLowerCase(),
        workspace: textOf(fieldsOf(one.project, 'project'), 'id'),
        level: wordOf(one, 'accessLevel', heldLevels),
        expiresAt: dateOf(one, 'expiredAt'),
      })),
    );
  }

  /** The workspaces that the token's user is in and that are not archived: only those can be administered. */
  async listWorkspaces(): Promise<Answer<BlueWorkspace[]>> {
    return this.#pages(async (skip) => {
      const variables = { id: this.#options.organizationId, skip, take: workspacesPerPage };
      return this.#read({ query: workspacesQuery, variables }, undefined, (data) => {
        const list = fieldsOf(data.projectList, 'projectList');
        const items = listOf(list.items, 'items', (one) => ({
          id: textOf(one, 'id'),
          name: textOf(one, 'name'),
        }));
        return { items, hasNext: hasNext(list), size: items.length };
      });
    });
  }

  /** The custom roles of these workspaces; Blue leaves out those the token's user is not in. */
  async listCustomRoles(workspaceIds: readonly string[]): Promise<Answer<BlueCustomRole[]>> {
    if (workspaceIds.length === 0) return { ok: true, value: [] };
    return this.#read({ query: rolesQuery, variables: { ids: workspaceIds } }, undefined, (data) =>
      listOf(data.projectUserRoles, 'projectUserRoles', (one) => ({
        id: textOf(one, 'id'),
        name: textOf(one, 'name'),
        workspace: textOf(fieldsOf(one.project, 'project'), 'id'),
      })),
    );
  }

  /**
   * Sends the mutations of one workspace (or none) in one request, and one more behind each that ends Blue's run.
   * @returns One result a mutation, in order. After a failure for which `mayHaveHappened` holds, read again.
   */
  async mutate(workspaceId: string | undefined, mutations: readonly Mutation[]): Promise<MutationResult[]> {
    const results: MutationResult[] = [];
    while (results.length < mutations.length) {
      if (results.length > 0) await this.#http.paced();
      const rest = mutations.slice(results.length);
      const answer = await this.#http.post(mutationRequest(rest), workspaceId);
      const now = this.#options.clock.now();
      const done = answer.ok ? mutationResults(rest, answer.value, now) : [answer];
      results.push(...done);
      const last = done.at(-1);
      if (!answer.ok || last === undefined || endsCall(last)) {
        const failure = failureOfLast(last);
        while (results.length < mutations.length) results.push({ ok: false, failure });
      }
    }
    return results;
  }

  async #read<T>(
    request: GraphqlRequest,
    workspaceId: string | undefined,
    shape: (data: Fields) => T,
  ): Promise<Answer<T>> {
    const answer = await this.#http.post(request, workspaceId);
    if (!answer.ok) return answer;
    const { data, errors } = answer.value;
    const [error] = errors;
    // Half a list is worse than none: somebody who is missing would be invited again.
    if (error !== undefined) return { ok: false, failure: failureOf(error, this.#options.clock.now()) };
    try {
      return { ok: true, value: shape(fieldsOf(data, 'data')) };
    } catch (shapeError) {
      if (!(shapeError instanceof ShapeError)) throw shapeError;
      return { ok: false, failure: { kind: 'contract', message: shapeError.message } };
    }
  }

  async #pages<T>(read: (skip: number) => Promise<Answer<Page<T>>>): Promise<Answer<T[]>> {
    const items: T[] = [];
    let skip = 0;
    for (let page = 0; page < pagesMax; page += 1) {
      if (page > 0) await this.#http.paced();
      const answer = await read(skip);
      if (!answer.ok) return answer;
      items.push(...answer.value.items);
      skip += answer.value.size;
      if (!answer.value.hasNext) return { ok: true, value: items };
      if (answer.value.size === 0) break;
    }
    return { ok: false, failure: { kind: 'contract', message: 'a list without an end' } };
  }
}

const movedList: BlueFailure = {
  kind: 'unavailable',
  cause: 'server',
  message: 'the list changed while it was read',
};

function hasNext(list: Fields): boolean {
  return fieldsOf(list.pageInfo, 'pageInfo').hasNextPage === true;
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

/** Failures that every further mutation would meet too. */
function endsCall(result: MutationResult): boolean {
  if (result.ok) return false;
  return result.failure.kind === 'rate_limited' || result.failure.kind === 'unauthenticated';
}

function failureOfLast(last: MutationResult | undefined): BlueFailure {
  if (last === undefined || last.ok) return { kind: 'contract', message: 'no result for any mutation' };
  return last.failure;
}
