/** Where the gateway connects to, and where it does not, whatever a URL or a name says. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkOutboundUrl, outboundAgent } from '../../src/outbound/outbound-client.ts';
import { isPublicAddress } from '../../src/outbound/public-address.ts';

describe('an address', () => {
  it.each([
    ...['8.8.8.8', '1.1.1.1', '172.32.0.1', '192.169.0.1', '100.128.0.1'],
    ...['2606:4700::1111', '2a00:1450:4001::8a', '2001:4860:4860::8888'],
  ])('%s is public', (address) => expect(isPublicAddress(address)).toBe(true));

  it.each([
    ...['127.0.0.1', '127.9.9.9', '0.0.0.0', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ...['169.254.169.254', '100.64.0.1', '224.0.0.1', '255.255.255.255', '198.18.0.1', '203.0.113.5'],
    ...['::', '::1', '::ffff:10.0.0.1', '::ffff:8.8.8.8', '::ffff:7f00:1', '64:ff9b::7f00:1', 'fe80::1%eth0'],
    ...['fc00::1', 'fd12::1', 'ff02::1', '2001:db8::1', '2002:7f00:1::', '2001::1', '100::1'],
    ...['', 'localhost', '1.2.3', '256.1.1.1', '1::2::3', '2606:4700', '1:2:3:4:5:6:7:8:9', '0x7f.1.1.1'],
  ])('%s is not', (address) => expect(isPublicAddress(address)).toBe(false));
});

describe('a URL', () => {
  const refusal = (url: string, allowPrivateNetworks = false) => {
    try {
      checkOutboundUrl(url, 'apiUrl', { allowPrivateNetworks });
      return 'none';
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid', field: 'apiUrl' });
      return (error as Error).message;
    }
  };

  it.each([
    ...['http://api.blue.app/graphql', 'https://127.0.0.1/', 'https://[::1]/', 'https://10.0.0.1/x'],
    ...['https://localhost/', 'https://x.localhost/', 'https://2130706433/', 'https://0x7f000001/'],
    ...['ftp://blue.app/', 'file:///etc/passwd', 'blue.app', '', 'https://me:pw@blue.app/'],
  ])('%s is refused', (url) => expect(refusal(url)).not.toBe('none'));

  it('may lead to private networks where that is allowed, in plain http too', () => {
    expect(refusal('https://api.blue.app/graphql')).toBe('none');
    expect(refusal('http://127.0.0.1:4000/graphql', true)).toBe('none');
    expect(refusal('ftp://127.0.0.1/', true)).not.toBe('none');
  });
});

describe('a connection', () => {
  let server: Server;
  let port: number;
  let met = 0;
  beforeAll(async () => {
    server = createServer((_request, response) => {
      met += 1;
      response.end('met');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => new Promise((done) => server.close(done)));

  const resolveTo = (...addresses: string[]) => {
    const asked: string[] = [];
    const resolve: Parameters<typeof outboundAgent>[0]['resolve'] = (hostname, done) => {
      asked.push(hostname);
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    };
    return { asked, resolve };
  };
  const get = async (url: string, options: Parameters<typeof outboundAgent>[0]) => {
    const agent = outboundAgent(options);
    try {
      const answer = await request(url, { dispatcher: agent });
      return await answer.body.text();
    } catch (error) {
      return (error as Error).name;
    } finally {
      await agent.close();
    }
  };

  it.each([
    ['a name that leads to loopback', 'https://blue.example', ['127.0.0.1']],
    ['a name with one private address among public ones', 'https://blue.example', ['8.8.8.8', '10.0.0.1']],
    ['a name that leads nowhere', 'https://blue.example', []],
    ['plain http, wherever it leads', 'http://blue.example', ['8.8.8.8']],
  ])('is not made for %s', async (_what, origin, addresses) => {
    const before = met;
    const { resolve } = resolveTo(...addresses);
    expect(await get(`${origin}:${port}/`, { allowPrivateNetworks: false, resolve })).toBe('OutboundRefused');
    expect(met).toBe(before);
  });

  it.each(['http', 'https'])('is not made for a private address in an %s URL', async (protocol) => {
    const options = { allowPrivateNetworks: false };
    expect(await get(`${protocol}://127.0.0.1:${port}/`, options)).toBe('OutboundRefused');
    expect(await get(`${protocol}://[::1]:${port}/`, options)).toBe('OutboundRefused');
  });

  it('is made to the very address that was looked at, by one look-up', async () => {
    const { resolve, asked } = resolveTo('127.0.0.1');
    expect(await get(`http://blue.example:${port}/`, { allowPrivateNetworks: true, resolve })).toBe('met');
    expect(asked).toEqual(['blue.example']);
  });

  it('is not made in plain http to the public internet even where private networks are allowed', async () => {
    const { resolve } = resolveTo('8.8.8.8');
    expect(await get('http://blue.example/', { allowPrivateNetworks: true, resolve })).toBe(
      'OutboundRefused',
    );
  });
});
