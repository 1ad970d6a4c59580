/** What people read, names and reasons, is more than blanks, at every door that writes it. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';

let gateway: TestGateway;
let tenant: TestTenant;

beforeAll(async () => {
  gateway = await startGateway();
  tenant = await gateway.createTenant();
});
afterAll(() => gateway.close());

const contract = {
  ...{ kind: 'annual', tier: 'T', paidSeats: 5, startsOn: '2026-01-01', endsOn: '2099-12-31' },
  ...{ overage: { policy: 'queue' }, paymentSchedule: 'annual', fallbackRole: 'view_only' },
};
const amendment = { effectiveOn: '2026-02-01', paidSeats: 5, reason: 'r' };
const mapping = { group: { displayName: 'G' }, role: 'client', workspaces: ['*'], priority: 1 };
const nobody = '00000000-0000-7000-8000-000000000001';

it.each([
  ['PUT', '/contract', { ...contract, tier: '   ' }, 'tier'],
  ['PUT', '/contract', { ...contract, tier: '' }, 'tier'],
  ['POST', '/seats/preview', { op: 'contract', contract: { ...contract, tier: '\u00a0' } }, 'contract.tier'],
  ['POST', '/contract/amendments', { ...amendment, tier: '\t' }, 'tier'],
  ['POST', '/contract/amendments', { ...amendment, reason: ' ' }, 'reason'],
  ['PUT', '/sub-pools/%20', { seats: 1 }, 'name'],
  ['POST', '/mapping-drafts', { name: ' ', mappings: [] }, 'name'],
  ['POST', '/mappings', { ...mapping, group: { displayName: ' ' } }, 'group.displayName'],
  ['POST', '/directories', { name: ' ', kind: 'okta' }, 'name'],
  ['POST', '/keys', { name: ' ', role: 'admin' }, 'name'],
  ['PUT', `/users/${nobody}/pin`, { role: 'client', reason: ' ' }, 'reason'],
])('%s %s refuses them: %j', async (method, path, body, field) => {
  const { status, body: problem } = await gateway.api(method, `/tenants/${tenant.slug}${path}`, body);
  expect([status, problem.code, problem.field]).toEqual([400, 'invalid', field]);
  expect(problem.detail).toBe(`"${field}" must not be blank.`);
});

it('the name of a tenant is none either', async () => {
  const { status, body } = await gateway.api('POST', '/tenants', { name: '  ', slug: 'blank' });
  expect([status, body.field]).toEqual([400, 'name']);
});
