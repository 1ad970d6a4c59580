/** What the gateway's process needs at most: after requests of many clients, and a change that concerns everybody. */

import { setTimeout as sleep } from 'node:timers/promises';
import { type Figures, rounded, Skipped } from '../figure.ts';
import type { GatewayProcess } from '../gateway-process.ts';
import { contractBody } from './operations.ts';
import type { World } from './world.ts';

const settledMsMax = 60_000;
const megabyte = 1024 * 1024;

export function measureMemory(figures: Figures, gateway: GatewayProcess, world: World): Promise<void> {
  const peak = { id: 'memory.peak', name: 'peak resident memory of the gateway, a full evaluation included' };
  return figures.measure({ ...peak, unit: 'MB', aim: { atMost: 300 } }, async () => {
    const before = gateway.peakMemory();
    if (before === undefined) return new Skipped('the system does not tell');
    const wrong = await changeFallback(gateway, world);
    const after = gateway.peakMemory();
    if (after === undefined) wrong.push('the gateway died');
    const details = { 'before the evaluation': rounded(before / megabyte, 0) };
    return { value: (after ?? before) / megabyte, details, wrong };
  });
}

/** Through the admin API: everybody who waits gets another role meanwhile. Answers what went wrong. */
async function changeFallback(
  { url, operatorKey }: GatewayProcess,
  { inspector, large }: World,
): Promise<string[]> {
  const answer = await fetch(`${url}/api/v1/tenants/${large.slug}/contract`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${operatorKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(contractBody(large, 'comment_only')),
    signal: AbortSignal.timeout(settledMsMax * 2),
  }).catch((error: Error) => error);
  if (answer instanceof Error) return [`the contract's change was not answered: ${answer.message}`];
  if (!answer.ok) return [`the contract's change was answered ${answer.status} ${await answer.text()}`];
  const end = performance.now() + settledMsMax;
  for (;;) {
    const behind = await inspector.number(
      `select count(*) as n from decisions d join role_sets s on s.tenant_id = d.tenant_id and s.id = d.effective_id
       where d.tenant_id = $1 and d.seat = 'waiting' and s.roles @> '[{"role": "view_only", "via": "FALLBACK:contract"}]'`,
      large.tenantId,
    );
    if (behind === 0) return [];
    if (performance.now() > end) return [`${behind} people still have the old fallback role`];
    await sleep(500);
  }
}
