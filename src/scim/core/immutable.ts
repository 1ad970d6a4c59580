/** What is immutable is set once and then stays (RFC 7643 §7, RFC 7644 §3.5.1, §3.5.2). */

import { invalid } from '../../kernel/fault.ts';
import { isObject, type JsonValue } from '../../kernel/json.ts';
import { sameJson } from '../../kernel/same-json.ts';
import type { Attribute, Attributes, ResourceType } from './attribute.ts';

/** @throws Fault `mutability` when a value that was set differs or is gone. */
export function refuseImmutable(type: ResourceType, before: Attributes, after: Attributes): void {
  refuseIn(type.schema.attributes, before, after, '');
  for (const { schema } of type.extensions) {
    refuseIn(schema.attributes, before[schema.id], after[schema.id], `${schema.id}:`);
  }
}

function refuseIn(
  attributes: readonly Attribute[],
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  prefix: string,
): void {
  if (!isObject(before)) return;
  const next = isObject(after) ? after : {};
  for (const { name, mutability, multiValued, subAttributes } of attributes) {
    const was = before[name];
    if (was === undefined) continue;
    if (mutability === 'immutable' && !sameJson(was, next[name])) {
      throw invalid(
        'mutability',
        `"${prefix}${name}" was set once and can't be changed.`,
        `${prefix}${name}`,
      );
    }
    if (subAttributes !== undefined && !multiValued)
      refuseIn(subAttributes, was, next[name], `${prefix}${name}.`);
  }
}

/**
 * What a PUT makes of a resource: what it says, and besides what it may not take away: immutable values it leaves out
 * (RFC 7644 §3.5.1), and extensions that are registered for other directories alone.
 */
export function replaceAttributes(type: ResourceType, current: Attributes, sent: Attributes): Attributes {
  const known = type.extensions.map(({ schema }) => schema);
  const hidden = Object.entries(current).filter(
    ([name]) => name.includes(':') && !known.some(({ id }) => id === name),
  );
  const after = {
    ...sent,
    ...Object.fromEntries(hidden),
    ...immutableOf(type.schema.attributes, current, sent),
  };
  for (const { id, attributes } of known) {
    const kept = immutableOf(attributes, current[id], sent[id]);
    if (Object.keys(kept).length > 0) after[id] = { ...(isObject(sent[id]) ? sent[id] : {}), ...kept };
  }
  return after;
}

/** Attributes as they are to be, of those in which something immutable is left out. */
function immutableOf(
  attributes: readonly Attribute[],
  current: JsonValue | undefined,
  sent: JsonValue | undefined,
): Attributes {
  const [before, after] = [isObject(current) ? current : {}, isObject(sent) ? sent : {}];
  const kept: Attributes = {};
  for (const { name, mutability, multiValued, subAttributes } of attributes) {
    const was = before[name];
    if (was === undefined) continue;
    if (mutability === 'immutable' && after[name] === undefined) kept[name] = was;
    if (mutability === 'immutable' || multiValued || subAttributes === undefined) continue;
    const parts = immutableOf(subAttributes, was, after[name]);
    if (Object.keys(parts).length > 0)
      kept[name] = { ...(isObject(after[name]) ? after[name] : {}), ...parts };
  }
  return kept;
}
