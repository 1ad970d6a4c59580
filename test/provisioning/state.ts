/** Everything that stands in a tenant's tables about people and seats, read in one round trip. */

import { sql } from 'kysely';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { GroupId, MappingId, UserId } from '../../src/kernel/ids.ts';
import type { Approval } from '../../src/licensing/mapping.ts';
import { decisionColumns } from '../../src/provisioning/decision-store.ts';
import type { TestWorld } from '../support/tenants.ts';

export interface UserRow {
  id: UserId;
  user_name: string;
  user_name_key: string;
  active: boolean;
  address: string | null;
  address_order: number;
  role_values: string[];
  claim_values: string[];
  default_role: string | null;
}

export interface MappingRow {
  id: MappingId;
  priority: number;
  group_id: GroupId | null;
  group_display_name: string | null;
  role_value: string | null;
  claim_value: string | null;
  role: string;
  workspaces: string[];
  fallback_role: string | null;
  sub_pool: string | null;
  approval: Approval | null;
  valid_from: Date | null;
  valid_until: Date | null;
}

export interface PinRow {
  user_id: UserId;
  role: string;
  workspaces: string[] | null;
  until: Date | null;
  reserved: boolean;
}

export interface DecisionRow {
  user_id: UserId;
  requested: { role: string; workspace: string; via: string; fallbackRole: string | null }[];
  effective: { role: string; billing: string; workspace: string; via: string }[];
  priority: number | null;
  claimed_at: Date | null;
  rank_at: Date | null;
  tie: string;
  may_preempt: boolean;
  seat: 'none' | 'held' | 'overage' | 'hold' | 'waiting';
  since: Date;
  refusal: string | null;
  sub_pool: string | null;
  kept_claimed_at: Date | null;
  kept_until: Date | null;
  overage_since: Date | null;
  notice_until: Date | null;
  approval: 'pending' | 'refused' | null;
  unasked: boolean;
  due_at: Date | null;
}

export interface ContractRow {
  kind: 'evaluation' | 'annual' | 'multi_year';
  paid_seats: number | null;
  starts_on: string;
  ends_on: string;
  overage_policy: 'queue' | 'fallback' | 'grace' | 'allow' | 'block';
  allowance_percent: number | null;
  grace_days: number | null;
  evaluation_grace_days: number;
  decrease_grace_days: number;
  fallback_role: string;
}

export interface LineRow {
  id: string;
  kind: 'amendment' | 'add_on' | 'ramp';
  effective_on: string;
  ends_on: string | null;
  sets_seats: boolean;
  paid_seats: number | null;
  contract_ends_on: string | null;
}

export interface PoolRow {
  used: number;
  overage: number;
  on_hold: number;
  ceiling: number | null;
  unmanaged_paid: number;
  due_at: Date | null;
  evaluating: boolean;
  batch_opened_at: Date | null;
  settles_at: Date | null;
  excess_since: Date | null;
  staged_since: Date | null;
}

export interface SubPoolRow {
  name: string;
  seats: number;
  borrow_limit: number | null;
  used: number;
}

export interface VerdictRow {
  user_id: UserId;
  via: string;
  is_granted: boolean;
}

export interface SettingsRow {
  default_role: string;
  seat_order: 'sticky' | 'strict';
  settlement: 'immediate' | 'cycle' | 'staged';
  hold_minutes: number;
  notice_hours: number;
  exclusions: string[];
  approvals: Record<string, Approval>;
  two_person_rule: boolean;
  reclaim_due_at: Date | null;
}

const usualSettings: SettingsRow = {
  default_role: 'none',
  seat_order: 'sticky',
  settlement: 'immediate',
  hold_minutes: 60,
  notice_hours: 24,
  exclusions: [],
  approvals: {},
  two_person_rule: false,
  reclaim_due_at: null,
};

export interface State {
  now: Date;
  users: UserRow[];
  groups: { id: GroupId; display_name: string; mapped: boolean }[];
  memberships: { group_id: GroupId; user_id: UserId }[];
  mappings: MappingRow[];
  pins: PinRow[];
  contract: ContractRow | undefined;
  lines: LineRow[];
  settings: SettingsRow;
  pool: PoolRow;
  sub_pools: SubPoolRow[];
  decisions: DecisionRow[];
  verdicts: VerdictRow[];
  /** Whose seat was taken because it lay idle. */
  reclaimed: ReadonlySet<UserId>;
  /** Whose decisions wait until an administrator lets them happen. */
  staged: ReadonlySet<UserId>;
  /** Edits that wait for a second person. */
  requests: string[];
  /** Changes whenever any row that a decision writes is written again, even with the same values. */
  fingerprint: { decisions: string; pool: string };
}

/** What a decision rests on, by ids that differ from world to world: see provisioning/basis.ts. */
interface Prints {
  basis: string;
  terms_basis: string;
}

interface Waiting {
  reclaimed: UserId[];
  staged: UserId[];
  requests: string[];
}

export async function readState(world: TestWorld): Promise<State> {
  const { tenantId } = world;
  const own = sql`where tenant_id = ${tenantId}`;
  const read = await inTenant(world.database, tenantId, (tx) =>
    Promise.all([
      tx.run(sql<UserRow>`
        select id, user_name, user_name_key, active, address, address_order, role_values, claim_values, default_role from users ${own} order by id`),
      tx.run(sql<State['groups'][number]>`select id, display_name, mapped from groups ${own} order by id`),
      tx.run(
        sql<State['memberships'][number]>`select group_id, user_id from memberships ${own} order by 1, 2`,
      ),
      tx.run(sql<MappingRow>`select * from mappings ${own} order by priority`),
      tx.run(sql<PinRow>`select * from pins ${own} order by user_id`),
      tx.run(sql<ContractRow>`select * from contracts ${own}`),
      tx.run(sql<{ row: ContractRow }>`
        select jsonb_build_object('kind', document ->> 'kind', 'paid_seats', document -> 'paidSeats',
          'starts_on', document ->> 'startsOn', 'ends_on', document ->> 'endsOn', 'overage_policy', document ->> 'policy',
          'allowance_percent', document -> 'allowancePercent', 'grace_days', document -> 'graceDays',
          'evaluation_grace_days', document -> 'evaluationGraceDays',
          'decrease_grace_days', document -> 'decreaseGraceDays', 'fallback_role', document ->> 'fallbackRole') as row
        from contract_lines ${own} and kind = 'base' and superseded_at is null
      `),
      tx.run(sql<LineRow>`
        select * from contract_lines ${own} and kind <> 'base' and superseded_at is null
        order by effective_on, recorded_at, id`),
      tx.run(sql<SettingsRow>`select * from tenant_settings ${own}`),
      tx.run(sql<PoolRow>`select * from seat_pools ${own}`),
      tx.run(sql<SubPoolRow>`
        select n.name, n.seats, n.borrow_limit, coalesce((p.sub_pool_use ->> n.name)::integer, 0) as used
        from sub_pools n join seat_pools p using (tenant_id) ${own} order by n.name`),
      tx.run(
        sql<
          DecisionRow & Prints
        >`select d.user_id, d.tie, d.rank_at, d.basis, d.terms_basis, ${decisionColumns} from decisions d ${own} order by user_id`,
      ),
      tx.run(sql<VerdictRow>`select user_id, via, is_granted from seat_approvals ${own}`),
      tx.run(sql<Waiting>`select
        coalesce((select jsonb_agg(user_id order by user_id) from seat_reclaims ${own} and state = 'taken'), '[]') as reclaimed,
        coalesce((select jsonb_agg(user_id order by user_id) from evaluation_marks ${own} and staged), '[]') as staged,
        coalesce((select jsonb_agg(id order by id) from edit_requests ${own} and state = 'pending'), '[]') as requests`),
      tx.run(sql<State['fingerprint']>`
        select concat_ws(' ', (select count(*) from audit_trail ${own}),
          (select string_agg(xmin::text, ',' order by user_id) from decisions ${own}),
          (select string_agg(xmin::text, ',' order by user_id) from blue_sync ${own}),
          (select string_agg(id::text, ',' order by id) from blue_sync_batches ${own})) as decisions,
          (select xmin::text from seat_pools ${own}) as pool`),
    ]),
  );
  const [
    users,
    groups,
    memberships,
    mappings,
    pins,
    contracts,
    bases,
    allLines,
    settings,
    [pool],
    sub_pools,
    printed,
    verdicts,
    [waiting],
    [print],
  ] = read;
  const decisions = printed.map(({ basis: _, terms_basis: __, ...row }) => row);
  if (pool === undefined || print === undefined || waiting === undefined) throw new Error('no such tenant');
  const { contract, lines } = termAt(contracts[0], bases, allLines, world.now);
  const rest = {
    users,
    groups,
    memberships,
    mappings,
    pins,
    contract,
    lines,
    pool,
    sub_pools,
    decisions,
    verdicts,
  };
  const { reclaimed, staged, requests } = waiting;
  const others = { reclaimed: new Set(reclaimed), staged: new Set(staged), requests };
  return { now: world.now, ...rest, ...others, settings: settings[0] ?? usualSettings, fingerprint: print };
}

/** What was signed ahead holds from its first day, with the lines from then on; until then those before it count. */
function termAt(
  first: ContractRow | undefined,
  bases: readonly { row: ContractRow }[],
  lines: readonly LineRow[],
  now: Date,
) {
  if (first === undefined) return { contract: undefined, lines: [...lines] };
  const today = now.toISOString().slice(0, 10);
  const days = bases.map(({ row }) => row.starts_on).sort();
  const begins = days.findLast((day) => day <= today);
  const ends = days.find((day) => day > today && day !== first.starts_on) ?? '9999-12-31';
  const held = bases.find(({ row }) => row.starts_on === begins)?.row ?? first;
  const isFirst = held.starts_on === first.starts_on;
  const own = lines.filter(({ effective_on: day }) => (isFirst || held.starts_on <= day) && day < ends);
  return { contract: isFirst ? first : held, lines: own };
}

/** Who waits for a seat, and not for somebody's word. */
export function queueOf(state: State): DecisionRow[] {
  return seatsOf(state, 'waiting').filter(({ approval }) => approval === null);
}

export function seatsOf({ decisions }: State, ...seats: DecisionRow['seat'][]): DecisionRow[] {
  return decisions.filter(({ seat }) => seats.includes(seat));
}
