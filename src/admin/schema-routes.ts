/** Extension schemas that a tenant registers for its identity providers, in the form of RFC 7643 §7. */

import Type, { type Static } from 'typebox';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { type DirectoryId, parseId } from '../kernel/ids.ts';
import type { Attribute } from '../scim/core/attribute.ts';
import {
  createExtension,
  type ExtensionDraft,
  removeExtension,
  replaceExtension,
  unknownExtension,
} from '../scim/extension-flow.ts';
import { type StoredExtension, selectExtension, selectExtensions } from '../scim/extension-store.ts';
import { adminDoorOf, adminTenantOf } from './admin-auth-hook.ts';
import type { AdminScope } from './admin-scope-hook.ts';
import { tenantPage } from './page-hook.ts';
import { closed, Id, listOf, Name, PageQuery, problems, TenantAndId, TenantPath, Time } from './schemas.ts';

const words = (most: number) => Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: most });
const characteristics = {
  name: Type.String({ minLength: 1, maxLength: 100 }),
  description: Type.Optional(Type.String({ maxLength: 500 })),
  multiValued: Type.Optional(Type.Boolean()),
  required: Type.Optional(Type.Boolean()),
  caseExact: Type.Optional(Type.Boolean()),
  mutability: Type.Optional(Type.Enum(['readWrite', 'immutable'])),
  returned: Type.Optional(Type.Enum(['always', 'default', 'request'])),
  canonicalValues: Type.Optional(words(200)),
  referenceTypes: Type.Optional(words(20)),
};
const simple = ['string', 'boolean', 'decimal', 'integer', 'dateTime', 'reference', 'binary'] as const;
const SubAttribute = Type.Object({ ...characteristics, type: Type.Enum([...simple]) }, closed);
const AttributeDraft = Type.Object(
  {
    ...characteristics,
    type: Type.Enum([...simple, 'complex']),
    subAttributes: Type.Optional(Type.Array(SubAttribute)),
  },
  closed,
);
const Directories = Type.Array(Type.String(), {
  minItems: 1,
  maxItems: 100,
  description: 'Ids of the directories that see it; `["*"]`: all, also later ones.',
});
const SchemaDraft = Type.Object(
  {
    urn: Type.String({ minLength: 5, maxLength: 200, description: 'A URN of your own.' }),
    name: Name,
    description: Type.Optional(Type.String({ maxLength: 1000 })),
    resourceType: Type.Enum(['User', 'Group']),
    attributes: Type.Array(AttributeDraft),
    directories: Type.Optional(Directories),
  },
  closed,
);
const SchemaAnswer = Type.Object({
  id: Id,
  urn: Type.String(),
  name: Type.String(),
  description: Type.String(),
  resourceType: Type.Enum(['User', 'Group']),
  attributes: Type.Array(Type.Object({}, { additionalProperties: true })),
  directories: Type.Array(Type.String()),
  createdAt: Time,
});
const tags = ['schemas'];

export function schemaRoutes(scope: AdminScope, { database, clock }: Services): void {
  scope.post(
    '/tenants/:t/schemas',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Register an extension schema',
        description: 'Its directories may send it from then on, filter by it and find it at /Schemas.',
        params: TenantPath,
        body: SchemaDraft,
        response: { 201: SchemaAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      return reply.code(201).send(show(await createExtension(database, door, draftOf(request.body))));
    },
  );

  scope.get(
    '/tenants/:t/schemas',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'List extension schemas',
        params: TenantPath,
        querystring: PageQuery,
        response: { 200: listOf(SchemaAnswer), ...problems },
      },
    },
    async (request, reply) =>
      reply.send(await tenantPage(database, request, request.query, selectExtensions, show)),
  );
}

export function schemaEditRoutes(scope: AdminScope, { database, clock }: Services): void {
  scope.get(
    '/tenants/:t/schemas/:id',
    {
      config: { auth: 'tenant-read' },
      schema: {
        tags,
        summary: 'Read an extension schema',
        params: TenantAndId,
        response: { 200: SchemaAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const id = idOf(request.params.id);
      const found = await inTenant(database, adminTenantOf(request).id, (tx) => selectExtension(tx, id));
      if (found === undefined) throw unknownExtension(id);
      return reply.send(show(found));
    },
  );

  scope.put(
    '/tenants/:t/schemas/:id',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Change an extension schema',
        description: 'Attributes may be added and described anew; none goes away or changes its type.',
        params: TenantAndId,
        body: SchemaDraft,
        response: { 200: SchemaAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const door = adminDoorOf(request, clock.now());
      const { params, body } = request;
      return reply.send(show(await replaceExtension(database, door, idOf(params.id), draftOf(body))));
    },
  );

  scope.delete(
    '/tenants/:t/schemas/:id',
    {
      config: { auth: 'tenant-write' },
      schema: {
        tags,
        summary: 'Remove an extension schema that nobody holds values of',
        params: TenantAndId,
        response: { 204: Type.Null(), ...problems },
      },
    },
    async (request, reply) => {
      await removeExtension(database, adminDoorOf(request, clock.now()), idOf(request.params.id));
      return reply.code(204).send(null);
    },
  );
}

function idOf(text: string): string {
  const id = parseId<string>(text);
  if (id === undefined) throw unknownExtension(text);
  return id;
}

function draftOf(body: Static<typeof SchemaDraft>): ExtensionDraft {
  const { urn, resourceType, directories = ['*'], description = '', name, attributes } = body;
  const definition = { id: urn, name, description, attributes };
  return { resourceType, directoryIds: directoryIdsOf(directories), definition };
}

function directoryIdsOf(directories: readonly string[]): DirectoryId[] | null {
  if (directories.length === 1 && directories[0] === '*') return null;
  return directories.map((text) => {
    const id = parseId<DirectoryId>(text);
    if (id !== undefined) return id;
    throw new Fault('invalid', `directories: "${text}" is no id of a directory.`, { field: 'directories' });
  });
}

function show({ id, schema, resourceType, directoryIds, createdAt }: StoredExtension) {
  return {
    id,
    urn: schema.id,
    name: schema.name,
    description: schema.description,
    resourceType,
    attributes: schema.attributes.map((attribute: Attribute) => ({ ...attribute })),
    directories: directoryIds === null ? ['*'] : [...directoryIds],
    createdAt: createdAt.toISOString(),
  };
}
