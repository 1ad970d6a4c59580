/** What identity providers send is there to be seen: over HTTP, with a real gateway and database. */

import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../src/kernel/limits.ts';
import { cloneDatabase } from '../support/database.ts';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';
import { send } from '../support/raw.ts';
import { asTenant, newest, recorded } from './support.ts';

const userSchemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
const groupSchemas = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
const patchOf = (...Operations: object[]) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations,
});
const hidden = 'S3cr3t-of-Ann';

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

const create = (over: object = {}) =>
  gateway.scim(token, 'POST', '/Users', { schemas: userSchemas, userName: 'ann@x.example', ...over });

/** Everything that the database holds of the tenant's calls, as text. */
const everything = () =>
  asTenant(gateway, tenant.tenantId, async (client) =>
    JSON.stringify((await client.query('select * from recorded_requests')).rows),
  );

describe('a call', () => {
  it('is kept with both bodies, and says whom it was about', async () => {
    const before = Date.now();
    const answer = await create({ password: hidden });
    const call = await newest(gateway, tenant.slug, 1);
    expect(call).toMatchObject({
      method: 'POST',
      path: '/scim/v2/Users',
      query: '',
      userAgent: 'node',
      status: 201,
      requestId: answer.headers.get('x-request-id'),
      subject: answer.body.id,
      truncated: false,
      requestBody: { schemas: userSchemas, userName: 'ann@x.example', password: '[removed]' },
      responseBody: answer.body,
    });
    const [directory] = (await made(gateway.api('GET', `/tenants/${tenant.slug}/directories`))).items;
    const path = `/tenants/${tenant.slug}/directories/${directory.id}/tokens`;
    const [issued] = (await made(gateway.api('GET', path))).items;
    expect([call.directoryId, call.tokenId]).toEqual([directory.id, issued.id]);
    expect(Date.parse(call.at)).toBeGreaterThanOrEqual(before - 1);
    expect(Date.parse(call.at)).toBeLessThanOrEqual(Date.now());
    expect(call.durationMs).toBeGreaterThan(0);
    expect(call.durationMs).toBeLessThan(30_000);
  });

  it('holds no password, whatever way it came', async () => {
    const { id } = (await create({ password: hidden })).body;
    const path = `/Users/${id}`;
    const urn = `${userSchemas[0]}:password`;
    await gateway.scim(token, 'PATCH', path, patchOf({ op: 'replace', path: 'password', value: hidden }));
    await gateway.scim(token, 'PATCH', path, patchOf({ op: 'add', value: { password: hidden } }));
    await gateway.scim(token, 'PATCH', path, patchOf({ op: 'add', value: { [urn]: hidden } }));
    await gateway.scim(token, 'PATCH', path, `{"Operations":[{"pass\\u0077ord":"${hidden}"}],"a":1}`);
    await gateway.scim(token, 'PUT', path, { userName: 'ann@x.example', password: [hidden] });
    await gateway.scim(token, 'PUT', path, `{"password":"x${hidden}"`);
    await gateway.scim(token, 'PUT', path, `{"password":${hidden}}`);
    await gateway.scim(token, 'PUT', path, JSON.stringify(hidden));
    const filter = encodeURIComponent(`password eq "${hidden}"`);
    await gateway.scim(token, 'GET', `/Users?filter=${filter}`);
    await gateway.scim(token, 'GET', `/Users?filter=${filter}x)&password=${hidden}`);
    expect(await recorded(gateway, tenant.slug, 11)).toHaveLength(11);
    const text = await everything();
    expect(text).toContain('[removed]');
    expect(text).not.toContain(hidden);
    expect(text).not.toContain(token);
  });

  it('is kept when it was refused, and when a stranger asks it is not', async () => {
    await create();
    await create();
    await gateway.scim(token, 'GET', '/Users/00000000-0000-7000-8000-00000000000a');
    await gateway.scim(token, 'GET', '/Nothing?x=1');
    await gateway.scim(token, 'POST', '/Users', 'no JSON');
    const { url } = gateway;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'text/plain' };
    await send(url, { method: 'POST', path: '/scim/v2/Users', headers, body: hidden });
    await gateway.scim('bgw_scim_nobody', 'GET', '/Users');
    await gateway.scim(token, 'GET', '/ServiceProviderConfig');
    const items = await recorded(gateway, tenant.slug, 7);
    expect(items.map(({ status }) => status)).toEqual([200, 415, 400, 404, 404, 409, 201]);
    const bodies = await Promise.all(
      items.map(({ id }) => made(gateway.api('GET', `/tenants/${tenant.slug}/requests/${id}`))),
    );
    expect(bodies.slice(1, 4).map(({ requestBody }) => requestBody)).toEqual([
      `[not read, ${hidden.length} bytes]`,
      '[no JSON object, 7 bytes]',
      null,
    ]);
    expect(bodies[4].subject).toBe('00000000-0000-7000-8000-00000000000a');
    expect(bodies[5].responseBody).toMatchObject({ status: '409', scimType: 'uniqueness' });
  });

  it('is kept when the client hung up before it was answered', async () => {
    const body = JSON.stringify({ schemas: userSchemas, userName: 'gone@x.example' });
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.on('data', (part) => {
      received += part;
    });
    await asTenant(gateway, tenant.tenantId, async (client) => {
      // Holds the creation up until the client is gone.
      await client.query('begin');
      await client.query('lock table users');
      socket.write(
        `POST /scim/v2/Users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n` +
          `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      await sleep(200);
      socket.destroy();
      await sleep(100);
      await client.query('rollback');
    });
    expect(received).toBe('');
    expect(await newest(gateway, tenant.slug, 1)).toMatchObject({
      status: 201,
      requestBody: { userName: 'gone@x.example' },
      responseBody: { userName: 'gone@x.example' },
    });
  });

  it('about a group with members is kept without them', async () => {
    const { id } = (await create()).body;
    const body = { schemas: groupSchemas, displayName: 'Eng', members: [{ value: id }] };
    const group = (await gateway.scim(token, 'POST', '/Groups', body)).body;
    await gateway.scim(token, 'GET', `/Groups/${group.id}`);
    const [read, posted] = await recorded(gateway, tenant.slug, 3);
    expect([read.subject, posted.subject]).toEqual([group.id, group.id]);
    const whole = await newest(gateway, tenant.slug, 3);
    expect([whole.responseBody, whole.requestBody]).toEqual(['[streamed]', null]);
    await gateway.scim(token, 'GET', '/Groups?excludedAttributes=members');
    expect((await newest(gateway, tenant.slug, 4)).responseBody.Resources).toHaveLength(1);
  });

  it('keeps of long bodies the beginning', async () => {
    const group = '00000000-0000-7000-8000-00000000000a';
    const members = Array.from({ length: 2000 }, (_, n) => ({ value: `${group.slice(0, -4)}${1000 + n}` }));
    const operation = { op: 'add', path: 'members', value: members };
    await gateway.scim(token, 'PATCH', `/Groups/${group}`, patchOf(operation));
    const call = await newest(gateway, tenant.slug, 1);
    expect(call.truncated).toBe(true);
    expect(call.requestBody).toHaveLength(limits.recordedBodyBytesMax);
    expect(call.requestBody).toMatch(/^{"schemas":\[.*8000-000000001007"/);
    expect(call.responseBody).toMatchObject({ status: '404' });
  });
});

describe('the token', () => {
  const lastUsed = () =>
    asTenant(gateway, tenant.tenantId, async (client) => {
      const { rows } = await client.query('select last_used_at, xmin::text from directory_tokens');
      return rows[0];
    });

  it('says when it was last used, to the minute', async () => {
    expect((await lastUsed()).last_used_at).toBeNull();
    await create();
    const [{ at }] = await recorded(gateway, tenant.slug, 1);
    const first = await lastUsed();
    expect(first.last_used_at.toISOString()).toBe(at);
    await gateway.scim(token, 'GET', '/Users');
    await recorded(gateway, tenant.slug, 2);
    expect(await lastUsed()).toEqual(first);
    await asTenant(gateway, tenant.tenantId, (client) =>
      client.query(`update directory_tokens set last_used_at = now() - interval '61 seconds'`),
    );
    await gateway.scim(token, 'GET', '/Users');
    const [third] = await recorded(gateway, tenant.slug, 3);
    expect((await lastUsed()).last_used_at.toISOString()).toBe(third.at);
  });
});

it('who calls too often is recorded, too', async () => {
  const slow = await startGateway({ config: { scimRateLimit: 25 } });
  try {
    const { slug, directoryToken } = await slow.createTenant();
    const own = await directoryToken('okta');
    let refused = 0;
    for (let round = 0; round < 50 && refused === 0; round += 1) {
      const calls = Array.from({ length: 50 }, () => slow.scim(own, 'GET', '/ServiceProviderConfig'));
      refused = (await Promise.all(calls)).filter(({ status }) => status === 429).length;
    }
    expect(refused).toBeGreaterThan(0);
    const items = await recorded(slow, slug, refused, '&status=429');
    expect(items).toHaveLength(refused);
  } finally {
    await slow.close();
  }
});

it('what is queued when the gateway stops is written before it has stopped', async () => {
  const { url: databaseUrl, drop } = await cloneDatabase();
  const first = await startGateway({ databaseUrl });
  const { tenantId, directoryToken } = await first.createTenant();
  const own = await directoryToken('okta');
  await first.scim(own, 'GET', '/ServiceProviderConfig');
  await first.scim(own, 'GET', '/Users');
  await first.close();
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(`select set_config('app.tenant_id', $1, false)`, [tenantId]);
  await client.query('set role blue_gateway_request');
  const { rows } = await client.query('select path from recorded_requests order by id');
  await client.end();
  await drop();
  expect(rows.map(({ path }) => path)).toEqual(['/scim/v2/ServiceProviderConfig', '/scim/v2/Users']);
});
