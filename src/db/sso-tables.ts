/** The tables of single sign-on, as migrations/0025_sso.ts makes them. */

import type { Generated } from 'kysely';
import type { RefusalReason } from '../sso/core/refusal.ts';
import type { Json, Time } from './tables.ts';

export interface SsoTables {
  sso_connections: {
    tenant_id: string;
    id: string;
    protocol: 'saml' | 'oidc';
    name: string;
    enabled: boolean;
    settings: Json<unknown>;
    directory_id: string | null;
    jit_create: boolean;
    attributes: Json<{ [name: string]: string }>;
    created_at: Time;
    jit_enabled: boolean;
    jit_approval: boolean;
    groups_claim: string | null;
    jit_default_role: string | null;
    client_secret: Buffer | null;
    revocation_issuer: string | null;
    session_epoch: Generated<number>;
  };
  sso_keys: {
    tenant_id: string;
    connection_id: string;
    id: string;
    use: 'signing' | 'encryption';
    state: 'next' | 'current' | 'previous';
    certificate: string;
    private_key: Buffer;
    created_at: Time;
    expires_at: Time;
  };
  sso_metadata: {
    tenant_id: string;
    connection_id: string;
    url: string;
    fetched_at: Time;
    next_fetch_at: Time;
    tried_at: Time;
    failing_since: Time | null;
    error: string | null;
    pending: Json<unknown> | null;
  };
  sso_requests: {
    tenant_id: string;
    state_hash: string;
    connection_id: string;
    request_id: string;
    browser_hash: string;
    expires_at: Time;
    return_to: string | null;
    step_up: Json<unknown>;
    code_verifier: string | null;
    asked_at: Time;
    test_id: string | null;
  };
  sso_tests: {
    tenant_id: string;
    id: string;
    connection_id: string;
    token_hash: string;
    created_at: Time;
    begin_until: Time;
    expires_at: Time;
    report: Json<unknown> | null;
  };
  sso_assertions: { tenant_id: string; connection_id: string; id_hash: string; expires_at: Time };
  sso_revocations: {
    tenant_id: string;
    connection_id: string;
    whose_hash: string;
    at: Time;
    expires_at: Time;
  };
  sso_links: {
    tenant_id: string;
    connection_id: string;
    subject: string;
    user_id: string;
    linked_at: Time;
    claimed_groups: Generated<string[] | null>;
    is_maker: Generated<boolean>;
  };
  access_requests: {
    tenant_id: string;
    id: string;
    connection_id: string;
    subject: string;
    identity: Json<unknown>;
    claimed_groups: string[];
    requested_at: Time;
    last_login_at: Time;
    refused_at: Time | null;
    refused_by: Json<unknown> | null;
    reason: string | null;
  };
  sso_logins: {
    tenant_id: string;
    id: string;
    connection_id: string;
    at: Time;
    steps: string[];
    reason: RefusalReason | null;
    detail: string | null;
    user_id: string | null;
    subject: string | null;
    attributes: string[];
    response_hash: string;
  };
  sso_sessions: {
    tenant_id: string;
    token_hash: string;
    user_id: string;
    connection_id: string;
    created_at: Time;
    expires_at: Time;
    authenticated_at: Time;
    acr: string | null;
    upstream: Json<unknown> | null;
    upstream_sid: string | null;
    epoch: Generated<number>;
  };
}
