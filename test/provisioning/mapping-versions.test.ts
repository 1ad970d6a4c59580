/**
 * Every edit of mappings leaves a version that says what then was in force; a draft does what its preview told, or is refused
 * whole; and the way back leads to the very set. Random worlds on the real database.
 */

import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { Fault } from '../../src/kernel/fault.ts';
import { activateDraft } from '../../src/provisioning/draft-activation-flow.ts';
import type { MappingDraft, StoredMapping } from '../../src/provisioning/mapping-draft.ts';
import { removeMapping } from '../../src/provisioning/mapping-flow.ts';
import { selectMappings } from '../../src/provisioning/mapping-store.ts';
import { isSame, type SetDraft } from '../../src/provisioning/mapping-version.ts';
import { createDraft, rollBack } from '../../src/provisioning/mapping-version-flow.ts';
import {
  countDraftResult,
  selectNewestVersion,
  selectVersion,
} from '../../src/provisioning/mapping-version-store.ts';
import { previewEdit } from '../../src/provisioning/preview-flow.ts';
import { settleDue } from '../../src/provisioning/settle-flow.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { history } from './histories.ts';
import { make } from './make-edit.ts';
import { compare, outcome, whole } from './preview-support.ts';
import { readState, type State } from './state.ts';

const runs = Number(process.env.FUZZ_RUNS ?? 10);
let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 2 });
});
afterAll(() => test.close());

const change = fc.record({
  dropped: fc.option(fc.nat({ max: 9 })),
  added: fc.option(fc.nat({ max: 9 })),
  promoted: fc.option(fc.nat({ max: 9 })),
  role: fc.constantFrom('team_member', 'view_only'),
  meanwhile: fc.constantFrom('nothing', 'nothing', 'removed'),
  back: fc.nat({ max: 9 }),
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

it(
  'a draft does what was told of it, and an earlier version comes back as it was',
  async () => {
    let activated = 0;
    await fc.assert(
      fc.asyncProperty(history, fc.array(change, { minLength: 2, maxLength: 5 }), async (steps, changes) => {
        const world = await newWorld(test.database);
        for (const [step, edit] of steps.entries()) {
          world.pass(1000);
          await make(world, await readState(world), edit, step);
          await checkNewest(world);
        }
        for (const asked of changes) {
          world.pass(1000);
          await settleDue(world.database, world.now, 1000);
          activated += Number(await tryDraft(world, asked));
          await checkNewest(world);
          await goBack(world, asked.back);
        }
      }),
      { numRuns: runs, endOnFailure: process.env.FUZZ_SHRINK === undefined },
    );
    expect(activated).toBeGreaterThan(runs);
  },
  runs * 4000 + 60_000,
);

async function read(world: TestWorld) {
  return await inTenant(world.database, world.tenantId, async (tx) => {
    const newest = await selectNewestVersion(tx);
    return { newest, mappings: await selectMappings(tx), version: await selectVersion(tx, newest) };
  });
}

async function checkNewest(world: TestWorld): Promise<void> {
  const { mappings, version } = await read(world);
  const kept = version?.mappings ?? [];
  expect(kept.map(({ id }) => id)).toEqual(mappings.map(({ id }) => id));
  // Groups come and go without an edit of the mappings, which then wait for a name.
  const others = kept.filter(({ groupId }, at) => groupId === mappings[at]?.groupId);
  expect(
    others.every((one) =>
      isSame(
        one,
        mappings.find(({ id }) => id === one.id),
      ),
    ),
  ).toBe(true);
}

function setOf(world: TestWorld, state: State, before: readonly StoredMapping[], asked: Change): SetDraft {
  const kept = before.filter((_, at) => at !== asked.dropped);
  const role = (mapping: StoredMapping, at: number) => (at === asked.promoted ? asked.role : mapping.role);
  const mappings = kept.map((mapping, at) => ({
    ...asWritten(mapping),
    id: mapping.id,
    role: role(mapping, at),
    priority: kept.length - at + 1,
  }));
  const group = state.groups[asked.added ?? state.groups.length];
  const more =
    group === undefined
      ? []
      : [{ ...world.mapping({ group: { id: group.id }, priority: 1, role: asked.role }), id: null }];
  const rest = { name: 'draft', basedOn: undefined, department: null, goLiveOn: null };
  return { ...rest, mappings: [...mappings, ...more] };
}

function asWritten(mapping: StoredMapping): MappingDraft {
  const { groupId, groupDisplayName, groupExternalId, roleValue, claimValue, ...rest } = mapping;
  const name = { displayName: groupDisplayName ?? '' };
  const group =
    roleValue !== null
      ? { roleValue }
      : claimValue !== null
        ? { claim: claimValue }
        : groupId !== null
          ? { id: groupId }
          : name;
  return { ...rest, group };
}

/** Answers whether it was activated. */
async function tryDraft(world: TestWorld, asked: Change): Promise<boolean> {
  const { database, door } = world;
  const { mappings } = await read(world);
  const draft = await createDraft(database, door, setOf(world, await readState(world), mappings, asked));
  const [first] = mappings;
  if (asked.meanwhile === 'removed' && first !== undefined) await removeMapping(database, door, first.id);
  const before = await readState(world);
  for (const rebase of [false, true]) {
    const { id } = draft;
    const told = await outcome(previewEdit(database, door, { op: 'draft', id, rebase }, whole));
    const done = await outcome(activateDraft(database, door, id, { at: null, rebase }));
    expect(told instanceof Fault ? [told.code, told.message, told.field] : 'told').toEqual(
      done instanceof Fault ? [done.code, done.message, done.field] : 'told',
    );
    const after = await readState(world);
    if (told instanceof Fault || done instanceof Fault) {
      expect(after.fingerprint, 'what is refused changes nothing').toEqual(before.fingerprint);
      continue;
    }
    compare(told, before, after);
    expect(done.activated?.version).toBe((await read(world)).newest);
    const touched = (await read(world)).mappings.filter((one) => done.touched.includes(one.id));
    const result = await inTenant(database, world.tenantId, (tx) => countDraftResult(tx, touched));
    const vias = new Set(touched.map((one) => `MAPPING:${one.id}`));
    const by = after.decisions.filter((row) => row.requested.some(({ via }) => vias.has(via)));
    const count = (seat: string) => by.filter((row) => row.seat === seat).length;
    expect(result).toEqual({
      ...{ people: by.length, held: count('held'), overage: count('overage'), queued: count('waiting') },
    });
    return true;
  }
  return false;
}

async function goBack(world: TestWorld, back: number): Promise<void> {
  const { newest } = await read(world);
  const number = Math.max(1, newest - back);
  const version = await inTenant(world.database, world.tenantId, (tx) => selectVersion(tx, number));
  const done = await outcome(rollBack(world.database, world.door, number));
  if (done instanceof Fault) {
    // A group that is gone and has no name to be waited for, or one of several of a name.
    const codes = version === undefined ? ['not_found'] : ['invalid', 'conflict'];
    expect(codes).toContain(done.code);
    expect(done.field ?? '').toMatch(version === undefined ? /^$/ : /^mappings\.\d+\.(group|subPool)$/);
    return;
  }
  expect(done).toBe(newest + 1);
  const { mappings } = await read(world);
  expect(mappings.map(({ id, role, priority }) => [id, role, priority])).toEqual(
    version?.mappings.map(({ id, role, priority }) => [id, role, priority]),
  );
  await checkNewest(world);
}
