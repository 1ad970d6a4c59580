/** What of refreshed metadata waits for an admin (SAML-ATK-55), case by case. */

import { describe, expect, it } from 'vitest';
import type { SamlSettings } from '../../src/sso/connection.ts';
import type { IdentityProvider } from '../../src/sso/core/metadata.ts';
import { isToConfirm } from '../../src/sso/metadata-refresh.ts';

const before: IdentityProvider = {
  ...{ entityId: 'urn:idp', ssoUrl: 'https://idp.example/sso', ssoPostUrl: null },
  ...{ logoutUrl: 'https://out.example/slo', logoutPostUrl: null, certificates: ['one'] },
};
const settings: SamlSettings = {
  ...{ ...before, wantAssertionsSigned: true, wantResponseSigned: false, signRequests: false },
  ...{ preferPost: false, nameIdFormat: null, forceAuthn: false, authnContexts: [] },
  ...{ allowSha1: false, allowCbc: false, allowIdpInitiated: false },
};
type Case = [what: string, change: Partial<IdentityProvider>, of?: Partial<SamlSettings>];
const waits = ([, change, of = {}]: Case, url = 'https://idp.example/metadata') =>
  isToConfirm(url, { ...settings, ...of }, { ...before, ...of, ...change });

describe('is taken:', () => {
  it.each<Case>([
    ['nothing', {}],
    ['another certificate', { certificates: ['two'] }],
    ['another path of single logout', { logoutUrl: 'https://out.example/other' }],
    ['single logout where people sign in', { logoutUrl: 'https://idp.example/slo' }],
    ['single logout by the other binding', { logoutUrl: null, logoutPostUrl: 'https://out.example/post' }],
    ['no single logout', { logoutUrl: null }],
    ['an address for signing in that is not used', { ssoPostUrl: 'https://evil.example/' }],
    ['an address for signing out that is not used', { logoutPostUrl: 'https://evil.example/' }],
  ])('%s', (...one) => {
    expect(waits(one)).toBe(false);
  });
});

describe('waits:', () => {
  const post = { ssoPostUrl: 'https://idp.example/post' };
  it.each<Case>([
    ['another entityID', { entityId: 'urn:other' }],
    ['another path for signing in', { ssoUrl: 'https://idp.example/other' }],
    ['signing in by the other binding', { ssoUrl: null, ...post }],
    ['signing in by HTTP-Redirect after all', { ssoUrl: 'https://evil.example/' }, { ssoUrl: null, ...post }],
    ['HTTP-POST where that is preferred', post, { preferPost: true }],
    ['another address that is known and not used', { ssoPostUrl: 'https://evil.example/' }, post],
    ['single logout at another host', { logoutUrl: 'https://evil.example/slo' }],
    ['single logout at another port', { logoutUrl: 'https://out.example:8443/slo' }],
    ['single logout without TLS', { logoutUrl: 'http://out.example/slo' }],
    [
      'single logout by HTTP-POST at another host',
      { logoutUrl: null, logoutPostUrl: 'https://evil.example/' },
    ],
    [
      'single logout at the origin of an address that is not used',
      { logoutUrl: 'https://evil.example/slo' },
      { ssoPostUrl: 'https://evil.example/', logoutPostUrl: 'https://evil.example/' },
    ],
  ])('%s', (...one) => {
    expect(waits(one)).toBe(true);
  });

  it('whatever it is, over http', () => {
    for (const change of [{ certificates: ['two'] }, { logoutUrl: null }]) {
      expect(waits(['', change], 'http://idp.example/metadata')).toBe(true);
    }
  });
});
