/**
 * SCIM as one directory sees it: what its kind of client may send beside the RFC, and the resource types with the
 * extensions that are registered for it. It knows the kinds and reads nothing.
 */

import type { DirectoryKind } from '../tenants/tenant.ts';
import type { Attribute, ResourceType, Schema } from './core/attribute.ts';
import { everyLeniency, type Leniencies, noLeniency } from './core/leniency.ts';
import { commonAttributes, groupType, schemasOf, userType } from './core/schemas.ts';

export interface Dialect {
  readonly user: ResourceType;
  readonly group: ResourceType;
  /** As /Schemas shows them. */
  readonly published: readonly Schema[];
}

/** A schema that an admin registered. */
export interface ExtensionSchema {
  readonly resourceType: 'User' | 'Group';
  readonly schema: Schema;
}

/** docs/identity-providers.md "What each kind of directory tolerates". */
export const toleratedBy: Record<DirectoryKind, Leniencies> = {
  entra: everyLeniency,
  okta: everyLeniency,
  generic: everyLeniency,
  strict: noLeniency,
};

export function dialectOf(kind: DirectoryKind, extensions: readonly ExtensionSchema[] = []): Dialect {
  const tolerates = toleratedBy[kind];
  const adapt = (type: ResourceType): ResourceType => {
    const own = extensions.filter(({ resourceType }) => resourceType === type.id);
    const all = [...type.extensions, ...own.map(({ schema }) => ({ schema, required: false }))];
    if (tolerates.has('olderNames')) return { ...type, extensions: all, tolerates };
    const strict = all.map(({ schema, required }) => ({ schema: withoutAliases(schema), required }));
    return { ...type, schema: withoutAliases(type.schema), extensions: strict, tolerates };
  };
  const [user, group] = [adapt(userType), adapt(groupType)];
  const schemas = schemasOf([user, group]);
  if (kind === 'strict') return { user, group, published: schemas };
  const whole = schemas.map((schema) =>
    schema === user.schema || schema === group.schema ? withExternalId(schema) : schema,
  );
  return {
    user,
    group,
    published: kind === 'entra' ? whole.map((schema) => (isOurs(schema) ? trimmed(schema) : schema)) : whole,
  };
}

function withoutAliases({ aliases: _, ...schema }: Schema): Schema {
  return { ...schema, attributes: schema.attributes.map(withoutAlias) };
}

function withoutAlias({ aliases: _, subAttributes, ...attribute }: Attribute): Attribute {
  return subAttributes === undefined
    ? attribute
    : { ...attribute, subAttributes: subAttributes.map(withoutAlias) };
}

/**
 * RFC 7643 §3.1 leaves the common attributes out of the schemas; Microsoft's gallery test looks there for every mapped
 * one but `id` (MSG-SCIM-SCHEMA).
 */
function withExternalId(schema: Schema): Schema {
  const written = commonAttributes.filter(({ mutability }) => mutability !== 'readOnly');
  return { ...schema, attributes: [...schema.attributes, ...written] };
}

/**
 * Entra makes an attribute of each sub-attribute it discovers, and Microsoft's validator then fails on those that only
 * label a value (scimmy-routers#10, sourcegraph#62185). They are still read and shown.
 */
const untold: ReadonlySet<string> = new Set(['display', 'primary']);
const told: ReadonlySet<string> = new Set(['roles', 'entitlements', 'groups', 'members']);

/** What an admin registered is told as it was registered. */
function isOurs({ id }: Schema): boolean {
  return id.startsWith('urn:ietf:');
}

function trimmed(schema: Schema): Schema {
  return {
    ...schema,
    attributes: schema.attributes.map((attribute) => {
      const { name, multiValued, subAttributes } = attribute;
      if (!multiValued || subAttributes === undefined || told.has(name)) return attribute;
      return { ...attribute, subAttributes: subAttributes.filter((sub) => !untold.has(sub.name)) };
    }),
  };
}
