/** The diff for people who leave: the three policies, invitations, addresses that changed hands. */

import { describe, expect, test } from 'vitest';
import { diff } from '../../src/blue/diff.ts';
import { type Case, check, inHours, invited, leaving, member, memberOfW1, now, row } from './diff-support.ts';
import { actual, person, settings } from './support.ts';

describe('leaving', () => {
  const everywhere = member(row('w1', 'MEMBER'), row('w2', 'VIEW_ONLY'), row('other', 'MEMBER'));
  test.each<[string, Case]>([
    [
      'leave_workspaces',
      {
        wants: leaving,
        is: everywhere,
        sends: [
          { kind: 'removeFromWorkspace', workspace: 'w1', phase: 'down' },
          { kind: 'removeFromWorkspace', workspace: 'w2', phase: 'down' },
        ],
        says: { state: 'waiting' },
      },
    ],
    [
      'also where the person alone was given a role',
      {
        wants: { ...leaving, given: ['other'] },
        is: member(row('other', 'MEMBER')),
        sends: [{ kind: 'removeFromWorkspace', workspace: 'other', phase: 'down' }],
        says: { state: 'waiting' },
      },
    ],
    [
      'view_only',
      {
        wants: leaving,
        is: everywhere,
        under: { deactivation: 'view_only' },
        sends: [{ kind: 'setLevel', workspace: 'w1', level: 'VIEW_ONLY', phase: 'down' }],
        says: { state: 'waiting' },
      },
    ],
    [
      'view_only, done: still reads',
      {
        wants: leaving,
        is: member(row('w1', 'VIEW_ONLY')),
        under: { deactivation: 'view_only' },
        says: { state: 'active', code: 'VIEW_ONLY' },
      },
    ],
    [
      'leave_organization',
      {
        wants: leaving,
        is: everywhere,
        under: { deactivation: 'leave_organization' },
        sends: [{ kind: 'removeFromOrganization', blueUserId: 'b1', phase: 'down' }],
        says: { state: 'waiting' },
      },
    ],
    [
      'done',
      { wants: leaving, is: member(row('other', 'MEMBER')), says: { state: 'removed', blueUserId: 'b1' } },
    ],
    [
      'gone from Blue',
      { wants: { ...leaving, blueUserId: 'b1' }, says: { state: 'removed', blueUserId: 'b1' } },
    ],
    ['never was in Blue', { wants: leaving, says: { state: 'none' } }],
    [
      'from a workspace of his own',
      {
        wants: leaving,
        is: member(row('w1', 'OWNER')),
        says: { state: 'refused', code: 'WORKSPACE_OWNER', detail: 'w1' },
      },
    ],
  ])('%s', (_name, one) => check(one));

  test.each(['leave_workspaces', 'view_only', 'leave_organization'] as const)(
    'open invitations are cancelled under %s, wherever they lead',
    (deactivation) =>
      check({
        wants: leaving,
        is: { invitations: [invited(), invited({ id: 'i2', workspace: 'other', expiresAt: inHours(-1) })] },
        under: { deactivation },
        sends: [
          { kind: 'cancelInvitation', invitationId: 'i1' },
          { kind: 'cancelInvitation', invitationId: 'i2' },
        ],
        says: { state: 'waiting' },
      }),
  );

  test('a leaver takes nothing from the person who has the address now', () => {
    const is = { ...actual, ...member(row('w1', 'MEMBER')) };
    const old = person({ userId: 'old', leaving: true });
    const result = diff([old, person(memberOfW1)], is, settings, now);
    expect(result.actions).toEqual([]);
    expect(result.outcomes.map(({ state }) => state)).toEqual(['removed', 'active']);
  });

  test('whoever was matched before comes before who has the address, and nothing of theirs is kept', () => {
    const is = { ...actual, ...member(row('w1', 'VIEW_ONLY')) };
    const viewer = { roles: [{ workspace: 'w1', level: 'VIEW_ONLY' as const }] };
    const proven = person({ ...viewer, userId: 'u2', blueUserId: 'b1', address: 'new@acme.example' });
    for (const change of [{}, { address: 'x@acme.example', guessedBlueUserId: 'b1' }]) {
      const result = diff([person({ ...memberOfW1, ...change }), proven], is, settings, now);
      expect(result.actions).toEqual([]);
      expect(result.outcomes).toEqual([
        { userId: 'u1', state: 'refused', code: 'DUPLICATE_EMAIL', blueUserId: null },
        { userId: 'u2', state: 'active', blueUserId: 'b1' },
      ]);
    }
  });

  test('a leaver leaves the invitation of the person who has the address now', () => {
    const is = { ...actual, ...member(row('w1', 'MEMBER')) };
    const invitations = [invited({ address: 'next@acme.example' })];
    const old = person({ userId: 'old', blueUserId: 'b1', address: 'next@acme.example', leaving: true });
    const next = person({ ...memberOfW1, address: 'next@acme.example' });
    const result = diff([old, next], { ...is, invitations }, settings, now);
    expect(result.actions).toMatchObject([{ userId: 'old', kind: 'removeFromWorkspace' }]);
  });

  test('the second of two people with one address is refused', () => {
    const result = diff([person(memberOfW1), person({ ...memberOfW1, userId: 'u2' })], actual, settings, now);
    expect(result.actions).toHaveLength(1);
    expect(result.outcomes[1]).toMatchObject({ userId: 'u2', state: 'refused', code: 'DUPLICATE_EMAIL' });
  });
});
