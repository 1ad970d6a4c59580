/** Sends what was found or made; where members of groups are shown, as a stream that holds one page of them at a time. */

import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { Group, Member } from '../directory/group.ts';
import { memberPages } from '../directory/group-view-store.ts';
import type { GroupId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { limits } from '../kernel/limits.ts';
import { listResponse } from './core/messages.ts';
import { type Projection, project, wants } from './core/project.ts';
import { renderGroup, renderMember } from './group-mapping.ts';
import type { Asking, ScimAnswer, ScimContent } from './resource-flow.ts';
import { mediaType, sendScim } from './scim-message-hook.ts';
import type { SearchAnswer } from './search-flow.ts';

type GroupContent = ScimContent & { kind: 'group' };

export function sendAnswer(reply: FastifyReply, asking: Asking, answer: ScimAnswer) {
  const { status, location, version, content } = answer;
  if (status === 201) reply.header('location', location);
  if (version !== undefined) reply.header('etag', version);
  switch (content.kind) {
    case 'none':
      return reply.code(status).send();
    case 'resource':
      return sendScim(reply, status, content.resource);
    case 'group':
      return showsMembers(content)
        ? sendStream(reply, status, resourcesAsJson(asking, [content]))
        : sendScim(reply, status, renderHead(asking, content));
  }
}

export function sendList(reply: FastifyReply, asking: Asking, { place, resources }: SearchAnswer) {
  const heads = resources.flatMap((content) => {
    if (content.kind === 'none') return [];
    return content.kind === 'resource' ? [content.resource] : [renderHead(asking, content)];
  });
  const list = listResponse(place, heads);
  if (!resources.some((content) => content.kind === 'group' && showsMembers(content))) {
    return sendScim(reply, 200, list);
  }
  const { Resources: _, ...head } = list;
  const open = `${JSON.stringify(head).slice(0, -1)},"Resources":[`;
  return sendStream(reply, 200, wrap(open, resourcesAsJson(asking, resources), ']}'));
}

function showsMembers({ projection }: { projection: Projection }): boolean {
  return wants(projection, 'members');
}

/** The group without its members. */
function renderHead({ baseUrl }: Asking, { group, projection }: GroupContent): JsonObject {
  return project(projection, renderGroup(projection.type, group, baseUrl));
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

/** Resources as JSON, joined by commas. */
async function* resourcesAsJson(asking: Asking, contents: readonly ScimContent[]): AsyncGenerator<string> {
  const groups = contents.flatMap((content) => (content.kind === 'group' ? [content.group] : []));
  const members = new MemberReader(asking, groups);
  let isFirst = true;
  for (const content of contents) {
    if (content.kind === 'none') continue;
    if (!isFirst) yield ',';
    isFirst = false;
    if (content.kind === 'resource') yield JSON.stringify(content.resource);
    else yield* groupAsJson(asking, content, members);
  }
}

/** A group without members has no `members`. */
async function* groupAsJson(
  asking: Asking,
  content: GroupContent,
  members: MemberReader,
): AsyncGenerator<string> {
  yield JSON.stringify(renderHead(asking, content)).slice(0, -1);
  const { id } = content.group;
  let isFirst = true;
  for (let page = await members.next(id); page.length > 0; page = await members.next(id)) {
    yield isFirst ? ',"members":[' : ',';
    yield JSON.stringify(renderShown(asking, content, page)).slice(1, -1);
    isFirst = false;
  }
  yield isFirst ? '}' : ']}';
}

/** Members with the sub-attributes that the answer shows. */
function renderShown({ baseUrl }: Asking, { projection }: GroupContent, page: readonly Member[]): unknown {
  return project(projection, { members: page.map((member) => renderMember(member, baseUrl)) }).members;
}

/** Groups that are read at a time where their order is not that of their ids. */
const groupsPerChunk = 50;

/**
 * Hands out the members of one group after the other. Those of groups in the order of their ids are read in one pass.
 * In another order a chunk of groups is read at once, as far as their members fit on one page together; else each of
 * them by itself.
 */
class MemberReader {
  readonly #asking: Asking;
  readonly #ids: readonly GroupId[];
  #at = 0;
  /** Of the group that is read now, or of all in one pass. */
  #pages: AsyncGenerator<Member[]> | undefined;
  #rest: Member[] = [];
  /** Whole groups, read ahead. */
  #chunk = new Map<GroupId, Member[]>();
  #current: GroupId | undefined;
  readonly #isOnePass: boolean;

  constructor(asking: Asking, groups: readonly Group[]) {
    this.#asking = asking;
    this.#ids = groups.map(({ id }) => id);
    this.#isOnePass = this.#ids.every((id, index) => index === 0 || String(this.#ids[index - 1]) < id);
    if (this.#isOnePass) this.#pages = this.#read(this.#ids);
  }

  #read(ids: readonly GroupId[]): AsyncGenerator<Member[]> {
    return memberPages(this.#asking.database, this.#asking.caller.tenantId, ids);
  }

  /** The next members of this group; none: it has no more. */
  async next(groupId: GroupId): Promise<Member[]> {
    if (!this.#isOnePass && this.#current !== groupId) {
      this.#current = groupId;
      await this.#open(groupId);
    }
    const ahead = this.#chunk.get(groupId);
    if (ahead !== undefined) {
      this.#chunk.set(groupId, []);
      return ahead;
    }
    if (this.#rest.length === 0) this.#rest = (await this.#pages?.next())?.value ?? [];
    const end = this.#rest.findIndex((member) => member.groupId !== groupId);
    const part = end === -1 ? this.#rest : this.#rest.slice(0, end);
    this.#rest = end === -1 ? [] : this.#rest.slice(end);
    return part;
  }

  async #open(groupId: GroupId): Promise<void> {
    const place = this.#ids.indexOf(groupId);
    if (place >= this.#at) {
      const ids = this.#ids.slice(place, place + groupsPerChunk);
      this.#at = place + ids.length;
      const page = (await this.#read(ids).next()).value ?? [];
      const isWhole = page.length < limits.membersPerPage;
      this.#chunk = isWhole ? groupMembers(ids, page) : new Map();
    }
    this.#pages = this.#chunk.has(groupId) ? undefined : this.#read([groupId]);
  }
}

function groupMembers(ids: readonly GroupId[], members: readonly Member[]): Map<GroupId, Member[]> {
  const found = Map.groupBy(members, ({ groupId }) => groupId);
  return new Map(ids.map((id) => [id, found.get(id) ?? []]));
}
