/**
 * Signing in over HTTP with an identity provider that is not ours (samlp), on `localhost` while the gateway is on `127.0.0.1`, so
 * that its POST is cross-site as in real life.
 */

import { createVerify, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';
import { Browser, formOf, type Page } from './browser.ts';
import {
  ada,
  type IdpPerson,
  personOf,
  samlpAttributes,
  startIdentityProvider,
} from './identity-provider.ts';
import { verifyAgain } from './witness.ts';

let gateway: TestGateway;
let tenant: TestTenant;
let idp: Awaited<ReturnType<typeof startIdentityProvider>>;
let acsUrl = '';

beforeAll(async () => {
  gateway = await startGateway();
  idp = await startIdentityProvider(() => acsUrl);
});
afterAll(async () => {
  await gateway.close();
  await idp.close();
});
beforeEach(async () => {
  tenant = await gateway.createTenant();
});

async function connect(change: object = {}, jit: object = { create: true, attributes: samlpAttributes }) {
  const body = { protocol: 'saml', name: 'Test IdP', metadataXml: idp.metadataXml, jit, ...change };
  const connection = await made(gateway.api('POST', `/tenants/${tenant.slug}/connections`, body));
  acsUrl = connection.acsUrl;
  return connection;
}

async function login(browser: Browser, person: IdpPerson = ada): Promise<Page> {
  idp.becomes(person);
  const page = await browser.follow(`${gateway.url}/sso/login?tenant=${tenant.slug}`);
  const { action, fields } = formOf(page);
  const answer = await browser.send(action, fields, true);
  if (answer.status === 303)
    await verifyAgain(Buffer.from(fields.SAMLResponse ?? '', 'base64'), idp.certificate);
  return answer.status === 303 ? await browser.follow(`${gateway.url}/sso`) : answer;
}

const logins = async () => (await made(gateway.api('GET', `/tenants/${tenant.slug}/logins`))).items;
const users = async () => (await made(gateway.api('GET', `/tenants/${tenant.slug}/users`))).items;
const sessionOf = async (browser: Browser) => {
  const { status, text } = await browser.send(`${gateway.url}/sso/session`);
  return { status, body: JSON.parse(text) };
};
/** The reference that an error page shows. */
const referenceOf = ({ text }: Page) => /<code>([^<]*)<\/code>/.exec(text)?.[1] ?? '';

async function push(token: string, body: object) {
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
  return await made(gateway.scim(token, 'POST', '/Users', { schemas, ...body }));
}

describe('a first login', () => {
  it('makes the person, a session and a trace, and says who that is', async () => {
    const connection = await connect();
    const browser = new Browser();
    const page = await login(browser);
    expect(page.status).toBe(200);
    expect(page.text).toContain('Ada Lovelace (ada@example.com)');
    expect(page.text).toContain('You have no role in Blue yet');
    const [user] = await users();
    expect(user).toMatchObject({ userName: 'ada@example.com', email: 'ada@example.com', active: true });
    expect(await sessionOf(browser)).toMatchObject({
      status: 200,
      body: {
        sub: user.id,
        email: 'ada@example.com',
        name: 'Ada Lovelace',
        tenant: tenant.slug,
        connection: connection.id,
      },
    });
    expect(await logins()).toMatchObject([
      {
        outcome: 'signed_in',
        reason: null,
        user: user.id,
        steps: ['gate', 'request', 'signature', 'policy', 'identity', 'session'],
      },
    ]);
    const { items } = await made(gateway.api('GET', `/tenants/${tenant.slug}/audit?action=user.created`));
    expect(items).toMatchObject([{ actor: { kind: 'connection', name: 'Test IdP' }, subject: user.id }]);
  });

  it('makes nobody where the connection makes nobody', async () => {
    await connect({}, { attributes: samlpAttributes });
    const page = await login(new Browser());
    expect(page.status).toBe(403);
    expect(page.text).toContain('You are not provisioned: ask your administrator');
    expect(await users()).toEqual([]);
    const { body } = await gateway.api('GET', `/tenants/${tenant.slug}/logins/${referenceOf(page)}`);
    expect(body).toMatchObject({ outcome: 'refused', reason: 'not_provisioned' });
  });

  it('does not put somebody in the place of a user with the same userName or address (nOAuth)', async () => {
    const token = await tenant.directoryToken('okta');
    await push(token, { userName: 'ADA@example.com' });
    await connect();
    const page = await login(new Browser());
    expect(page.status).toBe(403);
    expect((await logins())[0].reason).toBe('unproved');
    expect(await users()).toHaveLength(1);
  });

  it('is the user whom SCIM pushed with the externalId that the claim holds', async () => {
    const token = await tenant.directoryToken('okta');
    const pushed = await push(token, { userName: 'somebody', externalId: 'ada' });
    const { items } = await made(gateway.api('GET', `/tenants/${tenant.slug}/directories`));
    const attributes = { ...samlpAttributes, externalId: samlpAttributes.subject };
    await connect({ directoryId: items[0].id }, { attributes });
    const browser = new Browser();
    expect((await login(browser)).text).toContain('(somebody)');
    expect((await sessionOf(browser)).body.sub).toBe(pushed.id);
    expect((await login(new Browser(), personOf('eve', 'Eve'))).status).toBe(403);
  });
});

describe('a further login', () => {
  it('is the same person, also under another address', async () => {
    await connect();
    await login(new Browser());
    const page = await login(new Browser(), { ...ada, emails: [{ value: 'new@example.com' }] });
    expect(page.text).toContain('(ada@example.com)');
    expect(await users()).toHaveLength(1);
  });

  it('is another session, and signing out ends that one alone', async () => {
    await connect();
    const [one, two] = [new Browser(), new Browser()];
    await login(one);
    await login(two);
    const [cookie] = one.cookiesOf(gateway.url).entries();
    const page = await one.send(`${gateway.url}/sso/logout`, {});
    expect(page.text).toContain('You are signed out here');
    expect(await sessionOf(one)).toMatchObject({ status: 401 });
    one.cookiesOf(gateway.url).set(...(cookie as [string, string]));
    expect(await sessionOf(one)).toMatchObject({ status: 401 });
    expect(await sessionOf(two)).toMatchObject({ status: 200 });
  });

  it('is refused to who was deactivated, whose sessions end with that', async () => {
    const token = await tenant.directoryToken('okta');
    await connect();
    const browser = new Browser();
    await login(browser);
    const [{ id }] = await users();
    const patch = {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path: 'active', value: false }],
    };
    await made(gateway.scim(token, 'PATCH', `/Users/${id}`, patch));
    expect(await sessionOf(browser)).toMatchObject({ status: 401 });
    const page = await login(new Browser());
    expect(page.text).toContain('Your account is switched off');
    expect((await logins())[0]).toMatchObject({ reason: 'inactive', user: id });
    const back = { ...patch, Operations: [{ op: 'replace', path: 'active', value: true }] };
    await made(gateway.scim(token, 'PATCH', `/Users/${id}`, back));
    expect(await sessionOf(browser)).toMatchObject({ status: 401 });
    expect((await login(new Browser())).status).toBe(200);
  });
});

describe('the page', () => {
  it('says who waits for a seat, and where in the queue; in Dutch, too', async () => {
    await made(
      gateway.api('PUT', `/tenants/${tenant.slug}/contract`, {
        ...{ kind: 'annual', tier: 'x', paidSeats: 0, startsOn: '2020-01-01', endsOn: '2999-01-01' },
        ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'none' },
      }),
    );
    await made(gateway.api('PUT', `/tenants/${tenant.slug}/settings`, { defaultRole: 'team_member' }));
    await connect();
    expect((await login(new Browser())).text).toContain('You are waiting for a seat: number 1 in the queue.');
    const dutch = await login(new Browser('nl-NL,nl;q=0.9,en;q=0.8'), personOf('bob', 'Bob <b>'));
    expect(dutch.text).toContain('<html lang="nl">');
    expect(dutch.text).toContain('Je wacht op een plaats: nummer 2 in de wachtrij.');
    expect(dutch.text).toContain('Bob &#60;b&#62;');
  });

  it('runs no script and belongs in no frame, and its cookies are out of reach', async () => {
    const connection = await connect();
    const start = await new Browser().send(connection.loginUrl.replace(/^https?:\/\/[^/]+/, gateway.url));
    expect(start.headers.get('set-cookie')).toMatch(/HttpOnly; Secure; SameSite=None/);
    const page = await login(new Browser());
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.text).not.toMatch(/<script/);
  });

  it('lets people choose where there are two connections, and tells nothing of tenants that are none', async () => {
    await connect({ name: 'One & only' });
    await connect({ name: 'Two' });
    const page = await new Browser().send(`${gateway.url}/sso/login?tenant=${tenant.slug}`);
    expect(page.text).toContain('One &#38; only');
    expect((await new Browser().send(`${gateway.url}/sso/login?tenant=nobody-here`)).status).toBe(404);
  });
});

describe('what the identity provider is told', () => {
  it('stands in the metadata: our key, where to post, what we are called', async () => {
    const connection = await connect();
    const { text, headers } = await new Browser().send(`${gateway.url}/sso/saml/${connection.id}/metadata`);
    expect(headers.get('content-type')).toContain('application/samlmetadata+xml');
    expect(text).toContain(`entityID="${connection.entityId}"`);
    expect(text).toContain(`Location="${connection.acsUrl}"`);
    expect(text).toContain(connection.keys[0].certificate.replaceAll(/-----[^-]+-----|\s/g, ''));
  });

  it('is signed with that key where that is asked for', async () => {
    const connection = await connect({ signRequests: true });
    const page = await new Browser().send(`${gateway.url}/sso/saml/${connection.id}/login`);
    const location = page.headers.get('location') ?? '';
    const [, signed = '', signature = ''] = /\?(.*)&Signature=(.*)$/.exec(location) ?? [];
    const verify = createVerify('RSA-SHA256').update(signed);
    const { publicKey } = new X509Certificate(connection.keys[0].certificate);
    expect(verify.verify(publicKey, decodeURIComponent(signature), 'base64')).toBe(true);
    expect((await login(new Browser())).status).toBe(200);
  });
});

describe('a connection', () => {
  it('that is switched off, or removed, lets nobody in and ends its sessions', async () => {
    const { id } = await connect();
    const browser = new Browser();
    await login(browser);
    const path = `/tenants/${tenant.slug}/connections/${id}`;
    const off = await made(gateway.api('PUT', path, { enabled: false }));
    expect(off.identityProvider.entityId).toBe('urn:test:samlp');
    expect(await sessionOf(browser)).toMatchObject({ status: 401 });
    expect((await browser.send(`${gateway.url}/sso/saml/${id}/login`)).status).toBe(404);
    await made(gateway.api('PUT', path, { enabled: true }));
    expect((await login(browser)).status).toBe(200);
    expect((await gateway.api('DELETE', path)).status).toBe(204);
    expect(await sessionOf(browser)).toMatchObject({ status: 401 });
    expect((await gateway.api('GET', path)).status).toBe(404);
  });

  it('keeps what a change does not name', async () => {
    await tenant.directoryToken('okta');
    const { items: directories } = await made(gateway.api('GET', `/tenants/${tenant.slug}/directories`));
    const attributes = { ...samlpAttributes, externalId: 'x' };
    const jit = {
      ...{ enabled: true, create: true, approval: true, attributes },
      ...{ groupsClaim: 'groups', defaultRole: 'team_member' },
    };
    const { id, ...before } = await connect(
      { directoryId: directories[0].id, wantResponseSigned: true, signRequests: true, nameIdFormat: 'urn:x' },
      jit,
    );
    const path = `/tenants/${tenant.slug}/connections/${id}`;
    const change = (body: object) => made(gateway.api('PUT', path, body));
    expect(await change({ metadataXml: idp.metadataXml })).toEqual({ id, ...before });
    expect(await change({ jit: { create: false } })).toEqual({
      id,
      ...before,
      jit: { ...jit, create: false },
    });
    expect(await change({ enabled: false, nameIdFormat: null })).toMatchObject({
      ...{ enabled: false, nameIdFormat: null, signRequests: true },
      jit: { create: false, attributes: jit.attributes },
    });
  });

  it('is refused with what is wrong of it, and never shows its private key', async () => {
    const path = `/tenants/${tenant.slug}/connections`;
    const body = { protocol: 'saml', name: 'x', metadataXml: idp.metadataXml };
    const refused = async (change: object) => (await gateway.api('POST', path, { ...body, ...change })).body;
    expect(await refused({ metadataXml: `<!DOCTYPE x>${idp.metadataXml}` })).toMatchObject({
      field: 'metadataXml',
    });
    expect(await refused({ wantAssertionsSigned: false })).toMatchObject({ field: 'wantAssertionsSigned' });
    expect(await refused({ requestBinding: 'post' })).toMatchObject({ field: 'requestBinding' });
    const unknown = '00000000-0000-7000-8000-00000000000a';
    const jit = { attributes: { externalId: 'x' } };
    expect(await refused({ directoryId: unknown, jit })).toMatchObject({ field: 'directoryId' });
    expect(await refused({ jit })).toMatchObject({ field: 'directoryId' });
    const { id } = await connect();
    const all = JSON.stringify([
      (await gateway.api('GET', `${path}/${id}`)).body,
      (await gateway.api('GET', path)).body,
      (await gateway.api('GET', `/tenants/${tenant.slug}/audit`)).body,
    ]);
    expect(all).not.toContain('PRIVATE KEY');
  });
});
