/** Helpers of the SCIM core's tests: short requests, faults as values, filters as text and as arbitrary trees. */

import fc from 'fast-check';
import { Fault } from '../../../src/kernel/fault.ts';
import {
  type Attribute,
  type Attributes,
  nameOf,
  type ResourceType,
} from '../../../src/scim/core/attribute.ts';
import type { Filter, Operator } from '../../../src/scim/core/filter.ts';
import { applyPatch } from '../../../src/scim/core/patch.ts';
import { readPatch } from '../../../src/scim/core/patch-request.ts';
import { userType } from '../../../src/scim/core/schemas.ts';

export const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
export const coreUser = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const coreGroup = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const patchOp = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

export function patchBody(operations: unknown): unknown {
  return { schemas: [patchOp], Operations: operations };
}

/** The user after a PATCH of these operations. */
export function patched(current: Attributes, ...operations: unknown[]): Attributes {
  return applyPatch(userType, current, readPatch(userType, patchBody(operations)).operations);
}

/** What a refusal says, `scimType` first; undefined when nothing was refused. Anything but a Fault is a bug. */
export function refusal(
  action: () => unknown,
): { scimType: string | undefined; message: string } | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return { scimType: error.scimType ?? error.code, message: error.message };
    throw error;
  }
}

export function refused(action: () => unknown): string | undefined {
  return refusal(action)?.scimType;
}

/** A filter in RFC form. */
export function print(filter: Filter): string {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return `(${filter.filters.map(print).join(` ${filter.kind} `)})`;
    case 'not':
      return `not (${print(filter.filter)})`;
    case 'present':
      return `${nameOf(filter.path)} pr`;
    case 'element':
      return `${nameOf(filter.path)}[${print(filter.filter)}]`;
    case 'compare':
      return `${nameOf(filter.path)} ${filter.op} ${JSON.stringify(filter.value)}`;
    case 'constant':
      return String(filter.holds);
  }
}

const operators: Record<string, Operator[]> = {
  string: ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'],
  reference: ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'],
  boolean: ['eq', 'ne'],
  binary: ['eq', 'ne'],
};

function valueFor(attribute: Attribute): fc.Arbitrary<string | boolean> {
  return attribute.type === 'boolean' ? fc.boolean() : text;
}

/** Text that PostgreSQL can hold, with everything that is special in a filter. */
export const text: fc.Arbitrary<string> = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.constantFrom('"', '\\', 'a" or title pr', ']', ')', 'True', 'null'),
  )
  .filter((value) => !value.includes('\0') && value.isWellFormed());

type Leaf = { extension: undefined; attribute: Attribute; sub: Attribute | undefined };

function leafFilter(paths: Leaf[]): fc.Arbitrary<Filter> {
  return fc.constantFrom(...paths).chain((path) => {
    const attribute = path.sub ?? path.attribute;
    const present = fc.constant<Filter>({ kind: 'present', path });
    const ops = operators[attribute.type];
    if (ops === undefined) return present;
    const compare = fc
      .tuple(fc.constantFrom(...ops), valueFor(attribute))
      .map<Filter>(([op, value]) => ({ kind: 'compare', path, op, value }));
    return fc.oneof(present, compare);
  });
}

const subPaths = (attribute: Attribute): Leaf[] =>
  (attribute.subAttributes ?? []).map((sub) => ({ extension: undefined, attribute: sub, sub: undefined }));

const printable = (attribute: Attribute) => !attribute.name.startsWith('$');

/** Filters over the core User, lists flattened as the parser does. */
export function userFilter(depth = 2): fc.Arbitrary<Filter> {
  const attributes = userType.schema.attributes;
  const simple = attributes
    .filter((attribute) => attribute.type !== 'complex')
    .map((attribute) => ({ extension: undefined, attribute, sub: undefined }));
  const nested = attributes.flatMap((attribute) =>
    (attribute.subAttributes ?? [])
      .filter(printable)
      .map((sub) => ({ extension: undefined, attribute, sub })),
  );
  const element = fc
    .constantFrom(...attributes.filter((attribute) => attribute.multiValued))
    .chain((attribute) =>
      junctions(leafFilter(subPaths(attribute).filter((path) => printable(path.attribute))), 1).map<Filter>(
        (filter) => ({
          kind: 'element',
          path: { extension: undefined, attribute, sub: undefined },
          filter,
        }),
      ),
    );
  return junctions(fc.oneof(leafFilter([...simple, ...nested]), element), depth);
}

function junctions(leaf: fc.Arbitrary<Filter>, depth: number): fc.Arbitrary<Filter> {
  if (depth === 0) return leaf;
  const inner = junctions(leaf, depth - 1);
  const list = fc
    .tuple(fc.constantFrom('and' as const, 'or' as const), fc.array(inner, { minLength: 2, maxLength: 3 }))
    .map<Filter>(([kind, filters]) => ({
      kind,
      filters: filters.flatMap((filter) => (filter.kind === kind ? filter.filters : [filter])),
    }));
  return fc.oneof(
    inner,
    list,
    inner.map<Filter>((filter) => ({ kind: 'not', filter })),
  );
}

/** A resource type whose every name is known, for tests that fit both. */
export function names(type: ResourceType): string[] {
  return type.schema.attributes.flatMap(({ name, subAttributes }) => [
    name,
    ...(subAttributes ?? []).map((sub) => `${name}.${sub.name}`),
  ]);
}
