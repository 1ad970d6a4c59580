/** Whom claims lead to: the order in which single sign-on and SCIM come to be one user, and what leads to nobody. */

import { describe, expect, it } from 'vitest';
import type { UserId } from '../../../src/kernel/ids.ts';
import { converge, identityOf, type Matches, newUser } from '../../../src/sso/core/identity.ts';
import { Refusal, type RefusalReason } from '../../../src/sso/core/refusal.ts';
import { persistentFormat, transientFormat } from '../../../src/sso/core/urns.ts';

const [a, b] = ['a', 'b'] as UserId[] as [UserId, UserId];
const nobody: Matches = { linked: null, byExternalId: null, byUserName: null, byAddress: [] };
const reasonOf = (work: () => unknown): RefusalReason | undefined => {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
  return undefined;
};

describe('converge', () => {
  it.each([
    [
      'the link, whatever the rest',
      { linked: a, byUserName: b, byAddress: [b] },
      { kind: 'user', userId: a, isNew: false },
    ],
    [
      'the link and the externalId agree',
      { linked: a, byExternalId: a },
      { kind: 'user', userId: a, isNew: false },
    ],
    ['the externalId', { byExternalId: a, byUserName: b }, { kind: 'user', userId: a, isNew: true }],
    ['nobody', {}, { kind: 'create' }],
  ])('%s', (_what, matches, expected) => {
    expect(converge({ ...nobody, ...matches }, { create: true })).toEqual(expected);
  });

  it.each<[string, Partial<Matches>, boolean, RefusalReason]>([
    ['the link is one user and the externalId another', { linked: a, byExternalId: b }, true, 'clash'],
    ['only the userName', { byUserName: a }, true, 'unproved'],
    ['only the address', { byAddress: [a] }, true, 'unproved'],
    ['only the userName, where nobody is made', { byUserName: a }, false, 'unproved'],
    ['nobody, where nobody is made', {}, false, 'not_provisioned'],
  ])('refuses: %s', (_what, matches, create, reason) => {
    expect(reasonOf(() => converge({ ...nobody, ...matches }, { create }))).toBe(reason);
  });
});

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
