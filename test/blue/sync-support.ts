/** A tenant with a directory, a contract and a connection to a double of Blue, and the worker's pass over it. */

import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';
import { Agent } from 'undici';
import { type BlueDouble, type BlueSeed, startBlueDouble } from '../../demo/blue-double/server.ts';
import type { Door } from '../../src/audit/door.ts';
import { carryDue } from '../../src/blue/carry-flow.ts';
import { clientOf } from '../../src/blue/connection-client.ts';
import type { ConnectionDraft } from '../../src/blue/connection-flow.ts';
import { putBlueConnection } from '../../src/blue/connection-flow.ts';
import { selectConnection } from '../../src/blue/connection-store.ts';
import { withLease } from '../../src/blue/lease-flow.ts';
import type { BlueServices } from '../../src/blue/pass-flow.ts';
import { syncTenant } from '../../src/blue/sync-flow.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { assert } from '../../src/kernel/assert.ts';
import type { GroupId, TenantId, UserId } from '../../src/kernel/ids.ts';
import { secretBox } from '../../src/kernel/secret-box.ts';
import { putContract } from '../../src/provisioning/contract-flow.ts';
import { createGroup, reviseGroup } from '../../src/provisioning/group-flow.ts';
import { createMapping, removeMapping } from '../../src/provisioning/mapping-flow.ts';
import { putSettings } from '../../src/provisioning/settings-flow.ts';
import { createUser, reviseUser } from '../../src/provisioning/user-flow.ts';
import { removeUser } from '../../src/provisioning/user-removal-flow.ts';
import { selectUserView } from '../../src/provisioning/user-view-store.ts';
import { selectSettings } from '../../src/tenants/settings-store.ts';
import { createDirectory, createTenant } from '../../src/tenants/tenant-flow.ts';
import { seedOf, TestClock } from '../demo/blue-double/support.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

export const secret = 'pat_owner';

export interface Stage {
  test: TestDatabase;
  close(): Promise<void>;
  tenant(options?: TenantOptions): Promise<BlueTenant>;
  log: Logger;
  logged(): string;
}

export interface TenantOptions {
  seed?: Partial<BlueSeed>;
  connection?: Partial<ConnectionDraft>;
  paidSeats?: number | null;
}

export async function stage(): Promise<Stage> {
  const test = await testDatabase();
  const doubles: BlueDouble[] = [];
  const lines: string[] = [];
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  return {
    test,
    log: pino({ level: 'trace' }, sink),
    logged: () => lines.join(''),
    tenant: async (options = {}) => {
      const made = await makeTenant(test, options);
      doubles.push(made.double);
      return made;
    },
    close: async () => {
      await Promise.all(doubles.map((double) => double.close().catch(() => {})));
      await test.close();
    },
  };
}

export type BlueTenant = Awaited<ReturnType<typeof makeTenant>>;

const never = new AbortController().signal;

async function makeTenant(
  { database }: TestDatabase,
  { seed = {}, connection = {}, paidSeats = null }: TenantOptions,
) {
  const clock = new TestClock();
  const double = await startBlueDouble({ seed: seedOf(seed), clock });
  const services: BlueServices = {
    database,
    clock,
    realClock: clock,
    secrets: secretBox(Buffer.alloc(32, 7)),
    blueApiUrl: double.url,
    blueAgent: new Agent(),
  };
  const actor = { kind: 'system', rule: 'test' } as const;
  const slug = `t-${randomBytes(5).toString('hex')}`;
  const base = { actor, now: clock.now(), requestId: null };
  const { id: tenantId } = await createTenant(database, base, { name: slug, slug });
  const door = (): Door => ({ ...base, tenantId, now: clock.now() });
  const directory = await createDirectory(database, door(), { name: 'okta', kind: 'okta' });
  const write = (draft: Partial<ConnectionDraft> = {}) =>
    putBlueConnection(database, services.secrets, door(), {
      organizationId: 'org',
      tokenId: 't-owner',
      tokenSecret: secret,
      apiUrl: double.url,
      mode: 'apply',
      drift: 'repair',
      ...connection,
      ...draft,
    });
  const contract = (seats: number | null) =>
    putContract(database, door(), {
      kind: 'annual',
      tier: 'x',
      paidSeats: seats,
      startsOn: '2026-01-01',
      endsOn: '2026-12-31',
      policy: 'queue',
      fallbackRole: 'none',
      paymentSchedule: 'annual',
      terms: null,
      documentReference: null,
      accountManager: null,
      billingPortalUrl: null,
      evaluationGraceDays: 14,
      decreaseGraceDays: 30,
      allowancePercent: null,
      graceDays: null,
    });
  await contract(paidSeats);
  await write();
  let priority = 0;
  return {
    tenantId,
    double,
    clock,
    services,
    door,
    write,
    contract,
    /** One pass of the worker. */
    sync: () => syncTenant(services, tenantId, { ending: never, abort: never }),
    /** A pass that has read the connection, and no people yet. */
    pass: async () => {
      const connection = await inTenant(database, tenantId, selectConnection);
      assert(connection !== undefined, 'there is a connection');
      const carry = () =>
        withLease(database, tenantId, never, (lease) =>
          carryDue(
            { services, tenantId, lease, ending: never, client: clientOf(services, connection, never) },
            connection,
          ),
        );
      return { carry };
    },
    /** A group whose members have the role. */
    role: async (role: string, workspaces: string[] = ['w1']) => {
      const displayName = `${role} ${randomBytes(4).toString('hex')}`;
      const group = await createGroup(
        database,
        door(),
        directory.id,
        { attributes: { displayName }, externalId: null },
        [],
      );
      priority += 1;
      const mapping = await createMapping(database, door(), {
        ...{ group: { id: group.id }, role, workspaces, priority, fallbackRole: null },
        ...{ validFrom: null, validUntil: null, mayPreempt: false, approval: null, subPool: null },
      });
      return { group: group.id, mapping: mapping.id };
    },
    exclude: async (...exclusions: string[]) => {
      const before = await inTenant(database, tenantId, selectSettings);
      await putSettings(database, door(), { ...before, exclusions });
    },
    unmap: (mapping: Parameters<typeof removeMapping>[2]) => removeMapping(database, door(), mapping),
    user: async (name: string, groups: GroupId[] = []): Promise<UserId> => {
      const attributes = { userName: `${name}@acme.example` };
      const view = await createUser(database, door(), directory, { attributes, externalId: null });
      for (const group of groups) await edit(group, [view.user.id], []);
      return view.user.id;
    },
    edit,
    revise: (id: UserId, change: { active?: boolean; userName?: string; emails?: { value: string }[] }) =>
      reviseUser(database, door(), {
        id,
        directoryId: directory.id,
        revise: ({ attributes, externalId }) => ({ attributes: { ...attributes, ...change }, externalId }),
        foresight: 'always',
        withGroups: false,
      }),
    remove: (id: UserId) => removeUser(database, door(), id),
    blue: async (id: UserId) => {
      const view = await inTenant(database, tenantId as TenantId, (tx) =>
        selectUserView(tx, id, clock.now()),
      );
      const { state, code } = view?.blue ?? { state: 'gone', code: null };
      return code === null ? state : `${state} ${code}`;
    },
    /** Of the people in the workspace, without those of the seed: address without domain, and level. */
    held: (workspace = 'w1') =>
      double.state
        .members(workspace)
        .filter(({ userId }) => !['owner', 'amy', 'max', 'vic'].includes(userId))
        .map(({ email, level, customRole }) => `${email.split('@')[0]} ${customRole ?? level}`)
        .sort(),
    invited: () =>
      double.state
        .invitations()
        .map(({ email, level, workspaceId }) => `${email.split('@')[0]} ${level} ${workspaceId}`)
        .sort(),
    mutations: () =>
      double.state
        .requests()
        .flatMap(({ operations }) => operations)
        .filter((name) => /^(invite|update|remove|cancel|resend)/.test(name)),
  };

  async function edit(group: GroupId, add: UserId[], remove: UserId[]): Promise<void> {
    await reviseGroup(database, door(), {
      id: group,
      directoryId: directory.id,
      edit: { clear: false, add, remove },
      revise: (current) => current,
    });
  }
}
