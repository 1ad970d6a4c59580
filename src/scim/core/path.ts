/**
 * Reads the `path` of a PATCH operation: an attribute, a sub-attribute, elements chosen by a filter, or a whole
 * extension. It knows nothing of operations. RFC 7644 §3.5.2.
 */

import { invalid } from '../../kernel/fault.ts';
import { type AttributePath, findSubAttribute, type ResourceType, type Schema } from './attribute.ts';
import { resolveName } from './attribute-name.ts';
import { type Filter, parseElementFilter } from './filter.ts';

/** An attribute, or the elements of it that fit a filter, or a sub-attribute of either. */
export interface ValuePath extends AttributePath {
  readonly filter: Filter | undefined;
}

export type PatchPath =
  | { readonly kind: 'value'; readonly path: ValuePath }
  | { readonly kind: 'extension'; readonly extension: Schema }
  /** Well formed, but nothing of ours: ignored and reported, as Entra and OneLogin send such (the identity-provider cases). */
  | { readonly kind: 'unknown'; readonly text: string };

// The last "]" is always the bracket's own: what may follow it holds none.
const form = /^([^[\]\s"]+)(?:\[(.*)\](?:\.([^[\].\s"]+))?)?$/s;

/**
 * Errors: `invalidPath` when the text has no form of a path or chooses among elements of what is no list,
 * `invalidFilter` when the filter in its brackets can't be read.
 */
export function parsePath(type: ResourceType, text: string): PatchPath {
  const [, name, filter, subName] = form.exec(text) ?? [];
  if (name === undefined) throw invalid('invalidPath', "The path of an operation can't be read.");
  const resolved = resolveName(type, name);
  if (resolved.kind === 'unknown') return { kind: 'unknown', text };
  if (filter === undefined) {
    return resolved.kind === 'extension'
      ? { kind: 'extension', extension: resolved.schema }
      : { kind: 'value', path: { ...resolved.path, filter: undefined } };
  }
  if (
    resolved.kind === 'extension' ||
    resolved.path.sub !== undefined ||
    !resolved.path.attribute.multiValued
  ) {
    throw invalid('invalidPath', `"${name}" has no elements to choose from.`, name);
  }
  return elementsPath(type, resolved.path, filter, subName, text);
}

function elementsPath(
  type: ResourceType,
  path: AttributePath,
  filterText: string,
  subName: string | undefined,
  text: string,
): PatchPath {
  const filter = parseElementFilter(type, path.attribute, filterText);
  if (subName === undefined) return { kind: 'value', path: { ...path, filter } };
  const sub = findSubAttribute(path.attribute, subName);
  return sub === undefined ? { kind: 'unknown', text } : { kind: 'value', path: { ...path, sub, filter } };
}
