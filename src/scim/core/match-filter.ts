/**
 * Evaluates a filter on a resource (or an element of one) in memory: for the value paths of PATCH, and as the model
 * that the SQL must agree with. RFC 7644 §3.4.2.2.
 */

import { unreachable } from '../../kernel/assert.ts';
import { fold } from '../../kernel/fold.ts';
import { isObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type { Attribute, AttributePath } from './attribute.ts';
import type { Filter, Operator } from './filter.ts';
import { readInstant } from './scalar.ts';

/** Whether the filter holds for `resource`, whose members bear canonical names. See `Filter` for the meaning. */
export function matches(filter: Filter, resource: JsonObject): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.filters.every((part) => matches(part, resource));
    case 'or':
      return filter.filters.some((part) => matches(part, resource));
    case 'not':
      return !matches(filter.filter, resource);
    case 'present':
      return valuesAt(resource, filter.path).length > 0;
    case 'element':
      return valuesAt(resource, filter.path).some(
        (value) => isObject(value) && matches(filter.filter, value),
      );
    case 'compare':
      return matchesComparison(filter, valuesAt(resource, filter.path));
    case 'constant':
      return filter.holds;
    default:
      return unreachable(filter);
  }
}

/** Every assigned value at the path, one for a single-valued attribute, one an element for a list. */
function valuesAt(resource: JsonObject, path: AttributePath): JsonValue[] {
  const holder = path.extension === undefined ? resource : resource[path.extension.id];
  const found = isObject(holder) ? listOf(holder[path.attribute.name]) : [];
  const { sub } = path;
  const values =
    sub === undefined ? found : found.flatMap((value) => (isObject(value) ? listOf(value[sub.name]) : []));
  return values.filter((value) => value !== null && value !== '');
}

function listOf(value: JsonValue | undefined): JsonValue[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function matchesComparison(filter: Filter & { kind: 'compare' }, values: readonly JsonValue[]): boolean {
  const attribute = filter.path.sub ?? filter.path.attribute;
  const wanted = comparable(attribute, filter.value);
  const actual = values.map((value) => comparable(attribute, value));
  if (filter.op === 'ne') return !actual.includes(wanted);
  const holds = tests[filter.op];
  return actual.some((value) => typeof value === typeof wanted && holds(value, wanted));
}

type Comparable = string | number | boolean;

/** Text without its case unless the attribute is exact, a dateTime as its instant, anything else as it is. */
function comparable(attribute: Attribute, value: JsonValue): Comparable {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (attribute.type === 'dateTime') return readInstant(text) ?? text;
  return attribute.caseExact ? text : fold(text);
}

const tests: Record<Exclude<Operator, 'ne'>, (actual: Comparable, wanted: Comparable) => boolean> = {
  eq: (actual, wanted) => actual === wanted,
  co: (actual, wanted) => String(actual).includes(String(wanted)),
  sw: (actual, wanted) => String(actual).startsWith(String(wanted)),
  ew: (actual, wanted) => String(actual).endsWith(String(wanted)),
  gt: (actual, wanted) => order(actual, wanted) > 0,
  ge: (actual, wanted) => order(actual, wanted) >= 0,
  lt: (actual, wanted) => order(actual, wanted) < 0,
  le: (actual, wanted) => order(actual, wanted) <= 0,
};

/** By code point, as the database orders text: `<` compares UTF-16 units, by which U+1F600 comes before U+FF21. */
function order(a: Comparable, b: Comparable): number {
  if (typeof a !== 'string' || typeof b !== 'string') return Number(a) - Number(b);
  let at = 0;
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  if (at === a.length || at === b.length) return a.length - b.length;
  const [unitA, unitB] = [a.charCodeAt(at), b.charCodeAt(at)];
  return Number(isSurrogate(unitA)) - Number(isSurrogate(unitB)) || unitA - unitB;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
