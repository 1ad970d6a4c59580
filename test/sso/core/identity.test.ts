/** Who somebody is by an identity provider's word, and what a new user has of it. */

import { describe, expect, it } from 'vitest';
import { identityOf, newUser } from '../../../src/sso/core/identity.ts';
import { Refusal, type RefusalReason } from '../../../src/sso/core/refusal.ts';
import { persistentFormat, transientFormat } from '../../../src/sso/core/urns.ts';

const reasonOf = (work: () => unknown): RefusalReason | undefined => {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
  return undefined;
};

describe('the subject', () => {
  const parties = { idp: 'urn:idp', sp: 'urn:sp' };
  const nameId = { value: 'X', format: persistentFormat, nameQualifier: null, spNameQualifier: null };
  const none = new Map<string, string[]>();
  const subjectOf = (change: object, names = {}, attributes = none) =>
    identityOf({ nameId: { ...nameId, ...change }, attributes }, names, parties).subject;

  it('is a persistent NameID, qualified by who named it for whom', () => {
    expect(subjectOf({})).toBe(subjectOf({ nameQualifier: 'urn:idp', spNameQualifier: 'urn:sp' }));
    const others = [{ value: 'x' }, { nameQualifier: 'urn:other' }, { spNameQualifier: 'urn:other' }];
    expect(new Set([{}, ...others].map((change) => subjectOf(change))).size).toBe(4);
  });

  it.each([
    ['transient', { format: transientFormat }],
    ['an address', { format: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress' }],
    ['of no format', { format: null }],
    ['empty', { value: '' }],
    ['too long', { value: 'x'.repeat(257) }],
  ])('is no NameID that is %s', (_what, change) => {
    expect(reasonOf(() => subjectOf(change))).toBe('subject');
  });

  it('is the attribute that was chosen, with one value', () => {
    const names = { subject: 'oid' };
    expect(subjectOf({ format: transientFormat }, names, new Map([['oid', ['1']]]))).toBe('["1","urn:idp"]');
    expect(reasonOf(() => subjectOf({}, names))).toBe('subject');
    expect(reasonOf(() => subjectOf({}, names, new Map([['oid', ['1', '2']]])))).toBe('claim');
  });
});

describe('a new user', () => {
  const empty = {
    subject: 's',
    externalId: undefined,
    email: undefined,
    emailVerified: true,
    userNameVerified: true,
    givenName: undefined,
    familyName: undefined,
  };
  it('has what the claims say, and nothing else', () => {
    expect(newUser({ ...empty, userName: 'u', displayName: undefined })).toEqual({
      userName: 'u',
      active: true,
    });
    const all = { ...empty, userName: 'u', displayName: 'D', email: 'e@x', givenName: 'G', familyName: 'F' };
    expect(newUser(all)).toEqual({
      ...{ userName: 'u', active: true, displayName: 'D', name: { givenName: 'G', familyName: 'F' } },
      emails: [{ value: 'e@x', type: 'work', primary: true }],
    });
  });

  it('needs a userName', () => {
    expect(reasonOf(() => newUser({ ...empty, userName: undefined, displayName: 'D' }))).toBe('claim');
  });
});
