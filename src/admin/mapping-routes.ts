/** Mappings: which groups have which role in which workspaces, in the order of their priority. */

import Type, { type Static } from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { type GroupId, type MappingId, parseId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { fallbackRoles, findRole } from '../licensing/catalogue.ts';
import { everyDefaultWorkspace } from '../licensing/mapping.ts';
import {
  createMapping,
  type MappingDraft,
  removeMapping,
  reorderMappings,
  replaceMapping,
} from '../provisioning/mapping-flow.ts';
import { type StoredMapping, selectMappings } from '../provisioning/mapping-store.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { afterNumber, readLimit, toPage } from './paging.ts';
import {
  closed,
  Id,
  listOf,
  Name,
  nullable,
  PageQuery,
  problems,
  TenantAndId,
  TenantPath,
} from './schemas.ts';

const Group = Type.Object(
  {
    id: Type.Optional(Id),
    displayName: Type.Optional(Name),
    externalId: Type.Optional(Name),
  },
  {
    ...closed,
    description: 'Exactly one. A name is bound to the group’s id once the group exists.',
  },
);
const fields = {
  group: Group,
  role: Type.String({
    minLength: 1,
    maxLength: 200,
    description: 'project_administrator, team_member, custom:<role name>, client, comment_only, view_only',
  }),
  workspaces: Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
    minItems: 1,
    maxItems: limits.workspacesPerMappingMax,
    description: 'Ids of workspaces in Blue, or exactly ["*"]: the tenant’s default workspaces.',
  }),
  priority: Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Unique; 1 beats 2.' }),
  fallbackRole: Type.Optional(nullable(Type.Enum([...fallbackRoles]))),
};
const Draft = Type.Object(fields, closed);
const Mapping = Type.Object({ id: Id, ...fields });
const tags = ['mappings'];

export function mappingRoutes(scope: AdminScope, { database }: Services): void {
  scope.get(
    '/tenants/:t/mappings',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List mappings, best priority first',
        params: TenantPath,
        querystring: PageQuery,
        response: { 200: listOf(Mapping), ...problems },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const after = afterNumber(query, 0);
      const all = await inTenant(database, adminTenantOf(request).id, selectMappings);
      const rows = all.filter(({ priority }) => priority > after).slice(0, readLimit(query));
      return reply.send(toPage(query, rows, ({ priority }) => String(priority), show));
    },
  );

  scope.get(
    '/tenants/:t/mappings/:id',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read a mapping',
        params: TenantAndId,
        response: { 200: Mapping, ...problems },
      },
    },
    async (request, reply) => {
      const id = mappingIdOf(request.params.id);
      const all = await inTenant(database, adminTenantOf(request).id, selectMappings);
      const mapping = all.find((one) => one.id === id);
      if (mapping === undefined) throw unknownMapping(id);
      return reply.send(show(mapping));
    },
  );
}

export function mappingEditRoutes(scope: AdminScope, { database, clock, nudgeSync }: Services): void {
  scope.post(
    '/tenants/:t/mappings',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Map a group',
        params: TenantPath,
        body: Draft,
        response: { 201: Mapping, ...problems },
      },
    },
    async (request, reply) => {
      const mapping = await createMapping(
        database,
        adminDoorOf(request, clock.now()),
        readDraft(request.body),
      );
      nudgeSync();
      return reply.code(201).send(show(mapping));
    },
  );

  scope.put(
    '/tenants/:t/mappings/:id',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Replace a mapping',
        params: TenantAndId,
        body: Draft,
        response: { 200: Mapping, ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      const id = mappingIdOf(request.params.id);
      const mapping = await replaceMapping(database, door, id, readDraft(request.body));
      nudgeSync();
      return reply.send(show(mapping));
    },
  );

  scope.delete(
    '/tenants/:t/mappings/:id',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Remove a mapping',
        params: TenantAndId,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      await removeMapping(database, adminDoorOf(request, clock.now()), mappingIdOf(request.params.id));
      nudgeSync();
      return reply.code(204).send(null);
    },
  );

  scope.post(
    '/tenants/:t/mappings/reorder',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Number the mappings 1..n in the order given',
        params: TenantPath,
        body: Type.Object({ ids: Type.Array(Id, { maxItems: limits.mappingsPerTenantMax }) }, closed),
        response: { 200: listOf(Mapping), ...problems },
      },
    },
    async (request, reply) => {
      const ids = request.body.ids.map(mappingIdOf);
      const mappings = await reorderMappings(database, adminDoorOf(request, clock.now()), ids);
      nudgeSync();
      return reply.send({ items: mappings.map(show), nextCursor: null });
    },
  );
}

function readDraft({ fallbackRole, ...body }: Static<typeof Draft>): MappingDraft {
  if (findRole(body.role) === undefined) {
    throw new Fault('invalid', `"role" ${body.role} is no role of Blue.`, { field: 'role' });
  }
  const isDefault = body.workspaces.includes(everyDefaultWorkspace);
  if (new Set(body.workspaces).size < body.workspaces.length || (isDefault && body.workspaces.length > 1)) {
    const text = '"workspaces" must name each workspace once, or be exactly ["*"].';
    throw new Fault('invalid', text, { field: 'workspaces' });
  }
  return { ...body, group: readGroup(body.group), fallbackRole: fallbackRole ?? null };
}

function readGroup({ id, displayName, externalId }: Static<typeof Group>): MappingDraft['group'] {
  const given = [id, displayName, externalId].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw new Fault('invalid', '"group" takes exactly one of id, displayName, externalId.', {
      field: 'group',
    });
  }
  if (displayName !== undefined) return { displayName };
  if (externalId !== undefined) return { externalId };
  const groupId = parseId<GroupId>(id ?? '');
  if (groupId === undefined) throw new Fault('invalid', `"group.id" is no id: ${id}.`, { field: 'group.id' });
  return { id: groupId };
}

function mappingIdOf(text: string): MappingId {
  const id = parseId<MappingId>(text);
  if (id === undefined) throw unknownMapping(text);
  return id;
}

function unknownMapping(id: string): Fault {
  return new Fault('not_found', `There is no mapping ${id}.`);
}

/** The group by its id once it is known, until then by what is waited for. */
function show(mapping: StoredMapping): Static<typeof Mapping> {
  const { id, priority, groupId, groupDisplayName, groupExternalId, role, workspaces, fallbackRole } =
    mapping;
  const group =
    groupId !== null
      ? { id: groupId }
      : groupDisplayName !== null
        ? { displayName: groupDisplayName }
        : { externalId: groupExternalId ?? '' };
  return { id, group, role, workspaces: [...workspaces], priority, fallbackRole };
}
