import { type Kysely, sql } from 'kysely';

/** What a scheduled draft may take away, and which keys may be in one hand. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(losses).execute(db);
  await sql.raw(lineage).execute(db);
}

const losses = `
  -- Seats that it would have taken away when it was scheduled: whoever scheduled it knew of them.
  alter table mapping_drafts add column agreed_losses integer not null default 0 check (agreed_losses >= 0);
`;

const lineage = `
  -- Whom the key descends from, the first of all at the beginning; revoked ones too.
  alter table operators add column made_by uuid[] not null default '{}';
  alter table api_keys add column made_by uuid[] not null default '{}';

  -- Keys that were there before it count as in hands of their own.
  alter table tenant_settings add column two_person_since timestamptz;
  alter table tenant_settings no force row level security;
  update tenant_settings set two_person_since = now() where two_person_rule;
  alter table tenant_settings force row level security;
  alter table tenant_settings add constraint tenant_settings_two_person
    check (two_person_rule = (two_person_since is not null));

  -- The key that asked and whom it descends from: it may be revoked meanwhile.
  alter table edit_requests add column asked_by uuid[] not null default '{}';
  alter table edit_requests no force row level security;
  update edit_requests set asked_by = array[(actor ->> 'id')::uuid];
  alter table edit_requests force row level security;
  alter table edit_requests alter column asked_by drop default;

  drop function find_api_key(text);
  create function find_api_key(hash text)
  returns table (tenant_id uuid, key_id uuid, name text, role text, expires_at timestamptz, made_by uuid[])
  language sql stable security definer set search_path = public, pg_temp as $$
    select null::uuid, o.id, o.name, 'operator', null::timestamptz, o.made_by from operators o where o.key_hash = hash
    union all
    select k.tenant_id, k.id, k.name, k.role, k.expires_at, k.made_by
    from tenant_locators l join api_keys k on k.tenant_id = l.tenant_id and k.key_hash = l.key
    where l.kind = 'api_key' and l.key = hash
  $$;
  grant create on schema public to blue_gateway_finder;
  alter function find_api_key(text) owner to blue_gateway_finder;
  revoke execute on function find_api_key(text) from public;
  grant execute on function find_api_key(text) to current_user;
  revoke create on schema public from blue_gateway_finder;
`;
