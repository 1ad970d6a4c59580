/** The world that is measured: one large tenant, and two small ones in which everybody wants one of the last seats. */

import pg from 'pg';
import type { Database } from '../../src/db/database.ts';
import type { GroupId, MappingId, UserId } from '../../src/kernel/ids.ts';
import type { BenchDatabase } from '../postgres.ts';
import { type Filling, fill, finishLoad, prepareLoad } from './load-sql.ts';
import { type BenchTenant, type EditedMapping, makeTenant } from './operations.ts';
import { type Contest, editedRank, mappedGroups, type Size } from './size.ts';

export interface World {
  size: Size;
  large: BenchTenant;
  /** The mapping of a group with 6 % of the people. */
  edited: EditedMapping & { members: number };
  store: ContestTenant;
  http: ContestTenant;
  /** Sees all tenants and takes no part in what is measured. */
  inspector: Inspector;
}

export interface ContestTenant extends BenchTenant {
  groupId: GroupId;
  people: UserId[];
}

/** Rows of all three tenants. */
export type Counts = Record<'users' | 'groups' | 'memberships' | 'mappings', number>;

export class Inspector {
  readonly #client: pg.Client;

  constructor(client: pg.Client) {
    this.#client = client;
  }

  async rows<Row>(text: string, ...values: unknown[]): Promise<Row[]> {
    return (await this.#client.query(text, values)).rows;
  }

  async number(text: string, ...values: unknown[]): Promise<number> {
    const [row] = await this.rows<{ n: string }>(text, ...values);
    return Number(row?.n ?? Number.NaN);
  }

  async counts(): Promise<Counts> {
    const one = (table: string) => this.number(`select count(*) as n from ${table}`);
    return {
      users: await one('users'),
      groups: await one('groups'),
      memberships: await one('memberships'),
      mappings: await one('mappings'),
    };
  }
}

export async function openInspector(
  { superuserUrl }: BenchDatabase,
  ending: AsyncDisposableStack,
): Promise<Inspector> {
  return new Inspector(await connect(superuserUrl, ending));
}

async function connect(url: string, ending: AsyncDisposableStack): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  // A server that stops takes its connections with it: a query that runs fails by itself.
  client.on('error', () => {});
  await client.connect();
  ending.defer(() => client.end());
  return client;
}

export interface Making {
  database: Database;
  server: BenchDatabase;
  inspector: Inspector;
  size: Size;
  seed: number;
}

export async function makeWorld({ database, server, inspector, size, seed }: Making): Promise<World> {
  await using loading = new AsyncDisposableStack();
  const loader = await connect(server.superuserUrl, loading);
  await prepareLoad(loader);
  const large = await makeTenant(database, 'bench-large', size.seats);
  const mapped = mappedGroups(size);
  const { users, groups } = size;
  await fill(loader, { ...large, seed, users, groups, mapped, isEmpty: false });
  const contest = async (slug: string, { seats, people }: Contest) => {
    const tenant = await makeTenant(database, slug, seats);
    await fill(loader, { ...tenant, ...emptyGroup, seed, users: people });
    return tenant;
  };
  const [store, http] = [await contest('bench-store', size.store), await contest('bench-http', size.http)];
  await finishLoad(loader);
  return {
    size,
    large,
    edited: await editedMapping(inspector, large),
    store: await withPeople(inspector, store),
    http: await withPeople(inspector, http),
    inspector,
  };
}

const emptyGroup: Pick<Filling, 'groups' | 'mapped' | 'isEmpty'> = {
  groups: 1,
  mapped: [{ rank: 1, priority: 1, role: 'team_member', workspace: 'workspace-1' }],
  isEmpty: true,
};

async function editedMapping(inspector: Inspector, { tenantId }: BenchTenant): Promise<World['edited']> {
  const [row] = await inspector.rows<{
    id: MappingId;
    group_id: GroupId;
    workspaces: string[];
    priority: number;
  }>(
    `select m.id, m.group_id, m.workspaces, m.priority
     from mappings m join groups g on g.tenant_id = m.tenant_id and g.id = m.group_id
     where m.tenant_id = $1 and g.display_name = $2`,
    tenantId,
    `Team ${editedRank}`,
  );
  const { id, group_id: groupId, workspaces: [workspace = ''] = [], priority } = row ?? {};
  if (id === undefined || groupId === undefined || priority === undefined)
    throw new Error('no mapping to edit');
  const members = await inspector.number(
    'select count(*) as n from memberships where tenant_id = $1 and group_id = $2',
    tenantId,
    groupId,
  );
  return { id, groupId, workspace, priority, members };
}

async function withPeople(inspector: Inspector, tenant: BenchTenant): Promise<ContestTenant> {
  const { tenantId } = tenant;
  const [group] = await inspector.rows<{ id: GroupId }>(
    'select id from groups where tenant_id = $1',
    tenantId,
  );
  if (group === undefined) throw new Error(`no group in ${tenant.slug}`);
  const people = await inspector.rows<{ id: UserId }>(
    'select id from users where tenant_id = $1 order by id',
    tenantId,
  );
  return { ...tenant, groupId: group.id, people: people.map(({ id }) => id) };
}
