/** AuthnRequests by HTTP-POST (SAML 2.0 Bindings §3.5), to an identity provider that is not ours (samlp) and verifies what is signed. */

import { createHash } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';
import { Browser, formOf } from './browser.ts';
import { samlpAttributes, startIdentityProvider } from './identity-provider.ts';

let gateway: TestGateway;
let tenant: TestTenant;
let idp: Awaited<ReturnType<typeof startIdentityProvider>>;
// biome-ignore lint/suspicious/noExplicitAny: as the admin API answers it.
let connection: any;

beforeAll(async () => {
  gateway = await startGateway();
  tenant = await gateway.createTenant();
  idp = await startIdentityProvider(
    () => connection.acsUrl,
    // Requests without a signature that holds are refused.
    () => ({ signingCert: connection.keys[0].certificate }),
  );
  const jit = { create: true, attributes: samlpAttributes };
  connection = await made(
    gateway.api('POST', `/tenants/${tenant.slug}/connections`, {
      ...{ protocol: 'saml', name: 'x', metadataXml: metadata('post'), jit },
    }),
  );
});
afterAll(async () => {
  await gateway.close();
  await idp.close();
});

const service = (binding: string, location = idp.ssoUrl) =>
  `<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-${binding}" Location="${location}"/>`;

function metadata(offered: 'post' | 'both'): string {
  const [redirect, post] = [
    service('Redirect'),
    service('POST', `${idp.ssoUrl}?by=post&x`.replace('&', '&#38;')),
  ];
  return idp.metadataXml.replace(redirect, offered === 'post' ? post : redirect + post);
}

const set = async (change: object) => {
  connection = await made(gateway.api('PUT', `/tenants/${tenant.slug}/connections/${connection.id}`, change));
};
const begin = async (browser: Browser, more = '') =>
  await browser.send(`${connection.loginUrl.replace(/^https?:\/\/[^/]+/, gateway.url)}${more}`);
const requestOf = (fields: Record<string, string>) =>
  Buffer.from(fields.SAMLRequest ?? '', 'base64').toString('utf8');

describe('where the metadata offers HTTP-POST alone', () => {
  it('a login begins with a form, whose request is signed, and ends as any', async () => {
    const browser = new Browser();
    const page = await begin(browser, '?login_hint=ada@example.com');
    expect(page.status).toBe(200);
    const { action, fields } = formOf(page);
    expect(action).toBe(`${idp.ssoUrl}?by=post&x`);
    expect(Object.keys(fields).sort()).toEqual(['RelayState', 'SAMLRequest', 'login_hint']);
    const xml = requestOf(fields);
    expect(xml).toContain(`Destination="${action.replace('&', '&amp;')}"`);
    for (const algorithm of [
      'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
      'http://www.w3.org/2001/04/xmlenc#sha256',
      'http://www.w3.org/2001/10/xml-exc-c14n#',
      'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
    ]) {
      expect(xml).toContain(`Algorithm="${algorithm}"`);
    }
    // Core §3.2.1: the signature follows the Issuer.
    expect(xml).toMatch(/<\/saml:Issuer><Signature /);
    const answer = await browser.send(idp.ssoUrl, fields, true);
    const back = formOf(answer);
    const signedIn = await browser.send(back.action, back.fields, true);
    expect([signedIn.status, signedIn.headers.get('location')]).toEqual([303, '/sso']);
  });

  it('the identity provider refuses a request that was changed on its way', async () => {
    const browser = new Browser();
    const { fields } = formOf(await begin(browser));
    const changed = requestOf(fields).replace('/acs"', '/evil"');
    const SAMLRequest = Buffer.from(changed).toString('base64');
    expect((await browser.send(idp.ssoUrl, { ...fields, SAMLRequest }, true)).status).toBe(500);
  });

  it('the page may run its one script, and nothing else', async () => {
    const page = await begin(new Browser());
    const [, script = ''] = /<script>([^<]*)<\/script>/.exec(page.text) ?? [];
    const policy = page.headers.get('content-security-policy')?.split('; ') ?? [];
    const hash = createHash('sha256').update(script).digest('base64');
    expect(policy).toEqual([
      ...["default-src 'none'", expect.stringMatching(/^style-src 'sha256-[^ ]*'$/)],
      ...["frame-ancestors 'none'", "base-uri 'none'", `script-src 'sha256-${hash}'`],
    ]);
    expect(page.text.match(/<script/g)).toHaveLength(1);
  });

  it('is told by our metadata and by the connection', async () => {
    const { text } = await new Browser().send(connection.entityId.replace(/^https?:\/\/[^/]+/, gateway.url));
    expect(text).toContain('AuthnRequestsSigned="true"');
    expect(connection).toMatchObject({
      signRequests: false,
      preferPost: false,
      identityProvider: { ssoUrl: null, ssoPostUrl: `${idp.ssoUrl}?by=post&x` },
    });
  });

  it('a test of the connection begins with the form, too', async () => {
    const path = `/tenants/${tenant.slug}/connections/${connection.id}/tests`;
    const { url } = await made(gateway.api('POST', path));
    const page = await new Browser().send(url.replace(/^https?:\/\/[^/]+/, gateway.url));
    expect(formOf(page).fields).toHaveProperty('SAMLRequest');
  });
});

describe('where the metadata offers both', () => {
  it('HTTP-Redirect is used, or HTTP-POST where the connection prefers it', async () => {
    await set({ metadataXml: metadata('both') });
    const redirected = await begin(new Browser());
    expect(redirected.headers.get('location')).toMatch(new RegExp(`^${idp.ssoUrl}\\?SAMLRequest=`));
    await set({ preferPost: true });
    expect(formOf(await begin(new Browser())).action).toBe(`${idp.ssoUrl}?by=post&x`);
    await set({ preferPost: false, metadataXml: metadata('post') });
  });
});

it('a connection that was made before there was HTTP-POST works as it did', async () => {
  await set({ metadataXml: metadata('both') });
  const owner = new pg.Client({ connectionString: gateway.databaseUrl });
  await owner.connect();
  await owner.query(`select set_config('app.tenant_id', $1, false)`, [tenant.tenantId]);
  const later = "array['ssoPostUrl', 'logoutPostUrl', 'preferPost']";
  const { rowCount } = await owner.query(
    `update sso_connections set settings = settings - ${later} where id = $1`,
    [connection.id],
  );
  await owner.end();
  expect(rowCount).toBe(1);
  expect((await begin(new Browser())).headers.get('location')).toContain('?SAMLRequest=');
  await set({ name: 'renamed' });
  expect(connection).toMatchObject({
    preferPost: false,
    identityProvider: { ssoUrl: idp.ssoUrl, ssoPostUrl: null, logoutUrl: null, logoutPostUrl: null },
  });
});
