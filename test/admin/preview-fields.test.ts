/** Which field a refused preview names: of each op its path in the preview's body, whether the schema, the form or the edit refuses it. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let base: string;
let userId: string;
let mappingId: string;

const contract = {
  ...{ kind: 'annual', tier: 'Team', paidSeats: 2, startsOn: '2020-01-01', endsOn: '2098-12-31' },
  ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'view_only' },
};
const mapping = { group: { roleValue: 'boss' }, role: 'team_member', workspaces: ['*'], priority: 1 };
const signed = { reason: 'agreed', paidSeats: 1 };
const pin = { role: 'team_member', reason: 'asked' };
const never = '2000-01-01T00:00:00Z';

beforeAll(async () => {
  gateway = await startGateway();
  const tenant = await gateway.createTenant();
  base = `/tenants/${tenant.slug}`;
  const token = await tenant.directoryToken('generic');
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
  const user = { schemas, userName: 'ann@example.com', active: false };
  userId = (await made(gateway.scim(token, 'POST', '/Users', user))).id;
  await made(gateway.api('PUT', `${base}/contract`, contract));
  await made(gateway.api('POST', `${base}/contract/amendments`, { ...signed, effectiveOn: '2020-01-02' }));
  mappingId = (await made(gateway.api('POST', `${base}/mappings`, mapping))).id;
});
afterAll(() => gateway.close());

type Refused = [by: 'schema' | 'form' | 'edit', change: object, field: string];

/** Of each op the fields that are wrong, one at a time. */
const bySeats: Record<string, (change: object) => object> = {
  contract: (change) => ({ contract: { ...contract, ...change } }),
  amendment: (change) => ({ amendment: { ...signed, effectiveOn: '2021-01-01', ...change } }),
  line: (change) => ({ line: { ...signed, kind: 'ramp', startsOn: '2021-01-01', ...change } }),
  withdrawal: (change) => ({ lineId: mappingId, ...change }),
  pin: (change) => ({ userId, pin: { ...pin, ...change } }),
  unpin: (change) => ({ userId, ...change }),
  settings: (change) => ({ settings: change }),
  subPool: (change) => ({ subPool: { name: 'ops', seats: 1, ...change } }),
  removeSubPool: (change) => ({ name: 'ops', ...change }),
  defaultWorkspaces: (change) => ({ workspaces: ['w1'], ...change }),
  rollback: (change) => ({ version: 1, ...change }),
  settle: (change) => change,
};
const byMappings: Record<string, (change: object) => object> = {
  create: (change) => ({ mapping: { ...mapping, priority: 2, ...change } }),
  update: (change) => ({ id: mappingId, mapping: { ...mapping, ...change } }),
  delete: (change) => ({ id: mappingId, ...change }),
  reorder: (change) => ({ ids: [mappingId], ...change }),
};

const refused: Record<string, Refused[]> = {
  contract: [
    ['schema', { paidSeats: 'x' }, 'contract.paidSeats'],
    ['form', { startsOn: '2020-02-31' }, 'contract.startsOn'],
    ['edit', { startsOn: '2020-01-03' }, 'contract.startsOn'],
  ],
  amendment: [
    ['schema', { effectiveOn: 1 }, 'amendment.effectiveOn'],
    ['form', { effectiveOn: '2021-02-31' }, 'amendment.effectiveOn'],
    ['edit', { effectiveOn: '2099-01-01' }, 'amendment.effectiveOn'],
  ],
  line: [
    ['schema', { kind: 'x' }, 'line.kind'],
    ['form', { endsOn: '2022-01-01' }, 'line.endsOn'],
    ['edit', { startsOn: '2099-01-01' }, 'line.startsOn'],
  ],
  withdrawal: [['schema', { lineId: 1 }, 'lineId']],
  pin: [
    ['schema', { reserved: 1 }, 'pin.reserved'],
    ['form', { role: 'king' }, 'pin.role'],
    ['edit', { until: never }, 'pin.until'],
    ['edit', { reserved: true }, 'pin.reserved'],
  ],
  unpin: [
    ['schema', { userId: 1 }, 'userId'],
    ['form', { pin }, 'pin'],
  ],
  settings: [
    ['schema', { breaker: { percent: 'x', people: 1 } }, 'settings.breaker.percent'],
    ['form', { approvals: { king: 'manual' } }, 'settings.approvals.king'],
  ],
  subPool: [['schema', { seats: -1 }, 'subPool.seats']],
  removeSubPool: [['schema', { name: '' }, 'name']],
  defaultWorkspaces: [
    ['schema', { workspaces: 1 }, 'workspaces'],
    ['form', { workspaces: ['*'] }, 'workspaces'],
  ],
  rollback: [['schema', { version: 0 }, 'version']],
  settle: [['form', { version: 1 }, 'version']],
  create: [
    ['schema', { priority: 'x' }, 'mapping.priority'],
    ['form', { group: {} }, 'mapping.group'],
    ['edit', { priority: 1 }, 'mapping.priority'],
    ['edit', { subPool: 'ops' }, 'mapping.subPool'],
  ],
  update: [
    ['schema', { group: { id: 1 } }, 'mapping.group.id'],
    ['form', { role: 'king' }, 'mapping.role'],
    ['edit', { validUntil: never }, 'mapping.validUntil'],
  ],
  delete: [['form', { ids: [] }, 'ids']],
  reorder: [
    ['schema', { ids: 1 }, 'ids'],
    ['edit', { ids: [] }, 'ids'],
  ],
};

it('the table has every op', () => {
  expect(Object.keys(refused)).toEqual([...Object.keys(bySeats), ...Object.keys(byMappings)]);
});

it.each(Object.entries(refused).flatMap(([op, rows]) => rows.map((row) => [op, ...row] as const)))(
  '%s, refused by its %s for %o',
  async (op, by, change, field) => {
    const of = bySeats[op];
    const form = of?.(change) ?? byMappings[op]?.(change);
    const path = `${base}/${of === undefined ? 'mappings' : 'seats'}/preview`;
    const { status, body } = await gateway.api('POST', path, { op, ...form });
    expect([status < 500, body.field, body.errors !== undefined], body.detail).toEqual([
      true,
      field,
      by === 'schema',
    ]);
  },
);
