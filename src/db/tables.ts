/** The shape of every table for Kysely, as migrations/ makes them. Ids are plain strings here; stores brand them. */

import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type { AuditTables } from './audit-tables.ts';
import type { DomainTables } from './domain-tables.ts';
import type { LicensingTables } from './licensing-tables.ts';
import type { OpenIdTables } from './openid-tables.ts';
import type { SignalTables } from './signal-tables.ts';
import type { SsoTables } from './sso-tables.ts';

/** jsonb: read as a value, written as JSON text, since the driver would turn an array into a PostgreSQL array. */
export type Json<T> = ColumnType<T, string, string>;
export type Time = ColumnType<Date, Date, Date>;

export interface Tables
  extends AuditTables,
    DomainTables,
    LicensingTables,
    OpenIdTables,
    SignalTables,
    SsoTables {
  tenants: { tenant_id: string; slug: string; name: string; created_at: Time; tie_salt: string };
  tenant_locators: {
    kind:
      | 'slug'
      | 'directory_token'
      | 'api_key'
      | 'oauth_client'
      | 'sso_connection'
      | 'domain'
      | 'openid_client'
      | 'signal_receiver';
    key: string;
    tenant_id: string;
  };
  catalogue_versions: {
    version: number;
    recorded_at: Time;
    actor: Json<JsonObject>;
    roles: Json<JsonObject[]>;
    reason: string;
  };
  test_clock: { id: Generated<boolean>; offset_ms: number; revision: number };
  operators: { id: string; name: string; key_hash: string; created_at: Time; made_by: Generated<string[]> };
  api_keys: {
    tenant_id: string;
    id: string;
    name: string;
    role: 'owner' | 'admin' | 'auditor';
    key_hash: string;
    created_at: Time;
    expires_at: Time | null;
    made_by: Generated<string[]>;
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
    two_person_since: Time | null;
    exclusions: Generated<string[]>;
    notice_hours: Generated<number>;
    approvals: ColumnType<Record<string, string>, string | undefined, string>;
    reclaim_due_at: ColumnType<Date | null, undefined, Date | null>;
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
    default_role: Generated<string | null>;
    last_sign_in_at: ColumnType<Date | null, undefined, Date>;
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
  blue_connections: BlueConnectionTable;
  blue_members: {
    tenant_id: string;
    blue_user_id: string;
    address: string | null;
    memberships: Json<unknown>;
    paid_workspaces: string[];
    last_active_at: Time | null;
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
    given_workspaces: Generated<string[]>;
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
  blue_sync_batches: { tenant_id: string; id: GeneratedAlways<number>; marked_at: Time; user_ids: string[] };
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
