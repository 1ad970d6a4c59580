/** What the trail says of what was sent to Blue: one entry an action that Blue accepted. */

import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { syncNow } from '../../src/blue/sync-flow.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { UserId } from '../../src/kernel/ids.ts';
import { day } from '../demo/blue-double/support.ts';
import { type BlueTenant, type Stage, stage } from './sync-support.ts';

let s: Stage;
beforeAll(async () => {
  s = await stage();
});
afterAll(() => s.close());

interface Entry {
  action: string;
  before: unknown;
  after: unknown;
}

/** What was sent for the person, oldest first. */
function trail(t: BlueTenant, id: UserId): Promise<Entry[]> {
  return inTenant(s.test.database, t.tenantId, (tx) =>
    tx.run(sql<Entry>`
      select action, before, after from audit_events
      where tenant_id = ${tx.tenantId} and subject = ${id} and actor = '{"kind": "system", "rule": "sync"}' order by seq
    `),
  );
}

const address = 'ann@acme.example';

it('an invitation is sent, sent again and withdrawn', async () => {
  const t = await s.tenant();
  const { group } = await t.role('client', ['w1', 'w2']);
  const ann = await t.user('ann', [group]);
  await t.sync();
  const invited = { workspaces: ['w1', 'w2'], level: 'CLIENT', customRole: null, address };
  expect(await trail(t, ann)).toEqual([{ action: 'blue.invited', before: null, after: invited }]);
  t.clock.advance(8 * day);
  await t.sync();
  await t.revise(ann, { active: false });
  await t.sync();
  const one = (action: string, workspace: string) => ({
    ...{ action, before: null, after: { workspaces: [workspace], level: 'CLIENT', address } },
  });
  expect((await trail(t, ann)).slice(1)).toEqual([
    one('blue.invitation_resent', 'w1'),
    one('blue.invitation_resent', 'w2'),
    one('blue.invitation_cancelled', 'w1'),
    one('blue.invitation_cancelled', 'w2'),
  ]);
});

it('a member is given another role, another workspace, and is taken out', async () => {
  const t = await s.tenant({ connection: { deactivation: 'leave_organization' } });
  const [member, reviewer] = [await t.role('team_member'), await t.role('custom:Reviewer', ['w1'])];
  const more = await t.role('client', ['w2']);
  const ann = await t.user('ann', [member.group]);
  await t.sync();
  t.double.state.accept(address);
  await syncNow(t.services, t.door(), { drift: true });
  await t.edit(reviewer.group, [ann], []);
  await t.edit(member.group, [], [ann]);
  await t.sync();
  await t.edit(more.group, [ann], []);
  await t.sync();
  await t.revise(ann, { active: false });
  await t.sync();
  const [plain, custom, client] = [
    { workspaces: ['w1'], level: 'MEMBER', customRole: null },
    { workspaces: ['w1'], level: 'MEMBER', customRole: 'Reviewer' },
    { workspaces: ['w2'], level: 'CLIENT', customRole: null },
  ];
  const gone = { scope: 'organization', workspaces: ['w1', 'w2'], address };
  expect((await trail(t, ann)).slice(1)).toEqual([
    { action: 'blue.level_changed', before: plain, after: { ...custom, address } },
    { action: 'blue.added', before: null, after: { ...client, address } },
    { action: 'blue.removed', before: [custom, client], after: gone },
  ]);
});

it('what Blue refused is not in it', async () => {
  const t = await s.tenant();
  const { group } = await t.role('team_member');
  await t.sync();
  const ann = await t.user('ann', [group]);
  t.double.state.faults.order({ kind: 'seats_full' }, { operation: 'inviteUser' });
  await t.sync();
  expect(await t.blue(ann)).toBe('refused PLAN_LIMIT_REACHED');
  expect(await trail(t, ann)).toEqual([]);
});
