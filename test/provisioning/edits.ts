/** Random edits of a tenant through every flow; what an edit names is chosen among what exists when it is made. */

import fc from 'fast-check';
import { Fault } from '../../src/kernel/fault.ts';
import type { GroupId, UserId } from '../../src/kernel/ids.ts';
import type { FallbackRole } from '../../src/licensing/catalogue.ts';
import type { OveragePolicy } from '../../src/licensing/contract.ts';
import type { SeatOrder, Settlement } from '../../src/licensing/mapping.ts';
import { addLine } from '../../src/provisioning/contract-flow.ts';
import type { MappingDraft } from '../../src/provisioning/mapping-draft.ts';
import { removeMapping, reorderMappings, replaceMapping } from '../../src/provisioning/mapping-flow.ts';
import { releaseHold, removePin, setPin } from '../../src/provisioning/pin-flow.ts';
import { putSettings } from '../../src/provisioning/settings-flow.ts';
import { settleBatch } from '../../src/provisioning/settle-flow.ts';
import { putSubPool, removeSubPool } from '../../src/provisioning/sub-pool-flow.ts';
import { noteUnmanagedPaid } from '../../src/provisioning/unmanaged-flow.ts';
import { defaultSettings } from '../../src/tenants/settings.ts';
import type { TestWorld } from '../support/tenants.ts';
import { dayMs, dayOf, emailsOf, nameOf, pick, rolesOf, rotated, withOne } from './choices.ts';
import type { State } from './state.ts';

interface MappingChoice {
  by: 'id' | 'name' | 'roleValue';
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
    }
  | { kind: 'putSubPool'; name: string; seats: number; borrowLimit: number | null }
  | { kind: 'removeSubPool'; subPool: number }
  | { kind: 'settleBatch' }
  | { kind: 'noteUnmanaged'; count: number }
  | { kind: 'passTime'; hours: number };

const index = fc.nat({ max: 30 });
const some = (most: number) => fc.array(index, { maxLength: most });
const kind = <K extends Edit['kind']>(name: K) => fc.constant(name);
const fallbacks: FallbackRole[] = ['view_only', 'comment_only', 'client', 'none'];

const mappingChoice = {
  by: fc.constantFrom<MappingChoice['by']>('id', 'id', 'name', 'roleValue'),
  group: index,
  role: fc.constantFrom('team_member', 'project_administrator', 'custom:Reviewer', 'view_only', 'client'),
  workspaces: fc.constantFrom<string[]>(['w1'], ['w2'], ['w1', 'w2'], ['*']),
  priority: fc.integer({ min: 1, max: 9 }),
  fallbackRole: fc.option(fc.constantFrom(...fallbacks)),
  validFrom: fc.option(fc.integer({ min: -1, max: 2 }), { freq: 3 }),
  validFor: fc.option(fc.integer({ min: 1, max: 3 }), { freq: 3 }),
  subPool: fc.option(fc.constantFrom('a', 'b')),
  mayPreempt: fc.boolean(),
};
const contract = {
  paidSeats: fc.option(fc.nat({ max: 5 }), { freq: 8 }),
  policy: fc.constantFrom<OveragePolicy>('queue', 'fallback', 'grace', 'allow', 'block'),
  isEvaluation: fc.boolean(),
  graceDays: fc.nat({ max: 2 }),
  fallbackRole: fc.constantFrom(...fallbacks),
};

const roleChoice = fc.option(fc.nat({ max: 2 }), { freq: 2 });

const subPool = fc.record({
  kind: kind('putSubPool'),
  name: fc.constantFrom('a', 'b'),
  seats: fc.nat({ max: 3 }),
  borrowLimit: fc.option(fc.nat({ max: 2 }), { freq: 2 }),
});

const settings = fc.record({
  kind: kind('putSettings'),
  defaultRole: fc.constantFrom('none', 'none', 'view_only', 'team_member'),
  order: fc.constantFrom<SeatOrder>('sticky', 'strict'),
  settlement: fc.constantFrom<Settlement>('immediate', 'immediate', 'cycle', 'staged'),
  holdMinutes: fc.constantFrom(0, 60, 1000),
  noticeHours: fc.constantFrom(0, 24),
  exclusions: some(1),
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
  { weight: 3, arbitrary: fc.record({ kind: kind('passTime'), hours: fc.constantFrom(1, 12, 24) }) },
);

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

/** Makes the edit; answers false when it names what does not exist, or was refused as a caller would be told. */
export async function make(world: TestWorld, state: State, edit: Edit, step: number): Promise<boolean> {
  try {
    return await attempt(world, state, edit, step);
  } catch (error) {
    if (error instanceof Fault && ['conflict', 'no_seat'].includes(error.code)) return false;
    throw error;
  }
}

async function attempt(world: TestWorld, state: State, edit: Edit, step: number): Promise<boolean> {
  const { database, door } = world;
  const users = (chosen: number[]): UserId[] => chosen.flatMap((n) => pick(state.users, n)?.id ?? []);
  switch (edit.kind) {
    case 'createUser': {
      const roles = rolesOf(edit.role);
      await world.user(`user${step}`, { active: edit.active, ...emailsOf(edit.address), ...roles });
      return true;
    }
    case 'setActive':
      return await withOne(state.users, edit.user, ({ id }) => world.revise(id, { active: edit.active }));
    case 'setAddress':
      return await withOne(state.users, edit.user, ({ id }) => world.revise(id, emailsOf(edit.address)));
    case 'removeUser':
      return await withOne(state.users, edit.user, ({ id }) => world.remove(id));
    case 'createGroup':
      await world.group(nameOf(edit.name), users(edit.members));
      return true;
    case 'editGroup': {
      const { clear, group } = edit;
      const members = { clear, add: users(edit.add), remove: users(edit.remove) };
      const door = edit.moves ? world.directoryDoor : world.door;
      return await withOne(state.groups, group, ({ id }) => world.editGroup(id, members, undefined, door));
    }
    case 'renameGroup':
      return await withOne(state.groups, edit.group, ({ id }) => world.editGroup(id, {}, nameOf(edit.name)));
    case 'removeGroup':
      return await withOne(state.groups, edit.group, ({ id }) => world.removeGroup(id));
    case 'createMapping':
      await world.map(draftOf(state, edit));
      return true;
    case 'replaceMapping':
      return await withOne(state.mappings, edit.mapping, ({ id }) =>
        replaceMapping(database, door, id, draftOf(state, edit)),
      );
    case 'removeMapping':
      return await withOne(state.mappings, edit.mapping, ({ id }) => removeMapping(database, door, id));
    case 'reorderMappings':
      await reorderMappings(
        database,
        door,
        rotated(state.mappings, edit.by).map(({ id }) => id),
      );
      return true;
    case 'putContract': {
      const { paidSeats, policy, fallbackRole, graceDays, isEvaluation } = edit;
      const isAbove = ['grace', 'allow'].includes(policy);
      const startsOn = dayOf(world.now, edit.startsIn);
      const endsOn = dayOf(world.now, edit.startsIn + edit.days);
      await world.contract({
        ...{ paidSeats, policy, fallbackRole, startsOn, endsOn },
        kind: isEvaluation ? 'evaluation' : 'annual',
        allowancePercent: isAbove ? 50 : null,
        graceDays: policy === 'grace' ? graceDays : null,
        evaluationGraceDays: graceDays,
        decreaseGraceDays: graceDays,
      });
      return true;
    }
    case 'addLine': {
      const effectiveOn = dayOf(world.now, edit.startsIn);
      const { contract } = state;
      if (contract === undefined || effectiveOn < contract.starts_on || effectiveOn > contract.ends_on)
        return false;
      const isAmendment = edit.line === 'amendment';
      const endsOn = isAmendment || edit.days === null ? null : dayOf(world.now, edit.startsIn + edit.days);
      const rest = { tier: null, contractEndsOn: null, reason: 'test', documentReference: null };
      const { line: lineKind, paidSeats } = edit;
      const line = { kind: lineKind, effectiveOn, endsOn, setsSeats: isAmendment, paidSeats, ...rest };
      await addLine(database, door, line);
      return true;
    }
    case 'setRoles':
      return await withOne(state.users, edit.user, ({ id }) =>
        world.revise(id, { roles: [], ...rolesOf(edit.role) }),
      );
    case 'setPin': {
      const { role, hours, reserved } = edit;
      const until = hours === null ? null : new Date(world.now.getTime() + hours * 3_600_000);
      return await withOne(state.users, edit.user, async ({ id, active }) => {
        if (!active) return;
        await setPin(database, door, id, { role, workspaces: null, reason: 'test', until, reserved });
      });
    }
    case 'removePin':
      return await withOne(state.pins, edit.user, ({ user_id }) => removePin(database, door, user_id));
    case 'releaseHold': {
      const kept = state.decisions.filter((row) => row.kept_until !== null);
      return await withOne(kept, edit.user, ({ user_id }) => releaseHold(database, door, user_id));
    }
    case 'putSettings': {
      const { kind: _, exclusions, ...settings } = edit;
      const names = exclusions.flatMap((n) => pick(state.users, n)?.user_name ?? []);
      await putSettings(database, door, { ...defaultSettings, ...settings, exclusions: names });
      return true;
    }
    case 'putSubPool': {
      const { kind: _, ...draft } = edit;
      await putSubPool(database, door, draft);
      return true;
    }
    case 'removeSubPool':
      return await withOne(state.sub_pools, edit.subPool, ({ name }) => removeSubPool(database, door, name));
    case 'settleBatch':
      await settleBatch(database, door);
      return true;
    case 'noteUnmanaged':
      await noteUnmanagedPaid(database, door, edit.count);
      return true;
    case 'passTime':
      world.pass(edit.hours * 3_600_000);
      return true;
  }
}

function draftOf(
  state: State,
  { by, group, validFrom, validFor, subPool: name, ...choice }: MappingChoice,
): MappingDraft {
  const inDays = (days: number) => new Date(state.now.getTime() + days * dayMs);
  const [from, until] = [validFrom, validFor === null ? null : (validFrom ?? 0) + validFor];
  return {
    group: namedBy(state, by, group),
    ...{ role: choice.role, workspaces: choice.workspaces, priority: choice.priority },
    ...{ fallbackRole: choice.fallbackRole, mayPreempt: choice.mayPreempt, approval: null },
    subPool: state.sub_pools.find((one) => one.name === name)?.name ?? null,
    validFrom: from === null ? null : inDays(from),
    validUntil: until === null ? null : inDays(until),
  };
}

function namedBy(state: State, by: MappingChoice['by'], n: number): MappingDraft['group'] {
  if (by === 'roleValue') return { roleValue: `Role${n % 3}` };
  const known = pick(state.groups, n);
  return by === 'id' && known !== undefined ? { id: known.id as GroupId } : { displayName: nameOf(n) };
}
