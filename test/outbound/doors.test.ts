/** Every address that others configure: none leads into the gateway's own network where that is closed, and none is asked (SSRF). */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Receiver } from '../signals/receiver.ts';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let path = '';
let receiver: Receiver;
let asked = 0;
const own = createServer((_request, response) => {
  asked += 1;
  response.end('{}');
});

beforeAll(async () => {
  gateway = await startGateway({ config: { allowPrivateNetworks: false } });
  await new Promise<void>((done) => own.listen(0, '127.0.0.1', done));
  path = `/tenants/${(await gateway.createTenant()).slug}`;
  const body = { name: 'x', audience: 'https://receiver.example' };
  receiver = new Receiver(gateway, (await made(gateway.api('POST', `${path}/signal-receivers`, body))).token);
});
afterAll(async () => {
  await gateway.close();
  await new Promise((done) => own.close(done));
});

const api = (method: string, at: string, body: object) => gateway.api(method, `${path}${at}`, body);
const blue = { organizationId: 'o', tokenId: 't', tokenSecret: 's', mode: 'observe', defaultWorkspaces: [] };
const saml = { protocol: 'saml', name: 'x' };
const oidc = { protocol: 'oidc', name: 'x', clientId: 'c', clientSecret: 's' };
const push = 'urn:ietf:rfc:8935';

type Answer = Promise<{ status: number; body: { field?: string } }>;
const doors: Record<string, (url: string) => Answer> = {
  apiUrl: (apiUrl) => api('PUT', '/blue', { ...blue, apiUrl }),
  metadataUrl: (metadataUrl) => api('POST', '/connections', { ...saml, metadataUrl }),
  issuer: (issuer) => api('POST', '/connections', { ...oidc, issuer }),
  revocationIssuer: (revocationIssuer) =>
    api('POST', '/connections', { ...oidc, issuer: 'https://idp.example', revocationIssuer }),
  backchannelLogoutUri: (backchannelLogoutUri) =>
    api('POST', '/clients', {
      name: 'x',
      redirectUris: ['https://app.example/callback'],
      backchannelLogoutUri,
    }),
  'delivery.endpoint_url': (endpoint_url) =>
    receiver.send('POST', '/ssf/stream', { delivery: { method: push, endpoint_url } }),
};

describe.each(Object.keys(doors))('%s', (field) => {
  it.each([
    ...['127.0.0.1', 'localhost', 'x.localhost', '2130706433', '0x7f.1', '0.0.0.0', '10.0.0.1'],
    ...[
      '172.16.0.1',
      '192.168.0.1',
      '169.254.169.254',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[fd00::1]',
      '[fe80::1]',
    ],
  ])('at %s is refused', async (host) => {
    const answer = await doors[field]?.(`https://${host}:${(own.address() as AddressInfo).port}/x`);
    expect([answer?.status, answer?.body.field]).toEqual([400, field]);
  });

  it.each([
    'file:///etc/passwd',
    'ftp://example.com/',
    'http://example.com/',
    'https://me:pw@example.com/',
    'x',
  ])('of %s is refused', async (url) => {
    const answer = await doors[field]?.(url);
    expect([answer?.status, answer?.body.field]).toEqual([400, field]);
  });
});

it('nothing was asked of this machine', () => {
  expect(asked).toBe(0);
});
