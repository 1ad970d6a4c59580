/**
 * Fills the holes of a conversation: `{{name}}` in any text, `$each` for generated lists, and the paths that pick values
 * out of an answer for later steps. Knows nothing of HTTP.
 */

import { type Found, isObject, type Json, type JsonObject } from './matcher.ts';

export type Variables = Record<string, Json>;

/** A hole that nothing fills: an earlier step didn't get what this one needs. */
export class UnknownName extends Error {
  constructor(name: string) {
    super(`{{${name}}} has no value: the step that saves it failed, or the name is misspelt`);
    this.name = 'UnknownName';
  }
}

const hole = /\{\{([\w.-]+)\}\}/g;
const onlyHole = /^\{\{([\w.-]+)\}\}$/;

/**
 * `value` with its holes filled. A text that is nothing but one hole becomes the value itself, whatever its type;
 * `{"$each": {"from": "ids", "count": 3, "value": {"value": "{{item}}"}}}` becomes a list, one `value` per saved item.
 */
export function fill(value: Json, variables: Variables): Json {
  if (typeof value === 'string') return fillText(value, variables);
  if (Array.isArray(value)) return value.map((element) => fill(element, variables));
  if (!isObject(value)) return value;
  if (isObject(value.$each)) return generate(value.$each, variables);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [interpolate(key, variables), fill(inner, variables)]),
  );
}

/** Fills a URL path; the values are percent-encoded, the rest is left as the client writes it. */
export function fillPath(path: string, variables: Variables): string {
  const filled = path.replace(hole, (_, name: string) => encodeURIComponent(String(lookUp(name, variables))));
  // Fixtures show filters as people read them; the wire wants them escaped, and what is escaped already stays.
  return filled.replace(/[^\w\-.~:/?#@!$&'()*+,;=%[\]]/g, encodeURIComponent);
}

function fillText(text: string, variables: Variables): Json {
  const name = onlyHole.exec(text)?.[1];
  return name === undefined ? interpolate(text, variables) : lookUp(name, variables);
}

function interpolate(text: string, variables: Variables): string {
  return text.replace(hole, (_, name: string) => String(lookUp(name, variables)));
}

function lookUp(name: string, variables: Variables): Json {
  const value = variables[name];
  if (value === undefined) throw new UnknownName(name);
  return value;
}

function generate(each: JsonObject, variables: Variables): Json {
  const name = String(each.from);
  const items = lookUp(name, variables);
  if (!Array.isArray(items)) throw new Error(`$each: ${name} is not a list`);
  const count = typeof each.count === 'number' ? each.count : items.length;
  if (count > items.length) throw new Error(`$each: ${name} has ${items.length} items, not ${count}`);
  return items.slice(0, count).map((item) => fill(each.value ?? '{{item}}', { ...variables, item }));
}

/** The value at `path` (`id`, `Resources[0].id`, `["urn:x"].seat`), or with `[*]` the list of such values. */
export function pick(value: Found, path: string): Found {
  const step = /^\.?(?:\[(\d+|\*)\]|\["([^"]+)"\]|([^.[\]]+))/.exec(path);
  if (step === null) return value;
  const [text, index, quoted, plain] = step;
  const rest = path.slice(text.length);
  if (index === undefined) return isObject(value) ? pick(value[quoted ?? plain ?? ''], rest) : undefined;
  if (!Array.isArray(value)) return undefined;
  if (index !== '*') return pick(value[Number(index)], rest);
  return value.map((element) => pick(element, rest)).filter((found) => found !== undefined);
}
