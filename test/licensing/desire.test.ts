/** Step A and its words: the catalogue, which workspaces a mapping means, and what memberships ask for. */

import { describe, expect, it } from 'vitest';
import { fallbackRoles, firstCatalogue } from '../../src/licensing/catalogue.ts';
import { desire, nothing, type Person } from '../../src/licensing/desire.ts';
import { type Rules, workspacesOf } from '../../src/licensing/mapping.ts';
import { mapping, person, rules } from './support.ts';

const { find: findRole, roleOf } = firstCatalogue;

describe('catalogue', () => {
  it.each([
    ['project_administrator', 'paid', 'ADMIN'],
    ['team_member', 'paid', 'MEMBER'],
    ['client', 'free', 'CLIENT'],
    ['comment_only', 'free', 'COMMENT_ONLY'],
    ['view_only', 'free', 'VIEW_ONLY'],
  ])('%s is %s and %s in Blue', (key, billing, level) => {
    expect(findRole(key)).toMatchObject({ key, billing, level });
  });

  it('knows a custom role as a paid member with a name', () => {
    const expected = { billing: 'paid', level: 'MEMBER', customRole: 'Reviewer' };
    expect(findRole('custom:Reviewer')).toMatchObject(expected);
    expect(findRole('custom: Reviewer ')).toMatchObject(expected);
  });

  it.each(['', 'owner', 'Team_Member', 'custom:', 'custom:  ', 'constructor'])('has no role %j', (key) => {
    expect(findRole(key)).toBeUndefined();
    expect(() => roleOf(key)).toThrow();
  });

  it('has only free fallbacks', () => {
    const billings = fallbackRoles.map((role) => findRole(role)?.billing);
    expect(billings).toEqual(['free', 'free', 'free', undefined]);
  });
});

describe('workspacesOf', () => {
  it('reads * as the default workspaces, or leaves it when there are none', () => {
    const any = mapping('m', 1, { workspaces: ['*'] });
    expect(workspacesOf(any, rules([any], ['w1', 'w2']))).toEqual(['w1', 'w2']);
    expect(workspacesOf(any, rules([any]))).toEqual(['*']);
    const one = mapping('m', 1, { workspaces: ['w9'] });
    expect(workspacesOf(one, rules([one], ['w1']))).toEqual(['w9']);
  });
});

const now = new Date('2026-06-01T00:00:00Z');
const desired = (who: Person, all: Rules) => desire(who, all, now);

describe('desire', () => {
  const asked = (...args: Parameters<typeof desired>) =>
    desired(...args).requested.map(({ workspace, role }) => `${workspace} ${role}`);

  it('is nothing for the inactive and for those in no mapped group', () => {
    const all = rules([mapping('a', 1)]);
    expect(desired(person(['a'], { active: false }), all)).toEqual(nothing);
    expect(desired(person(['b']), all)).toEqual(nothing);
    expect(desired(person([]), rules([mapping('a', 1, { groupId: null })]))).toEqual(nothing);
  });

  it('lets the best priority win in each workspace', () => {
    const all = rules([
      mapping('a', 3, { workspaces: ['w1', 'w2', 'w3'] }),
      mapping('b', 2, { workspaces: ['w2'], role: 'view_only' }),
      mapping('c', 9, { workspaces: ['w3', 'w4'], role: 'project_administrator' }),
    ]);
    const everything = person(['a', 'b', 'c']);
    expect(asked(everything, all).sort()).toEqual([
      'w1 team_member',
      'w2 view_only',
      'w3 team_member',
      'w4 project_administrator',
    ]);
    expect(desired(everything, all).priority, 'the best of the paid winners').toBe(3);
  });

  it('claims no seat by a paid mapping that wins nowhere', () => {
    const all = rules([mapping('a', 1, { role: 'client' }), mapping('b', 2)]);
    expect(desired(person(['a', 'b']), all).priority).toBeNull();
  });

  it('is the same for one workspace as for many: one claim', () => {
    const all = rules([
      mapping('a', 4, { workspaces: ['w1', 'w2'] }),
      mapping('b', 5, { workspaces: ['w3'] }),
    ]);
    expect(desired(person(['a', 'b']), all).priority).toBe(4);
  });

  it('refuses the second person of an address, but keeps what is asked', () => {
    const all = rules([mapping('a', 1)]);
    const second = desired(person(['a'], { isDuplicate: true }), all);
    expect(second).toMatchObject({ priority: null, refusal: 'DUPLICATE_EMAIL' });
    expect(second.requested).toHaveLength(1);
    expect(desired(person([], { isDuplicate: true }), all)).toEqual(nothing);
  });

  it('heeds neither unmapped groups nor mappings that await their group', () => {
    const all = rules([mapping('a', 2), mapping('b', 1, { groupId: null, role: 'client' })]);
    expect(desired(person(['a', 'x', 'y', 'b']), all)).toEqual(
      desired(person(['a']), rules([mapping('a', 2)])),
    );
  });
});
