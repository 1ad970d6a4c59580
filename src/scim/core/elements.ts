/**
 * The elements of multi-valued attributes: which are the same, which one is primary, how one is changed. It knows the
 * sub-attributes that RFC 7643 §2.4 gives to every list (`value`, `type`, `primary`, `$ref`) and no attribute by name.
 */

import { fold } from '../../kernel/fold.ts';
import { isObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { sameJson } from '../../kernel/same-json.ts';
import { type Attribute, findSubAttribute } from './attribute.ts';
import type { Filter } from './filter.ts';

/** Sub-attributes that only say something about a value. */
const labels: ReadonlySet<string> = new Set(['type', 'primary']);

/** Whether nothing is left of an element but labels: `{type: "work"}` after its value was cleared (ENTRA-35, -37). */
export function isHollow(element: JsonValue): boolean {
  return isObject(element) && Object.keys(element).every((name) => labels.has(name));
}

function isPrimary(element: JsonValue): boolean {
  return isObject(element) && element.primary === true;
}

/**
 * At most one element stays primary: one that was not like this before, else the last (RFC 7644 §3.5.2: setting a
 * primary value sets the others to false).
 */
export function keepOnePrimary(before: readonly JsonValue[], after: JsonValue[]): JsonValue[] {
  const primaries = after.filter(isPrimary);
  if (primaries.length < 2) return after;
  const winner = primaries.findLast((element) => !before.includes(element)) ?? primaries.at(-1);
  return after.map((element) => (element === winner ? element : demoted(element)));
}

function demoted(element: JsonValue): JsonValue {
  return isObject(element) && isPrimary(element) ? { ...element, primary: false } : element;
}

/** Sets the members of `changes`, clears those that are null. A `$ref` that points to the old `value` goes with it. */
export function changeObject(object: JsonObject, changes: JsonObject): JsonObject {
  const moved = 'value' in changes && changes.value !== object.value && !('$ref' in changes);
  const changed = { ...object, ...changes, ...(moved ? { $ref: null } : {}) };
  return Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== null));
}

/** Equality as the schema has it: text without its case unless the attribute is exact (RFC 7643 §2.2). */
function sameValue(
  attribute: Attribute | undefined,
  a: JsonValue | undefined,
  b: JsonValue | undefined,
): boolean {
  const folds = attribute !== undefined && !attribute.caseExact;
  if (folds && typeof a === 'string' && typeof b === 'string') return fold(a) === fold(b);
  return sameJson(a, b);
}

/**
 * Whether `element` already is what `wanted` asks for: the same `value` and, where given, the same `type`
 * (RFC 7643 §2.4: no such pair twice); where there is no `value`, the same in all that is given.
 */
function isSame(attribute: Attribute, element: JsonValue, wanted: JsonValue): boolean {
  if (!isObject(element) || !isObject(wanted)) return sameValue(attribute, element, wanted);
  const names = 'value' in wanted ? ['value', 'type'].filter((name) => name in wanted) : Object.keys(wanted);
  return names.every((name) => sameValue(findSubAttribute(attribute, name), element[name], wanted[name]));
}

/**
 * RFC 7644 §3.5.2.1: what is there already is not added again; what is new about it is. The one that is said to be
 * primary is, also where the one before is named too.
 */
export function addElements(
  attribute: Attribute,
  elements: readonly JsonValue[],
  added: readonly JsonValue[],
): JsonValue[] {
  const result = [...elements];
  let primaryAt: number | undefined;
  for (const wanted of added) {
    const index = result.findIndex((element) => isSame(attribute, element, wanted));
    const known = result[index];
    if (known === undefined) result.push(wanted);
    else if (isObject(known) && isObject(wanted)) result[index] = changeObject(known, wanted);
    if (isPrimary(wanted)) primaryAt = known === undefined ? result.length - 1 : index;
  }
  if (primaryAt === undefined) return result;
  return result.map((element, at) => (at === primaryAt ? element : demoted(element)));
}

/** `remove` with a value takes just those away (ENTRA-67, JC-04), where the RFC has no meaning for it. */
export function removeElements(
  attribute: Attribute,
  elements: readonly JsonValue[],
  removed: readonly JsonValue[],
): JsonValue[] {
  return elements.filter((element) => !removed.some((wanted) => isSame(attribute, element, wanted)));
}

/** The element that a filter describes when it is nothing but `eq` joined by `and`; else undefined. "" is no value. */
export function elementOf(filter: Filter): JsonObject | undefined {
  if (filter.kind === 'compare' && filter.op === 'eq') {
    return filter.value === '' ? {} : { [filter.path.attribute.name]: filter.value };
  }
  if (filter.kind !== 'and') return undefined;
  const parts = filter.filters.map(elementOf);
  return parts.includes(undefined) ? undefined : Object.assign({}, ...parts);
}

/** Adds a new element, unless its filter names a type that is there: Entra wants one element a type (ENTRA-55). */
export function createElement(
  attribute: Attribute,
  elements: readonly JsonValue[],
  described: JsonObject,
  created: JsonObject,
): JsonValue[] {
  const { type } = described;
  const twins = type === undefined ? [] : elements.filter((element) => isSame(attribute, element, { type }));
  const [twin] = twins;
  if (!isObject(twin)) return addElements(attribute, elements, [created]);
  return elements.with(elements.indexOf(twin), changeObject(twin, created));
}
