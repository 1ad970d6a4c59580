/**
 * Refuses roles in places that Blue does not have, as far as is known of Blue: a slip of the pen would otherwise be met only
 * by the people it concerns. Nothing is asked of Blue: its lists count as they were last read, and until then all is taken.
 */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { customRoleOf } from '../licensing/catalogue.ts';
import { everyDefaultWorkspace, type Rules, workspacesOf } from '../licensing/mapping.ts';

/** A role, and where it is to be given. */
export interface Placed {
  role: string;
  /** null: wherever mappings lead. */
  workspaces: readonly string[] | null;
  /** Where the caller wrote the role; `role` unless told otherwise. */
  field?: string;
}

interface Places {
  readAt: Date;
  workspaces: { id: string; name: string }[];
  customRoles: { name: string; workspace: string }[];
}

/**
 * A custom role that only some of the workspaces have is taken: the people of the others are told `refused` in Blue.
 *
 * @param standing What is replaced: what it says already is not refused again, so that the rest of it can be changed.
 * @throws Fault `invalid` naming `workspaces`, or the field of the role.
 */
export async function requirePlaces(
  tx: TenantTransaction,
  rules: Pick<Rules, 'defaultWorkspaces'>,
  placed: Placed,
  standing?: Placed,
): Promise<void> {
  await requirePlacesOfAll(tx, rules, [{ placed, standing }]);
}

/** The same of several at once: the lists, which may be long, are read once. @throws Fault naming the field with `within` before it. */
export async function requirePlacesOfAll(
  tx: TenantTransaction,
  rules: Pick<Rules, 'defaultWorkspaces'>,
  all: readonly Replacing[],
): Promise<void> {
  const check = placesCheck(tx, rules);
  for (const one of all) await check(one);
}

export interface Replacing {
  placed: Placed;
  standing: Placed | undefined;
  /** Where the caller has it. */
  within?: string;
}

/** The same of one after the other: the lists are read for the first that needs them. */
export function placesCheck(
  tx: TenantTransaction,
  rules: Pick<Rules, 'defaultWorkspaces'>,
): (one: Replacing) => Promise<void> {
  let reading: ReturnType<typeof selectPlaces> | undefined;
  return async ({ placed, standing, within = '' }) => {
    const wanted = wantedOf(placed, standing);
    if (wanted === undefined) return;
    reading ??= selectPlaces(tx);
    const places = await reading;
    if (places === undefined) return;
    const { added, customRole } = wanted;
    refuseUnknownPlace(added, `${within}workspaces`, places);
    const field = `${within}${placed.field ?? 'role'}`;
    if (customRole !== undefined) refuseUnknownRole({ ...placed, field }, customRole, rules, places);
  };
}

/** What of it did not stand there before; undefined: nothing that Blue would have to have. */
function wantedOf(placed: Placed, standing: Placed | undefined) {
  const known = new Set([everyDefaultWorkspace, ...(standing?.workspaces ?? [])]);
  const added = (placed.workspaces ?? []).filter((id) => !known.has(id));
  const isRoleNew = placed.role !== standing?.role || added.length > 0;
  const customRole = isRoleNew ? customRoleOf(placed.role) : undefined;
  return added.length === 0 && customRole === undefined ? undefined : { added, customRole };
}

/**
 * The same of places alone.
 *
 * @param added Those that did not stand there before.
 * @throws Fault `invalid` naming the field.
 */
export async function requireWorkspaces(
  tx: TenantTransaction,
  added: readonly string[],
  field: string,
): Promise<void> {
  const places = added.length === 0 ? undefined : await selectPlaces(tx);
  if (places !== undefined) refuseUnknownPlace(added, field, places);
}

function refuseUnknownPlace(added: readonly string[], field: string, places: Places): void {
  const missing = added.find((id) => !places.workspaces.some((one) => one.id === id));
  if (missing === undefined) return;
  const text = `"${field}" names ${missing}: the gateway's user administers no such workspace in Blue`;
  throw new Fault('invalid', `${text} (${asOf(places)}).`, { field });
}

function refuseUnknownRole(
  { role, workspaces, field = 'role' }: Placed,
  customRole: string,
  rules: Pick<Rules, 'defaultWorkspaces'>,
  places: Places,
): void {
  const named =
    workspaces === null ? places.workspaces.map(({ id }) => id) : workspacesOf({ workspaces }, rules);
  // Without default workspaces `*` sends nothing to Blue.
  if (named.length === 0 || named.includes(everyDefaultWorkspace)) return;
  const there = places.customRoles.filter(({ workspace }) => named.includes(workspace));
  if (there.some(({ name }) => name === customRole)) return;
  const names = [...new Set(there.map(({ name }) => name))].slice(0, namesMax);
  const others = names.length === 0 ? 'they have none' : `they have ${names.join(', ')}`;
  throw new Fault(
    'invalid',
    `"${field}" ${role}: none of the workspaces has a custom role of that name; ${others} (${asOf(places)}).`,
    { field },
  );
}

/** Names that a refusal tells. */
const namesMax = 10;

function asOf({ readAt }: Places): string {
  return `as Blue's lists were at ${readAt.toISOString()}; a sync with drift reads them anew`;
}

/** undefined: not connected, or nothing that holds for this connection was read. */
async function selectPlaces(tx: TenantTransaction): Promise<Places | undefined> {
  const [row] = await tx.run(sql<Places>`
    select actual_read_at as "readAt", actual -> 'workspaces' as workspaces, actual -> 'customRoles' as "customRoles"
    from blue_connections where tenant_id = ${tx.tenantId} and actual is not null and actual_read_at is not null
  `);
  return row;
}
