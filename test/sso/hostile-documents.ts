/** Documents that are put together wrongly: signature wrapping, tricks of XML, sizes. Each with the reasons that may be told. */

import { assertionOf, attribute, goodResponse, type Scene, sign, signedResponse, wrap } from './forge.ts';

const evil = { subject: 'evil' };
const signedAssertion = (scene: Scene) => sign(assertionOf(scene), scene.keys);
const signatureIn = (xml: string) => /<ds:Signature .*<\/ds:Signature>/s.exec(xml)?.[0] ?? '';
const without = (xml: string, part: string) => xml.replace(part, '');
const idIn = (xml: string) => / ID="([^"]+)"/.exec(xml)?.[1] ?? '';
const inside = (xml: string, tag: string, text: string) =>
  xml.replace(new RegExp(`(<${tag}[^>]*>)`), `$1${text}`);
const enveloped = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';

export const hostileDocuments: [name: string, reasons: string, forge: (scene: Scene) => string | Buffer][] = [
  [
    'SAML-ATK-01 XSW1',
    'structure',
    (scene) => {
      const genuine = signedResponse(scene);
      const signature = signatureIn(genuine);
      const held = signature.replace('</ds:Signature>', `${without(genuine, signature)}</ds:Signature>`);
      return wrap(scene, assertionOf(scene, evil), { before: held });
    },
  ],
  [
    'SAML-ATK-02 XSW2',
    'structure',
    (scene) => {
      const genuine = signedResponse(scene);
      const signature = signatureIn(genuine);
      return wrap(scene, assertionOf(scene, evil), { before: `${without(genuine, signature)}${signature}` });
    },
  ],
  [
    'SAML-ATK-03 XSW3',
    'structure',
    (scene) => wrap(scene, signedAssertion(scene), { before: assertionOf(scene, evil) }),
  ],
  [
    'SAML-ATK-04 XSW4',
    'structure',
    (scene) => {
      const forged = assertionOf(scene, evil);
      return wrap(scene, forged.replace('</saml:Assertion>', `${signedAssertion(scene)}</saml:Assertion>`));
    },
  ],
  [
    'SAML-ATK-05 XSW5',
    'structure',
    (scene) => {
      const genuine = signedAssertion(scene);
      const signature = signatureIn(genuine);
      const forged = assertionOf(scene, evil).replace('</saml:Issuer>', `</saml:Issuer>${signature}`);
      return wrap(scene, forged, { after: without(genuine, signature) });
    },
  ],
  [
    'SAML-ATK-06 XSW6',
    'structure',
    (scene) => {
      const genuine = signedAssertion(scene);
      const signature = signatureIn(genuine);
      const held = signature.replace('</ds:Signature>', `${without(genuine, signature)}</ds:Signature>`);
      return wrap(scene, assertionOf(scene, evil).replace('</saml:Issuer>', `</saml:Issuer>${held}`));
    },
  ],
  [
    'SAML-ATK-07 XSW7',
    'structure',
    (scene) => {
      const genuine = signedAssertion(scene);
      const forged = assertionOf(scene, { ...evil, id: idIn(genuine) });
      return wrap(scene, genuine, { before: `<samlp:Extensions>${forged}</samlp:Extensions>` });
    },
  ],
  [
    'SAML-ATK-08 XSW8',
    'structure',
    (scene) => {
      const genuine = signedAssertion(scene);
      const signature = signatureIn(genuine);
      const object = `<ds:Object>${without(genuine, signature)}</ds:Object></ds:Signature>`;
      const held = signature.replace('</ds:Signature>', object);
      return wrap(scene, assertionOf(scene, evil).replace('</saml:Issuer>', `</saml:Issuer>${held}`));
    },
  ],
  [
    'SAML-ATK-09 XSW9: a signed error, a decoy signature with an assertion',
    'status|structure',
    (scene) => {
      const status = '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"/>';
      const genuine = sign(wrap(scene, '', { status }), scene.keys, { name: 'Response' });
      const object = `<ds:Object>${assertionOf(scene, evil)}</ds:Object></ds:Signature>`;
      const decoy = signatureIn(genuine).replace('</ds:Signature>', object);
      return genuine.replace('</samlp:Response>', `${decoy}</samlp:Response>`);
    },
  ],
  [
    'SAML-ATK-10: an assertion in an Object of the genuine signature',
    'structure',
    (scene) =>
      signedResponse(scene).replace(
        '</ds:Signature>',
        `<ds:Object>${assertionOf(scene, evil)}</ds:Object></ds:Signature>`,
      ),
  ],
  [
    'SAML-ATK-11: a comment in the NameID',
    'xml',
    (scene) => goodResponse(scene).replace('>ada</saml:NameID>', '>a<!---->da</saml:NameID>'),
  ],
  [
    'SAML-ATK-11: CDATA in the NameID',
    'xml',
    (scene) => goodResponse(scene).replace('>ada</saml:NameID>', '><![CDATA[ada]]></saml:NameID>'),
  ],
  [
    'SAML-ATK-11: a processing instruction in the NameID',
    'xml',
    (scene) => goodResponse(scene).replace('>ada</saml:NameID>', '>a<?x?>da</saml:NameID>'),
  ],
  [
    'SAML-ATK-14: an ID twice',
    'structure',
    (scene) => {
      const genuine = signedAssertion(scene);
      return wrap(scene, genuine, { responseId: idIn(genuine) });
    },
  ],
  [
    'SAML-ATK-14: an ID twice, as "Id" of another element',
    'structure',
    (scene) => {
      const genuine = signedAssertion(scene);
      return wrap(scene, genuine).replace('<samlp:Status>', `<samlp:Status Id="${idIn(genuine)}">`);
    },
  ],
  [
    'SAML-ATK-15: two assertions',
    'structure',
    (scene) => wrap(scene, signedAssertion(scene), { after: signedAssertion(scene) }),
  ],
  ['SAML-ATK-33: a document type', 'xml', (scene) => `<!DOCTYPE x>${goodResponse(scene)}`],
  [
    'SAML-ATK-33: an external entity',
    'xml',
    (scene) =>
      `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>${goodResponse(scene, { subject: '&e;' })}`,
  ],
  [
    'SAML-ATK-33: entities of entities',
    'xml',
    (scene) => `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>${goodResponse(scene)}`,
  ],
  ['SAML-ATK-34: two roots', 'xml', (scene) => `${goodResponse(scene)}<x/>`],
  ['SAML-ATK-34: text behind the root', 'xml', (scene) => `${goodResponse(scene)}x`],
  [
    'SAML-ATK-35: a comment in the digest (CVE-2025-29775)',
    'xml',
    (scene) => inside(goodResponse(scene), 'ds:DigestValue', '<!--x-->'),
  ],
  [
    'SAML-ATK-35: two SignedInfo (CVE-2025-29774)',
    'structure',
    (scene) => {
      const genuine = goodResponse(scene);
      const info = /<ds:SignedInfo>.*<\/ds:SignedInfo>/s.exec(genuine)?.[0] ?? '';
      return genuine.replace(info, `${info}${info}`);
    },
  ],
  [
    'SAML-ATK-37: an entity in the NameID that one reader may know',
    'xml',
    (scene) => goodResponse(scene).replace('>ada</saml:NameID>', '>&nbsp;ada</saml:NameID>'),
  ],
  [
    'SAML-ATK-38: a response of another namespace',
    'structure',
    (scene) =>
      goodResponse(scene).replace(
        'xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"',
        'xmlns:samlp="urn:foreign"',
      ),
  ],
  [
    'SAML-ATK-38: a signed NameID of another namespace',
    'structure',
    (scene) => goodResponse(scene, { nameId: '<f:NameID xmlns:f="urn:foreign">evil</f:NameID>' }),
  ],
  [
    'SAML-ATK-39: a relative namespace',
    'xml',
    (scene) => goodResponse(scene).replace('<samlp:Status>', '<samlp:Status xmlns:x="1">'),
  ],
  [
    'SAML-ATK-39: the digest of nothing',
    'structure',
    (scene) =>
      goodResponse(scene).replace(
        /(<ds:DigestValue>)[^<]*/,
        '$147DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
      ),
  ],
  [
    'SAML-ATK-40: an XSLT transform',
    'algorithm',
    (scene) => goodResponse(scene).replace(enveloped, 'http://www.w3.org/TR/1999/REC-xslt-19991116'),
  ],
  [
    'SAML-ATK-40: three transforms',
    'structure',
    (scene) =>
      goodResponse(scene).replace(
        '<ds:Transforms>',
        `<ds:Transforms><ds:Transform Algorithm="${enveloped}"/>`,
      ),
  ],
  [
    'SAML-ATK-41: an encrypted assertion',
    'encrypted',
    (scene) => wrap(scene, '<saml:EncryptedAssertion><x/></saml:EncryptedAssertion>'),
  ],
  [
    'SAML-ATK-51: 20,000 elements',
    'form|xml',
    (scene) => goodResponse(scene).replace('</samlp:Status>', `${'<a/>'.repeat(20_000)}</samlp:Status>`),
  ],
  [
    'SAML-ATK-51: 10,000 deep',
    'xml',
    (scene) =>
      goodResponse(scene).replace(
        '</samlp:Status>',
        `${'<a>'.repeat(10_000)}${'</a>'.repeat(10_000)}</samlp:Status>`,
      ),
  ],
  [
    'SAML-ATK-51: more than 2,000 values',
    'structure',
    (scene) =>
      wrap(scene, assertionOf(scene, { attributes: attribute('groups', ...Array<string>(2001).fill('g')) })),
  ],
  ['SAML-ATK-57: UTF-16', 'encoding', (scene) => Buffer.from(`\ufeff${goodResponse(scene)}`, 'utf16le')],
  ['SAML-ATK-57: a byte order mark', 'encoding', (scene) => `\ufeff${goodResponse(scene)}`],
  [
    'SAML-ATK-57: UTF-7 by declaration',
    'xml',
    (scene) => `<?xml version="1.0" encoding="UTF-7"?>${goodResponse(scene)}`,
  ],
  ['SAML-ATK-57: a NUL', 'xml', (scene) => goodResponse(scene).replace('>ada<', '>ada\0<')],
];
