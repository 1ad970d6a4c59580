/**
 * Compares an answer with what a fixture expects, and says in sentences where they differ. Expectations are data:
 * a plain object is a subset, an array is element by element, and a key that starts with `$` is a test of its value.
 */

export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}
/** `undefined` stands for "not there". */
export type Found = Json | undefined;

/** Every place where `found` is not as `expected`; empty when it matches. */
export function differences(expected: Json, found: Found, path = 'body'): string[] {
  if (Array.isArray(expected)) return inOrder(expected, found, path);
  if (!isObject(expected)) return found === expected ? [] : [differs(path, show(expected), found)];
  const entries = Object.entries(expected);
  const tests = entries.filter(([key]) => isTest(key));
  if (tests.length === 0) return subset(entries, found, path);
  const rest = entries.filter(([key]) => !isTest(key));
  return [
    ...tests.flatMap(([name, operand]) => matcher(name, path)(operand, found, path)),
    ...(rest.length > 0 ? subset(rest, found, path) : []),
  ];
}

/** `$ref` is an attribute of SCIM. */
function isTest(key: string): boolean {
  return key.startsWith('$') && key !== '$ref';
}

function matcher(name: string, path: string): Matcher {
  const test = matchers[name];
  if (test === undefined) throw new Error(`${path}: there is no matcher ${name}`);
  return test;
}

export function isObject(value: Found): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Matcher = (operand: Json, found: Found, path: string) => string[];

const matchers: Record<string, Matcher> = {
  /** Not in the answer at all. */
  $absent: (wanted, found, path) => verdict((found === undefined) === wanted, path, 'nothing there', found),
  /** RFC 7643 §2.5 and what validators let pass for it: missing, null, "" or []. */
  $unassigned: (wanted, found, path) => verdict(isUnassigned(found) === wanted, path, 'no value', found),
  $string: (_, found, path) =>
    verdict(typeof found === 'string' && found !== '', path, 'a non-empty string', found),
  $number: (_, found, path) => verdict(typeof found === 'number', path, 'a number', found),
  $boolean: (_, found, path) => verdict(typeof found === 'boolean', path, 'true or false', found),
  /** No null on any level: clients with strict parsers fail on them. */
  $noNulls: (_, found, path) => verdict(!holdsNull(found), path, 'no null anywhere inside', found),
  $length: (count, found, path) =>
    verdict(Array.isArray(found) && found.length === count, path, `${show(count)} elements`, found),
  $atLeast: (least, found, path) =>
    verdict(typeof found === 'number' && found >= Number(least), path, `at least ${show(least)}`, found),
  $exact: (value, found, path) => verdict(equal(value, found), path, `exactly ${show(value)}`, found),
  $not: (unwanted, found, path) =>
    verdict(differences(unwanted, found, path).length > 0, path, `anything but ${show(unwanted)}`, found),
  $anyOf: (choices, found, path) =>
    verdict(
      list(choices).some((choice) => differences(choice, found, path).length === 0),
      path,
      `one of ${show(choices)}`,
      found,
    ),
  $contains: contains,
  $only: only,
};

/** `$contains`: part of a string, or an element (each element, when the operand is a list) of an array. */
function contains(operand: Json, found: Found, path: string): string[] {
  if (typeof found === 'string')
    return verdict(found.includes(String(operand)), path, `text with ${show(operand)}`, found);
  if (!Array.isArray(found)) return [differs(path, `a list with ${show(operand)}`, found)];
  return list(operand).flatMap((wanted) =>
    found.some((element) => differences(wanted, element, path).length === 0)
      ? []
      : [differs(path, `an element like ${show(wanted)}`, found)],
  );
}

/** `$only`: the same elements in any order, none more. */
function only(operand: Json, found: Found, path: string): string[] {
  if (!Array.isArray(found)) return [differs(path, 'a list', found)];
  const left = [...found];
  const missing = list(operand).filter((wanted) => {
    const at = left.findIndex((element) => differences(wanted, element, path).length === 0);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return [
    ...missing.map((wanted) => `${path}: expected an element like ${show(wanted)}, it is not in the list`),
    ...left.map((element) => `${path}: expected no other element, got ${show(element)} as well`),
  ];
}

function subset(entries: [string, Json][], found: Found, path: string): string[] {
  if (!isObject(found)) return [differs(path, show(Object.fromEntries(entries)), found)];
  return entries.flatMap(([key, value]) => differences(value, found[key], below(path, key)));
}

function inOrder(expected: Json[], found: Found, path: string): string[] {
  if (!Array.isArray(found) || found.length !== expected.length)
    return [differs(path, show(expected), found)];
  return expected.flatMap((value, index) => differences(value, found[index], `${path}[${index}]`));
}

/** URNs hold dots and colons: they stand in brackets. */
function below(path: string, key: string): string {
  return /^[\w$-]+$/.test(key) ? `${path}.${key}` : `${path}["${key}"]`;
}

function verdict(good: boolean, path: string, expected: string, found: Found): string[] {
  return good ? [] : [differs(path, expected, found)];
}

function differs(path: string, expected: string, found: Found): string {
  return `${path}: expected ${expected}, got ${show(found)}`;
}

const shownLengthMax = 300;

function show(value: Found): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length <= shownLengthMax ? text : `${text.slice(0, shownLengthMax)}…`;
}

function list(operand: Json): Json[] {
  return Array.isArray(operand) ? operand : [operand];
}

function isUnassigned(found: Found): boolean {
  return (
    found === undefined || found === null || found === '' || (Array.isArray(found) && found.length === 0)
  );
}

function holdsNull(found: Found): boolean {
  if (found === null) return true;
  return typeof found === 'object' && Object.values(found).some(holdsNull);
}

function equal(a: Json, b: Found): boolean {
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((value, i) => equal(value, b[i]));
  if (!isObject(a)) return a === b;
  if (!isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => equal(a[key] ?? null, b[key] ?? null));
}
