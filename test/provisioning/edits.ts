/** Random edits of a tenant; what an edit names is chosen among what exists when it is made (`make-edit.ts`). */

import fc from 'fast-check';
import type { Breaker } from '../../src/licensing/breaker.ts';
import type { FallbackRole } from '../../src/licensing/catalogue.ts';
import type { OveragePolicy } from '../../src/licensing/contract.ts';
import type { Approval, SeatOrder, Settlement } from '../../src/licensing/mapping.ts';

export interface MappingChoice {
  by: 'id' | 'name' | 'roleValue' | 'claim';
  group: number;
  role: string;
  workspaces: string[];
  priority: number;
  fallbackRole: FallbackRole | null;
  /** Days from now. */
  validFrom: number | null;
  validFor: number | null;
  /** Where it is there. */
  subPool: string | null;
  mayPreempt: boolean;
  approval: Approval | null;
}

/** A row of a file. */
export interface ImportedRow {
  /** null: somebody new. */
  user: number | null;
  active: boolean | null;
  address: number | null;
  role: number | null;
  pin: { role: string; hours: number | null } | null;
}

export type Edit =
  | { kind: 'createUser'; address: number; active: boolean; role: number | null }
  | { kind: 'setActive'; user: number; active: boolean }
  | { kind: 'setAddress'; user: number; address: number }
  | { kind: 'removeUser'; user: number }
  | { kind: 'createGroup'; name: number; members: number[] }
  | { kind: 'editGroup'; group: number; clear: boolean; add: number[]; remove: number[]; moves: boolean }
  | { kind: 'renameGroup'; group: number; name: number }
  | { kind: 'removeGroup'; group: number }
  | ({ kind: 'createMapping' } & MappingChoice)
  | ({ kind: 'replaceMapping'; mapping: number } & MappingChoice)
  | { kind: 'removeMapping'; mapping: number }
  | { kind: 'reorderMappings'; by: number }
  | {
      kind: 'putContract';
      paidSeats: number | null;
      startsIn: number;
      days: number;
      policy: OveragePolicy;
      fallbackRole: FallbackRole;
      isEvaluation: boolean;
      graceDays: number;
    }
  | {
      kind: 'addLine';
      line: 'amendment' | 'add_on';
      paidSeats: number;
      startsIn: number;
      days: number | null;
    }
  | { kind: 'setRoles'; user: number; role: number | null }
  | { kind: 'setPin'; user: number; role: string; hours: number | null; reserved: boolean }
  | { kind: 'removePin'; user: number }
  | { kind: 'releaseHold'; user: number }
  | {
      kind: 'putSettings';
      defaultRole: string;
      order: SeatOrder;
      settlement: Settlement;
      holdMinutes: number;
      noticeHours: number;
      exclusions: number[];
      breaker: Breaker | null;
      reclaimDays: number | null;
      approvals: Readonly<Record<string, Approval>>;
      twoPersonRule: boolean;
    }
  | { kind: 'giveVerdict'; user: number; isGranted: boolean }
  | { kind: 'signOn' | 'keepSeat' | 'undoReclaim'; user: number }
  /** null: the identity provider does not tell the groups. */
  | { kind: 'logIn'; subject: number; groups: number[] | null }
  | { kind: 'letThrough' }
  | { kind: 'putBack'; group: number }
  | { kind: 'decideRequest'; request: number; isApproved: boolean }
  | { kind: 'putSubPool'; name: string; seats: number; borrowLimit: number | null }
  | { kind: 'removeSubPool'; subPool: number }
  | { kind: 'settleBatch' }
  | { kind: 'importPeople'; rows: ImportedRow[] }
  | { kind: 'noteUnmanaged'; count: number }
  | { kind: 'adopt'; address: number; level: 'ADMIN' | 'MEMBER'; workspaces: string[] }
  | { kind: 'passTime'; hours: number };

export const index = fc.nat({ max: 30 });
export const some = (most: number) => fc.array(index, { maxLength: most });
export const kind = <K extends Edit['kind']>(name: K) => fc.constant(name);
const fallbacks: FallbackRole[] = ['view_only', 'comment_only', 'client', 'none'];

export const mappingChoice = {
  by: fc.constantFrom<MappingChoice['by']>('id', 'id', 'name', 'roleValue', 'claim'),
  group: index,
  role: fc.constantFrom('team_member', 'project_administrator', 'custom:Reviewer', 'view_only', 'client'),
  workspaces: fc.constantFrom<string[]>(['w1'], ['w2'], ['w1', 'w2'], ['*']),
  priority: fc.integer({ min: 1, max: 9 }),
  fallbackRole: fc.option(fc.constantFrom(...fallbacks)),
  validFrom: fc.option(fc.integer({ min: -1, max: 2 }), { freq: 3 }),
  validFor: fc.option(fc.integer({ min: 1, max: 3 }), { freq: 3 }),
  subPool: fc.option(fc.constantFrom('a', 'b')),
  mayPreempt: fc.boolean(),
  approval: fc.constantFrom<Approval | null>(null, null, null, null, 'manual', 'manual'),
};
export const contract = {
  paidSeats: fc.option(fc.nat({ max: 5 }), { freq: 8 }),
  policy: fc.constantFrom<OveragePolicy>('queue', 'fallback', 'grace', 'allow', 'block'),
  isEvaluation: fc.boolean(),
  graceDays: fc.nat({ max: 2 }),
  fallbackRole: fc.constantFrom(...fallbacks),
};

export const roleChoice = fc.option(fc.nat({ max: 2 }), { freq: 2 });

export const subPool = fc.record({
  kind: kind('putSubPool'),
  name: fc.constantFrom('a', 'b'),
  seats: fc.nat({ max: 3 }),
  borrowLimit: fc.option(fc.nat({ max: 2 }), { freq: 2 }),
});

/** Of what the climates turn on (`histories.ts`), only approvals are met elsewhere. */
export const settingsChoice = {
  defaultRole: fc.constantFrom('none', 'none', 'view_only', 'team_member'),
  order: fc.constantFrom<SeatOrder>('sticky', 'strict'),
  settlement: fc.constantFrom<Settlement>('immediate', 'immediate', 'cycle', 'staged'),
  holdMinutes: fc.constantFrom(0, 60, 1000),
  noticeHours: fc.constantFrom(0, 24),
  exclusions: some(1),
  breaker: fc.constant<Breaker | null>(null),
  reclaimDays: fc.constant<number | null>(null),
  approvals: fc.constantFrom<Record<string, Approval>>({}, {}, { team_member: 'manual' }),
  twoPersonRule: fc.constant(false),
};
/** Few people, so that most come again. */
export const logIn = fc.record({
  kind: kind('logIn'),
  subject: fc.nat({ max: 3 }),
  groups: fc.option(some(3), { freq: 5 }),
});
export const importPeople = fc.record({
  kind: kind('importPeople'),
  rows: fc.array(
    fc.record({
      user: fc.option(index, { freq: 2 }),
      active: fc.option(fc.boolean(), { freq: 2 }),
      address: fc.option(index, { freq: 2 }),
      role: roleChoice,
      pin: fc.option(
        fc.record({
          role: fc.constantFrom('team_member', 'project_administrator', 'view_only'),
          hours: fc.option(fc.constantFrom(1, 30)),
        }),
        { freq: 2 },
      ),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});
export const settings = fc.record({ kind: kind('putSettings'), ...settingsChoice });

export const adoption = fc.record({
  kind: kind('adopt'),
  address: index,
  level: fc.constantFrom<'ADMIN' | 'MEMBER'>('ADMIN', 'MEMBER'),
  workspaces: fc.constantFrom<string[]>(['w1'], ['w1', 'w2'], ['w3']),
});

export const anyEdit: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: kind('createUser'),
      address: index,
      active: fc.boolean(),
      role: roleChoice,
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: kind('setActive'), user: index, active: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('setAddress'), user: index, address: index }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('removeUser'), user: index }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('createGroup'), name: index, members: some(4) }) },
  {
    weight: 7,
    arbitrary: fc.record({
      kind: kind('editGroup'),
      group: index,
      clear: fc.boolean(),
      add: some(4),
      remove: some(2),
      moves: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('renameGroup'), group: index, name: index }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('removeGroup'), group: index }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('createMapping'), ...mappingChoice }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('replaceMapping'), mapping: index, ...mappingChoice }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('removeMapping'), mapping: index }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('reorderMappings'), by: index }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('putContract'),
      startsIn: fc.integer({ min: -2, max: 2 }),
      days: fc.nat({ max: 4 }),
      ...contract,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('addLine'),
      line: fc.constantFrom<'amendment' | 'add_on'>('amendment', 'add_on'),
      paidSeats: fc.integer({ min: 1, max: 4 }),
      startsIn: fc.integer({ min: -1, max: 2 }),
      days: fc.option(fc.nat({ max: 2 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('setRoles'), user: index, role: roleChoice }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('setPin'),
      user: index,
      role: fc.constantFrom('team_member', 'project_administrator', 'view_only'),
      hours: fc.option(fc.constantFrom(1, 30)),
      reserved: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: logIn },
  { weight: 4, arbitrary: importPeople },
  { weight: 1, arbitrary: fc.record({ kind: kind('removePin'), user: index }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('releaseHold'), user: index }) },
  {
    weight: 2,
    arbitrary: settings,
  },
  { weight: 2, arbitrary: subPool },
  { weight: 1, arbitrary: fc.record({ kind: kind('removeSubPool'), subPool: index }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('settleBatch') }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('noteUnmanaged'), count: fc.nat({ max: 2 }) }) },
  { weight: 2, arbitrary: adoption },
  { weight: 3, arbitrary: fc.record({ kind: kind('passTime'), hours: fc.constantFrom(1, 12, 24) }) },
);
