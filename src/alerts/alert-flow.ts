/**
 * Raises alerts: a look at a tenant is one transaction that locks what has been raised, reads the seats, and writes down what
 * is due now. It happens beside the requests, never in one.
 */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { newId, type TenantId } from '../kernel/ids.ts';
import { type Alert, type DueAlerts, dueAlerts, nextLook } from '../licensing/alert.ts';
import { dayOf } from '../licensing/forecast.ts';
import { messageOf, type Scarcity } from './alert-message.ts';
import {
  type AlertItem,
  acknowledge,
  closeOver,
  extendAlert,
  findAlertWork,
  insertAlert,
  lockRaised,
  type StoredAlert,
  selectAlert,
  selectPoolSeen,
  writeLook,
} from './alert-store.ts';
import { connectionFacts } from './connection-facts-flow.ts';
import { forecastOf } from './forecast-flow.ts';
import { selectScarcity } from './scarcity-store.ts';
import { selectSeatDays, writeSeatDay } from './seat-day-store.ts';

/** What comes up within this time is one record. */
const digestMs = 5 * 60_000;

/**
 * Looks at the tenants for whom something changed, or a new day began. Answers how many there were.
 *
 * @throws AggregateError of the tenants for which it failed, after the others were looked at.
 */
export async function raiseAlerts(database: Database, now: Date, most: number): Promise<number> {
  const found = await findAlertWork(database, now, most);
  const failures: unknown[] = [];
  for (const tenantId of found) {
    await lookAt(database, tenantId, now).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) {
    throw new AggregateError(failures, `alerts of ${failures.length} of ${found.length} tenants failed`);
  }
  return found.length;
}

async function lookAt(database: Database, tenantId: TenantId, now: Date): Promise<void> {
  const door: Door = { tenantId, actor: { kind: 'system', rule: 'alerts' }, now, requestId: null };
  await inTenant(database, tenantId, async (tx) => {
    const [before, seen, days, connections] = await Promise.all([
      lockRaised(tx),
      selectPoolSeen(tx),
      selectSeatDays(tx),
      connectionFacts(tx),
    ]);
    // Once a day: it takes a while to reckon, and seats may change every second.
    const forecast = before.lookAt <= now ? forecastOf(tenantId, seen, days, now) : null;
    const { causes, raised, standing } = dueAlerts({ ...seen, forecast, connections }, before, now);
    const { held, overage, onHold } = seen.usage;
    writeSeatDay(tx, dayOf(now), held + overage + onHold);
    writeLook(tx, seen, raised, nextLook(now));
    // What rises anew in the same look is another alert.
    if (standing.length < before.marks.length) await close(tx, door, standing);
    if (causes.size > 0) await record(tx, door, causes);
  });
}

async function close(tx: TenantTransaction, door: Door, standing: readonly string[]): Promise<void> {
  const closed = await closeOver(tx, standing, door.now);
  appendAudit(
    tx,
    door,
    closed.map((subject) => ({ action: 'alert.over', subject })),
  );
}

async function record(tx: TenantTransaction, door: Door, causes: DueAlerts['causes']): Promise<void> {
  const { now } = door;
  const isFull = [...causes.keys()].some((alert) => alert.kind === 'seats_used' && alert.percent === 100);
  const scarcity = isFull ? await selectScarcity(tx) : null;
  const items = [...causes].map(([alert, marks]) => itemOf(alert, { marks, scarcity, now }));
  const extended = await extendAlert(tx, items, new Date(now.getTime() - digestMs), now);
  const id = extended ?? newId<string>(now.getTime());
  if (extended === undefined) insertAlert(tx, id, items, now);
  appendAudit(tx, door, [{ action: 'alert.raised', subject: id, after: { items } }]);
}

interface Telling {
  marks: readonly string[];
  scarcity: Scarcity | null;
  now: Date;
}

function itemOf(alert: Alert, { marks, scarcity, now }: Telling): AlertItem {
  const { kind, ...detail } = alert;
  const isFull = kind === 'seats_used' && alert.percent === 100;
  const about = isFull ? scarcity : null;
  return {
    kind,
    marks,
    at: now.toISOString(),
    message: messageOf(alert, about),
    // When people last signed in is not known yet.
    detail: about === null ? detail : { ...detail, ...about, lastSignIns: 'unknown' },
  };
}

/**
 * Notes that somebody has taken notice; a second time changes nothing.
 *
 * @throws Fault `not_found`.
 */
export async function acknowledgeAlert(database: Database, door: Door, id: string): Promise<StoredAlert> {
  return await inTenant(database, door.tenantId, async (tx) => {
    const done = await acknowledge(tx, id, door.actor, door.now);
    if (done !== undefined) {
      appendAudit(tx, door, [{ action: 'alert.acknowledged', subject: id }]);
      return done;
    }
    const known = await selectAlert(tx, id);
    if (known === undefined) throw new Fault('not_found', `There is no alert ${id}.`);
    return known;
  });
}
