/**
 * RFC 7644 §3.5.2 once more, as short as it can be said, to hold the engine against: it works on operations in parts
 * (no paths or filters as text), changes a copy in place, and imports nothing of what it is a model of.
 * Where the RFC is silent or clients need otherwise it follows what is documented for them (ENTRA-15, -24, -34, -37,
 * -55, -67).
 */

export type Element = Record<string, string | boolean>;
export type Held = string | boolean | Element | Element[];
export type Resource = Record<string, Held>;

/** `absent`: written `eq null`. */
export interface Term {
  sub: string;
  op: 'eq' | 'ne' | 'co' | 'sw' | 'pr' | 'absent';
  value: string | boolean;
}
export interface Choice {
  join: 'and' | 'or';
  not: boolean;
  terms: Term[];
}
/** An attribute by its canonical name, those of the extension by theirs. */
export interface Target {
  name: string;
  choice?: Choice | undefined;
  sub?: string | undefined;
}
export interface Step {
  op: 'add' | 'replace' | 'remove';
  target: Target;
  value?: unknown;
  /** False for a member of an object that was sent without a path. */
  isNamed: boolean;
}

export class Refused extends Error {}

type Shape = 'text' | 'boolean' | { parts: string[]; isList: boolean };
const list = { parts: ['value', 'display', 'type', 'primary'], isList: true };

export const coreShapes: Record<string, Shape> = {
  userName: 'text',
  title: 'text',
  externalId: 'text',
  active: 'boolean',
  name: { parts: ['formatted', 'familyName', 'givenName', 'middleName'], isList: false },
  emails: list,
  phoneNumbers: list,
  roles: list,
  addresses: { parts: ['locality', 'country', 'type', 'primary'], isList: true },
};
export const extensionShapes: Record<string, Shape> = {
  department: 'text',
  costCenter: 'text',
  manager: { parts: ['value', '$ref'], isList: false },
};
export const extensionNames = Object.keys(extensionShapes);
/** What a client may read and not write. */
export const readOnly = ['id', 'meta.version', 'groups', 'manager.displayName'];

/** All steps or none: throws `Refused`, and never touches `before`. */
export function modelPatch(before: Resource, steps: readonly Step[]): Resource {
  const after = structuredClone(before);
  for (const step of steps) {
    if (readOnly.includes(step.target.name)) {
      if (step.isNamed) throw new Refused('read-only');
      continue;
    }
    const shape = coreShapes[step.target.name] ?? extensionShapes[step.target.name];
    if (shape === undefined) continue;
    const held = changed(shape, after[step.target.name], step);
    if (held === undefined || isEmpty(held)) delete after[step.target.name];
    else after[step.target.name] = held;
  }
  for (const [name, held] of Object.entries(after)) {
    if (Array.isArray(held)) after[name] = held.filter((element) => !isHollow(element));
    if (isEmpty(after[name])) delete after[name];
  }
  if (after.userName === undefined) throw new Refused('required');
  return after;
}

function changed(shape: Shape, held: Held | undefined, step: Step): Held | undefined {
  if (typeof shape === 'string') return step.op === 'remove' ? undefined : readScalar(shape, step.value);
  if (shape.isList) return changedList(shape.parts, Array.isArray(held) ? held : [], step);
  const said = saidOf(shape.parts, step, false);
  if (said === undefined) return undefined;
  const object = typeof held === 'object' && !Array.isArray(held) ? held : {};
  // A reference belongs to the value it was sent with.
  if ('value' in said && said.value !== object.value) delete object.$ref;
  return assign(object, said);
}

type Said = Record<string, string | boolean | null>;

/** What is set, null for what is cleared; undefined when the whole target goes. */
function saidOf(parts: string[], { op, target, value }: Step, isList: boolean): Said | undefined {
  if (target.sub !== undefined) {
    const kind = target.sub === 'primary' ? 'boolean' : 'text';
    return { [target.sub]: op === 'remove' ? null : (readScalar(kind, value) ?? null) };
  }
  if (op === 'remove' || isUnassigned(value)) return undefined;
  return readObject(parts, Array.isArray(value) && value.length === 1 ? value[0] : value, isList);
}

function changedList(parts: string[], held: Element[], step: Step): Element[] {
  const { op, target, value, isNamed } = step;
  /** Those that this step makes primary: of several the last, and the one before steps down. */
  const said = new Set<Element>();
  const put = (element: Element, wanted: Said): Element => {
    if (wanted.primary === true) said.add(element);
    return assign(element, wanted);
  };
  const addOne = (elements: Element[], wanted: Element): void => {
    const known = elements.find((element) => isSame(element, wanted));
    if (known === undefined) elements.push(put({}, wanted));
    else put(known, wanted);
  };
  if (target.choice === undefined && target.sub === undefined) {
    if (op === 'remove' && (value === undefined || value === null)) return [];
    const values = readList(parts, value, isNamed || op === 'remove');
    if (op === 'remove') return held.filter((element) => !values.some((one) => isSame(element, one)));
    if (op === 'replace') return values;
    for (const wanted of values) addOne(held, wanted);
    return onePrimary(held, said);
  }
  const chosen = held.filter((element) => target.choice === undefined || fits(target.choice, element));
  const change = saidOf(parts, step, true);
  if (change === undefined) return held.filter((element) => !chosen.includes(element));
  const described = target.choice === undefined ? {} : description(target.choice);
  const clears = Object.values(change).includes(null);
  for (const element of chosen) {
    if (op === 'replace' && target.sub === undefined) become(element, described ?? {});
    put(element, change);
  }
  if (chosen.length === 0 && Object.values(change).some((one) => one !== null)) {
    if (described === undefined) throw new Refused('noTarget');
    const created = assign(assign({}, described), change);
    const twin = held.find(
      (element) => described.type !== undefined && isEqual(element.type, described.type),
    );
    if (!(clears && isHollow(created))) {
      if (twin === undefined) addOne(held, created);
      else put(twin, created);
    }
  }
  return onePrimary(
    held.filter((element) => !(clears && chosen.includes(element) && isHollow(element))),
    said,
  );
}

function onePrimary(elements: Element[], said: ReadonlySet<Element>): Element[] {
  const primaries = elements.filter((element) => element.primary === true);
  const winner = primaries.findLast((element) => said.has(element)) ?? primaries.at(-1);
  for (const element of primaries) if (element !== winner) element.primary = false;
  return elements;
}

function readList(parts: string[], value: unknown, isOneEnough: boolean): Element[] {
  if (isUnassigned(value)) return [];
  if (!Array.isArray(value) && !isOneEnough) throw new Refused('no list');
  const values: unknown[] = Array.isArray(value) ? value : [value];
  const elements = values
    .filter((one) => !isUnassigned(one))
    .map((one) => assign({}, readObject(parts, one, true)))
    .filter((element) => !isHollow(element));
  return onePrimary(elements, new Set());
}

function readObject(parts: string[], value: unknown, isList: boolean): Said {
  if (typeof value === 'string' && parts.includes('value')) {
    const rest = isList ? [] : parts.map((part) => [part, null]);
    return { ...Object.fromEntries(rest), value: readScalar('text', value) ?? null };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refused('no object');
  const known = Object.entries(value).filter(([part]) => parts.includes(part));
  return Object.fromEntries(
    known.map(([part, one]) => [part, readScalar(part === 'primary' ? 'boolean' : 'text', one) ?? null]),
  );
}

function readScalar(kind: 'text' | 'boolean', value: unknown): string | boolean | undefined {
  if (isUnassigned(value)) return undefined;
  if (kind === 'text' && typeof value === 'string') return value;
  if (kind === 'boolean' && typeof value === 'boolean') return value;
  if (kind === 'boolean' && /^(true|false)$/i.test(String(value))) return /^true$/i.test(String(value));
  throw new Refused(`no ${kind}`);
}

function fits({ join, not, terms }: Choice, element: Element): boolean {
  const holds = ({ sub, op, value }: Term): boolean => {
    const held = element[sub];
    const [a, b] = [String(held).toLowerCase(), String(value).toLowerCase()];
    if (op === 'absent' || op === 'ne') return held === undefined || (op === 'ne' && a !== b);
    if (held === undefined) return false;
    return { eq: a === b, co: a.includes(b), sw: a.startsWith(b), pr: true }[op];
  };
  return (join === 'and' ? terms.every(holds) : terms.some(holds)) !== not;
}

/** The element that equality alone describes. */
function description({ join, not, terms }: Choice): Element | undefined {
  if (not || (join === 'or' && terms.length > 1) || terms.some(({ op }) => op !== 'eq')) return undefined;
  return Object.fromEntries(terms.filter(({ value }) => value !== '').map(({ sub, value }) => [sub, value]));
}

/** RFC 7643 §2.4: a value is there once for each type; where there is no value, all that is said decides. */
function isSame(element: Element, wanted: Element): boolean {
  const names = 'value' in wanted ? ['value', 'type'].filter((name) => name in wanted) : Object.keys(wanted);
  return names.every((name) => isEqual(element[name], wanted[name]));
}

function isEqual(a: unknown, b: unknown): boolean {
  return typeof a === 'string' && typeof b === 'string' ? a.toLowerCase() === b.toLowerCase() : a === b;
}

function isHollow(element: Element): boolean {
  return Object.keys(element).every((name) => name === 'type' || name === 'primary');
}

function isUnassigned(value: unknown): boolean {
  return (
    value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
  );
}

function isEmpty(held: Held | undefined): boolean {
  return typeof held === 'object' && Object.keys(held).length === 0;
}

function assign(element: Element, said: Said): Element {
  for (const [name, value] of Object.entries(said)) {
    if (value === null) delete element[name];
    else element[name] = value;
  }
  return element;
}

function become(element: Element, other: Element): void {
  for (const name of Object.keys(element)) delete element[name];
  Object.assign(element, other);
}
