/** The database is made to forget answered creations, also where it was away when they were answered. */

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Connection, Database } from '../../src/db/database.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { CreationLedger } from '../../src/scim/creation-hook.ts';

const [tenant, id] = ['00000000-0000-7000-8000-00000000000a' as TenantId, 'made'];

/** Away for the first calls; `forgotten` holds what it was told after. */
function away(calls: number) {
  const forgotten: unknown[] = [];
  let left = calls;
  const send = async (text: string, values: readonly unknown[] = []) => {
    if (text.startsWith('delete')) forgotten.push(values.at(-1));
    return { rows: [], rowCount: 0, command: text };
  };
  const connection = { broken: false, send } as unknown as Connection;
  const database: Database = {
    run: () => Promise.reject(new Error('not used')),
    withConnection: async (work) => {
      left -= 1;
      if (left >= 0) throw new Error('Connection terminated');
      return await work(connection);
    },
    close: async () => {},
  };
  return { database, forgotten };
}

it('an answered creation stays answered until the database has forgotten it', async () => {
  const { database, forgotten } = away(1);
  const ledger = new CreationLedger(database, { warn: () => {} });
  ledger.begin(tenant, id);
  ledger.settle(id, true);
  await sleep(600);
  expect([ledger.fateOf(id), forgotten]).toEqual(['answered', []]);
  await sleep(2500);
  expect([ledger.fateOf(id), forgotten]).toEqual(['elsewhere', [[id]]]);
});

it('a ledger that stops does not wait for a database that is away', async () => {
  const { database } = away(100);
  const ledger = new CreationLedger(database, { warn: () => {} });
  ledger.begin(tenant, id);
  ledger.settle(id, true);
  await ledger.stop();
  expect(ledger.fateOf(id)).toBe('answered');
});
