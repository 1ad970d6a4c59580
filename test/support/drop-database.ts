/** Drops a database that somebody may still be connected to. */

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const triesMax = 50;

/** Ends the connections to it; a worker of the server itself, such as autovacuum, is waited for. */
export async function dropDatabase(client: pg.Client, name: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.query(`drop database if exists ${name} with (force)`);
      return;
    } catch (error) {
      if (!(error instanceof pg.DatabaseError && error.code === '42501') || attempt === triesMax) throw error;
      await sleep(200);
    }
  }
}
