/**
 * Reads the definition of an extension schema in the form of RFC 7643 §7, as an admin registers it, and tells what may
 * change of one that is in use. It knows no storage.
 */

import { invalid } from '../../kernel/fault.ts';
import { limits } from '../../kernel/limits.ts';
import type { Attribute, AttributeType, ResourceType, Schema } from './attribute.ts';
import { commonAttributes } from './schemas.ts';

/** As it comes, its form checked already: what is left out has the default of RFC 7643 §2.2. */
export interface AttributeDefinition {
  name: string;
  type: AttributeType;
  description?: string;
  multiValued?: boolean;
  required?: boolean;
  caseExact?: boolean;
  mutability?: 'readWrite' | 'immutable';
  returned?: 'always' | 'default' | 'request';
  canonicalValues?: string[];
  referenceTypes?: string[];
  subAttributes?: AttributeDefinition[];
}

export interface SchemaDefinition {
  id: string;
  name: string;
  description: string;
  attributes: AttributeDefinition[];
}

/** RFC 8141, of whose characters a filter and a path take these (RFC 7644 §3.4.2.2, §3.10). */
const urnForm = /^urn:[a-z0-9][a-z0-9-]{0,31}(?::[A-Za-z0-9._-]+)+$/i;
/** RFC 7643 §2.1 has `$`, `-` and `_` besides; a name with `$` could be `$ref`, which is ours. */
const nameForm = /^[A-Za-z][A-Za-z0-9_-]*$/;

/**
 * The schema, frozen as ours are.
 *
 * @param type The resource type that it extends.
 * @throws Fault `invalid` naming the field.
 */
export function defineSchema(type: ResourceType, { attributes, ...head }: SchemaDefinition): Schema {
  if (!urnForm.test(head.id))
    throw wrong('urn', 'must be a URN, such as urn:example:params:scim:schemas:badge:1.0:User');
  const urn = head.id.toLowerCase();
  const own = [type.schema, ...type.extensions.map(({ schema }) => schema)];
  const taken = own.some(({ id, aliases = [] }) => [id, ...aliases].some((name) => overlaps(name, urn)));
  if (taken || urn.startsWith('urn:ietf:params:scim:') || urn.startsWith('urn:blue:')) {
    throw wrong('urn', 'is a URN of SCIM or of the gateway: choose one of your own');
  }
  return Object.freeze({
    ...head,
    attributes: defineAll(attributes, 'attributes', limits.attributesPerSchemaMax),
  });
}

/** Characters of the definition as JSON. */
export function definitionLength({ attributes }: Schema): number {
  return JSON.stringify(attributes).length;
}

/** A URN that begins another would make `a:b` of one the attribute `b` of the other. */
function overlaps(a: string, b: string): boolean {
  const [one, other] = [`${a.toLowerCase()}:`, `${b.toLowerCase()}:`];
  return one.startsWith(other) || other.startsWith(one);
}

/** Refuses a URN that begins one of the others or is begun by it. @throws Fault `conflict`. */
export function refuseOverlap(urn: string, others: readonly string[]): void {
  const other = others.find((known) => overlaps(known, urn));
  if (other !== undefined) throw wrong('urn', `can't stand beside ${other}: one begins with the other`);
}

function defineAll(
  definitions: readonly AttributeDefinition[],
  field: string,
  most: number,
): readonly Attribute[] {
  if (definitions.length === 0) throw wrong(field, 'must hold an attribute');
  if (definitions.length > most) throw wrong(field, `must hold at most ${most} attributes`);
  const seen = new Set<string>();
  return Object.freeze(
    definitions.map((definition, index) => {
      const place = `${field}[${index}]`;
      const key = definition.name.toLowerCase();
      if (!nameForm.test(definition.name))
        throw wrong(`${place}.name`, 'must be letters, digits, "_" and "-", a letter first');
      if (seen.has(key)) throw wrong(`${place}.name`, `repeats "${definition.name}"`);
      if (definition.name in Object.prototype)
        throw wrong(`${place}.name`, 'is a name that JavaScript objects have');
      if (commonAttributes.some(({ name }) => name.toLowerCase() === key))
        throw wrong(`${place}.name`, 'is a name of SCIM itself');
      seen.add(key);
      return defineOne(definition, place);
    }),
  );
}

function defineOne(definition: AttributeDefinition, place: string): Attribute {
  const { name, type, description = '', subAttributes, canonicalValues, referenceTypes } = definition;
  const isNested = place.includes('subAttributes');
  if ((type === 'complex') !== (subAttributes !== undefined)) {
    throw wrong(`${place}.subAttributes`, 'go with the type complex, and only with it');
  }
  if (isNested && type === 'complex')
    throw wrong(`${place}.type`, "can't be complex inside a complex attribute (RFC 7643 §2.3.8)");
  return Object.freeze({
    name,
    type,
    description,
    multiValued: definition.multiValued ?? false,
    required: definition.required ?? false,
    caseExact: definition.caseExact ?? (type === 'reference' || type === 'binary'),
    mutability: definition.mutability ?? 'readWrite',
    returned: definition.returned ?? 'default',
    uniqueness: 'none',
    ...(canonicalValues === undefined ? {} : { canonicalValues }),
    ...(referenceTypes === undefined ? {} : { referenceTypes }),
    ...(subAttributes === undefined
      ? {}
      : { subAttributes: defineAll(subAttributes, `${place}.subAttributes`, limits.subAttributesMax) }),
  } satisfies Attribute);
}

/**
 * Stored values must keep their meaning and IdPs only ever learn attributes (ENTRA-56): nothing is taken away, and no
 * type changes.
 *
 * @throws Fault `invalid` naming the attribute.
 */
export function refuseLoss(before: readonly Attribute[], after: readonly Attribute[], prefix = ''): void {
  for (const { name, type, multiValued, subAttributes = [] } of before) {
    const kept = after.find((attribute) => attribute.name === name);
    if (kept === undefined)
      throw wrong('attributes', `must keep "${prefix}${name}": people may hold values of it`);
    if (kept.type !== type || kept.multiValued !== multiValued) {
      throw wrong('attributes', `can't change the type of "${prefix}${name}": people may hold values of it`);
    }
    refuseLoss(subAttributes, kept.subAttributes ?? [], `${prefix}${name}.`);
  }
}

function wrong(field: string, problem: string) {
  return invalid('invalidValue', `${field} ${problem}.`, field);
}
