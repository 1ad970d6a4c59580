/** Single logout by SAML (Profiles §4.4), both ways, and step-up; node-saml, as the other side, reads what we sign. */

import { sign } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { SAML } from '@node-saml/node-saml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { made } from '../support/gateway.ts';
import { Browser } from './browser.ts';
import { attribute, goodResponse, idpEntityId, type Parts } from './forge.ts';
import { metadataOf } from './identity-provider.ts';
import { type LogoutRequestParts, logoutRequest, logoutResponse } from './logout-messages.ts';
import { type Begun, post, startTarget, type Target } from './target.ts';

const sloAtIdp = 'http://localhost:1/slo';
const sha256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';
let target: Target;
// biome-ignore lint/suspicious/noExplicitAny: as the admin API answers it.
let connection: any;

beforeAll(async () => {
  target = await startTarget();
  const metadataXml = metadataOf(idpEntityId, 'http://localhost:1/sso', target.keys.certificate).replace(
    '<md:SingleSignOnService',
    `<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${sloAtIdp}"/><md:SingleSignOnService`,
  );
  connection = await made(target.gateway.api('PUT', target.path, { metadataXml }));
});
afterAll(() => target.gateway.close());

async function signIn(subject: string, parts: Partial<Parts> = {}, begun?: Begun): Promise<Begun> {
  const one = begun ?? (await target.begin());
  const attributes = attribute('userName', `${subject}@example.com`);
  expect((await post(one, goodResponse(one, { subject, attributes, ...parts }))).status).toBe(303);
  return one;
}

const isSignedIn = async ({ browser }: { browser: Browser }) =>
  (await browser.send(`${target.gateway.url}/sso/session`)).status === 200;

const requestXml = (change: Partial<LogoutRequestParts> = {}) =>
  logoutRequest({ destination: connection.logoutUrl, ...change });
const deflated = (xml: string) => deflateRawSync(Buffer.from(xml)).toString('base64');

function signedQuery(
  fields: Record<string, string>,
  { algorithm = sha256, hash = 'sha256', key = target.keys.privateKey } = {},
): string {
  const signed = Object.entries({ ...fields, SigAlg: algorithm })
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
  return `${signed}&Signature=${encodeURIComponent(sign(hash, Buffer.from(signed), key).toString('base64'))}`;
}

const local = () => connection.logoutUrl.replace(/^https?:\/\/[^/]+/, target.gateway.url);
const send = (query: string, browser = new Browser()) => browser.send(`${local()}?${query}`);
const asked = (change: Partial<LogoutRequestParts> = {}) =>
  signedQuery({ SAMLRequest: deflated(requestXml(change)) });

/** As node-saml reads what we signed. */
async function readByOther(location: string) {
  const url = new URL(location);
  const other = new SAML({
    ...{ callbackUrl: sloAtIdp, issuer: idpEntityId, entryPoint: sloAtIdp },
    idpCert: connection.keys[0].certificate,
  });
  const query = Object.fromEntries(url.searchParams);
  return { query, read: await other.validateRedirectAsync({ ...query }, url.search.slice(1)) };
}

describe('the identity provider signs somebody out', () => {
  it('whose sessions end, and answers are signed', async () => {
    const [ada, other] = [await signIn('ada'), await signIn('grace')];
    const query = signedQuery({ SAMLRequest: deflated(requestXml({ id: '_abc' })), RelayState: 'r1' });
    const page = await send(query);
    expect(page.status).toBe(303);
    expect([await isSignedIn(ada), await isSignedIn(other)]).toEqual([false, true]);
    const { query: answer, read } = await readByOther(page.headers.get('location') ?? '');
    expect([answer.RelayState, read.loggedOut]).toEqual(['r1', true]);
  });

  it('of the one session that it names', async () => {
    const statement = (index: string) =>
      `<saml:AuthnStatement AuthnInstant="${new Date().toISOString()}" SessionIndex="${index}"><saml:AuthnContext><saml:AuthnContextClassRef>x</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`;
    const one = await signIn('linus', { authnStatement: statement('s1') });
    const two = await signIn('linus', { authnStatement: statement('s2') });
    expect((await send(asked({ subject: 'linus', index: 's1' }))).status).toBe(303);
    expect([await isSignedIn(one), await isSignedIn(two)]).toEqual([false, true]);
  });
});

describe('the identity provider signs somebody out whose login is under way', () => {
  const held = async (subject: string, index: string) => {
    const begun = await target.begin();
    const attributes = attribute('userName', `${subject}@example.com`);
    const authnStatement = `<saml:AuthnStatement AuthnInstant="${new Date().toISOString()}" SessionIndex="${index}"><saml:AuthnContext><saml:AuthnContextClassRef>x</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`;
    const answer = goodResponse(begun, { subject, attributes, authnStatement });
    return { begun, arrives: () => post(begun, answer) };
  };

  it('and nobody is let in by the answer of before, also who never was here', async () => {
    const [known, stranger] = [await held('ada', 's1'), await held('barbara', 's1')];
    for (const subject of ['ada', 'barbara']) await send(asked({ subject }));
    await target.expectRefused(await known.arrives(), 'revoked');
    await target.expectRefused(await stranger.arrives(), 'revoked');
    await signIn('barbara');
  });

  it('but for another session of theirs', async () => {
    const [one, other] = [await held('ada', 's1'), await held('ada', 's2')];
    await send(asked({ index: 's1' }));
    expect((await one.arrives()).status).toBe(403);
    expect((await other.arrives()).status).toBe(303);
  });
});

describe('a logout request is refused:', () => {
  const cases: Record<string, () => string> = {
    'SAML-ATK-46: without a signature': () => `SAMLRequest=${encodeURIComponent(deflated(requestXml()))}`,
    'SAML-ATK-46: with somebody else’s': () =>
      signedQuery({ SAMLRequest: deflated(requestXml()) }, { key: target.strangers.privateKey }),
    'SAML-ATK-31: with RSA-MD5': () =>
      signedQuery(
        { SAMLRequest: deflated(requestXml()) },
        { algorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-md5', hash: 'md5' },
      ),
    'SAML-ATK-30: with RSA-SHA1': () =>
      signedQuery(
        { SAMLRequest: deflated(requestXml()) },
        { algorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1', hash: 'sha1' },
      ),
    'SAML-ATK-47: the request comes twice': () =>
      `${signedQuery({ SAMLRequest: deflated(requestXml({ subject: 'x' })) })}&SAMLRequest=${encodeURIComponent(deflated(requestXml()))}`,
    'SAML-ATK-47: request and response': () =>
      signedQuery({ SAMLRequest: deflated(requestXml()), SAMLResponse: deflated(requestXml()) }),
    'SAML-ATK-48: meant for another address': () => asked({ destination: `${connection.logoutUrl}x` }),
    'SAML-ATK-48: over': () => asked({ notOnOrAfter: new Date(Date.now() - 600_000) }),
    'SAML-ATK-48: written long ago': () => asked({ issuedAt: new Date(Date.now() - 3_600_000) }),
    'SAML-ATK-49: of another issuer': () => asked({ issuer: 'urn:other' }),
    'SAML-ATK-50: a deflate bomb': () =>
      signedQuery({ SAMLRequest: deflateRawSync(Buffer.alloc(8 * 1024 * 1024, 0x20)).toString('base64') }),
    'what is no logout': () =>
      signedQuery({ SAMLRequest: deflated(requestXml().replaceAll('LogoutRequest', 'AuthnRequest')) }),
    'elements that do not belong there': () => asked({ more: '<samlp:Extensions/>' }),
    'a comment within the name': () => asked({ subject: 'a<!-- -->da' }),
    'what is not deflated': () => signedQuery({ SAMLRequest: Buffer.from(requestXml()).toString('base64') }),
  };
  for (const [name, write] of Object.entries(cases)) {
    it(name, async () => {
      const ada = await signIn('ada');
      const began = performance.now();
      const page = await send(write());
      expect(page.status).toBe(403);
      expect(performance.now() - began).toBeLessThan(2000);
      expect(await isSignedIn(ada)).toBe(true);
    });
  }

  it('SAML-ATK-48: that was used before', async () => {
    const query = asked();
    expect((await send(query)).status).toBe(303);
    const ada = await signIn('ada');
    expect((await send(query)).status).toBe(403);
    expect(await isSignedIn(ada)).toBe(true);
  });

  it('at another tenant’s connection', async () => {
    const ada = await signIn('ada');
    const page = await new Browser().send(`${local().replace(connection.id, target.other.id)}?${asked()}`);
    expect(page.status).toBe(403);
    expect(await isSignedIn(ada)).toBe(true);
  });
});

describe('somebody signs out here', () => {
  async function signOut(begun: Begun) {
    const page = await begun.browser.send(`${target.gateway.url}/sso/logout`, {});
    expect(await isSignedIn(begun)).toBe(false);
    const link = /<a href="([^"]*)"/.exec(page.text)?.[1]?.replaceAll('&#38;', '&') ?? '';
    expect(page.text).toContain('http-equiv="refresh"');
    return link;
  }
  const responseXml = (inResponseTo: string, status?: string) =>
    logoutResponse(connection.logoutUrl, inResponseTo, status);
  const answer = (id: string, state: string, status?: string) =>
    signedQuery({ SAMLResponse: deflated(responseXml(id, status)), RelayState: state });

  it('and is sent on with a signed request that names the session; the answer is told', async () => {
    const ada = await signIn('ada');
    const { query, read } = await readByOther(await signOut(ada));
    expect(read.profile).toMatchObject({ nameID: 'ada', sessionIndex: 's' });
    const id = read.profile?.ID as string;
    const page = await send(answer(id, query.RelayState ?? ''), ada.browser);
    expect(page.text).toContain('signed out, here and at your organisation');
    expect(page.text).toContain(`<a href="/sso/saml/${connection.id}/login">Sign in again</a>`);
  });

  it.each<[string, (id: string, state: string, begun: Begun) => Promise<{ status: number; text: string }>]>([
    ['SAML-ATK-49: to another request', (_id, state, { browser }) => send(answer('_x', state), browser)],
    ['with another RelayState', (id, _state, { browser }) => send(answer(id, 'x'), browser)],
    ['in another browser', (id, state) => send(answer(id, state))],
  ])('an answer is refused %s', async (_name, act) => {
    const ada = await signIn('ada');
    const { query, read } = await readByOther(await signOut(ada));
    const page = await act(read.profile?.ID as string, query.RelayState ?? '', ada);
    expect(page.status).toBe(403);
  });

  it('is told where the identity provider did not sign them out', async () => {
    const ada = await signIn('ada');
    const { query, read } = await readByOther(await signOut(ada));
    const page = await send(
      answer(read.profile?.ID as string, query.RelayState ?? '', 'Responder'),
      ada.browser,
    );
    expect(page.text).toContain('Your organisation may still keep you signed in');
  });

  it('no answer to a logout passes for one to a login', async () => {
    const ada = await signIn('ada');
    const { query, read } = await readByOther(await signOut(ada));
    const begun = { ...ada, requestId: read.profile?.ID as string, relayState: query.RelayState ?? '' };
    expect((await post(begun, goodResponse(begun))).status).toBe(403);
  });
});

describe('step-up', () => {
  const context = (reference: string, at = Date.now()) =>
    `<saml:AuthnStatement AuthnInstant="${new Date(at).toISOString()}"><saml:AuthnContext><saml:AuthnContextClassRef>${reference}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`;

  it('asks for what the connection wants, and refuses what is less', async () => {
    const mfa = 'https://refeds.org/profile/mfa';
    await made(target.gateway.api('PUT', target.path, { forceAuthn: true, authnContexts: [mfa] }));
    const login = await new Browser().send(target.connection.acsUrl.replace(/acs$/, 'login'));
    const message = new URL(login.headers.get('location') ?? '').searchParams.get('SAMLRequest') ?? '';
    const { inflateRawSync } = await import('node:zlib');
    const xml = inflateRawSync(Buffer.from(message, 'base64')).toString('utf8');
    expect(xml).toContain('ForceAuthn="true"');
    expect(xml).toContain(mfa);
    const refused = async (statement: string) => {
      const begun = await target.begin();
      expect((await post(begun, goodResponse(begun, { authnStatement: statement }))).status).toBe(403);
      expect((await target.newest()).reason).toBe('step_up');
    };
    await refused(context('urn:oasis:names:tc:SAML:2.0:ac:classes:Password'));
    await refused(context(mfa, Date.now() - 3_600_000));
    await signIn('ada', { authnStatement: context(mfa) });
    await made(target.gateway.api('PUT', target.path, { forceAuthn: false, authnContexts: [] }));
  });
});
