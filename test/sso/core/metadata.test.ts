/** Which identity provider's metadata can be used, and that ours can be read. */

import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/kernel/limits.ts';
import { readMetadata, writeMetadata } from '../../../src/sso/core/metadata.ts';
import { readXml } from '../../../src/sso/core/xml.ts';
import { metadataOf } from '../identity-provider.ts';

const good = metadataOf('urn:idp', 'https://idp.example/sso', 'one', 'two', 'one');

it('reads who it is, where it is, and its certificates, each once', () => {
  expect(readMetadata(good)).toEqual({
    entityId: 'urn:idp',
    ssoUrl: 'https://idp.example/sso',
    certificates: ['one', 'two'],
  });
});

it('takes no certificate that is for encryption', () => {
  const mixed = good.replace('use="signing"', 'use="encryption"');
  expect(readMetadata(mixed).certificates).toEqual(['two', 'one']);
});

describe('refuses, naming the field,', () => {
  it.each([
    ['what is no XML', 'x'],
    ['a document type', `<!DOCTYPE x>${good}`],
    ['several entities', good.replaceAll('EntityDescriptor', 'EntitiesDescriptor')],
    ['another namespace', good.replaceAll('SAML:2.0:metadata', 'SAML:1.0:metadata')],
    ['a service provider', good.replaceAll('IDPSSODescriptor', 'SPSSODescriptor')],
    ['another protocol', good.replace('SAML:2.0:protocol', 'SAML:1.1:protocol')],
    ['no entityID', good.replace('entityID="urn:idp"', '')],
    ['no redirect binding', good.replace('HTTP-Redirect', 'HTTP-POST')],
    ['a location that is a script', good.replace('https://idp.example/sso', 'javascript:alert(1)')],
    ['no certificate', metadataOf('urn:idp', 'https://idp.example/')],
    ['too many certificates', metadataOf('urn:idp', 'https://idp.example/', ...'abcdef')],
    ['too many elements', good.replace('</md:Ent', `${'<x/>'.repeat(limits.samlElementsMax)}</md:Ent`)],
    ['what is too deep', good.replace('</md:Ent', `${'<x>'.repeat(40)}${'</x>'.repeat(40)}</md:Ent`)],
  ])('%s', (_what, text) => {
    const refusal = expect.objectContaining({ code: 'invalid', field: 'metadataXml' });
    expect(() => readMetadata(text)).toThrow(refusal);
  });
});

it('writes ours so that nothing in it breaks out', () => {
  const xml = writeMetadata({
    ...{
      entityId: 'https://a.example/?a&b"<',
      acsUrl: 'https://a.example/acs',
      keys: [{ use: 'signing', certificate: 'abc' }],
    },
    ...{ signsRequests: true, wantAssertionsSigned: true, nameIdFormat: null },
  });
  const root = readXml(xml, { elementsMax: 20, depthMax: 8 });
  expect(root.attributes.get('entityID')).toBe('https://a.example/?a&b"<');
  expect(root.children[0]?.children.map(({ name }) => name)).toEqual([
    'KeyDescriptor',
    'NameIDFormat',
    'AssertionConsumerService',
  ]);
});
