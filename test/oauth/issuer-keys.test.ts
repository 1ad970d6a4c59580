/** What is kept of issuers is bounded, and where their documents are looked for follows from their names alone. */

import { MockAgent } from 'undici';
import { expect, it } from 'vitest';
import { limits } from '../../src/kernel/limits.ts';
import { discoveryUrlOf, keysIn } from '../../src/oauth/issuer-document.ts';
import { IssuerKeys } from '../../src/oauth/issuer-keys-client.ts';
import { networkOf } from '../../src/outbound/public-address.ts';

const log = { warn: () => {} };

it.each([
  ['https://login.microsoftonline.com/t/v2.0', 'https://login.microsoftonline.com/t/v2.0/.well-known'],
  ['https://sts.windows.net/t/', 'https://sts.windows.net/t/.well-known'],
  ['https://idp.example.com', 'https://idp.example.com/.well-known'],
])('%s is described below itself', (issuer, folder) => {
  expect(discoveryUrlOf(issuer)).toBe(`${folder}/openid-configuration`);
});

it('keeps the keys of so many issuers, those that were used last', async () => {
  const agent = new MockAgent();
  agent.disableNetConnect();
  let asked = 0;
  const origin = 'https://idp.example.com';
  const reply = (path: string) => {
    asked += 1;
    const issuer = `${origin}${path.split('/.well-known')[0]}`;
    return { keys: [], issuer, jwks_uri: `${origin}/keys` };
  };
  const intercept = { path: () => true, method: 'GET' };
  agent
    .get(origin)
    .intercept(intercept)
    .reply(200, ({ path }) => JSON.stringify(reply(path)))
    .persist();
  const keys = new IssuerKeys({ dispatcher: agent, allowPrivateNetworks: false, nowMs: () => 1, log });
  const use = async (name: string | number) => {
    const find = keys.keyFinder(`${origin}/${name}`, 'tenant');
    await expect(find({ alg: 'RS256', kid: 'x' }, {} as never)).rejects.toThrow();
  };
  await use('first');
  for (let index = 0; index < limits.issuersMax - 1; index += 1) {
    await use(index);
    await use('first');
  }
  expect(asked).toBe(2 * limits.issuersMax);
  await use('one-too-many');
  await use('first');
  expect(asked).toBe(2 * limits.issuersMax + 2);
  await use(0);
  expect(asked).toBe(2 * limits.issuersMax + 4);
  await agent.close();
});

it('asks so many issuers at a time for one tenant, and others for the others', async () => {
  const agent = new MockAgent();
  agent.disableNetConnect();
  agent
    .get('https://slow.example.com')
    .intercept({ path: () => true, method: 'GET' })
    .reply(200, '{}')
    .delay(300)
    .persist();
  const keys = new IssuerKeys({ dispatcher: agent, allowPrivateNetworks: false, nowMs: () => 1, log });
  const ask = (name: number, tenant: string) =>
    Promise.resolve(
      keys.keyFinder(`https://slow.example.com/${name}`, tenant)({ alg: 'RS256' }, {} as never),
    ).then(
      () => 'had',
      (error: Error) => error.message,
    );
  const first = Array.from({ length: limits.issuersAskedPerTenantMax }, (_, n) => ask(n, 'a'));
  expect(await ask(100, 'a')).toBe('too many issuers are asked now');
  expect(await ask(101, 'b')).toBe('its discovery document names another issuer');
  await Promise.all(first);
  expect(await ask(102, 'a')).toBe('its discovery document names another issuer');
  await agent.close();
});

it('takes so many keys of an issuer, and of each what it needs', () => {
  const key = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'private', kid: 'k', x5c: ['…'] };
  const taken = keysIn({ keys: Array(1000).fill(key) });
  expect(taken).toHaveLength(limits.keysPerIssuerMax);
  expect(taken[0]).toEqual({ kty: 'EC', kid: 'k', crv: 'P-256', x: 'x', y: 'y' });
});

it.each([
  ['203.0.113.9', '203.0.113.9'],
  ['::ffff:203.0.113.9', '203.0.113.9'],
  ['2001:db8:1:2:3:4:5:6', '20010db800010002::/64'],
  ['2001:db8:1:2::9', '20010db800010002::/64'],
  ['2001:db8:1:3::9', '20010db800010003::/64'],
  ['what', 'what'],
])('%s is counted as %s', (address, network) => expect(networkOf(address)).toBe(network));
