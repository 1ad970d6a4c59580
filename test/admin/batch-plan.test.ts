/** The plan of an open batch over HTTP and the command line: everybody's outcome, by department, and then settled as it said. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { limits } from '../../src/kernel/limits.ts';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const core = 'urn:ietf:params:scim:schemas:core:2.0';
const bulkRequest = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';

let gateway: TestGateway;
let base: string;
let slug: string;
let tokens: string[];

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(async () => {
  const tenant = await gateway.createTenant();
  slug = tenant.slug;
  base = `/tenants/${slug}`;
  tokens = [await tenant.directoryToken('generic'), await tenant.directoryToken('okta')];
  await made(gateway.api('PUT', `${base}/settings`, { settlement: 'staged' }));
});

const contract = (paidSeats: number, policy = 'queue') =>
  made(
    gateway.api('PUT', `${base}/contract`, {
      ...{ kind: 'annual', tier: 'Team', paidSeats, startsOn: '2020-01-01', endsOn: '2099-12-31' },
      ...{ paymentSchedule: 'annual', overage: { policy }, fallbackRole: 'view_only' },
    }),
  );

interface Named {
  name: string;
  department?: string;
  /** Which of the two. */
  directory?: 0 | 1;
}

/** Each in the group "Staff" of the own directory; answers ids in this order. */
async function people(named: readonly Named[]): Promise<string[]> {
  const ids = new Map<string, string>();
  for (const [at, token] of tokens.entries()) {
    const own = named.filter(({ directory = 0 }) => directory === at);
    if (own.length === 0) continue;
    const Operations = own.map(({ name, department }) => ({
      ...{ method: 'POST', path: '/Users', bulkId: name },
      data: {
        ...{ schemas: [`${core}:User`, enterprise], userName: `${name}@example.com`, active: true },
        ...(department === undefined ? {} : { [enterprise]: { department } }),
      },
    }));
    const answer = await made(gateway.scim(token, 'POST', '/Bulk', { schemas: [bulkRequest], Operations }));
    for (const { bulkId, location } of answer.Operations) ids.set(bulkId, location.split('/').at(-1));
    const members = own.map(({ name }) => ({ value: ids.get(name) }));
    const displayName = `Staff ${at}`;
    await made(gateway.scim(token, 'POST', '/Groups', { schemas: [`${core}:Group`], displayName, members }));
  }
  return named.map(({ name }) => ids.get(name) ?? '');
}

const map = (displayName: string, priority: number, more: object = {}) =>
  made(
    gateway.api('POST', `${base}/mappings`, {
      ...{ group: { displayName }, role: 'team_member', workspaces: ['w1'], priority, ...more },
    }),
  );
const plan = (query = '') => made(gateway.api('POST', `${base}/seats/preview${query}`, { op: 'settle' }));
const seatOf = async (id: string) => (await gateway.api('GET', `${base}/users/${id}`)).body.seat;
const settled = () => made(gateway.api('POST', `${base}/seats/settle`));

it('names the outcome of everybody in the batch, of two directories, and counts by department', async () => {
  await contract(3);
  const ids = await people([
    { name: 'ann', department: 'Sales' },
    { name: 'bob', department: ' sales ' },
    { name: 'cid' },
    { name: 'dan', department: 'Legal', directory: 1 },
    { name: 'eve', department: 'Sales', directory: 1 },
    { name: 'fay', department: '  ', directory: 1 },
  ]);
  await map('Staff 0', 1);
  await map('Staff 1', 2);
  const told = await plan();
  expect(told).toMatchObject({
    ...{ gained: 3, lost: 0, changed: 0, queued: 3, seats: { before: 0, after: 3 } },
    otherDepartments: { departments: 0, gained: 0, queued: 0 },
  });
  expect(told.departments).toEqual([
    { department: expect.stringMatching(/^sales$/i), gained: 2, queued: 1 },
    { department: null, gained: 1, queued: 1 },
    { department: 'Legal', gained: 0, queued: 1 },
  ]);
  const outcomes = new Map(told.users.map((user: { id: string }) => [user.id, user]));
  const waits = (waitsFor: string) => ({ seat: 'queued', waitsFor });
  for (const [at, id] of ids.entries()) {
    const after = at < 3 ? { seat: 'held', waitsFor: null } : waits('seat');
    expect(outcomes.get(id)).toMatchObject({ before: waits('batch'), after });
    expect(await seatOf(id)).toMatchObject({ state: 'queued', reason: 'STAGED' });
  }
  await settled();
  for (const [at, id] of ids.entries())
    expect(await seatOf(id)).toMatchObject(
      at < 3 ? { state: 'held' } : { state: 'queued', reason: 'SEAT_QUEUED' },
    );
  expect(await plan(), 'no batch is open').toMatchObject({ queued: 0, departments: [], users: [] });
});

it('says who comes to wait for an approval, also under a policy that tells nobody of a queue', async () => {
  await contract(1, 'fallback');
  const ids = await people([{ name: 'ann' }, { name: 'bob' }, { name: 'cid', directory: 1 }]);
  await map('Staff 0', 1, { approval: 'when_full' });
  await map('Staff 1', 2, { approval: 'manual' });
  const told = await plan();
  expect(told).toMatchObject({
    gained: 1,
    queued: 1,
    departments: [{ department: null, gained: 1, queued: 1 }],
  });
  expect(
    told.users.map(({ id }: { id: string }) => id),
    'a claim that waits for somebody’s word already is not in the batch',
  ).toEqual(ids.slice(0, 2).sort());
  const left = told.users.find(({ after }: { after: { seat: string } }) => after.seat !== 'held');
  expect(left).toMatchObject({
    before: { seat: 'none', waitsFor: 'batch' },
    after: { seat: 'none', waitsFor: 'approval' },
  });
  await settled();
  expect(await seatOf(left.id)).toMatchObject({ reason: 'AWAITS_APPROVAL' });
  const other = await made(gateway.api('POST', `${base}/seats/preview`, { op: 'settings', settings: {} }));
  expect(other, 'other edits have no plan').not.toHaveProperty('departments');
});

it('of a crowd has pages of all, and sums up the departments beyond those it counts', async () => {
  const many = 620;
  const small = limits.departmentsCountedMax + 50;
  await contract(many - 20);
  const named = Array.from({ length: many }, (_, n) => ({
    name: `p${n}`,
    department: n < small ? `Team ${n}` : 'Plant',
  }));
  const ids = await people(named);
  await map('Staff 0', 1);
  const seen: { id: string; after: { seat: string } }[] = [];
  let cursor: string | null = '';
  let told = await plan();
  while (cursor !== null) {
    told = await plan(`?limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`);
    expect(told).toMatchObject({ gained: many - 20, queued: 20 });
    seen.push(...told.users);
    cursor = told.nextCursor;
  }
  expect(seen.map(({ id }) => id)).toEqual(ids.toSorted());
  const { departments, otherDepartments } = told;
  const sizes = departments.map((one: { gained: number; queued: number }) => one.gained + one.queued);
  expect(sizes).toEqual([many - small, ...Array(limits.departmentsCountedMax - 1).fill(1)]);
  expect(departments[0].department).toBe('Plant');
  expect(otherDepartments.departments).toBe(small + 1 - limits.departmentsCountedMax);
  expect(otherDepartments.gained + otherDepartments.queued).toBe(otherDepartments.departments);
  await settled();
  for (const state of ['held', 'queued']) {
    const got = seen.filter(({ after }) => after.seat === state).map(({ id }) => id);
    const first = (await gateway.api('GET', `${base}/users?seat=${state}&limit=200`)).body.items;
    for (const { id } of first) expect(got).toContain(id);
  }
  expect((await gateway.api('GET', `${base}/seats`)).body).toMatchObject({ held: many - 20, queued: 20 });
}, 60_000);

it('is shown by the command line as tables', async () => {
  await contract(1);
  await people([{ name: 'ann', department: 'Sales' }, { name: 'bob' }]);
  await map('Staff 0', 1);
  const env = { ...process.env, GATEWAY_URL: gateway.url, OPERATOR_KEY: gateway.operatorKey };
  const cwd = new URL('../..', import.meta.url);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['src/cli/main.ts', 'seats', 'plan', '--tenant', slug],
    { env, cwd },
  );
  expect(stdout).toMatch(/^gained: 1\n/);
  expect(stdout).toMatch(/departments:\n {2}department +gained +queued\n/);
  expect(stdout).toMatch(/\n {2}Sales +\d +\d\n/);
  expect(stdout).toMatch(/\n {2}– +\d +\d\n/);
  expect(stdout).toMatch(/ann@example\.com[^\n]* queued +batch /);
});
