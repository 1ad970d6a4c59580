/**
 * The breaker before a version of the role catalogue: it concerns all tenants, and is asked about where it takes more of one than
 * that tenant's own setting lets pass. Each is looked at in a transaction of its own, without a lock; once it is confirmed none is.
 */

import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { isTripped } from '../licensing/breaker.ts';
import { changedRoles, type RoleEntry } from '../licensing/catalogue.ts';
import { listTenants } from '../tenants/credential-store.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { refuseUnusable } from './catalogue-flow.ts';
import { selectNewestCatalogue } from './catalogue-store.ts';
import type { Losses } from './edit.ts';
import { laterText } from './losses.ts';
import { readPool } from './pool-store.ts';
import { lossesBy } from './preview-flow.ts';
import { byCatalogue } from './prospect.ts';

interface TenantLosses extends Losses {
  slug: string;
}

/** @throws Fault `above_breaker` naming `confirm`, and the tenants; as `putCatalogue`. */
export async function gateCatalogue(
  database: Database,
  door: Omit<Door, 'tenantId'>,
  roles: readonly RoleEntry[],
): Promise<void> {
  await refuseUnusable(database, roles);
  // What this says already was asked about when it was written.
  const newest = await selectNewestCatalogue(database);
  if (changedRoles(newest, { roles }).billing.length === 0) return;
  const above: TenantLosses[] = [];
  for await (const { id, slug } of everyTenant(database)) {
    const losses = await lossesAbove(database, { ...door, tenantId: id }, roles);
    if (losses !== undefined) above.push({ ...losses, slug });
  }
  if (above.length > 0) throw aboveBreakers(above);
}

async function* everyTenant(database: Database): AsyncGenerator<Tenant> {
  let last: Tenant | undefined;
  do {
    const page = await listTenants(database, last?.slug ?? '', limits.listLimitMax);
    yield* page;
    last = page.at(-1);
  } while (last !== undefined);
}

/** undefined: the tenant's breaker lets them pass, or is off. */
async function lossesAbove(
  database: Database,
  door: Door,
  roles: readonly RoleEntry[],
): Promise<Losses | undefined> {
  const pool = await inTenant(database, door.tenantId, readPool);
  const { breaker } = pool.rules;
  if (breaker === null || byCatalogue(pool, roles).affected.roles.length === 0) return undefined;
  const losses = await lossesBy(database, door, { op: 'catalogue', roles });
  const isAbove = isTripped(breaker, pool.usage, { since: door.now, seats: 0 }, losses.seatsLost);
  return isAbove ? losses : undefined;
}

/** Tenants that the refusal names, those that lose the most; the others it counts. */
const namedMax = 5;

function aboveBreakers(above: readonly TenantLosses[]): Fault {
  const byLosses = above.toSorted((a, b) => b.seatsLost - a.seatsLost);
  const [named, others] = [byLosses.slice(0, namedMax), byLosses.slice(namedMax)];
  const more = others.reduce((sum, { seatsLost }) => sum + seatsLost, 0);
  const whose = [
    ...named.map(lossesText),
    ...(others.length === 0 ? [] : [`${more} of ${others.length} more tenants`]),
  ];
  const text =
    `This takes a seat, or a role that comes to cost one, from people of tenants whose breaker asks first: ${whose.join(', ')}. ` +
    'Look at its preview, then repeat it with confirm=true (`--confirm`).';
  return new Fault('above_breaker', text, { field: 'confirm' });
}

function lossesText({ slug, ...losses }: TenantLosses): string {
  const later = laterText(losses);
  return `${losses.seatsLost} of ${slug}${later && ` (${later})`}`;
}
