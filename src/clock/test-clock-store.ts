/** The row that says how far the clock was moved. It is always there; without TEST_CLOCK nobody reads it. */

import { sql } from 'kysely';
import { type Database, db } from '../db/database.ts';
import { assert } from '../kernel/assert.ts';
import type { ClockSetting } from '../kernel/clock.ts';

export async function selectClockSetting(database: Database): Promise<ClockSetting> {
  const [row] = await database.run(db.selectFrom('test_clock').select(['offset_ms', 'revision']));
  assert(row !== undefined, 'the migration made the row');
  return { offsetMs: row.offset_ms, revision: row.revision };
}

/** Answers the setting as it is now, and the offset that it replaces: of two writers the second is told the first one's. */
export async function writeClockOffset(
  database: Database,
  offsetMs: number,
): Promise<ClockSetting & { offsetMsBefore: number }> {
  const [row] = await database.run(sql<{ revision: number; before: number }>`
    update test_clock set offset_ms = ${offsetMs}, revision = test_clock.revision + 1
    from (select offset_ms from test_clock for update) as old
    returning test_clock.revision, old.offset_ms as before
  `);
  assert(row !== undefined, 'the migration made the row');
  return { offsetMs, revision: row.revision, offsetMsBefore: row.before };
}
