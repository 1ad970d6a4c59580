/** What adopting somebody comes to, by what they have in Blue. */

import { describe, expect, it } from 'vitest';
import type { ActualMembership } from '../../src/blue/actual-state.ts';
import type { HeldLevel } from '../../src/blue/level.ts';
import type { FoundMember } from '../../src/blue/unmanaged.ts';
import { limits } from '../../src/kernel/limits.ts';
import { catalogueOf, firstCatalogue } from '../../src/licensing/catalogue.ts';
import { adoptionOf, obstacleText } from '../../src/provisioning/adoption.ts';

const rules = {
  ...{ ownerUserId: 'owner', selfUserId: 'self', managedWorkspaces: ['w1'], exclusions: [] as string[] },
  ...{ catalogue: firstCatalogue, room: 1 },
};

/** `w1 MEMBER`, or `w1 MEMBER Reviewer`. */
function member(held: readonly string[], change: Partial<FoundMember> = {}): FoundMember {
  const memberships = held.map((one): ActualMembership => {
    const [workspace = '', level, ...name] = one.split(' ');
    return { workspace, level: level as HeldLevel, customRole: name.length === 0 ? null : name.join(' ') };
  });
  return {
    ...{ blueUserId: 'b', address: 'b@acme.example', memberships, lastActiveAt: null, user: null },
    ...{ isUnmanaged: true, isSeated: false, isOurs: false, isLeftAlone: false, isNameTaken: false },
    ...change,
  };
}

const user = { id: 'u' as never, userName: 'Bea', userNameKey: 'bea', isActive: true };

describe('a pin of what somebody has', () => {
  it.each([
    ['one role in two workspaces', ['w1 MEMBER', 'w2 MEMBER'], 'team_member', ['w1', 'w2'], null],
    [
      'what owns a workspace is its administrator',
      ['w1 OWNER', 'w2 ADMIN'],
      'project_administrator',
      ['w1', 'w2'],
      null,
    ],
    ['a custom role', ['w1 MEMBER Reviewer'], 'custom:Reviewer', ['w1'], null],
    ['the highest, elsewhere another', ['w1 ADMIN', 'w2 MEMBER'], 'project_administrator', ['w1'], null],
    [
      'another one where the gateway manages',
      ['w2 ADMIN', 'w1 MEMBER'],
      'project_administrator',
      ['w2'],
      'several_roles',
    ],
    ['a free one there', ['w2 MEMBER', 'w1 CLIENT'], 'team_member', ['w2'], 'several_roles'],
    ['of one level the plain role', ['w2 MEMBER Reviewer', 'w1 MEMBER'], 'team_member', ['w1'], null],
    ['a custom role whose name is no key of ours', ['w1 MEMBER  spaced'], null, [], 'no_role'],
  ] as const)('%s', (_what, held, role, workspaces, why) => {
    const found = adoptionOf(member(held), rules);
    expect({ ...found, workspaces: found.role === null ? [] : found.workspaces }).toMatchObject({
      role,
      workspaces,
      why,
    });
  });

  it('names what would be taken away', () => {
    const found = adoptionOf(member(['w2 MEMBER', 'w1 CLIENT']), rules);
    expect(obstacleText('several_roles', found)).toMatch(/It would be: client in w1\.$/);
  });

  it('has a role that is paid by the catalogue as it is', () => {
    const roles = firstCatalogue.roles.map((role) =>
      role.key === 'team_member' ? { ...role, billing: 'free' as const } : role,
    );
    const catalogue = catalogueOf({ version: 2, roles });
    expect(adoptionOf(member(['w1 MEMBER']), { ...rules, catalogue })).toMatchObject({
      role: null,
      why: 'no_role',
    });
  });

  it('names no more workspaces than a pin may', () => {
    const held = Array.from({ length: limits.workspacesPerMappingMax + 1 }, (_, n) => `x${n} MEMBER`);
    expect(adoptionOf(member(held), rules).why).toBe('too_many_workspaces');
    expect(adoptionOf(member(held.slice(1)), rules).why).toBeNull();
  });
});

it.each([
  ['not_paid', { isUnmanaged: false }, {}],
  ['ours', { isUnmanaged: false, isOurs: true }, {}],
  ['owner', { blueUserId: 'owner' }, {}],
  ['self', { blueUserId: 'self' }, {}],
  ['no_address', { address: null }, {}],
  ['excluded', {}, { exclusions: ['b@acme.example'] }],
  ['excluded', { user }, { exclusions: ['bea'] }],
  ['excluded', { isLeftAlone: true }, {}],
  ['ours', { isOurs: true }, {}],
  ['inactive', { user: { ...user, isActive: false } }, {}],
  ['name_taken', { isNameTaken: true }, {}],
  ['no_seat', {}, { room: 0 }],
  [null, { user }, {}],
] as const)('is hindered by: %s', (why, change, rule) => {
  expect(adoptionOf(member(['w1 MEMBER'], change), { ...rules, ...rule }).why).toBe(why);
});
