/**
 * Turns a name as a client writes it (`userName`, `name.familyName`, `urn:…:User:department`) into an attribute of a
 * resource type. It knows no filters and no values. RFC 7644 §3.10.
 */

import {
  type Attribute,
  type AttributePath,
  findAttribute,
  findSubAttribute,
  isNamed,
  type ResourceType,
  type Schema,
} from './attribute.ts';

export type ResolvedName =
  | { readonly kind: 'attribute'; readonly path: AttributePath }
  /** The URN of an extension by itself: all of its attributes. */
  | { readonly kind: 'extension'; readonly schema: Schema }
  | { readonly kind: 'unknown' };

const unknown: ResolvedName = { kind: 'unknown' };

/** Never throws: what can't be found is `unknown`, and the caller decides whether that matters. */
export function resolveName(type: ResourceType, text: string): ResolvedName {
  return text.includes(':') ? resolveQualified(type, text) : resolveShort(type, text);
}

/** URNs hold dots and colons themselves, so the known ones are matched, longest first, before anything is split. */
function resolveQualified(type: ResourceType, text: string): ResolvedName {
  const lower = text.toLowerCase();
  const prefix = urnsOf(type).find(({ urn }) => lower === urn || lower.startsWith(`${urn}:`));
  if (prefix === undefined) return unknown;
  const extension = prefix.schema === type.schema ? undefined : prefix.schema;
  if (lower === prefix.urn)
    return extension === undefined ? unknown : { kind: 'extension', schema: extension };
  const name = text.slice(prefix.urn.length + 1);
  const found = resolveIn(prefix.schema.attributes, extension, name);
  // The common attributes belong to no schema (RFC 7643 §3.1); clients put them into the resource's own.
  return found.kind === 'unknown' && extension === undefined
    ? resolveIn(type.common, undefined, name)
    : found;
}

/**
 * Core and common attributes first; then, as Entra's reference check says `manager eq "…"` without its URN
 * (docs/identity-providers.md "Entra ID"), the extensions in the order in which the type lists them.
 */
function resolveShort(type: ResourceType, text: string): ResolvedName {
  const core = resolveIn(type.schema.attributes, undefined, text);
  if (core.kind !== 'unknown') return core;
  const common = resolveIn(type.common, undefined, text);
  if (common.kind !== 'unknown') return common;
  const others = type.tolerates.has('shortExtensionNames') ? type.extensions : [];
  for (const { schema } of others) {
    const found = resolveIn(schema.attributes, schema, text);
    if (found.kind !== 'unknown') return found;
  }
  return unknown;
}

function resolveIn(
  attributes: readonly Attribute[],
  extension: Schema | undefined,
  text: string,
): ResolvedName {
  const dot = text.indexOf('.');
  const attribute = findAttribute(attributes, dot === -1 ? text : text.slice(0, dot));
  if (attribute === undefined) return unknown;
  if (dot === -1) return { kind: 'attribute', path: { extension, attribute, sub: undefined } };
  const sub = findSubAttribute(attribute, text.slice(dot + 1));
  return sub === undefined ? unknown : { kind: 'attribute', path: { extension, attribute, sub } };
}

interface Urn {
  readonly urn: string;
  readonly schema: Schema;
}

const urnLists = new WeakMap<ResourceType, readonly Urn[]>();

function urnsOf(type: ResourceType): readonly Urn[] {
  const known = urnLists.get(type);
  if (known !== undefined) return known;
  const urns = [type.schema, ...type.extensions.map((extension) => extension.schema)]
    .flatMap((schema) =>
      [schema.id, ...(schema.aliases ?? [])].map((urn) => ({ urn: urn.toLowerCase(), schema })),
    )
    .sort((a, b) => b.urn.length - a.urn.length);
  urnLists.set(type, urns);
  return urns;
}

/** The extension that a body's key names, if any. */
export function findExtension(type: ResourceType, urn: string): Schema | undefined {
  return type.extensions.map((extension) => extension.schema).find((schema) => isNamed(schema, urn));
}
