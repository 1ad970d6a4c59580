/** Parking: members of groups that are named before their people arrive wait, and join by themselves. */

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../src/kernel/limits.ts';
import { asTenant } from '../requests/support.ts';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';
import { groupUrn, newClient, type ScimClient } from './scim-support.ts';

let gateway: TestGateway;
let client: ScimClient;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(async () => {
  client = await newClient(gateway);
  await park(true);
});

const park = (parking: boolean) =>
  made(gateway.api('PUT', `/tenants/${client.tenant.slug}/settings`, { parking, requestRetentionDays: 30 }));
const parked = async () =>
  (await gateway.api('GET', `/tenants/${client.tenant.slug}/parked-members`)).body.items;
const membersOf = async (id: string) =>
  ((await client.send('GET', `/Groups/${id}`)).body.members ?? []).map(
    ({ value }: { value: string }) => value,
  );
const add = (id: string, ...values: string[]) =>
  client.patch(`/Groups/${id}`, { op: 'add', path: 'members', value: values.map((value) => ({ value })) });
const groupOf = (...values: string[]) => ({
  schemas: [groupUrn],
  displayName: 'Of',
  members: values.map((value) => ({ value })),
});
const nobody = '00000000-0000-7000-8000-00000000000a';

describe('an unknown member', () => {
  it('waits, is reported with its age, and joins on arrival', async () => {
    const group = await client.group({
      displayName: 'Early',
      members: [{ value: 'ext-1' }, { value: 'Ann@example.com' }],
    });
    expect(await membersOf(group.id)).toEqual([]);
    const waiting = await parked();
    expect(waiting).toHaveLength(2);
    expect(waiting[0]).toMatchObject({
      group: { id: group.id, displayName: 'Early' },
      directory: { id: client.directoryId },
      ageSeconds: expect.any(Number),
    });
    const one = await client.user({ userName: 'x@example.com', externalId: 'ext-1' });
    expect(one.groups).toMatchObject([{ value: group.id }]);
    const other = await client.user({ userName: 'ann@EXAMPLE.com' });
    expect((await membersOf(group.id)).sort()).toEqual([one.id, other.id].sort());
    expect(await parked()).toEqual([]);
  });

  it('that is a group, or has a name that nobody can have, is refused: nobody of it would ever arrive', async () => {
    const [inner, outer] = [
      await client.group({ displayName: 'Inner' }),
      await client.group({ displayName: 'Outer' }),
    ];
    const tooLong = randomBytes(3000).toString('base64url');
    for (const [value, reason] of [
      [inner.id.toUpperCase(), 'nested groups are not supported'],
      [tooLong, 'there is no user'],
    ]) {
      const answers = [
        await add(outer.id, 'later', value),
        await client.send('POST', '/Groups', {
          schemas: [groupUrn],
          displayName: 'New',
          members: [{ value }],
        }),
      ];
      for (const { status, body } of answers) {
        expect([status, body.scimType, body.detail]).toEqual([
          400,
          'invalidValue',
          expect.stringContaining(reason),
        ]);
      }
    }
    expect(await parked()).toEqual([]);
  });

  it('is refused past the limit, but not for waiting already', async () => {
    const group = await client.group({ displayName: 'Crowd' });
    await asTenant(gateway, client.tenant.tenantId, (owner) =>
      owner.query(
        `insert into parked_members (tenant_id, group_id, directory_id, value, value_key, since)
         select $1, $2, $3, 'p-' || n, 'p-' || n, now() from generate_series(1, $4::integer) n`,
        [client.tenant.tenantId, group.id, client.directoryId, limits.parkedMembersMax],
      ),
    );
    expect((await add(group.id, 'p-1', 'p-2')).status).toBe(204);
    expect((await add(group.id, 'p-1', 'one-more')).status).toBe(413);
    expect((await client.send('POST', '/Groups', groupOf('p-1'))).status).toBe(413);
    const put = await client.send('PUT', `/Groups/${group.id}`, groupOf('p-1', 'one-more'));
    expect(put.status).toBe(200);
    expect((await parked()).map(({ value }: { value: string }) => value)).toEqual(['one-more', 'p-1']);
  });

  it('does not keep the others of the request from joining', async () => {
    const group = await client.group({ displayName: 'Mixed' });
    const { id } = await client.user({ userName: 'here@example.com' });
    expect((await add(group.id, 'later', id, nobody)).status).toBe(204);
    expect(await membersOf(group.id)).toEqual([id]);
    expect((await parked()).map(({ value }: { value: string }) => value).sort()).toEqual([nobody, 'later']);
  });

  it('whose person is there already joins at once, by externalId or userName', async () => {
    const group = await client.group({ displayName: 'Names' });
    const one = await client.user({ userName: 'one@example.com', externalId: 'ext-one' });
    const two = await client.user({ userName: 'two@example.com' });
    expect((await add(group.id, 'ext-one', 'TWO@example.com')).status).toBe(204);
    expect((await membersOf(group.id)).sort()).toEqual([one.id, two.id].sort());
    const remove = { op: 'remove', path: 'members[value eq "ext-one"]' };
    expect((await client.patch(`/Groups/${group.id}`, remove)).status).toBe(204);
    expect(await membersOf(group.id)).toEqual([two.id]);
  });

  it('waits once, since the first time', async () => {
    const group = await client.group({ displayName: 'Again', members: [{ value: 'w' }] });
    const [{ since }] = await parked();
    await add(group.id, 'w', 'v');
    const waiting = await parked();
    expect(waiting).toHaveLength(2);
    expect(waiting.find(({ value }: { value: string }) => value === 'w').since).toBe(since);
  });

  it('no longer waits when removed, replaced or cleared', async () => {
    const group = await client.group({
      displayName: 'Gone',
      members: [{ value: 'a' }, { value: 'b' }, { value: 'c' }],
    });
    await client.patch(`/Groups/${group.id}`, { op: 'remove', path: 'members', value: [{ value: 'a' }] });
    expect((await parked()).map(({ value }: { value: string }) => value).sort()).toEqual(['b', 'c']);
    await client.patch(`/Groups/${group.id}`, { op: 'replace', path: 'members', value: [{ value: 'd' }] });
    expect((await parked()).map(({ value }: { value: string }) => value)).toEqual(['d']);
    await client.patch(`/Groups/${group.id}`, { op: 'remove', path: 'members' });
    expect(await parked()).toEqual([]);
    const late = await client.user({ userName: 'd' });
    expect(await membersOf(group.id)).toEqual([]);
    expect(late.groups).toBeUndefined();
  });

  it('that nobody can be is refused, and nothing is done: a group, a name longer than any', async () => {
    const [outer, inner] = [
      await client.group({ displayName: 'O' }),
      await client.group({ displayName: 'I' }),
    ];
    const { id } = await client.user({ userName: 'in@example.com' });
    const nested = await add(outer.id, id, 'later', inner.id);
    expect([nested.status, nested.body.detail]).toEqual([400, expect.stringContaining('nested groups')]);
    for (const length of [2049, 3000, 20_000]) {
      const name = Array.from({ length }, (_, n) => String.fromCharCode(97 + ((n * n * 7 + n) % 26))).join(
        '',
      );
      const { status, body } = await add(outer.id, id, name);
      expect([status, body.scimType]).toEqual([400, 'invalidValue']);
    }
    const made = await client.send('POST', '/Groups', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      displayName: 'N',
      members: [{ value: inner.id }],
    });
    expect(made.status).toBe(400);
    expect([await membersOf(outer.id), await parked()]).toEqual([[], []]);
    expect((await add(outer.id, 'x'.repeat(2048))).status).toBe(204);
  });

  it('belongs to its directory by externalId: another directory’s person of that id does not join', async () => {
    const other = await newClient(gateway, 'okta', client.tenant);
    const group = await client.group({ displayName: 'Own', members: [{ value: 'shared' }] });
    await other.user({ userName: 'o@example.com', externalId: 'shared' });
    expect(await membersOf(group.id)).toEqual([]);
  });

  it('joins also when the person came by another door or got the name later', {
    timeout: 20_000,
  }, async () => {
    const other = await newClient(gateway, 'okta', client.tenant);
    const group = await client.group({
      displayName: 'Doors',
      members: [{ value: 'late@example.com' }, { value: 'e-2' }],
    });
    const early = await other.user({ userName: 'late@example.com' });
    const { id } = await client.user({ userName: 'named@example.com' });
    await client.patch(`/Users/${id}`, { op: 'add', path: 'externalId', value: 'e-2' });
    for (let tries = 0; tries < 100 && (await parked()).length > 0; tries += 1) await sleep(100);
    expect((await membersOf(group.id)).sort()).toEqual([early.id, id].sort());
  });

  it('gets a seat on arrival where the group is mapped', async () => {
    const { slug } = client.tenant;
    const contract = {
      ...{ kind: 'annual', tier: 'x', paidSeats: 5, startsOn: '2020-01-01', endsOn: '2099-12-31' },
      ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'view_only' },
    };
    await made(gateway.api('PUT', `/tenants/${slug}/contract`, contract));
    const group = await client.group({ displayName: 'Paid', members: [{ value: 'seat@example.com' }] });
    const mapping = { group: { id: group.id }, role: 'team_member', workspaces: ['w'], priority: 1 };
    await made(gateway.api('POST', `/tenants/${slug}/mappings`, mapping));
    const user = await client.user({ userName: 'seat@example.com' });
    expect(user['urn:blue:params:scim:schemas:extension:provisioning:2.0:User'].seat.state).toBe('held');
    expect((await gateway.api('GET', `/tenants/${slug}/seats`)).body.held).toBe(1);
  });

  it('of many creations at the same time joins each', async () => {
    const names = Array.from({ length: 30 }, (_, n) => `many-${n}@example.com`);
    const group = await client.group({ displayName: 'Many' });
    await Promise.all([
      ...names.map((value) => add(group.id, value)),
      ...names.map((userName) => client.user({ userName })),
    ]);
    for (let tries = 0; tries < 100 && (await parked()).length > 0; tries += 1) await sleep(100);
    expect(await membersOf(group.id)).toHaveLength(names.length);
  });
});

describe('without parking', () => {
  it('an unknown member is refused as before, and nothing is done', async () => {
    await park(false);
    const group = await client.group({ displayName: 'Strict' });
    const { id } = await client.user({ userName: 'here@example.com' });
    const { status, body } = await add(group.id, id, 'later');
    expect([status, body.scimType]).toEqual([400, 'invalidValue']);
    expect(await membersOf(group.id)).toEqual([]);
  });

  it('who waited is forgotten when it ends', async () => {
    await client.group({ displayName: 'Ends', members: [{ value: 'w' }] });
    await park(false);
    expect(await parked()).toEqual([]);
  });
});

it('a change that began before parking ended parks nobody afterwards', async () => {
  const group = await client.group({ displayName: 'Late' });
  const owner = new pg.Client({ connectionString: gateway.databaseUrl });
  await owner.connect();
  await owner.query('begin');
  await owner.query(
    `select set_config('role', 'blue_gateway_request', true), set_config('app.tenant_id', $1, true)`,
    [client.tenant.tenantId],
  );
  // The change has read that parking is on, and waits for the group.
  await owner.query('select 1 from groups where id = $1 for update', [group.id]);
  const adding = add(group.id, 'nobody-yet');
  await sleep(300);
  await park(false);
  await owner.query('rollback');
  await owner.end();
  expect((await adding).status).toBe(400);
  await park(true);
  expect(await parked()).toEqual([]);
});

it('a cursor that is made up is refused', async () => {
  const { id } = await client.group({ displayName: 'C', members: [{ value: 'later' }] });
  const since = '2026-01-31T08:00:00Z';
  for (const place of [
    [since, '-'.repeat(36), 'x'],
    [since, id, '\0'],
    [since, [id], 'x'],
    ['+275760-09-13T00:00:00Z', id, 'x'],
    [0, id, 'x'],
  ]) {
    const cursor = Buffer.from(JSON.stringify(place)).toString('base64url');
    const { status } = await gateway.api(
      'GET',
      `/tenants/${client.tenant.slug}/parked-members?cursor=${cursor}`,
    );
    expect([place, status]).toEqual([place, 400]);
  }
});
