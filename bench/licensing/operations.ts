/**
 * The gateway's own operations that are measured, and what a bench must know of their arguments: the one place that
 * follows when a flow changes. Everything else of the bench sees tenants, people and figures.
 */

import type { Door } from '../../src/audit/door.ts';
import type { Database } from '../../src/db/database.ts';
import type { DirectoryId, GroupId, MappingId, TenantId, UserId } from '../../src/kernel/ids.ts';
import { putContract } from '../../src/provisioning/contract-flow.ts';
import { joinGroup as addToGroup } from '../../src/provisioning/join-flow.ts';
import { replaceMapping } from '../../src/provisioning/mapping-flow.ts';
import { previewEdit } from '../../src/provisioning/preview-flow.ts';
import { settle } from '../../src/provisioning/settle-flow.ts';
import { createDirectory, createTenant, issueToken } from '../../src/tenants/tenant-flow.ts';

export interface BenchTenant {
  tenantId: TenantId;
  slug: string;
  directoryId: DirectoryId;
  /** For SCIM. */
  token: string;
  seats: number;
}

const actor = { kind: 'operator', id: 'bench', name: 'bench' } as const;

function doorOf(tenantId: TenantId): Door {
  return { tenantId, actor, now: new Date(), requestId: null };
}

/** What the admin API takes too: see `contractBody`. */
const contract = {
  kind: 'annual',
  tier: 'bench',
  startsOn: '2020-01-01',
  endsOn: '2099-12-31',
  paymentSchedule: 'annual',
} as const;

/** A tenant with a contract in force and nobody in it yet. */
export async function makeTenant(database: Database, slug: string, seats: number): Promise<BenchTenant> {
  const { tenantId: _none, ...door } = doorOf('' as TenantId);
  const { id: tenantId } = await createTenant(database, door, { name: slug, slug });
  const { id: directoryId } = await createDirectory(database, doorOf(tenantId), {
    name: slug,
    kind: 'entra',
  });
  const { token } = await issueToken(database, doorOf(tenantId), directoryId, {
    name: 'bench',
    expiresAt: null,
  });
  await putContract(database, doorOf(tenantId), {
    ...contract,
    paidSeats: seats,
    policy: 'queue',
    fallbackRole: 'view_only',
    terms: null,
    documentReference: null,
    accountManager: null,
    billingPortalUrl: null,
    evaluationGraceDays: 14,
    decreaseGraceDays: 30,
    allowancePercent: null,
    graceDays: null,
  });
  return { tenantId, slug, directoryId, token, seats };
}

/** For `PUT /tenants/{t}/contract`: the same contract with another fallback role, which concerns everybody who waits. */
export function contractBody({ seats }: BenchTenant, fallbackRole: string): object {
  return { ...contract, paidSeats: seats, overage: { policy: 'queue' }, fallbackRole };
}

/** Decides for everybody again; resolves when all of it stands. */
export async function evaluateEveryone(database: Database, { tenantId }: BenchTenant): Promise<void> {
  await settle(database, doorOf(tenantId));
}

export interface EditedMapping {
  id: MappingId;
  groupId: GroupId;
  workspace: string;
  priority: number;
}

/** Resolves when everybody in the group has been decided for. */
export async function changeRole(
  database: Database,
  { tenantId }: BenchTenant,
  { id, groupId, workspace, priority }: EditedMapping,
  role: string,
): Promise<void> {
  const draft = {
    group: { id: groupId },
    role,
    workspaces: [workspace],
    priority,
    fallbackRole: null,
    validFrom: null,
    validUntil: null,
    mayPreempt: false,
    approval: null,
    subPool: null,
  };
  await replaceMapping(database, doorOf(tenantId), id, draft);
}

/** Adds one person to a group, as one member of a PATCH does. */
export async function joinGroup(
  database: Database,
  { tenantId, directoryId }: BenchTenant,
  groupId: GroupId,
  userId: UserId,
): Promise<void> {
  await addToGroup(database, doorOf(tenantId), { groupId, directoryId, userId });
}

/** Previews that the mapping is deleted, with the first page of whom it concerns. */
export async function previewDeletion(
  database: Database,
  { tenantId }: BenchTenant,
  { id }: EditedMapping,
): Promise<void> {
  await previewEdit(database, doorOf(tenantId), { op: 'delete', id }, { after: '', limit: 50 });
}
