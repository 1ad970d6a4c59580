/**
 * Reads values as the schema's types, tolerantly where only one meaning is possible, and keeps them as sent (ENTRA-53).
 * It knows no operations and no resource types. RFC 7643 §2.3–§2.5.
 */

import { fold } from '../../kernel/fold.ts';
import { isObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { limits } from '../../kernel/limits.ts';
import { isStorable } from '../../kernel/storable.ts';
import { type Attribute, type AttributeType, findAttribute, findSubAttribute } from './attribute.ts';
import { isHollow, keepOnePrimary } from './elements.ts';
import { addIssue, addUnknown, type Reading } from './reading.ts';
import { hasZone, readBoolean, readInstant } from './scalar.ts';

/** RFC 7643 §2.5, and "" besides, with which Entra and Okta clear (ENTRA-34, OKTA-13). */
export function isUnassigned(value: unknown): boolean {
  return (
    value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
  );
}

/** The value of an attribute, undefined when unassigned or wrong; what is wrong becomes an issue under `label`. */
export function readValue(
  attribute: Attribute,
  value: unknown,
  label: string,
  reading: Reading,
): JsonValue | undefined {
  if (isUnassigned(value)) return undefined;
  if (!attribute.multiValued) return readSingle(attribute, value, label, reading);
  if (!Array.isArray(value)) {
    return addIssue(reading, 'invalidValue', label, 'must be an array');
  }
  const elements = readElements(attribute, value, label, reading);
  return elements.length === 0 ? undefined : elements;
}

/** The assigned elements of a list. */
export function readElements(
  attribute: Attribute,
  values: readonly unknown[],
  label: string,
  reading: Reading,
): JsonValue[] {
  const max = elementsMax(attribute);
  if (values.length > max) {
    addIssue(reading, 'invalidValue', label, `has more than ${max} values`);
    return [];
  }
  const elements = values.flatMap((value) => {
    const element = isUnassigned(value) ? undefined : readSingle(attribute, value, label, reading);
    if (element !== undefined && !isHollow(element)) return [element];
    // A member that is described but not named must not be lost without a word: the member edit refuses it.
    return attribute.storedApart && isObject(value) && Object.values(value).some((one) => !isUnassigned(one))
      ? [{}]
      : [];
  });
  return keepOnePrimary([], elements);
}

export function elementsMax(attribute: Attribute): number {
  return attribute.storedApart ? limits.membersPerRequestMax : limits.valuesPerAttributeMax;
}

function readSingle(
  attribute: Attribute,
  value: unknown,
  label: string,
  reading: Reading,
): JsonValue | undefined {
  if (attribute.type === 'complex') {
    const members = readObject(attribute, value, label, reading);
    const assigned = Object.entries(members).filter(([, member]) => member !== null);
    return assigned.length === 0 ? undefined : Object.fromEntries(assigned);
  }
  const found = readers[attribute.type](value, reading);
  if (found === undefined) {
    return addIssue(reading, 'invalidValue', label, `must be ${expected[attribute.type]}`);
  }
  if (typeof found === 'string' && found.length > limits.valueLengthMax) {
    return addIssue(reading, 'invalidValue', label, `is longer than ${limits.valueLengthMax} characters`);
  }
  if (attribute.lookedUp && Buffer.byteLength(fold(String(found))) > limits.keyBytesMax) {
    return addIssue(reading, 'invalidValue', label, `is longer than ${limits.keyBytesMax} bytes`);
  }
  return found;
}

/**
 * The sub-attributes that a value sets, null for those it clears. A bare text for a complex attribute that has a
 * `value` is that value and clears the rest, which belonged to the old one: `"manager": "<id>"` (ENTRA-24, ENTRA-25). The rest of an element
 * is kept, since there is a filter to say which one it is.
 */
export function readObject(
  attribute: Attribute,
  value: unknown,
  label: string,
  reading: Reading,
): JsonObject {
  const subAttributes = attribute.subAttributes ?? [];
  if (isObject(value)) return readMembers(subAttributes, value, `${label}.`, reading);
  const isBare = typeof value === 'string' && reading.tolerates.has('bareComplexValues');
  const bare = isBare ? findSubAttribute(attribute, 'value') : undefined;
  if (bare === undefined) {
    addIssue(reading, 'invalidValue', label, 'must be an object');
    return {};
  }
  const cleared = attribute.multiValued ? [] : subAttributes.map((sub) => [sub.name, null] as const);
  return { ...Object.fromEntries(cleared), [bare.name]: readValue(bare, value, label, reading) ?? null };
}

/** The members of an object under their canonical names: null for cleared ones, without read-only and unknown ones. */
export function readMembers(
  attributes: readonly Attribute[],
  object: { [name: string]: unknown },
  prefix: string,
  reading: Reading,
): JsonObject {
  const members: JsonObject = {};
  for (const [key, value] of Object.entries(object)) {
    const attribute = findAttribute(attributes, key);
    if (attribute === undefined) addUnknown(reading, `${prefix}${key}`);
    else if (attribute.mutability !== 'readOnly') {
      members[attribute.name] = readValue(attribute, value, `${prefix}${attribute.name}`, reading) ?? null;
    }
  }
  return members;
}

type Simple = Exclude<AttributeType, 'complex'>;

function readText(value: unknown): string | undefined {
  return typeof value === 'string' && isStorable(value) ? value : undefined;
}

const readers: Record<Simple, (value: unknown, reading: Reading) => string | number | boolean | undefined> = {
  string: readText,
  reference: readText,
  binary: readText,
  boolean: (value, { tolerates }) => {
    if (typeof value === 'boolean') return value;
    return typeof value === 'string' && tolerates.has('scalarsAsText') ? readBoolean(value) : undefined;
  },
  integer: (value) => (Number.isSafeInteger(value) ? Number(value) : undefined),
  decimal: (value) => (Number.isFinite(value) ? Number(value) : undefined),
  dateTime: (value) =>
    typeof value === 'string' && hasZone(value) && readInstant(value) !== undefined ? value : undefined,
};

const expected: Record<Simple, string> = {
  string: 'a string of storable characters',
  reference: 'a URI, as a string',
  binary: 'base64, as a string',
  boolean: 'true or false',
  integer: 'an integer',
  decimal: 'a number',
  dateTime: 'a dateTime with a time zone, such as 2026-01-31T08:00:00Z',
};
