/** A gateway that is asked to end while it works. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { cloneDatabase } from '../support/database.ts';
import { made, startGateway } from '../support/gateway.ts';
import { attribute, goodResponse, idpEntityId, newKeys } from './forge.ts';
import { metadataOf } from './identity-provider.ts';
import { post, startTarget } from './target.ts';

it('finishes the login whose response is being verified, and takes no new one', async () => {
  const taken = Promise.withResolvers<void>();
  const onStatement = (sql: string) => sql.startsWith('delete from "sso_requests"') && taken.resolve();
  const target = await startTarget({ observe: { onStatement } });
  const [begun, late] = [await target.begin(), await target.begin()];
  const groups = attribute('groups', ...Array.from({ length: 1500 }, (_, n) => `group ${n}`));
  const attributes = attribute('userName', 'ada@example.com') + groups;
  let isAnswered = false;
  const answer = post(begun, goodResponse(begun, { attributes })).finally(() => {
    isAnswered = true;
  });
  // What follows is the verification, for which a thread is started first.
  await taken.promise;
  const closed = target.gateway.close();
  await sleep(20);
  expect(isAnswered).toBe(false);
  await expect(post(late, goodResponse(late))).rejects.toThrow('fetch failed');
  const page = await answer;
  expect([page.status, page.headers.get('location')]).toEqual([303, '/sso']);
  await closed;
});

it('waits for no metadata that is being fetched, which is neither fetched nor failed then', async () => {
  const { certificate } = await newKeys();
  let [isSilent, asked] = [false, 0];
  const server = createServer((_request, response) => {
    asked += 1;
    if (!isSilent) response.end(metadataOf(idpEntityId, 'http://localhost:1/sso', certificate));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const metadataUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metadata`;
  const database = await cloneDatabase();
  const options = { databaseUrl: database.url, config: { testClock: true } };
  const gateway = await startGateway(options);
  const { slug } = await gateway.createTenant();
  const path = `/tenants/${slug}/connections`;
  const { id } = await made(
    gateway.api('POST', path, { protocol: 'saml', name: 'x', metadataUrl, jit: { create: false } }),
  );
  isSilent = true;
  await made(gateway.api('PUT', '/clock', { now: new Date(Date.now() + 25 * 60 * 60 * 1000).toISOString() }));
  await vi.waitFor(() => expect(asked).toBe(2), { timeout: 10_000, interval: 50 });
  const began = performance.now();
  await gateway.close();
  expect(performance.now() - began).toBeLessThan(3000);
  const next = await startGateway(options);
  expect((await made(next.api('GET', `${path}/${id}`))).metadata).toMatchObject({
    error: null,
    failingSince: null,
  });
  await next.close();
  server.closeAllConnections();
  server.close();
  await database.drop();
});
