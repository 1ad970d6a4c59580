/** Dates far away are slips of the pen: refused with the field, and never a failure of what is reckoned from them. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let base: string;
beforeAll(async () => {
  gateway = await startGateway();
  base = `/tenants/${(await gateway.createTenant()).slug}`;
  await made(gateway.api('PUT', `${base}/contract`, contract));
});
afterAll(() => gateway.close());

const contract = {
  ...{ kind: 'annual', tier: 'T', paidSeats: 2, startsOn: '2020-01-01', endsOn: '2090-12-31' },
  ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'view_only' },
};
const mapping = { group: { displayName: 'Eng' }, role: 'team_member', workspaces: ['*'], priority: 1 };
const notes = { reason: 'agreed', paidSeats: 1 };

it.each([
  ['a cliff', 'GET', '/seats/cliff?at=9999-12-31T00:00:00Z', undefined, 'at'],
  ['a draft', 'POST', '/mapping-drafts', { name: 'D', goLiveOn: '0001-01-01' }, 'goLiveOn'],
  ['a contract', 'PUT', '/contract', { ...contract, endsOn: '9999-12-31' }, 'endsOn'],
  ['a contract that began', 'PUT', '/contract', { ...contract, startsOn: '0001-01-01' }, 'startsOn'],
  ['a mapping', 'POST', '/mappings', { ...mapping, validUntil: '9999-12-31T23:59:59Z' }, 'validUntil'],
  ['an amendment', 'POST', '/contract/amendments', { effectiveOn: '9999-12-31', ...notes }, 'effectiveOn'],
  [
    'an expiry',
    'POST',
    '/keys',
    { name: 'k', role: 'admin', expiresAt: '+275760-01-01T00:00:00Z' },
    'expiresAt',
  ],
  [
    'an amendment after the last day',
    'POST',
    '/contract/amendments',
    { effectiveOn: '2091-01-01', ...notes },
    'effectiveOn',
  ],
  [
    'an add-on after it',
    'POST',
    '/contract/lines',
    { kind: 'add_on', startsOn: '2091-01-01', ...notes },
    'startsOn',
  ],
])('%s', async (_what, method, path, body, field) => {
  const answer = await gateway.api(method, `${base}${path}`, body);
  expect([answer.status, answer.body.field]).toEqual([400, field]);
});

it('an amendment that moves the last day may begin after it, and others after that', async () => {
  const renewal = { effectiveOn: '2091-01-01', endsOn: '2091-12-31', reason: 'renewed' };
  await made(gateway.api('POST', `${base}/contract/amendments`, renewal));
  await made(gateway.api('POST', `${base}/contract/amendments`, { effectiveOn: '2091-02-01', ...notes }));
});
