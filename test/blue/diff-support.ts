/** Building blocks of the diff's tables: a case is what is wanted, what is, and what is sent and said. */

import { expect } from 'vitest';
import type { Action, Outcome } from '../../src/blue/action.ts';
import type { ActualInvitation, ActualMembership, ActualState } from '../../src/blue/actual-state.ts';
import type { BlueSettings, DesiredPerson } from '../../src/blue/desired-state.ts';
import { diff } from '../../src/blue/diff.ts';
import { actual, person, settings } from './support.ts';

export const now = new Date('2026-03-02T09:00:00Z');
export const inHours = (hours: number) => new Date(now.getTime() + hours * 60 * 60 * 1000);
export const address = 'ann@acme.example';

export function member(...memberships: ActualMembership[]): Partial<ActualState> {
  return { members: [...actual.members, { blueUserId: 'b1', address, memberships, lastActiveAt: null }] };
}
export const row = (
  workspace: string,
  level: ActualMembership['level'],
  customRole: string | null = null,
) => ({
  workspace,
  level,
  customRole,
});
export function invited(change: Partial<ActualInvitation> = {}): ActualInvitation {
  return { id: 'i1', address, workspace: 'w1', level: 'MEMBER', expiresAt: inHours(100), ...change };
}

export interface Case {
  wants?: Partial<DesiredPerson>;
  is?: Partial<ActualState>;
  under?: Partial<BlueSettings>;
  sends?: Partial<Action>[];
  says: Partial<Outcome>;
}

/** Compares one person and expects exactly these actions and this outcome. */
export function check({ wants = {}, is = {}, under = {}, sends = [], says }: Case): void {
  const result = diff([person(wants)], { ...actual, ...is }, { ...settings, ...under }, now);
  expect(result.actions).toEqual(sends.map((one) => expect.objectContaining({ userId: 'u1', ...one })));
  expect(result.outcomes).toEqual([expect.objectContaining({ userId: 'u1', ...says })]);
  if (says.code === undefined) expect(result.outcomes[0]).not.toHaveProperty('code');
}

export const memberOfW1 = { roles: [{ workspace: 'w1', level: 'MEMBER' as const }] };
export const reviewer = { roles: [{ workspace: 'w1', level: 'MEMBER' as const, customRole: 'Reviewer' }] };
export const leaving = { ...memberOfW1, leaving: true };
