/**
 * One person is one user, whether SCIM or a login came first: over HTTP, with signed assertions, a real name server for the domains,
 * and directories that push, rename, delete and push again.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DnsServer, startDnsServer, verifiedDomain } from '../support/dns-server.ts';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';
import { Browser } from './browser.ts';
import { askedIn, attribute, goodResponse, idpEntityId, newKeys, type Scene } from './forge.ts';
import { metadataOf } from './identity-provider.ts';
import { base64 } from './target.ts';

let gateway: TestGateway;
let dns: DnsServer;
let keys: Scene['keys'];
let tenant: TestTenant;
let token = '';
let connection: { id: string; acsUrl: string; entityId: string };
/** Another for each test: a verified domain is one tenant's alone. */
let domain = '';
let count = 0;

beforeAll(async () => {
  [dns, keys] = await Promise.all([startDnsServer(), newKeys()]);
  gateway = await startGateway({ config: { dnsResolver: dns.address } });
});
afterAll(async () => {
  await gateway.close();
  await dns.close();
});
beforeEach(async () => {
  count += 1;
  domain = `one${count}.example.com`;
  tenant = await gateway.createTenant();
  token = await tenant.directoryToken('okta');
  await verifiedDomain(gateway, dns, tenant, domain);
  connection = await connect();
});

const names = { userName: 'userName', email: 'email' };

async function connect(change: object = {}) {
  const metadataXml = metadataOf(idpEntityId, 'http://localhost:1/sso', keys.certificate);
  const body = { protocol: 'saml', name: 'x', metadataXml, jit: { create: true, attributes: names } };
  return made(
    gateway.api('POST', `/tenants/${tenant.slug}/connections`, { ...body, domains: [domain], ...change }),
  );
}

/** With the externalId of the directory as a claim. */
async function compareExternalIds() {
  const { items } = await made(gateway.api('GET', `/tenants/${tenant.slug}/directories`));
  const jit = { create: true, attributes: { ...names, externalId: 'externalId' } };
  const body = { directoryId: items[0].id, jit };
  await made(gateway.api('PUT', `/tenants/${tenant.slug}/connections/${connection.id}`, body));
}

interface Came {
  status: number;
  reason: string | null;
  user: string | null;
  text: string;
}

/** Signs in with these claims, and answers what the trace says of it. */
async function login(claims: Record<string, string>, subject?: string, to?: typeof connection) {
  return await (await answered(claims, subject, to))();
}

/** The identity provider has answered: what is left is to post that. */
async function answered(
  claims: Record<string, string>,
  subject = 'ada',
  to = connection,
): Promise<() => Promise<Came>> {
  const browser = new Browser();
  const begun = await browser.send(to.acsUrl.replace(/acs$/, 'login'));
  const asked = askedIn(begun.headers.get('location') ?? '');
  const scene = { keys, strangers: keys, acsUrl: to.acsUrl, audience: to.entityId, ...asked };
  const attributes = Object.entries(claims).map(([name, value]) => attribute(name, value));
  const xml = goodResponse(scene, { subject, attributes: attributes.join('') });
  const fields = { SAMLResponse: base64(xml), RelayState: asked.relayState };
  return async () => {
    const { status, text } = await browser.send(to.acsUrl, fields, true);
    const { items } = await made(gateway.api('GET', `/tenants/${tenant.slug}/logins?limit=1`));
    return { status, text, reason: items[0].reason, user: items[0].user };
  };
}

const address = (local: string) => `${local}@${domain}`;
const ada = () => ({ userName: address('ada'), email: address('ada') });
const users = async () => (await made(gateway.api('GET', `/tenants/${tenant.slug}/users`))).items;
const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'] };
const push = (body: object) => gateway.scim(token, 'POST', '/Users', { ...user, ...body });
const remove = (id: string) => gateway.scim(token, 'DELETE', `/Users/${id}`);
const patch = (id: string, path: string, value: unknown) => {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp'];
  return made(
    gateway.scim(token, 'PATCH', `/Users/${id}`, { schemas, Operations: [{ op: 'replace', path, value }] }),
  );
};
const emails = (value: string) => [{ value, type: 'work', primary: true }];

async function expectOneUser(id: string) {
  expect((await users()).map((one: { id: string }) => one.id)).toEqual([id]);
}

describe('SCIM-provisioned user and login are one user', () => {
  it('when SCIM comes first, by the userName in whatever case', async () => {
    const { id } = await made(push({ userName: address('Ada').toUpperCase() }));
    expect(await login(ada())).toMatchObject({ status: 303, user: id });
    expect(await login({ userName: address('other') })).toMatchObject({ status: 303, user: id });
    await expectOneUser(id);
    const { items } = await made(gateway.api('GET', `/tenants/${tenant.slug}/audit?action=user.linked`));
    expect(items).toMatchObject([
      { subject: id, actor: { kind: 'connection', name: 'x' }, after: { connectionId: connection.id } },
    ]);
  });

  it('when SCIM comes first, by the address', async () => {
    const { id } = await made(push({ userName: 'ada', emails: emails(address('ada')) }));
    expect(await login(ada())).toMatchObject({ status: 303, user: id });
    await expectOneUser(id);
  });

  it('when the login comes first, and SCIM finds and takes over whom it made', async () => {
    const { user: id } = await login(ada());
    expect((await push({ userName: address('ada'), externalId: 'e1' })).status).toBe(409);
    const filter = encodeURIComponent(`userName eq "${address('ADA')}"`);
    const found = await made(gateway.scim(token, 'GET', `/Users?filter=${filter}`));
    expect(found.Resources[0].id).toBe(id);
    await patch(id as string, 'externalId', 'e1');
    await compareExternalIds();
    expect(await login({ ...ada(), externalId: 'e1' })).toMatchObject({ status: 303, user: id });
    expect(await login({ ...ada(), externalId: 'e1' }, 'another subject')).toMatchObject({ reason: 'clash' });
    await expectOneUser(id as string);
  });

  it('at the same moment', async () => {
    for (let round = 0; round < 20; round += 1) {
      const claims = { userName: address(`p${round}`) };
      const post = await answered(claims, `p${round}`);
      const [pushed, came] = await Promise.all([sleep(round).then(() => push(claims)), post()]);
      expect([201, 409]).toContain(pushed.status);
      expect(came.status).toBe(303);
      const all = (await users()).filter((one: { userName: string }) => one.userName === claims.userName);
      expect(all.map((one: { id: string }) => one.id)).toEqual([came.user]);
      expect(pushed.status === 201 ? pushed.body.id : came.user).toBe(came.user);
    }
  });

  it('when renamed, before or after the identity provider says so', async () => {
    const { id } = await made(push({ userName: address('ada'), externalId: 'e1' }));
    await login(ada());
    expect(await login({ userName: address('ada.king') })).toMatchObject({ status: 303, user: id });
    await patch(id, 'userName', address('ada.king'));
    expect(await login(ada())).toMatchObject({ status: 303, user: id });
    expect(await login({ userName: address('ada.king') })).toMatchObject({ status: 303, user: id });
    await expectOneUser(id);
  });

  it('when deleted and pushed again: another user, whom the login becomes', async () => {
    const first = await made(push({ userName: address('ada'), externalId: 'e1' }));
    await login(ada());
    await made(remove(first.id));
    const second = await made(push({ userName: address('ada'), externalId: 'e1' }));
    expect(second.id).not.toBe(first.id);
    expect(await login(ada())).toMatchObject({ status: 303, user: second.id });
    await expectOneUser(second.id);
  });

  it('and never two: claims of two users, or a second subject of one, come to nothing', async () => {
    await made(push({ userName: address('ada') }));
    await made(push({ userName: address('bob'), emails: emails(address('b')) }));
    expect(await login({ userName: address('ada'), email: address('b') })).toMatchObject({ reason: 'clash' });
    expect(await login(ada())).toMatchObject({ status: 303 });
    expect(await login(ada(), 'eve')).toMatchObject({ status: 403, reason: 'clash' });
    expect(await users()).toHaveLength(2);
  });
});

describe('a deactivated user never gets in and is never re-created', () => {
  it.each([
    ['linked', true],
    ['never seen', false],
  ])('%s', async (_what, isLinked) => {
    const { id } = await made(push({ userName: address('ada'), emails: emails(address('ada')) }));
    if (isLinked) await login(ada());
    await patch(id, 'active', false);
    expect(await login(ada())).toMatchObject({ status: 403, reason: 'inactive' });
    expect(await login({ userName: address('ada') })).toMatchObject({ status: 403, reason: 'inactive' });
    const byMail = await login({ userName: address('x'), email: address('ada') });
    expect(byMail).toMatchObject({ status: 403, reason: 'inactive' });
    expect(byMail.text).toContain('Your account is switched off');
    await expectOneUser(id);
    await patch(id, 'active', true);
    expect(await login(ada())).toMatchObject({ status: 303, user: id });
  });
});

describe('who was removed is not made anew', () => {
  it.each<[string, Record<string, string>, string]>([
    ['by the subject', { userName: 'new name' }, 'ada'],
    ['by the userName, in whatever case', { userName: 'ADA' }, 'another'],
    ['by the address', { userName: 'x', email: 'A@mail.example' }, 'another'],
    ['by the address as userName', { userName: 'a@mail.example' }, 'another'],
    ['by the externalId', { userName: 'x', externalId: 'e1' }, 'another'],
  ])('%s', async (_what, claims, subject) => {
    await compareExternalIds();
    const first = await made(push({ userName: 'ada', externalId: 'e1', emails: emails('a@mail.example') }));
    await login({ userName: 'ada', externalId: 'e1' });
    await made(remove(first.id));
    const refused = await login(claims, subject);
    expect(refused).toMatchObject({ status: 403, reason: 'removed' });
    expect(refused.text).toContain('Your account was removed: ask your administrator.');
    expect(await users()).toEqual([]);
  });

  it('also who never signed in, until SCIM makes the person again', async () => {
    const { id } = await made(push({ userName: address('ada') }));
    await made(remove(id));
    expect(await login(ada())).toMatchObject({ reason: 'removed' });
    await made(push({ userName: address('Ada') }));
    expect(await login(ada())).toMatchObject({ status: 303 });
    expect((await made(gateway.api('GET', `/tenants/${tenant.slug}/removed-users`))).items).toEqual([]);
  });

  it('until an admin readmits them', async () => {
    const { user: id } = await login(ada());
    await made(remove(id as string));
    expect(await login(ada())).toMatchObject({ reason: 'removed' });
    const path = `/tenants/${tenant.slug}/removed-users`;
    const { items } = await made(gateway.api('GET', path));
    expect(items).toEqual([{ id, userName: address('ada'), removedAt: expect.any(String) }]);
    const other = await gateway.createTenant();
    const theirs = await gateway.api('DELETE', `/tenants/${other.slug}/removed-users/${id}`);
    expect(theirs.status).toBe(404);
    expect((await gateway.api('DELETE', `${path}/${id}`)).status).toBe(204);
    expect((await gateway.api('DELETE', `${path}/${id}`)).status).toBe(404);
    expect(await login(ada())).toMatchObject({ status: 303 });
  });

  it('at the same moment, either', async () => {
    for (let round = 0; round < 20; round += 1) {
      const claims = { userName: address(`p${round}`) };
      const { id } = await made(push(claims));
      const post = await answered(claims, `p${round}`);
      const [, came] = await Promise.all([sleep(round).then(() => made(remove(id))), post()]);
      expect(['303 null', '403 inactive', '403 removed']).toContain(`${came.status} ${came.reason}`);
      expect(await users()).toEqual([]);
    }
  });

  it('and others are', async () => {
    const { id } = await made(push({ userName: address('ada') }));
    await made(remove(id));
    expect(await login({ userName: address('bob') }, 'bob')).toMatchObject({ status: 303 });
  });
});

describe('unverified or foreign-domain e-mail never links', () => {
  it('nor does a domain that the connection does not serve, until it does', async () => {
    const { id } = await made(push({ userName: address('ada') }));
    const path = `/tenants/${tenant.slug}/connections/${connection.id}`;
    await made(gateway.api('PUT', path, { domains: [] }));
    expect(await login(ada())).toMatchObject({ status: 403, reason: 'unproved' });
    const other = await connect({ name: 'y', domains: [] });
    expect(await login(ada(), 'ada', other)).toMatchObject({ reason: 'unproved' });
    expect(await login({ userName: address('eve') }, 'eve', other)).toMatchObject({ status: 303 });
    await made(gateway.api('PUT', path, { domains: [domain.toUpperCase()] }));
    expect(await login(ada())).toMatchObject({ status: 303, user: id });
    const stranger = await login({ userName: address('carol') }, 'carol', other);
    expect(stranger).toMatchObject({ status: 403, reason: 'foreign_domain' });
  });

  it('nor a domain that was removed; who is linked stays so', async () => {
    const { id } = await made(push({ userName: address('ada') }));
    await made(push({ userName: address('bob') }));
    await login(ada());
    await made(gateway.api('DELETE', `/tenants/${tenant.slug}/domains/${domain}`));
    expect(await login(ada())).toMatchObject({ status: 303, user: id });
    expect(await login({ userName: address('bob') }, 'bob')).toMatchObject({ reason: 'unproved' });
    const shown = await gateway.api('GET', `/tenants/${tenant.slug}/connections/${connection.id}`);
    expect(shown.body.domains).toEqual([]);
  });

  it('nor a variant with a plus, a subdomain or a letter that looks alike: those are other people', async () => {
    const { id } = await made(push({ userName: address('kate') }));
    const variants = [address('kate+x'), `kate@mail.${domain}`, address('k\u0430te'), 'kate@example.com'];
    for (const userName of variants) {
      expect(await login({ userName }, userName)).toMatchObject({
        status: 303,
        user: expect.not.stringMatching(id),
      });
    }
    expect(await login({ userName: address('\u212aate') }, 'kelvin')).toMatchObject({ reason: 'unproved' });
    expect(await users()).toHaveLength(variants.length + 1);
  });

  it('nor is anybody made below a domain that another organisation has verified', async () => {
    const other = await gateway.createTenant();
    await verifiedDomain(gateway, dns, other, `other-${domain}`);
    const theirs = `ada@OTHER-${domain}`;
    expect(await login({ userName: theirs })).toMatchObject({ status: 403, reason: 'foreign_domain' });
    expect(await login({ userName: 'ada', email: theirs })).toMatchObject({ reason: 'foreign_domain' });
    expect(await users()).toEqual([]);
    await made(push({ userName: theirs, externalId: 'e1' }));
    expect(await login({ userName: theirs })).toMatchObject({ reason: 'unproved' });
    await compareExternalIds();
    expect(await login({ userName: theirs, externalId: 'e1' })).toMatchObject({ status: 303 });
  });
});

describe('a connection', () => {
  it('serves verified domains of its tenant alone', async () => {
    const path = `/tenants/${tenant.slug}/connections/${connection.id}`;
    const other = await gateway.createTenant();
    await verifiedDomain(gateway, dns, other, `other-${domain}`);
    await made(gateway.api('POST', `/tenants/${tenant.slug}/domains`, { domain: `pending-${domain}` }));
    for (const wrong of [`other-${domain}`, `pending-${domain}`, `x.${domain}`, 'no domain']) {
      const answer = await gateway.api('PUT', path, { domains: [domain, wrong] });
      expect(answer, wrong).toMatchObject({ status: 400, body: { field: 'domains' } });
    }
    expect((await made(gateway.api('PUT', path, { name: 'z' }))).domains).toEqual([domain]);
    expect((await made(gateway.api('PUT', path, { domains: [] }))).domains).toEqual([]);
  });
});
