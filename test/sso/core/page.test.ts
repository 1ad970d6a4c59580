/** What a person is told of roles and of Blue, in words. */

import { describe, expect, it } from 'vitest';
import { blueLinkOf } from '../../../src/sso/core/blue-link.ts';
import { type Person, personPage } from '../../../src/sso/core/page.ts';

const person: Person = {
  ...{ name: 'Ada', userName: 'ada', organisation: 'Acme', blue: 'invited', onward: undefined },
  roles: ['team_member', 'custom:R&D <lead>'],
  seat: { state: 'held', position: null, since: null, reason: 'in use' },
};

describe('the page of who is signed in', () => {
  it('calls roles by words, and those of a workspace by their own name', () => {
    expect(personPage('en', person)).toContain('You have access as: team member, R&#38;D &#60;lead&#62;.');
    expect(personPage('nl', person)).toContain('Je hebt toegang als: teamlid, R&#38;D &#60;lead&#62;.');
  });

  it('says how far that has come in Blue', () => {
    expect(personPage('en', person)).toContain('<dt>Blue</dt><dd>Blue has sent an invitation');
    expect(personPage('nl', { ...person, blue: 'active' })).toContain('Je kunt in Blue werken.');
  });

  it('leads on below the origin of Blue alone', () => {
    const link = (of: Partial<Parameters<typeof blueLinkOf>[1]>) =>
      blueLinkOf('https://blue.app', { state: 'invited', address: 'a+b@x.nl', invitationId: '/&x', ...of });
    const accept = {
      kind: 'accept',
      url: 'https://blue.app/accept-invitation?id=%2F%26x&email=a%2Bb%40x.nl',
    };
    expect(link({})).toEqual(accept);
    expect(link({ state: 'active' })).toEqual({ kind: 'open', url: 'https://blue.app/' });
    for (const none of [{ invitationId: undefined }, { address: null }, { state: 'refused' as const }]) {
      expect(link(none)).toBeUndefined();
    }
  });

  it.each<Partial<Person>>([{ blue: 'none' }, { blue: 'removed', roles: [] }])(
    'says nothing of Blue where nothing is on its way: %o',
    (change) => {
      expect(personPage('en', { ...person, ...change })).not.toContain('<dt>Blue</dt>');
    },
  );
});
