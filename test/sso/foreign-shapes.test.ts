/** What usual identity providers put into a response beside what is read: the gate lets it pass, and the login is the same. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { assertionOf, attribute, goodResponse, type Scene, sign, signedResponse, wrap } from './forge.ts';
import { post, startTarget, type Target } from './target.ts';

let target: Target;
beforeAll(async () => {
  target = await startTarget();
});
afterAll(() => target.gateway.close());

const userName = attribute('userName', 'ada@example.com');
const shapes: [name: string, forge: (scene: Scene) => string][] = [
  [
    'Okta signs both',
    (scene) => {
      const inner = sign(assertionOf(scene), scene.keys);
      return sign(wrap(scene, inner), scene.keys, { name: 'Response' });
    },
  ],
  [
    'RSA-SHA512',
    (scene) =>
      goodResponse(
        scene,
        {},
        {
          signature: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
          digest: 'http://www.w3.org/2001/04/xmlenc#sha512',
        },
      ),
  ],
  [
    'types of values, and an empty one',
    (scene) =>
      goodResponse(scene, {
        attributes: `${userName}<saml:Attribute Name="x" NameFormat="urn:x"><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xs="http://www.w3.org/2001/XMLSchema" xsi:type="xs:string">ü</saml:AttributeValue><saml:AttributeValue/></saml:Attribute>`,
      }),
  ],
  [
    'eduPersonTargetedID',
    (scene) =>
      goodResponse(scene, {
        attributes: `${userName}<saml:Attribute Name="urn:oid:1.3.6.1.4.1.5923.1.1.1.10"><saml:AttributeValue><saml:NameID>evil</saml:NameID></saml:AttributeValue></saml:Attribute>`,
      }),
  ],
  [
    '2,000 groups',
    (scene) =>
      goodResponse(scene, {
        attributes: userName + attribute('groups', ...Array.from({ length: 2000 }, (_, n) => `group ${n}`)),
      }),
  ],
  [
    'no issuer, destination or request named by the response',
    (scene) =>
      goodResponse(scene, { destination: '', responseInResponseTo: '' }).replace(
        /<saml:Issuer>[^<]*<\/saml:Issuer><samlp:Status>/,
        '<samlp:Status>',
      ),
  ],
  [
    'a declaration, line breaks between the elements of the response',
    (scene) =>
      `<?xml version="1.0" encoding="UTF-8"?>\n${goodResponse(scene).replace('<samlp:Status>', '\n  <samlp:Status>')}\n`,
  ],
  [
    'Keycloak names its key',
    (scene) => goodResponse(scene).replace('<ds:KeyInfo>', '<ds:KeyInfo><ds:KeyName>k</ds:KeyName>'),
  ],
];

it.each(shapes)('%s', async (_name, forge) => {
  const begun = await target.begin();
  const page = await post(begun, forge(begun));
  expect(await target.newest()).toMatchObject({ reason: null, subject: expect.stringContaining('"ada"') });
  expect(page.status).toBe(303);
});

it('a connection that wants the response signed reads one without a signed assertion', async () => {
  const change = { wantAssertionsSigned: false, wantResponseSigned: true };
  expect((await target.gateway.api('PUT', target.path, change)).status).toBe(200);
  const begun = await target.begin();
  expect((await post(begun, signedResponse(begun))).status).toBe(303);
  const unsigned = await target.begin();
  expect((await post(unsigned, goodResponse(unsigned))).status).toBe(403);
  expect(await target.newest()).toMatchObject({ reason: 'signature' });
});
