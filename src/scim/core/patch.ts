/**
 * Applies PATCH operations to a resource's attributes: one engine for every resource type, all operations or none,
 * its input untouched. Members of groups never come here (member-edit.ts). RFC 7644 §3.5.2, errata 8097.
 */

import { invalid } from '../../kernel/fault.ts';
import { isObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { type AttributePath, type Attributes, nameOf, type ResourceType } from './attribute.ts';
import {
  addElements,
  changeObject,
  createElement,
  elementOf,
  isHollow,
  keepOnePrimary,
  removeElements,
} from './elements.ts';
import { matches } from './match-filter.ts';
import type { PatchOperation } from './patch-request.ts';
import { missingOf } from './validate.ts';
import { elementsMax } from './value.ts';

/**
 * The attributes after all operations, in order.
 * Errors: `noTarget` when a value path fits nothing and describes nothing that could be made, `invalidValue` when a
 * list grows over its limit or a required attribute was cleared, `mutability` when it was removed (§3.5.2.2).
 */
export function applyPatch(
  type: ResourceType,
  current: Attributes,
  operations: readonly PatchOperation[],
): Attributes {
  const edited = operations.reduce(
    (attributes, operation) => applyOperation(type, attributes, operation),
    current,
  );
  const result = dropHollow(edited, operations);
  // What was missing before, since an extension has come to require it, is no reason to refuse what this request says.
  const wasMissing = new Set(missingOf(type, current));
  const missing = missingOf(type, result).find((name) => !wasMissing.has(name));
  if (missing === undefined) return result;
  const isRemoved = operations.some(
    ({ op, path }) =>
      op === 'remove' && [nameOf(path), nameOf({ ...path, sub: undefined })].includes(missing),
  );
  throw invalid(
    isRemoved ? 'mutability' : 'invalidValue',
    `"${missing}" is required and can't be left out.`,
    missing,
  );
}

type Edit = (current: JsonValue | undefined) => JsonValue | undefined;

function applyOperation(type: ResourceType, attributes: Attributes, operation: PatchOperation): Attributes {
  return editAt(attributes, operation.path, (current) => editValue(type, operation, current));
}

/**
 * Of what operations made, an element that has only labels is none, as in a POST. Not earlier: ENTRA-30 makes an element
 * by one operation a sub-attribute, and the value need not be the first.
 */
function dropHollow(attributes: Attributes, operations: readonly PatchOperation[]): Attributes {
  const lists = new Map(operations.map(({ path }) => [path.attribute, path]));
  const edit: Edit = (current) => {
    const held = Array.isArray(current) ? current.filter((element) => !isHollow(element)) : current;
    return Array.isArray(held) && held.length === 0 ? undefined : held;
  };
  return [...lists.values()]
    .filter(({ attribute }) => attribute.multiValued)
    .reduce((result, path) => editAt(result, path, edit), attributes);
}

function editAt(attributes: Attributes, { extension, attribute }: AttributePath, edit: Edit): Attributes {
  const { name } = attribute;
  if (extension === undefined) return withMember(attributes, name, edit(attributes[name]));
  const held = attributes[extension.id];
  const data = isObject(held) ? held : {};
  return withMember(attributes, extension.id, unlessEmpty(withMember(data, name, edit(data[name]))));
}

function withMember(object: JsonObject, name: string, value: JsonValue | undefined): JsonObject {
  if (value !== undefined) return { ...object, [name]: value };
  const { [name]: _, ...rest } = object;
  return rest;
}

function unlessEmpty(object: JsonObject): JsonObject | undefined {
  return Object.keys(object).length === 0 ? undefined : object;
}

function editValue(
  type: ResourceType,
  operation: PatchOperation,
  current: JsonValue | undefined,
): JsonValue | undefined {
  const { path, op, value } = operation;
  if (path.attribute.multiValued) return editList(type, operation, Array.isArray(current) ? current : []);
  const changes = changesOf(operation);
  if (changes === undefined) return op === 'remove' ? undefined : value;
  // §3.5.2.3: also a replace leaves the sub-attributes alone that it does not name.
  return unlessEmpty(changeObject(isObject(current) ? current : {}, changes));
}

/** What happens to the members of an object: null clears one. Undefined when the target is the whole value. */
function changesOf({ path, op, value }: PatchOperation): JsonObject | undefined {
  if (path.sub !== undefined) return { [path.sub.name]: op === 'remove' ? null : (value ?? null) };
  return isObject(value) ? value : undefined;
}

function editList(
  type: ResourceType,
  operation: PatchOperation,
  before: JsonValue[],
): JsonValue[] | undefined {
  const { attribute, filter, sub } = operation.path;
  const isWhole = filter === undefined && sub === undefined;
  const edited = isWhole ? editWhole(operation, before) : editChosen(type, operation, before);
  const after = keepOnePrimary(before, edited);
  const max = elementsMax(attribute);
  if (after.length > max)
    throw invalid('invalidValue', `"${attribute.name}" has more than ${max} values.`, attribute.name);
  return after.length === 0 ? undefined : after;
}

function editWhole({ op, path, value }: PatchOperation, before: JsonValue[]): JsonValue[] {
  const values = Array.isArray(value) ? value : [];
  switch (op) {
    case 'add':
      return addElements(path.attribute, before, values);
    case 'replace':
      return values;
    case 'remove':
      return value === undefined ? [] : removeElements(path.attribute, before, values);
  }
}

/** Without a filter a sub-attribute of a list means that of every element. */
function editChosen(type: ResourceType, operation: PatchOperation, before: JsonValue[]): JsonValue[] {
  const { filter } = operation.path;
  const chosen = new Set(
    before.filter((element) => isObject(element) && (filter === undefined || matches(filter, element))),
  );
  if (chosen.size === 0) return editMissing(type, operation, before);
  return before.flatMap((element) =>
    isObject(element) && chosen.has(element) ? editElement(operation, element) : [element],
  );
}

/** The element after the operation, nothing when it is removed or only labels are left of it. */
function editElement(operation: PatchOperation, element: JsonObject): JsonObject[] {
  const changes = changesOf(operation);
  if (changes === undefined) return [];
  const { sub, filter } = operation.path;
  // A replaced element stays what the filter calls it, also when the new value does not repeat that.
  const replaced = operation.op === 'replace' && sub === undefined;
  const base = replaced ? ((filter && elementOf(filter)) ?? {}) : element;
  const after = changeObject(base, changes);
  return clearsSome(changes) && isHollow(after) ? [] : [after];
}

function clearsSome(changes: JsonObject): boolean {
  return Object.values(changes).includes(null);
}

/**
 * No element fits. Removing or clearing what is not there is done already (ENTRA-35, ENTRA-37); setting makes the
 * element that the filter describes, for add (errata 8097) and, tolerated, for replace (ENTRA-15, ENTRA-55).
 */
function editMissing(
  { tolerates }: ResourceType,
  operation: PatchOperation,
  before: JsonValue[],
): JsonValue[] {
  const changes = changesOf(operation);
  if (changes === undefined || Object.values(changes).every((value) => value === null)) return before;
  const { attribute, filter } = operation.path;
  const described = filter === undefined ? {} : elementOf(filter);
  const isCreated = operation.op === 'add' || filter === undefined || tolerates.has('createdByReplace');
  if (described === undefined || !isCreated) {
    const name = nameOf(operation.path);
    throw invalid('noTarget', `No element of "${name}" fits the filter of the path.`, name);
  }
  const created = changeObject(described, changes);
  return clearsSome(changes) && isHollow(created)
    ? before
    : createElement(attribute, before, described, created);
}
