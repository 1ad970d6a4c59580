/**
 * Reads a filter into a frozen tree whose attributes come from the schema and whose values have the attributes' types.
 * The one file that knows the grammar library; it compiles to nothing and evaluates nothing. RFC 7644 §3.4.2.2.
 */

import { parse, type Filter as RawFilter } from 'scim2-parse-filter';
import {
  type Attribute,
  type AttributePath,
  type AttributeType,
  findAttribute,
  isNamed,
  type ResourceType,
} from './attribute.ts';
import { findExtension, resolveName } from './attribute-name.ts';
import type { Leniencies } from './leniency.ts';
import { type Literal, normaliseFilter, unreadable } from './normalise-filter.ts';
import { readBoolean, readInstant } from './scalar.ts';

export type Operator = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le';

/**
 * `compare` and `present` hold when any value at the path fits, except `ne`: it holds when no value is equal, so it
 * is the opposite of `eq`, also for what is unassigned. `element` holds when one element fits the whole inner filter,
 * whose paths start at the element. A dateTime value is an instant in UTC with milliseconds.
 */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  | {
      readonly kind: 'compare';
      readonly path: AttributePath;
      readonly op: Operator;
      readonly value: string | number | boolean;
    }
  | { readonly kind: 'present'; readonly path: AttributePath }
  | { readonly kind: 'element'; readonly path: AttributePath; readonly filter: Filter }
  /**
   * About what is the same in all resources of the type: an attribute that only other types have, which is unassigned
   * here (RFC 7644 §3.4.2.1), or the URN of the type's own schema.
   */
  | { readonly kind: 'constant'; readonly holds: boolean };

/** Where names are looked up: in the resource, or inside the brackets of a value path. */
interface Scope {
  /** `elsewhere`: an attribute of another resource type that is searched at the same time. */
  readonly find: (name: string) => AttributePath | 'elsewhere' | undefined;
  /** What it says of a resource that its `schemas` hold a URN. */
  readonly schemaIs: (urn: string) => Filter;
  readonly literals: readonly Literal[];
  readonly tolerates: Leniencies;
}

/**
 * The filter of a search.
 * Errors: `invalidFilter` for broken syntax, a limit, an unknown attribute (ENTRA-50: never the whole list), or a
 * value or operator that does not fit the attribute's type.
 *
 * @param others Resource types that the search covers besides.
 */
export function parseFilter(type: ResourceType, text: string, others: readonly ResourceType[] = []): Filter {
  return parseIn(text, type, (name) => {
    const resolved = resolveName(type, name);
    if (resolved.kind === 'attribute') return resolved.path;
    return others.some((other) => resolveName(other, name).kind === 'attribute') ? 'elsewhere' : undefined;
  });
}

/** The filter inside the brackets of a value path: its names are sub-attributes of `attribute` (RFC 7644 §3.5.2). */
export function parseElementFilter(type: ResourceType, attribute: Attribute, text: string): Filter {
  return parseIn(text, type, findIn(attribute));
}

function parseIn(text: string, type: ResourceType, find: Scope['find']): Filter {
  const { tolerates } = type;
  const { text: normalised, literals } = normaliseFilter(text, tolerates);
  return resolve(parseRaw(normalised), { find, schemaIs: (urn) => schemaIs(type, urn), literals, tolerates });
}

/** An answer's `schemas` name the type's own schema and the extensions that have data (`renderResource`). */
function schemaIs(type: ResourceType, urn: string): Filter {
  const extension = findExtension(type, urn);
  if (extension === undefined) return Object.freeze({ kind: 'constant', holds: isNamed(type.schema, urn) });
  const { attributes } = extension;
  // What is worked out for the answer is there for everybody.
  if (attributes.every(({ mutability }) => mutability === 'readOnly')) {
    return Object.freeze({ kind: 'constant', holds: true });
  }
  return junction(
    'or',
    attributes.map((attribute) => ({ kind: 'present', path: { extension, attribute, sub: undefined } })),
  );
}

function findIn(attribute: Attribute): Scope['find'] {
  return (name) => {
    const sub = findAttribute(attribute.subAttributes ?? [], name);
    return sub === undefined ? undefined : { extension: undefined, attribute: sub, sub: undefined };
  };
}

function parseRaw(text: string): RawFilter {
  try {
    return parse(text);
  } catch {
    throw malformed();
  }
}

function malformed() {
  return unreadable('it takes an attribute, an operator and a value, joined by "and" or "or"');
}

// The library's types promise more than it keeps: `a pr not b pr` and `a pr constructor b pr` come out as trees with
// an `op` and members that don't belong together, so each node is looked at before it is trusted.
function resolve(raw: RawFilter, scope: Scope): Filter {
  switch (raw.op) {
    case 'and':
    case 'or':
      return junction(
        raw.op,
        raw.filters.map((filter) => resolve(filter, scope)),
      );
    case 'not':
      if (raw.filter === undefined) throw malformed();
      return Object.freeze({ kind: 'not', filter: resolve(raw.filter, scope) });
    case '[]':
      return element(raw.attrPath, raw.valFilter, scope);
    case 'pr':
      return about(raw.attrPath, scope, false, (path) => ({ kind: 'present', path }));
    default:
      if (!('compValue' in raw)) throw malformed();
      return comparison(raw.attrPath, raw.op, scope.literals[Number(raw.compValue)], scope);
  }
}

/** Inlines inner lists of the same kind, so that `(a and b) and c` is one list of three. */
function junction(kind: 'and' | 'or', filters: readonly Filter[]): Filter {
  const flat = filters.flatMap((filter) => (filter.kind === kind ? filter.filters : [filter]));
  return Object.freeze({ kind, filters: Object.freeze(flat) });
}

/** @param absent What holds for an attribute that is unassigned. */
function about(name: string, scope: Scope, absent: boolean, make: (path: AttributePath) => Filter): Filter {
  const path = scope.find(name);
  if (path === undefined) throw unreadable(`"${shorten(name)}" is not an attribute of the resource`);
  return Object.freeze(
    path === 'elsewhere' ? { kind: 'constant', holds: absent } : make(Object.freeze(path)),
  );
}

function element(name: string, raw: RawFilter, scope: Scope): Filter {
  return about(name, scope, false, (path) => elementOf(path, name, raw, scope));
}

function elementOf(path: AttributePath, name: string, raw: RawFilter, scope: Scope): Filter {
  if (path.sub !== undefined || path.attribute.type !== 'complex') {
    throw unreadable(`"${shorten(name)}" has no elements to choose from`);
  }
  return { kind: 'element', path, filter: resolve(raw, { ...scope, find: findIn(path.attribute) }) };
}

function comparison(name: string, op: Operator, literal: Literal | undefined, scope: Scope): Filter {
  if (literal === undefined) throw malformed();
  // Unassigned: equal to null, and to nothing else.
  const absent = isNull(literal) ? op === 'eq' : op === 'ne';
  return about(name, scope, absent, (path) => comparisonOf(path, name, op, literal, scope));
}

/** RFC 7643 §2.5: null and unassigned are the same. */
function isNull({ quoted, text }: Literal): boolean {
  return !quoted && text.toLowerCase() === 'null';
}

function comparisonOf(
  path: AttributePath,
  name: string,
  op: Operator,
  literal: Literal,
  scope: Scope,
): Filter {
  if (isNull(literal)) return nullComparison(path, op);
  if (path.attribute.name === 'schemas') return schemasComparison(op, literal, scope);
  const compared = comparedPath(path, name);
  const attribute = compared.sub ?? compared.attribute;
  if (!operators[attribute.type].has(op)) throw unreadable(`"${op}" does not go with "${shorten(name)}"`);
  const isText = literal.quoted && attribute.type === 'boolean' && !scope.tolerates.has('scalarsAsText');
  const value = isText ? undefined : valueReaders[attribute.type](literal.text);
  if (value === undefined)
    throw unreadable(`"${shorten(name)}" is compared with a value that is no ${attribute.type}`);
  return { kind: 'compare', path: compared, op, value };
}

function nullComparison(path: AttributePath, op: Operator): Filter {
  const present: Filter = Object.freeze({ kind: 'present', path });
  if (op === 'ne') return present;
  if (op === 'eq') return Object.freeze({ kind: 'not', filter: present });
  throw unreadable(`"${op}" does not go with null`);
}

/** RFC 7644 §3.4.2.2, Figure 2: `schemas eq "urn:…"`. */
function schemasComparison(op: Operator, { text }: Literal, { schemaIs }: Scope): Filter {
  const holds = schemaIs(text);
  if (op === 'eq') return holds;
  if (op === 'ne') return Object.freeze({ kind: 'not', filter: holds });
  throw unreadable(`"${op}" does not go with "schemas"`);
}

/** `emails co "x"` and `manager eq "x"` mean the `value` of the complex attribute (RFC 7644 §3.4.2.2, Figure 2). */
function comparedPath(path: AttributePath, name: string): AttributePath {
  if (path.sub !== undefined || path.attribute.type !== 'complex') return path;
  const sub = findAttribute(path.attribute.subAttributes ?? [], 'value');
  if (sub === undefined)
    throw unreadable(`"${shorten(name)}" is compared as a whole: name one of its sub-attributes`);
  return Object.freeze({ ...path, sub });
}

const equality: ReadonlySet<Operator> = new Set(['eq', 'ne']);
const ordering: ReadonlySet<Operator> = new Set([...equality, 'gt', 'ge', 'lt', 'le']);
const every: ReadonlySet<Operator> = new Set([...ordering, 'co', 'sw', 'ew']);

// RFC 7644 §3.4.2.2, Table 3: no order among booleans and binaries, no substrings but of text.
const operators: Record<AttributeType, ReadonlySet<Operator>> = {
  string: every,
  reference: every,
  binary: equality,
  boolean: equality,
  integer: ordering,
  decimal: ordering,
  dateTime: ordering,
  complex: new Set(),
};

const valueReaders: Record<AttributeType, (text: string) => string | number | boolean | undefined> = {
  string: (text) => text,
  reference: (text) => text,
  binary: (text) => text,
  boolean: readBoolean,
  integer: (text) => (/^-?\d{1,15}$/.test(text) ? Number(text) : undefined),
  decimal: (text) => (/^-?\d{1,15}(\.\d{1,15})?(e[+-]?\d{1,2})?$/i.test(text) ? Number(text) : undefined),
  dateTime: readInstant,
  complex: () => undefined,
};

/** What is repeated to the caller is what the caller wrote, within reason. */
function shorten(name: string): string {
  return name.length <= 100 ? name : `${name.slice(0, 100)}…`;
}
