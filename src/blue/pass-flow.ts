/** What the steps of one pass over a tenant share. */

import type { Database } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { Clock } from '../kernel/clock.ts';
import type { TenantId, UserId } from '../kernel/ids.ts';
import { selectSettings } from '../tenants/settings-store.ts';
import type { ActualState } from './actual-state.ts';
import type { BlueClient } from './blue-client.ts';
import type { Connection, Organization } from './connection.ts';
import type { ClientServices } from './connection-client.ts';
import type { BlueSettings } from './desired-state.ts';
import { loadKnown } from './known-store.ts';
import type { Lease } from './lease-flow.ts';
import { isPaidBy } from './level.ts';
import { isOurs, type Person } from './people.ts';
import { selectPeople } from './people-store.ts';

export interface BlueServices extends ClientServices {
  database: Database;
  /** The gateway's, for what is decided and what the trail tells. */
  clock: Clock;
}

export interface Pass {
  services: BlueServices;
  tenantId: TenantId;
  lease: Lease;
  client: BlueClient;
  /** Aborted when the process is to end: what is in flight is finished, nothing more is begun. */
  ending: AbortSignal;
}

/** The pass is to end between two steps; whatever is left is still marked. */
export class Interrupted extends Error {}

/** @throws Interrupted when nothing more may be begun. */
export function checkGoing({ lease, ending }: Pass): void {
  if (ending.aborted || lease.signal.aborted) throw new Interrupted('the pass ends');
}

/** Who came onto the list of exclusions after the connection was read is left alone too. */
export function settingsOf(
  { mode, deactivation, exclusions: former, managedWorkspaces, paidCeiling, catalogue }: Connection,
  { exclusions }: Facts,
): BlueSettings {
  return {
    isObserving: mode === 'observe',
    deactivation,
    exclusions: new Set([...former, ...exclusions]),
    managedWorkspaces: new Set(managedWorkspaces),
    paidCeiling,
    isPaid: isPaidBy(catalogue),
    catalogue,
  };
}

/** People, those of them that are ours, and what is known of these in Blue. */
export interface Facts {
  everybody: Person[];
  ours: Person[];
  known: ActualState;
  /** As they are once the people were read. */
  exclusions: readonly string[];
}

export async function loadFacts(
  tx: TenantTransaction,
  organization: Organization,
  ids: readonly UserId[],
  now: Date,
): Promise<Facts> {
  const everybody = await selectPeople(tx, ids);
  const ours = everybody.filter(isOurs);
  const knownRead = loadKnownOf(tx, organization, ours, now);
  const [known, { exclusions }] = await Promise.all([knownRead, selectSettings(tx)]);
  return { everybody, ours, known, exclusions };
}

export function loadKnownOf(
  tx: TenantTransaction,
  organization: Organization,
  people: readonly Person[],
  now: Date,
): Promise<ActualState> {
  const addresses = people.flatMap(({ address, kept }) => [address ?? [], kept?.address ?? []].flat());
  const blueUserIds = people.flatMap(({ kept }) => kept?.blueUserId ?? []);
  return loadKnown(tx, organization, { addresses: [...new Set(addresses)], blueUserIds }, now);
}
