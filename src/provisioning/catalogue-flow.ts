/**
 * Writes new versions of the role catalogue, and foresees what one would do to each tenant. A version counts for a tenant
 * from the moment that it is adopted there (`catalogue-adoption-flow.ts`).
 */

import type { Actor } from '../audit/audit-event.ts';
import type { Connection, Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { sameJson } from '../kernel/same-json.ts';
import { catalogueOf, type RoleEntry, roleKeys } from '../licensing/catalogue.ts';
import { catalogueProblem } from '../licensing/catalogue-check.ts';
import { termsAt } from '../licensing/contract.ts';
import { type Decision, isSeated } from '../licensing/effect.ts';
import { areSame, type Told, toldOf } from '../licensing/impact.ts';
import type { Tenant } from '../tenants/tenant.ts';
import {
  type CatalogueVersion,
  changingCatalogue,
  type FallbackUse,
  insertCatalogueVersion,
  selectFallbackUses,
  selectNames,
  selectNewestCatalogue,
} from './catalogue-store.ts';
import { foresee } from './decide-flow.ts';
import type { DecisionChange, Plan } from './plan.ts';
import { readPool } from './pool-store.ts';
import { byCatalogue } from './prospect.ts';

export interface CatalogueDraft {
  roles: readonly RoleEntry[];
  reason: string;
}

/**
 * Records a version; one that says the same as the newest is not recorded again.
 *
 * @throws Fault `invalid` naming the field: see `catalogueProblem`; a role that a contract or mapping falls back to.
 */
export async function putCatalogue(
  database: Database,
  actor: Actor,
  now: Date,
  { roles, reason }: CatalogueDraft,
): Promise<CatalogueVersion> {
  return await changingCatalogue(database, async (connection) => {
    await refuseUnusable(connection, roles);
    const newest = await selectNewestCatalogue(connection);
    const ordered = roles.toSorted((a, b) => roleKeys.indexOf(a.key) - roleKeys.indexOf(b.key));
    if (sameJson(newest.roles, ordered)) return newest;
    const next = catalogueOf({ version: newest.version + 1, roles: ordered });
    const version = { ...next, recordedAt: now, actor, reason };
    await insertCatalogueVersion(connection, version);
    return version;
  });
}

/** Uses of a fallback role that a refusal names; of more it tells that there are. */
const usesMax = 5;

/** @throws Fault as `putCatalogue`. */
export async function refuseUnusable(
  reader: Pick<Connection, 'run'>,
  roles: readonly RoleEntry[],
): Promise<void> {
  const problem = catalogueProblem(roles);
  if (problem !== undefined) throw new Fault('invalid', problem.text, { field: problem.field });
  const paid = roles.filter(({ billing }) => billing === 'paid').map(({ key }) => key);
  const uses = await selectFallbackUses(reader, paid, usesMax + 1);
  const [first] = uses;
  if (first === undefined) return;
  const field = `roles.${roles.findIndex(({ key }) => key === first.role)}.billing`;
  const named = uses.slice(0, usesMax).map(useText).join(', ');
  const more = uses.length > usesMax ? ', and more' : '';
  throw new Fault('invalid', `"${field}" must stay free while it is fallen back to: ${named}${more}.`, {
    field,
  });
}

function useText({ slug, mapping_id: mapping, role }: FallbackUse): string {
  return `${role} by ${mapping === null ? 'the contract' : `mapping ${mapping}`} of ${slug}`;
}

/** What a person asks for and has. */
interface Standing {
  roles: { role: string; workspace: string }[];
  seat: Told['seat'];
}

export interface CataloguePreview {
  tenant: Tenant;
  /** Held, within the capacity. */
  seats: { before: number; after: number };
  /** People of whom a role that is asked for becomes paid or free. */
  people: number;
  /** Of them, who wants a seat then, and did not; and who no longer does. */
  toPaid: number;
  toFree: number;
  /** Whoever then has a seat, has none any more, or waits for one, also by what others give back. */
  gained: number;
  lost: number;
  queued: number;
  /** Who then has something else, the first by userName. */
  users: { id: string; userName: string; before: Standing; after: Standing }[];
}

/** What these roles would do to tenants; nothing is written. @throws Fault as `putCatalogue`. */
export async function previewCatalogue(
  database: Database,
  now: Date,
  roles: readonly RoleEntry[],
  tenants: readonly Tenant[],
): Promise<CataloguePreview[]> {
  await refuseUnusable(database, roles);
  const previews: CataloguePreview[] = [];
  for (const tenant of tenants) {
    previews.push(await inTenant(database, tenant.id, (tx) => previewTenant(tx, now, roles, tenant)));
  }
  return previews;
}

async function previewTenant(
  tx: TenantTransaction,
  now: Date,
  roles: readonly RoleEntry[],
  tenant: Tenant,
): Promise<CataloguePreview> {
  const pool = await readPool(tx);
  const prospect = byCatalogue(pool, roles);
  const none: Pick<Plan, 'changes' | 'usage'> = { changes: [], usage: pool.usage };
  const { changes, usage } =
    prospect.affected.roles.length === 0 ? none : (await foresee(tx, { now }, prospect)).plan;
  const { policy } = termsAt(pool.contract, now);
  const told = changes.map(({ userId, before, after }) => {
    const [was, is] = [toldOf(before, policy), toldOf(after, policy)];
    return { userId, before: was, after: is };
  });
  // Whose role is called paid or free, and stays what it is, is counted alone.
  const byId = new Map(
    told.filter(({ before, after }) => !areSame(before, after)).map((one) => [one.userId, one]),
  );
  const names = await selectNames(tx, [...byId.keys()], limits.previewedUsersMax);
  return {
    tenant,
    seats: { before: pool.usage.held, after: usage.held },
    ...countsOf(changes),
    users: names.flatMap(({ id, userName }) => {
      const one = byId.get(id);
      return one === undefined
        ? []
        : [{ id, userName, before: standingOf(one.before), after: standingOf(one.after) }];
    }),
  };
}

function countsOf(changes: readonly DecisionChange[]) {
  const count = (is: (before: Decision | null, after: Decision | null) => boolean) =>
    changes.filter(({ before, after }) => is(before, after)).length;
  const wants = (one: Decision | null) => one !== null && one.claim !== null;
  const has = (one: Decision | null) => one !== null && isSeated(one.seat);
  const waits = (one: Decision | null) => one?.seat === 'waiting';
  return {
    people: count((before, after) => billingsOf(before) !== billingsOf(after)),
    toPaid: count((before, after) => !wants(before) && wants(after)),
    toFree: count((before, after) => wants(before) && !wants(after)),
    gained: count((before, after) => !has(before) && has(after)),
    lost: count((before, after) => has(before) && !has(after)),
    queued: count((before, after) => !waits(before) && waits(after)),
  };
}

function billingsOf(decision: Decision | null): string {
  return (decision?.requested ?? []).map(({ billing }) => billing).join();
}

function standingOf({ roles, seat }: Told): Standing {
  return { roles: roles.map(({ role, workspace }) => ({ role, workspace })), seat };
}
