/**
 * Blue's calls with types: who we are, the lists that say what is, and the mutations. It reads and sends; what should be
 * sent is decided in diff.ts.
 */

import { type Fields, fieldsOf, ShapeError } from './answer-shape.ts';
import { type Answer, type BlueFailure, failureOf } from './blue-failure.ts';
import { BlueHttpClient, type BlueHttpOptions } from './blue-http-client.ts';
import {
  type BlueCustomRole,
  type BlueIdentity,
  type BlueInvitation,
  type BlueMember,
  type BlueWorkspace,
  customRolesOf,
  identityOf,
  identityQuery,
  invitationsOf,
  invitationsQuery,
  membersOf,
  membersQuery,
  type Page,
  rolesQuery,
  workspacesOf,
  workspacesQuery,
} from './blue-lists.ts';
import {
  type GraphqlRequest,
  type Mutation,
  type MutationResult,
  mutationRequest,
  mutationResults,
} from './mutation.ts';

const workspacesPerPage = 100;
/** A list that never ends is not Blue's. */
const pagesMax = 5000;

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
    return this.#read({ query: identityQuery, variables }, undefined, identityOf);
  }

  /** Everybody in the organization, page by page, without AI agents' accounts (Blue API docs, list-users). */
  async listMembers(): Promise<Answer<BlueMember[]>> {
    const totals = new Set<number>();
    const seen = new Set<string>();
    const answer = await this.#pages(async (skip) => {
      const variables = { id: this.#options.organizationId, skip };
      return this.#read({ query: membersQuery, variables }, undefined, (data) => {
        const page = membersOf(data);
        totals.add(page.total);
        for (const id of page.ids) seen.add(id);
        return page;
      });
    });
    // Pages are counted from the start of a list that others change: a shift would hide somebody.
    if (answer.ok && !(totals.size === 1 && totals.has(seen.size))) return { ok: false, failure: movedList };
    return answer;
  }

  /** The invitations of one workspace that nobody accepted yet, expired ones among them. */
  async listInvitations(workspaceId: string): Promise<Answer<BlueInvitation[]>> {
    const request = { query: invitationsQuery, variables: { id: workspaceId } };
    return this.#read(request, workspaceId, invitationsOf);
  }

  /** The workspaces that the token's user is in and that are not archived: only those can be administered. */
  async listWorkspaces(): Promise<Answer<BlueWorkspace[]>> {
    return this.#pages(async (skip) => {
      const variables = { id: this.#options.organizationId, skip, take: workspacesPerPage };
      return this.#read({ query: workspacesQuery, variables }, undefined, workspacesOf);
    });
  }

  /** The custom roles of these workspaces; Blue leaves out those the token's user is not in. */
  async listCustomRoles(workspaceIds: readonly string[]): Promise<Answer<BlueCustomRole[]>> {
    if (workspaceIds.length === 0) return { ok: true, value: [] };
    return this.#read({ query: rolesQuery, variables: { ids: workspaceIds } }, undefined, customRolesOf);
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

/** Failures that every further mutation would meet too. */
function endsCall(result: MutationResult): boolean {
  if (result.ok) return false;
  return result.failure.kind === 'rate_limited' || result.failure.kind === 'unauthenticated';
}

function failureOfLast(last: MutationResult | undefined): BlueFailure {
  if (last === undefined || last.ok) return { kind: 'contract', message: 'no result for any mutation' };
  return last.failure;
}
