/**
 * Reads the body of a PATCH into operations on single attributes: objects without a path are taken apart, values are
 * read by the schema, so that applying them can't fail on their form. It never sees the resource. RFC 7644 §3.5.2.
 */

import { Fault, invalid } from '../../kernel/fault.ts';
import { isObject, type JsonValue } from '../../kernel/json.ts';
import { limits } from '../../kernel/limits.ts';
import { nameOf, type ResourceType, type Schema } from './attribute.ts';
import { findExtension, resolveName } from './attribute-name.ts';
import type { Filter } from './filter.ts';
import { type PatchPath, parsePath, type ValuePath } from './path.ts';
import { addIssue, addUnknown, newReading, type Reading, refuseIssues } from './reading.ts';
import { urns } from './urns.ts';
import { isDiscarded, memberOf, readBody } from './validate.ts';
import { isUnassigned, readElements, readObject, readValue } from './value.ts';

export type PatchVerb = 'add' | 'replace' | 'remove';

export interface PatchOperation {
  readonly op: PatchVerb;
  readonly path: ValuePath;
  /**
   * For `add` and `replace` what to set, undefined to clear; an object may hold null for members to clear.
   * For `remove` of a list the elements to take away, undefined for all.
   */
  readonly value: JsonValue | undefined;
}

export interface Patch {
  readonly operations: readonly PatchOperation[];
  /** Paths and names that mean nothing here (the identity-provider cases). */
  readonly ignored: readonly string[];
}

interface Context {
  readonly type: ResourceType;
  readonly reading: Reading;
  readonly operations: PatchOperation[];
  /** authentik sends the same path thousands of times (AK-04). */
  readonly paths: Map<string, PatchPath>;
}

/**
 * Errors: `invalidSyntax` for a body that is no PatchOp, `invalidPath`, `invalidFilter`, `noTarget` for a remove
 * without a path, `invalidValue`, `mutability` for a path to something read-only; `too_large`. An empty list of
 * operations is no error: Microsoft's validator sends it (scimmyjs/scimmy#59).
 */
export function readPatch(type: ResourceType, body: unknown): Patch {
  const source = readBody(body);
  const schemas = memberOf(source, 'schemas');
  const isPatch = (urn: unknown) =>
    typeof urn === 'string' && urn.toLowerCase() === urns.patchOp.toLowerCase();
  if (!Array.isArray(schemas) || !schemas.some(isPatch)) {
    throw invalid('invalidSyntax', `"schemas" must hold ${urns.patchOp}.`, 'schemas');
  }
  const operations = memberOf(source, 'operations');
  if (!Array.isArray(operations))
    throw invalid('invalidSyntax', '"Operations" must be an array.', 'Operations');
  if (operations.length > limits.patchOperationsMax) {
    throw new Fault(
      'too_large',
      `At most ${limits.patchOperationsMax} operations are accepted in one PATCH.`,
    );
  }
  const context: Context = { type, reading: newReading(type.tolerates), operations: [], paths: new Map() };
  operations.forEach((operation, index) => {
    readOperation(context, operation, `Operations[${index}]`);
  });
  refuseIssues(context.reading);
  boundWork(context.operations);
  return { operations: context.operations, ignored: context.reading.ignored };
}

/**
 * Each value and each comparison of an operation on a list looks at all of the list's elements, 500 at most: this many
 * keep a PATCH under a fifth of a second. Microsoft's validator sends 36 operations (ENTRA-17); only members come by the
 * thousand, and those are folded (member-edit.ts).
 */
const attributeLooksMax = 2000;

function boundWork(operations: readonly PatchOperation[]): void {
  const onAttributes = operations.filter(({ path }) => !path.attribute.storedApart);
  const looks = onAttributes.reduce((sum, operation) => sum + looksOf(operation), 0);
  if (looks > attributeLooksMax) {
    throw new Fault(
      'too_large',
      `At most ${attributeLooksMax} values and comparisons are accepted in one PATCH, besides members.`,
    );
  }
}

function looksOf({ path: { filter }, value }: PatchOperation): number {
  const values = Array.isArray(value) ? value.length : 1;
  return values + (filter === undefined ? 0 : termsOf(filter));
}

function termsOf(filter: Filter): number {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.filters.reduce((sum, part) => sum + termsOf(part), 0);
    case 'not':
    case 'element':
      return termsOf(filter.filter);
    default:
      return 1;
  }
}

const verbs: ReadonlyMap<string, PatchVerb> = new Map([
  ['add', 'add'],
  ['replace', 'replace'],
  ['remove', 'remove'],
]);

interface Form {
  readonly op: PatchVerb;
  readonly path: string | undefined;
  readonly value: unknown;
}

function readOperation(context: Context, operation: unknown, label: string): void {
  const form = readForm(context.reading, operation, label);
  if (form === undefined) return;
  if (form.path === undefined) readPathless(context, form.op, form.value, label);
  else readPathed(context, form.op, knownPath(context, form.path), form.value, true);
}

function readForm(reading: Reading, operation: unknown, label: string): Form | undefined {
  if (!isObject(operation)) return addIssue(reading, 'invalidSyntax', label, 'must be an object');
  // Entra's default dialect writes "Add", "Replace", "Remove" (ENTRA-14).
  const sent = String(memberOf(operation, 'op'));
  const op = verbs.get(reading.tolerates.has('opsInAnyCase') ? sent.toLowerCase() : sent);
  if (op === undefined)
    return addIssue(reading, 'invalidSyntax', `${label}.op`, 'must be add, replace or remove');
  const value = memberOf(operation, 'value');
  if (op !== 'remove' && value === undefined) {
    return addIssue(reading, 'invalidValue', `${label}.value`, `is needed to ${op}`);
  }
  const path = memberOf(operation, 'path');
  if (isUnassigned(path)) return { op, path: undefined, value };
  if (typeof path !== 'string') return addIssue(reading, 'invalidPath', `${label}.path`, 'must be a string');
  return { op, path, value };
}

/** OKTA-15, OKTA-25, ENTRA-21, authentik: an object whose names are paths. RFC 7644 §3.5.2.1, §3.5.2.3. */
function readPathless(context: Context, op: PatchVerb, value: unknown, label: string): void {
  if (op === 'remove') throw invalid('noTarget', 'A remove operation needs a path.', `${label}.path`);
  if (isObject(value)) readMembersOf(context, op, value, '', false);
  else addIssue(context.reading, 'invalidValue', `${label}.value`, 'must be an object when there is no path');
}

function readMembersOf(
  context: Context,
  op: PatchVerb,
  object: { [name: string]: unknown },
  prefix: string,
  explicit: boolean,
): void {
  for (const [key, value] of Object.entries(object)) {
    readPathed(context, op, namedPath(context.type, prefix, key), value, explicit);
  }
}

/**
 * A member's name may be anything, so what has no form of a path is unknown here, not an error.
 *
 * @param key The name without the extension that the object stands in.
 */
function namedPath(type: ResourceType, prefix: string, key: string): PatchPath {
  const name = `${prefix}${key}`;
  const isPlain = !/[.:[]/.test(key) || findExtension(type, key) !== undefined;
  if (!isPlain && !type.tolerates.has('namesAsPaths')) return { kind: 'unknown', text: name };
  if (key.includes('[')) return parsePath(type, name);
  const resolved = resolveName(type, name);
  switch (resolved.kind) {
    case 'attribute':
      return { kind: 'value', path: { ...resolved.path, filter: undefined } };
    case 'extension':
      return { kind: 'extension', extension: resolved.schema };
    case 'unknown':
      return { kind: 'unknown', text: name };
  }
}

function knownPath(context: Context, text: string): PatchPath {
  const known = context.paths.get(text);
  if (known !== undefined) return known;
  const path = parsePath(context.type, text);
  context.paths.set(text, path);
  return path;
}

/** `explicit`: the client named the path itself. What is read-only is then refused; inside an object it is skipped. */
function readPathed(
  context: Context,
  op: PatchVerb,
  path: PatchPath,
  value: unknown,
  explicit: boolean,
): void {
  switch (path.kind) {
    case 'unknown':
      if (!isDiscarded(context.type, path.text)) addUnknown(context.reading, path.text, 'invalidPath');
      return;
    case 'extension':
      readExtension(context, op, path.extension, value, explicit);
      return;
    case 'value':
      readTarget(context, op, path.path, value, explicit);
  }
}

function readExtension(
  context: Context,
  op: PatchVerb,
  extension: Schema,
  value: unknown,
  explicit: boolean,
): void {
  if (op === 'remove' || isUnassigned(value)) {
    for (const attribute of extension.attributes) {
      readTarget(
        context,
        'remove',
        { extension, attribute, sub: undefined, filter: undefined },
        undefined,
        explicit,
      );
    }
  } else if (isObject(value)) {
    readMembersOf(context, op, value, `${extension.id}:`, explicit);
  } else {
    addIssue(context.reading, 'invalidValue', extension.id, 'must be an object');
  }
}

function readTarget(
  context: Context,
  op: PatchVerb,
  path: ValuePath,
  value: unknown,
  explicit: boolean,
): void {
  const readOnly = path.attribute.mutability === 'readOnly' || path.sub?.mutability === 'readOnly';
  if (!readOnly) {
    const read = op === 'remove' ? readRemoved : readSet;
    context.operations.push({ op, path, value: read(path, value, context.reading, explicit) });
  } else if (explicit || !context.type.tolerates.has('readOnlyInValues')) {
    addIssue(context.reading, 'mutability', nameOf(path), 'is read-only');
  }
}

type ReadTarget = (
  path: ValuePath,
  value: unknown,
  reading: Reading,
  explicit: boolean,
) => JsonValue | undefined;

/** Only for a whole list does a value say what is removed: `[]` and "" nothing, none at all everything (ENTRA-67, -69). */
const readRemoved: ReadTarget = (path, value, reading) => {
  const isList = path.attribute.multiValued && path.sub === undefined && path.filter === undefined;
  if (!isList || value === undefined || value === null) return undefined;
  if (!reading.tolerates.has('removalsByValue')) {
    return addIssue(
      reading,
      'invalidValue',
      nameOf(path),
      'is removed by a filter in the path, not by a value',
    );
  }
  return readElements(path.attribute, listOf(value), nameOf(path), reading);
};

const readSet: ReadTarget = (path, value, reading, explicit) => {
  const { attribute, sub, filter } = path;
  const label = nameOf(path);
  if (sub !== undefined) return readValue(sub, value, label, reading);
  if (isUnassigned(value)) return undefined;
  if (attribute.multiValued && filter === undefined) {
    return readValue(attribute, explicit ? listOf(value) : value, label, reading);
  }
  if (attribute.type !== 'complex') return readValue(attribute, value, label, reading);
  // Microsoft's older guide shows a manager as a list of one (azure-docs, "active-directory-scim-provisioning").
  const [only, ...others] = listOf(value);
  return readObject(attribute, others.length === 0 ? only : value, label, reading);
};

/** With a path a single value stands for a list of one. */
function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
