/** Encrypted assertions (SAML-ATK-41, -42), and signatures by SHA-1 (-30). */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { made } from '../support/gateway.ts';
import { Browser } from './browser.ts';
import {
  assertionOf,
  attribute,
  type Encrypting,
  encrypted,
  goodResponse,
  type Parts,
  type Signing,
  sign,
  wrap,
} from './forge.ts';
import { type Begun, base64, post, startTarget, type Target } from './target.ts';

const cbc = 'http://www.w3.org/2001/04/xmlenc#aes256-cbc';
let target: Target;
/** PEM. */
let certificate = '';

beforeAll(async () => {
  target = await startTarget();
  await target.goodLogin();
  const begun = await target.begin();
  const answer = await post(
    begun,
    await encryptedResponse(begun, {}, { certificate: target.keys.certificate }),
  );
  expect(answer.status).toBe(403);
  expect((await target.newest()).reason).toBe('encrypted');
  ({ certificate } = await made(target.gateway.api('POST', `${target.path}/keys`, { use: 'encryption' })));
});
afterAll(() => target.gateway.close());

const set = (change: object) => made(target.gateway.api('PUT', target.path, change));

interface How extends Encrypting {
  content: string;
  signing: Partial<Signing>;
}

const encryptedElement = (content: string, how: Partial<Encrypting> = {}) =>
  encrypted(content, { certificate, ...how });

async function encryptedResponse(begun: Begun, parts: Partial<Parts> = {}, how: Partial<How> = {}) {
  const content = how.content ?? sign(assertionOf(begun, parts), begun.keys, how.signing);
  return wrap(begun, await encryptedElement(content, how), parts);
}

/** The CipherValue of the content, which stands behind that of the key. */
const lastValue =
  /<xenc:CipherValue>[^<]*<\/xenc:CipherValue>(?=\s*<\/xenc:CipherData>\s*<\/xenc:EncryptedData>)/;
const cut = (value: string, end: number) =>
  value.replace(/>([^<]+)</, (_all, text) => `>${base64(Buffer.from(text, 'base64').subarray(0, end))}<`);
async function changed(begun: Begun, change: (xml: string) => string): Promise<string> {
  const xml = await encryptedResponse(begun);
  expect(change(xml)).not.toBe(xml);
  return change(xml);
}

describe('an encrypted assertion', () => {
  it('is read with the key that our metadata shows', async () => {
    const metadata = await new Browser().send(target.connection.entityId);
    expect(metadata.text).toContain('use="encryption"');
    const begun = await target.begin();
    const attributes = attribute('userName', 'ada@example.com');
    const page = await begun.browser.send(
      begun.acsUrl,
      { SAMLResponse: base64(await encryptedResponse(begun, { attributes })), RelayState: begun.relayState },
      true,
    );
    expect([page.status, (await target.newest()).outcome]).toEqual([303, 'signed_in']);
  });

  it('also with the one before, after a roll-over', async () => {
    const next = await made(target.gateway.api('POST', `${target.path}/keys`, { use: 'encryption' }));
    expect(next.state).toBe('next');
    await made(target.gateway.api('POST', `${target.path}/keys/${next.id}/activate`));
    for (const pem of [certificate, next.certificate]) {
      const begun = await target.begin();
      const xml = await encryptedResponse(begun, {}, { certificate: pem });
      expect(
        (
          await begun.browser.send(
            begun.acsUrl,
            { SAMLResponse: base64(xml), RelayState: begun.relayState },
            true,
          )
        ).status,
      ).toBe(303);
    }
  });

  const refused: Record<string, [reasons: string, write: (begun: Begun) => Promise<string>]> = {
    'SAML-ATK-41: with RSA 1.5': [
      'encrypted',
      (begun) => encryptedResponse(begun, {}, { key: 'http://www.w3.org/2001/04/xmlenc#rsa-1_5' }),
    ],
    'SAML-ATK-41: with 3DES': [
      'encrypted',
      (begun) => encryptedResponse(begun, {}, { data: 'http://www.w3.org/2001/04/xmlenc#tripledes-cbc' }),
    ],
    'SAML-ATK-41: with CBC, where that is not allowed': [
      'encrypted',
      (begun) => encryptedResponse(begun, {}, { data: cbc }),
    ],
    'SAML-ATK-42: with another digest of OAEP': [
      'encrypted',
      (begun) => encryptedResponse(begun, {}, { digest: 'sha512' }),
    ],
    'for somebody else': [
      'encrypted',
      (begun) => encryptedResponse(begun, {}, { certificate: target.strangers.certificate }),
    ],
    'that was changed on its way': [
      'encrypted',
      async (begun) =>
        (await encryptedResponse(begun)).replace(
          /(CipherValue>[\w+/]{40})(\w)/g,
          (_all, start, letter) => `${start}${letter === 'A' ? 'B' : 'A'}`,
        ),
    ],
    'with two keys': [
      'encrypted',
      (begun) => changed(begun, (xml) => xml.replace(/<e:EncryptedKey.*<\/e:EncryptedKey>/s, '$&$&')),
    ],
    'whose key is elsewhere': [
      'encrypted',
      (begun) =>
        changed(begun, (xml) =>
          xml.replace(/<e:EncryptedKey.*<\/e:EncryptedKey>/s, '<RetrievalMethod URI="http://127.0.0.1:1/"/>'),
        ),
    ],
    'whose content is elsewhere': [
      'encrypted',
      (begun) =>
        changed(begun, (xml) => xml.replace(lastValue, '<xenc:CipherReference URI="http://127.0.0.1:1/"/>')),
    ],
    'without its tag': [
      'encrypted',
      (begun) => changed(begun, (xml) => xml.replace(lastValue, (value) => cut(value, -16))),
    ],
    'with a tag of four bytes': [
      'encrypted',
      (begun) => changed(begun, (xml) => xml.replace(lastValue, (value) => cut(value, -12))),
    ],
    'of a few bytes': [
      'encrypted',
      (begun) => changed(begun, (xml) => xml.replace(lastValue, (value) => cut(value, 8))),
    ],
    'with a shorter cipher than its key is for': [
      'encrypted',
      (begun) => changed(begun, (xml) => xml.replace('aes256-gcm', 'aes128-gcm')),
    ],
    'that is not signed': [
      'signature',
      (begun) => encryptedResponse(begun, {}, { content: assertionOf(begun) }),
    ],
    'signed by a stranger': [
      'signature',
      (begun) => encryptedResponse(begun, {}, { content: sign(assertionOf(begun), begun.strangers) }),
    ],
    'that holds no assertion': ['structure', (begun) => encryptedResponse(begun, {}, { content: '<x/>' })],
    'that holds no XML': ['encoding|xml', (begun) => encryptedResponse(begun, {}, { content: 'x' })],
    'that holds a document type': [
      'encoding|xml',
      (begun) => encryptedResponse(begun, {}, { content: `<!DOCTYPE x>${assertionOf(begun)}` }),
    ],
    'XSW: around a forged one that holds the signed one': [
      'structure|signature',
      (begun) => {
        const good = sign(assertionOf(begun), begun.keys);
        const evil = assertionOf(begun, { subject: 'evil' });
        return encryptedResponse(
          begun,
          {},
          { content: evil.replace('</saml:Assertion>', `${good}</saml:Assertion>`) },
        );
      },
    ],
    'with another one in the clear': [
      'structure',
      async (begun) =>
        wrap(
          begun,
          `${sign(assertionOf(begun), begun.keys)}${await encryptedElement(sign(assertionOf(begun), begun.keys), {})}`,
        ),
    ],
    twice: [
      'structure',
      async (begun) => {
        const one = await encryptedElement(sign(assertionOf(begun), begun.keys), {});
        return wrap(begun, one + one);
      },
    ],
    'of another audience': [
      'audience',
      (begun) => encryptedResponse(begun, { audience: 'https://other.example' }),
    ],
    'that answers another request': [
      'in_response_to',
      (begun) => encryptedResponse(begun, { inResponseTo: '_x' }),
    ],
  };
  for (const [name, [reasons, write]] of Object.entries(refused)) {
    it(`is refused ${name}`, async () => {
      const begun = await target.begin();
      await target.expectRefused(await post(begun, await write(begun)), reasons);
    });
  }

  it('is read with CBC where the connection allows that', async () => {
    await set({ allowCbc: true });
    const begun = await target.begin();
    const xml = await encryptedResponse(begun, {}, { data: cbc });
    const page = await begun.browser.send(
      begun.acsUrl,
      { SAMLResponse: base64(xml), RelayState: begun.relayState },
      true,
    );
    expect(page.status).toBe(303);
    await set({ allowCbc: false });
  });
});

describe('an encrypted assertion within a signed response', () => {
  const signedResponse = async (begun: Begun, how: Partial<How> = {}, signing: Partial<Signing> = {}) =>
    sign(await encryptedResponse(begun, {}, how), begun.keys, { ...signing, name: 'Response' });
  const send = (begun: Begun, xml: string) =>
    begun.browser.send(begun.acsUrl, { SAMLResponse: base64(xml), RelayState: begun.relayState }, true);

  beforeAll(() => set({ wantResponseSigned: true, wantAssertionsSigned: false }));
  afterAll(() => set({ wantResponseSigned: false, wantAssertionsSigned: true }));
  /** `expectRefused` signs in as most people do. */
  const expectRefused = async (begun: Begun, xml: string, reasons: string) => {
    expect((await send(begun, xml)).status).toBe(403);
    expect(reasons.split('|')).toContain((await target.newest()).reason);
  };

  it('is read where the signature of the response is wanted, whether it is signed itself or not', async () => {
    for (const write of [
      (one: Begun) => signedResponse(one, { content: assertionOf(one) }),
      (one: Begun) => signedResponse(one),
    ]) {
      const begun = await target.begin();
      expect((await send(begun, await write(begun))).status).toBe(303);
    }
  });

  it('must be signed itself where both are wanted', async () => {
    await set({ wantAssertionsSigned: true });
    const [good, bad, strange] = [await target.begin(), await target.begin(), await target.begin()];
    expect((await send(good, await signedResponse(good))).status).toBe(303);
    await expectRefused(bad, await signedResponse(bad, { content: assertionOf(bad) }), 'signature');
    const content = sign(assertionOf(strange), strange.strangers);
    await expectRefused(strange, await signedResponse(strange, { content }), 'signature');
    await set({ wantAssertionsSigned: false });
  });

  const refused: Record<string, [reasons: string, write: (begun: Begun) => Promise<string>]> = {
    'SAML-ATK-13: without the signature': ['signature', (begun) => encryptedResponse(begun)],
    'SAML-ATK-32: by a stranger’s': [
      'signature',
      async (begun) => sign(await encryptedResponse(begun), begun.strangers, { name: 'Response' }),
    ],
    'with another one in its place': [
      'signature',
      async (begun) => {
        const evil = await encryptedElement(assertionOf(begun, { subject: 'evil' }));
        return (await signedResponse(begun)).replace(
          /<saml:EncryptedAssertion>.*<\/saml:EncryptedAssertion>/s,
          evil,
        );
      },
    ],
    'with another one beside it': [
      'structure',
      async (begun) => {
        const evil = await encryptedElement(assertionOf(begun, { subject: 'evil' }));
        return (await signedResponse(begun)).replace('</samlp:Response>', `${evil}</samlp:Response>`);
      },
    ],
    'SAML-ATK-14: that has the ID of the response within': [
      'signature',
      async (begun) => {
        const xml = await signedResponse(begun);
        const id = /<samlp:Response [^>]*\bID="([^"]*)"/.exec(xml)?.[1];
        return xml.replace('<xenc:EncryptedData ', `<xenc:EncryptedData ID="${id}" `);
      },
    ],
    'XSW: signed within one that is not': [
      'structure',
      async (begun) => {
        const evil = await encryptedElement(assertionOf(begun, { subject: 'evil' }));
        const inner = await signedResponse(begun);
        return wrap(begun, evil, { after: `<samlp:Extensions>${inner}</samlp:Extensions>` });
      },
    ],
    'SAML-ATK-41: with CBC, where that is not allowed': [
      'encrypted',
      (begun) => signedResponse(begun, { data: cbc }),
    ],
    'SAML-ATK-30: by RSA-SHA1': [
      'algorithm',
      (begun) =>
        signedResponse(
          begun,
          {},
          {
            signature: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1',
            digest: 'http://www.w3.org/2000/09/xmldsig#sha1',
          },
        ),
    ],
    'for another audience': [
      'audience',
      (begun) =>
        signedResponse(begun, { content: assertionOf(begun, { audience: 'https://other.example' }) }),
    ],
    'of another issuer': [
      'issuer',
      (begun) => signedResponse(begun, { content: assertionOf(begun, { issuer: 'urn:other' }) }),
    ],
    'that answers another request': [
      'in_response_to',
      (begun) => signedResponse(begun, { content: assertionOf(begun, { inResponseTo: '_x' }) }),
    ],
    'that is over': [
      'time',
      (begun) =>
        signedResponse(begun, { content: assertionOf(begun, { validFrom: -600_000, validFor: -300_000 }) }),
    ],
  };
  for (const [name, [reasons, write]] of Object.entries(refused)) {
    it(`is refused ${name}`, async () => {
      const begun = await target.begin();
      await expectRefused(begun, await write(begun), reasons);
    });
  }
});

describe('SAML-ATK-30: RSA-SHA1', () => {
  const sha1 = {
    signature: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1',
    digest: 'http://www.w3.org/2000/09/xmldsig#sha1',
  };
  it('is refused, within an encrypted assertion too, and taken where the connection allows it', async () => {
    for (const write of [
      (one: Begun) => goodResponse(one, {}, sha1),
      (one: Begun) => encryptedResponse(one, {}, { signing: sha1 }),
    ]) {
      const begun = await target.begin();
      await target.expectRefused(await post(begun, await write(begun)), 'algorithm');
    }
    await set({ allowSha1: true });
    const begun = await target.begin();
    const page = await begun.browser.send(
      begun.acsUrl,
      { SAMLResponse: base64(goodResponse(begun, {}, sha1)), RelayState: begun.relayState },
      true,
    );
    expect(page.status).toBe(303);
    await set({ allowSha1: false });
  });
});
