/** Well-formed responses that must not be believed: keys, audiences, times, subjects. Each with the reasons that may be told. */

import { assertionOf, attribute, goodResponse, type Scene, sign, signedResponse, wrap } from './forge.ts';

const stranger = 'http://127.0.0.1:1/elsewhere/acs';
const hour = 3_600_000;
const sha1 = {
  signature: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1',
  digest: 'http://www.w3.org/2000/09/xmldsig#sha1',
};

export const hostileClaims: [name: string, reasons: string, forge: (scene: Scene) => string | Buffer][] = [
  ['SAML-ATK-12: no signature', 'signature', (scene) => wrap(scene, assertionOf(scene))],
  ['SAML-ATK-13: the response is signed, the assertion should be', 'signature', signedResponse],
  ['SAML-ATK-16: for another audience', 'audience', (scene) => goodResponse(scene, { audience: stranger })],
  [
    'SAML-ATK-16: for no audience',
    'audience|structure',
    (scene) =>
      goodResponse(scene, {
        conditions: `<saml:Conditions NotBefore="${new Date(Date.now() - hour).toISOString()}" NotOnOrAfter="${new Date(Date.now() + hour).toISOString()}"/>`,
      }),
  ],
  [
    'SAML-ATK-16: without conditions',
    'structure|audience',
    (scene) => goodResponse(scene, { conditions: '' }),
  ],
  [
    'SAML-ATK-17: for another recipient',
    'confirmation',
    (scene) => goodResponse(scene, { recipient: stranger }),
  ],
  [
    'SAML-ATK-18: for another destination',
    'destination',
    (scene) => goodResponse(scene, { destination: `Destination="${stranger}"` }),
  ],
  ['SAML-ATK-19: too late', 'time', (scene) => goodResponse(scene, { validFor: -2 * 60_000 })],
  ['SAML-ATK-19: too early', 'time', (scene) => goodResponse(scene, { validFrom: 2 * 60_000 })],
  [
    'SAML-ATK-20: without times',
    'time',
    (scene) =>
      goodResponse(scene, {
        conditions: `<saml:Conditions><saml:AudienceRestriction><saml:Audience>${scene.audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>`,
      }),
  ],
  ['SAML-ATK-20: good for ever', 'time', (scene) => goodResponse(scene, { validFor: 1000 * 24 * hour })],
  ['SAML-ATK-21: confirmed too late', 'time', (scene) => goodResponse(scene, { confirmedFor: -2 * 60_000 })],
  ['SAML-ATK-22: no confirmation', 'structure', (scene) => goodResponse(scene, { confirmation: 'none' })],
  [
    'SAML-ATK-22: sender vouches',
    'confirmation',
    (scene) =>
      goodResponse(scene, {
        confirmation: `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"><saml:SubjectConfirmationData Recipient="${scene.acsUrl}" NotOnOrAfter="${new Date(Date.now() + hour).toISOString()}" InResponseTo="${scene.requestId}"/></saml:SubjectConfirmation>`,
      }),
  ],
  [
    'SAML-ATK-24: an unsolicited assertion in a response that answers',
    'in_response_to',
    (scene) =>
      goodResponse(scene, {
        confirmation: `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData Recipient="${scene.acsUrl}" NotOnOrAfter="${new Date(Date.now() + hour).toISOString()}"/></saml:SubjectConfirmation>`,
      }),
  ],
  [
    'SAML-ATK-25: an answer to another request, in a response that answers none',
    'in_response_to',
    (scene) => goodResponse(scene, { responseInResponseTo: '', inResponseTo: '_other' }),
  ],
  [
    'SAML-ATK-26: an answer to an unknown request',
    'in_response_to',
    (scene) => goodResponse(scene, { responseInResponseTo: 'InResponseTo="_x"', inResponseTo: '_x' }),
  ],
  [
    'SAML-ATK-27: response and assertion answer different requests',
    'in_response_to',
    (scene) => goodResponse(scene, { inResponseTo: '_other' }),
  ],
  [
    'SAML-ATK-28: another issuer with the same key',
    'issuer',
    (scene) => goodResponse(scene, { issuer: 'urn:other' }),
  ],
  [
    'SAML-ATK-28: another issuer of the response',
    'issuer',
    (scene) => goodResponse(scene, { responseIssuer: 'urn:other' }),
  ],
  ['SAML-ATK-30: RSA-SHA1', 'algorithm', (scene) => goodResponse(scene, {}, sha1)],
  [
    'SAML-ATK-31: RSA-MD5 by name',
    'algorithm',
    (scene) => goodResponse(scene).replace('xmldsig-more#rsa-sha256', 'xmldsig-more#rsa-md5'),
  ],
  [
    'SAML-ATK-31: HMAC by name',
    'algorithm',
    (scene) =>
      goodResponse(scene).replace(
        'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
        'http://www.w3.org/2000/09/xmldsig#hmac-sha1',
      ),
  ],
  [
    'SAML-ATK-32: a stranger’s key, with the certificate',
    'signature',
    (scene) => wrap(scene, sign(assertionOf(scene), scene.strangers)),
  ],
  [
    'SAML-ATK-36: what is not signed is changed',
    'signature',
    (scene) => goodResponse(scene).replace('>ada</saml:NameID>', '>evil</saml:NameID>'),
  ],
  [
    'SAML-ATK-43: a status that is no success, with an assertion',
    'status',
    (scene) =>
      goodResponse(scene, {
        status: '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Requester"/>',
      }),
  ],
  ['SAML-ATK-43: version 1.1', 'structure', (scene) => goodResponse(scene, { version: '1.1' })],
  [
    'SAML-ATK-44: an attribute nameID in the place of the NameID',
    'subject|structure',
    (scene) => goodResponse(scene, { nameId: '', attributes: attribute('nameID', 'evil') }),
  ],
  [
    'SAML-ATK-44: an attribute __proto__',
    'claim|structure',
    (scene) => goodResponse(scene, { subject: 'new', attributes: attribute('__proto__', 'userName') }),
  ],
  [
    'SAML-ATK-45: an attribute twice',
    'claim',
    (scene) => goodResponse(scene, { attributes: attribute('userName', 'a') + attribute('userName', 'b') }),
  ],
  [
    'SAML-ATK-45: two values where there is to be one',
    'claim',
    (scene) => goodResponse(scene, { attributes: attribute('userName', 'a', 'b') }),
  ],
  [
    'a transient NameID, which stays with nobody',
    'subject',
    (scene) =>
      goodResponse(scene, {
        nameId: '<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient">x</saml:NameID>',
      }),
  ],
];
