/** A tenant made and filled through the flows, without HTTP, under a clock that the test moves. */

import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Door } from '../../src/audit/door.ts';
import type { Database } from '../../src/db/database.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { MemberEdit } from '../../src/directory/group.ts';
import type { GroupId, TenantId, UserId } from '../../src/kernel/ids.ts';
import type { JsonObject } from '../../src/kernel/json.ts';
import type { ContractDraft } from '../../src/licensing/contract.ts';
import { putContract } from '../../src/provisioning/contract-flow.ts';
import { createGroup, removeGroup, reviseGroup } from '../../src/provisioning/group-flow.ts';
import type { Making } from '../../src/provisioning/made-people-store.ts';
import type { MappingDraft, StoredMapping } from '../../src/provisioning/mapping-draft.ts';
import { createMapping } from '../../src/provisioning/mapping-flow.ts';
import { settle } from '../../src/provisioning/settle-flow.ts';
import { createUser, reviseUser } from '../../src/provisioning/user-flow.ts';
import { removeUser } from '../../src/provisioning/user-removal-flow.ts';
import { createDirectory, createTenant, type Directory } from '../../src/tenants/tenant-flow.ts';

export const testActor = { kind: 'operator', id: 'test', name: 'test' } as const;
export const startOfTests = new Date('2026-03-10T12:00:00Z');

/** A contract in force at `startOfTests`. */
export const usualContract: ContractDraft = {
  kind: 'annual',
  tier: 'test',
  paidSeats: 3,
  startsOn: '2026-01-01',
  endsOn: '2026-12-31',
  policy: 'queue',
  fallbackRole: 'view_only',
  paymentSchedule: 'annual',
  terms: null,
  documentReference: null,
  accountManager: null,
  billingPortalUrl: null,
  evaluationGraceDays: 14,
  decreaseGraceDays: 30,
  allowancePercent: null,
  graceDays: null,
};

export class TestWorld {
  readonly database: Database;
  readonly tenantId: TenantId;
  readonly directory: Directory;
  now: Date;
  /** undefined: as many as there may be. */
  peoplePerDecision: number | undefined;
  /** Others write at the same time: what an edit leaves can't be told from what they do. */
  isShared = false;

  constructor(database: Database, tenantId: TenantId, directory: Directory, now: Date) {
    this.database = database;
    this.tenantId = tenantId;
    this.directory = directory;
    this.now = now;
  }

  get door(): Door {
    const { tenantId, now, peoplePerDecision: most } = this;
    const atATime = most === undefined ? {} : { peoplePerDecision: most };
    return { tenantId, actor: testActor, now, requestId: null, ...atATime };
  }

  pass(ms: number): void {
    this.now = new Date(this.now.getTime() + ms);
  }

  /** Active unless told otherwise, with the userName as address unless `emails` are given. */
  async user(userName: string, attributes: JsonObject = {}, making?: Making): Promise<UserId> {
    const draft = { attributes: { userName, active: true, ...attributes }, externalId: null };
    const extras = making === undefined ? {} : { making };
    const view = await createUser(this.database, this.door, this.directory, draft, extras);
    return view.user.id;
  }

  async revise(id: UserId, change: JsonObject, door = this.door): Promise<void> {
    await reviseUser(this.database, door, {
      id,
      directoryId: this.directory.id,
      withGroups: false,
      foresight: 'never',
      revise: ({ attributes, externalId }) => ({ attributes: { ...attributes, ...change }, externalId }),
    });
  }

  remove(id: UserId): Promise<void> {
    return removeUser(this.database, this.door, id);
  }

  async group(displayName: string, members: readonly UserId[] = []): Promise<GroupId> {
    const draft = { attributes: { displayName }, externalId: null };
    const group = await createGroup(this.database, this.door, this.directory.id, draft, members);
    return group.id;
  }

  /** As the identity provider: it moves people in several steps. */
  get directoryDoor(): Door {
    const { id, name } = this.directory;
    return { ...this.door, actor: { kind: 'directory', id, name, token: 'test' } };
  }

  async editGroup(
    id: GroupId,
    edit: Partial<MemberEdit>,
    displayName?: string,
    door = this.door,
  ): Promise<void> {
    const { database, directory } = this;
    await reviseGroup(database, door, {
      id,
      directoryId: directory.id,
      edit: { clear: false, add: [], remove: [], ...edit },
      revise: ({ attributes, externalId }) => ({
        attributes: displayName === undefined ? attributes : { ...attributes, displayName },
        externalId,
      }),
    });
  }

  /** Puts so many people into the group, who are in no other; nobody decides for them. */
  async fill(group: GroupId, people: number): Promise<void> {
    const { tenantId } = this;
    await inTenant(this.database, tenantId, async (tx) => {
      tx.send(sql`
        insert into users (tenant_id, id, attributes, user_name, user_name_key, active, address, tie_key, created_at,
          last_modified)
        select ${tenantId}, gen_random_uuid(), jsonb_build_object('userName', name, 'active', true), name, name, true,
          name || '@example.com', name, now(), now()
        from (select ${group} || '-' || n from generate_series(1, ${people}::int) as n) as p (name)`);
      tx.send(sql`
        insert into memberships select tenant_id, ${group}, id from users u where tenant_id = ${tenantId}
          and not exists (select from memberships m where m.tenant_id = u.tenant_id and m.user_id = u.id)`);
    });
  }

  removeGroup(id: GroupId): Promise<void> {
    return removeGroup(this.database, this.door, id);
  }

  map(draft: Pick<MappingDraft, 'group' | 'priority'> & Partial<MappingDraft>): Promise<StoredMapping> {
    return createMapping(this.database, this.door, this.mapping(draft));
  }

  /** A team member in one workspace unless told otherwise. */
  mapping(draft: Pick<MappingDraft, 'group' | 'priority'> & Partial<MappingDraft>): MappingDraft {
    return {
      role: 'team_member',
      workspaces: ['w1'],
      fallbackRole: null,
      validFrom: null,
      validUntil: null,
      mayPreempt: false,
      approval: null,
      subPool: null,
      ...draft,
    };
  }

  async contract(change: Partial<ContractDraft> = {}): Promise<void> {
    await putContract(this.database, this.door, { ...usualContract, ...change });
  }

  /** Ties break as in every other tenant of the same salt. */
  async salt(text: string): Promise<void> {
    await inTenant(this.database, this.tenantId, async (tx) => {
      tx.send(sql`update tenants set tie_salt = ${text} where tenant_id = ${this.tenantId}`);
    });
  }

  settle(): Promise<number> {
    return settle(this.database, this.door);
  }
}

export async function newWorld(database: Database, now = startOfTests): Promise<TestWorld> {
  const slug = `t-${randomBytes(6).toString('hex')}`;
  const door = { actor: testActor, now, requestId: null };
  const { id } = await createTenant(database, door, { name: slug, slug });
  const named = { name: 'test', kind: 'generic' } as const;
  const directory = await createDirectory(database, { ...door, tenantId: id }, named);
  return new TestWorld(database, id, directory, now);
}
