/** The shape of the tables about contracts, mappings, seats and decisions, as migrations/ makes them. */

import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type { Json, JsonObject, Time } from './tables.ts';

export interface LicensingTables {
  contract_lines: {
    tenant_id: string;
    id: string;
    kind: 'base' | 'amendment' | 'add_on' | 'ramp';
    effective_on: string;
    ends_on: string | null;
    sets_seats: boolean;
    paid_seats: number | null;
    tier: string | null;
    contract_ends_on: string | null;
    reason: string | null;
    document_reference: string | null;
    document: Json<unknown> | null;
    recorded_at: Time;
    superseded_at: ColumnType<Date | null, never, Date>;
  };
  contracts: {
    tenant_id: string;
    kind: 'evaluation' | 'annual' | 'multi_year';
    tier: string;
    paid_seats: number | null;
    starts_on: string;
    ends_on: string;
    payment_schedule: 'annual' | 'quarterly' | 'custom';
    overage_policy: 'queue' | 'fallback' | 'grace' | 'allow' | 'block';
    allowance_percent: number | null;
    grace_days: number | null;
    decrease_grace_days: Generated<number>;
    fallback_role: string;
    terms: string | null;
    document_reference: string | null;
    account_manager: string | null;
    billing_portal_url: string | null;
    evaluation_grace_days: Generated<number>;
    block_lifted_at: ColumnType<Date | null, never, Date | null>;
  };
  mappings: {
    tenant_id: string;
    id: string;
    priority: number;
    group_id: string | null;
    group_display_name: string | null;
    group_display_name_key: string | null;
    group_external_id: string | null;
    role_value: string | null;
    claim_value: string | null;
    valid_from: Time | null;
    valid_until: Time | null;
    may_preempt: Generated<boolean>;
    approval: 'automatic' | 'manual' | 'when_full' | null;
    sub_pool: string | null;
    role: string;
    workspaces: string[];
    fallback_role: string | null;
    created_at: Time;
  };
  mapping_versions: {
    tenant_id: string;
    number: number;
    at: Time;
    actor: Json<JsonObject>;
    cause: string;
    size: number;
    mappings: Json<unknown[]>;
  };
  mapping_drafts: {
    tenant_id: string;
    id: string;
    name: string;
    based_on: number;
    mappings: Json<unknown[]>;
    department: string | null;
    go_live_on: string | null;
    created_at: Time;
    activate_at: Time | null;
    rebase: Generated<boolean>;
    agreed_losses: Generated<number>;
    activated_as: number | null;
    activated_at: Time | null;
    touched: Generated<string[]>;
    failure: string | null;
  };
  seat_pools: {
    tenant_id: string;
    used: Generated<number>;
    ceiling: number | null;
    unmanaged_paid: Generated<number>;
    due_at: Time | null;
    overage: Generated<number>;
    on_hold: Generated<number>;
    evaluating: Generated<boolean>;
    batch_opened_at: Time | null;
    settles_at: Time | null;
    seat_limit: Generated<number | null>;
    seat_capacity: Generated<number | null>;
    excess_since: Time | null;
    settled_at: ColumnType<Date, Date | undefined, Date>;
    frozen: Generated<boolean>;
    staged_since: Time | null;
    losses_since: Time | null;
    losses: Generated<number>;
    catalogue_version: Generated<number>;
    rules_revision: Generated<string>;
    /** By the names of sub-pools. */
    sub_pool_use: ColumnType<JsonObject, string | undefined, string>;
  };
  decisions: {
    tenant_id: string;
    user_id: string;
    /** Of `role_sets`. */
    requested_id: string;
    effective_id: string;
    priority: number | null;
    claimed_at: Time | null;
    tie: string;
    seat: 'none' | 'held' | 'overage' | 'hold' | 'waiting';
    since: Time;
    refusal: string | null;
    rank_at: Time | null;
    kept_claimed_at: Time | null;
    kept_until: Time | null;
    overage_since: Time | null;
    may_preempt: Generated<boolean>;
    notice_until: Time | null;
    approval: 'pending' | 'refused' | null;
    unasked: Generated<boolean>;
    sub_pool: string | null;
    due_at: Time | null;
    basis: Generated<string | null>;
    terms_basis: Generated<string | null>;
  };
  role_sets: {
    tenant_id: string;
    id: string;
    roles: Json<unknown[]>;
    seated_id: string | null;
    in_blue: string;
  };
  pins: {
    tenant_id: string;
    user_id: string;
    role: string;
    workspaces: string[] | null;
    reason: string;
    until: Time | null;
    reserved: boolean;
    actor: Json<JsonObject>;
    created_at: Time;
  };
  sub_pools: {
    tenant_id: string;
    name: string;
    seats: number;
    borrow_limit: number | null;
  };
  seat_refusals: { tenant_id: string; directory_id: string; minute: Time; refusals: number };
  seat_days: { tenant_id: string; day: string; used_max: number; used_last: number };
  alert_states: {
    tenant_id: string;
    seen_used: Generated<number>;
    seen_unmanaged: Generated<number>;
    seen_settled_at: Time | null;
    seen_lifted_at: Time | null;
    look_at: ColumnType<Date, Date | undefined, Date>;
    period: Generated<string>;
    marks: Generated<string[]>;
    compare_at: ColumnType<Date, Date | undefined, Date>;
    differing: Generated<number>;
    miscounted: Generated<number>;
  };
  alerts: {
    tenant_id: string;
    id: string;
    raised_at: Time;
    changed_at: Time;
    items: Json<JsonObject[]>;
    acknowledged_at: Time | null;
    acknowledged_by: Json<JsonObject> | null;
    over_at: Generated<Time | null>;
  };
  edit_requests: {
    tenant_id: string;
    id: string;
    method: string;
    path: string;
    body: Json<unknown> | null;
    because: string[];
    actor: Json<JsonObject>;
    asked_by: string[];
    created_at: Time;
    state: 'pending' | 'applying' | 'approved' | 'refused' | 'outdated';
    decided_by: Json<JsonObject> | null;
    decided_at: Time | null;
    replaces: Json<JsonObject> | null;
  };
  seat_approvals: {
    tenant_id: string;
    user_id: string;
    via: string;
    is_granted: boolean;
    reason: string | null;
    actor: Json<JsonObject>;
    created_at: Time;
  };
  evaluation_marks: {
    tenant_id: string;
    user_id: string;
    keep_until: Time | null;
    staged: Generated<boolean>;
  };
  evaluation_decided: { tenant_id: string; user_id: string };
  evaluation_requests: {
    tenant_id: string;
    id: GeneratedAlways<number>;
    affected: Json<unknown>;
    keep_until: Time | null;
  };
  seat_reclaims: {
    tenant_id: string;
    user_id: string;
    state: 'noticed' | 'taken' | 'kept' | 'undone' | 'returned' | 'withdrawn';
    noticed_at: Time | null;
    reminders: number;
    due_at: Time | null;
    taken_at: Time | null;
    seen_at: Time | null;
    changed_at: Time;
  };
  imports: {
    tenant_id: string;
    id: string;
    created_at: Time;
    actor: Json<JsonObject>;
    request_id: string | null;
    dry_run: boolean;
    columns: string[];
    plan: Json<JsonObject>;
    line_done: Generated<number>;
    marked: Generated<boolean>;
    done_at: Time | null;
  };
  import_rows: {
    tenant_id: string;
    import_id: string;
    line: number;
    cells: string[];
    intake: Json<JsonObject> | null;
    outcome: 'created' | 'updated' | 'unchanged' | 'refused' | null;
    code: string | null;
    detail: string | null;
    user_id: string | null;
    seat: string | null;
  };
}
