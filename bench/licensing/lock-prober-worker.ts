/**
 * The prober's own thread: takes the tenant's pool lock every few milliseconds, gives it back at once, and measures how
 * long it waited. In a thread of its own, since the work that is probed may keep the main one busy.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import pg from 'pg';
import type { Probing } from './lock-prober.ts';

const pauseMs = 3;
const { url, tenantId }: Probing = workerData;

const client = new pg.Client({ connectionString: url });
client.on('error', () => {});
await client.connect();
// As requests see the row; and a lock that nothing was written under need not wait for the disk.
await client.query(
  `select set_config('role', 'blue_gateway_request', false), set_config('app.tenant_id', $1, false),
     set_config('synchronous_commit', 'off', false)`,
  [tenantId],
);

let isStopping = false;
parentPort?.once('message', () => {
  isStopping = true;
});
const waitsMs: number[] = [];
parentPort?.postMessage('probing');
while (!isStopping) {
  const started = performance.now();
  await client.query('select from seat_pools where tenant_id = $1 for no key update', [tenantId]);
  waitsMs.push(performance.now() - started);
  await sleep(pauseMs);
}
await client.end();
parentPort?.postMessage(waitsMs);
