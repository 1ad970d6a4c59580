/** Single logout by HTTP-POST (SAML 2.0 Profiles §4.4, Bindings §3.5), both ways; node-saml, as the other side, reads what we sign. */

import { SAML } from '@node-saml/node-saml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../src/kernel/limits.ts';
import { made } from '../support/gateway.ts';
import { Browser, formOf, type Page } from './browser.ts';
import { attribute, goodResponse, idpEntityId, type Signing, sign } from './forge.ts';
import { metadataOf } from './identity-provider.ts';
import { type LogoutRequestParts, logoutRequest, logoutResponse } from './logout-messages.ts';
import { type Begun, base64, post, startTarget, type Target } from './target.ts';

const sloAtIdp = 'http://localhost:1/slo';
let target: Target;
// biome-ignore lint/suspicious/noExplicitAny: as the admin API answers it.
let connection: any;

const metadataWith = (...bindings: string[]) => {
  const services = bindings.map(
    (binding) =>
      `<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-${binding}" Location="${sloAtIdp}"/>`,
  );
  return metadataOf(idpEntityId, 'http://localhost:1/sso', target.keys.certificate).replace(
    '<md:SingleSignOnService',
    `${services.join('')}<md:SingleSignOnService`,
  );
};
const set = async (metadataXml: string) => {
  connection = await made(target.gateway.api('PUT', target.path, { metadataXml }));
};

beforeAll(async () => {
  target = await startTarget();
  await set(metadataWith('POST'));
});
afterAll(() => target.gateway.close());

async function signIn(subject: string): Promise<Begun> {
  const begun = await target.begin();
  const attributes = attribute('userName', `${subject}@example.com`);
  expect((await post(begun, goodResponse(begun, { subject, attributes }))).status).toBe(303);
  return begun;
}

const isSignedIn = async ({ browser }: Begun) =>
  (await browser.send(`${target.gateway.url}/sso/session`)).status === 200;
const local = () => connection.logoutUrl.replace(/^https?:\/\/[^/]+/, target.gateway.url);
/** From a page of another site. */
const send = (form: Record<string, string> | string, browser = new Browser()) =>
  browser.send(local(), form, true);
const unsigned = (change: Partial<LogoutRequestParts> = {}) =>
  logoutRequest({ destination: connection.logoutUrl, ...change });
const signed = (xml: string, how: Partial<Signing> = {}, keys = target.keys) =>
  sign(xml, keys, { name: 'LogoutRequest', ...how });
const requestForm = (xml: string) => ({ SAMLRequest: base64(xml) });

/** As node-saml reads what we signed. */
async function readByOther(page: Page) {
  const { action, fields } = formOf(page);
  expect(action).toBe(sloAtIdp);
  const other = new SAML({
    ...{ callbackUrl: sloAtIdp, issuer: idpEntityId, entryPoint: sloAtIdp },
    idpCert: connection.keys[0].certificate,
  });
  const read = fields.SAMLRequest
    ? await other.validatePostRequestAsync({ SAMLRequest: fields.SAMLRequest })
    : await other.validatePostResponseAsync({ SAMLResponse: fields.SAMLResponse ?? '' });
  return { fields, read };
}

describe('the identity provider signs somebody out', () => {
  it('whose sessions end, and is answered by a form that the page posts', async () => {
    const [ada, other] = [await signIn('ada'), await signIn('grace')];
    const page = await send({ ...requestForm(signed(unsigned({ id: '_abc' }))), RelayState: 'r"1' });
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toMatch(/script-src 'sha256-[^ ']+'$/);
    expect([await isSignedIn(ada), await isSignedIn(other)]).toEqual([false, true]);
    const { fields, read } = await readByOther(page);
    expect([fields.RelayState, read.loggedOut]).toEqual(['r"1', true]);
    expect(Buffer.from(fields.SAMLResponse ?? '', 'base64').toString()).toContain('InResponseTo="_abc"');
  });

  it('of the one session that it names', async () => {
    const ada = await signIn('ada');
    expect((await send(requestForm(signed(unsigned({ index: 'other' }))))).status).toBe(200);
    expect(await isSignedIn(ada)).toBe(true);
    expect((await send(requestForm(signed(unsigned({ index: 's' }))))).status).toBe(200);
    expect(await isSignedIn(ada)).toBe(false);
  });

  it('and is answered by redirect where its metadata offers both', async () => {
    await set(metadataWith('POST', 'Redirect'));
    const page = await send(requestForm(signed(unsigned())));
    expect([page.status, page.headers.get('location')]).toEqual([
      303,
      expect.stringContaining('SAMLResponse='),
    ]);
    await set(metadataWith('POST'));
  });

  it('at the address that our metadata names, by both bindings', async () => {
    const { text } = await new Browser().send(
      connection.entityId.replace(/^https?:\/\/[^/]+/, target.gateway.url),
    );
    for (const binding of ['HTTP-Redirect', 'HTTP-POST']) {
      expect(text).toContain(
        `<SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:${binding}" Location="${connection.logoutUrl}"/>`,
      );
    }
  });
});

describe('a logout request is refused:', () => {
  /** Within the signature of the good request, or around it. */
  const wrapped = (around: (good: string) => string) =>
    requestForm(around(signed(unsigned({ id: '_good' }))));
  const cases: Record<string, () => Record<string, string> | string> = {
    'SAML-ATK-46: without a signature': () => requestForm(unsigned()),
    'SAML-ATK-46: with somebody else’s': () => requestForm(signed(unsigned(), {}, target.strangers)),
    'SAML-ATK-46: changed after it was signed': () =>
      requestForm(signed(unsigned({ subject: 'grace' })).replace('>grace<', '>ada<')),
    'SAML-ATK-46: signed as a query is': () => ({
      ...{ ...requestForm(unsigned()), Signature: 'x' },
      SigAlg: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    }),
    'SAML-ATK-30: with RSA-SHA1': () =>
      requestForm(signed(unsigned(), { signature: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' })),
    'SAML-ATK-30: with a digest by SHA-1': () =>
      requestForm(signed(unsigned(), { digest: 'http://www.w3.org/2000/09/xmldsig#sha1' })),
    'SAML-ATK-01: a forged one around the good one, within the signature': () =>
      wrapped((good) => {
        const [signature = ''] = /<ds:Signature.*<\/ds:Signature>/s.exec(good) ?? [];
        const object = `<ds:Object>${good.replace(signature, '')}</ds:Object></ds:Signature>`;
        return unsigned({ id: '_evil', more: signature.replace('</ds:Signature>', object) });
      }),
    'SAML-ATK-04: a forged one around the good one': () => wrapped((good) => unsigned({ more: good })),
    'SAML-ATK-05: a signature of another one': () =>
      wrapped((good) => {
        const [signature = ''] = /<ds:Signature.*<\/ds:Signature>/s.exec(good) ?? [];
        return unsigned({ id: '_evil', more: signature });
      }),
    'SAML-ATK-14: its ID twice': () =>
      requestForm(signed(unsigned({ id: '_x' })).replace('<saml:NameID', '<saml:NameID ID="_x"')),
    'SAML-ATK-47: the request comes twice': () => {
      const field = `SAMLRequest=${encodeURIComponent(base64(signed(unsigned())))}`;
      return `${field}&${field}`;
    },
    'SAML-ATK-47: request and response': () => {
      const request = base64(signed(unsigned()));
      return { SAMLRequest: request, SAMLResponse: request };
    },
    'SAML-ATK-48: meant for another address': () =>
      requestForm(signed(unsigned({ destination: `${connection.logoutUrl}x` }))),
    'SAML-ATK-48: over': () =>
      requestForm(signed(unsigned({ notOnOrAfter: new Date(Date.now() - 600_000) }))),
    'SAML-ATK-48: written long ago': () =>
      requestForm(signed(unsigned({ issuedAt: new Date(Date.now() - 3_600_000) }))),
    'SAML-ATK-49: of another issuer': () => requestForm(signed(unsigned({ issuer: 'urn:other' }))),
    'SAML-ATK-11: a comment within the name': () => requestForm(signed(unsigned({ subject: 'a<!-- -->da' }))),
    'SAML-ATK-33: a document type': () => requestForm(`<!DOCTYPE x>${signed(unsigned())}`),
    'SAML-ATK-51: of more bytes than a response may have': () =>
      requestForm(signed(unsigned({ subject: 'a'.repeat(limits.samlBytesMax) }))),
    'SAML-ATK-51: that names more sessions than it may': () =>
      requestForm(signed(unsigned({ more: '<samlp:SessionIndex>x</samlp:SessionIndex>'.repeat(101) }))),
    'a RelayState that is too long': () => ({
      ...requestForm(signed(unsigned())),
      RelayState: 'x'.repeat(limits.samlQueryLengthMax + 1),
    }),
    'elements that do not belong there': () => requestForm(signed(unsigned({ more: '<samlp:Extensions/>' }))),
    'what is no base64': () => ({ SAMLRequest: signed(unsigned()) }),
    'nothing at all': () => ({}),
  };
  for (const [name, write] of Object.entries(cases)) {
    it(name, async () => {
      const ada = await signIn('ada');
      expect((await send(write())).status).toBe(403);
      expect(await isSignedIn(ada)).toBe(true);
    });
  }

  it('SAML-ATK-48: that was used before, by whichever binding', async () => {
    const form = requestForm(signed(unsigned()));
    expect((await send(form)).status).toBe(200);
    const ada = await signIn('ada');
    expect((await send(form)).status).toBe(403);
    expect(await isSignedIn(ada)).toBe(true);
  });
});

describe('somebody signs out here', () => {
  async function signOut(begun: Begun) {
    const page = await begun.browser.send(`${target.gateway.url}/sso/logout`, {});
    expect(await isSignedIn(begun)).toBe(false);
    expect(page.headers.get('content-security-policy')).toMatch(/script-src 'sha256-[^ ']+'$/);
    return await readByOther(page);
  }
  const answer = (id: string, state: string, status?: string) => {
    const xml = logoutResponse(connection.logoutUrl, id, status);
    return { SAMLResponse: base64(signed(xml, { name: 'LogoutResponse' })), RelayState: state };
  };

  it('and is sent on by a form with a signed request that names the session; the answer is told', async () => {
    const ada = await signIn('ada');
    const { fields, read } = await signOut(ada);
    expect(read.profile).toMatchObject({ nameID: 'ada', sessionIndex: 's' });
    const id = read.profile?.ID as string;
    const page = await send(answer(id, fields.RelayState ?? ''), ada.browser);
    expect(page.text).toContain('signed out, here and at your organisation');
    expect((await send(answer(id, fields.RelayState ?? ''), ada.browser)).status).toBe(403);
  });

  it('is told where the identity provider did not sign them out', async () => {
    const ada = await signIn('ada');
    const { fields, read } = await signOut(ada);
    const form = answer(read.profile?.ID as string, fields.RelayState ?? '', 'Responder');
    expect((await send(form, ada.browser)).text).toContain('Your organisation may still keep you signed in');
  });

  it.each<[string, (id: string, state: string, begun: Begun) => Promise<Page>]>([
    ['SAML-ATK-49: to another request', (_id, state, { browser }) => send(answer('_x', state), browser)],
    ['with another RelayState', (id, _state, { browser }) => send(answer(id, 'x'), browser)],
    ['in another browser', (id, state) => send(answer(id, state))],
    [
      'without a signature',
      (id, state, { browser }) => {
        const SAMLResponse = base64(logoutResponse(connection.logoutUrl, id));
        return send({ SAMLResponse, RelayState: state }, browser);
      },
    ],
  ])('an answer is refused %s', async (_name, act) => {
    const ada = await signIn('ada');
    const { fields, read } = await signOut(ada);
    expect((await act(read.profile?.ID as string, fields.RelayState ?? '', ada)).status).toBe(403);
  });
});
