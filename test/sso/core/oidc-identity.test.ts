/** Of which organisation an account is, as identity providers say it: Entra's tid, Google's hd. */

import { describe, expect, it } from 'vitest';
import { checkClaims } from '../../../src/sso/core/oidc-identity.ts';
import { Refusal } from '../../../src/sso/core/refusal.ts';

const now = new Date('2026-01-01T12:00:00Z');
const iat = now.getTime() / 1000;
const [ours, theirs] = ['11111111-aaaa-4bbb-8ccc-222222222222', '33333333-aaaa-4bbb-8ccc-444444444444'];
const entra = (tid: string, top = 'com') => `https://login.microsoftonline.${top}/${tid}/v2.0`;

function outcomeOf(claims: Record<string, unknown>, issuer: string, hostedDomain: string | null = null) {
  try {
    checkClaims({ iat, ...claims }, { issuer, hostedDomain, now });
    return 'taken';
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
}

describe('OIDC-ATK-11: Entra', () => {
  it.each([
    ['its own tenant', { tid: ours }, entra(ours), 'taken'],
    ['its own tenant in the US government’s cloud', { tid: ours }, entra(ours, 'us'), 'taken'],
    ['another tenant', { tid: theirs }, entra(ours), 'organisation'],
    ['another tenant in the US government’s cloud', { tid: theirs }, entra(ours, 'us'), 'organisation'],
    ['no tenant', {}, entra(ours), 'organisation'],
    ['several tenants', { tid: [ours, theirs] }, entra(ours), 'organisation'],
  ])('of %s is %s', (_what, claims, issuer, outcome) => {
    expect(outcomeOf(claims, issuer)).toBe(outcome);
  });

  it('is not meant where another provider has a claim of that name', () => {
    expect(outcomeOf({ tid: theirs }, 'https://idp.example/v2.0')).toBe('taken');
  });
});

describe('OIDC-ATK-12: Google Workspace', () => {
  it.each([
    ['its own domain', { hd: 'acme.example' }, 'taken'],
    ['another domain', { hd: 'evil.example' }, 'organisation'],
    ['an account of nobody’s', {}, 'organisation'],
  ])('of %s', (_what, claims, outcome) => {
    expect(outcomeOf(claims, 'https://accounts.google.com', 'acme.example')).toBe(outcome);
  });
});
