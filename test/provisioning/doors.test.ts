/**
 * I5: one person arrives at a paid role through every door there is, among the same others and under the same
 * contract; whatever the door, everybody's decision is the same, but for the time of the claim. A door that skips the
 * seat check, or that forgets somebody, decides differently.
 */

import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { importPeople } from '../../src/imports/import-flow.ts';
import { Fault } from '../../src/kernel/fault.ts';
import type { GroupId, UserId } from '../../src/kernel/ids.ts';
import type { OveragePolicy } from '../../src/licensing/contract.ts';
import type { Said } from '../../src/provisioning/intake.ts';
import { removeMapping, reorderMappings, replaceMapping } from '../../src/provisioning/mapping-flow.ts';
import { setPin } from '../../src/provisioning/pin-flow.ts';
import { noteUnmanagedPaid } from '../../src/provisioning/unmanaged-flow.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { adoptOne, connect, turnUp } from './adopt-drift.ts';
import { readState } from './state.ts';

const runs = Number(process.env.FUZZ_RUNS ?? 6);
let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 2 });
});

afterAll(() => test.close());

interface Scene {
  others: number;
  seats: number | null;
  policy: OveragePolicy;
  role: string;
  /** Whether the arriving person's mapping is better than that of the others. */
  isBetter: boolean;
}

const scenes: fc.Arbitrary<Scene> = fc.record({
  others: fc.nat({ max: 3 }),
  seats: fc.option(fc.nat({ max: 4 }), { freq: 6 }),
  policy: fc.constantFrom<OveragePolicy>('queue', 'fallback', 'block'),
  role: fc.constantFrom('team_member', 'custom:Reviewer', 'client'),
  isBetter: fc.boolean(),
});

/** The last write of a history whose others have been served: after it, `Ann` is in `Arrivals`, mapped to the role. */
type Finish = (stage: Stage) => Promise<void>;

interface Stage {
  world: TestWorld;
  scene: Scene;
  ann: UserId;
  priority: number;
}

const other = 5;

async function group({ world, ann }: Stage, members: readonly UserId[] = [ann]): Promise<GroupId> {
  return await world.group('Arrivals', members);
}

function map(
  { world, scene, priority }: Stage,
  id: GroupId,
  change: { role?: string; priority?: number } = {},
) {
  return world.map({ group: { id }, priority, role: scene.role, ...change });
}

function mapByName({ world, scene, priority }: Stage) {
  return world.map({ group: { displayName: 'arrivals' }, priority, role: scene.role });
}

/** No directory provisions her. */
async function disown({ world, ann }: Stage): Promise<void> {
  await inTenant(world.database, world.tenantId, async (tx) => {
    tx.send(sql`delete from user_sources where tenant_id = ${tx.tenantId} and user_id = ${ann}`);
  });
}

async function importAnn({ world, ann: id }: Stage, said: Said): Promise<void> {
  const intake = { id, userName: 'ann@example.com', said, pin: null };
  await importPeople(world.database, world.door, { columns: [], rows: [{ line: 2, cells: [], intake }] });
}

/** What stands before the door is opened, and the door. */
const doors: Record<string, (stage: Stage) => Promise<Finish>> = {
  'group PATCH add': async (stage) => {
    const id = await group(stage, []);
    await map(stage, id);
    return ({ world, ann }) => world.editGroup(id, { add: [ann] });
  },
  'group PUT': async (stage) => {
    const id = await group(stage, []);
    await map(stage, id);
    return ({ world, ann }) => world.editGroup(id, { clear: true, add: [ann] });
  },
  'group POST with members': async (stage) => {
    await mapByName(stage);
    return async (now) => {
      await group(now);
    };
  },
  'rename of a group to an awaited name': async (stage) => {
    const id = await stage.world.group('Something else', [stage.ann]);
    await mapByName(stage);
    return ({ world }) => world.editGroup(id, {}, 'Arrivals');
  },
  'rename of a mapped group to an awaited name': async (stage) => {
    const id = await stage.world.group('Something else', [stage.ann]);
    await mapByName(stage);
    const idle = await map(stage, id, { priority: 99, role: 'view_only' });
    return async ({ world }) => {
      await world.editGroup(id, {}, 'Arrivals');
      await removeMapping(world.database, world.door, idle.id);
    };
  },
  'group that returns after its deletion': async (stage) => {
    const id = await group(stage, []);
    await map(stage, id);
    await stage.world.removeGroup(id);
    return async (now) => {
      await group(now);
    };
  },
  reactivation: async (stage) => {
    const { world, ann } = stage;
    await world.revise(ann, { active: false });
    await map(stage, await group(stage));
    return () => world.revise(ann, { active: true });
  },
  'a row of a file that says a role': async (stage) => {
    const { world, scene, priority } = stage;
    await disown(stage);
    await world.map({ group: { roleValue: 'arrivals' }, priority, role: scene.role });
    return (now) => importAnn(now, { roles: ['Arrivals'] });
  },
  'a row of a file that brings somebody back': async (stage) => {
    await disown(stage);
    await stage.world.revise(stage.ann, { active: false });
    await disown(stage);
    await map(stage, await group(stage));
    return (now) => importAnn(now, { active: true });
  },
  'mapping POST': async (stage) => {
    const id = await group(stage);
    return async (now) => {
      await map(now, id);
    };
  },
  'mapping POST by name': async (stage) => {
    await group(stage);
    return async (now) => {
      await mapByName(now);
    };
  },
  'mapping PUT of another role': async (stage) => {
    const id = await group(stage);
    const { world, scene, priority } = stage;
    const mapping = await map(stage, id, { role: scene.role === 'client' ? 'team_member' : 'client' });
    const draft = world.mapping({ group: { id }, priority, role: scene.role });
    return async () => {
      await replaceMapping(world.database, world.door, mapping.id, draft);
    };
  },
  'mapping PUT of another group': async (stage) => {
    const { world, scene, priority } = stage;
    const id = await group(stage);
    const mapping = await map(stage, await world.group('Nobody'));
    const draft = world.mapping({ group: { id }, priority, role: scene.role });
    return async () => {
      await replaceMapping(world.database, world.door, mapping.id, draft);
    };
  },
  'mapping DELETE of a better one': async (stage) => {
    const { world, ann, priority } = stage;
    await map(stage, await group(stage));
    const better = { id: await world.group('Guests', [ann]) };
    const mapping = await world.map({ group: better, priority: priority - 1, role: 'view_only' });
    return () => removeMapping(world.database, world.door, mapping.id);
  },
  'group PATCH remove from a better one': async (stage) => {
    const { world, ann, priority } = stage;
    await map(stage, await group(stage));
    const better = await world.group('Guests', [ann]);
    await world.map({ group: { id: better }, priority: priority - 1, role: 'view_only' });
    return () => world.editGroup(better, { remove: [ann] });
  },
  'group DELETE of a better one': async (stage) => {
    const { world, ann, priority } = stage;
    await map(stage, await group(stage));
    const better = await world.group('Guests', [ann]);
    await world.map({ group: { id: better }, priority: priority - 1, role: 'view_only' });
    return () => world.removeGroup(better);
  },
  'an address of one’s own': async (stage) => {
    const { world, ann } = stage;
    await map(stage, await group(stage));
    await world.revise(ann, { emails: [{ value: 'first@example.com' }] });
    return () => world.revise(ann, { emails: [{ value: 'ann@example.com' }] });
  },
  'deactivation of the first with the address': async (stage) => {
    const { world, ann } = stage;
    await map(stage, await group(stage));
    await world.revise(ann, { emails: [{ value: 'first@example.com' }] });
    return async () => {
      const { users } = await readState(world);
      const first = users.find(({ user_name: name }) => name === 'first@example.com');
      if (first !== undefined) await world.revise(first.id, { active: false });
    };
  },
  'deletion of the first with the address': async (stage) => {
    const { world, ann } = stage;
    await map(stage, await group(stage));
    await world.revise(ann, { emails: [{ value: 'first@example.com' }] });
    return async () => {
      const { users } = await readState(world);
      const first = users.find(({ user_name: name }) => name === 'first@example.com');
      if (first !== undefined) await world.remove(first.id);
    };
  },
  'contract PUT': async (stage) => {
    const { world, scene } = stage;
    await world.contract({ policy: scene.policy, paidSeats: Math.min(scene.others, scene.seats ?? 99) });
    await map(stage, await group(stage));
    return () => world.contract({ policy: scene.policy, paidSeats: scene.seats });
  },
};

it.each(Object.keys(doors))(
  'I5: decides the same through %s as through a settled group PATCH',
  async (name) => {
    await fc.assert(
      fc.asyncProperty(scenes, async (scene) => {
        const usual = await arrive('group PATCH add', scene);
        const found = await arrive(name, scene);
        if (name === 'reactivation' && scene.policy === 'block' && /waiting/.test(usual.ann)) {
          expect(found.refusal, 'I5 block refuses who would wait').toBe('no_seat');
          expect(found.ann, 'I5 who is refused holds nothing').toBe('none');
        } else {
          expect(found, `I5 ${name}`).toEqual(usual);
        }
      }),
      { numRuns: runs, endOnFailure: true },
    );
  },
  runs * 3000 + 30_000,
);

it('I5: reordering mappings decides as if they had always stood so', async () => {
  const [ordered, reordered] = await Promise.all([newWorld(test.database), newWorld(test.database)]);
  const end = await orderedWorld(ordered, ['team_member', 'view_only']);
  const start = await orderedWorld(reordered, ['view_only', 'team_member']);
  await reorderMappings(reordered.database, reordered.door, start.toReversed());
  expect(end).toHaveLength(2);
  expect(await decisionsOf(reordered)).toEqual(await decisionsOf(ordered));
});

async function orderedWorld(world: TestWorld, roles: readonly string[]) {
  await world.contract({ paidSeats: 1 });
  const ann = await world.user('ann@example.com');
  const ids = [];
  for (const [at, role] of roles.entries()) {
    const id = await world.group(role, [ann]);
    ids.push((await world.map({ group: { id }, priority: at + 1, role })).id);
  }
  return ids;
}

async function arrive(door: string, scene: Scene) {
  const world = await newWorld(test.database);
  // One salt for all, so that ties break alike.
  await world.salt('salt');
  await world.contract({ paidSeats: scene.seats, policy: scene.policy });
  await world.user('first@example.com');
  world.pass(1000);
  const ann = await world.user('ann@example.com');
  const others: UserId[] = [];
  for (let n = 0; n < scene.others; n += 1) {
    world.pass(1000);
    others.push(await world.user(`other${n}@example.com`));
  }
  const staff = await world.group('Staff', others);
  await world.map({ group: { id: staff }, priority: other });
  world.pass(1000);

  const stage: Stage = { world, scene, ann, priority: scene.isBetter ? other - 2 : other + 2 };
  const open = doors[door];
  if (open === undefined) throw new Error(`no door ${door}`);
  const finish = await open(stage);
  world.pass(1000);
  let refusal: string | null = null;
  try {
    await finish(stage);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    refusal = error.code;
  }
  const decisions = await decisionsOf(world);
  return { decisions, ann: decisions['ann@example.com'] ?? 'none', refusal };
}

/** By userName, without ids and times. */
async function decisionsOf(world: TestWorld): Promise<Record<string, string>> {
  const state = await readState(world);
  const names = new Map(state.users.map((user) => [user.id, user.user_name]));
  return Object.fromEntries(
    state.decisions.map((row) => {
      const asked = row.requested.map(({ role, workspace, fallbackRole }) => [role, workspace, fallbackRole]);
      const given = row.effective.map(({ role, workspace, via }) => [role, workspace, via.split(':')[0]]);
      const text = JSON.stringify([row.seat, row.priority, row.refusal, asked, given]);
      return [names.get(row.user_id) ?? '', text];
    }),
  );
}

it('I5: adopting decides as a pin by hand does of somebody whom Blue has by itself', async () => {
  await fc.assert(
    fc.asyncProperty(scenes, async (scene) => {
      const [byHand, adopted] = await Promise.all([drifted(scene), drifted(scene)]);
      const pin = { role: 'team_member', workspaces: ['w1'], until: null, reserved: false, reason: 'test' };
      const ann = await byHand.user(inBlue.address, { emails: [{ value: inBlue.address, primary: true }] });
      byHand.pass(1000);
      await setPin(byHand.database, byHand.door, ann, pin);
      adopted.pass(1000);
      const { result } = await adoptOne(adopted, inBlue.blueUserId);
      const found = await decisionsOf(byHand);
      if (result === 'adopted') expect(await decisionsOf(adopted), 'I5 adoption').toEqual(found);
      else {
        expect(found[inBlue.address], 'I5 who is refused would have to wait').toMatch(/waiting/);
        expect(await decisionsOf(adopted)).toEqual({ ...found, [inBlue.address]: undefined });
      }
    }),
    { numRuns: runs, endOnFailure: true },
  );
});

const inBlue = {
  ...{ blueUserId: 'b', address: 'blue@example.com' },
  memberships: [{ workspace: 'w1', level: 'MEMBER' as const, customRole: null }],
};

/** The others have been served, and somebody whom Blue has by itself is counted. */
async function drifted({ others, seats, policy }: Scene): Promise<TestWorld> {
  const world = await newWorld(test.database);
  await world.salt('salt');
  await world.contract({ paidSeats: seats, policy });
  await connect(world);
  await turnUp(world, inBlue);
  await noteUnmanagedPaid(world.database, world.door, 1);
  const people: UserId[] = [];
  for (let n = 0; n < others; n += 1) people.push(await world.user(`other${n}@example.com`));
  await world.map({ group: { id: await world.group('Staff', people) }, priority: other });
  return world;
}
