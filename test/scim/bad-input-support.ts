/** A gateway with a user and a group, and a way to send it what it must refuse. */

import { createHash } from 'node:crypto';
import pg from 'pg';
import { expect } from 'vitest';
import { type Answer, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';
import { type RawRequest, send } from '../support/raw.ts';

export const user = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const group = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const patchOp = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
export const errorUrn = 'urn:ietf:params:scim:api:messages:2.0:Error';
export const unknownId = '00000000-0000-7000-8000-00000000000a';

export const newUser = (more: object) =>
  JSON.stringify({ schemas: [user], userName: 'new@example.com', ...more });
export const newGroup = (more: object) => JSON.stringify({ schemas: [group], displayName: 'New', ...more });
export const patch = (...operations: unknown[]) =>
  JSON.stringify({ schemas: [patchOp], Operations: operations });

/** Text that does not shrink when it is compressed. */
export function noise(length: number): string {
  let text = '';
  for (let n = 0; text.length < length; n += 1) {
    text += createHash('sha256').update(String(n)).digest('base64url');
  }
  return text.slice(0, length);
}

export interface Target {
  gateway: TestGateway;
  tenant: TestTenant;
  /** `{user}` and `{group}` in a text become the ids of those that are there. */
  fill(text: string): string;
  /** Below /scim/v2, with a good token unless `headers` say otherwise. */
  scim(request: RawRequest): Promise<Answer>;
  /** Sends it, and holds the answer and the database to what must be. */
  refuse(request: RawRequest, status: number, scimType?: string): Promise<Answer>;
  /** Of every row of the tenant, but for what says that somebody called. */
  fingerprint(): Promise<string>;
  close(): Promise<void>;
}

export async function startTarget(): Promise<Target> {
  const gateway = await startGateway();
  const tenant = await gateway.createTenant();
  const token = await tenant.directoryToken('generic');
  const emails = [{ value: 'anna@example.com', type: 'work' }];
  const anna = { schemas: [user], userName: 'anna@example.com', emails };
  const userId: string = (await gateway.scim(token, 'POST', '/Users', anna)).body.id;
  const staff = { schemas: [group], displayName: 'Staff', members: [{ value: userId }] };
  const groupId: string = (await gateway.scim(token, 'POST', '/Groups', staff)).body.id;
  const fill = (text: string) => text.replaceAll('{user}', userId).replaceAll('{group}', groupId);
  const rows = await tenantRows(gateway.databaseUrl, tenant.tenantId);
  const scim: Target['scim'] = ({ headers, path, ...rest }) => {
    const type: Record<string, string> =
      rest.body === undefined ? {} : { 'content-type': 'application/scim+json' };
    const sent = { authorization: `Bearer ${token}`, ...type, ...headers };
    return send(gateway.url, { ...rest, path: `/scim/v2${fill(path)}`, headers: sent });
  };
  return {
    gateway,
    tenant,
    fill,
    scim,
    refuse: async (request, status, scimType) => {
      const before = await rows.fingerprint();
      const answer = await scim(request);
      expectError(answer, status, scimType);
      expect(await rows.fingerprint()).toBe(before);
      expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
      return answer;
    },
    fingerprint: rows.fingerprint,
    close: async () => {
      await rows.close();
      await gateway.close();
    },
  };
}

/** RFC 7644 §3.12, in words for a person and without anything of the inside. */
function expectError({ status, headers, body }: Answer, wanted: number, scimType?: string): void {
  expect(status, JSON.stringify(body).slice(0, 300)).toBe(wanted);
  expect(headers.get('content-type')).toMatch(/^application\/scim\+json/);
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  expect(body).toEqual({
    schemas: [errorUrn],
    status: String(wanted),
    ...(scimType === undefined ? {} : { scimType }),
    detail: expect.stringMatching(/^[^\n]{10,}$/),
  });
  expect(body.detail).not.toMatch(/undefined|\[object|at .*\.ts|select |FST_ERR/);
}

async function tenantRows(url: string, tenantId: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    `select set_config('role', 'blue_gateway_request', false), set_config('app.tenant_id', $1, false)`,
    [tenantId],
  );
  const tables = await client.query(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
     where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
       -- Written beside the requests: what is forgotten once an answer is out, what was called, and what alerts look at.
       and c.relname not in ('unanswered_creations', 'recorded_requests', 'alert_states', 'seat_days', 'audit_seals')
       and has_table_privilege(c.oid, 'select') order by 1`,
  );
  const fingerprint = async () => {
    const hash = createHash('sha256');
    for (const { name } of tables.rows) {
      const { rows } = await client.query(
        `select to_jsonb(t) - 'last_used_at' as row from ${name} t order by 1`,
      );
      hash.update(JSON.stringify([name, rows]));
    }
    return hash.digest('hex');
  };
  return { fingerprint, close: () => client.end() };
}
