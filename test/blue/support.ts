/** A client of the double, and states and people for the diff's tables. */

import type { BlueDouble } from '../../demo/blue-double/server.ts';
import type { ActualState } from '../../src/blue/actual-state.ts';
import { BlueClient } from '../../src/blue/blue-client.ts';
import type { BlueHttpOptions } from '../../src/blue/blue-http-client.ts';
import type { BlueSettings, DesiredPerson } from '../../src/blue/desired-state.ts';
import { isPaidBy } from '../../src/blue/level.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { firstCatalogue } from '../../src/licensing/catalogue.ts';

export function clientOf(
  double: BlueDouble,
  clock: Clock,
  change: Partial<BlueHttpOptions> = {},
  userId = 'owner',
): BlueClient {
  return new BlueClient({
    url: double.url,
    organizationId: 'org',
    tokenId: `t-${userId}`,
    tokenSecret: `pat_${userId}`,
    clock,
    ...change,
  });
}

export const settings: BlueSettings = {
  deactivation: 'leave_workspaces',
  exclusions: new Set(['breakglass@acme.example']),
  managedWorkspaces: new Set(['w1', 'w2', 'w3']),
  isObserving: false,
  paidCeiling: null,
  isPaid: isPaidBy(firstCatalogue),
  catalogue: firstCatalogue,
};

export const actual: ActualState = {
  organizationId: 'org',
  ownerUserId: 'owner',
  selfUserId: 'owner',
  members: [{ blueUserId: 'owner', address: 'owner@acme.example', memberships: [], lastActiveAt: null }],
  invitations: [],
  paidElsewhere: 0,
  addressesHidden: false,
  workspaces: new Set(['w1', 'w2', 'w3', 'other']),
  customRoles: new Map([['w1', new Map([['Reviewer', 'r1']])]]),
};

export function person(change: Partial<DesiredPerson> = {}): DesiredPerson {
  return {
    userId: 'u1',
    address: 'ann@acme.example',
    blueUserId: null,
    guessedBlueUserId: null,
    roles: [],
    given: [],
    leaving: false,
    isExcluded: false,
    ...change,
  };
}
