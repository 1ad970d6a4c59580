/**
 * The shape of a schema (RFC 7643 §2, §6, §7) and the look-up of attributes by name.
 * It holds no schema itself and knows nothing of requests.
 */

import type { JsonObject } from '../../kernel/json.ts';
import type { Leniencies } from './leniency.ts';

/**
 * A resource's attributes under their canonical names, extension data under its URN.
 * `id`, `meta` and `schemas` are not in here, nor what is stored apart. Only assigned values: no null, "" or [].
 */
export type Attributes = JsonObject;

export type AttributeType =
  | 'string'
  | 'boolean'
  | 'decimal'
  | 'integer'
  | 'dateTime'
  | 'reference'
  | 'binary'
  | 'complex';

export interface Attribute {
  readonly name: string;
  readonly type: AttributeType;
  readonly multiValued: boolean;
  readonly description: string;
  readonly required: boolean;
  readonly caseExact: boolean;
  readonly mutability: 'readOnly' | 'readWrite' | 'immutable' | 'writeOnly';
  readonly returned: 'always' | 'never' | 'default' | 'request';
  readonly uniqueness: 'none' | 'server' | 'global';
  /** Offered to clients, never demanded of them (RFC 7643 §7: other values may be accepted). */
  readonly canonicalValues?: readonly string[];
  readonly referenceTypes?: readonly string[];
  readonly subAttributes?: readonly Attribute[];

  // Ours, not published:
  /** Its elements are rows of their own: a write becomes a member edit, and `Attributes` never holds them. */
  readonly storedApart?: true;
  /** Its values are keys of an index, which bounds their length. */
  readonly lookedUp?: true;
  /** Other names under which clients send it. */
  readonly aliases?: readonly string[];
}

export interface Schema {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly attributes: readonly Attribute[];
  /** URNs of older drafts that some clients still name. */
  readonly aliases?: readonly string[];
}

export interface ResourceType {
  readonly id: string;
  readonly name: string;
  readonly endpoint: string;
  readonly description: string;
  readonly schema: Schema;
  readonly extensions: readonly { readonly schema: Schema; readonly required: boolean }[];
  /** `id`, `externalId`, `meta`, `schemas`: part of every resource, of no schema (RFC 7643 §3.1). */
  readonly common: readonly Attribute[];
  /** Names that are accepted and dropped without a word, such as `password` (OKTA-05, OKTA-19). */
  readonly discarded: readonly string[];
  /** What the client may send beside the RFC. */
  readonly tolerates: Leniencies;
}

/** An attribute of a resource, or one of its sub-attributes, or (in a filter's brackets) one of an element. */
export interface AttributePath {
  /** The extension that holds the attribute; undefined for the core schema and the common attributes. */
  readonly extension: Schema | undefined;
  readonly attribute: Attribute;
  readonly sub: Attribute | undefined;
}

/** The canonical name of a path: `userName`, `name.familyName`, `urn:…:User:manager.value`. */
export function nameOf({ extension, attribute, sub }: AttributePath): string {
  const prefix = extension === undefined ? '' : `${extension.id}:`;
  return `${prefix}${attribute.name}${sub === undefined ? '' : `.${sub.name}`}`;
}

// Schemas are frozen data, so an index of one list of attributes can be kept as long as the list lives.
const indexes = new WeakMap<readonly Attribute[], ReadonlyMap<string, Attribute>>();

function indexOf(attributes: readonly Attribute[]): ReadonlyMap<string, Attribute> {
  const known = indexes.get(attributes);
  if (known !== undefined) return known;
  const index = new Map<string, Attribute>();
  for (const attribute of attributes) {
    for (const name of [attribute.name, ...(attribute.aliases ?? [])])
      index.set(name.toLowerCase(), attribute);
  }
  indexes.set(attributes, index);
  return index;
}

/** The attribute of that name, whatever its case (RFC 7643 §2.1). */
export function findAttribute(attributes: readonly Attribute[], name: string): Attribute | undefined {
  return indexOf(attributes).get(name.toLowerCase());
}

export function findSubAttribute(attribute: Attribute, name: string): Attribute | undefined {
  return attribute.subAttributes === undefined ? undefined : findAttribute(attribute.subAttributes, name);
}

/** Whether `urn` names the schema, whatever its case: URNs are compared as RFC 8141 §3.1 and IdPs do. */
export function isNamed(schema: Schema, urn: string): boolean {
  const wanted = urn.toLowerCase();
  return [schema.id, ...(schema.aliases ?? [])].some((name) => name.toLowerCase() === wanted);
}
