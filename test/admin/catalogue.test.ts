/** The calls of the role catalogue: who may, what is refused and where, and a change from its preview to what people have. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';

interface Role {
  key: string;
  billing: string;
  level: string;
  label: string;
}

let gateway: TestGateway;
let tenant: TestTenant;
let first: Role[];

beforeAll(async () => {
  gateway = await startGateway();
  tenant = await gateway.createTenant();
  first = (await made(gateway.api('GET', '/catalogue'))).roles;
});
afterAll(() => gateway.close());

const api = (method: string, path: string, body?: unknown) => made(gateway.api(method, path, body));
const own = (method: string, path: string, body?: unknown) =>
  api(method, `/tenants/${tenant.slug}${path}`, body);
const rolesWith = (key: string, change: Partial<Role>) =>
  first.map((role) => (role.key === key ? { ...role, ...change } : role));

describe('the catalogue', () => {
  it('is read with any key, and has every role', async () => {
    const { key } = await own('POST', '/keys', { name: 'k', role: 'auditor' });
    const { status, body } = await gateway.api('GET', '/catalogue', undefined, key);
    expect([status, body.version, Object.keys(body)]).toEqual([200, 1, ['version', 'recordedAt', 'roles']]);
    expect(body.roles.map((role: Role) => `${role.key} ${role.billing} ${role.level}`)).toEqual([
      'project_administrator paid ADMIN',
      'team_member paid MEMBER',
      'custom:* paid MEMBER',
      'client free CLIENT',
      'comment_only free COMMENT_ONLY',
      'view_only free VIEW_ONLY',
    ]);
  });

  it.each<[string, unknown, string]>([
    ['no reason', { roles: [] }, 'reason'],
    ['a role left out', { roles: [], reason: 'x' }, 'roles'],
    ['no role', { roles: [{ key: 'boss', billing: 'paid', level: 'ADMIN', label: 'B' }] }, 'roles.0.key'],
    [
      'no level',
      { roles: [{ key: 'client', billing: 'free', level: 'OWNER', label: 'C' }] },
      'roles.0.level',
    ],
    [
      'no billing',
      { roles: [{ key: 'client', billing: 'x', level: 'CLIENT', label: 'C' }] },
      'roles.0.billing',
    ],
  ])('is refused with %s', async (_what, body, field) => {
    const answer = await gateway.api('PUT', '/catalogue', body);
    const fields = [
      answer.body.field,
      ...(answer.body.errors ?? []).map((one: { field: string }) => one.field),
    ];
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid']);
    expect(fields).toContain(field);
  });

  it('is refused where it takes away what is fallen back to, naming who does', async () => {
    const dates = { startsOn: '2026-01-01', endsOn: '2099-12-31' };
    const terms = { overage: { policy: 'queue' }, paymentSchedule: 'annual', fallbackRole: 'client' };
    await own('PUT', '/contract', { kind: 'annual', tier: 'x', paidSeats: 1, ...dates, ...terms });
    const roles = rolesWith('client', { billing: 'paid' });
    for (const [method, path, more] of [
      ['PUT', '/catalogue', { reason: 'x' }],
      ['POST', '/catalogue/preview', {}],
    ] as const) {
      const { status, body } = await gateway.api(method, path, { roles, ...more });
      expect([status, body.code, body.field]).toEqual([400, 'invalid', 'roles.3.billing']);
      expect(body.detail).toContain(`client by the contract of ${tenant.slug}`);
    }
  });
});

describe('a change', () => {
  it('is foreseen, recorded, and reaches people by itself', async () => {
    const token = await tenant.directoryToken('okta');
    const core = 'urn:ietf:params:scim:schemas:core:2.0';
    const ids: string[] = [];
    for (const name of ['ann', 'bob']) {
      const user = {
        schemas: [`${core}:User`],
        userName: `${name}@acme.example`,
        emails: [{ value: `${name}@acme.example` }],
      };
      ids.push((await made(gateway.scim(token, 'POST', '/Users', user))).id);
    }
    const members = ids.map((value) => ({ value }));
    await made(
      gateway.scim(token, 'POST', '/Groups', { schemas: [`${core}:Group`], displayName: 'Guests', members }),
    );
    const mapping = {
      group: { displayName: 'Guests' },
      role: 'comment_only',
      workspaces: ['*'],
      priority: 1,
    };
    await own('POST', '/mappings', mapping);
    const seats = async () => {
      const { held, queued } = await own('GET', '/seats');
      return { held, queued };
    };
    expect(await seats()).toEqual({ held: 0, queued: 0 });

    const roles = rolesWith('comment_only', { billing: 'paid' });
    const foreseen = await api('POST', `/catalogue/preview?tenant=${tenant.slug}`, { roles });
    expect(foreseen).toMatchObject({
      items: [
        { seats: { before: 0, after: 1 }, people: 2, toPaid: 2, toFree: 0, gained: 1, lost: 0, queued: 1 },
      ],
      nextCursor: null,
    });
    expect(await seats(), 'nothing is written').toEqual({ held: 0, queued: 0 });

    const written = await api('PUT', '/catalogue', { roles, reason: 'Blue charges for it now' });
    expect(written).toMatchObject({ version: 2, by: 'first operator', reason: 'Blue charges for it now' });
    await expect.poll(seats, { timeout: 10_000 }).toEqual({ held: 1, queued: 1 });
    const { items } = await own('GET', '/users');
    const found = new Map(items.map((user: { id: string }) => [user.id, user]));
    for (const { id, after } of foreseen.items[0].users) {
      const effective = after.roles.map((role: object) => expect.objectContaining(role));
      expect(found.get(id)).toMatchObject({ effectiveRoles: effective, seat: { state: after.seat } });
    }
    await expect
      .poll(async () => (await api('GET', '/catalogue/versions/2')).tenantsBehind, { timeout: 10_000 })
      .toBe(0);
    const [entry] = (await own('GET', '/audit?action=catalogue.adopted')).items;
    expect(entry).toMatchObject({
      actor: { kind: 'system', rule: 'catalogue' },
      before: { version: 1 },
      after: { version: 2, billing: ['comment_only'], level: [] },
    });
  });

  it('leaves the versions before it to be read', async () => {
    const { items } = await api('GET', '/catalogue/versions');
    expect(items.map(({ version }: { version: number }) => version)).toEqual([2, 1]);
    const page = await api('GET', '/catalogue/versions?limit=1');
    const next = await api('GET', `/catalogue/versions?limit=1&cursor=${page.nextCursor}`);
    expect([page.items[0].version, next.items[0].version, next.nextCursor]).toEqual([2, 1, null]);
    expect((await api('GET', '/catalogue/versions/1')).roles).toEqual(first);
    for (const n of ['3', '0', '1.5', 'x', '99999999999']) {
      expect((await gateway.api('GET', `/catalogue/versions/${n}`)).status, n).toBe(404);
    }
  });

  it('is foreseen tenant by tenant, without names', async () => {
    const slugs = [tenant.slug, (await gateway.createTenant()).slug].sort();
    const page = await api('POST', '/catalogue/preview?limit=1', { roles: first });
    const next = await api('POST', `/catalogue/preview?cursor=${page.nextCursor}`, { roles: first });
    const items = [...page.items, ...next.items];
    expect(items.map((one) => one.tenant.slug)).toEqual(slugs);
    for (const item of items) expect(item).not.toHaveProperty('users');
    const unknown = await gateway.api('POST', '/catalogue/preview?tenant=nobody-has-this', { roles: first });
    expect([unknown.status, unknown.body.code]).toEqual([404, 'not_found']);
  });

  it('lets nobody fall back to what has become paid, by whatever way a mapping returns', async () => {
    const { slug } = await gateway.createTenant();
    const call = (method: string, path: string, body?: unknown) =>
      gateway.api(method, `/tenants/${slug}${path}`, body);
    const mapping = { group: { roleValue: 'boss' }, role: 'team_member', workspaces: ['*'], priority: 1 };
    const paid = { ...mapping, fallbackRole: 'comment_only' };
    const refusedAt = async (method: string, path: string, body: unknown) => {
      const answer = await call(method, path, body);
      return [answer.status, answer.body.field];
    };
    await api('PUT', '/catalogue', { roles: first, reason: 'it is free again' });
    const { id } = await made(call('POST', '/mappings', paid));
    const draft = await made(call('POST', '/mapping-drafts', { name: 'D', mappings: [paid] }));
    await made(call('DELETE', `/mappings/${id}`));
    await api('PUT', '/catalogue', {
      roles: rolesWith('comment_only', { billing: 'paid' }),
      reason: 'and is not',
    });

    expect(await refusedAt('POST', '/mappings', paid)).toEqual([400, 'fallbackRole']);
    const preview = { op: 'create', mapping: paid };
    expect(await refusedAt('POST', '/mappings/preview', preview)).toEqual([400, 'mapping.fallbackRole']);
    const contract = {
      ...{ kind: 'annual', tier: 'x', paidSeats: 1, startsOn: '2026-01-01', endsOn: '2099-12-31' },
      ...{ overage: { policy: 'queue' }, paymentSchedule: 'annual', fallbackRole: 'comment_only' },
    };
    const edit = { op: 'contract', contract };
    expect(await refusedAt('POST', '/seats/preview', edit)).toEqual([400, 'contract.fallbackRole']);
    const ofSet = [400, 'mappings.0.fallbackRole'];
    const activation = { rebase: true };
    expect(await refusedAt('POST', `/mapping-drafts/${draft.id}/activate`, activation)).toEqual(ofSet);
    expect(await refusedAt('POST', `/mapping-drafts/${draft.id}/preview`, activation)).toEqual(ofSet);
    expect(await refusedAt('POST', '/mapping-versions/1/rollback', {})).toEqual(ofSet);
    expect((await made(call('GET', '/mappings'))).items).toEqual([]);
  });
});
