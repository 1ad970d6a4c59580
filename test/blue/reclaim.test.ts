/** Whether people are active in Blue, as its list says (lastActiveAt): whose seat lies idle, and who has come back. */

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { UserId } from '../../src/kernel/ids.ts';
import { reclaimDue } from '../../src/provisioning/reclaim-flow.ts';
import { selectReclaim } from '../../src/provisioning/reclaim-store.ts';
import { putSettings } from '../../src/provisioning/settings-flow.ts';
import { defaultSettings } from '../../src/tenants/settings.ts';
import { day } from '../demo/blue-double/support.ts';
import { type BlueTenant, type Stage, stage } from './sync-support.ts';

let s: Stage;
let t: BlueTenant;
let ann: UserId;

beforeAll(async () => {
  s = await stage();
});
afterAll(() => s.close());

/** Ann and Ben are members of Blue by a seat each; amy and max have theirs without the gateway, as has the owner. */
beforeEach(async () => {
  t = await s.tenant({ paidSeats: 5 });
  await putSettings(s.test.database, t.door(), { ...defaultSettings, reclaimDays: 20 });
  const { group } = await t.role('team_member');
  ann = await t.user('ann', [group]);
  await t.user('ben', [group]);
  await t.sync();
  for (const name of ['ann', 'ben']) t.double.state.accept(`${name}@acme.example`);
  await pass(1);
});

/** Each day the lists are read, and the seats looked at. */
async function pass(days: number): Promise<void> {
  for (let n = 0; n < days; n += 1) {
    t.clock.advance(day);
    t.double.state.use('ben@acme.example');
    await t.sync();
    await look();
    await t.sync();
  }
}

async function look(): Promise<number> {
  const now = t.clock.now();
  let looks = 0;
  while ((await reclaimDue(s.test.database, { now, realNow: now }, 100)) > 0) looks += 1;
  return looks;
}

async function caseOf(id: UserId) {
  return await inTenant(s.test.database, t.tenantId, (tx) => selectReclaim(tx, id));
}

it('who is active there keeps the seat, and whose seat is taken keeps a free role', async () => {
  const used = t.clock.now();
  t.double.state.use('ann@acme.example', used);
  await pass(19);
  expect(await caseOf(ann)).toBeUndefined();
  await pass(1);
  expect(await caseOf(ann)).toMatchObject({ state: 'noticed', lastSeenAt: used, seenAt: used });
  await pass(14);
  expect((await caseOf(ann))?.state).toBe('taken');
  // The contract's fallback is none here.
  expect(t.held()).toEqual(['ben MEMBER']);
});

it('a sign of life ends the notice', async () => {
  await pass(22);
  expect((await caseOf(ann))?.state).toBe('noticed');
  t.double.state.use('ann@acme.example');
  await pass(1);
  expect((await caseOf(ann))?.state).toBe('withdrawn');
  await pass(14);
  expect(t.held()).toEqual(['ann MEMBER', 'ben MEMBER']);
});

it('a sign of life after the taking brings the seat back at the next reading', async () => {
  await pass(35);
  expect([(await caseOf(ann))?.state, t.held()]).toEqual(['taken', ['ben MEMBER']]);
  t.double.state.use('ann@acme.example');
  await pass(1);
  expect([(await caseOf(ann))?.state, t.held()]).toEqual(['returned', ['ann MEMBER', 'ben MEMBER']]);
});

it('nobody is asked while Blue is silent, or was not read since a downtime', async () => {
  t.clock.advance(60 * day);
  expect(await look()).toBe(0);
  t.double.state.use('ann@acme.example');
  await t.sync();
  expect(await look()).toBeGreaterThan(0);
  expect(await caseOf(ann)).toBeUndefined();
});
