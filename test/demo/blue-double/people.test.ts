/** Behaviours 6 to 8 of the double: lists, level changes, removals. */

import { afterEach, expect, test } from 'vitest';
import type { BlueDouble } from '../../../demo/blue-double/server.ts';
import type { AccessLevel } from '../../../demo/blue-double/types.ts';
import { callerOf, inWorkspace, open, seedOf } from './support.ts';

let double: BlueDouble;
afterEach(() => double.close());

async function opened(change = {}) {
  const world = await open(change);
  double = world.double;
  return world;
}

const list = `query ($skip: Int, $search: String) {
  companyUserList(companyId: "org", skip: $skip, search: $search, orderBy: email_DESC, first: 3) {
    totalCount pageInfo { hasNextPage page totalPages perPage }
    users { id email firstName workspaceMemberships(companyId: "org") { id accessLevel customRole } }
  }
}`;

test('6 pages of 200 by first name, moved by skip only, searched by name only', async () => {
  const crowd = Array.from({ length: 246 }, (_, at) => ({
    id: `u${at}`,
    email: `z${at}@acme.example`,
    firstName: `N${String(at).padStart(3, '0')}`,
    lastName: 'X',
  }));
  const { call } = await opened({ people: [...seedOf().people, ...crowd] });
  const first = await call(list);
  expect(first.rows('companyUserList.users')).toHaveLength(200);
  expect(first.read('companyUserList.pageInfo')).toEqual({
    hasNextPage: true,
    page: 1,
    totalPages: 2,
    perPage: 200,
  });
  const names = first.rows('companyUserList.users').map(({ firstName }) => firstName);
  expect(names).toEqual([...names].sort());
  const second = await call(list, { skip: 200 });
  expect(second.rows('companyUserList.users')).toHaveLength(50);
  expect(second.data).toMatchObject({
    companyUserList: { totalCount: 250, pageInfo: { hasNextPage: false } },
  });
  expect((await call(list, { search: 'n24' })).read('companyUserList.totalCount')).toBe(6);
  expect((await call(list, { search: 'z24' })).read('companyUserList.totalCount')).toBe(0);
});

test('6 the OWNER sees everybody with address and memberships, others only shared workspaces without them', async () => {
  const { call } = await opened();
  const all = (await call(list)).rows('companyUserList.users');
  expect(all).toHaveLength(4);
  expect(all.find(({ id }) => id === 'vic')?.workspaceMemberships).toEqual([
    { id: 'w2', accessLevel: 'VIEW_ONLY', customRole: null },
  ]);
  const seen = (await callerOf(double, 'max')(list)).rows('companyUserList.users');
  expect(seen.map(({ id }) => id)).toEqual(['amy', 'max', 'owner']);
  expect(seen.map(({ email }) => email)).toEqual(['', 'max@acme.example', '']);
  expect(seen[0]?.workspaceMemberships).toEqual([]);
});

const level = 'mutation ($i: UpdateProjectAccessLevelInput!) { updateProjectAccessLevel(input: $i) }';

test.each<[string, string, AccessLevel, string]>([
  ['owner', 'owner', 'MEMBER', 'UPDATE_LEVEL_SELF'],
  ['owner', 'vic', 'MEMBER', 'USER_NOT_IN_PROJECT'],
  ['max', 'amy', 'CLIENT', 'FORBIDDEN'],
  ['amy', 'owner', 'CLIENT', 'FORBIDDEN'],
  ['amy', 'max', 'OWNER', 'FORBIDDEN'],
])('7 %s changing %s to %s is %s', async (caller, userId, accessLevel, code) => {
  await opened();
  const reply = await callerOf(double, caller)(level, { i: { userId, accessLevel } }, inWorkspace('w1'));
  expect(reply.code).toBe(code);
});

test('7 a level change answers true; a custom role stays unless null or another level comes', async () => {
  const { call, state } = await opened();
  const set = (change: object) => call(level, { i: { userId: 'max', ...change } }, inWorkspace('w1'));
  const role = () => state.members('w1').find(({ userId }) => userId === 'max');
  expect((await set({ accessLevel: 'MEMBER', roleId: 'r1' })).read('updateProjectAccessLevel')).toBe(true);
  await set({ accessLevel: 'MEMBER' });
  expect(role()).toMatchObject({ level: 'MEMBER', customRole: 'Reviewer' });
  await set({ accessLevel: 'MEMBER', roleId: null });
  expect(role()).toMatchObject({ level: 'MEMBER', customRole: null });
  expect((await set({ accessLevel: 'MEMBER', roleId: 'r9' })).code).toBe('PROJECT_USER_ROLE_NOT_FOUND');
});

test('7 nobody becomes organization OWNER, nobody changes himself', async () => {
  const { call } = await opened();
  const change = 'mutation ($i: UpdateCompanyAccessLevelInput!) { updateCompanyAccessLevel(input: $i) }';
  const set = (userId: string, accessLevel: string) => call(change, { i: { userId, accessLevel } });
  expect((await set('max', 'OWNER')).code).toBe('UPDATE_COMPANY_LEVEL_TO_OWNER');
  expect((await set('owner', 'MEMBER')).code).toBe('UPDATE_LEVEL_SELF');
  expect((await set('nobody', 'MEMBER')).code).toBe('USER_NOT_IN_COMPANY');
  expect((await set('max', 'CLIENT')).data).toEqual({ updateCompanyAccessLevel: true });
});

const leave =
  'mutation ($i: RemoveProjectUserInput!) { removeProjectUser(input: $i) { success operationId } }';

test.each([
  ['owner', 'one', 'max', 'PROJECT_NOT_FOUND'],
  ['owner', 'w1', 'nobody', 'USER_NOT_FOUND'],
  ['owner', 'w1', 'vic', 'FORBIDDEN'],
  ['amy', 'w1', 'owner', 'FORBIDDEN'],
  ['max', 'w1', 'amy', 'FORBIDDEN'],
  ['amy', 'w1', 'amy', 'REMOVE_SELF'],
])('8 %s removing from %s the user %s is %s', async (caller, projectId, userId, code) => {
  await opened();
  expect((await callerOf(double, caller)(leave, { i: { projectId, userId } })).code).toBe(code);
});

test('8 removal from a workspace needs no header and leaves the organization membership', async () => {
  const { call, state } = await opened();
  const gone = await call(leave, { i: { projectId: 'w1', userId: 'max' } });
  expect(gone.read('removeProjectUser')).toEqual({ success: true, operationId: null });
  expect(state.members('w1').some(({ userId }) => userId === 'max')).toBe(false);
  expect((await call(leave, { i: { projectId: 'w1', userId: 'max' } })).code).toBe('FORBIDDEN');
});

test('8 removal from the organization is the OWNER’s, cascades, lowers the user count and is logged', async () => {
  const { call, state } = await opened();
  const out = 'mutation ($i: RemoveCompanyUserInput!) { removeCompanyUser(input: $i) }';
  const used = async () =>
    (await call('{ company { limits { users { used } } } }')).read('company.limits.users');
  expect((await callerOf(double, 'amy')(out, { i: { companyId: 'acme', userId: 'max' } })).code).toBe(
    'FORBIDDEN',
  );
  expect(await used()).toEqual({ used: 3 });
  expect((await call(out, { i: { companyId: 'acme', userId: 'max' } })).read('removeCompanyUser')).toBe(true);
  expect(state.members('w1').map(({ userId }) => userId)).toEqual(['amy', 'owner']);
  expect(await used()).toEqual({ used: 2 });
  const log = '{ activityList(companyId: "org") { activities { category affectedBy { id } } totalCount } }';
  expect((await call(log)).read('activityList')).toEqual({
    activities: [{ category: 'REMOVE_USER_FROM_COMPANY', affectedBy: { id: 'max' } }],
    totalCount: 1,
  });
});

test('workspaces: the own ones, and the others for the OWNER only', async () => {
  const { call } = await opened();
  const query = (inProject: string) =>
    `{ projectList(filter: { companyIds: ["org"], inProject: ${inProject} }) { items { id } totalCount } }`;
  expect((await call(query('null'))).read('projectList.items')).toEqual([{ id: 'w1' }, { id: 'w2' }]);
  expect((await call(query('false'))).read('projectList.items')).toEqual([{ id: 'w3' }]);
  expect((await callerOf(double, 'max')(query('false'))).code).toBe('FORBIDDEN');
  const roles = '{ projectUserRoles(filter: { projectIds: ["w1", "w3"] }) { id name project { id } } }';
  expect((await call(roles)).read('projectUserRoles')).toEqual([
    { id: 'r1', name: 'Reviewer', project: { id: 'w1' } },
  ]);
});
