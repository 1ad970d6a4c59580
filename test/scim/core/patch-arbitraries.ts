/** Random users and PATCH operations, each operation as it goes over the wire and as the model understands it. */

import fc from 'fast-check';
import {
  type Choice,
  coreShapes,
  type Element,
  extensionNames,
  extensionShapes,
  type Held,
  type Resource,
  readOnly,
  type Step,
  type Target,
  type Term,
} from './patch-model.ts';
import { coreUser, enterprise } from './support.ts';

export interface Operation {
  wire: Record<string, unknown>;
  steps: Step[];
}

// Few words, so that random operations meet the same elements.
const words: Record<string, readonly string[]> = {
  value: ['a@x', 'A@X', 'b@x', 'c"\\]x'],
  display: ['D', 'd', 'Erna ß'],
  type: ['work', 'Work', 'home', 'other'],
  locality: ['Bern', 'bern', 'Wien'],
  country: ['CH', 'AT'],
  userName: ['u1@x', 'U1@x', 'u2@x'],
};
const wordOf = (name: string) => fc.constantFrom(...(words[name] ?? ['x', 'y', 'Z z']));
const partValue = (part: string) => (part === 'primary' ? fc.boolean() : wordOf(part));
const shapes = { ...coreShapes, ...extensionShapes };
const partsOf = (name: string) => {
  const shape = shapes[name];
  return typeof shape === 'object' ? shape.parts : [];
};
const isList = (name: string) => {
  const shape = shapes[name];
  return typeof shape === 'object' && shape.isList;
};

/** What a client may send for a part: also texts for booleans, ways to say nothing, and now and then nonsense. */
const sentPart = (part: string): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 12, arbitrary: partValue(part) },
    { weight: 2, arbitrary: fc.constantFrom('', null) },
    { weight: 1, arbitrary: part === 'primary' ? fc.constantFrom('True', 'false') : wordOf(part) },
    { weight: 1, arbitrary: fc.constantFrom<unknown>(7, 'maybe') },
  );

function record(parts: readonly string[], part: (name: string) => fc.Arbitrary<unknown>) {
  const members = Object.fromEntries(parts.map((name) => [name, part(name)]));
  return fc.record(members, { requiredKeys: [] });
}

/** An element as it is stored: it says more than labels. */
function storedElement(name: string): fc.Arbitrary<Element> {
  const [first = 'value'] = partsOf(name);
  return record(partsOf(name), partValue)
    .filter((element) => Object.keys(element).length > 0)
    .map((element) => ({ [first]: words[first]?.[0] ?? 'x', ...element }) as Element);
}

function storedValue(name: string): fc.Arbitrary<Held> {
  const shape = shapes[name];
  if (shape === 'text') return wordOf(name);
  if (shape === 'boolean') return fc.boolean();
  if (!isList(name)) return record(partsOf(name), wordOf).filter(hasKeys) as fc.Arbitrary<Element>;
  return fc.array(storedElement(name), { minLength: 1, maxLength: 4 }).map((elements) => {
    const primary = elements.findIndex((element) => element.primary === true);
    return elements.map((element, at) =>
      element.primary === true && at !== primary ? { ...element, primary: false } : element,
    );
  });
}

const hasKeys = (object: object) => Object.keys(object).length > 0;

export const resource: fc.Arbitrary<Resource> = fc.record(
  Object.fromEntries(Object.keys(shapes).map((name) => [name, storedValue(name)])),
  { requiredKeys: ['userName'] },
) as fc.Arbitrary<Resource>;

/** As the gateway keeps it: the extension's attributes below its URN. */
export function nest(flat: Resource): Record<string, unknown> {
  const entries = Object.entries(flat);
  const extension = entries.filter(([name]) => extensionNames.includes(name));
  const core = Object.fromEntries(entries.filter(([name]) => !extensionNames.includes(name)));
  return extension.length === 0 ? core : { ...core, [enterprise]: Object.fromEntries(extension) };
}

function sentValue(name: string): fc.Arbitrary<unknown> {
  const nothing = fc.constantFrom<unknown>('', null, []);
  const shape = shapes[name] ?? 'text';
  if (typeof shape === 'string') {
    const kind = shape === 'boolean' ? 'primary' : name;
    return fc.oneof({ weight: 9, arbitrary: sentPart(kind) }, { weight: 1, arbitrary: fc.constant([]) });
  }
  const object = record(shape.parts, sentPart);
  const bare = wordOf('value');
  const one = fc.oneof({ weight: 6, arbitrary: object }, { weight: 1, arbitrary: bare });
  const several = fc.array(fc.oneof({ weight: 9, arbitrary: one }, { weight: 1, arbitrary: nothing }), {
    minLength: 1,
    maxLength: shape.isList ? 3 : 2,
  });
  return fc.oneof(
    { weight: 3, arbitrary: one },
    { weight: shape.isList ? 5 : 1, arbitrary: several },
    { weight: 1, arbitrary: nothing },
  );
}

const term = (name: string): fc.Arbitrary<Term> =>
  fc.constantFrom(...partsOf(name)).chain((sub) => {
    const ops =
      sub === 'primary'
        ? (['eq', 'ne', 'pr'] as const)
        : (['eq', 'eq', 'eq', 'ne', 'co', 'sw', 'pr', 'absent'] as const);
    const value =
      sub === 'primary'
        ? fc.boolean()
        : fc.oneof({ weight: 20, arbitrary: wordOf(sub) }, { weight: 1, arbitrary: fc.constant('') });
    return fc.record({ sub: fc.constant(sub), op: fc.constantFrom(...ops), value });
  });

const choice = (name: string): fc.Arbitrary<Choice> =>
  fc.record({
    join: fc.constantFrom('and' as const, 'and' as const, 'or' as const),
    not: fc.nat(9).map((n) => n === 0),
    terms: fc.array(term(name), { minLength: 1, maxLength: 3 }),
  });

function printTerm({ sub, op, value }: Term): string {
  if (op === 'pr') return `${sub} pr`;
  if (op === 'absent') return `${sub} eq null`;
  return `${sub} ${op} ${JSON.stringify(value)}`;
}

const cases = [
  (text: string) => text,
  (text: string) => text.toUpperCase(),
  (text: string) => text.toLowerCase(),
];

/** A target and one of the ways to write it. */
const target: fc.Arbitrary<{ target: Target; path: string }> = fc
  .constantFrom(...Object.keys(shapes), 'emails', 'roles', 'emails', ...readOnly, 'shoeSize', 'password')
  .chain((name) => {
    const parts = partsOf(name);
    const sub =
      parts.length === 0 ? fc.constant(undefined) : fc.option(fc.constantFrom(...parts), { nil: undefined });
    const chosen = isList(name)
      ? fc.option(choice(name), { nil: undefined, freq: 2 })
      : fc.constant(undefined);
    return fc
      .record({ sub, choice: chosen, cased: fc.constantFrom(...cases), long: fc.boolean() })
      .map((how) => {
        const urn = name in extensionShapes ? enterprise : coreUser;
        const prefix = how.long && name in shapes && name !== 'externalId' ? `${how.cased(urn)}:` : '';
        const terms = how.choice?.terms.map(printTerm).join(` ${how.choice.join} `);
        const brackets = terms === undefined ? '' : `[${how.choice?.not ? `not (${terms})` : terms}]`;
        const path = `${prefix}${how.cased(name)}${brackets}${how.sub === undefined ? '' : `.${how.cased(how.sub)}`}`;
        return { target: { name, choice: how.choice, sub: how.sub }, path };
      });
  });

const valueFor = ({ name, sub }: Target) => (sub === undefined ? sentValue(name) : sentPart(sub));
const verb = fc.constantFrom('add' as const, 'replace' as const, 'remove' as const);
const setter = fc.constantFrom('add' as const, 'replace' as const);

const pathed: fc.Arbitrary<Operation> = fc
  .tuple(verb, target, fc.boolean())
  .chain(([op, { target, path }, withValue]) => {
    const value =
      op !== 'remove' || (withValue && isList(target.name)) ? valueFor(target) : fc.constant(undefined);
    return value.map((value) => ({
      wire: { op, path, ...(value === undefined ? {} : { value }) },
      steps: [{ op, target, value, isNamed: true }],
    }));
  });

/** An object of paths; what is written twice in another case is one name here. */
const pathless: fc.Arbitrary<Operation> = fc
  .tuple(setter, fc.uniqueArray(target, { minLength: 1, maxLength: 3, selector: ({ path }) => path }))
  .chain(([op, targets]) =>
    fc.tuple(...targets.map(({ target }) => valueFor(target))).map((values) => ({
      wire: { op, value: Object.fromEntries(targets.map(({ path }, at) => [path, values[at]])) },
      steps: targets.map(({ target }, at) => ({ op, target, value: values[at], isNamed: false })),
    })),
  );

const extensionValue = fc.record(Object.fromEntries(extensionNames.map((name) => [name, sentValue(name)])), {
  requiredKeys: [],
});

/** The whole extension by its URN, as a path or as a name in an object. */
const extension: fc.Arbitrary<Operation> = fc
  .tuple(
    verb,
    extensionValue,
    fc.constantFrom<unknown>(undefined, undefined, undefined, null, ''),
    fc.boolean(),
  )
  .map(([op, object, nothing, isNamed]) => {
    const value = nothing === undefined ? object : nothing;
    const clears = op === 'remove' || nothing !== undefined;
    const steps: Step[] = clears
      ? extensionNames.map((name) => ({ op: 'remove', target: { name }, isNamed }))
      : Object.entries(object).map(([name, one]) => ({ op, target: { name }, value: one, isNamed }));
    if (op === 'remove') return { wire: { op, path: enterprise }, steps };
    return {
      wire: isNamed ? { op, path: enterprise, value } : { op, value: { [enterprise]: value } },
      steps,
    };
  });

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: pathed },
  { weight: 2, arbitrary: pathless },
  { weight: 1, arbitrary: extension },
);

/** Nothing that any resource would take. */
export const badOperation: fc.Arbitrary<Record<string, unknown>> = fc.constantFrom<Record<string, unknown>>(
  { op: 'remove' },
  { op: 'replace', path: 'id', value: 'x' },
  { op: 'replace', path: 'active', value: 'maybe' },
  { op: 'add', path: 'emails[type ne "nothing" and value eq "nowhere"].display', value: 'x' },
  { op: 'replace', path: 'emails[type eq', value: 'x' },
  { op: 'move', path: 'title', value: 'x' },
);
