/** Answers that nobody reads: one token has so many of them at a time, and others are answered. */

import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { newClient, type ScimClient } from './scim-support.ts';

let gateway: TestGateway;
let client: ScimClient;
let other: ScimClient;
const sockets: Socket[] = [];

beforeAll(async () => {
  gateway = await startGateway();
  [client, other] = [await newClient(gateway), await newClient(gateway)];
  for (const of of [client, other])
    for (let n = 0; n < 60; n += 1) await of.user({ userName: `u${n}`, photos: photosOf(n) });
}, 60_000);
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await gateway.close();
});

function photosOf(n: number) {
  return Array.from({ length: 4 }, (_, at) => ({ value: `${n} ${at} ${'x'.repeat(60_000)}` }));
}

/** Asks for all, and reads nothing of it. */
function ask({ token }: ScimClient): void {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  socket.on('error', () => {}).pause();
  socket.write(`GET /scim/v2/Users?count=1000 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`);
}

it('are bounded for each token, and those that are read are none', { timeout: 30_000 }, async () => {
  const list = (of: ScimClient) => of.send('GET', '/Users?count=1000');
  let status = 0;
  for (let tries = 0; tries < 30 && status !== 429; tries += 1) {
    // 14 MB each; those that come on top are refused.
    ask(client);
    await sleep(200);
    const answer = await list(client);
    status = answer.status;
    if (status === 429) {
      expect(answer.headers.get('retry-after')).toBe('1');
      expect(answer.body.detail).toContain('have not been read');
    }
  }
  expect(status).toBe(429);
  expect((await list(other)).body.Resources).toHaveLength(60);
  expect((await client.send('GET', '/Users?count=1&attributes=userName')).status).toBe(200);
  expect((await client.patch('/Users/x', { op: 'replace', path: 'title', value: 'x' })).status).toBe(404);
  for (const socket of sockets) socket.destroy();
  await sleep(1000);
  const path = `/tenants/${client.tenant.slug}/requests`;
  const [refused] = (await gateway.api('GET', `${path}?status=429`)).body.items;
  expect((await gateway.api('GET', `${path}/${refused.id}`)).body.responseBody).toMatchObject({
    status: '429',
  });
  expect((await list(client)).status).toBe(200);
});
