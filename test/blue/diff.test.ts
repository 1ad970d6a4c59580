/** The diff by tables, one case a rule: people who come, stay, move, and those who are protected. */

import { describe, test } from 'vitest';
import {
  address,
  type Case,
  check,
  inHours,
  invited,
  leaving,
  member,
  memberOfW1,
  reviewer,
  row,
} from './diff-support.ts';

describe('somebody new', () => {
  test.each<[string, Case]>([
    ['who is to have nothing', { says: { state: 'none' } }],
    [
      'gets one organization invitation a level, and a custom role by itself',
      {
        wants: {
          roles: [
            { workspace: 'w2', level: 'CLIENT' },
            ...reviewer.roles,
            { workspace: 'w3', level: 'CLIENT' },
            { workspace: 'other', level: 'ADMIN' },
          ],
        },
        sends: [
          {
            kind: 'inviteToWorkspace',
            phase: 'up',
            workspace: 'w1',
            customRole: { id: 'r1', name: 'Reviewer' },
          },
          { kind: 'inviteToOrganization', phase: 'up', level: 'CLIENT', workspaces: ['w2', 'w3'], address },
          { kind: 'inviteToOrganization', phase: 'up', level: 'ADMIN', workspaces: ['other'], address },
        ],
        says: { state: 'waiting', blueUserId: null },
      },
    ],
    [
      'whose invitation is open',
      { wants: memberOfW1, is: { invitations: [invited()] }, says: { state: 'invited' } },
    ],
    [
      'whose invitation ends within the hour gets it again',
      {
        wants: memberOfW1,
        is: { invitations: [invited({ expiresAt: inHours(1) })] },
        sends: [{ kind: 'resendInvitation', phase: 'up', invitationId: 'i1', workspace: 'w1' }],
        says: { state: 'waiting' },
      },
    ],
    [
      'whose invitation has ended gets it again',
      {
        wants: memberOfW1,
        is: { invitations: [invited({ expiresAt: inHours(-100) })] },
        sends: [{ kind: 'resendInvitation', invitationId: 'i1' }],
        says: { state: 'waiting' },
      },
    ],
    [
      'with an invitation of another level: cancelled first',
      {
        wants: memberOfW1,
        is: { invitations: [invited({ level: 'VIEW_ONLY' })] },
        sends: [{ kind: 'cancelInvitation', phase: 'down', invitationId: 'i1' }],
        says: { state: 'waiting' },
      },
    ],
    [
      'with an invitation to a managed workspace that is not wanted',
      {
        is: { invitations: [invited({ workspace: 'w3' }), invited({ workspace: 'other' })] },
        sends: [{ kind: 'cancelInvitation', workspace: 'w3' }],
        says: { state: 'waiting' },
      },
    ],
    [
      'whose invitation was not read yet can’t change',
      {
        is: { invitations: [invited({ id: null })] },
        says: { state: 'waiting', code: 'INVITATION_UNREAD', detail: 'w1' },
      },
    ],
    [
      'whose role has no workspace',
      { wants: { roles: [{ workspace: '*', level: 'MEMBER' }] }, says: { state: 'none' } },
    ],
    [
      'without an address',
      { wants: { ...memberOfW1, address: null }, says: { state: 'refused', code: 'NO_EMAIL' } },
    ],
    ['without an address and roles', { wants: { address: null }, says: { state: 'none' } }],
    [
      'while Blue hides addresses',
      {
        wants: memberOfW1,
        is: { addressesHidden: true },
        says: { state: 'refused', code: 'EMAIL_NOT_PERMITTED' },
      },
    ],
    [
      'for a workspace that is not there, the others all the same',
      {
        wants: { roles: [{ workspace: 'gone', level: 'CLIENT' }, ...memberOfW1.roles] },
        sends: [{ kind: 'inviteToOrganization', workspaces: ['w1'] }],
        says: { state: 'refused', code: 'PROJECT_NOT_FOUND', detail: 'gone' },
      },
    ],
    [
      'for a custom role that is not there',
      {
        wants: { roles: [{ workspace: 'w2', level: 'MEMBER', customRole: 'Reviewer' }] },
        says: { state: 'refused', code: 'PROJECT_USER_ROLE_NOT_FOUND', detail: 'w2' },
      },
    ],
  ])('%s', (_name, one) => check(one));
});

describe('somebody in the organization', () => {
  const b1 = { blueUserId: 'b1' };
  test.each<[string, Case]>([
    [
      'has what is wanted',
      { wants: memberOfW1, is: member(row('w1', 'MEMBER')), says: { state: 'active', ...b1 } },
    ],
    [
      'is added to a workspace at once',
      {
        wants: memberOfW1,
        is: member(),
        sends: [{ kind: 'inviteToWorkspace', phase: 'up', address, workspace: 'w1', customRole: null }],
        says: { state: 'waiting', ...b1 },
      },
    ],
    [
      'has an invitation in the way',
      {
        wants: memberOfW1,
        is: { ...member(), invitations: [invited()] },
        sends: [{ kind: 'cancelInvitation', phase: 'down', invitationId: 'i1' }],
        says: { state: 'waiting', ...b1 },
      },
    ],
    [
      'rises',
      {
        wants: memberOfW1,
        is: member(row('w1', 'CLIENT')),
        sends: [{ kind: 'setLevel', phase: 'up', ...b1, workspace: 'w1', level: 'MEMBER', customRole: null }],
        says: { state: 'waiting', ...b1 },
      },
    ],
    [
      'falls',
      {
        wants: memberOfW1,
        is: member(row('w1', 'ADMIN')),
        sends: [{ kind: 'setLevel', phase: 'down', level: 'MEMBER' }],
        says: { state: 'waiting', ...b1 },
      },
    ],
    [
      'gets a custom role',
      {
        wants: reviewer,
        is: member(row('w1', 'MEMBER')),
        sends: [{ kind: 'setLevel', level: 'MEMBER', customRole: { id: 'r1', name: 'Reviewer' } }],
        says: { state: 'waiting', ...b1 },
      },
    ],
    [
      'loses a custom role',
      {
        wants: memberOfW1,
        is: member(row('w1', 'MEMBER', 'Reviewer')),
        sends: [{ kind: 'setLevel', level: 'MEMBER', customRole: null }],
        says: { state: 'waiting', ...b1 },
      },
    ],
    [
      'keeps a left-over custom role at a level where it means nothing',
      {
        wants: { roles: [{ workspace: 'w1', level: 'CLIENT' }] },
        is: member(row('w1', 'CLIENT', 'Reviewer')),
        says: { state: 'active', ...b1 },
      },
    ],
    [
      'leaves managed workspaces that are not wanted, and only those',
      {
        is: member(row('w2', 'MEMBER'), row('other', 'ADMIN')),
        sends: [{ kind: 'removeFromWorkspace', phase: 'down', ...b1, workspace: 'w2' }],
        says: { state: 'waiting', ...b1 },
      },
    ],
    [
      'with nothing wanted and nothing managed',
      { is: member(row('other', 'ADMIN')), says: { state: 'none', ...b1 } },
    ],
    [
      'is found by Blue’s id after a change of address',
      {
        wants: { ...memberOfW1, ...b1, address: 'ann.new@acme.example' },
        is: member(row('w1', 'CLIENT')),
        sends: [{ kind: 'setLevel', ...b1 }],
        says: { state: 'waiting', ...b1 },
      },
    ],
    [
      'owns a workspace: that is as good as ADMIN',
      {
        wants: { roles: [{ workspace: 'w1', level: 'ADMIN' }] },
        is: member(row('w1', 'OWNER')),
        says: { state: 'active', ...b1 },
      },
    ],
    [
      'owns a workspace: can’t be less there',
      {
        wants: memberOfW1,
        is: member(row('w1', 'OWNER')),
        says: { state: 'refused', code: 'WORKSPACE_OWNER', detail: 'w1', ...b1 },
      },
    ],
    [
      'has a role in a managed workspace that the token is not in',
      {
        under: { managedWorkspaces: new Set(['gone']) },
        is: member(row('gone', 'MEMBER')),
        says: { state: 'refused', code: 'PROJECT_NOT_FOUND', detail: 'gone', ...b1 },
      },
    ],
  ])('%s', (_name, one) => check(one));
});

describe('protected people are never touched', () => {
  test.each<[string, Case]>([
    [
      'the owner',
      { wants: { ...leaving, address: 'owner@acme.example' }, says: { state: 'active', code: 'PROTECTED' } },
    ],
    [
      'the gateway’s own user',
      {
        wants: leaving,
        is: { ...member(row('w1', 'ADMIN')), selfUserId: 'b1' },
        says: { state: 'active', code: 'PROTECTED' },
      },
    ],
    [
      'an excluded address in Blue',
      {
        wants: leaving,
        is: { ...member(row('w1', 'ADMIN')), invitations: [invited({ workspace: 'w2' })] },
        under: { exclusions: new Set([address]), deactivation: 'leave_organization' },
        says: { state: 'active', code: 'PROTECTED' },
      },
    ],
    [
      'an excluded address that is not',
      {
        wants: { ...memberOfW1, address: 'breakglass@acme.example' },
        says: { state: 'none', code: 'PROTECTED' },
      },
    ],
  ])('%s', (_name, one) => check(one));
});
