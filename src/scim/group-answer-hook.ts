/** Sends groups; where their members are shown, as a stream that holds one page of them at a time. */

import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { Database } from '../db/database.ts';
import type { Group, Member } from '../directory/group.ts';
import { memberPages } from '../directory/group-view-store.ts';
import type { GroupId, TenantId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { listResponse } from './core/messages.ts';
import { type Projection, project, wants } from './core/project.ts';
import { renderGroup, renderMember } from './group-mapping.ts';
import { mediaType, sendScim } from './scim-message-hook.ts';

export interface GroupAnswer {
  database: Database;
  tenantId: TenantId;
  /** Where the SCIM endpoints are, without a slash at the end. */
  baseUrl: string;
  projection: Projection;
}

export function sendGroup(reply: FastifyReply, status: number, answer: GroupAnswer, group: Group) {
  if (!wants(answer.projection, 'members')) return sendScim(reply, status, render(answer, group));
  return sendStream(reply, status, groupsWithMembers(answer, [group]));
}

export interface GroupList {
  total: number;
  offset: number;
  groups: Group[];
}

export function sendGroups(reply: FastifyReply, answer: GroupAnswer, { total, offset, groups }: GroupList) {
  const resources = groups.map((group) => render(answer, group));
  const list = listResponse({ totalResults: total, startIndex: offset + 1, resources });
  if (!wants(answer.projection, 'members')) return sendScim(reply, 200, list);
  const { Resources: _, ...head } = list;
  const open = `${JSON.stringify(head).slice(0, -1)},"Resources":[`;
  return sendStream(reply, 200, wrap(open, groupsWithMembers(answer, groups), ']}'));
}

function render({ projection, baseUrl }: GroupAnswer, group: Group): JsonObject {
  return project(projection, renderGroup(group, baseUrl));
}

function sendStream(reply: FastifyReply, status: number, text: AsyncIterable<string>) {
  return reply
    .code(status)
    .header('content-type', mediaType)
    .send(Readable.from(text, { objectMode: false }));
}

async function* wrap(before: string, inner: AsyncIterable<string>, after: string): AsyncGenerator<string> {
  yield before;
  yield* inner;
  yield after;
}

/**
 * The groups as JSON, joined by commas. Their members come in the order of the group ids, as the groups do, so that one
 * pass over both is enough. A group without members has no `members`.
 */
async function* groupsWithMembers(answer: GroupAnswer, groups: readonly Group[]): AsyncGenerator<string> {
  const members = new MemberReader(answer, groups);
  for (const [index, group] of groups.entries()) {
    const head = JSON.stringify(render(answer, group)).slice(0, -1);
    yield `${index === 0 ? '' : ','}${head}`;
    let isFirst = true;
    for (let page = await members.next(group.id); page.length > 0; page = await members.next(group.id)) {
      yield isFirst ? ',"members":[' : ',';
      yield JSON.stringify(renderShown(answer, page)).slice(1, -1);
      isFirst = false;
    }
    yield isFirst ? '}' : ']}';
  }
}

/** Members with the sub-attributes that the answer shows. */
function renderShown({ projection, baseUrl }: GroupAnswer, page: readonly Member[]): unknown {
  return project(projection, { members: page.map((member) => renderMember(member, baseUrl)) }).members;
}

/** Hands out the members of one group after the other. */
class MemberReader {
  readonly #pages: AsyncGenerator<Member[]>;
  #rest: Member[] = [];

  constructor({ database, tenantId }: GroupAnswer, groups: readonly Group[]) {
    this.#pages = memberPages(
      database,
      tenantId,
      groups.map(({ id }) => id),
    );
  }

  /** The next members of this group; none: it has no more. */
  async next(groupId: GroupId): Promise<Member[]> {
    if (this.#rest.length === 0) this.#rest = (await this.#pages.next()).value ?? [];
    const end = this.#rest.findIndex((member) => member.groupId !== groupId);
    const part = end === -1 ? this.#rest : this.#rest.slice(0, end);
    this.#rest = end === -1 ? [] : this.#rest.slice(end);
    return part;
  }
}
