/** The shape of every table for Kysely, as migrations/ makes them. Ids are plain strings here; stores brand them. */

import type { ColumnType, Generated, GeneratedAlways } from 'kysely';

/** jsonb: read as a value, written as JSON text, since the driver would turn an array into a PostgreSQL array. */
type Json<T> = ColumnType<T, string, string>;
type Time = ColumnType<Date, Date, Date>;

export interface Tables {
  tenants: { tenant_id: string; slug: string; name: string; created_at: Time; tie_salt: string };
  tenant_locators: {
    kind: 'slug' | 'directory_token' | 'api_key' | 'oauth_client';
    key: string;
    tenant_id: string;
  };
  test_clock: { id: Generated<boolean>; offset_ms: number; revision: number };
  operators: { id: string; name: string; key_hash: string; created_at: Time };
  api_keys: {
    tenant_id: string;
    id: string;
    name: string;
    role: 'owner' | 'admin' | 'auditor';
    key_hash: string;
    created_at: Time;
    expires_at: Time | null;
  };
  directories: {
    tenant_id: string;
    id: string;
    name: string;
    kind: 'entra' | 'okta' | 'generic' | 'strict';
    created_at: Time;
  };
  directory_tokens: {
    tenant_id: string;
    id: string;
    directory_id: string;
    name: string;
    token_hash: string;
    created_at: Time;
    expires_at: Time | null;
    client_id: Generated<string | null>;
    scope: Generated<string>;
    last_used_at: ColumnType<Date | null, never, Date>;
  };
  tenant_settings: {
    tenant_id: string;
    parking: Generated<boolean>;
    request_retention_days: Generated<number>;
    schema_revision: Generated<number>;
    default_role: Generated<string>;
    seat_order: Generated<'sticky' | 'strict'>;
    settlement: Generated<'immediate' | 'cycle' | 'staged'>;
    hold_minutes: Generated<number>;
    tombstone_hours: Generated<number>;
    breaker_percent: Generated<number | null>;
    breaker_people: Generated<number | null>;
    reclaim_days: number | null;
    two_person_rule: Generated<boolean>;
    exclusions: Generated<string[]>;
  };
  extension_schemas: {
    tenant_id: string;
    id: string;
    urn: string;
    urn_key: string;
    resource_type: 'User' | 'Group';
    name: string;
    description: string;
    attributes: Json<unknown[]>;
    directory_ids: string[] | null;
    created_at: Time;
  };
  parked_members: {
    tenant_id: string;
    group_id: string;
    directory_id: string;
    value: string;
    value_key: string;
    since: Time;
  };
  unanswered_creations: {
    tenant_id: string;
    resource_id: string;
    directory_id: string;
    draft_hash: string;
    created_at: Time;
  };
  oauth_clients: {
    tenant_id: string;
    id: string;
    directory_id: string;
    name: string;
    scope: string;
    issuer: string | null;
    audience: string | null;
    subject: string | null;
    created_at: Time;
  };
  oauth_client_secrets: {
    tenant_id: string;
    id: string;
    client_id: string;
    secret_hash: string;
    created_at: Time;
    expires_at: Time | null;
    last_used_at: ColumnType<Date | null, never, Date>;
  };
  recorded_requests: {
    tenant_id: string;
    id: string;
    at: Time;
    directory_id: string;
    token_id: string;
    request_id: string;
    method: string;
    path: string;
    query: string;
    user_agent: string | null;
    request_body: string | null;
    status: number;
    response_body: string | null;
    duration_ms: number;
    subject: string | null;
    truncated: boolean;
  };
  users: {
    tenant_id: string;
    id: string;
    attributes: Json<JsonObject>;
    user_name: string;
    user_name_key: string;
    active: boolean;
    display_name: string | null;
    address: string | null;
    address_order: Generated<number>;
    tie_key: string;
    role_values: Generated<string[]>;
    claim_values: Generated<string[]>;
    version: Generated<number>;
    created_at: Time;
    last_modified: Time;
  };
  user_emails: {
    tenant_id: string;
    user_id: string;
    ordinal: number;
    type_key: string | null;
    value_key: string;
  };
  user_sources: { tenant_id: string; user_id: string; directory_id: string; external_id: string | null };
  groups: {
    tenant_id: string;
    id: string;
    attributes: Json<JsonObject>;
    display_name: string;
    display_name_key: string;
    mapped: Generated<boolean>;
    version: Generated<number>;
    created_at: Time;
    last_modified: Time;
  };
  group_sources: { tenant_id: string; group_id: string; directory_id: string; external_id: string | null };
  memberships: { tenant_id: string; group_id: string; user_id: string };
  audit_events: {
    tenant_id: string;
    seq: GeneratedAlways<number>;
    at: Time;
    actor: Json<JsonObject>;
    action: string;
    subject: string | null;
    before: Json<unknown> | null;
    after: Json<unknown> | null;
    inputs: Json<unknown> | null;
    request_id: string | null;
  };
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
    role: string;
    workspaces: string[];
    fallback_role: string | null;
    created_at: Time;
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
    excess_since: Time | null;
    settled_at: ColumnType<Date, Date | undefined, Date>;
    frozen: Generated<boolean>;
    rules_revision: Generated<string>;
  };
  decisions: {
    tenant_id: string;
    user_id: string;
    requested: Json<unknown>;
    effective: Json<unknown>;
    priority: number | null;
    claimed_at: Time | null;
    tie: string;
    seat: 'none' | 'held' | 'overage' | 'hold' | 'waiting';
    since: Time;
    refusal: string | null;
    rank_at: Time | null;
    kept_claimed_at: Time | null;
    kept_until: Time | null;
    overage_spent: Generated<boolean>;
    due_at: Time | null;
    basis: Generated<string | null>;
    terms_basis: Generated<string | null>;
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
  evaluation_marks: { tenant_id: string; user_id: string; keep_until: Time | null };
  evaluation_decided: { tenant_id: string; user_id: string };
  evaluation_requests: {
    tenant_id: string;
    id: GeneratedAlways<number>;
    affected: Json<unknown>;
    keep_until: Time | null;
  };
  blue_connections: BlueConnectionTable;
  blue_members: {
    tenant_id: string;
    blue_user_id: string;
    address: string | null;
    memberships: Json<unknown>;
    paid_workspaces: string[];
  };
  blue_invitations: {
    tenant_id: string;
    seq: GeneratedAlways<number>;
    invitation_id: string | null;
    address: string;
    workspace: string;
    level: string;
    expires_at: Time;
    is_paid: boolean;
  };
  blue_people: {
    tenant_id: string;
    user_id: string;
    address: string | null;
    blue_user_id: string | null;
    state: 'none' | 'waiting' | 'invited' | 'active' | 'refused' | 'removed';
    code: string | null;
    detail: string | null;
    changed_at: Time;
  };
  blue_sync: {
    tenant_id: string;
    user_id: string;
    desired_version: Generated<number>;
    marked_at: Time;
    not_before: Time | null;
    tries: Generated<number>;
  };
}

interface BlueConnectionTable {
  tenant_id: string;
  organization_id: string;
  token_id: string;
  token_secret: Buffer;
  api_url: string | null;
  mode: 'observe' | 'apply';
  deactivation: 'leave_workspaces' | 'view_only' | 'leave_organization';
  default_workspaces: string[];
  drift: 'report' | 'repair';
  invitations_per_hour: number | null;
  state: Generated<'ok' | 'waiting' | 'stopped'>;
  cause: string | null;
  failures: Generated<number>;
  last_contact_at: Time | null;
  next_try_at: Time | null;
  managed_workspaces: Generated<string[]>;
  actual: Json<unknown> | null;
  actual_read_at: Time | null;
  reads_asked: Generated<number>;
  sending: Generated<boolean>;
  invitations_since: Time | null;
  invitations_sent: Generated<number>;
  leased_by: string | null;
  leased_until: Time | null;
}

export type JsonObject = { [name: string]: unknown };
