/** The diff under a ceiling of paid people, and how its actions become batches. */

import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/blue/action.ts';
import { afterAction, toBatches } from '../../src/blue/apply-actions.ts';
import { diff } from '../../src/blue/diff.ts';
import {
  type Case,
  check,
  inHours,
  invited,
  member,
  memberOfW1,
  now,
  reviewer,
  row,
} from './diff-support.ts';
import { actual, person, settings } from './support.ts';

describe('the ceiling of paid people', () => {
  const waits: Partial<Outcome> = { state: 'waiting', code: 'SEATS_IN_BLUE', detail: 'w1' };
  test.each<[string, Case]>([
    ['the owner counts', { wants: memberOfW1, under: { paidCeiling: 1 }, says: waits }],
    [
      'one is free',
      {
        wants: memberOfW1,
        under: { paidCeiling: 2 },
        sends: [{ kind: 'inviteToOrganization' }],
        says: { state: 'waiting' },
      },
    ],
    [
      'people elsewhere count',
      { wants: memberOfW1, is: { paidElsewhere: 1 }, under: { paidCeiling: 2 }, says: waits },
    ],
    [
      'an open paid invitation counts',
      {
        wants: memberOfW1,
        is: { invitations: [invited({ address: 'bob@acme.example' })] },
        under: { paidCeiling: 2 },
        says: waits,
      },
    ],
    [
      'an ended or free invitation does not',
      {
        wants: memberOfW1,
        is: {
          invitations: [
            invited({ address: 'bob@acme.example', expiresAt: inHours(-1) }),
            invited({ address: 'eve@acme.example', level: 'CLIENT' }),
          ],
        },
        under: { paidCeiling: 2 },
        sends: [{ kind: 'inviteToOrganization' }],
        says: { state: 'waiting' },
      },
    ],
    [
      'whoever is paid already costs nothing more',
      {
        wants: { roles: [...memberOfW1.roles, { workspace: 'w2', level: 'ADMIN' }] },
        is: member(row('w1', 'MEMBER')),
        under: { paidCeiling: 1 },
        sends: [{ kind: 'inviteToWorkspace', workspace: 'w2' }],
        says: { state: 'waiting' },
      },
    ],
    [
      'free roles go on while paid ones wait',
      {
        wants: { roles: [...memberOfW1.roles, { workspace: 'w2', level: 'CLIENT' }] },
        under: { paidCeiling: 1 },
        sends: [{ kind: 'inviteToOrganization', level: 'CLIENT', workspaces: ['w2'] }],
        says: waits,
      },
    ],
    [
      'a free invitation is kept while its upgrade waits',
      {
        wants: memberOfW1,
        is: { invitations: [invited({ level: 'VIEW_ONLY' })] },
        under: { paidCeiling: 1 },
        says: waits,
      },
    ],
    [
      'an ended paid invitation is not renewed without a seat',
      {
        wants: memberOfW1,
        is: { invitations: [invited({ expiresAt: inHours(-1) })] },
        under: { paidCeiling: 1 },
        says: waits,
      },
    ],
    [
      'a rise to paid waits',
      { wants: memberOfW1, is: member(row('w1', 'CLIENT')), under: { paidCeiling: 1 }, says: waits },
    ],
  ])('%s', (_name, one) => check(one));

  test('seats go in the order of the batch, and never to more people than fit', () => {
    const people = ['u1', 'u2', 'u3'].map((userId) =>
      person({ ...memberOfW1, userId, address: `${userId}@acme.example` }),
    );
    const result = diff(people, actual, { ...settings, paidCeiling: 3 }, now);
    expect(result.actions.map(({ userId }) => userId)).toEqual(['u1', 'u2']);
    expect(result.outcomes[2]).toMatchObject({ state: 'waiting', code: 'SEATS_IN_BLUE' });
  });

  test('a seat that a downgrade frees is given only once the downgrade is applied', () => {
    const people = [
      person({ ...memberOfW1, userId: 'joiner', address: 'joe@acme.example' }),
      person({ userId: 'leaver', leaving: true }),
    ];
    const full = { ...settings, paidCeiling: 2 };
    const before = { ...actual, ...member(row('w1', 'MEMBER')) };
    const first = diff(people, before, full, now);
    expect(first.actions).toMatchObject([{ kind: 'removeFromWorkspace', phase: 'down', userId: 'leaver' }]);
    expect(first.outcomes[0]).toMatchObject({ code: 'SEATS_IN_BLUE' });
    const after = first.actions.reduce((state, action) => afterAction(state, action, now), before);
    expect(diff(people, after, full, now).actions).toMatchObject([{ phase: 'up', userId: 'joiner' }]);
  });
});

test('batches: one request a workspace, none for the organization, capped', () => {
  const people = Array.from({ length: 5 }, (_, at) =>
    person({ ...reviewer, userId: `u${at}`, address: `u${at}@acme.example` }),
  );
  const more = person({
    userId: 'x',
    address: 'x@acme.example',
    roles: [{ workspace: 'w2', level: 'CLIENT' }],
  });
  const { actions } = diff([...people, more], actual, settings, now);
  const batches = toBatches(actions, 'org', 3);
  expect(batches.map(({ workspace, mutations }) => [workspace, mutations.length])).toEqual([
    ['w1', 3],
    ['w1', 2],
    [undefined, 1],
  ]);
  expect(batches[2]?.mutations).toEqual([
    {
      operation: 'inviteUser',
      input: { email: 'x@acme.example', accessLevel: 'CLIENT', companyId: 'org', projectIds: ['w2'] },
    },
  ]);
});
