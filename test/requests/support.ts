/** Waits for what the recorder writes beside the requests. */

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { made, type TestGateway } from '../support/gateway.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape.
export type Item = any;

/** The tenant's recorded calls, newest first, once there are so many. */
export async function recorded(
  gateway: TestGateway,
  tenant: string,
  count: number,
  query = '',
): Promise<Item[]> {
  for (let tries = 0; ; tries += 1) {
    const { items } = await made(gateway.api('GET', `/tenants/${tenant}/requests?limit=200${query}`));
    if (items.length >= count || tries === 100) return items;
    await sleep(50);
  }
}

/** The newest call with its bodies, once there are so many. */
export async function newest(gateway: TestGateway, tenant: string, count: number): Promise<Item> {
  const [item] = await recorded(gateway, tenant, count);
  return await made(gateway.api('GET', `/tenants/${tenant}/requests/${item.id}`));
}

/** Runs SQL as the owner with the tenant set. */
export async function asTenant<T>(
  gateway: TestGateway,
  tenantId: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: gateway.databaseUrl });
  await client.connect();
  try {
    await client.query(
      `select set_config('role', 'blue_gateway_request', false), set_config('app.tenant_id', $1, false)`,
      [tenantId],
    );
    return await work(client);
  } finally {
    await client.end();
  }
}

/** So many calls, a second apart from `start` on. */
export async function insertCalls(
  gateway: TestGateway,
  tenantId: string,
  start: Date,
  count: number,
): Promise<void> {
  await asTenant(gateway, tenantId, (client) =>
    client.query(
      `insert into recorded_requests (tenant_id, id, at, directory_id, token_id, request_id, method, path, query,
         status, duration_ms, truncated)
       select $1, (lpad(to_hex(floor(extract(epoch from at) * 1000)::bigint), 12, '0')
           || '7000800000000000' || lpad(to_hex(n % 65536), 4, '0'))::uuid, at, $1, $1, 'r' || n, 'GET',
         '/scim/v2/Users', '', 200, 1, false
       from generate_series(1, $3::int) n, lateral (select $2::timestamptz + n * interval '1 second' as at) t`,
      [tenantId, start, count],
    ),
  );
}
