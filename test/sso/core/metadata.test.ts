/** Which identity provider's metadata can be used, and that ours can be read. */

import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/kernel/limits.ts';
import { readMetadata, readPublished, writeMetadata } from '../../../src/sso/core/metadata.ts';
import { readXml } from '../../../src/sso/core/xml.ts';
import { metadataOf } from '../identity-provider.ts';

const good = metadataOf('urn:idp', 'https://idp.example/sso', 'one', 'two', 'one');

it('reads who it is, where it is, and its certificates, each once', () => {
  expect(readMetadata(good)).toEqual({
    entityId: 'urn:idp',
    ssoUrl: 'https://idp.example/sso',
    ssoPostUrl: null,
    logoutUrl: null,
    logoutPostUrl: null,
    certificates: ['one', 'two'],
  });
});

it('reads where it takes messages by HTTP-POST', () => {
  const service = (name: string, binding: string, location: string) =>
    `<md:${name} Binding="urn:oasis:names:tc:SAML:2.0:bindings:${binding}" Location="https://idp.example/${location}"/>`;
  const posting =
    service('SingleLogoutService', 'HTTP-POST', 'slo') + service('SingleSignOnService', 'HTTP-POST', 'post');
  const both = good.replace('<md:SingleSignOnService', `${posting}<md:SingleSignOnService`);
  const addresses = { ssoPostUrl: 'https://idp.example/post', logoutPostUrl: 'https://idp.example/slo' };
  expect(readMetadata(both)).toMatchObject({
    ...addresses,
    ssoUrl: 'https://idp.example/sso',
    logoutUrl: null,
  });
  const alone = both.replace('HTTP-Redirect', 'HTTP-Artifact');
  expect(readMetadata(alone)).toMatchObject({ ...addresses, ssoUrl: null });
});

function federation(...entities: string[]): string {
  const bodies = entities.map((entity) => entity.replace('<?xml version="1.0"?>', '')).join('');
  return `<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">${bodies}</EntitiesDescriptor>`;
}

it('reads the one identity provider of a federation', () => {
  expect(readMetadata(federation(good)).entityId).toBe('urn:idp');
});

describe('fetched metadata', () => {
  const now = new Date('2026-06-01T00:00:00Z');
  const read = (attributes: string) => readPublished(good.replace('entityID', `${attributes} entityID`), now);

  it.each([
    ['', null, null],
    ['validUntil="2026-06-02T00:00:00Z"', '2026-06-02T00:00:00.000Z', null],
    ['cacheDuration="PT6H"', null, 21_600],
    ['cacheDuration="P1DT1M1.5S"', null, 86_461],
  ])('%s says how long it is good', (attributes, validUntil, cacheSeconds) => {
    expect(read(attributes)).toMatchObject({
      cacheSeconds,
      validUntil: validUntil === null ? null : new Date(validUntil),
    });
  });

  it.each(['validUntil="2026-06-01T00:00:00Z"', 'validUntil="tomorrow"', 'cacheDuration="6 hours"'])(
    '%s is refused',
    (attributes) => {
      expect(() => read(attributes)).toThrow(
        expect.objectContaining({ code: 'invalid', field: 'metadataUrl' }),
      );
    },
  );
});

it('takes no certificate that is for encryption', () => {
  const mixed = good.replace('use="signing"', 'use="encryption"');
  expect(readMetadata(mixed).certificates).toEqual(['two', 'one']);
});

it('leaves out comments between elements, as Shibboleth’s own metadata has them', () => {
  const commented = good
    .replace(
      '<md:Ent',
      '\n<!--\n  This is example metadata only. Do *NOT* supply it <b>as is</b> & "so".\n-->\n<md:Ent',
    )
    .replace(
      '<md:KeyDescriptor',
      '<!-- First is BackChannel, the Second is FrontChannel - -><md:KeyDescriptor use="x"/> --><md:KeyDescriptor',
    )
    .replace('<md:SingleSignOnService', '<!----><md:SingleSignOnService')
    .replace(/$/, '\n<!-- the end -->\n');
  expect(readMetadata(commented)).toEqual(readMetadata(good));
});

it('takes no longer for a long comment, or many', () => {
  const long = `<!--${'- '.repeat(250_000)}-->${'<!-- -->'.repeat(50_000)}`;
  const began = performance.now();
  expect(readMetadata(good.replace('<md:KeyDescriptor', `${long}<md:KeyDescriptor`))).toEqual(
    readMetadata(good),
  );
  expect(performance.now() - began).toBeLessThan(1000);
});

describe('refuses, naming the field,', () => {
  const comment = '<!-- -->';
  it.each([
    ['a comment within a certificate', good.replace('>one<', `>o${comment}ne<`)],
    ['a comment before a certificate', good.replace('>one<', `>${comment}one<`)],
    ['a comment behind a certificate', good.replace('>one<', `>one${comment}<`)],
    ['a comment within an entityID', good.replace('urn:idp', `urn:${comment}idp`)],
    ['a comment within an address', good.replace('/sso"', `/${comment}sso"`)],
    ['a comment within a tag', good.replace('<md:IDPSSODescriptor ', `<md:IDPSSODescriptor ${comment}`)],
    ['a comment with two hyphens', good.replace('<md:KeyDescriptor', '<!-- a -- b --><md:KeyDescriptor')],
    ['a comment that ends with three', good.replace('<md:KeyDescriptor', '<!-- a ---><md:KeyDescriptor')],
    ['a comment without an end', good.replace('<md:KeyDescriptor', '<!-- <md:KeyDescriptor')],
    ['a CDATA section', good.replace('>one<', '><![CDATA[one]]><')],
    ['a processing instruction', good.replace('<md:KeyDescriptor', '<?x?><md:KeyDescriptor')],
    ['what is no XML', 'x'],
    ['a document type', `<!DOCTYPE x>${good}`],
    ['an entity within none', good.replaceAll('EntityDescriptor', 'EntitiesDescriptor')],
    ['several entities', federation(good, good)],
    ['another namespace', good.replaceAll('SAML:2.0:metadata', 'SAML:1.0:metadata')],
    ['a service provider', good.replaceAll('IDPSSODescriptor', 'SPSSODescriptor')],
    ['another protocol', good.replace('SAML:2.0:protocol', 'SAML:1.1:protocol')],
    ['no entityID', good.replace('entityID="urn:idp"', '')],
    ['neither binding', good.replace('HTTP-Redirect', 'HTTP-Artifact')],
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
      logoutUrl: 'https://a.example/slo',
      acsUrl: 'https://a.example/acs',
      keys: [{ use: 'signing', certificate: 'abc' }],
    },
    ...{ signsRequests: true, wantAssertionsSigned: true, nameIdFormat: null },
  });
  const root = readXml(xml, { elementsMax: 20, depthMax: 8 });
  expect(root.attributes.get('entityID')).toBe('https://a.example/?a&b"<');
  expect(root.children[0]?.children.map(({ name }) => name)).toEqual([
    'KeyDescriptor',
    'SingleLogoutService',
    'SingleLogoutService',
    'NameIDFormat',
    'AssertionConsumerService',
  ]);
});
