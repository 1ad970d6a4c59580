/** People who come for the first time through a connection whose policies change, at a gateway of their own for each test file. */

import { made } from '../support/gateway.ts';
import type { Page } from './browser.ts';
import { attribute, goodResponse } from './forge.ts';
import { post, startTarget, type Target } from './target.ts';

export let target: Target;

export const contractOf50 = {
  ...{ kind: 'annual', tier: 'x', paidSeats: 50, startsOn: '2020-01-01', endsOn: '2999-01-01' },
  ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'none' },
};

export async function startNewcomers(): Promise<void> {
  target = await startTarget();
  await made(api('PUT', '/contract', contractOf50));
  await settingsAre({});
  const mapping = { group: { claim: 'Staff' }, role: 'team_member', workspaces: ['w1'], priority: 1 };
  await made(api('POST', '/mappings', mapping));
}

export const api = (method: string, path: string, body?: unknown) =>
  target.gateway.api(method, `/tenants/${target.tenant.slug}${path}`, body);
export const connectionIs = (policies: object) =>
  made(target.gateway.api('PUT', target.path, { jit: policies }));
/** Many seats go to and fro here: nobody is asked about it. */
export const settingsAre = (change: object) => made(api('PUT', '/settings', { breaker: null, ...change }));
export const list = async (path: string) => (await made(api('GET', path))).items;
export const groupsOf = (...values: string[]) => attribute('groups', ...values);

export async function login(subject: string, more = '', at = target.connection): Promise<Page> {
  const begun = await target.begin(at);
  const attributes = attribute('userName', `${subject}@example.com`) + more;
  return await post(begun, goodResponse(begun, { subject, attributes }));
}

export const requestOf = async (subject: string, state = 'pending') =>
  (await list(`/access-requests?state=${state}`)).find(
    ({ userName }: { userName: string }) => userName === `${subject}@example.com`,
  );
export const approve = ({ id, revision }: { id: string; revision: string }) =>
  api('POST', `/access-requests/${id}/approve`, { revision });
export const userOf = async (subject: string) => (await list(`/users?search=${subject}@`))[0];
export const seatOf = async (subject: string) => (await userOf(subject))?.seat.state;
