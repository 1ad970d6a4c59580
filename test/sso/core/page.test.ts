/** What a person is told of roles and of Blue, in words. */

import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/kernel/limits.ts';
import { blueLinkOf, type StandingInBlue, straightTo } from '../../../src/sso/core/blue-link.ts';
import { type Person, personPage } from '../../../src/sso/core/page.ts';

const person: Person = {
  ...{ name: 'Ada', userName: 'ada', organisation: 'Acme', blue: 'invited', onward: undefined },
  roles: ['team_member', 'custom:R&D <lead>'],
  seat: { state: 'held', position: null, since: null, reason: 'in use' },
};

const link = (of: Partial<StandingInBlue>) =>
  blueLinkOf('https://blue.app', {
    ...{ state: 'invited', address: 'a+b@x.nl', invitationId: '/&x', own: undefined },
    ...of,
  });
const within = (names: string[]) => {
  const workspaces = names.map((name) => ({ name, slug: name.toLowerCase() }));
  return link({ state: 'active', own: { organization: 'acme', workspaces } });
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

  it('leads into the workspace, or to a choice of several by name', () => {
    const at = 'https://blue.app/org/acme';
    expect(within([])).toEqual({ kind: 'open', url: at });
    const one = within(['R&D']);
    expect(one).toEqual({ kind: 'workspace', name: 'R&D', url: `${at}/workspace/r%26d` });
    expect(straightTo(one)).toBe(`${at}/workspace/r%26d`);
    expect(personPage('nl', { ...person, onward: one })).toContain(
      `<a class="button" href="${at}/workspace/r%26d">R&#38;D in Blue openen</a>`,
    );
    const several = within(['Team 10', 'Énergie', 'Team 2', 'Finance', '../<b>']);
    expect(straightTo(several)).toBeUndefined();
    const shown = personPage('en', { ...person, onward: several });
    expect([...shown.matchAll(/<li><a href="([^"]+)">([^<]+)/g)].map(([, url, name]) => [name, url])).toEqual(
      [
        ['../&#60;b&#62;', `${at}/workspace/..%2F%3Cb%3E`],
        ['Énergie', `${at}/workspace/%C3%A9nergie`],
        ['Finance', `${at}/workspace/finance`],
        ['Team 2', `${at}/workspace/team%202`],
        ['Team 10', `${at}/workspace/team%2010`],
      ],
    );
    expect(shown).toContain(`<a class="button" href="${at}">Open Blue</a>`);
    expect(shown).not.toContain('more in Blue');
  });

  it('lists no more workspaces than a page holds, and says how many there are besides', () => {
    const many = within(Array.from({ length: limits.workspaceLinksMax + 3 }, (_, at) => `W${at}`));
    const shown = personPage('nl', { ...person, onward: many });
    expect(shown.match(/<li>/g)).toHaveLength(limits.workspaceLinksMax);
    expect(shown).toContain('In Blue vind je er nog 3.');
  });
});
