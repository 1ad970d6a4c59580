/** Where signing in begins: which connection an address leads to, and what a page tells of those that lead nowhere. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DnsServer, startDnsServer, verifiedDomain } from '../support/dns-server.ts';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';
import { Browser } from './browser.ts';
import { idpEntityId, newKeys, type Scene } from './forge.ts';
import { metadataOf } from './identity-provider.ts';
import { OpScene } from './op-scene.ts';

let gateway: TestGateway;
let dns: DnsServer;
let keys: Scene['keys'];
let tenant: TestTenant;
let one: Awaited<ReturnType<typeof connect>>;

beforeAll(async () => {
  [dns, keys] = await Promise.all([startDnsServer(), newKeys()]);
  gateway = await startGateway({ config: { dnsResolver: dns.address } });
  tenant = await gateway.createTenant();
  for (const domain of [
    'example.com',
    'xn--bcher-kva.example',
    'both.example',
    'off.example',
    'nobody.example',
  ]) {
    await verifiedDomain(gateway, dns, tenant, domain);
  }
  one = await connect('One', ['example.com', 'bücher.example', 'both.example']);
  await connect('Two & more', ['both.example']);
  const off = await connect('Off', ['off.example']);
  await made(gateway.api('PUT', `/tenants/${tenant.slug}/connections/${off.id}`, { enabled: false }));
  await made(gateway.api('POST', `/tenants/${tenant.slug}/domains`, { domain: 'pending.example' }));
});
afterAll(async () => {
  await gateway.close();
  await dns.close();
});

function connect(name: string, domains: string[]) {
  const metadataXml = metadataOf(idpEntityId, 'http://localhost:1/sso', keys.certificate);
  const body = { protocol: 'saml', name, metadataXml, domains };
  return made(gateway.api('POST', `/tenants/${tenant.slug}/connections`, body));
}

const ask = (query: Record<string, string>, language = 'en') =>
  new Browser(language).send(`${gateway.url}/sso/login?${new URLSearchParams(query)}`);

describe('an address', () => {
  it.each([
    'ada@example.com',
    'ADA@EXAMPLE.COM',
    ' ada@example.com ',
    'ada@bücher.example',
    'ada@xn--bcher-kva.example',
  ])('leads to the connection that serves its domain: %s', async (email) => {
    const page = await ask({ email });
    expect(page.status).toBe(303);
    const query = new URLSearchParams({ login_hint: email.trim() });
    expect(page.headers.get('location')).toBe(`/sso/saml/${one.id}/login?${query}`);
  });

  it('goes along to the identity provider, and the way back with it', async () => {
    const email = 'ada+x&y@example.com';
    const page = await ask({ email, return: '/oidc/go-on', tenant: 'nobody' });
    const to = new URL(page.headers.get('location') ?? '', gateway.url);
    expect(Object.fromEntries(to.searchParams)).toEqual({ return: '/oidc/go-on', login_hint: email });
    const away = await new Browser().send(to.href);
    expect(new URL(away.headers.get('location') ?? '').searchParams.get('login_hint')).toBe(email);
  });

  it('of a domain that several serve lets people choose', async () => {
    const page = await ask({ email: 'ada@both.example' });
    expect(page.status).toBe(200);
    expect(page.text).toContain('>One</a>');
    expect(page.text).toContain('>Two &#38; more</a>');
    expect(page.text).toContain(`/sso/saml/${one.id}/login?login_hint=ada%40both.example"`);
  });

  it('is the same for people who are there and who are not', async () => {
    const token = await tenant.directoryToken('okta');
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
    await made(gateway.scim(token, 'POST', '/Users', { schemas, userName: 'there@example.com' }));
    const [there, notThere] = await Promise.all(
      ['there@example.com', 'not-there@example.com'].map((email) => ask({ email })),
    );
    expect(there?.status).toBe(303);
    expect(there?.headers.get('location')?.replace('there', 'not-there')).toBe(
      notThere?.headers.get('location'),
    );
  });

  it.each([
    ...[
      'ada@unknown.example',
      'ada@mail.example.com',
      'ada@example.com.evil.net',
      'ada@evil.net@example.com',
    ],
    ...['ada@com', 'ada', '@example.com', '', 'a b@example.com', `${'a'.repeat(400)}@example.com`],
    ...['ada@pending.example', 'ada@off.example', 'ada@nobody.example', 'ada@\uff45xample.com'],
  ])('that leads nowhere is told the same, and can be mended: %j', async (email) => {
    const [page, known] = [await ask({ email }), await ask({ email: 'x@unknown.example' })];
    expect(page.status).toBe(404);
    const without = ({ text }: typeof page) => text.replace(/value="[^"]*"/, '');
    expect(without(page)).toBe(without(known));
    expect(page.text).toContain('role="alert">There is no sign-in here for this address');
    expect(page.headers.getSetCookie()).toEqual([]);
  });
});

describe('login_hint of an application', () => {
  it('leads to the connection that serves its domain, and goes along', async () => {
    const scene = new OpScene({ gateway, slug: tenant.slug, directoryToken: '', keys, connection: one });
    const application = await scene.application();
    const sent = async (params: Record<string, string>) => {
      const { url } = await application.begin(params);
      return await scene.open(new Browser(), url.href);
    };
    const page = await sent({ login_hint: 'ada@example.com' });
    expect(new URL(page.url).searchParams.get('login_hint')).toBe('ada@example.com');
    expect(page.url).toContain('SAMLRequest=');
    for (const params of [{}, { login_hint: 'ada@both.example' }, { login_hint: 'ada@unknown.example' }]) {
      const { text } = await sent(params);
      expect(text).toMatch(/>One<[\s\S]*>Two &#38; more</);
    }
  });
});

describe('the page', () => {
  it('asks for an address, by a form that needs no script', async () => {
    const page = await ask({ return: '/oidc/go-on' });
    expect(page.status).toBe(200);
    expect(page.text).toContain('<form method="get" action="/sso/login">');
    expect(page.text).toContain('<label for="email">Your e-mail address at work</label>');
    expect(page.text).toMatch(
      /<input id="email" name="email" type="email" value="" autocomplete="username" required/,
    );
    expect(page.text).toContain('<input type="hidden" name="return" value="/oidc/go-on">');
    expect(page.text).not.toMatch(/<script|role="alert"/);
  });

  it('speaks Dutch, too', async () => {
    const page = await ask({ email: 'ada@unknown.example' }, 'nl');
    expect(page.text).toContain('<html lang="nl">');
    expect(page.text).toContain('Met dit adres kun je hier niet inloggen');
  });

  it('repeats nothing but what was written, escaped, and leads nowhere else', async () => {
    const page = await ask({ email: '"><b>@x.example', return: 'https://evil.net/' });
    expect(page.text).toContain('value="&#34;&#62;&#60;b&#62;@x.example"');
    expect(page.text).not.toContain('evil.net');
  });

  it('is where pages of refusals and of who is signed out lead', async () => {
    const again = '<a href="/sso/login">Sign in again</a>';
    expect((await new Browser().send(`${gateway.url}/sso`)).text).toContain(again);
    expect((await ask({ tenant: 'nobody-here' })).text).toContain(again);
  });
});
