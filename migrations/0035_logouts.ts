import { type Kysely, sql } from 'kysely';

/** Single logout by SAML, step-up, and what a connection may allow. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [asked, settings]) await sql.raw(statement).execute(db);
}

const asked = `
  -- By the clock that identity providers know.
  alter table sso_requests add column asked_at timestamptz not null default now();
  alter table sso_requests alter column asked_at drop default;
`;

const settings = `
  alter table sso_connections no force row level security;
  update sso_connections set settings = '{"logoutUrl":null,"forceAuthn":false,"authnContexts":[],"allowSha1":false,"allowCbc":false,"allowIdpInitiated":false}' || settings where protocol = 'saml';
  alter table sso_connections force row level security;
`;
