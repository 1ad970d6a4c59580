/** Behaviours 1 to 3 of the double: credentials, the organization's header, the workspace's header. */

import { expect, test } from 'vitest';
import { callerOf, invite, inWorkspace, open } from './support.ts';

const who = '{ currentUser { id } }';

test('1 a good token pair is known under both header families, whatever the case', async () => {
  const { double } = await open();
  for (const headers of [
    { 'Blue-Token-ID': 't-max', 'BLUE-TOKEN-SECRET': 'pat_max' },
    { 'x-bloo-token-id': 't-max', 'X-Bloo-Token-Secret': 'pat_max' },
  ]) {
    const response = await fetch(double.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query: who }),
    });
    expect(await response.json()).toEqual({ data: { currentUser: { id: 'max' } } });
  }
  await double.close();
});

test('1 a wrong, missing or expired pair, or an Authorization header, is UNAUTHENTICATED', async () => {
  const { double, call, state, clock } = await open();
  expect((await call(who, {}, { 'blue-token-secret': 'pat_wrong' })).code).toBe('UNAUTHENTICATED');
  expect((await call(who, {}, { 'blue-token-id': '' })).code).toBe('UNAUTHENTICATED');
  expect((await call(who, {}, { authorization: 'Bearer x' })).code).toBe('UNAUTHENTICATED');
  state.expireToken('t-owner', clock.now());
  const expired = await call(who);
  expect([expired.status, expired.code]).toEqual([200, 'UNAUTHENTICATED']);
  state.answerUnauthenticatedWith(401);
  expect((await call(who)).status).toBe(401);
  state.expireToken('t-owner', null);
  expect((await call(who)).code).toBeUndefined();
  await double.close();
});

test('2 a foreign organization is COMPANY_NOT_FOUND, a banned one COMPANY_BANNED on every call', async () => {
  const { double, call, state } = await open();
  expect((await call(who, {}, { 'blue-org-id': 'other' })).code).toBe('COMPANY_NOT_FOUND');
  expect((await call(who, {}, { 'blue-org-id': 'acme' })).code).toBeUndefined();
  state.ban(true);
  expect((await call(who)).code).toBe('COMPANY_BANNED');
  expect((await call('{ companyUserList(companyId: "org") { totalCount } }')).code).toBe('COMPANY_BANNED');
  await double.close();
});

test('3 workspace-scoped mutations need the workspace header, and it beats the input', async () => {
  const { double, call, state } = await open();
  const input = { email: 'new@acme.example', accessLevel: 'CLIENT', projectId: 'w1' };
  expect((await call(invite, { input })).code).toBe('PROJECT_NOT_FOUND');
  const level = 'mutation ($i: UpdateProjectAccessLevelInput!) { updateProjectAccessLevel(input: $i) }';
  const change = { i: { userId: 'max', accessLevel: 'CLIENT' } };
  expect((await call(level, change)).code).toBe('PROJECT_NOT_FOUND');
  expect((await call(invite, { input }, inWorkspace('two'))).data).toEqual({ inviteUser: true });
  expect(state.invitations().map(({ workspaceId }) => workspaceId)).toEqual(['w2']);
  await double.close();
});

test('the request log keeps headers, but no secret', async () => {
  const { double, state } = await open();
  await callerOf(double, 'max')(who);
  const [logged] = state.requests();
  expect(logged?.operations).toEqual(['currentUser']);
  expect(logged?.headers['blue-token-id']).toBe('t-max');
  expect(JSON.stringify(state.requests())).not.toContain('pat_max');
  await double.close();
});
