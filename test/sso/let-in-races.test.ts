/** Somebody who has signed in before does so again while their connection, or they themselves, are being changed. */

import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { ConnectionId, UserId } from '../../src/kernel/ids.ts';
import { revocationNow } from '../../src/sessions/revocation-store.ts';
import { deleteSessionsOfUserAt } from '../../src/sessions/session-store.ts';
import { answer } from '../provisioning/log-in.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld } from '../support/tenants.ts';

let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 4 });
});
afterAll(() => test.close());

const lock = sql`select from sso_connections for update`;

it.each([
  { what: 'the connection is only locked', changes: [lock], ...{ end: 'signed_in', sessions: 2 } },
  {
    what: 'the connection is switched off',
    changes: [lock, sql`update sso_connections set enabled = false`],
    ...{ end: 'disabled', sessions: 1 },
  },
  {
    what: 'the connection gets other settings',
    changes: [lock, sql`update sso_connections set settings = '{}'`],
    ...{ end: 'disabled', sessions: 1 },
  },
  {
    what: 'the connection is removed',
    changes: [lock, sql`delete from sso_connections`],
    ...{ end: 'disabled', sessions: 0 },
  },
  {
    what: 'the person is changed',
    changes: [sql`update users set version = version + 1`],
    ...{ end: 'signed_in', sessions: 2 },
  },
  {
    what: 'the person is deactivated',
    changes: [sql`update users set active = false`],
    ...{ end: 'inactive', sessions: 1 },
  },
])('$what: $end', async ({ changes, end, sessions }) => {
  const world = await newWorld(test.database);
  expect((await answer(world, 0, [])).kind).toBe('signed_in');
  let login: ReturnType<typeof answer> | undefined;
  await inTenant(test.database, world.tenantId, async (tx) => {
    await Promise.all(changes.map((change) => tx.run(change)));
    login = answer(world, 0, []);
    // It comes to the row, and waits for this to end.
    await sleep(200);
  });
  const outcome = await login;
  expect(outcome?.kind === 'refused' ? outcome.reason : outcome?.kind).toBe(end);
  const [written] = await inTenant(test.database, world.tenantId, (tx) =>
    tx.run(sql`
      select (select count(*) from sso_sessions) as sessions,
        (select count(*) from sso_logins where reason is null) as traces,
        (select count(*) from sso_logins where reason is not null) as refusals`),
  );
  const refusals = end === 'signed_in' ? 0 : 1;
  expect(written).toEqual({ sessions, traces: 2 - refusals, refusals });
});

it('the person’s sessions are ended: revoked', async () => {
  const world = await newWorld(test.database);
  expect((await answer(world, 0, [])).kind).toBe('signed_in');
  const clock = { now: () => world.now };
  let login: ReturnType<typeof answer> | undefined;
  await inTenant(test.database, world.tenantId, async (tx) => {
    const [link] = await tx.run(sql<{ user: UserId; connection: ConnectionId }>`
      select user_id as "user", connection_id as "connection" from sso_links`);
    if (link === undefined) throw new Error('nobody signed in');
    await tx.run(lock);
    login = answer(world, 0, []);
    // It waits before anything is read of what follows.
    await sleep(200);
    deleteSessionsOfUserAt(tx, link.user, link.connection, revocationNow({ clock, realClock: clock }));
  });
  expect(await login).toMatchObject({ kind: 'refused', reason: 'revoked' });
  const left = await inTenant(test.database, world.tenantId, (tx) => tx.run(sql`select from sso_sessions`));
  expect(left).toEqual([]);
});
