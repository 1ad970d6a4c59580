/** Groups over SCIM. Members are read only when the answer shows them, and then streamed (RFC 7644 §3.3–§3.6). */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sql } from 'kysely';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Group, MemberEdit } from '../directory/group.ts';
import { selectGroups } from '../directory/group-view-store.ts';
import type { Services } from '../http/services.ts';
import { type GroupId, parseId } from '../kernel/ids.ts';
import {
  createGroup,
  type GroupDraft,
  removeGroup,
  reviseGroup,
  unknownGroup,
} from '../provisioning/group-flow.ts';
import { memberEditOfResource, splitMembers } from './core/member-edit.ts';
import { applyPatch } from './core/patch.ts';
import { readPatch } from './core/patch-request.ts';
import { type Projection, type ProjectionQuery, readProjection } from './core/project.ts';
import { groupType } from './core/schemas.ts';
import { readResource } from './core/validate.ts';
import { groupTarget } from './filter-sql.ts';
import { sendGroup, sendGroups } from './group-answer-hook.ts';
import { directoryCallerOf, doorOf } from './scim-auth-hook.ts';
import { readSearch, type SearchQuery } from './search-sql.ts';
import { attributesOf, draftOf } from './user-mapping.ts';

type ById = { Params: { id: string }; Querystring: ProjectionQuery };

export function scimGroupRoutes(scope: FastifyInstance, services: Services): void {
  const { database, clock, publicUrl } = services;
  const baseUrl = `${publicUrl}/scim/v2`;
  const config = { auth: 'directory' } as const;

  // The projection is read before anything is written: what can't be read changes nothing.
  const projectionOf = ({ query }: FastifyRequest) => readProjection(groupType, query as ProjectionQuery);
  const answer = (
    request: FastifyRequest,
    reply: FastifyReply,
    status: number,
    group: Group,
    projection: Projection,
  ) => {
    const { tenantId } = directoryCallerOf(request);
    return sendGroup(reply, status, { database, tenantId, baseUrl, projection }, group);
  };
  const revise = async (
    request: FastifyRequest<ById>,
    change: (current: GroupDraft) => GroupDraft,
    edit: MemberEdit,
  ): Promise<Group> => {
    const id = groupIdOf(request.params.id);
    const { directoryId } = directoryCallerOf(request);
    const group = await reviseGroup(database, doorOf(request, clock.now()), directoryId, id, change, edit);
    services.nudgeSync();
    return group;
  };

  scope.post('/Groups', { config }, async (request, reply) => {
    const projection = projectionOf(request);
    const { attributes } = readResource(groupType, request.body);
    const { add } = memberEditOfResource(groupType, request.body);
    const { directoryId } = directoryCallerOf(request);
    const door = doorOf(request, clock.now());
    const group = await createGroup(database, door, directoryId, draftOf(attributes), add);
    services.nudgeSync();
    reply.header('location', `${baseUrl}/Groups/${group.id}`);
    return answer(request, reply, 201, group, projection);
  });

  scope.get<{ Querystring: SearchQuery }>('/Groups', { config }, async (request, reply) => {
    const { tenantId, directoryId } = directoryCallerOf(request);
    const search = readSearch(groupType, groupTarget(tenantId), request.query);
    const selection = { ...search, directoryId };
    const page = await inTenant(database, tenantId, (tx) => selectGroups(tx, selection));
    const { projection, offset } = search;
    return sendGroups(reply, { database, tenantId, baseUrl, projection }, { ...page, offset });
  });

  scope.get<ById>('/Groups/:id', { config }, async (request, reply) => {
    const { tenantId, directoryId } = directoryCallerOf(request);
    const projection = projectionOf(request);
    const id = groupIdOf(request.params.id);
    const selection = { where: sql`g.id = ${id}`, directoryId, offset: 0, limit: 1 };
    const [group] = (await inTenant(database, tenantId, (tx) => selectGroups(tx, selection))).groups;
    if (group === undefined) throw unknownGroup(id);
    return answer(request, reply, 200, group, projection);
  });

  scope.put<ById>('/Groups/:id', { config }, async (request, reply) => {
    const projection = projectionOf(request);
    const draft = draftOf(readResource(groupType, request.body).attributes);
    const edit = memberEditOfResource(groupType, request.body);
    const keep = ({ externalId }: GroupDraft) => ({ ...draft, externalId: draft.externalId ?? externalId });
    return answer(request, reply, 200, await revise(request, keep, edit), projection);
  });

  // 204 unless the query asks for attributes: the members of a large group are read for nobody.
  scope.patch<ById>('/Groups/:id', { config }, async (request, reply) => {
    const projection = projectionOf(request);
    const { operations } = readPatch(groupType, request.body);
    const { memberEdit, rest } = splitMembers(operations);
    const change = (current: GroupDraft) => draftOf(applyPatch(groupType, attributesOf(current), rest));
    const group = await revise(request, change, memberEdit);
    const isAsked = request.query.attributes !== undefined || request.query.excludedAttributes !== undefined;
    return isAsked ? answer(request, reply, 200, group, projection) : reply.code(204).send();
  });

  scope.delete<ById>('/Groups/:id', { config }, async (request, reply) => {
    await removeGroup(database, doorOf(request, clock.now()), groupIdOf(request.params.id));
    services.nudgeSync();
    return reply.code(204).send();
  });
}

/** An id that is no UUID belongs to no group. */
function groupIdOf(text: string): GroupId {
  const id = parseId<GroupId>(text);
  if (id === undefined) throw unknownGroup(text);
  return id;
}
