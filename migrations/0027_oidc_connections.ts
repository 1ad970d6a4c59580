import { type Kysely, sql } from 'kysely';

/** Connections by OpenID Connect. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [connections, logins]) await sql.raw(statement).execute(db);
}

const connections = `
  alter table sso_connections drop constraint sso_connections_protocol_check;
  alter table sso_connections add constraint sso_connections_protocol_check check (protocol in ('saml', 'oidc'));
  -- Sealed; null: none is needed.
  alter table sso_connections add column client_secret bytea;
`;

const logins = `
  -- Of an OpenID request the nonce stands as request_id; its code_verifier (RFC 7636 §4.1).
  alter table sso_requests add column code_verifier text;
  -- What the identity provider calls the session: its sid.
  alter table sso_sessions add column upstream_sid text collate "C";
  create index sso_sessions_upstream on sso_sessions (tenant_id, connection_id, upstream_sid);
`;
