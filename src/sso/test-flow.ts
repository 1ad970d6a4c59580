/** An admin tries a connection: a login runs as any does, and ends in a report. */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { type ConnectionId, newId, parseId, type TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { hashToken, newToken } from '../kernel/token.ts';
import { unknownConnection } from './connection-flow.ts';
import { lockConnection } from './connection-store.ts';
import { noStepUp } from './core/asked.ts';
import { Refusal } from './core/refusal.ts';
import { refusedReport } from './settle-login-flow.ts';
import { type Begun, type Start, startLogin } from './start-login-flow.ts';
import { countTests, insertTest, takeTest, writeReport } from './test-store.ts';

const [minuteMs, hourMs] = [60_000, 3_600_000];

/** Also of a connection that is switched off. @throws Fault `not_found`; `conflict` where there are too many in an hour. */
export async function createTest(
  database: Database,
  door: Door,
  publicUrl: string,
  connectionId: ConnectionId,
): Promise<{ id: string; url: string; beginUntil: Date }> {
  const { now, tenantId } = door;
  const [id, token] = [newId<string>(now.getTime()), `${tenantId}.${newToken('login')}`];
  const beginUntil = new Date(now.getTime() + limits.loginMinutesMax * minuteMs);
  await inTenant(database, tenantId, async (tx) => {
    // Under the lock, so that of several that are begun at once none is one too many.
    const [connection, count] = await Promise.all([
      lockConnection(tx, connectionId),
      countTests(tx, connectionId),
    ]);
    if (connection === undefined) throw unknownConnection(connectionId);
    if (count >= limits.connectionTestsPerHourMax) {
      const text = `A connection is tested at most ${limits.connectionTestsPerHourMax} times in an hour: wait.`;
      throw new Fault('conflict', text);
    }
    const expiresAt = new Date(now.getTime() + hourMs);
    insertTest(tx, { id, connectionId, hash: hashToken(token), createdAt: now, beginUntil, expiresAt });
    appendAudit(tx, door, [{ action: 'connection.tested', subject: connectionId, after: { test: id } }]);
  });
  return { id, url: `${publicUrl}/sso/test/${token}`, beginUntil };
}

/** Once. @param token As the address has it. @throws Fault `not_found`; as `startLogin` does. */
export async function beginTest(start: Start, token: string): Promise<Begun> {
  const now = start.clock.now();
  const tenantId = parseId<TenantId>(token.split('.')[0] ?? '');
  const test =
    tenantId && (await inTenant(start.database, tenantId, (tx) => takeTest(tx, hashToken(token), now)));
  if (tenantId === undefined || test === undefined) {
    throw new Fault('not_found', 'There is no such test, or it is over: begin another one.');
  }
  const place = { tenantId, connectionId: test.connectionId };
  const asked = { returnTo: null, stepUp: noStepUp };
  return await startLogin(start, place, asked, { testId: test.id }).catch(async (error: unknown) => {
    const refusal = error instanceof Fault ? error.cause : undefined;
    if (refusal instanceof Refusal) {
      const report = refusedReport({ at: now, steps: [], claims: new Map() }, refusal);
      await inTenant(start.database, tenantId, async (tx) => writeReport(tx, test.id, report));
    }
    throw error;
  });
}
