/** Whom claims lead to: the order in which single sign-on and SCIM come to be one user, and what leads to nobody. */

import { describe, expect, it } from 'vitest';
import type { UserId } from '../../../src/kernel/ids.ts';
import { converge, type Matches } from '../../../src/sso/core/convergence.ts';
import type { ExternalIdentity } from '../../../src/sso/core/identity.ts';
import { oidcIdentityOf } from '../../../src/sso/core/oidc-identity.ts';
import { Refusal, type RefusalReason } from '../../../src/sso/core/refusal.ts';

const [a, b] = ['a', 'b'] as UserId[] as [UserId, UserId];
const nobody: Matches = {
  ...{ linked: null, byExternalId: null, byUserName: null, byEmail: [], byUserNameAsAddress: [] },
  ...{ served: ['example.com'], servedElsewhere: [], removed: null },
};
const ada: ExternalIdentity = {
  ...{ subject: 's', externalId: undefined, userName: 'ada@example.com', email: 'ada@example.com' },
  ...{
    emailVerified: true,
    userNameVerified: true,
    givenName: undefined,
    familyName: undefined,
    displayName: undefined,
  },
};

function outcomeOf(matches: Partial<Matches>, claims: Partial<ExternalIdentity> = {}, create = true): string {
  try {
    const found = converge({ ...ada, ...claims }, { ...nobody, ...matches }, { create });
    return found.kind === 'create' ? 'create' : `${found.isNew ? 'links' : 'is'} ${found.userId}`;
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
}

describe('the order', () => {
  it.each<[string, Partial<Matches>, string]>([
    ['the link, whatever the rest', { linked: a, byUserName: b, byEmail: [b] }, 'is a'],
    ['the link and the externalId agree', { linked: a, byExternalId: a }, 'is a'],
    ['the link and the externalId differ', { linked: a, byExternalId: b }, 'clash'],
    ['the externalId', { byExternalId: a }, 'links a'],
    [
      'the externalId, whoever has the name where nothing is proved',
      { byExternalId: a, byUserName: b, served: [] },
      'links a',
    ],
    ['the externalId and the userName differ', { byExternalId: a, byUserName: b }, 'clash'],
    ['the userName below a served domain', { byUserName: a }, 'links a'],
    ['the address below a served domain', { byEmail: [a] }, 'links a'],
    ['userName and address agree', { byUserName: a, byEmail: [a] }, 'links a'],
    ['userName and address differ', { byUserName: a, byEmail: [b] }, 'clash'],
    ['an address of two users', { byEmail: [a, b] }, 'unproved'],
    ['only the userName as another’s address', { byUserNameAsAddress: [a] }, 'unproved'],
    ['nobody', {}, 'create'],
    ['nobody, below a domain that others serve, too', { servedElsewhere: ['example.com'] }, 'create'],
    [
      'nobody, below a domain that others serve alone',
      { served: [], servedElsewhere: ['example.com'] },
      'foreign_domain',
    ],
    ['somebody who was removed', { removed: a }, 'removed'],
    ['who was removed and pushed again', { removed: a, byUserName: b }, 'links b'],
  ])('%s', (_what, matches, expected) => {
    expect(outcomeOf(matches)).toBe(expected);
  });

  it('makes nobody where that is off, and says first who is alike', () => {
    expect(outcomeOf({}, {}, false)).toBe('not_provisioned' satisfies RefusalReason);
    expect(outcomeOf({ byUserName: a, served: [] }, {}, false)).toBe('unproved');
    expect(outcomeOf({ removed: a }, {}, false)).toBe('removed');
  });
});

/** A user is there whom the claims would be; only a proof may link. */
const alike = { byUserName: a, byEmail: [a] };

describe('an unverified or foreign-domain e-mail never links', () => {
  it.each<[string, Partial<Matches>, Partial<ExternalIdentity>]>([
    ['OIDC-ATK-12: no domain of the tenant is verified', { served: [] }, {}],
    ['OIDC-ATK-12: a domain that the connection does not serve', { served: ['example.org'] }, {}],
    ['OIDC-ATK-13: a subdomain', {}, { userName: 'ada@mail.example.com', email: 'ada@mail.example.com' }],
    [
      'OIDC-ATK-13: a domain that begins like it',
      {},
      { userName: 'ada@example.com.evil.net', email: undefined },
    ],
    ['OIDC-ATK-13: a domain that ends like it', {}, { userName: 'ada@evilexample.com', email: undefined }],
    ['OIDC-ATK-13: two @', {}, { userName: 'ada@evil.net@example.com', email: 'ada@evil.net@example.com' }],
    ['OIDC-ATK-13: a wide letter in the domain', {}, { userName: 'ada@\uff45xample.com', email: undefined }],
    ['OIDC-ATK-13: a soft hyphen in the domain', {}, { userName: 'ada@exam\u00adple.com', email: undefined }],
    [
      'OIDC-ATK-13: a Cyrillic letter in the domain',
      {},
      { userName: 'ada@ex\u0430mple.com', email: undefined },
    ],
    [
      'OIDC-ATK-13: a letter whose lower case is of ASCII',
      {},
      { userName: '\u212aate@example.com', email: '\u212aate@example.com' },
    ],
    ['OIDC-ATK-13: a space', {}, { userName: 'ada@example.com ', email: ' ada@example.com ' }],
    ['no address at all', {}, { userName: 'ada', email: undefined }],
    ['a guest at Entra', {}, { userName: 'ada_partner.com#EXT#@example.com' }],
    ['a guest at Entra, in lower case', {}, { userName: 'ada_partner.com#ext#@example.com' }],
  ])('%s', (_what, matches, claims) => {
    expect(outcomeOf({ ...alike, ...matches }, claims)).toBe('unproved');
  });

  it.each([
    ['email_verified is false', { email_verified: false }],
    ['email_verified is absent', {}],
    ['and the userName is the same address, in another case', { preferred_username: 'ADA@Example.com' }],
  ])('OIDC-ATK-13: %s', (_what, said) => {
    const claims = { sub: 's', email: 'ada@example.com', preferred_username: 'ada@example.com', ...said };
    const identity = oidcIdentityOf(claims, {}, 'https://idp.example');
    expect(outcomeOf(alike, identity)).toBe('unproved');
    expect(
      outcomeOf(alike, oidcIdentityOf({ ...claims, email_verified: true }, {}, 'https://idp.example')),
    ).toBe('links a');
  });

  it('and does so with the domain in the other of its forms, or in capitals', () => {
    const bothForms = { ...alike, served: ['xn--bcher-kva.example'] };
    expect(outcomeOf(bothForms, { userName: 'ada@bücher.example', email: undefined })).toBe('links a');
    expect(outcomeOf(alike, { userName: 'ADA@EXAMPLE.COM', email: undefined })).toBe('links a');
  });

  it('nor does the verified userName of one user carry another’s unverified address', () => {
    const two = { byUserName: a, byEmail: [b] };
    expect(
      outcomeOf(two, { emailVerified: false, userName: 'ada@example.com', email: 'b@example.com' }),
    ).toBe('links a');
  });

  it('a guest is who the externalId says', () => {
    const guest = { userName: 'ada_partner.com#EXT#@acme.onmicrosoft.com', email: 'ada@partner.com' };
    expect(outcomeOf({ ...alike, byExternalId: a }, guest)).toBe('links a');
  });
});
