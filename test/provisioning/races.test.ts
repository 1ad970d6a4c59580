/** Two writers at once, held apart by hand: nobody's write is lost, and nothing is left waiting for what is there. */

import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { db } from '../../src/db/database.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { GroupId, UserId } from '../../src/kernel/ids.ts';
import { removeGroup, reviseGroup } from '../../src/provisioning/group-flow.ts';
import { reviseUser } from '../../src/provisioning/user-flow.ts';
import { createDirectory, type Directory } from '../../src/tenants/tenant-flow.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { readState } from './state.ts';
import { whileLocked } from './while-locked.ts';

let test: TestDatabase;
let world: TestWorld;
let other: Directory;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 6 });
});
afterAll(() => test.close());
beforeEach(async () => {
  world = await newWorld(test.database);
  other = await createDirectory(test.database, world.door, { name: 'other', kind: 'okta' });
});

const externalIds = (table: 'user_sources' | 'group_sources') =>
  inTenant(test.database, world.tenantId, (tx) =>
    tx.run(
      sql<{
        external_id: string | null;
      }>`select external_id from ${sql.table(table)} where directory_id = ${other.id}`,
    ),
  );

describe('an externalId that one writer sets', () => {
  it('is not lost to another writer of the same user', async () => {
    const id = await world.user('ann@example.com');
    const revise = (change: object, externalId?: string) =>
      reviseUser(test.database, world.door, {
        id,
        directoryId: other.id,
        withGroups: false,
        revise: (current) => ({
          attributes: { ...current.attributes, ...change },
          externalId: externalId ?? current.externalId,
        }),
        foresight: 'never',
      });
    await whileLocked(world, 'users', id, () => [revise({}, 'X'), revise({ title: 'Boss' })]);
    expect(await externalIds('user_sources')).toEqual([{ external_id: 'X' }]);
  });

  it('is not lost to another writer of the same group', async () => {
    const id = await world.group('Staff');
    const revise = (change: object, externalId?: string) =>
      reviseGroup(test.database, world.door, {
        id,
        directoryId: other.id,
        edit: { clear: false, add: [], remove: [] },
        revise: (current) => ({
          attributes: { ...current.attributes, ...change },
          externalId: externalId ?? current.externalId,
        }),
      });
    await whileLocked(world, 'groups', id, () => [revise({}, 'X'), revise({ note: 'more' })]);
    expect(await externalIds('group_sources')).toEqual([{ external_id: 'X' }]);
  });
});

describe('a mapping whose group is deleted', () => {
  const waitsFor = () =>
    inTenant(test.database, world.tenantId, (tx) =>
      tx.run(
        db
          .selectFrom('mappings')
          .select(['group_id', 'group_display_name', 'group_external_id'])
          .where('tenant_id', '=', world.tenantId),
      ),
    );

  it('waits for what it was written with: an externalId is no name', async () => {
    const id: GroupId = await world.group('Staff');
    await reviseGroup(test.database, world.door, {
      id,
      directoryId: world.directory.id,
      edit: { clear: false, add: [], remove: [] },
      revise: (current) => ({ ...current, externalId: 'ext-1' }),
    });
    await world.map({ group: { externalId: 'ext-1' }, priority: 1 });
    await removeGroup(test.database, world.door, id);
    const ann: UserId = await world.user('ann@example.com');
    await world.group('Staff', [ann]);
    expect(await waitsFor()).toEqual([
      { group_id: null, group_display_name: null, group_external_id: 'ext-1' },
    ]);
    expect((await readState(world)).decisions).toEqual([]);
  });

  it('finds a group of the name that is made at the same time', async () => {
    for (let round = 0; round < 15; round += 1) {
      const name = `Group ${round}`;
      const old = await world.group(name);
      await world.map({ group: { displayName: name }, priority: round + 1 });
      const [, made] = await Promise.all([
        removeGroup(test.database, world.door, old),
        world.group(name).catch(() => world.group(name).catch(() => undefined)),
      ]);
      const bound = (await waitsFor()).filter((row) => row.group_display_name === name);
      if (made !== undefined) expect(bound.map((row) => row.group_id)).toEqual([made]);
    }
  });
});
