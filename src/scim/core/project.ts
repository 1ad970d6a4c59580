/**
 * Chooses which attributes of a resource an answer shows: `returned` of the schema, then `attributes` and
 * `excludedAttributes` of the request. It renders nothing. RFC 7643 §7, RFC 7644 §3.9.
 */

import { invalid } from '../../kernel/fault.ts';
import { isObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { limits } from '../../kernel/limits.ts';
import {
  type Attribute,
  type AttributePath,
  type Attributes,
  findAttribute,
  nameOf,
  type ResourceType,
  type Schema,
} from './attribute.ts';
import { resolveName } from './attribute-name.ts';

/** As they come from a query string (names joined by commas, perhaps several times) or from a search request. */
export interface ProjectionQuery {
  readonly attributes?: unknown;
  readonly excludedAttributes?: unknown;
}

/** Canonical names of attributes, of sub-attributes, and URNs of whole extensions. */
type Names = ReadonlySet<string>;

export interface Projection {
  readonly type: ResourceType;
  /** Undefined: all that are returned by default. */
  readonly wanted: Names | undefined;
  readonly excluded: Names;
  /** What the request has written: of this the answer also shows what is returned on request (RFC 7643 §7). */
  readonly written?: Names;
}

/**
 * Names nobody knows ask for nothing.
 * Errors: `invalidValue` for more than `projectionNamesMax` names or what is no list of names.
 */
export function readProjection(type: ResourceType, query: ProjectionQuery): Projection {
  const wanted = readNames(type, 'attributes', query.attributes);
  const excluded = readNames(type, 'excludedAttributes', query.excludedAttributes);
  return { type, wanted, excluded: excluded ?? new Set() };
}

/** The projection for the answer to a PATCH. */
export function withChanged(projection: Projection, paths: readonly AttributePath[]): Projection {
  return { ...projection, written: new Set(paths.map((path) => nameOf({ ...path, sub: undefined }))) };
}

/** The projection for the answer to a POST or PUT of these attributes. */
export function withWritten(projection: Projection, attributes: Attributes): Projection {
  const { extensions } = projection.type;
  const names = Object.entries(attributes).flatMap(([name, value]) => {
    const isExtension = extensions.some(({ schema }) => schema.id === name);
    return isExtension && isObject(value) ? Object.keys(value).map((key) => `${name}:${key}`) : [name];
  });
  return { ...projection, written: new Set(names) };
}

function readNames(type: ResourceType, parameter: string, value: unknown): Names | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const texts: unknown[] = Array.isArray(value) ? value : [value];
  if (!texts.every((text) => typeof text === 'string')) {
    throw invalid('invalidValue', `"${parameter}" must be a list of names.`, parameter);
  }
  const names = texts.flatMap((text) => text.split(',', limits.projectionNamesMax + 1));
  if (names.length > limits.projectionNamesMax) {
    throw invalid(
      'invalidValue',
      `"${parameter}" has more than ${limits.projectionNamesMax} names.`,
      parameter,
    );
  }
  // Only what is asked for: an exclusion of some elements must not hide them all.
  const plain = parameter === 'attributes' ? withoutFilter : (name: string) => name;
  return new Set(names.flatMap((name) => canonical(type, plain(name).trim())));
}

/** `emails[type eq "work"]` asks for `emails`: §3.10 has no filters in names, Microsoft's collection does (MSP-PROJECTION). */
function withoutFilter(name: string): string {
  return name.replace(/\[.*$/s, '');
}

function canonical(type: ResourceType, name: string): string[] {
  const resolved = resolveName(type, name);
  switch (resolved.kind) {
    case 'attribute':
      return [nameOf(resolved.path)];
    case 'extension':
      return [resolved.schema.id];
    case 'unknown':
      return [];
  }
}

/** Whether the answer will show the attribute or extension of that name, so that it need not be loaded when not. */
export function wants(projection: Projection, name: string): boolean {
  const resolved = resolveName(projection.type, name);
  switch (resolved.kind) {
    case 'attribute':
      return shows(projection, resolved.path);
    case 'extension':
      return resolved.schema.attributes.some((attribute) =>
        shows(projection, { extension: resolved.schema, attribute }),
      );
    case 'unknown':
      return false;
  }
}

/** The resource with only what the answer shows. Never changes its input. */
export function project(projection: Projection, resource: JsonObject): JsonObject {
  const { schema, common, extensions } = projection.type;
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(resource)) {
    const extension = extensions.find((candidate) => candidate.schema.id === key)?.schema;
    const attribute = findAttribute(schema.attributes, key) ?? findAttribute(common, key);
    const shown =
      extension === undefined
        ? attribute && show(projection, { extension, attribute }, value)
        : showExtension(projection, extension, value);
    if (shown !== undefined) result[key] = shown;
  }
  return result;
}

type Target = Pick<AttributePath, 'extension' | 'attribute'>;

function showExtension(projection: Projection, extension: Schema, value: JsonValue): JsonObject | undefined {
  const members = Object.entries(isObject(value) ? value : {}).flatMap(([key, member]) => {
    const attribute = findAttribute(extension.attributes, key);
    const shown = attribute && show(projection, { extension, attribute }, member);
    return shown === undefined ? [] : [[key, shown] as const];
  });
  return members.length === 0 ? undefined : Object.fromEntries(members);
}

function shows(projection: Projection, target: Target): boolean {
  const seen = visibility(projection, target);
  const { subAttributes } = target.attribute;
  if (seen === 'hidden' || subAttributes === undefined) return seen !== 'hidden';
  return subAttributes.some((sub) => showsSub(projection, target, sub, seen));
}

/** Undefined also when nothing of the value is left to show (RFC 7643 §2.5: {} and [] are no values). */
function show(projection: Projection, target: Target, value: JsonValue): JsonValue | undefined {
  const seen = visibility(projection, target);
  if (seen === 'hidden') return undefined;
  const subAttributes = target.attribute.subAttributes ?? [];
  const shown = subAttributes.filter((sub) => showsSub(projection, target, sub, seen));
  // The usual case, and the one that must not touch every member of a large group.
  if (shown.length === subAttributes.length) return value;
  const names = new Set(shown.map((sub) => sub.name));
  const picked = Array.isArray(value)
    ? value.map((element) => pick(element, names)).filter((element) => !isEmpty(element))
    : pick(value, names);
  return isEmpty(picked) ? undefined : picked;
}

function isEmpty(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function pick(value: JsonValue, names: ReadonlySet<string>): JsonValue {
  return isObject(value)
    ? Object.fromEntries(Object.entries(value).filter(([name]) => names.has(name)))
    : value;
}

/** `named`: only some of its sub-attributes were asked for. */
type Visibility = 'whole' | 'named' | 'hidden';

function visibility({ wanted, excluded, written }: Projection, { extension, attribute }: Target): Visibility {
  // RFC 7643 §7: nothing in a request overrides `always` or `never`.
  if (attribute.returned === 'always') return 'whole';
  if (attribute.returned === 'never') return 'hidden';
  const name = nameOf({ extension, attribute, sub: undefined });
  const isIn = (names: Names) => names.has(name) || (extension !== undefined && names.has(extension.id));
  if (isIn(excluded)) return 'hidden';
  if (wanted === undefined) {
    return attribute.returned === 'default' || written?.has(name) === true ? 'whole' : 'hidden';
  }
  if (isIn(wanted)) return 'whole';
  return attribute.subAttributes?.some((sub) => wanted.has(`${name}.${sub.name}`)) ? 'named' : 'hidden';
}

function showsSub(
  { wanted, excluded, written }: Projection,
  target: Target,
  sub: Attribute,
  seen: Visibility,
): boolean {
  if (sub.returned === 'always') return true;
  const name = nameOf({ ...target, sub });
  if (sub.returned === 'never' || excluded.has(name)) return false;
  const isShown = sub.returned === 'default' || written?.has(nameOf({ ...target, sub: undefined })) === true;
  return wanted?.has(name) || (seen === 'whole' && isShown);
}
