/** Users over SCIM: create, read, replace, patch, delete, search (RFC 7644 §3.3–§3.6). */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { inTenant } from '../db/tenant-transaction.ts';
import { columnsOf } from '../directory/user.ts';
import type { Services } from '../http/services.ts';
import { parseId, type UserId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import {
  createUser,
  type Foresight,
  removeUser,
  reviseUser,
  type UserDraft,
  unknownUser,
} from '../provisioning/user-flow.ts';
import type { UserView } from '../provisioning/user-view.ts';
import { selectUserView, selectUserViews } from '../provisioning/user-view-store.ts';
import { applyPatch } from './core/patch.ts';
import { readPatch } from './core/patch-request.ts';
import { type Projection, type ProjectionQuery, project, readProjection, wants } from './core/project.ts';
import { userType } from './core/schemas.ts';
import { readResource } from './core/validate.ts';
import { userTarget } from './filter-sql.ts';
import { directoryCallerOf, doorOf } from './scim-auth-hook.ts';
import { sendScim } from './scim-message-hook.ts';
import { readSearch, type SearchQuery, searchAnswer } from './search-sql.ts';
import {
  attributesOf,
  draftOfCreate,
  draftOfPatch,
  draftOfReplace,
  foresightOf,
  renderUser,
} from './user-mapping.ts';

type ById = { Params: { id: string }; Querystring: ProjectionQuery };

export function scimUserRoutes(scope: FastifyInstance, services: Services): void {
  const { database, clock, publicUrl } = services;
  const baseUrl = `${publicUrl}/scim/v2`;
  const config = { auth: 'directory' } as const;
  const render = (view: UserView, projection: Projection): JsonObject =>
    project(projection, renderUser(view, baseUrl));

  /** PUT and PATCH: what is to become of the user, and how much of a decision may rest on it. */
  const revise = async (
    request: FastifyRequest<ById>,
    change: (current: UserDraft) => UserDraft,
    foresight: Foresight,
  ): Promise<JsonObject> => {
    const projection = readProjection(userType, request.query);
    const door = doorOf(request, clock.now());
    const view = await reviseUser(database, door, {
      id: userIdOf(request.params.id),
      directoryId: directoryCallerOf(request).directoryId,
      withGroups: wants(projection, 'groups'),
      revise: change,
      foresight,
    });
    services.nudgeSync();
    return render(view, projection);
  };

  scope.post<{ Querystring: ProjectionQuery }>('/Users', { config }, async (request, reply) => {
    const projection = readProjection(userType, request.query);
    const { attributes } = readResource(userType, request.body);
    const { directoryId, directoryName } = directoryCallerOf(request);
    const directory = { id: directoryId, name: directoryName };
    const door = doorOf(request, clock.now());
    const view = await createUser(database, door, directory, draftOfCreate(attributes));
    reply.header('location', `${baseUrl}/Users/${view.user.id}`);
    return sendScim(reply, 201, render(view, projection));
  });

  scope.get<{ Querystring: SearchQuery }>('/Users', { config }, async (request, reply) => {
    const { tenantId, directoryId } = directoryCallerOf(request);
    const search = readSearch(userType, userTarget(tenantId), request.query);
    const { projection } = search;
    const selection = { ...search, directoryId, withGroups: wants(projection, 'groups') };
    const page = await inTenant(database, tenantId, (tx) => selectUserViews(tx, selection, clock.now()));
    const resources = page.views.map((view) => render(view, projection));
    return sendScim(reply, 200, searchAnswer(page.total, search, resources));
  });

  scope.get<ById>('/Users/:id', { config }, async (request, reply) => {
    const { tenantId, directoryId } = directoryCallerOf(request);
    const projection = readProjection(userType, request.query);
    const id = userIdOf(request.params.id);
    const withGroups = wants(projection, 'groups');
    const view = await inTenant(database, tenantId, (tx) =>
      selectUserView(tx, id, clock.now(), { directoryId, withGroups }),
    );
    if (view === undefined) throw unknownUser(id);
    return sendScim(reply, 200, render(view, projection));
  });

  scope.put<ById>('/Users/:id', { config }, async (request, reply) => {
    const { attributes } = readResource(userType, request.body);
    const { address } = columnsOf(attributes);
    const { active } = attributes;
    const foresight = { address, ...(typeof active === 'boolean' ? { active } : {}) };
    const change = (current: UserDraft) => draftOfReplace(attributes, current);
    return sendScim(reply, 200, await revise(request, change, foresight));
  });

  scope.patch<ById>('/Users/:id', { config }, async (request, reply) => {
    const { operations } = readPatch(userType, request.body);
    const change = (current: UserDraft) =>
      draftOfPatch(applyPatch(userType, attributesOf(current), operations), current);
    return sendScim(reply, 200, await revise(request, change, foresightOf(operations)));
  });

  scope.delete<ById>('/Users/:id', { config }, async (request, reply) => {
    await removeUser(database, doorOf(request, clock.now()), userIdOf(request.params.id));
    services.nudgeSync();
    return reply.code(204).send();
  });
}

/** An id that is no UUID belongs to nobody. */
function userIdOf(text: string): UserId {
  const id = parseId<UserId>(text);
  if (id === undefined) throw unknownUser(text);
  return id;
}
