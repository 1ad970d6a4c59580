/** A tenant whose edits wait for a second person: four people with a seat, and those to whom a share would give one. */

import { expect } from 'vitest';
import { type Answer, made, type TestGateway, type TestTenant } from '../support/gateway.ts';

export type Call = [method: string, path: string, body?: unknown];

export interface Scene {
  tenant: TestTenant;
  call(...call: Call): Promise<Answer>;
  /** Who has a seat. */
  userIds: string[];
  /** Of the mappings of `Eng` and of `All`. */
  paidId: string;
  freeId: string;
  /** Asks for an edit; answers the id of its request. */
  ask(...call: Call): Promise<string>;
  approve(id: string): Promise<Answer>;
}

export const settings = (change: object = {}) => ({
  ...{ breaker: { percent: 10, people: 2 }, holdMinutes: 0, twoPersonRule: true },
  ...change,
});
export const contract = (paidSeats: number) => ({
  ...{ kind: 'annual', tier: 'T', paidSeats, startsOn: '2020-01-01', endsOn: '2099-12-31' },
  ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'view_only' },
});
export const amendment = (paidSeats: number) => ({ effectiveOn: '2020-01-01', paidSeats, reason: 'more' });
export const free = { group: { displayName: 'All' }, role: 'client', workspaces: ['w1'], priority: 3 };
export const paid = { group: { displayName: 'Eng' }, role: 'team_member', workspaces: ['w1'], priority: 2 };
export const pin = (role: string) => ({ role, reason: 'board' });
export const blue = (defaultWorkspaces: string[], change: object = {}) => ({
  ...{ organizationId: 'o', tokenId: 't', defaultWorkspaces },
  ...change,
});
const ops = { ...paid, group: { displayName: 'Ops' }, priority: 4, subPool: 'ops' };

/** Before the rule stands. */
export async function newScene(gateway: TestGateway, other: string): Promise<Scene> {
  const tenant = await gateway.createTenant();
  const call = (method: string, path: string, body?: unknown, key = gateway.operatorKey) =>
    gateway.api(method, `/tenants/${tenant.slug}${path}`, body, key);
  await made(call('PUT', '/contract', contract(4)));
  await made(call('PUT', '/blue', { ...blue(['w2']), tokenSecret: 'very secret' }));
  await made(call('PUT', '/sub-pools/ops', { seats: 0, borrowLimit: 0 }));
  const { id: freeId } = await made(call('POST', '/mappings', free));
  const { id: paidId } = await made(call('POST', '/mappings', paid));
  await made(call('POST', '/mappings', ops));
  const push = pusher(gateway, await tenant.directoryToken('okta'));
  const userIds = await push.users(['a', 'b', 'c', 'd']);
  for (const name of ['Eng', 'All']) await push.group(name, userIds);
  await push.group('Ops', await push.users(['x', 'y', 'z']));
  expect((await made(call('GET', '/seats'))).held).toBe(4);
  return {
    ...{ tenant, call, userIds, paidId, freeId },
    ask: async (...asked) => {
      const { status, body } = await call(...asked);
      expect([status, body?.state], JSON.stringify(body)).toEqual([202, 'pending']);
      return body.id;
    },
    approve: (id) => call('POST', `/edit-requests/${id}/approve`, undefined, other),
  };
}

function pusher(gateway: TestGateway, token: string) {
  const post = async (kind: 'User' | 'Group', attributes: object): Promise<string> => {
    const schemas = [`urn:ietf:params:scim:schemas:core:2.0:${kind}`];
    return (await made(gateway.scim(token, 'POST', `/${kind}s`, { schemas, ...attributes }))).id;
  };
  return {
    users: (names: string[]) =>
      Promise.all(names.map((name) => post('User', { userName: `${name}@acme.example` }))),
    group: (displayName: string, ids: string[]) =>
      post('Group', { displayName, members: ids.map((value) => ({ value })) }),
  };
}
