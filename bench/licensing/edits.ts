/** Edits that concern some: a mapping of a large group, its preview, and one person who joins a group. */

import type { Database } from '../../src/db/database.ts';
import type { UserId } from '../../src/kernel/ids.ts';
import { type Figures, quantile, rounded, Skipped, secondsOf } from '../figure.ts';
import { changeRole, joinGroup, previewDeletion } from './operations.ts';
import { askingFor, differences, tallyOf } from './tally.ts';
import type { World } from './world.ts';

/** There and back: the group ends as it was. */
const roles = ['project_administrator', 'team_member'] as const;
const lastRole = roles[1];
const joiningSecondsMax = 30;

export async function measureEdits(figures: Figures, database: Database, world: World): Promise<void> {
  await measureMapping(figures, database, world);
  await measurePreview(figures, database, world);
  await measureOne(figures, database, world);
}

function measureMapping(figures: Figures, database: Database, world: World): Promise<void> {
  const { edited, inspector, large } = world;
  const edit = {
    id: 'edit.mapping',
    name: `one mapping edit on a group of ${edited.members}, the slower of two`,
  };
  return figures.measure({ ...edit, unit: 's', aim: { atMost: 1 } }, async () => {
    const seconds: number[] = [];
    const wrong: string[] = [];
    for (const role of roles) {
      seconds.push(await secondsOf(() => changeRole(database, large, edited, role)));
      const asking = await askingFor(inspector, large.tenantId, edited, role);
      wrong.push(...differences(asking, { members: edited.members, asking: edited.members }));
    }
    return { value: Math.max(...seconds), details: { 'the faster': rounded(Math.min(...seconds)) }, wrong };
  });
}

function measurePreview(figures: Figures, database: Database, world: World): Promise<void> {
  const { edited, inspector, large } = world;
  const preview = {
    id: 'edit.preview',
    name: `preview of deleting the mapping of a group of ${edited.members}`,
  };
  return figures.measure({ ...preview, unit: 's', aim: { atMost: 0.5 } }, async () => {
    const before = await tallyOf(inspector, large.tenantId);
    const value = await secondsOf(() => previewDeletion(database, large, edited));
    return { value, wrong: differences(await tallyOf(inspector, large.tenantId), { ...before }) };
  });
}

/** One after the other: what one costs when nobody is in the way. */
async function measureOne(figures: Figures, database: Database, world: World): Promise<void> {
  const { edited, inspector, large, size } = world;
  const timesMs: number[] = [];
  const join = async () => {
    const joiners = await strangers(world, size.joiners);
    const end = performance.now() + joiningSecondsMax * 1000;
    for (const userId of joiners) {
      const timed = timing(database);
      await joinGroup(timed.database, large, edited.groupId, userId);
      timesMs.push(timed.spentMs());
      if (performance.now() > end) break;
    }
  };
  const one = { id: 'one.median', name: 'one person joins a mapped group, time in the database, median' };
  await figures.measure({ ...one, unit: 'ms', aim: { atMost: 5 } }, async () => {
    await join();
    const members = edited.members + timesMs.length;
    const asking = await askingFor(inspector, large.tenantId, edited, lastRole);
    const wrong = differences(asking, { members, asking: members });
    return { value: quantile(timesMs, 0.5), details: { people: timesMs.length }, wrong };
  });
  const p95 = { id: 'one.p95', name: 'the same, 95th percentile' };
  await figures.measure({ ...p95, unit: 'ms', aim: { atMost: 5 } }, async () => {
    if (timesMs.length === 0) return new Skipped('nobody joined');
    return { value: quantile(timesMs, 0.95), details: { slowest: rounded(Math.max(...timesMs)) } };
  });
}

/** People who are not in the group, in no order of theirs. */
async function strangers({ inspector, large, edited }: World, most: number): Promise<UserId[]> {
  const rows = await inspector.rows<{ id: UserId }>(
    `select u.id from users u
     where u.tenant_id = $1 and not exists (
       select from memberships m where m.tenant_id = u.tenant_id and m.user_id = u.id and m.group_id = $2)
     order by md5(u.id::text) limit $3`,
    large.tenantId,
    edited.groupId,
    most,
  );
  return rows.map(({ id }) => id);
}

/** The same database; from BEGIN to COMMIT of each transaction the clock runs. */
function timing(database: Database): { database: Database; spentMs(): number } {
  let spentMs = 0;
  const withConnection: Database['withConnection'] = (work, holder) =>
    database.withConnection(async (connection) => {
      const started = performance.now();
      try {
        return await work(connection);
      } finally {
        spentMs += performance.now() - started;
      }
    }, holder);
  return { database: { ...database, withConnection }, spentMs: () => spentMs };
}
