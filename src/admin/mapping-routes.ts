/** Mappings: which groups have which role in which workspaces, in the order of their priority. */

import type { FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { type MappingId, newId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import type { Edit } from '../provisioning/edit.ts';
import {
  createMapping,
  removeMapping,
  reorderMappings,
  replaceMapping,
} from '../provisioning/mapping-flow.ts';
import { selectMappings } from '../provisioning/mapping-store.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import {
  MappingAnswer,
  MappingForm,
  mappingIdOf,
  readMapping,
  showMapping,
  unknownMapping,
} from './mapping-form.ts';
import { afterNumber, readLimit, toPage } from './paging.ts';
import { closed, Id, listOf, PageQuery, problems, TenantAndId, TenantPath } from './schemas.ts';

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
        response: { 200: listOf(MappingAnswer), ...problems },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const after = afterNumber(query, 0);
      const all = await inTenant(database, adminTenantOf(request).id, selectMappings);
      const rows = all.filter(({ priority }) => priority > after).slice(0, readLimit(query));
      return reply.send(toPage(query, rows, ({ priority }) => String(priority), showMapping));
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
        response: { 200: MappingAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const id = mappingIdOf(request.params.id);
      const all = await inTenant(database, adminTenantOf(request).id, selectMappings);
      const mapping = all.find((one) => one.id === id);
      if (mapping === undefined) throw unknownMapping(id);
      return reply.send(showMapping(mapping));
    },
  );
}

export function mappingEditRoutes(scope: AdminScope, { database, clock, nudgeSync }: Services): void {
  scope.post(
    '/tenants/:t/mappings',
    {
      config: { auth: 'tenant-write', edit: creation },
      schema: {
        tags,
        summary: 'Map a group',
        params: TenantPath,
        body: MappingForm,
        response: { 201: MappingAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const mapping = await createMapping(
        database,
        adminDoorOf(request, clock.now()),
        readMapping(request.body),
      );
      nudgeSync();
      return reply.code(201).send(showMapping(mapping));
    },
  );

  scope.put(
    '/tenants/:t/mappings/:id',
    {
      config: { auth: 'tenant-write', edit: replacement },
      schema: {
        tags,
        summary: 'Replace a mapping',
        params: TenantAndId,
        body: MappingForm,
        response: { 200: MappingAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      const id = mappingIdOf(request.params.id);
      const mapping = await replaceMapping(database, door, id, readMapping(request.body));
      nudgeSync();
      return reply.send(showMapping(mapping));
    },
  );

  scope.delete(
    '/tenants/:t/mappings/:id',
    {
      config: { auth: 'tenant-write', edit: removal },
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
      config: { auth: 'tenant-write', edit: reordering },
      schema: {
        tags,
        summary: 'Number the mappings 1..n in the order given',
        params: TenantPath,
        body: Type.Object({ ids: Type.Array(Id, { maxItems: limits.mappingsPerTenantMax }) }, closed),
        response: { 200: listOf(MappingAnswer), ...problems },
      },
    },
    async (request, reply) => {
      const ids = request.body.ids.map(mappingIdOf);
      const mappings = await reorderMappings(database, adminDoorOf(request, clock.now()), ids);
      nudgeSync();
      return reply.send({ items: mappings.map(showMapping), nextCursor: null });
    },
  );
}

const creation = ({ body }: FastifyRequest, now: Date): Edit => ({
  op: 'create',
  id: newId<MappingId>(now.getTime()),
  mapping: readMapping(body as Static<typeof MappingForm>),
});
const replacement = ({ params, body }: FastifyRequest): Edit => ({
  op: 'update',
  id: mappingIdOf((params as { id: string }).id),
  mapping: readMapping(body as Static<typeof MappingForm>),
});
const removal = ({ params }: FastifyRequest): Edit => ({
  op: 'delete',
  id: mappingIdOf((params as { id: string }).id),
});
const reordering = ({ body }: FastifyRequest): Edit => ({
  op: 'reorder',
  ids: (body as { ids: string[] }).ids.map(mappingIdOf),
});
