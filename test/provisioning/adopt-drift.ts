/** Somebody with a paid role turns up in Blue, is counted, and is adopted. Nothing carries these tenants into Blue: the rows are all of it. */

import { sql } from 'kysely';
import { expect } from 'vitest';
import type { ActualMembership } from '../../src/blue/actual-state.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { type Adopted, adopt } from '../../src/provisioning/adoption-flow.ts';
import { noteUnmanagedPaid } from '../../src/provisioning/unmanaged-flow.ts';
import type { TestWorld } from '../support/tenants.ts';
import { emailsOf } from './choices.ts';
import type { Edit } from './edits.ts';
import { readState, type State } from './state.ts';

export interface InBlue {
  blueUserId: string;
  address: string | null;
  memberships: ActualMembership[];
}

const places = ['w1', 'w2'].map((id) => ({ id, name: id }));

/** Lists of before an hour would hold up whatever looks at idle seats. */
const neverSilent = new Date('2999-01-01T00:00:00Z');

/** As after its lists were read; a tenant that is connected stays so. */
export async function connect(world: TestWorld): Promise<void> {
  const actual = {
    ...{ organizationId: 'org', ownerUserId: 'owner', selfUserId: 'owner', addressesHidden: false },
    ...{ workspaces: places, customRoles: places.map(({ id }) => ({ id, name: 'Reviewer', workspace: id })) },
  };
  await inTenant(world.database, world.tenantId, async (tx) =>
    tx.send(sql`
      insert into blue_connections (tenant_id, organization_id, token_id, token_secret, mode, deactivation, default_workspaces,
        drift, actual, actual_read_at)
      values (${tx.tenantId}, 'org', 't', '', 'observe', 'leave_workspaces', '{}', 'report', ${JSON.stringify(actual)}::jsonb, ${neverSilent})
      on conflict (tenant_id) do nothing`),
  );
}

/** As Blue's lists tell; all of the memberships are paid. */
export async function turnUp(world: TestWorld, { blueUserId, address, memberships }: InBlue): Promise<void> {
  const paid = memberships.map(({ workspace }) => workspace);
  await inTenant(world.database, world.tenantId, async (tx) =>
    tx.send(sql`
      insert into blue_members (tenant_id, blue_user_id, address, memberships, paid_workspaces)
      values (${tx.tenantId}, ${blueUserId}, ${address}, ${JSON.stringify(memberships)}::jsonb, ${paid}::text[])`),
  );
}

export async function adoptOne(world: TestWorld, blueUserId: string): Promise<Adopted> {
  const [one] = await adopt(world.database, world.door, [blueUserId], 'test');
  if (one === undefined) throw new Error('an answer for each');
  return one;
}

type Adoption = Extract<Edit, { kind: 'adopt' }>;

/** Answers true: whoever is refused is counted all the same. */
export async function adoptDrift(
  world: TestWorld,
  { address, level, workspaces }: Adoption,
  step: number,
): Promise<boolean> {
  await connect(world);
  const { database, door } = world;
  const [email] = emailsOf(address).emails;
  const memberships = workspaces.map((workspace) => ({ workspace, level, customRole: null }));
  const blueUserId = `b${step}`;
  await turnUp(world, { blueUserId, address: email?.value ?? null, memberships });
  try {
    await noteUnmanagedPaid(database, door, 1);
    const before = await readState(world);
    const adopted = await adoptOne(world, blueUserId);
    if (!world.isShared) checkAdopted(adopted, before, await readState(world));
    return true;
  } finally {
    // What becomes of a person later is not to depend on it.
    await inTenant(database, world.tenantId, async (tx) =>
      tx.send(sql`delete from blue_members where tenant_id = ${tx.tenantId}`),
    );
  }
}

function checkAdopted({ result, userId, adoption }: Adopted, before: State, after: State): void {
  const seats = ({ decisions }: State) =>
    decisions.flatMap((row) => (row.user_id === userId ? [] : [[row.user_id, row.seat]]));
  expect(seats(after), 'an adoption changes nobody else’s seat').toEqual(seats(before));
  if (result !== 'adopted') {
    expect(after, 'who is refused leaves no trace').toEqual(before);
    return;
  }
  const { used, unmanaged_paid: unmanaged } = before.pool;
  expect(after.pool, 'the seat was counted before').toMatchObject({
    ...{ used: used + 1, unmanaged_paid: unmanaged - 1 },
  });
  const own = after.decisions.find((row) => row.user_id === userId);
  expect(own?.effective, 'who is adopted keeps what they have in Blue').toEqual(
    adoption?.workspaces.map((workspace) => ({
      ...{ role: adoption.role, billing: 'paid', workspace, via: 'PIN' },
    })),
  );
}
