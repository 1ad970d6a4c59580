/** Short ways to write the facts of a decision. */

import type { GroupId, MappingId, UserId } from '../../src/kernel/ids.ts';
import { firstCatalogue } from '../../src/licensing/catalogue.ts';
import type { Contract } from '../../src/licensing/contract.ts';
import type { Person } from '../../src/licensing/desire.ts';
import type { Mapping, Rules } from '../../src/licensing/mapping.ts';

export const groupId = (name: string) => name as GroupId;
export const userId = (name: string) => name as UserId;

export function mapping(id: string, priority: number, change: Partial<Mapping> = {}): Mapping {
  return {
    id: id as MappingId,
    priority,
    groupId: groupId(id),
    role: 'team_member',
    workspaces: ['w1'],
    fallbackRole: null,
    roleValue: null,
    claimValue: null,
    validFrom: null,
    validUntil: null,
    mayPreempt: false,
    approval: null,
    subPool: null,
    ...change,
  };
}

/** In the order of priority, as they are loaded. */
export function rules(
  mappings: Mapping[],
  defaultWorkspaces: string[] = [],
  change: Partial<Rules> = {},
): Rules {
  return {
    mappings: mappings.toSorted((a, b) => a.priority - b.priority),
    catalogue: firstCatalogue,
    defaultWorkspaces,
    defaultRole: 'none',
    order: 'sticky',
    settlement: 'immediate',
    holdMinutes: 60,
    tombstoneHours: 72,
    noticeHours: 24,
    approvals: {},
    breaker: null,
    ...change,
  };
}

export function person(groups: string[], change: Partial<Person> = {}): Person {
  return {
    id: userId('ann'),
    active: true,
    address: 'ann@example.com',
    isDuplicate: false,
    isExcluded: false,
    groups: new Set(groups.map(groupId)),
    roleValues: [],
    claimValues: [],
    defaultRole: null,
    pin: null,
    verdict: null,
    reclaimedAt: null,
    ...change,
  };
}

export function contract(change: Partial<Contract> = {}): Contract {
  return {
    kind: 'annual',
    tier: 'test',
    paidSeats: 3,
    startsOn: '2026-01-01',
    endsOn: '2026-12-31',
    policy: 'block',
    fallbackRole: 'client',
    evaluationGraceDays: 14,
    decreaseGraceDays: 30,
    allowancePercent: null,
    graceDays: null,
    lines: [],
    ...change,
  };
}

/** Everything of a decision that is nothing out of the ordinary. */
export const usual = {
  kept: null,
  overageSince: null,
  isUnasked: false,
  approval: null,
  subPool: null,
  noticeUntil: null,
  endsAt: null,
} as const;
