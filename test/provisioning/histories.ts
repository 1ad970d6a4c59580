/**
 * Random histories of a tenant: it already has people, groups, mappings and a contract, then anything happens. In `climates` what
 * else would hardly ever be reached happens often: whoever plays one sees by `coverage.ts` what did.
 */

import fc from 'fast-check';
import type { SeatOrder } from '../../src/licensing/mapping.ts';
import {
  adoption,
  anyEdit,
  contract,
  type Edit,
  index,
  kind,
  logIn,
  mappingChoice,
  roleChoice,
  settings,
  settingsChoice,
  some,
  subPool,
} from './edits.ts';

/** Paid, and in force: else most histories would have nobody who holds a seat, or waits for one. */
const claiming = fc.record({
  kind: kind('createMapping'),
  ...mappingChoice,
  by: fc.constant<'id'>('id'),
  role: fc.constantFrom('team_member', 'custom:Reviewer'),
  validFrom: fc.constant(null),
});
const crew = fc.record({
  kind: kind('createGroup'),
  name: index,
  members: fc.array(index, { minLength: 2, maxLength: 6 }),
});
const users = fc.record({
  kind: kind('createUser'),
  address: index,
  active: fc.constant(true),
  role: roleChoice,
});

/** A tenant that already has people, groups, mappings and a contract, then anything. */
export const history: fc.Arbitrary<Edit[]> = fc
  .tuple(
    fc.array(users, { minLength: 4, maxLength: 8 }),
    crew,
    crew,
    claiming,
    fc.record({
      kind: kind('putContract'),
      startsIn: fc.constantFrom(-1, -1, -1, 1),
      days: fc.constantFrom(4, 40),
      ...contract,
      paidSeats: fc.option(fc.integer({ min: 1, max: 4 }), { freq: 12 }),
    }),
    fc.array(subPool, { maxLength: 2 }),
    fc.array(claiming, { maxLength: 2 }),
    fc.array(settings, { maxLength: 1 }),
    fc.array(anyEdit, { minLength: 5, maxLength: 25 }),
  )
  .map(([users, first, second, mapping, terms, shares, more, rules, rest]) => [
    ...users,
    ...[first, second, ...shares, ...rules, mapping, ...more, terms],
    ...rest,
  ]);

interface Climate {
  settings: Partial<Record<keyof typeof settingsChoice, fc.Arbitrary<unknown>>>;
  /** Of the two mappings that ask for seats. */
  mapping?: object;
  contract?: object;
  edits: fc.WeightedArbitrary<Edit>[];
}

const leaves: fc.WeightedArbitrary<Edit> = {
  weight: 6,
  arbitrary: fc.record({
    kind: kind('editGroup'),
    group: index,
    clear: fc.boolean(),
    add: some(1),
    remove: some(4),
    moves: fc.constant(true),
  }),
};
const passes = (weight: number, ...hours: number[]): fc.WeightedArbitrary<Edit> => ({
  weight,
  arbitrary: fc.record({ kind: kind('passTime'), hours: fc.constantFrom(...hours) }),
});
const ofUser = <K extends 'signOn' | 'keepSeat' | 'undoReclaim'>(weight: number, name: K) => ({
  weight,
  arbitrary: fc.record({ kind: kind(name), user: index }) as fc.Arbitrary<Edit>,
});
const ofKind = (name: Edit['kind']): fc.Arbitrary<Edit> => anyEdit.filter((edit) => edit.kind === name);

export const climates = {
  approvals: {
    settings: { approvals: fc.constantFrom({ team_member: 'manual' }, { team_member: 'when_full' }) },
    mapping: { approval: fc.constantFrom(null, 'manual', 'when_full') },
    edits: [
      {
        weight: 12,
        arbitrary: fc.record({ kind: kind('giveVerdict'), user: index, isGranted: fc.boolean() }),
      },
    ],
  },
  idle: {
    settings: {
      reclaimDays: fc.constantFrom(1, 5),
      settlement: fc.constant('immediate'),
      approvals: fc.constant({}),
    },
    edits: [
      passes(30, 24 * 5, 24 * 8),
      ...[ofUser(15, 'signOn'), ofUser(5, 'keepSeat'), ofUser(10, 'undoReclaim')],
    ],
  },
  breaker: {
    settings: { breaker: fc.constant({ percent: 10, people: 2 }) },
    edits: [
      leaves,
      { weight: 6, arbitrary: fc.record({ kind: kind('letThrough') }) },
      { weight: 3, arbitrary: fc.record({ kind: kind('putBack'), group: index }) },
    ],
  },
  'claimed groups': {
    settings: { approvals: fc.constant({}), settlement: fc.constant('immediate') },
    mapping: { by: fc.constant('claim') },
    edits: [{ weight: 25, arbitrary: logIn }],
  },
  'people of Blue’s own': {
    settings: { approvals: fc.constant({}) },
    contract: { paidSeats: fc.integer({ min: 3, max: 8 }) },
    edits: [
      { weight: 15, arbitrary: adoption },
      { weight: 3, arbitrary: ofKind('noteUnmanaged') },
    ],
  },
  'two people': {
    settings: { twoPersonRule: fc.constant(true) },
    edits: [
      { weight: 6, arbitrary: ofKind('putContract') },
      { weight: 6, arbitrary: ofKind('setPin') },
      { weight: 6, arbitrary: adoption },
      {
        weight: 12,
        arbitrary: fc.record({ kind: kind('decideRequest'), request: index, isApproved: fc.boolean() }),
      },
    ],
  },
  strict: {
    settings: {
      order: fc.constant<SeatOrder>('strict'),
      settlement: fc.constantFrom('immediate', 'immediate', 'cycle'),
      noticeHours: fc.constantFrom(0, 0, 1, 24),
      approvals: fc.constant({}),
    },
    mapping: { mayPreempt: fc.constant(true), subPool: fc.constant(null) },
    edits: [passes(6, 1, 24), ofUser(10, 'signOn')],
  },
  shares: {
    settings: { noticeHours: fc.constantFrom(0, 1), approvals: fc.constant({}) },
    mapping: { subPool: fc.constantFrom('a', null) },
    edits: [passes(6, 1, 2), { weight: 6, arbitrary: subPool }],
  },
  'an evaluation that ends': {
    settings: { approvals: fc.constant({}) },
    contract: {
      ...{ isEvaluation: fc.constant(true), days: fc.constant(2), graceDays: fc.nat({ max: 1 }) },
      policy: fc.constantFrom('allow', 'grace'),
      paidSeats: fc.constant(2),
    },
    edits: [passes(4, 24)],
  },
} satisfies Record<string, Climate>;

/** Few seats for a long time, two groups that ask for them with different priorities, and what the climate brings. */
export function historyIn(name: keyof typeof climates): fc.Arbitrary<Edit[]> {
  const climate: Climate = climates[name];
  const { mapping = {}, edits } = climate;
  const asking = (group: number, priority: number) =>
    fc.record({
      kind: kind('createMapping'),
      ...mappingChoice,
      ...{ by: fc.constant<'id'>('id'), group: fc.constant(group), priority: fc.constant(priority) },
      ...{ role: fc.constant('team_member'), validFrom: fc.constant(null), validFor: fc.constant(null) },
      approval: fc.constant(null),
      ...mapping,
    }) as fc.Arbitrary<Edit>;
  const chosen = { kind: kind('putSettings'), ...settingsChoice, ...climate.settings };
  const rest = fc.oneof(
    { weight: 25, arbitrary: anyEdit.filter((edit) => edit.kind !== 'putSettings') },
    ...edits,
  );
  return fc
    .tuple(
      fc.array(users, { minLength: 5, maxLength: 8 }),
      ...([crew, crew] as const),
      fc.record(chosen) as fc.Arbitrary<Edit>,
      fc.array(subPool, { maxLength: 1 }),
      ...([asking(0, 7), asking(1, 2)] as const),
      fc.record({
        kind: kind('putContract'),
        ...contract,
        ...{ startsIn: fc.constant(-1), days: fc.constant(400) },
        paidSeats: fc.integer({ min: 1, max: 3 }),
        ...climate.contract,
      }) as fc.Arbitrary<Edit>,
      fc.array(rest, { minLength: 10, maxLength: 25 }),
    )
    .map(([people, one, other, rules, shares, low, high, terms, tail]) => [
      ...people,
      ...[one, other, terms, ...shares, rules, low, high],
      ...tail,
    ]);
}
