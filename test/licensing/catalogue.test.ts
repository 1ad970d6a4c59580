/** The role catalogue as a value: what may be written, what of it changed, and what Blue's side makes of it. */

import { describe, expect, it } from 'vitest';
import { isPaidBy, isPaidInvitation, levels } from '../../src/blue/level.ts';
import {
  catalogueOf,
  changedRoles,
  firstCatalogue,
  type RoleEntry,
  type RoleKey,
} from '../../src/licensing/catalogue.ts';
import { catalogueProblem } from '../../src/licensing/catalogue-check.ts';
import { desire, hasPaidMatch } from '../../src/licensing/desire.ts';
import { mapping, person, rules } from './support.ts';

function withRoles(change: Partial<Record<RoleKey, Partial<RoleEntry>>>): RoleEntry[] {
  return firstCatalogue.roles.map((role) => ({ ...role, ...change[role.key] }));
}
const catalogueWith = (change: Parameters<typeof withRoles>[0]) =>
  catalogueOf({ version: 2, roles: withRoles(change) });

describe('what may be written', () => {
  it('is the first version, and others', () => {
    expect(catalogueProblem(firstCatalogue.roles)).toBeUndefined();
    expect(catalogueProblem(withRoles({ team_member: { billing: 'free' } }))).toBeUndefined();
    expect(catalogueProblem(withRoles({ 'custom:*': { billing: 'free' } }))).toBeUndefined();
    expect(catalogueProblem(withRoles({ client: { level: 'VIEW_ONLY' } }))).toBeUndefined();
  });

  it.each<[string, RoleEntry[], string]>([
    ['without a role', firstCatalogue.roles.slice(1), 'roles'],
    ['with a role twice', [...firstCatalogue.roles, ...firstCatalogue.roles.slice(0, 1)], 'roles'],
    [
      'without the role that is always free',
      withRoles({ view_only: { billing: 'paid' } }),
      'roles.5.billing',
    ],
    ['with custom roles where Blue has none', withRoles({ 'custom:*': { level: 'ADMIN' } }), 'roles.2.level'],
    ['with a level both paid and free', withRoles({ client: { level: 'MEMBER' } }), 'roles.1.level'],
  ])('is none %s', (_what, roles, field) => {
    expect(catalogueProblem(roles)?.field).toBe(field);
  });
});

describe('what changed', () => {
  it('is billing and level, whatever the order and the names', () => {
    const renamed = withRoles({ client: { label: 'Guest' } }).toReversed();
    expect(changedRoles(firstCatalogue, { roles: renamed })).toEqual({ billing: [], level: [] });
    const roles = withRoles({ client: { billing: 'paid' }, comment_only: { level: 'VIEW_ONLY' } });
    expect(changedRoles(firstCatalogue, { roles })).toEqual({ billing: ['client'], level: ['comment_only'] });
  });
});

describe('a decision by another catalogue', () => {
  const now = new Date('2026-06-01T00:00:00Z');
  const all = (change: Parameters<typeof withRoles>[0]) =>
    rules([mapping('a', 1, { role: 'custom:Reviewer' }), mapping('b', 2, { role: 'client' })], [], {
      catalogue: catalogueWith(change),
    });

  it('wants a seat where a role is paid there, and none where it is free', () => {
    const priority = (groups: string[], change: Parameters<typeof withRoles>[0]) =>
      desire(person(groups), all(change), now).priority;
    expect([priority(['a'], {}), priority(['b'], {})]).toEqual([1, null]);
    expect(priority(['a'], { 'custom:*': { billing: 'free' } })).toBeNull();
    expect(priority(['b'], { client: { billing: 'paid' } })).toBe(2);
    expect(hasPaidMatch(person(['b']), all({ client: { billing: 'paid' } }), now)).toBe(true);
  });

  it('says of each role what it was then', () => {
    const [asked] = desire(person(['b']), all({ client: { billing: 'paid' } }), now).requested;
    expect(asked).toMatchObject({ role: 'client', billing: 'paid' });
  });
});

describe('who is paid in Blue', () => {
  const paid = (change: Parameters<typeof withRoles>[0]) =>
    (['OWNER', ...levels] as const).filter((level) => isPaidBy(catalogueWith(change))(level, null));

  it('follows the catalogue; the owner is always', () => {
    expect(paid({})).toEqual(['OWNER', 'ADMIN', 'MEMBER']);
    expect(paid({ team_member: { billing: 'free' } })).toEqual(['OWNER', 'ADMIN']);
    expect(paid({ client: { billing: 'paid' } })).toEqual(['OWNER', 'ADMIN', 'MEMBER', 'CLIENT']);
    expect(paid({ client: { level: 'VIEW_ONLY' } }), 'a level that no role has').toEqual([
      'OWNER',
      'ADMIN',
      'MEMBER',
    ]);
  });

  it('tells custom roles apart, but for invitations, of which Blue does not tell', () => {
    const isPaid = isPaidBy(catalogueWith({ team_member: { billing: 'free' } }));
    expect([isPaid('MEMBER', null), isPaid('MEMBER', 'Reviewer')]).toEqual([false, true]);
    expect(isPaid('CLIENT', 'left over'), 'it means nothing at that level').toBe(false);
    expect(isPaidInvitation('MEMBER', isPaid)).toBe(true);
    expect(isPaidInvitation('CLIENT', isPaid)).toBe(false);
  });
});
