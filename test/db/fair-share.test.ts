/** One tenant that keeps the database busy leaves connections to the others. */

import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { FairShare } from '../../src/db/fair-share.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { cloneDatabase } from '../support/database.ts';

let own: Awaited<ReturnType<typeof cloneDatabase>>;
let database: Database;
beforeAll(async () => {
  own = await cloneDatabase();
  database = openDatabase({ url: own.url, poolSize: 4 });
});
afterAll(async () => {
  await database.close();
  await own.drop();
});

const [busy, other] = ['a', 'b'].map((digit) => `00000000-0000-7000-8000-00000000000${digit}` as TenantId);

it('a tenant whose transactions are long stands in the way of no other', async () => {
  const nap = () => inTenant(database, busy as TenantId, (tx) => tx.run(sql`select pg_sleep(0.5)`));
  const naps = Array.from({ length: 12 }, nap);
  const begin = performance.now();
  await inTenant(database, other as TenantId, (tx) => tx.run(sql`select 1`));
  expect(performance.now() - begin).toBeLessThan(400);
  await Promise.all(naps);
  // Three at a time.
  expect(performance.now() - begin).toBeGreaterThan(1900);
});

it('a share is given in the order of asking, and to the next after a failure', async () => {
  const share = new FairShare(2, 1000);
  const seen: number[] = [];
  let most = 0;
  let held = 0;
  const results = await Promise.allSettled(
    Array.from({ length: 9 }, (_, n) =>
      share.hold('a', async () => {
        held += 1;
        most = Math.max(most, held);
        await new Promise((done) => setTimeout(done, 2));
        held -= 1;
        seen.push(n);
        if (n % 3 === 0) throw new Error('fails');
      }),
    ),
  );
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect([seen.length, most, held]).toEqual([9, 2, 0]);
  expect(results.filter(({ status }) => status === 'rejected').length).toBe(3);
});

it('who waits too long is told so, and takes nobody else the place', async () => {
  const share = new FairShare(1, 20);
  let release = () => {};
  const first = share.hold('a', () => new Promise<void>((done) => (release = done)));
  await expect(share.hold('a', async () => {})).rejects.toThrow('timeout');
  await share.hold('b', async () => {});
  release();
  await first;
  expect(await share.hold('a', async () => 'in')).toBe('in');
});
