/**
 * Edits that wait for a second person are not carried out over what was changed since they were asked for: of each op, what counts as
 * changed; and of two that are approved at once.
 */

import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readContract } from '../../src/admin/contract-form.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { putContract } from '../../src/provisioning/contract-flow.ts';
import { approveRequest } from '../../src/provisioning/edit-gate-flow.ts';
import { changingActions } from '../../src/provisioning/replaced.ts';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';
import type { Call, Scene } from './waiting-edits.ts';
import { amendment, blue, contract, free, newScene, paid, pin, settings } from './waiting-edits.ts';

let gateway: TestGateway;
let database: Database;
let other: string;
let scene: Scene;

beforeAll(async () => {
  gateway = await startGateway();
  database = openDatabase({ url: gateway.databaseUrl, poolSize: 2 });
  other = (await made(gateway.api('POST', '/operators', { name: 'second' }))).key;
});
afterAll(async () => {
  await database.close();
  await gateway.close();
});
beforeEach(async () => {
  scene = await newScene(gateway, other);
});

const read = (path: string) => made(scene.call('GET', path));
/** The newest of the trail. Alerts are looked for beside the requests. */
const entries = async (): Promise<{ action: string }[]> =>
  (await read('/audit?limit=20')).items.filter(
    ({ action }: { action: string }) => !action.startsWith('alert.'),
  );
const requestOf = (id: string) => read(`/edit-requests/${id}`);
const underTheRule = () => made(scene.call('PUT', '/settings', settings()));

/** What is done before the rule stands, asked for, and done meanwhile: by two people where that is needed. */
type Story = [first: () => Promise<unknown> | unknown, asked: Step, meanwhile: Step];
type Step = () => Promise<Call> | Call;

async function askedAndChanged([first, asked, meanwhile]: Story): Promise<string> {
  await first();
  await underTheRule();
  const id = await scene.ask(...(await asked()));
  const { status, body } = await scene.call(...(await meanwhile()));
  expect(status, JSON.stringify(body)).toBeLessThan(300);
  if (status === 202) await made(scene.approve(body.id));
  return id;
}

const nothing = () => {};
const amended = () => made(scene.call('POST', '/contract/amendments', amendment(4)));
const drafted = () => made(scene.call('POST', '/mapping-drafts', { name: 'D', mappings: [] }));
const pinned = () => made(scene.call('PUT', ofUser(0), pin('client')));
/** Wherever it holds it comes before the paid role. */
const freeFirst = () =>
  made(scene.call('PUT', ofMapping('freeId'), { ...free, workspaces: ['*'], priority: 1 }));

const ofUser = (which: number) => `/users/${scene.userIds[which]}/pin`;
const ofMapping = (which: 'paidId' | 'freeId') => `/mappings/${scene[which]}`;
const ofLine = async () => `/contract/lines/${(await read('/contract/amendments')).items[0].id}`;
const ofDraft = async () => `/mapping-drafts/${(await read('/mapping-drafts')).items[0].id}`;
const inOrder = async (...first: string[]) => {
  const ids = (await read('/mappings')).items.map(({ id }: { id: string }) => id);
  return { ids: [...first, ...ids.filter((id: string) => !first.includes(id))] };
};
const contractAsked: Step = () => ['PUT', '/contract', contract(20)];
const pinAsked: Step = () => ['PUT', ofUser(0), pin('team_member')];
const shareAsked: Step = () => ['PUT', '/sub-pools/ops', { seats: 3 }];
const freeMoves: Step = () => ['PUT', ofMapping('freeId'), { ...free, priority: 9 }];
const stricter: Step = () => ['PUT', '/settings', settings({ order: 'strict' })];

const outdated: Record<string, [action: string, ...Story]> = {
  'The contract': ['contract.written', nothing, contractAsked, () => ['PUT', '/contract', contract(30)]],
  'The contract, by a line of it': [
    'contract.amended',
    nothing,
    contractAsked,
    () => ['POST', '/contract/amendments', amendment(20)],
  ],
  'The contract, whose line was withdrawn already': [
    'contract.line_withdrawn',
    amended,
    async () => ['DELETE', await ofLine()],
    async () => ['DELETE', await ofLine()],
  ],
  'The settings': [
    'settings.written',
    nothing,
    () => ['PUT', '/settings', settings({ twoPersonRule: false })],
    stricter,
  ],
  'The mapping': [
    'mapping.updated',
    nothing,
    () => ['PUT', ofMapping('paidId'), { ...paid, role: 'client' }],
    () => ['PUT', ofMapping('paidId'), { ...paid, priority: 8 }],
  ],
  'The mapping, by another order of all': [
    'mapping.reordered',
    nothing,
    () => ['DELETE', ofMapping('paidId')],
    async () => ['POST', '/mappings/reorder', await inOrder(scene.paidId, scene.freeId)],
  ],
  'The mappings, in their order': [
    'mapping.updated',
    nothing,
    async () => ['POST', '/mappings/reorder', await inOrder(scene.freeId)],
    freeMoves,
  ],
  'The mappings, of which a version is to return': [
    'mapping.created',
    nothing,
    () => ['POST', '/mapping-versions/1/rollback', {}],
    () => ['POST', '/mappings', { ...free, group: { displayName: 'More' }, priority: 9 }],
  ],
  'The draft, or the mappings that it replaces,': [
    'mapping.updated',
    drafted,
    async () => ['POST', `${await ofDraft()}/activate`, { rebase: true }],
    freeMoves,
  ],
  'The draft, or the mappings that it replaces, written anew': [
    'mapping_draft.updated',
    drafted,
    async () => ['POST', `${await ofDraft()}/activate`, {}],
    async () => ['PUT', await ofDraft(), { name: 'D', mappings: [] }],
  ],
  'The draft, or the mappings that it replaces, at another time': [
    'mapping_draft.scheduled',
    drafted,
    async () => ['POST', `${await ofDraft()}/activate`, {}],
    async () => ['POST', `${await ofDraft()}/activate`, { at: '2098-01-01T00:00:00Z' }],
  ],
  'The sub-pool': ['sub_pool.written', nothing, shareAsked, () => ['PUT', '/sub-pools/ops', { seats: 1 }]],
  'The pin of this person, come to be there': [
    'pin.set',
    nothing,
    pinAsked,
    () => ['PUT', ofUser(0), pin('client')],
  ],
  'The pin of this person, taken away': ['pin.removed', pinned, pinAsked, () => ['DELETE', ofUser(0)]],
  'The connection to Blue': [
    'blue.written',
    freeFirst,
    () => ['PUT', '/blue', blue(['w1', 'w2'])],
    () => ['PUT', '/blue', blue(['w2'], { drift: 'repair' })],
  ],
};

describe('an edit is outdated by a change since it was asked for, and ends', () => {
  it.each(Object.entries(outdated))('%s', async (what, [action, ...story]) => {
    const id = await askedAndChanged(story);
    const [newest] = await entries();
    const { status, body } = await scene.approve(id);
    expect([status, body.code], body.detail).toEqual([409, 'conflict']);
    const [, subject, told] =
      /^(.*) changed after this edit was asked for \((\S+) by .* at \S+Z\)/.exec(body.detail) ?? [];
    expect([what.startsWith(String(subject)), told], body.detail).toEqual([true, action]);
    expect(await requestOf(id)).toMatchObject({ state: 'outdated', decidedBy: { name: 'second' } });
    // Nothing else was done.
    expect((await entries()).slice(0, 2)).toMatchObject([
      { action: 'edit.outdated', subject: id, after: { detail: body.detail } },
      newest,
    ]);
    expect((await scene.approve(id)).body.detail).toContain('is outdated: ask again');
  });
});

const standing: Record<string, Story> = {
  'an amendment, by another one': [
    nothing,
    () => ['POST', '/contract/amendments', amendment(20)],
    () => ['POST', '/contract/amendments', amendment(21)],
  ],
  'a pin, by that of another person': [nothing, pinAsked, () => ['PUT', ofUser(1), pin('client')]],
  'a mapping, by another one': [nothing, () => ['DELETE', ofMapping('paidId')], freeMoves],
  'a sub-pool, by another one': [nothing, shareAsked, () => ['PUT', '/sub-pools/sales', { seats: 0 }]],
  'the contract, by the settings': [nothing, contractAsked, stricter],
};

describe('an edit is not outdated', () => {
  it.each(Object.entries(standing))('%s', async (_what, story) => {
    const id = await askedAndChanged(story);
    await made(scene.approve(id));
    expect((await requestOf(id)).state).toBe('approved');
  });

  it('where it was asked for before that was looked at', async () => {
    await underTheRule();
    const id = await scene.ask(...(await contractAsked()));
    await inTenant(database, scene.tenant.tenantId as TenantId, async (tx) =>
      tx.send(sql`update edit_requests set replaces = null where id = ${id}`),
    );
    await made(scene.approve(await scene.ask('PUT', '/contract', contract(30))));
    await made(scene.approve(id));
  });
});

it('a contract that was signed ahead is not carried out once its first day has come', async () => {
  await underTheRule();
  const today = new Date();
  const next = new Date(today.getTime() + 86_400_000).toISOString().slice(0, 10);
  const id = await scene.ask('PUT', '/contract', { ...contract(20), startsOn: next });
  await inTenant(database, scene.tenant.tenantId as TenantId, async (tx) =>
    tx.send(sql`update edit_requests set created_at = created_at - interval '3 days',
      replaces = jsonb_set(replaces, '{from}', ${JSON.stringify(today.toISOString().slice(0, 10))}::jsonb) where id = ${id}`),
  );
  const { status, body } = await scene.approve(id);
  expect([status, body.code]).toEqual([409, 'conflict']);
  expect(body.detail).toContain('which has come since this edit was asked for');
  expect((await requestOf(id)).state).toBe('outdated');
  expect((await read('/seats')).capacity).toBe(4);
});

it('an edit that was made is approved, whatever fails after it', async () => {
  await underTheRule();
  const id = await scene.ask(...(await contractAsked()));
  const second = { kind: 'operator', id: 'b', name: 'second' } as const;
  const actor = { kind: 'operator', id: 'a', name: 'first', approvedBy: second } as const;
  const door = { tenantId: scene.tenant.tenantId as TenantId, now: new Date(), requestId: null };
  const dying = approveRequest(database, { ...door, actor: second, lineage: ['b'] }, id, async () => {
    const draft = readContract(contract(20) as Parameters<typeof readContract>[0]);
    await putContract(database, { ...door, actor, approval: { requestId: id, begunAt: door.now } }, draft);
    throw new Error('the answer is lost');
  });
  await expect(dying).rejects.toThrow('the answer is lost');
  expect(await requestOf(id)).toMatchObject({ state: 'approved', decidedBy: { name: 'second' } });
  expect((await entries())[0]).toMatchObject({ action: 'edit.approved', subject: id });
  expect((await read('/seats')).capacity).toBe(20);
});

it('an approval whose process died is begun anew, after five minutes', async () => {
  await underTheRule();
  const id = await scene.ask(...(await contractAsked()));
  const begin = (ago: string) =>
    inTenant(database, scene.tenant.tenantId as TenantId, async (tx) =>
      tx.send(
        sql`update edit_requests set state = 'applying', decided_at = now() - ${ago}::interval where id = ${id}`,
      ),
    );
  await begin('4 minutes');
  expect((await scene.approve(id)).status).toBe(409);
  await begin('6 minutes');
  await made(scene.approve(id));
  expect((await read('/seats')).capacity).toBe(20);
});

it('an approval that comes late makes nothing once the request was decided otherwise', async () => {
  await underTheRule();
  const id = await scene.ask(...(await contractAsked()));
  const second = { kind: 'operator', id: 'b', name: 'second' } as const;
  const actor = { kind: 'operator', id: 'a', name: 'first', approvedBy: second } as const;
  const begunAt = new Date(Date.now() - 6 * 60_000);
  const door = { tenantId: scene.tenant.tenantId as TenantId, now: begunAt, requestId: null };
  const late = approveRequest(database, { ...door, actor: second, lineage: ['b'] }, id, async () => {
    expect((await scene.call('POST', `/edit-requests/${id}/refuse`)).status).toBe(200);
    const draft = readContract(contract(20) as Parameters<typeof readContract>[0]);
    await putContract(database, { ...door, actor, approval: { requestId: id, begunAt } }, draft);
    return { isMade: true, answer: null };
  });
  await expect(late).rejects.toThrow('was decided otherwise meanwhile');
  expect((await requestOf(id)).state).toBe('refused');
  expect((await read('/seats')).capacity).toBe(4);
});

it('of two that are approved at once, one is carried out', async () => {
  await underTheRule();
  const asked = [20, 30];
  const ids: string[] = [];
  for (const seats of asked) ids.push(await scene.ask('PUT', '/contract', contract(seats)));
  const answers = await whilePoolIsLocked(() => ids.map(scene.approve));
  const done = answers.findIndex(({ status }) => status === 200);
  const late = answers[1 - done];
  expect([late?.status, late?.body.code]).toEqual([409, 'conflict']);
  expect(late?.body.detail).toMatch(/^The contract changed after this edit was asked for/);
  expect((await requestOf(ids[done] ?? '')).state).toBe('approved');
  expect((await requestOf(ids[1 - done] ?? '')).state).toBe('outdated');
  expect((await read('/seats')).capacity).toBe(asked[done]);
});

/** Lets the pool go once all that was begun waits for it. */
async function whilePoolIsLocked<T>(begin: () => Promise<T>[]): Promise<T[]> {
  const waiting = sql<{ count: number }>`select count(*)::int as count from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  let begun: Promise<T>[] = [];
  await inTenant(database, scene.tenant.tenantId as TenantId, async (tx) => {
    await tx.run(sql`select from seat_pools where tenant_id = ${tx.tenantId} for update`);
    begun = begin();
    const counted = async () => (await database.run(waiting))[0]?.count;
    await expect.poll(counted, { timeout: 20_000 }).toBeGreaterThanOrEqual(begun.length);
  });
  return await Promise.all(begun);
}

it('the index of the edits has every action that is looked for', async () => {
  const index = sql<{ text: string }>`select pg_get_indexdef('audit_events_edits'::regclass) as text`;
  const [row] = await database.run(index);
  const actions = [...(row?.text.matchAll(/'([^']+)'/g) ?? [])].map(([, action]) => action);
  expect(actions.sort()).toEqual(changingActions);
});
