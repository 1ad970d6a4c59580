/**
 * Turns what a request says of a group's members into one edit of a set, without knowing the present members: drop all
 * or not, then add these and remove those. In one pass, whatever the number of operations (AK-04). RFC 7644 §3.5.2.
 */

import { assert } from '../../kernel/assert.ts';
import { Fault, invalid } from '../../kernel/fault.ts';
import { fold } from '../../kernel/fold.ts';
import { isObject, type JsonValue } from '../../kernel/json.ts';
import { limits } from '../../kernel/limits.ts';
import type { Attribute, ResourceType } from './attribute.ts';
import type { Filter } from './filter.ts';
import type { PatchOperation } from './patch-request.ts';
import { newReading, refuseIssues } from './reading.ts';
import { memberOf } from './validate.ts';
import { readValue } from './value.ts';

/** First everybody leaves if `clear`; then `add` and `remove`, which share no id and hold none twice. */
export interface MemberEdit {
  readonly clear: boolean;
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

export interface SplitOperations {
  readonly memberEdit: MemberEdit;
  /** The operations on everything else, for `applyPatch`. */
  readonly rest: readonly PatchOperation[];
}

/**
 * Folds the operations on an attribute that is stored apart, in order: the last word on an id counts.
 * Errors: `invalidValue` for a group as a member or a member without an id, `invalidFilter` for a path that chooses
 * members by anything but their ids, `mutability` for a change to a member; `too_large`.
 */
export function splitMembers(operations: readonly PatchOperation[]): SplitOperations {
  const edit = new EditFold();
  const rest: PatchOperation[] = [];
  for (const operation of operations) {
    if (operation.path.attribute.storedApart) foldOperation(edit, operation);
    else rest.push(operation);
  }
  return { memberEdit: edit.result(), rest };
}

/** The members in the body of a POST or PUT: exactly these, none when they are missing. Errors as above. */
export function memberEditOfResource(type: ResourceType, body: unknown): MemberEdit {
  const attribute = type.schema.attributes.find((candidate) => candidate.storedApart);
  assert(attribute !== undefined, 'the resource type has members');
  const reading = newReading(type.tolerates);
  const sent = isObject(body) ? memberOf(body, attribute.name.toLowerCase()) : undefined;
  const members = readValue(attribute, sent, attribute.name, reading);
  refuseIssues(reading);
  const edit = new EditFold();
  edit.clear();
  edit.add(joiningIds(attribute, members));
  return edit.result();
}

/** The state of the fold: what was said last of each id, by its text without case (`members.value` is not exact). */
class EditFold {
  #clear = false;
  readonly #said = new Map<string, { readonly id: string; readonly joins: boolean }>();

  clear(): void {
    this.#clear = true;
    this.#said.clear();
  }

  add(ids: readonly string[]): void {
    for (const id of ids) this.#said.set(fold(id), { id, joins: true });
  }

  remove(ids: readonly string[]): void {
    for (const id of ids) {
      if (this.#clear) this.#said.delete(fold(id));
      else this.#said.set(fold(id), { id, joins: false });
    }
  }

  result(): MemberEdit {
    if (this.#said.size > limits.membersPerRequestMax) {
      throw new Fault(
        'too_large',
        `At most ${limits.membersPerRequestMax} members are accepted in one request.`,
      );
    }
    const said = [...this.#said.values()];
    const ids = (joins: boolean) => said.filter((one) => one.joins === joins).map((one) => one.id);
    return { clear: this.#clear, add: ids(true), remove: ids(false) };
  }
}

function foldOperation(edit: EditFold, { op, path, value }: PatchOperation): void {
  const { attribute, sub, filter } = path;
  if (sub !== undefined || (filter !== undefined && op !== 'remove')) {
    throw invalid(
      'mutability',
      `An element of "${attribute.name}" can be added or removed, not changed.`,
      attribute.name,
    );
  }
  switch (op) {
    case 'add':
      edit.add(joiningIds(attribute, value));
      return;
    case 'replace':
      edit.clear();
      edit.add(joiningIds(attribute, value));
      return;
    case 'remove':
      // ENTRA-68, OKTA-26: by filter. ENTRA-67, JC-04: by value. ENTRA-69: neither, so everybody.
      if (filter !== undefined) edit.remove(idsOfFilter(attribute, filter));
      else if (value !== undefined) edit.remove(elementsOf(value).map((element) => idOf(attribute, element)));
      else edit.clear();
  }
}

function elementsOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function joiningIds(attribute: Attribute, value: JsonValue | undefined): string[] {
  return elementsOf(value).map((element) => {
    if (isObject(element) && String(element.type).toLowerCase() === 'group') {
      throw invalid(
        'invalidValue',
        `"${attribute.name}" holds a group: nested groups are not supported.`,
        attribute.name,
      );
    }
    return idOf(attribute, element);
  });
}

function idOf(attribute: Attribute, element: JsonValue): string {
  const id = isObject(element) ? element.value : undefined;
  if (typeof id === 'string') return id;
  throw invalid(
    'invalidValue',
    `Each element of "${attribute.name}" needs a "value": the id.`,
    attribute.name,
  );
}

/** `value eq "a"`, or several of them joined by `or`. */
function idsOfFilter(attribute: Attribute, filter: Filter): string[] {
  if (filter.kind === 'or') return filter.filters.flatMap((part) => idsOfFilter(attribute, part));
  if (filter.kind === 'compare' && filter.op === 'eq' && filter.path.attribute.name === 'value') {
    return [String(filter.value)];
  }
  throw invalid(
    'invalidFilter',
    `Elements of "${attribute.name}" are chosen by "value eq" only.`,
    attribute.name,
  );
}
