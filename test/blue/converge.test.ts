/**
 * The whole way by a property: random worlds in the double, random wishes; read, compare, send, until nothing is left to
 * send. Checked at every request: nobody protected changes, and paid people never grow past the ceiling.
 */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BlueDouble, type BlueState, startBlueDouble } from '../../demo/blue-double/server.ts';
import type { BlueSeed } from '../../demo/blue-double/types.ts';
import type { Outcome, Phase } from '../../src/blue/action.ts';
import type { ActualState } from '../../src/blue/actual-state.ts';
import { afterAction, type Batch, toBatches } from '../../src/blue/apply-actions.ts';
import type { BlueClient } from '../../src/blue/blue-client.ts';
import { type Answer, mayHaveHappened } from '../../src/blue/blue-failure.ts';
import type { BlueSettings, DesiredPerson, DesiredRole } from '../../src/blue/desired-state.ts';
import { type Diff, diff } from '../../src/blue/diff.ts';
import { isPaidBy, levels } from '../../src/blue/level.ts';
import { firstCatalogue } from '../../src/licensing/catalogue.ts';
import { day, seedOf, TestClock } from '../demo/blue-double/support.ts';
import { clientOf } from './support.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const addressOf = (name: string) => `${name}@acme.example`;
const excluded = addressOf('f');
const managed = ['w1', 'w2'];

const role = fc.record({
  workspace: fc.constantFrom('w1', 'w2'),
  level: fc.constantFrom(...levels),
  custom: fc.boolean(),
});
const roles = fc.uniqueArray(role, { selector: ({ workspace }) => workspace, maxLength: 2 });
const invitedRole = fc.tuple(fc.constantFrom(...names), role, fc.integer({ min: 0, max: 80 }));
const troublesMax = 2;
const troubles = ['internal', 'html', 'lost_answer'] as const;
const mutations = [
  'inviteUser',
  'updateProjectAccessLevel',
  'removeProjectUser',
  'cancelInvitation',
] as const;

const worlds = fc.record({
  /** Null: has no account in Blue at first. */
  before: fc.tuple(...names.map(() => fc.option(roles))),
  elsewhere: fc.subarray([...names]),
  invitations: fc.array(invitedRole, { maxLength: 5 }),
  wishes: fc.tuple(...names.map(() => fc.record({ roles, leaving: fc.boolean(), accepts: fc.boolean() }))),
  trouble: fc.array(fc.tuple(fc.constantFrom(...troubles), fc.constantFrom(...mutations)), {
    maxLength: troublesMax,
  }),
  ceiling: fc.option(fc.integer({ min: 0, max: 8 })),
  deactivation: fc.constantFrom('leave_workspaces', 'view_only', 'leave_organization' as const),
});
type World = typeof worlds extends fc.Arbitrary<infer T> ? T : never;

const roleId = ({ workspace, level, custom }: { workspace: string; level: string; custom: boolean }) =>
  custom && level === 'MEMBER' && workspace === 'w1' ? { roleId: 'r1' } : {};

function seedFrom(world: World): BlueSeed {
  const known = names.flatMap((name, at) => {
    const own = world.before[at];
    if (own == null) return [];
    const memberships = own.map((one) => ({ workspaceId: one.workspace, level: one.level, ...roleId(one) }));
    const more = world.elsewhere.includes(name) ? [{ workspaceId: 'other', level: 'MEMBER' as const }] : [];
    const person = { id: name, email: addressOf(name), firstName: name, lastName: 'X' };
    return [{ ...person, memberships: [...memberships, ...more] }];
  });
  const base = seedOf();
  const workspaces = [...base.workspaces, { id: 'other', slug: 'other', name: 'Other' }];
  return { ...base, workspaces, people: [...base.people, ...known] };
}

function wishesOf(world: World): DesiredPerson[] {
  return names.map((name, at) => {
    const wish = world.wishes[at];
    const wanted = (wish?.roles ?? []).map(
      (one): DesiredRole => ({
        workspace: one.workspace,
        level: one.level,
        ...('roleId' in roleId(one) ? { customRole: 'Reviewer' } : {}),
      }),
    );
    const leaving = wish?.leaving ?? false;
    const unmatched = { blueUserId: null, guessedBlueUserId: null };
    return {
      userId: name,
      address: addressOf(name),
      ...unmatched,
      roles: wanted,
      given: [],
      leaving,
      isExcluded: false,
    };
  });
}

function unwrapped<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new Error(JSON.stringify(answer.failure));
  return answer.value;
}

async function readBlue(client: BlueClient): Promise<ActualState> {
  const identity = unwrapped(await client.identity());
  const members = unwrapped(await client.listMembers());
  const workspaces = unwrapped(await client.listWorkspaces()).map(({ id }) => id);
  const found = unwrapped(await client.listCustomRoles(workspaces));
  const invitations = [];
  for (const id of workspaces) invitations.push(...unwrapped(await client.listInvitations(id)));
  const byWorkspace = Map.groupBy(found, ({ workspace }) => workspace);
  const customRoles = [...byWorkspace].map(
    ([id, own]) => [id, new Map(own.map(({ name, id: roleIdOf }) => [name, roleIdOf]))] as const,
  );
  return {
    organizationId: identity.organizationId,
    ownerUserId: identity.ownerUserId,
    selfUserId: identity.selfUserId,
    members,
    invitations,
    paidElsewhere: 0,
    addressesHidden: members.some(({ address }) => address === null),
    workspaces: new Set(workspaces),
    customRoles: new Map(customRoles),
  };
}

interface Run {
  double: BlueDouble;
  /** Gives up soon, so that an answer that never comes costs little. */
  client: BlueClient;
  /** Waits for its answers, however busy the machine is. */
  reader: BlueClient;
  clock: TestClock;
  settings: BlueSettings;
  wishes: DesiredPerson[];
}

/** What must stay as it is: protected and unmanaged people, and workspaces that nobody manages. */
function untouchable({ double: { state }, wishes, settings }: Run): unknown {
  const outside = ['owner', 'amy', 'max', 'vic', 'f'];
  const leavers = wishes.filter(({ leaving }) => leaving && settings.deactivation === 'leave_organization');
  const gone = new Set(leavers.map(({ userId }) => userId));
  const rows = state.world.memberships.filter(
    ({ userId, workspaceId }) =>
      outside.includes(userId) || (!managed.includes(workspaceId) && !gone.has(userId)),
  );
  const invitations = state.invitations().filter(({ email }) => email === excluded);
  return { rows: rows.map((row) => ({ ...row })), invitations: invitations.map((one) => ({ ...one })) };
}

/** One sync as a worker does it: the downgrades, then the upgrades that the state after them allows. */
async function sync(run: Run): Promise<Diff> {
  let state = await readBlue(run.reader);
  let result = diff(run.wishes, state, run.settings, run.clock.now());
  for (const phase of ['down', 'up'] satisfies Phase[]) {
    const actions = result.actions.filter((one) => one.phase === phase);
    for (const batch of toBatches(actions, state.organizationId, 50)) {
      const sent = await send(run, batch, phase, state);
      if (sent === 'unknown') return result;
      state = sent;
    }
    if (phase === 'down' && actions.length > 0) {
      result = diff(run.wishes, state, run.settings, run.clock.now());
    }
  }
  return result;
}

/** @returns the state as it must be now, or `unknown` when Blue has to be read again. */
async function send(
  run: Run,
  batch: Batch,
  phase: Phase,
  known: ActualState,
): Promise<ActualState | 'unknown'> {
  const { double, client, clock, settings } = run;
  const before = double.state.paidPeopleAndInvited();
  const results = await client.mutate(batch.workspace, batch.mutations);
  const after = double.state.paidPeopleAndInvited();
  if (phase === 'down') expect(after).toBeLessThanOrEqual(before);
  else expect(after).toBeLessThanOrEqual(Math.max(before, settings.paidCeiling ?? after));
  let state = known;
  for (const [at, action] of batch.actions.entries()) {
    const result = results[at];
    if (result?.ok) state = afterAction(state, action, clock.now());
    else if (result && mayHaveHappened(result.failure)) return 'unknown';
    else expect.fail(`${JSON.stringify(action)}: ${JSON.stringify(result)}`);
  }
  return state;
}

/** Syncs until one sends nothing; then checks everybody. */
async function settle(run: Run): Promise<void> {
  for (let round = 0; round < 4 + troublesMax; round += 1) {
    const { length } = run.double.state.requests();
    const { outcomes } = await sync(run);
    const requests = run.double.state.requests().slice(length);
    if (requests.some(({ operations }) => operations.some(isMutation))) continue;
    for (const [at, person] of run.wishes.entries()) checkPerson(run, person, outcomes[at]);
    return;
  }
  expect.fail('does not come to rest');
}

const isMutation = (name: string) => /^(invite|update|remove|cancel|resend)/.test(name);

function heldBy(state: BlueState, address: string) {
  return managed.flatMap((workspace) =>
    state
      .members(workspace)
      .flatMap(({ email, level, customRole }) =>
        email === address ? [{ workspace, level, ...(customRole === null ? {} : { customRole }) }] : [],
      ),
  );
}

function inOrder<T extends { workspace: string }>(rows: readonly T[]): T[] {
  return [...rows].sort((a, b) => a.workspace.localeCompare(b.workspace));
}

function checkPerson(run: Run, person: DesiredPerson, outcome: Outcome | undefined): void {
  const { state } = run.double;
  const address = addressOf(person.userId);
  const held = heldBy(state, address);
  const open = state.invitations().filter(({ email }) => email === address);
  if (address === excluded) {
    expect(outcome?.code).toBe('PROTECTED');
  } else if (person.leaving) {
    expect(open).toEqual([]);
    if (run.settings.deactivation !== 'view_only') expect(held).toEqual([]);
    for (const { level } of held) expect(level).toBe('VIEW_ONLY');
  } else if (outcome?.state === 'invited') {
    const rows = open.map(({ workspaceId, level }) => ({ workspace: workspaceId, level }));
    expect(inOrder(rows)).toEqual(
      inOrder(person.roles.map(({ workspace, level }) => ({ workspace, level }))),
    );
  } else if (outcome?.code !== 'SEATS_IN_BLUE') {
    expect(['none', 'active']).toContain(outcome?.state);
    expect(inOrder(held)).toEqual(inOrder(person.roles));
    expect(open).toEqual([]);
  } else {
    const { double, settings } = run;
    expect(double.state.paidPeopleAndInvited()).toBeGreaterThanOrEqual(
      settings.paidCeiling ?? Number.POSITIVE_INFINITY,
    );
  }
}

/** Accepting one of several invitations must lead to all roles. */
function accept(world: World, state: BlueState): void {
  for (const [at, name] of names.entries()) {
    const live = state
      .invitations()
      .find((one) => one.email === addressOf(name) && one.expiredAt > state.world.now());
    if (world.wishes[at]?.accepts && live && addressOf(name) !== excluded) state.accept(live.id);
  }
}

async function start(world: World): Promise<Run> {
  const clock = new TestClock();
  const double = await startBlueDouble({ seed: seedFrom(world), clock });
  for (const [name, one, hours] of world.invitations) {
    const email = addressOf(name);
    const place = { workspaceId: one.workspace, level: one.level, roleId: null, invitedById: 'amy' };
    if (double.state.world.personByEmail(email) === undefined) double.state.world.invite({ email, ...place });
    clock.advance(hours * 60 * 60 * 1000);
  }
  for (const [kind, operation] of world.trouble) {
    double.state.faults.order(kind === 'html' ? { kind, status: 502 } : { kind }, { operation });
  }
  const settings: BlueSettings = {
    isObserving: false,
    deactivation: world.deactivation,
    exclusions: new Set([excluded]),
    managedWorkspaces: new Set(managed),
    paidCeiling: world.ceiling,
    isPaid: isPaidBy(firstCatalogue),
    catalogue: firstCatalogue,
  };
  return {
    double,
    clock,
    settings,
    client: clientOf(double, clock, { requestMsMax: 250 }),
    reader: clientOf(double, clock),
    wishes: wishesOf(world),
  };
}

test('any world comes to rest in a few rounds at what is wanted, by allowed steps only', async () => {
  await fc.assert(
    fc.asyncProperty(worlds, async (world) => {
      const run = await start(world);
      const before = untouchable(run);
      await settle(run);
      accept(world, run.double.state);
      await settle(run);
      run.clock.advance(8 * day);
      await settle(run);
      expect(untouchable(run)).toEqual(before);
      await run.double.close();
    }),
    { numRuns: 120 },
  );
});
