/** Behaviours 4 and 5 of the double: inviting in both flows, and the life of an invitation. */

import { afterAll, beforeEach, expect, test } from 'vitest';
import type { BlueDouble } from '../../../demo/blue-double/server.ts';
import { type Caller, callerOf, day, invite, inWorkspace, open } from './support.ts';

let double: BlueDouble;
let call: Caller;
let world: Awaited<ReturnType<typeof open>>;

beforeEach(async () => {
  await double?.close();
  world = await open();
  ({ double, call } = world);
});
afterAll(() => double.close());

const fresh = { email: 'New@acme.example', accessLevel: 'MEMBER' };
const toOne = (input: object) => call(invite, { input: { ...input, projectId: 'w1' } }, inWorkspace('w1'));

test('4 neither id is BAD_USER_INPUT with its message', async () => {
  const reply = await call(invite, { input: fresh }, inWorkspace('w1'));
  expect(reply.code).toBe('BAD_USER_INPUT');
  expect(reply.error?.message).toBe('projectId or companyId is required');
});

test('4 companyId selects the organization flow, ignores projectId, and is for the OWNER only', async () => {
  const input = { ...fresh, companyId: 'org', projectId: 'w1', projectIds: ['w2', 'w3'] };
  expect((await callerOf(double, 'amy')(invite, { input })).code).toBe('FORBIDDEN');
  expect((await call(invite, { input })).data).toEqual({ inviteUser: true });
  expect(world.state.invitations().map(({ workspaceId }) => workspaceId)).toEqual(['w2', 'w3']);
});

test('4 organization flow without workspaces gives nothing', async () => {
  expect((await call(invite, { input: { ...fresh, companyId: 'org' } })).read('inviteUser')).toBe(true);
  expect(world.state.invitations()).toEqual([]);
});

test.each([
  ['the own address', { email: 'OWNER@acme.example', accessLevel: 'MEMBER' }, 'ADD_SELF'],
  ['a member', { email: 'max@acme.example', accessLevel: 'CLIENT' }, 'USER_ALREADY_IN_THE_PROJECT'],
  ['a role of another workspace', { ...fresh, roleId: 'r9' }, 'PROJECT_USER_ROLE_NOT_FOUND'],
])('4 %s is refused', async (_case, input, code) => {
  expect((await toOne(input)).code).toBe(code);
});

test('4 an unknown workspace is PROJECT_NOT_FOUND in both flows', async () => {
  const input = { ...fresh, companyId: 'org', projectIds: ['w2', 'nowhere'] };
  expect((await call(invite, { input })).code).toBe('PROJECT_NOT_FOUND');
  const scoped = { input: { ...fresh, projectId: 'nowhere' } };
  expect((await call(invite, scoped, inWorkspace('nowhere'))).code).toBe('PROJECT_NOT_FOUND');
  expect(world.state.invitations()).toEqual([]);
});

test('4 a level above what the caller may give is FORBIDDEN', async () => {
  const asMax = callerOf(double, 'max');
  const scoped = (accessLevel: string) =>
    asMax(invite, { input: { ...fresh, accessLevel, projectId: 'w1' } }, inWorkspace('w1'));
  expect((await scoped('ADMIN')).code).toBe('FORBIDDEN');
  expect((await scoped('MEMBER')).read('inviteUser')).toBe(true);
});

test('4 somebody in the organization joins at once', async () => {
  await toOne({ email: 'vic@acme.example', accessLevel: 'MEMBER', roleId: 'r1' });
  expect(world.state.members('w1')).toContainEqual({
    userId: 'vic',
    email: 'vic@acme.example',
    level: 'MEMBER',
    customRole: 'Reviewer',
  });
});

test('4 anybody else gets an invitation of 7 days; a repeat reuses it', async () => {
  await toOne(fresh);
  const [first] = world.state.invitations();
  expect(first).toMatchObject({ email: 'new@acme.example', level: 'MEMBER' });
  expect(Number(first?.expiredAt) - world.clock.now().getTime()).toBe(7 * day);
  expect((await toOne(fresh)).read('inviteUser')).toBe(true);
  expect(world.state.invitations().map(({ id }) => id)).toEqual([first?.id]);
});

test('4 the organization OWNER becomes ADMIN of a workspace', async () => {
  const amy = callerOf(double, 'amy');
  world.state.world.leaveWorkspace('owner', 'w1');
  const input = { email: 'owner@acme.example', accessLevel: 'VIEW_ONLY', projectId: 'w1' };
  await amy(invite, { input }, inWorkspace('w1'));
  expect(world.state.members('w1').find(({ userId }) => userId === 'owner')?.level).toBe('ADMIN');
});

test('4 full seats are PLAN_LIMIT_REACHED; free roles and paid people cost nothing more', async () => {
  world.state.setUserLimit(4);
  expect(world.state.paidPeople()).toBe(3);
  await toOne(fresh);
  const reply = await toOne({ email: 'next@acme.example', accessLevel: 'MEMBER' });
  expect(reply.error).toMatchObject({
    message: 'Users limit reached (4/4). Upgrade your plan for more.',
    extensions: { code: 'PLAN_LIMIT_REACHED', kind: 'over_limit', resource: 'Users', current: 4, limit: 4 },
  });
  expect((await toOne({ email: 'next@acme.example', accessLevel: 'CLIENT' })).code).toBeUndefined();
  const again = { email: 'new@acme.example', accessLevel: 'ADMIN', projectId: 'w2' };
  expect((await call(invite, { input: again }, inWorkspace('w2'))).code).toBeUndefined();
});

test('5 pending people are in no list until they accept, with the level of the invitation', async () => {
  await toOne({ ...fresh, roleId: 'r1' });
  const list = '{ companyUserList(companyId: "org") { totalCount } }';
  expect((await call(list)).read('companyUserList.totalCount')).toBe(4);
  world.state.accept('new@acme.example');
  expect((await call(list)).read('companyUserList.totalCount')).toBe(5);
  expect(world.state.members('w1').at(-1)).toMatchObject({ level: 'MEMBER', customRole: 'Reviewer' });
  expect(world.state.invitations()).toEqual([]);
});

test('5 an expired invitation stays unaccepted until it is sent again', async () => {
  await toOne(fresh);
  const [one] = world.state.invitations();
  world.clock.advance(8 * day);
  expect(() => world.state.accept(one?.id ?? '')).toThrow('expired');
  const resend = 'mutation ($id: String!) { resendInvitation(id: $id) { id expiredAt } }';
  const renewed = await call(resend, { id: one?.id });
  expect(Date.parse(String(renewed.read('resendInvitation.expiredAt')))).toBe(
    world.clock.now().getTime() + 7 * day,
  );
  expect(world.state.accept(one?.id ?? '').email).toBe('new@acme.example');
});

test('5 invitations are listed per workspace, cancelled by id, and unknown ids are INVITATION_NOT_FOUND', async () => {
  await toOne(fresh);
  const list = 'query ($id: String) { invitations(projectId: $id) { id email accessLevel project { id } } }';
  const [one] = (await call(list, { id: 'w1' })).rows('invitations');
  expect(one).toMatchObject({ email: 'new@acme.example', accessLevel: 'MEMBER', project: { id: 'w1' } });
  expect((await call(list, { id: 'w2' })).read('invitations')).toEqual([]);
  const cancel = 'mutation ($id: String!) { cancelInvitation(id: $id) }';
  expect((await call(cancel, { id: one?.id })).data).toEqual({ cancelInvitation: true });
  expect((await call(cancel, { id: one?.id })).code).toBe('INVITATION_NOT_FOUND');
});
