/** What a write over SCIM leaves behind: who was switched off stays so, what is refused changed nothing. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';

let gateway: TestGateway;
let tenant: TestTenant;
let token: string;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(async () => {
  tenant = await gateway.createTenant();
  token = await tenant.directoryToken('okta');
});

const userSchemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
const groupSchemas = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
const patchOf = (...Operations: object[]) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations,
});
const create = (body: object) =>
  made(gateway.scim(token, 'POST', '/Users', { schemas: userSchemas, ...body }));

describe('an inactive person', () => {
  it.each([
    ['replaced by ""', { op: 'replace', path: 'active', value: '' }],
    ['replaced by null', { op: 'replace', path: 'active', value: null }],
    ['replaced by []', { op: 'replace', path: 'active', value: [] }],
    ['removed', { op: 'remove', path: 'active' }],
    ['cleared without a path', { op: 'replace', value: { active: null } }],
  ])('stays inactive when active is %s', async (_what, operation) => {
    const { id } = await create({ userName: 'gone@acme.example', active: false });
    const answer = await gateway.scim(token, 'PATCH', `/Users/${id}`, patchOf(operation));
    expect([answer.status, answer.body.active]).toEqual([200, false]);
    expect((await gateway.api('GET', `/tenants/${tenant.slug}/users/${id}`)).body.active).toBe(false);
  });
});

describe('a refused request', () => {
  const names = Array.from({ length: 300 }, (_, n) => `a${n}`).join(',');

  it('makes no group, and renames and empties none', async () => {
    const body = { schemas: groupSchemas, displayName: 'Made' };
    expect((await gateway.scim(token, 'POST', `/Groups?attributes=${names}`, body)).status).toBe(400);
    expect((await gateway.scim(token, 'GET', '/Groups')).body.totalResults).toBe(0);
    const { id } = await made(gateway.scim(token, 'POST', '/Groups', body));
    const rename = patchOf({ op: 'replace', path: 'displayName', value: 'Renamed' });
    for (const [method, change] of [
      ['PATCH', rename],
      ['PUT', { ...body, displayName: 'Renamed' }],
    ] as const) {
      expect((await gateway.scim(token, method, `/Groups/${id}?attributes=${names}`, change)).status).toBe(
        400,
      );
    }
    expect((await gateway.scim(token, 'GET', `/Groups/${id}`)).body.displayName).toBe('Made');
  });

  it.each(['9999-12-31T23:59:59-14:00', '0001-01-01T00:00:00+14:00'])(
    'by a time like %s is told',
    async (time) => {
      for (const path of ['/Users', '/Groups']) {
        const filter = encodeURIComponent(`meta.created gt "${time}"`);
        const answer = await gateway.scim(token, 'GET', `${path}?filter=${filter}`);
        expect([answer.status, answer.body.scimType]).toEqual([400, 'invalidFilter']);
      }
    },
  );

  it('costs little, however much it asks for', async () => {
    const { id } = await create({ userName: 'busy@acme.example' });
    const value = Array.from({ length: 499 }, (_, n) => ({ value: `role ${n}` }));
    for (const op of ['add', 'remove']) {
      const operations = Array.from({ length: 100 }, () => ({ op, path: 'roles', value }));
      const started = performance.now();
      const answer = await gateway.scim(token, 'PATCH', `/Users/${id}`, patchOf(...operations));
      expect(answer.status).toBe(413);
      expect(performance.now() - started).toBeLessThan(2000);
    }
  });
});

describe('the trail', () => {
  it('says when a mapping found its group, and when it lost it', async () => {
    const base = `/tenants/${tenant.slug}`;
    const mapping = await made(
      gateway.api('POST', `${base}/mappings`, {
        group: { displayName: 'Eng' },
        role: 'client',
        workspaces: ['*'],
        priority: 1,
      }),
    );
    const body = { schemas: groupSchemas, displayName: 'Eng' };
    const group = await made(gateway.scim(token, 'POST', '/Groups', body));
    await made(gateway.scim(token, 'DELETE', `/Groups/${group.id}`));
    const { items } = (await gateway.api('GET', `${base}/audit?subject=${mapping.id}`)).body;
    expect(items).toMatchObject([
      { action: 'mapping.unbound', before: { groupId: group.id }, after: { group: { displayName: 'Eng' } } },
      { action: 'mapping.bound', after: { groupId: group.id }, actor: { kind: 'directory' } },
      { action: 'mapping.created' },
    ]);
  });

  it('says when another directory gets to know somebody', async () => {
    const { id } = await create({ userName: 'shared@acme.example' });
    const other = await tenant.directoryToken('entra');
    const same = patchOf({ op: 'replace', path: 'userName', value: 'shared@acme.example' });
    expect((await gateway.scim(other, 'PATCH', `/Users/${id}`, same)).status).toBe(200);
    const { items } = (await gateway.api('GET', `/tenants/${tenant.slug}/audit?subject=${id}`)).body;
    expect(items).toMatchObject([
      { action: 'user.linked', actor: { kind: 'directory', name: 'entra' } },
      { action: 'user.created' },
    ]);
  });
});
