/** As SQL: one row in every tenant table, for what must hold of all of them. */

import { randomUUID } from 'node:crypto';

/** The statements, in an order that keys allow. */
export function rowsOf(tenant: string): string[] {
  const [t, id, now] = [`'${tenant}'`, `'${randomUUID()}'`, 'now()'];
  return [
    `insert into tenants values (${t}, 's-${tenant}', 'x', ${now}, 'x')`,
    `insert into tenant_locators values ('slug', 's-${tenant}', ${t})`,
    `insert into api_keys values (${t}, ${id}, 'x', 'admin', 'h', ${now}, null)`,
    `insert into directories values (${t}, ${id}, 'x', 'okta', ${now})`,
    `insert into directory_tokens values (${t}, ${id}, ${id}, 'x', 'h', ${now}, null)`,
    `insert into users (tenant_id, id, attributes, user_name, user_name_key, active, tie_key, created_at, last_modified)
       values (${t}, ${id}, '{}', 'x', 'x', true, 'x', ${now}, ${now})`,
    `insert into user_emails values (${t}, ${id}, 1, null, 'x')`,
    `insert into user_sources values (${t}, ${id}, ${id}, 'x')`,
    `insert into groups (tenant_id, id, attributes, display_name, display_name_key, created_at, last_modified)
       values (${t}, ${id}, '{}', 'x', 'x', ${now}, ${now})`,
    `insert into group_sources values (${t}, ${id}, ${id}, 'x')`,
    `insert into memberships values (${t}, ${id}, ${id})`,
    `insert into audit_events (tenant_id, at, actor, action) values (${t}, ${now}, '{}', 'x')`,
    `insert into audit_batches (tenant_id, at, actor, first_subject, last_subject, subjects, changes)
       values (${t}, ${now}, '{}', ${id}, ${id}, array[${id}::uuid], array[row(null, null)::told_change])`,
    `insert into audit_seals values (${t}, 1, 1, 1, 0, 1, 1, ${now}, ${now}, sha256('x'), sha256('y'))`,
    `insert into contracts (tenant_id, kind, tier, starts_on, ends_on, payment_schedule, overage_policy, fallback_role)
       values (${t}, 'annual', 'x', ${now}, ${now}, 'annual', 'queue', 'none')`,
    `insert into mappings (tenant_id, id, priority, group_id, role, workspaces, created_at)
       values (${t}, ${id}, 1, ${id}, 'x', '{}', ${now})`,
    `insert into sub_pools values (${t}, 'x', 1, null)`,
    `insert into mapping_versions values (${t}, 1, ${now}, '{}', 'x', 0, '[]')`,
    `insert into mapping_drafts (tenant_id, id, name, based_on, mappings, created_at)
       values (${t}, ${id}, 'x', 0, '[]', ${now})`,
    `insert into seat_pools (tenant_id) values (${t})`,
    `insert into role_sets values (${t}, ${id}, '[]', null, ${id})`,
    `insert into decisions (tenant_id, user_id, requested_id, effective_id, tie, seat, since)
       values (${t}, ${id}, ${id}, ${id}, 'x', 'none', ${now})`,
    `insert into seat_refusals values (${t}, ${id}, ${now}, 1)`,
    `insert into seat_days values (${t}, ${now}, 1, 1)`,
    `insert into alert_states (tenant_id) values (${t})`,
    `insert into alerts values (${t}, ${id}, ${now}, ${now}, '[]', null, null, null)`,
    `insert into blue_connections (tenant_id, organization_id, token_id, token_secret, mode, deactivation,
         default_workspaces, drift)
       values (${t}, 'x', 'x', '', 'observe', 'view_only', '{}', 'report')`,
    `insert into blue_members values (${t}, 'x', null, '[]', '{}')`,
    `insert into blue_invitations (tenant_id, address, workspace, level, expires_at, is_paid)
       values (${t}, 'x', 'x', 'CLIENT', ${now}, false)`,
    `insert into blue_people (tenant_id, user_id, state, changed_at) values (${t}, ${id}, 'none', ${now})`,
    `insert into blue_sync (tenant_id, user_id, marked_at) values (${t}, ${id}, ${now})`,
    `insert into blue_sync_batches (tenant_id, marked_at, user_ids) values (${t}, ${now}, '{}')`,
    `insert into contract_lines values (${t}, ${id}, 'amendment', ${now}, null, false, null, null, null, null, null, null,
       ${now}, null)`,
    `insert into tenant_settings (tenant_id) values (${t})`,
    `insert into extension_schemas values (${t}, ${id}, 'x', 'x', 'User', 'x', 'x', '[]', null, ${now})`,
    `insert into parked_members values (${t}, ${id}, ${id}, 'x', 'x', ${now})`,
    `insert into imports (tenant_id, id, created_at, actor, dry_run, columns, plan) values (${t}, ${id}, ${now}, '{}', false, '{}', '{}')`,
    `insert into import_rows (tenant_id, import_id, line, cells) values (${t}, ${id}, 2, '{}')`,
    `insert into pins values (${t}, ${id}, 'client', null, 'x', null, false, '{}', ${now})`,
    `insert into evaluation_marks values (${t}, ${id}, null)`,
    `insert into evaluation_requests (tenant_id, affected) values (${t}, '{}')`,
    `insert into evaluation_decided values (${t}, ${id})`,
    `insert into evaluation_batches values (${t}, ${id}, ${id}, ${id}, ${now})`,
    `insert into edit_requests values (${t}, ${id}, 'PUT', '/', null, '{}', '{}', ${now}, 'pending', null, null, '{}')`,
    `insert into seat_approvals values (${t}, ${id}, 'DEFAULT', true, null, '{}', ${now})`,
    `insert into seat_reclaims values (${t}, ${id}, 'noticed', ${now}, 0, ${now}, null, null, ${now})`,
    `insert into unanswered_creations values (${t}, ${id}, ${id}, 'h', ${now})`,
    `insert into oauth_clients values (${t}, ${id}, ${id}, 'x', 'scim', null, null, null, ${now})`,
    `insert into oauth_client_secrets values (${t}, ${id}, ${id}, 'h', ${now}, null, null)`,
    `insert into sso_connections values (${t}, ${id}, 'saml', 'x', true, '{}', null, false, '{}', ${now}, null, true, false, null, null, null)`,
    `insert into sso_keys values (${t}, ${id}, ${id}, 'signing', 'current', 'x', '', ${now}, ${now})`,
    `insert into sso_metadata values (${t}, ${id}, 'x', ${now}, ${now}, ${now}, null, null, null)`,
    `insert into sso_requests values (${t}, 'h', ${id}, 'x', 'h', ${now}, null, '{}', null, ${now}, null)`,
    `insert into sso_tests values (${t}, ${id}, ${id}, 'h', ${now}, ${now}, ${now}, null)`,
    `insert into sso_assertions values (${t}, ${id}, 'h', ${now})`,
    `insert into sso_links values (${t}, ${id}, 'x', ${id}, ${now}, null, false)`,
    `insert into access_requests values (${t}, ${id}, ${id}, 'x', '{}', '{}', ${now}, ${now}, null, null, null)`,
    `insert into sso_logins values (${t}, ${id}, ${id}, ${now}, '{}', null, null, null, null, '{}', 'h')`,
    `insert into sso_sessions values (${t}, 'h', ${id}, ${id}, ${now}, ${now}, ${now}, null, null)`,
    `insert into sso_revocations values (${t}, ${id}, 'w', ${now}, ${now})`,
    `insert into domains values (${t}, 'x', 'x', ${now}, null, null, null, null)`,
    `insert into sso_connection_domains values (${t}, ${id}, 'x')`,
    `insert into sso_tombstones values (${t}, ${id}, 'x', ${now})`,
    `insert into sso_tombstone_keys values (${t}, ${id}, 'name', ${id}, 'x')`,
    `insert into signal_receivers values (${t}, ${id}, 'x', 'x', 'h', ${now})`,
    `insert into signal_streams values (${t}, ${id}, ${id}, null, null, '{}', null, 'enabled', null, ${now})`,
    `insert into signal_events values (${t}, ${id}, ${id}, 'x', null, '{}', ${now}, ${now})`,
    `insert into openid_clients values (${t}, ${id}, 'x', 'h', '{}', '{}', null, ${now})`,
    `insert into openid_sign_ins values (${t}, 'h', ${id}, 'x', ${id})`,
    `insert into openid_logouts values (${t}, ${id}, ${id}, ${id}, 'x', 0, ${now})`,
    `insert into recorded_requests values (${t}, ${id}, ${now}, ${id}, ${id}, 'x', 'GET', '/', '', null, null, 200, null,
       1, null, false)`,
  ];
}
