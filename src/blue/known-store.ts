/**
 * What is known of Blue: rows of blue_members and blue_invitations. Only the part that some people's comparison needs is
 * loaded, so that a batch costs the same in an organization of any size.
 */

import { type RawBuilder, sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { ActualInvitation, ActualMember, ActualMembership, ActualState } from './actual-state.ts';
import type { Organization } from './connection.ts';
import { type HeldLevel, type IsPaid, isPaidInvitation } from './level.ts';

/** By what people are found in Blue. */
export interface KnownKeys {
  addresses: readonly string[];
  blueUserIds: readonly string[];
}

interface MemberRow {
  blueUserId: string;
  address: string | null;
  memberships: ActualMembership[];
  lastActiveAt: Date | null;
}

interface InvitationRow {
  id: string | null;
  address: string;
  workspace: string;
  level: HeldLevel;
  expiresAt: Date;
}

/** The state as far as the keys reach, and how many paid people are outside of it. */
export async function loadKnown(
  tx: TenantTransaction,
  organization: Organization,
  { addresses, blueUserIds }: KnownKeys,
  now: Date,
): Promise<ActualState> {
  const members = await tx.run(sql<MemberRow>`
    select blue_user_id as "blueUserId", address, memberships, last_active_at as "lastActiveAt" from blue_members
    where tenant_id = ${tx.tenantId} and (blue_user_id = any(${blueUserIds}::text[]) or address = any(${addresses}::text[])
      or blue_user_id = ${organization.ownerUserId})
    order by blue_user_id
  `);
  const known = [...new Set([...addresses, ...members.flatMap(({ address }) => address ?? [])])];
  const ids = members.map(({ blueUserId }) => blueUserId);
  const [invitations, [elsewhere]] = await Promise.all([
    tx.run(sql<InvitationRow>`
      select invitation_id as id, address, workspace, level, expires_at as "expiresAt" from blue_invitations
      where tenant_id = ${tx.tenantId} and address = any(${known}::text[]) order by seq
    `),
    tx.run(sql<{ paid: number }>`${countPaidElsewhere(tx, ids, known, now)}`),
  ]);
  const { organizationId, ownerUserId, selfUserId, addressesHidden } = organization;
  const roles = Map.groupBy(organization.customRoles, ({ workspace }) => workspace);
  return {
    ...{ organizationId, ownerUserId, selfUserId, addressesHidden, members, invitations },
    paidElsewhere: elsewhere?.paid ?? 0,
    workspaces: new Set(organization.workspaces.map(({ id }) => id)),
    customRoles: new Map(
      [...roles].map(([workspace, own]) => [workspace, new Map(own.map(({ id, name }) => [name, id]))]),
    ),
  };
}

/** The owner is always in the state that was loaded, so that other members count by their roles alone. */
function countPaidElsewhere(
  tx: TenantTransaction,
  ids: readonly string[],
  addresses: readonly string[],
  now: Date,
): RawBuilder<unknown> {
  return sql`
    select
      (select count(*) from blue_members m where m.tenant_id = ${tx.tenantId}
         and m.paid_workspaces <> '{}' and m.blue_user_id <> all(${ids}::text[]))
      + (select count(distinct i.address) from blue_invitations i where i.tenant_id = ${tx.tenantId}
         and i.is_paid and i.expires_at > ${now} and i.address <> all(${addresses}::text[])
         and not exists (select from blue_members m where m.tenant_id = i.tenant_id and m.address = i.address
           and m.paid_workspaces <> '{}')) as paid
  `;
}

/** Puts all that is known in place of what was. */
export function replaceKnown(
  tx: TenantTransaction,
  members: readonly ActualMember[],
  invitations: readonly ActualInvitation[],
  isPaid: IsPaid,
): void {
  tx.send(sql`delete from blue_members where tenant_id = ${tx.tenantId}`);
  tx.send(sql`delete from blue_invitations where tenant_id = ${tx.tenantId}`);
  insertMembers(tx, members, isPaid);
  insertInvitations(tx, invitations, isPaid);
}

/** Writes a state that was loaded by `loadKnown` as it is after some actions. */
export function writeKnown(
  tx: TenantTransaction,
  before: ActualState,
  after: ActualState,
  isPaid: IsPaid,
): void {
  const ids = before.members.map(({ blueUserId }) => blueUserId);
  const addresses = [...before.invitations, ...after.invitations].map(({ address }) => address);
  tx.send(
    sql`delete from blue_members where tenant_id = ${tx.tenantId} and blue_user_id = any(${ids}::text[])`,
  );
  tx.send(
    sql`delete from blue_invitations where tenant_id = ${tx.tenantId} and address = any(${addresses}::text[])`,
  );
  insertMembers(tx, after.members, isPaid);
  insertInvitations(tx, after.invitations, isPaid);
}

/** Puts the invitations of one workspace, as just read, in place of those that were known. */
export function replaceInvitationsOf(
  tx: TenantTransaction,
  workspace: string,
  invitations: readonly ActualInvitation[],
  isPaid: IsPaid,
): void {
  tx.send(sql`delete from blue_invitations where tenant_id = ${tx.tenantId} and workspace = ${workspace}`);
  insertInvitations(tx, invitations, isPaid);
}

function insertMembers(tx: TenantTransaction, members: readonly ActualMember[], isPaid: IsPaid): void {
  if (members.length === 0) return;
  const rows = members.map(({ blueUserId, address, memberships, lastActiveAt }) => ({
    blue_user_id: blueUserId,
    address,
    memberships,
    last_active_at: lastActiveAt,
    paid_workspaces: paidWorkspaces(memberships, isPaid),
  }));
  tx.send(sql`
    insert into blue_members (tenant_id, blue_user_id, address, memberships, paid_workspaces, last_active_at)
    select ${tx.tenantId}, r.* from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as r (blue_user_id text, address text, memberships jsonb, paid_workspaces text[], last_active_at timestamptz)
  `);
}

function paidWorkspaces(memberships: readonly ActualMembership[], isPaid: IsPaid): string[] {
  return memberships.filter(({ level, customRole }) => isPaid(level, customRole)).map((row) => row.workspace);
}

function insertInvitations(
  tx: TenantTransaction,
  invitations: readonly ActualInvitation[],
  isPaid: IsPaid,
): void {
  if (invitations.length === 0) return;
  const rows = invitations.map(({ id, address, workspace, level, expiresAt }) => ({
    ...{ invitation_id: id, address, workspace, level, expires_at: expiresAt },
    is_paid: isPaidInvitation(level, isPaid),
  }));
  tx.send(sql`
    insert into blue_invitations (tenant_id, invitation_id, address, workspace, level, expires_at, is_paid)
    select ${tx.tenantId}, r.* from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as r (invitation_id text, address text, workspace text, level text, expires_at timestamptz, is_paid boolean)
  `);
}
