import { type Kysely, sql } from 'kysely';

/** What a login was asked to be, and what the identity provider said of it. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [asked, said]) await sql.raw(statement).execute(db);
}

const asked = `
  -- Path of ours where the browser goes once it is signed in; null: the page that says who is.
  alter table sso_requests add column return_to text;
  -- What of step-up was asked: {forceAuthn, acrValues, maxAgeSeconds}.
  alter table sso_requests add column step_up jsonb not null default '{"forceAuthn":false,"acrValues":[],"maxAgeSeconds":null}';
  alter table sso_requests alter column step_up drop default;
`;

const said = `
  -- When the person showed the identity provider who they are.
  alter table sso_sessions add column authenticated_at timestamptz;
  alter table sso_sessions no force row level security;
  update sso_sessions set authenticated_at = created_at;
  alter table sso_sessions force row level security;
  alter table sso_sessions alter column authenticated_at set not null;
  -- How, in the identity provider's word (AuthnContextClassRef, acr).
  alter table sso_sessions add column acr text;
  -- What a logout there must name; null: nothing.
  alter table sso_sessions add column upstream jsonb;
`;
