/** Keeps writers apart by hand: they meet at a row. */

import type { Connection } from '../../src/db/database.ts';
import type { TestWorld } from '../support/tenants.ts';

/** Runs `work` while another transaction holds the row; what was begun in it is let go together. */
export async function whileLocked(
  { database, tenantId }: TestWorld,
  table: 'users' | 'groups',
  id: string,
  work: () => Promise<unknown>[],
) {
  const waiting: Promise<unknown>[] = [];
  await database.withConnection(async (connection: Connection) => {
    await connection.send('begin');
    await connection.send(`select set_config('app.tenant_id', $1, true)`, [tenantId]);
    await connection.send(`set local role blue_gateway_request`);
    await connection.send(`select 1 from ${table} where tenant_id = $1 and id = $2 for update`, [
      tenantId,
      id,
    ]);
    for (const one of work()) {
      waiting.push(one);
      // Locks are granted in the order in which they are asked for.
      await new Promise((done) => setTimeout(done, 100));
    }
    await connection.send('commit');
  });
  return await Promise.all(waiting);
}
