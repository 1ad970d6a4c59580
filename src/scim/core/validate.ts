/**
 * Reads the body of a POST or PUT into a resource's attributes by its schema. Everything wrong is told at once;
 * what the gateway does not know is left out and reported. RFC 7644 §3.3, §3.5.1.
 */

import { invalid } from '../../kernel/fault.ts';
import { isObject, type JsonObject } from '../../kernel/json.ts';
import { limits } from '../../kernel/limits.ts';
import {
  type Attribute,
  type Attributes,
  findAttribute,
  isNamed,
  type ResourceType,
  type Schema,
} from './attribute.ts';
import { findExtension } from './attribute-name.ts';
import { addIssue, addUnknown, newReading, type Reading, refuseIssues } from './reading.ts';
import { isUnassigned, readMembers, readValue } from './value.ts';

export interface ReadResource {
  readonly attributes: Attributes;
  /** Names and URNs in the body that mean nothing here (Entra and OneLogin send such; the identity-provider cases). */
  readonly ignored: readonly string[];
}

/**
 * The assigned attributes in `body`, without what is read-only (ENTRA-52), discarded or stored apart.
 * Errors: `invalidSyntax` when the body is no object or its `schemas` lacks the resource's own, `invalidValue` when
 * a value has the wrong type or breaks a limit, or a required one is missing (ENTRA-91).
 */
export function readResource(type: ResourceType, body: unknown): ReadResource {
  const source = readBody(body);
  const reading = newReading(type.tolerates);
  readSchemas(type, memberOf(source, 'schemas'), reading);
  const attributes: Attributes = {};
  for (const [key, value] of Object.entries(source)) readMember(type, key, value, attributes, reading);
  for (const name of missingOf(type, attributes)) {
    const known = reading.issues.some((issue) => issue.field === name);
    if (!known) addIssue(reading, 'invalidValue', name, 'is required');
  }
  refuseIssues(reading);
  return { attributes, ignored: reading.ignored };
}

/** What is required and has no value; of an extension or a complex value only where it is used at all. */
export function missingOf(type: ResourceType, attributes: Attributes): string[] {
  const others = type.extensions.flatMap(({ schema }) => {
    const data = attributes[schema.id];
    return isObject(data) ? missingIn(schema.attributes, data, `${schema.id}:`) : [];
  });
  return [...missingIn(type.schema.attributes, attributes, ''), ...others];
}

function missingIn(attributes: readonly Attribute[], data: JsonObject, prefix: string): string[] {
  return attributes.flatMap(({ name, required, subAttributes }) => {
    const value = data[name];
    if (value === undefined) return required ? [`${prefix}${name}`] : [];
    if (subAttributes === undefined) return [];
    const inside = (Array.isArray(value) ? value : [value]).flatMap((one) =>
      isObject(one) ? missingIn(subAttributes, one, `${prefix}${name}.`) : [],
    );
    return [...new Set(inside)];
  });
}

/** A JSON object of bounded depth. Errors: `invalidSyntax`. */
export function readBody(body: unknown): { [name: string]: unknown } {
  if (!isObject(body)) throw invalid('invalidSyntax', 'The body must be a JSON object.');
  if (isDeeper(body, limits.jsonDepthMax)) {
    throw invalid('invalidSyntax', `The body is nested deeper than ${limits.jsonDepthMax}.`);
  }
  return body;
}

/** A plain loop: this touches every value of a body of megabytes. */
function isDeeper(value: object, depth: number): boolean {
  if (depth === 0) return true;
  for (const inner of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof inner === 'object' && inner !== null && isDeeper(inner, depth - 1)) return true;
  }
  return false;
}

/** A member of a message, whatever the case of its name: clients write `Operations` and `operations`. */
export function memberOf(object: { [name: string]: unknown }, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name];
  const key = Object.keys(object).find((candidate) => candidate.toLowerCase() === name);
  return key === undefined ? undefined : object[key];
}

/** The resource's own schema must be named; others that nobody knows here are ignored (ENTRA-60's ADSCIM). */
function readSchemas(type: ResourceType, named: unknown, reading: Reading): void {
  const urns = Array.isArray(named) ? named.filter((urn) => typeof urn === 'string') : [];
  if (!urns.some((urn) => isNamed(type.schema, urn))) {
    const problem = urns.length === 0 ? 'is missing' : 'names an unknown schema';
    addIssue(reading, 'invalidSyntax', 'schemas', `${problem}: it must hold ${type.schema.id}`);
  }
  for (const urn of urns) {
    if (!isNamed(type.schema, urn) && findExtension(type, urn) === undefined) addUnknown(reading, urn);
  }
}

function readMember(
  type: ResourceType,
  key: string,
  value: unknown,
  attributes: Attributes,
  reading: Reading,
): void {
  const attribute = findAttribute(type.schema.attributes, key) ?? findAttribute(type.common, key);
  if (attribute !== undefined) {
    readAttribute(attribute, value, attributes, reading);
    return;
  }
  const extension = findExtension(type, key);
  if (extension !== undefined) readExtension(extension, value, attributes, reading);
  else if (!isDiscarded(type, key)) addUnknown(reading, key);
}

/** Accepted and dropped without a word by who tolerates unknown names. */
export function isDiscarded({ discarded, tolerates }: ResourceType, name: string): boolean {
  return tolerates.has('unknownNames') && discarded.includes(name.toLowerCase());
}

function readAttribute(attribute: Attribute, value: unknown, attributes: Attributes, reading: Reading): void {
  if (attribute.mutability === 'readOnly' || attribute.storedApart) return;
  const read = readValue(attribute, value, attribute.name, reading);
  if (read !== undefined) attributes[attribute.name] = read;
}

function readExtension(schema: Schema, value: unknown, attributes: Attributes, reading: Reading): void {
  if (isUnassigned(value)) return;
  if (!isObject(value)) {
    addIssue(reading, 'invalidValue', schema.id, 'must be an object');
    return;
  }
  const members = readMembers(schema.attributes, value, `${schema.id}:`, reading);
  const assigned: JsonObject = Object.fromEntries(
    Object.entries(members).filter(([, member]) => member !== null),
  );
  if (Object.keys(assigned).length > 0) attributes[schema.id] = assigned;
}
